//! The takeovers in a plan: a new container taking an old one's place, with what it takes to call
//! the change off half-way.

use super::{Action, Plan, StepId, Target};
use std::collections::BTreeMap;

/// A new container that takes an old one's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Takeover {
    pub old: Target,
    pub new: Target,
    /// The step that stops the old one; `None` where it does not run (any more).
    pub stop: Option<StepId>,
    /// The step that removes the old one: from there on there is no way back.
    pub remove: StepId,
    /// The old one is kept until the new one has proved itself: called off, it runs again.
    /// Otherwise it was not running anyway.
    pub guarded: bool,
}

/// The takeovers of a plan, by the group of their steps.
pub fn takeovers(plan: &Plan) -> BTreeMap<&str, Takeover> {
    let mut olds: BTreeMap<&str, (StepId, &Target)> = BTreeMap::new();
    let mut news: BTreeMap<&str, &Target> = BTreeMap::new();
    let mut starts: BTreeMap<&str, StepId> = BTreeMap::new();
    let mut stops: BTreeMap<&str, StepId> = BTreeMap::new();
    for (id, step) in plan.steps() {
        if let Action::StopContainer {
            container: Target::Existing { id: stopped, .. },
            ..
        } = &step.action
        {
            stops.insert(stopped, id);
        }
        let Some(group) = step.group.as_deref() else {
            continue;
        };
        match &step.action {
            Action::RemoveContainer { container, .. } => {
                olds.insert(group, (id, container));
            }
            Action::RenameContainer { container, .. } => {
                news.insert(group, container);
            }
            Action::StartContainer { .. } => {
                starts.insert(group, id);
            }
            _ => {}
        }
    }
    let mut found = BTreeMap::new();
    for (group, (remove, old)) in olds {
        let (Some(new), Target::Existing { id, .. }) = (news.get(group), old) else {
            continue;
        };
        let takeover = Takeover {
            old: old.clone(),
            new: (*new).clone(),
            stop: stops.get(id.as_str()).copied(),
            remove,
            guarded: starts.get(group).is_some_and(|start| *start < remove),
        };
        found.insert(group, takeover);
    }
    found
}
