//! One-shots: services that others wait for to complete successfully. Like Docker Compose, `up` runs
//! them again every time, which is no difference from what the files ask for.

use super::{Fate, Planner};
use crate::engine::ContainerState;
use crate::observe::ObservedContainer;
use crate::service::Condition;

impl Planner<'_> {
    /// Whether another service of the project waits for the service's completion.
    pub(super) fn is_one_shot(&self, service: &str) -> bool {
        let mut dependents = self.project.dependents(service);
        dependents.any(|s| s.depends_on[service].condition == Condition::CompletedSuccessfully)
    }

    /// Whether the container of a one-shot has done its work, and nothing has stopped it for another
    /// change.
    pub(super) fn is_done_one_shot(&self, container: &ObservedContainer) -> bool {
        self.is_up
            && container.state == ContainerState::Exited
            && container.exit_code == Some(0)
            && !self.stops.contains_key(container.id.as_str())
            && !self.reconnects.contains_key(container.id.as_str())
            && self.is_one_shot(&container.service)
    }

    /// Whether all that happens to a service is that a one-shot runs again.
    pub(super) fn runs_again(&self, service: &str, fates: &[Fate<'_>]) -> bool {
        self.is_up
            && self.is_one_shot(service)
            && fates.iter().all(|fate| match fate {
                Fate::Keep {
                    container,
                    rename: None,
                } => !self.needs_start(fate) || self.is_done_one_shot(container),
                _ => false,
            })
    }
}
