//! Orphans in whose namespaces somebody lives who is replaced: without the very container that it
//! was made with, the old one could not come back, so that goes only after it.

use super::orphans::CAUSE;
use super::{Fate, Planner};
use crate::observe::ObservedContainer;
use crate::plan::StepId;
use crate::service::Service;
use crate::spec;
use std::collections::{BTreeMap, HashMap};

impl<'a> Planner<'a> {
    /// Finds orphans that go in this plan, and that somebody lives in who is replaced.
    pub(super) fn find_leaving_hosts(&mut self) {
        let orphans = self.leaving_orphans();
        if orphans.is_empty() {
            return;
        }
        let mut found = HashMap::new();
        for fate in self.fates.values().flatten() {
            let Fate::Replace { old, .. } = fate else {
                continue;
            };
            let mut hosts = self.hosts_among(&orphans, old);
            // Or what comes back in its place: it has not proved itself.
            for (first, _) in self.fallbacks_of(old) {
                hosts.extend(self.hosts_among(&orphans, first));
            }
            if !hosts.is_empty() {
                found.insert(old.id.as_str(), hosts);
            }
        }
        self.leaving_hosts = found;
    }

    /// An orphan that goes in this plan, and in whose namespaces a container lives: it could not be
    /// started again.
    pub(super) fn host_that_leaves(
        &self,
        lodger: &ObservedContainer,
    ) -> Option<&'a ObservedContainer> {
        let hosts = self.hosts_among(&self.leaving_orphans(), lodger);
        hosts.into_iter().next()
    }

    /// Orphans that go in this plan, by id; none where nothing is to be started.
    fn leaving_orphans(&self) -> BTreeMap<&'a str, &'a ObservedContainer> {
        let orphans = self.removed_orphans().filter(|_| self.options.start);
        orphans.map(|c| (c.id.as_str(), c)).collect()
    }

    /// Those of them that a container lives in, by the record of what it was made from.
    fn hosts_among(
        &self,
        orphans: &BTreeMap<&'a str, &'a ObservedContainer>,
        lodger: &ObservedContainer,
    ) -> Vec<&'a ObservedContainer> {
        if orphans.is_empty() {
            return Vec::new();
        }
        let record = lodger.spec.as_deref().and_then(spec::read_record);
        let hosts = Service::NAMESPACES.iter().filter_map(|key| {
            let mode = record.as_ref()?.get(key)?.as_str()?;
            let host = self.observed.first_of(mode.strip_prefix("service:")?)?;
            orphans.get_key_value(host.id.as_str())
        });
        let hosts: BTreeMap<_, _> = hosts.collect();
        hosts.into_values().copied().collect()
    }

    /// Those hosts of a container that is replaced.
    pub(super) fn leaving_hosts(&self, lodger: &ObservedContainer) -> Vec<&'a ObservedContainer> {
        let hosts = self.leaving_hosts.get(lodger.id.as_str());
        hosts.cloned().unwrap_or_default()
    }

    /// Stops them after itself: what they hold may be what its successor needs.
    pub(super) fn stop_leaving_hosts(
        &mut self,
        lodger: &'a ObservedContainer,
        stopped: Option<StepId>,
    ) -> Vec<StepId> {
        let hosts = self.leaving_hosts(lodger).into_iter();
        hosts
            .filter_map(|host| self.stop_late(host, CAUSE, stopped, true))
            .collect()
    }

    /// Whether somebody lives in it who is replaced.
    pub(super) fn has_lodgers(&self, orphan: &ObservedContainer) -> bool {
        let mut hosts = self.leaving_hosts.values().flatten();
        hosts.any(|host| host.id == orphan.id)
    }

    /// Plans their removal, now that those who live in them have been planned.
    pub(super) fn plan_removals_of_hosts(&mut self) {
        let orphans: Vec<_> = self.removed_orphans().collect();
        for orphan in orphans {
            if self.has_lodgers(orphan) {
                let gone = self.lodgers_gone.remove(orphan.id.as_str());
                self.plan_removal(orphan, CAUSE, gone.unwrap_or_default());
            }
        }
    }
}
