//! Containers that were created and will not be started, since a network or volume could not be
//! made: the project's next `up` creates them with what they need.

use super::{Report, Walk};
use crate::event::Kind;
use crate::plan::{Action, StepId, Target};

impl Walk<'_> {
    /// Removes the new containers whose start has waited in vain for a network or a volume: their
    /// own, or one of what they depend on. What stands for another container is
    /// [rolled back](super::rollback) by then.
    pub(super) async fn remove_never_started(&self, report: &mut Report) {
        let in_vain: Vec<(StepId, StepId)> = report
            .skipped
            .iter()
            .filter(|(_, root)| self.makes_what_others_need(*root))
            .filter_map(|(step, root)| Some((self.creation_before_start(*step)?, *root)))
            .collect();
        for (creation, root) in in_vain {
            let made = self.made.borrow().containers.get(&creation).cloned();
            let Some(id) = made.filter(|_| self.is_done(creation)) else {
                continue;
            };
            if !self.is_ours().await {
                return;
            }
            // It never ran: its anonymous volumes are empty.
            match self.means.engine.remove_container(&id, true, true).await {
                Ok(()) => {
                    let resource = self.plan.step(creation).action.resource();
                    self.means.reporter.send(Kind::Discarded { resource });
                    report.done.retain(|done| *done != creation);
                    report.skipped.push((creation, root));
                }
                Err(error) => tracing::debug!(%error, "a container that never ran is still there"),
            }
        }
    }

    fn makes_what_others_need(&self, step: StepId) -> bool {
        matches!(
            self.plan.step(step).action,
            Action::CreateNetwork { .. } | Action::CreateVolume { .. }
        )
    }

    /// The step that creates the container that a step starts, where it replaces no other.
    fn creation_before_start(&self, step: StepId) -> Option<StepId> {
        let Action::StartContainer {
            container: Target::Made { by, .. },
            ..
        } = &self.plan.step(step).action
        else {
            return None;
        };
        match &self.plan.step(*by).action {
            Action::CreateContainer { replaces: None, .. } => Some(*by),
            _ => None,
        }
    }
}
