//! The takeovers in a plan: a new container taking an old one's place, with what it takes to call
//! the change off half-way.

use super::{Action, Plan, StepId, Target};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// A new container that takes an old one's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Takeover {
    pub old: Target,
    pub new: Target,
    /// What the old one itself was to replace when that was cut short, the best first: they are
    /// there until the new one has proved itself.
    pub fallbacks: Vec<Target>,
    /// The step that stops the old one; `None` where it does not run (any more).
    pub stop: Option<StepId>,
    /// The step that sees whether the new one lives, or is healthy.
    pub proof: Option<StepId>,
    /// The step that removes the old one: from there on there is no way back.
    pub remove: StepId,
    /// The old one is kept until the new one has proved itself: called off, it runs again.
    /// Otherwise it was not running anyway.
    pub guarded: bool,
    /// The groups of the takeovers that come about together or not at all, this one among them, in
    /// the order of their starts; none where it stands alone. Who lives in another's namespace
    /// cannot run without the very container that it was made with.
    pub joint: Vec<String>,
}

impl Takeover {
    /// What goes only after the old one, and is no part of the takeover: orphans in whose namespaces
    /// that lives, and what had data for the new one.
    pub fn removed_after<'p>(&self, plan: &'p Plan) -> Vec<(StepId, &'p Target)> {
        let dependents = plan.dependents(self.remove).into_iter();
        let removals = dependents.filter_map(|id| {
            let step = plan.step(id);
            match &step.action {
                Action::RemoveContainer { container, .. } if step.group.is_none() => {
                    Some((id, container))
                }
                _ => None,
            }
        });
        removals.collect()
    }
}

/// The takeovers of a plan, by the group of their steps.
pub fn takeovers(plan: &Plan) -> BTreeMap<&str, Takeover> {
    let mut olds: BTreeMap<&str, (StepId, &Target)> = BTreeMap::new();
    let mut fallbacks: BTreeMap<&str, Vec<Target>> = BTreeMap::new();
    let mut news: BTreeMap<&str, &Target> = BTreeMap::new();
    let mut starts: BTreeMap<&str, StepId> = BTreeMap::new();
    let mut proofs: BTreeMap<&str, StepId> = BTreeMap::new();
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
            Action::RemoveContainer { container, .. } => match olds.entry(group) {
                Entry::Vacant(old) => {
                    old.insert((id, container));
                }
                Entry::Occupied(_) => {
                    fallbacks.entry(group).or_default().push(container.clone());
                }
            },
            Action::RenameContainer { container, .. } => {
                news.insert(group, container);
            }
            Action::StartContainer { container, .. } => {
                // The rename may be no part of it: another container has the name, too.
                news.entry(group).or_insert(container);
                starts.insert(group, id);
            }
            Action::Verify { .. } => {
                proofs.insert(group, id);
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
            fallbacks: fallbacks.remove(group).unwrap_or_default(),
            stop: stops.get(id.as_str()).copied(),
            proof: proofs.get(group).copied(),
            remove,
            guarded: starts.get(group).is_some_and(|start| *start < remove),
            joint: Vec::new(),
        };
        found.insert(group, takeover);
    }
    let removals: Vec<(&str, StepId)> = found.iter().map(|(g, t)| (*g, t.remove)).collect();
    for (group, remove) in removals {
        // The removals of joint takeovers wait for everybody's start.
        let needed = plan.dependencies(remove);
        let mut joint: Vec<(StepId, &str)> = starts
            .iter()
            .filter(|(other, start)| needed.contains(start) && found.contains_key(*other))
            .map(|(other, start)| (*start, *other))
            .collect();
        joint.sort_unstable();
        if joint.len() > 1
            && let Some(takeover) = found.get_mut(group)
        {
            takeover.joint = joint.into_iter().map(|(_, g)| g.to_owned()).collect();
        }
    }
    found
}
