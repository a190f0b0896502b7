//! Orphans in whose namespaces somebody lives who is replaced: without the very container that it
//! was made with, the old one could not come back, so that goes only after it.

use super::orphans::CAUSE;
use super::ports::gets;
use super::{Fate, Planner};
use crate::observe::ObservedContainer;
use crate::plan::StepId;
use crate::service::Service;
use crate::spec;
use std::collections::{BTreeMap, BTreeSet, HashMap};

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
        let owners = lived_in(lodger);
        let hosts = owners.iter().filter_map(|owner| {
            let host = self.observed.first_of(owner)?;
            orphans.get_key_value(host.id.as_str())
        });
        let hosts: BTreeMap<_, _> = hosts.collect();
        hosts.into_values().copied().collect()
    }

    /// The services in whose namespaces those orphans live that the replaced containers of a service
    /// live in: without their old ones, too, none of these could come back.
    pub(super) fn owners_of_leaving_hosts(&self, name: &str) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        for fate in self.fates.get(name).into_iter().flatten() {
            let Fate::Replace { old, .. } = fate else {
                continue;
            };
            for owner in self.leaving_hosts(old).into_iter().flat_map(lived_in) {
                let declared = self.project.services.get_key_value(&owner);
                found.extend(declared.map(|(owner, _)| owner.as_str()));
            }
        }
        found
    }

    /// Whether an orphan that goes in this plan lives in the namespaces of a service.
    pub(super) fn is_left_by_lodgers(&self, name: &str) -> bool {
        let orphans = self.leaving_orphans();
        let mut owners = orphans.into_values().flat_map(lived_in);
        owners.any(|owner| owner == name)
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

    /// Whether a container shares the namespaces of an orphan, and its service is not to share those
    /// of the service that replaces the orphan.
    pub(super) fn is_shared_outside(&self, orphan: &ObservedContainer, new: &Service) -> bool {
        let others = self.observed.replicas().filter(|c| c.id != orphan.id);
        let mut sharing = others.filter(|other| lived_in(other).contains(&orphan.service));
        sharing.any(|other| {
            let service = self.project.services.get(&other.service);
            service.is_none_or(|s| s.lives_in().all(|owner| owner != new.name))
        })
    }

    /// An orphan that goes, whose namespaces other services shared that are to share this one's, and
    /// that has a host port or an address of this one. It has to stop before this one starts, and
    /// could not be started again if the others went first: so the one replaces the other.
    pub(super) fn orphan_with_the_ports_of(
        &self,
        service: &Service,
    ) -> Option<&'a ObservedContainer> {
        if !self.options.start {
            return None;
        }
        let others = || self.observed.replicas();
        let is_shared = |orphan: &ObservedContainer| {
            others().any(|c| c.id != orphan.id && lived_in(c).contains(&orphan.service))
        };
        let mut orphans = self.removed_orphans().filter(|orphan| !orphan.oneoff);
        orphans.find(|orphan| {
            gets(service, orphan) && is_shared(orphan) && !self.is_shared_outside(orphan, service)
        })
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

/// The services whose namespaces a container was made to live in, by the record of what it was made
/// from.
fn lived_in(container: &ObservedContainer) -> BTreeSet<String> {
    let record = container.spec.as_deref().and_then(spec::read_record);
    let modes = Service::NAMESPACES.iter().filter_map(|key| {
        let mode = record.as_ref()?.get(key)?.as_str()?;
        Some(mode.strip_prefix("service:")?.to_owned())
    });
    modes.collect()
}
