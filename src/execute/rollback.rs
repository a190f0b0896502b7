//! Calling a change off: what a failure would have left half-way is put back.

use super::Walk;
use crate::engine::{ContainerState, EngineError, Health};
use crate::observe::ObservedContainer;
use crate::plan::{Action, StepId, Takeover, Target};
use crate::service::Condition;
use std::collections::BTreeSet;

impl Walk<'_> {
    /// A step of a takeover failed, or will never be tried: the new container goes, and the old one
    /// runs again if the takeover has stopped it. Gives what became of it, where there was
    /// something to do.
    pub(super) async fn call_off(&self, takeover: &Takeover) -> Option<String> {
        let words = self.call_off_all(&[takeover]).await;
        words.into_iter().next()
    }

    /// The same of takeovers that come about together or not at all, in the order of their starts.
    async fn call_off_all(&self, joint: &[&Takeover]) -> Vec<String> {
        // Once an old one's removal was begun, the new ones are all there is.
        if joint.iter().any(|t| self.has_begun(t.remove)) {
            return Vec::new();
        }
        {
            let mut called_off = self.called_off.borrow_mut();
            let new = joint.iter().filter(|t| match &t.old {
                Target::Existing { id, .. } => called_off.insert(id.clone()),
                Target::Made { .. } => false,
            });
            if new.count() < joint.len() {
                return Vec::new();
            }
        }
        if !self.is_ours().await || self.all_go_on(joint).await {
            return Vec::new();
        }
        let mut resumed = Vec::new();
        for takeover in joint {
            let unstopped = takeover.old.id().filter(|_| takeover.stop.is_none());
            let Some(old) = unstopped else {
                resumed.push(false);
                continue;
            };
            resumed.push(match self.means.engine.inspect_container(old).await {
                // A run that was killed may have stopped it; but what never ran is not started now
                // either.
                Ok(old) => old.state != ContainerState::Created,
                // Or it has asked for its removal already.
                Err(error) if error.is_not_found() => return Vec::new(),
                Err(_) => false,
            });
        }
        for takeover in joint.iter().rev() {
            self.remove_successor(takeover).await;
        }
        let mut words = Vec::new();
        for (takeover, resumed) in joint.iter().zip(resumed) {
            let stopped = takeover.stop.is_some_and(|step| self.has_begun(step));
            if !takeover.guarded {
                continue;
            }
            if stopped || resumed {
                words.extend(self.bring_back(takeover).await);
            } else if let Some(old) = takeover.old.id() {
                self.join_again(old).await;
            }
        }
        words
    }

    /// Whether an earlier run has started all the successors, and they are well.
    async fn all_go_on(&self, joint: &[&Takeover]) -> bool {
        for takeover in joint {
            let new = self.id_of(&takeover.new);
            let before = self.observed.replica(&new);
            if !before.is_some_and(|c| c.state.is_up()) || !self.goes_on(&new, takeover.proof).await
            {
                return false;
            }
        }
        true
    }

    async fn remove_successor(&self, takeover: &Takeover) {
        let new = self.id_of(&takeover.new);
        if new.is_empty() {
            return;
        }
        // Volumes that were made for it alone hold nothing anybody knows of, unless it had
        // been running before, for a run that was killed, who knows how long.
        let before = self.observed.replica(&new);
        if before.is_some_and(|c| c.state != ContainerState::Created) {
            return self.withdraw(&new, &self.id_of(&takeover.old)).await;
        }
        let empty = before.is_none_or(|c| self.observed.has_only_empty_volumes(c));
        if let Err(error) = self.means.engine.remove_container(&new, true, empty).await {
            tracing::debug!(%error, "the container that took over could not be removed");
        }
    }

    /// Whose namespaces the old one lives in runs again first, where that was to go only after it;
    /// but not what never ran.
    async fn bring_hosts_back(&self, takeover: &Takeover) {
        let seen = |target: &Target| self.observed.replica(target.id()?);
        let Some(lodger) = seen(&takeover.old) else {
            return;
        };
        for (id, container) in takeover.removed_after(self.plan) {
            // What is of its own service is no host, but had data for the successor.
            let ran = |c: &&ObservedContainer| {
                c.state != ContainerState::Created && c.service != lodger.service
            };
            if let Some(host) = seen(container).filter(ran)
                && !self.has_begun(id)
                && let Err(error) = self.start_again(&host.id).await
            {
                tracing::debug!(%error, "whom it lives with could not be started again");
            }
        }
    }

    /// Starts the old one again, or what it was itself to replace.
    async fn bring_back(&self, takeover: &Takeover) -> Option<String> {
        let Target::Existing { id, name } = &takeover.old else {
            return None;
        };
        self.bring_hosts_back(takeover).await;
        for first in &takeover.fallbacks {
            let Some(brought) = first.id() else { continue };
            let Ok(how) = self.start_again(brought).await else {
                continue;
            };
            let others = takeover.fallbacks.iter().filter(|other| *other != first);
            for other in others.chain([&takeover.old]).filter_map(Target::id) {
                self.withdraw(other, brought).await;
            }
            self.name_properly(brought).await;
            return Some(format!("{} {how}", first.name()));
        }
        Some(match self.start_again(id).await {
            Ok(how) => {
                self.name_properly(id).await;
                format!("{name} {how}")
            }
            Err(error) => format!("{name} could not be started again either: {error}"),
        })
    }

    /// Starts what is not replaced, on the networks that it was on. Gives how it runs.
    async fn start_again(&self, id: &str) -> Result<String, EngineError> {
        let missing = self.join_again(id).await;
        self.means.engine.start_container(id).await?;
        Ok(match missing.as_slice() {
            [] => "runs again as it was".to_owned(),
            missing => format!("runs again, but not on network {}", missing.join(", ")),
        })
    }

    /// What ran in another's place and had not proved itself goes. Its volumes may hold data: where
    /// nobody else has them it stays, stopped, for the next successor to take them over.
    async fn withdraw(&self, id: &str, old: &str) {
        let engine = self.means.engine;
        let seen = |id: &str| self.observed.replica(id);
        let has_data = match (seen(id), seen(old)) {
            (Some(unproven), Some(old)) => unproven.has_data_beyond(old),
            _ => false,
        };
        let done = match has_data {
            true => engine.stop_container(id, Some(0)).await,
            false => engine.remove_container(id, true, false).await,
        };
        if let Err(error) = done {
            tracing::debug!(%error, "an unproven container is still there");
        }
    }

    /// One that a killed run had not given its name yet gets it, where nobody has it.
    async fn name_properly(&self, id: &str) {
        let old = self.observed.replica(id);
        if let Some(old) = old.filter(|c| c.has_temporary_name())
            && let Err(error) = self.rename(id, old.final_name()).await
        {
            tracing::debug!(%error, "it keeps its temporary name");
        }
    }

    /// After the last step: calls off the takeovers that were not tried to their end, and starts
    /// again what was stopped for a change that did not come about.
    pub(super) async fn restore(&self) {
        self.join_in_the_end().await;
        for takeover in self.takeovers.values() {
            if !self.is_done(takeover.remove) {
                self.tell_call_off(takeover).await;
            }
        }
        self.start_what_is_owed().await;
    }

    /// Calls it off, with those that come about only together with it, and says what became of it.
    pub(super) async fn tell_call_off(&self, takeover: &Takeover) {
        let joint = takeover.joint.iter();
        let mut joint: Vec<&Takeover> = joint
            .filter_map(|group| self.takeovers.get(group.as_str()))
            .collect();
        if joint.is_empty() {
            joint.push(takeover);
        }
        for word in self.call_off_all(&joint).await {
            self.means.reporter.warning(word);
        }
    }

    /// Starts again what was stopped for a change that did not come about.
    pub(super) async fn start_what_is_owed(&self) {
        let stopped: BTreeSet<&str> = self
            .plan
            .steps()
            .filter(|(id, _)| self.is_done(*id))
            .filter_map(|(_, step)| match &step.action {
                Action::StopContainer {
                    container: Target::Existing { id, .. },
                    ..
                } => Some(id.as_str()),
                _ => None,
            })
            .collect();
        for (id, step) in self.plan.steps() {
            let Action::StartContainer {
                container:
                    Target::Existing {
                        id: container,
                        name,
                    },
                ..
            } = &step.action
            else {
                continue;
            };
            let is_owed = (stopped.contains(container.as_str()) || self.is_owed(container))
                && !self.has_begun(id);
            if is_owed && self.is_ours().await {
                let word = match self.start_again(container).await {
                    Ok(how) => format!("{name} {how}"),
                    Err(error) => format!("{name} could not be started again: {error}"),
                };
                self.means.reporter.warning(word);
            }
        }
    }

    /// Whether a run that was killed may have stopped it for the change: it was taken off a network,
    /// or what it depends on is as it was before, or its recreation was cut short. This run would
    /// have started it, and nothing has changed for it; but what waits for a one-shot to succeed is
    /// started only if it is restarted with that (`restart: true`). What never ran is owed nothing.
    fn is_owed(&self, id: &str) -> bool {
        let seen = |id: &str| self.observed.replica(id);
        let called_off = self.called_off.borrow();
        let called_off = called_off.iter().filter_map(|id| seen(id));
        // The temporary name of one that ran tells of a recreation that was cut short; but with what
        // cannot be started now either nobody was to start.
        let failed = self.failed.borrow();
        let failed = failed.iter().map(|id| &self.plan.step(*id).action);
        let failed = failed.filter_map(|action| match action {
            Action::StartContainer { container, .. } | Action::Verify { container, .. } => {
                container.id()
            }
            _ => None,
        });
        let failed: BTreeSet<&str> = failed.collect();
        let unnamed = self.observed.replicas().filter(|c| {
            let ran = c.state != ContainerState::Created;
            ran && c.has_temporary_name() && !failed.contains(c.id.as_str())
        });
        let changed: BTreeSet<&str> = called_off
            .chain(unnamed)
            .map(|c| c.service.as_str())
            .collect();
        let ran = seen(id).filter(|c| c.state != ContainerState::Created);
        let Some(container) = ran else { return false };
        if self.was_taken_off_a_network(container) {
            return true;
        }
        let mut along = vec![container.service.as_str()];
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        while let Some(name) = along.pop() {
            let Some(service) = self
                .project
                .services
                .get(name)
                .filter(|_| seen.insert(name))
            else {
                continue;
            };
            let lasting = service.depends_on.iter().filter(|(_, how)| {
                how.restart || how.condition != Condition::CompletedSuccessfully
            });
            for (name, _) in lasting {
                if changed.contains(name.as_str()) {
                    return true;
                }
                along.push(name);
            }
        }
        false
    }

    /// Whether it comes back on a network that this run has not taken it off, or was put back on one
    /// and never started since: a run that was killed had stopped it for that.
    fn was_taken_off_a_network(&self, container: &ObservedContainer) -> bool {
        let id = container.id.as_str();
        // The engine notes which network it is when the container starts.
        if container.summary.networks.values().any(String::is_empty) {
            return true;
        }
        let (mut comes_back, mut goes) = (false, false);
        for (_, step) in self.plan.steps() {
            match &step.action {
                Action::ConnectNetwork { container, .. } => {
                    comes_back |= container.id() == Some(id);
                }
                Action::DisconnectNetwork { container, .. } => goes |= container.id() == Some(id),
                _ => {}
            }
        }
        comes_back && !goes
    }

    /// Whether a successor that an earlier run has started, and may have used for a while, is still
    /// well, as far as anybody has asked.
    async fn goes_on(&self, new: &str, proof: Option<StepId>) -> bool {
        let asked = proof.is_some_and(|proof| self.has_begun(proof));
        let details = self.means.engine.inspect_container(new).await;
        details.is_ok_and(|d| {
            let well = matches!(d.health, None | Some(Health::Healthy));
            d.state.is_up() && d.restart_count == 0 && (well || !asked)
        })
    }

    pub(super) fn is_done(&self, step: StepId) -> bool {
        self.done.borrow().contains(&step)
    }

    pub(super) fn has_begun(&self, step: StepId) -> bool {
        self.begun.borrow().contains(&step)
    }
}
