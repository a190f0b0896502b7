//! A walk that is asked to stop: what is given up, what is finished, what is undone.
//!
//! Pulls, builds, providers and waits are given up where they stand. Short calls are awaited. Where a step
//! has taken something away already (a container was stopped, a network removed), the steps that
//! bring it back are still done, one after the other in the plan's order, waits left out. A new
//! container under a temporary name whose takeover has not begun is removed again; so is one that
//! has not proved itself, where that is more than living through its first moments: the old one
//! comes back. Containers that were only created stay as they are: the next plan goes on with them.

use super::{Report, Walk};
use crate::plan::{Action, Plan, StepId, Takeover};
use std::collections::{BTreeMap, BTreeSet};

impl Walk<'_> {
    /// Finishes or undoes what was begun, so that the next run finds an ordinary state.
    pub(super) async fn put_in_order(&self, mut begun: BTreeSet<StepId>, report: &mut Report) {
        let mut lost: BTreeSet<StepId> = report.failures.iter().map(|f| f.step).collect();
        lost.extend(report.skipped.iter().map(|(step, _)| *step));
        // What was to start after a hook, or with files, that were given up is not started without
        // them; what was to go after a proof that nobody waits for does not go.
        let is_long = |id: &StepId| {
            let action = &self.plan.step(*id).action;
            matches!(
                action,
                Action::RunPreStart { .. } | Action::Verify { healthy: true, .. }
            )
        };
        let cannot_go_without = |id: &StepId| {
            let action = &self.plan.step(*id).action;
            is_long(id) || matches!(action, Action::Verify { .. } | Action::CopyFiles { .. })
        };
        lost.extend(report.given_up.iter().copied().filter(cannot_go_without));
        let owed = owed(self.plan, &self.takeovers, &begun);
        let all = self.plan.steps().map(|(id, _)| id);
        let open: Vec<StepId> = all.filter(|id| !begun.contains(id)).collect();
        for id in open {
            if self.has_lost() {
                break;
            }
            if is_long(&id) || self.plan.dependencies(id).iter().any(|d| lost.contains(d)) {
                lost.insert(id);
                continue;
            }
            if !owed.contains(&id) {
                continue;
            }
            begun.insert(id);
            match self.perform(id).await {
                Ok(true) => report.done.push(id),
                Ok(false) => {
                    report.given_up.push(id);
                    lost.extend(Some(id).filter(cannot_go_without));
                }
                Err(failure) => {
                    lost.insert(id);
                    report.failures.push(failure);
                }
            }
        }
        if !self.has_lost() {
            self.join_in_the_end().await;
            let groups = begun_groups(self.plan, &self.takeovers, &begun);
            for (group, takeover) in &self.takeovers {
                if lost.contains(&takeover.remove) && groups.contains(group) {
                    self.tell_call_off(takeover).await;
                }
            }
            self.start_what_is_owed().await;
        }
        for id in premature(self.plan, &self.takeovers, &begun) {
            if !self.is_ours().await {
                break;
            }
            let made = self.made.borrow().containers.get(&id).cloned();
            let Some(made) = made else { continue };
            // Volumes that it takes over are its predecessor's, and stay with that.
            let removed = self.means.engine.remove_container(&made, true, true).await;
            if let Err(error) = removed {
                tracing::debug!(%error, "a container that replaces nothing could not be removed");
            }
            report.done.retain(|done| *done != id);
            report.given_up.push(id);
        }
        self.leave_alone(&begun, report);
    }
}

/// The steps, not begun yet, that bring back or finish what begun ones have taken away.
fn owed(plan: &Plan, takeovers: &Takeovers<'_>, begun: &BTreeSet<StepId>) -> Vec<StepId> {
    let mut containers: BTreeSet<&str> = BTreeSet::new();
    let mut removed: BTreeSet<&str> = BTreeSet::new();
    for &id in begun {
        let step = plan.step(id);
        match &step.action {
            Action::StopContainer { container, .. }
            | Action::DisconnectNetwork { container, .. }
            | Action::RemoveContainer { container, .. } => containers.extend(container.id()),
            Action::RemoveNetwork { name, .. } | Action::RemoveVolume { name } => {
                removed.insert(name);
            }
            _ => {}
        }
    }
    let groups = begun_groups(plan, takeovers, begun);
    let mut owed: Vec<StepId> = plan
        .steps()
        .filter(|(id, _)| !begun.contains(id))
        .filter(|(_, step)| {
            if step.group.as_deref().is_some_and(|g| groups.contains(g)) {
                return !matches!(step.action, Action::Wait { .. });
            }
            let of_another_takeover = step.group.is_some();
            match &step.action {
                Action::RemoveContainer { .. } if of_another_takeover => false,
                Action::StopContainer { container, .. }
                | Action::StartContainer { container, .. }
                | Action::CopyFiles { container, .. }
                | Action::RunHook { container, .. }
                | Action::RemoveContainer { container, .. }
                | Action::RenameContainer { container, .. }
                | Action::ConnectNetwork { container, .. }
                | Action::DisconnectNetwork { container, .. } => {
                    container.id().is_some_and(|id| containers.contains(id))
                }
                Action::CreateNetwork { name, .. } | Action::CreateVolume { name, .. } => {
                    removed.contains(name.as_str())
                }
                _ => false,
            }
        })
        .map(|(id, _)| id)
        .collect();
    // A name is free when whoever else has it is gone.
    let renames = owed
        .iter()
        .filter(|id| matches!(plan.step(**id).action, Action::RenameContainer { .. }));
    let holders: Vec<StepId> = renames
        .flat_map(|id| plan.dependencies(*id))
        .filter(|id| !begun.contains(id))
        .filter(|id| matches!(plan.step(*id).action, Action::RemoveContainer { .. }))
        .collect();
    owed.extend(holders);
    owed
}

type Takeovers<'a> = BTreeMap<&'a str, Takeover>;

/// Takeovers of which more was begun than the creation of the successor, or whose old container lives
/// with one that was stopped and goes after it, and those that come about only together with them.
fn begun_groups<'a>(
    plan: &'a Plan,
    takeovers: &'a Takeovers<'_>,
    begun: &BTreeSet<StepId>,
) -> BTreeSet<&'a str> {
    let steps = begun.iter().map(|id| plan.step(*id));
    let mut groups: BTreeSet<&str> = steps
        .filter(|step| !matches!(step.action, Action::CreateContainer { .. }))
        .filter_map(|step| step.group.as_deref())
        .collect();
    let stopped = begun.iter().filter_map(|id| match &plan.step(*id).action {
        Action::StopContainer { container, .. } => container.id(),
        _ => None,
    });
    let stopped: BTreeSet<&str> = stopped.collect();
    let loses_its_host = |takeover: &Takeover| {
        let mut removed = takeover.removed_after(plan).into_iter();
        removed.any(|(_, container)| container.id().is_some_and(|id| stopped.contains(id)))
    };
    let homeless = takeovers.iter().filter(|(_, t)| loses_its_host(t));
    groups.extend(homeless.map(|(group, _)| *group));
    let joint = groups.iter().filter_map(|group| takeovers.get(group));
    let joint: Vec<&str> = joint.flat_map(|t| &t.joint).map(String::as_str).collect();
    groups.extend(joint);
    groups
}

/// Creations of successors whose takeover has not begun.
fn premature(plan: &Plan, takeovers: &Takeovers<'_>, begun: &BTreeSet<StepId>) -> Vec<StepId> {
    let taken_over = begun_groups(plan, takeovers, begun);
    begun
        .iter()
        .copied()
        .filter(|id| {
            let step = plan.step(*id);
            let is_successor = matches!(
                step.action,
                Action::CreateContainer {
                    replaces: Some(_),
                    ..
                }
            );
            is_successor
                && !step
                    .group
                    .as_deref()
                    .is_some_and(|g| taken_over.contains(g))
        })
        .collect()
}
