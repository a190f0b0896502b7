//! What became of a plan, by step and by service.

use super::Failure;
use super::walk::Walked;
use crate::event::{Resource, Summary};
use crate::plan::{Action, Plan, StepId};
use std::collections::{BTreeMap, BTreeSet};

/// What became of a plan.
#[derive(Debug, Default)]
pub struct Report {
    /// Steps that were done, in the order they ended.
    pub done: Vec<StepId>,
    pub failures: Vec<Failure>,
    /// Steps that were not tried, each with the failed step they waited for.
    pub skipped: Vec<(StepId, StepId)>,
    /// Steps that were given up or never begun because somebody asked to stop, or the project's
    /// lock was lost.
    pub given_up: Vec<StepId>,
    /// Why the project's lock was lost, where that ended the walk.
    pub lost: Option<String>,
}

impl Report {
    /// The report of a walk, and the steps that it began.
    pub(super) fn of(walked: Walked<Failure>) -> (Self, BTreeSet<StepId>) {
        let mut failures: Vec<Failure> = Vec::new();
        for (_, failure) in walked.failures {
            tracing::debug!(step = failure.step.0, error = %failure.message, "failed");
            // Of one container's end several steps may learn.
            let of_it = |f: &Failure| f.container == failure.container;
            if failure.container.is_none() || !failures.iter().any(of_it) {
                failures.push(failure);
            }
        }
        let report = Report {
            done: walked.done,
            failures,
            skipped: walked.skipped,
            given_up: walked.given_up,
            lost: None,
        };
        (report, walked.begun)
    }

    pub fn is_success(&self) -> bool {
        self.failures.is_empty() && self.given_up.is_empty()
    }

    /// Whether a call was left that the engine had not answered.
    pub fn is_left(&self) -> bool {
        self.unanswered().next().is_some()
    }

    /// What is not known of such calls, in words.
    pub fn unanswered(&self) -> impl Iterator<Item = &str> {
        let left = self.failures.iter().filter(|f| f.is_unanswered);
        left.map(|f| f.message.as_str())
    }

    /// How far each service came that an interrupted walk was to bring up: all done, done but
    /// for a wait that was given up, not or not completely done.
    pub fn interrupted_services(&self, plan: &Plan) -> [BTreeSet<String>; 3] {
        // A watch of first moments that was given up leaves nothing to do: it is neither.
        let of = |ids: &[StepId], is_wait: bool| -> BTreeSet<String> {
            ids.iter()
                .map(|id| &plan.step(*id).action)
                .filter(|action| !matches!(action, Action::Verify { healthy: false, .. }))
                .filter(|action| action.is_wait() == is_wait)
                .filter_map(Action::service)
                .map(str::to_owned)
                .collect()
        };
        let mut done = of(&self.done, false);
        let mut awaited = of(&self.given_up, true);
        let given_up = of(&self.given_up, false);
        awaited.retain(|name| !given_up.contains(name));
        done.retain(|name| !given_up.contains(name) && !awaited.contains(name));
        [done, awaited, given_up]
    }

    /// How many steps came to which end.
    pub fn summary(&self) -> Summary {
        Summary {
            done: self.done.len(),
            failed: self.failures.len(),
            skipped: self.skipped.len(),
            given_up: self.given_up.len(),
        }
    }

    /// Services of which something was done, and nothing failed or was left out.
    pub fn changed_services(&self, plan: &Plan) -> BTreeSet<String> {
        let skipped = self.skipped_services(plan);
        self.done
            .iter()
            .map(|step| &plan.step(*step).action)
            .filter(|action| action.is_change())
            .filter_map(|action| action.service())
            .filter(|s| !skipped.contains_key(*s))
            .filter(|s| {
                self.failures
                    .iter()
                    .all(|f| f.service.as_deref() != Some(s))
            })
            .map(str::to_owned)
            .collect()
    }

    /// Services of which something was not tried, with the resource whose failure kept it.
    pub fn skipped_services(&self, plan: &Plan) -> BTreeMap<String, Resource> {
        self.skipped
            .iter()
            .filter_map(|(step, because)| {
                let service = plan.step(*step).action.service()?;
                Some((service.to_owned(), plan.step(*because).action.resource()))
            })
            .collect()
    }
}
