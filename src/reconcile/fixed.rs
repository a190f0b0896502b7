//! Fixed addresses on networks of others (`external`).
//!
//! Which addresses are free there nobody here knows, so none is chosen for the services without one
//! (as [`crate::project`] does on networks of its own). The engine gives them the lowest that is free
//! when they start: a service with a fixed address starts before them, where dependencies allow that.

use super::Planner;
use crate::plan::{Action, StepId};
use crate::service::{Attachment, Service};
use std::collections::BTreeSet;

impl<'a> Planner<'a> {
    /// Service by service, who starts before whom.
    pub(super) fn fixed_first(&self) -> Vec<(&'a str, &'a str)> {
        let project = self.project;
        let mut pairs = Vec::new();
        for later in project.services.values() {
            let earlier = self.fixed_beside(later);
            pairs.extend(earlier.into_iter().map(|name| (name, later.name.as_str())));
        }
        pairs
    }

    /// The steps, of those planned so far, that start who has a fixed address beside a service.
    pub(super) fn fixed_starts(&self, service: &Service) -> Vec<StepId> {
        let fixed = self.fixed_beside(service);
        if fixed.is_empty() {
            return Vec::new();
        }
        let steps = self.plan.steps().filter(|(_, step)| {
            matches!(&step.action, Action::StartContainer { service, .. } if fixed.contains(service.as_str()))
        });
        steps.map(|(id, _)| id).collect()
    }

    /// Services with a fixed address on a network of others that a service is on without one.
    fn fixed_beside(&self, service: &Service) -> BTreeSet<&'a str> {
        let project = self.project;
        let is_fixed = |attachment: &Option<Attachment>| {
            let mut fixed = attachment.iter().flat_map(Attachment::fixed_addresses);
            fixed.next().is_some()
        };
        let loose = service.networks.iter().filter(|(key, attachment)| {
            let network = project.networks.get(*key);
            network.is_some_and(|network| network.external) && !is_fixed(attachment)
        });
        let loose: Vec<&String> = loose.map(|(key, _)| key).collect();
        if loose.is_empty() {
            return BTreeSet::new();
        }
        let others = project.services.values().filter(|other| {
            let mut keys = loose.iter();
            keys.any(|key| other.networks.get(*key).is_some_and(is_fixed))
        });
        others.map(|other| other.name.as_str()).collect()
    }
}
