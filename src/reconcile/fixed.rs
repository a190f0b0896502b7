//! Fixed addresses on networks of others (`external`).
//!
//! Which addresses are free there nobody here knows, so none is chosen for the services without one
//! (as on networks of the project). The engine gives them the lowest that is free when they start: a
//! service with a fixed address starts before them, where dependencies allow that.

use super::Planner;
use crate::graph::dependency_order_with;
use crate::plan::{Action, StepId};
use crate::project::Project;
use crate::service::{Attachment, Service};
use std::collections::BTreeSet;

/// Services with a fixed address on an external network that a service is on without one.
pub(super) fn fixed_beside<'a>(project: &'a Project, service: &Service) -> BTreeSet<&'a str> {
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

/// Pairs of services, the first of which starts first.
pub(super) fn fixed_first(project: &Project) -> Vec<(&str, &str)> {
    let mut pairs = Vec::new();
    for later in project.services.values() {
        let earlier = fixed_beside(project, later).into_iter();
        pairs.extend(earlier.map(|name| (name, later.name.as_str())));
    }
    pairs
}

/// Services in the order in which they start.
pub(super) fn starting_order(project: &Project) -> Vec<&str> {
    dependency_order_with(project, &fixed_first(project))
}

impl Planner<'_> {
    /// The steps, of those planned so far, that start who has a fixed address beside a service.
    pub(super) fn fixed_starts(&self, service: &Service) -> Vec<StepId> {
        let fixed = fixed_beside(self.project, service);
        if fixed.is_empty() {
            return Vec::new();
        }
        let is_meant = |action: &Action| match action {
            Action::StartContainer { service, .. } => fixed.contains(service.as_str()),
            _ => false,
        };
        let steps = self.plan.steps();
        let meant = steps.filter(|(_, step)| is_meant(&step.action));
        meant.map(|(id, _)| id).collect()
    }
}
