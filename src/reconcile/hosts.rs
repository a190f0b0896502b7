//! Orphans in whose namespaces somebody lives who is replaced: without the very container that it
//! was made with, the old one could not come back, so that goes only after it.

use super::orphans::CAUSE;
use super::{Fate, Planner};
use crate::observe::ObservedContainer;
use crate::plan::StepId;
use crate::spec;

/// What of a service may say `service:x`, the namespaces that it lives in.
const NAMESPACES: [&str; 5] = ["network_mode", "ipc", "pid", "uts", "cgroup"];

impl<'a> Planner<'a> {
    /// Orphans that go in this plan, and that a container lives in, by the record of what it was
    /// made from.
    pub(super) fn leaving_hosts(&self, lodger: &ObservedContainer) -> Vec<&'a ObservedContainer> {
        let mut orphans = self.removed_orphans().peekable();
        if !self.options.start || orphans.peek().is_none() {
            return Vec::new();
        }
        let record = lodger.spec.as_deref().and_then(spec::read_record);
        let modes = NAMESPACES.iter().filter_map(|key| {
            let mode = record.as_ref()?.get(key)?.as_str()?;
            self.observed.first_of(mode.strip_prefix("service:")?)
        });
        let hosts: Vec<&str> = modes.map(|host| host.id.as_str()).collect();
        orphans.filter(|c| hosts.contains(&c.id.as_str())).collect()
    }

    /// Stops those hosts of a container that is replaced, after itself: what they hold may be what
    /// its successor needs.
    pub(super) fn stop_leaving_hosts(
        &mut self,
        lodger: &'a ObservedContainer,
        stopped: Option<StepId>,
    ) -> Vec<StepId> {
        let mut stops = Vec::new();
        for host in self.leaving_hosts(lodger) {
            let known = self.stops.get(host.id.as_str()).copied();
            if known.is_some() || !host.state.is_up() {
                stops.extend(known);
                continue;
            }
            let mut after: Vec<StepId> = (0..self.early).map(StepId).collect();
            after.extend(stopped);
            stops.push(self.plan_stop(host, CAUSE, after, true));
        }
        stops
    }

    /// Whether somebody lives in it who is replaced.
    pub(super) fn has_lodgers(&self, orphan: &ObservedContainer) -> bool {
        let lives_there = |lodger: &ObservedContainer| {
            let hosts = self.leaving_hosts(lodger);
            hosts.iter().any(|host| host.id == orphan.id)
        };
        let mut fates = self.fates.values().flatten();
        fates.any(|fate| matches!(fate, Fate::Replace { old, .. } if lives_there(old)))
    }

    /// Plans their removal, now that those who live in them have been planned.
    pub(super) fn plan_removals_of_hosts(&mut self) {
        let orphans: Vec<_> = self.removed_orphans().collect();
        for orphan in orphans {
            if self.has_lodgers(orphan) {
                self.plan_removal(orphan, CAUSE);
            }
        }
    }
}
