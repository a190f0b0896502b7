//! Pass 4: everything that takes away or starts, service by service in dependency order.

use super::files::{COPIED, copies_files};
use super::names::Holder;
use super::{Fate, Planner, existing};
use crate::engine::{ContainerState, Health};
use crate::observe::ObservedContainer;
use crate::plan::{Action, PRE_STOP, Step, StepId, Target, Until};
use crate::service::{Condition, Dependency, Service};

impl<'a> Planner<'a> {
    pub(super) fn plan_starts(&mut self, name: &'a str) {
        let project = self.project;
        let service = &project.services[name];
        let fates = self.fates.get(name).cloned().unwrap_or_default();
        for fate in &fates {
            match fate {
                Fate::Remove { container, .. } if self.is_fallback(container, &fates) => {}
                Fate::Remove {
                    container, cause, ..
                } if self.lends_data(container, &fates) => {
                    self.stop(container, cause);
                }
                Fate::Remove {
                    container,
                    cause,
                    leftover,
                } => {
                    // A run that was killed may have asked for the removal of the one that takes
                    // its place. But what nobody needs, where what never ran does not count, goes
                    // before such a run's start of it comes through: it would be found with data.
                    let is_needed =
                        !self.options.start || !self.observed.has_only_empty_volumes(container);
                    let after = match *leftover && is_needed {
                        true => self.early_steps(),
                        false => Vec::new(),
                    };
                    self.plan_removal(container, cause, after);
                }
                _ => {}
            }
        }
        // Where nothing is to be started (`create`), nobody would start them again.
        if self.options.start && fates.iter().any(|fate| self.is_interrupted(fate)) {
            let stopped = self.plan_stops_of_dependents(name, "recreated");
            let stopped = self.plan.join(stopped);
            self.dependents_stopped.insert(name, stopped);
        }
        let first = StepId(self.plan.len());
        let recurs = self.options.start && self.runs_again(name, &fates);
        let starting = self.options.start && fates.iter().any(|fate| self.needs_start(fate));
        let mut waits = if self.options.start {
            self.plan_dependency_waits(service, starting)
        } else {
            Vec::new()
        };
        if starting {
            waits.extend(self.releases(service));
            waits.extend(self.fixed_starts(service));
        }
        let waits = match self.options.start {
            true => self.plan_pre_start(service, &fates, waits),
            false => waits,
        };
        let waits = self.plan.join(waits);
        // A number that runs stands for all below it: who finds a gap there leaves it open.
        let mut lower: Vec<StepId> = Vec::new();
        for fate in fates {
            match fate {
                Fate::Remove { .. } => {}
                Fate::Keep { container, rename } => {
                    let below = self.creations_below(container, name);
                    self.plan_kept(service, container, rename, &waits, below);
                }
                Fate::Add { new } => {
                    if let Target::Made { by, .. } = &new {
                        lower.push(*by);
                    }
                    if self.options.start {
                        lower = self.plan.join(lower);
                        let after = lower.clone();
                        self.plan_start(service, new, "it is new", &waits, after, false);
                    }
                }
                Fate::Replace {
                    old,
                    new,
                    name,
                    cause,
                } => {
                    // One that does not run may have been stopped by a run that was killed: it
                    // stays until the new one has proved itself, too.
                    if self.options.start {
                        self.plan_takeover(service, old, new, &name, &cause, &waits);
                    } else {
                        self.plan_exchange(old, new, &name, &cause);
                    }
                }
            }
        }
        if recurs {
            for step in first.0..self.plan.len() {
                self.plan.step_mut(StepId(step)).recurs = true;
            }
        }
    }

    /// The step that stops a container, once however many reasons there are; none where it is not
    /// up.
    pub(super) fn stop(&mut self, container: &'a ObservedContainer, cause: &str) -> Option<StepId> {
        self.stop_after(container, cause, [], true)
    }

    /// The same after all that can fail early.
    pub(super) fn stop_late(
        &mut self,
        container: &'a ObservedContainer,
        cause: &str,
        after: impl IntoIterator<Item = StepId>,
        shown: bool,
    ) -> Option<StepId> {
        if !container.state.is_up() || self.stops.contains_key(container.id.as_str()) {
            return self.stop_after(container, cause, after, shown);
        }
        let early = self.early_steps();
        self.stop_after(container, cause, early.into_iter().chain(after), shown)
    }

    fn stop_after(
        &mut self,
        container: &'a ObservedContainer,
        cause: &str,
        after: impl IntoIterator<Item = StepId>,
        shown: bool,
    ) -> Option<StepId> {
        let known = self.stops.get(container.id.as_str()).copied();
        if known.is_some() || !container.state.is_up() {
            return known;
        }
        Some(self.plan_stop(container, cause, after.into_iter().collect(), shown))
    }

    pub(super) fn plan_stop(
        &mut self,
        container: &'a ObservedContainer,
        cause: &str,
        mut after: Vec<StepId>,
        shown: bool,
    ) -> StepId {
        let hooks = self
            .project
            .services
            .get(&container.service)
            .map_or(&[][..], |s| &s.pre_stop);
        let target = existing(container);
        after = self
            .plan
            .add_hooks(&container.service, &target, hooks, PRE_STOP, after);
        let action = Action::StopContainer {
            container: existing(container),
            timeout: self.options.timeout,
        };
        let step = if shown {
            Step::new(action, cause)
        } else {
            Step::silent(action, cause)
        };
        let id = self.plan.add(step, after);
        self.stops.insert(container.id.as_str(), id);
        id
    }

    pub(super) fn plan_removal(
        &mut self,
        container: &'a ObservedContainer,
        cause: &str,
        mut after: Vec<StepId>,
    ) -> StepId {
        after.extend(self.stop(container, cause));
        after.extend(
            self.reconnects
                .get(container.id.as_str())
                .into_iter()
                .flatten(),
        );
        let step = Step::new(
            Action::RemoveContainer {
                container: existing(container),
                force: true,
                volumes: self.observed.has_only_empty_volumes(container),
            },
            cause,
        );
        self.plan.add(step, after)
    }

    /// Whether what runs now ends, for a successor or to come back.
    fn is_interrupted(&self, fate: &Fate) -> bool {
        match fate {
            Fate::Replace { .. } => true,
            Fate::Keep { container, .. } => self.stops.contains_key(container.id.as_str()),
            Fate::Remove { .. } | Fate::Add { .. } => false,
        }
    }

    /// `depends_on: {restart: true}`: a dependent is stopped before what it depends on is, and
    /// started again when its turn comes; before it those that depend on it in the same way.
    /// Gives the stops, which wait for all that can fail early.
    pub(super) fn plan_stops_of_dependents(&mut self, name: &'a str, what: &str) -> Vec<StepId> {
        let project = self.project;
        let mut stopped = Vec::new();
        for dependent in project.dependents(name) {
            if !dependent.depends_on[name].restart {
                continue;
            }
            let kept: Vec<_> = self
                .observed
                .replicas_of(&dependent.name)
                .iter()
                .filter(|container| container.state.is_up() && self.is_kept(&container.id))
                .collect();
            if kept.is_empty() {
                continue;
            }
            let before = self.plan_stops_of_dependents(&dependent.name, "restarted");
            let before = self.plan.join(before);
            let cause = format!("{name}, which it depends on, is {what}");
            for container in kept {
                stopped.extend(self.stop_late(container, &cause, before.clone(), true));
            }
        }
        stopped
    }

    pub(super) fn needs_start(&self, fate: &Fate) -> bool {
        match fate {
            Fate::Keep { container, .. } => {
                !matches!(
                    container.state,
                    ContainerState::Running | ContainerState::Restarting
                ) || self.stops.contains_key(container.id.as_str())
            }
            Fate::Remove { .. } => false,
            Fate::Replace { .. } | Fate::Add { .. } => true,
        }
    }

    /// What a scaling up that was cut short had created already does not run before the numbers
    /// below it are there, for the same reason.
    pub(super) fn creations_below(
        &self,
        container: &ObservedContainer,
        service: &str,
    ) -> Vec<StepId> {
        if container.state != ContainerState::Created {
            return Vec::new();
        }
        let fates = self.fates.get(service).into_iter().flatten();
        let added = fates.filter_map(|fate| match fate {
            Fate::Add {
                new: Target::Made { by, .. },
            } => Some(*by),
            _ => None,
        });
        added
            .filter(|by| {
                matches!(self.plan.step(*by).action, Action::CreateContainer { number, .. }
                    if Some(number) < container.number)
            })
            .collect()
    }

    fn plan_kept(
        &mut self,
        service: &'a Service,
        container: &'a ObservedContainer,
        rename: Option<String>,
        waits: &[StepId],
        mut after: Vec<StepId>,
    ) {
        let mut target = existing(container);
        if let Some(name) = rename {
            let action = Action::RenameContainer {
                container: target,
                name: name.clone(),
            };
            let now = &container.name;
            let step = match container.has_temporary_name() {
                true => Step::silent(
                    action,
                    "an interrupted recreation left it under a temporary name",
                ),
                false => {
                    let cause = format!("it was renamed to {now}");
                    Step::new(action, cause)
                }
            };
            // Whoever still holds the name goes first.
            let holders = self.removals_of(&name);
            match self.holder_of(service, &name) {
                Holder::Leaving(holder) | Holder::Orphan(holder) => {
                    self.hand_over(step, holder, holders);
                }
                Holder::Nobody => {
                    self.plan.add(step, holders);
                }
            }
            target = Target::Existing {
                id: container.id.clone(),
                name,
            };
        }
        let keep = Fate::Keep {
            container,
            rename: None,
        };
        if !self.options.start || !self.needs_start(&keep) {
            return;
        }
        after.extend(self.stops.get(container.id.as_str()));
        after.extend(
            self.reconnects
                .get(container.id.as_str())
                .into_iter()
                .flatten(),
        );
        let cause = match (container.state, container.exit_code) {
            _ if self.is_done_one_shot(container) => {
                "a one-shot that ended well runs again at every up".to_owned()
            }
            _ if self.stops.contains_key(container.id.as_str()) => {
                "it was stopped for a change".to_owned()
            }
            (ContainerState::Exited, Some(code)) => format!("it had exited ({code})"),
            (state, _) => format!("it is {}", state.as_str()),
        };
        self.plan_start(service, target, &cause, waits, after, false);
    }

    pub(super) fn removals_of(&self, name: &str) -> Vec<StepId> {
        self.plan
            .steps()
            .filter(|(_, step)| {
                matches!(&step.action, Action::RemoveContainer { container, .. }
                    if container.name() == name)
            })
            .map(|(id, _)| id)
            .collect()
    }

    /// Adds the steps that start a container and watch its first moments; with `healthy`, until
    /// its healthcheck is content.
    pub(super) fn plan_start(
        &mut self,
        service: &'a Service,
        target: Target,
        cause: &str,
        waits: &[StepId],
        mut after: Vec<StepId>,
        healthy: bool,
    ) {
        if let Target::Made { by, .. } = &target {
            after.push(*by);
        }
        after.extend(waits);
        after.extend(
            service
                .networks
                .keys()
                .filter_map(|key| self.network_steps.get(key)),
        );
        if service.publishes_range() {
            after.extend(self.last_range_start);
        }
        if copies_files(self.project, service) {
            let step = Step::silent(
                Action::CopyFiles {
                    service: service.name.clone(),
                    container: target.clone(),
                },
                COPIED,
            );
            after = vec![self.plan.add(step, after)];
        }
        let step = Step::new(
            Action::StartContainer {
                service: service.name.clone(),
                container: target.clone(),
            },
            cause,
        );
        let id = self.plan.add(step, after);
        if service.publishes_range() {
            self.last_range_start = Some(id);
        }
        let ends = self.plan.add_hooks(
            &service.name,
            &target,
            &service.post_start,
            "post_start",
            vec![id],
        );
        let last = ends.last().copied().unwrap_or(id);
        self.starts.entry(&service.name).or_default().push(last);
        if let Some(proof) = self.plan_proof(service, target, cause, id, healthy) {
            self.proofs.entry(&service.name).or_default().push(proof);
        }
    }

    /// Watches what has just been started. Nothing but the removal of a predecessor waits for
    /// that, and what asks for a health that is waited for here anyway.
    pub(super) fn plan_proof(
        &mut self,
        service: &Service,
        container: Target,
        cause: &str,
        started: StepId,
        healthy: bool,
    ) -> Option<StepId> {
        if self.options.unverified && !healthy {
            return None;
        }
        let action = Action::Verify {
            service: service.name.clone(),
            container,
            healthy,
        };
        let proof = self.plan.add(Step::silent(action, cause), [started]);
        healthy.then_some(proof)
    }

    /// What a service's starts wait for. A dependency that is known to be ready needs no wait.
    pub(super) fn plan_dependency_waits(
        &mut self,
        service: &'a Service,
        starting: bool,
    ) -> Vec<StepId> {
        let project = self.project;
        let mut waits = Vec::new();
        for (name, dependency) in &service.depends_on {
            let Some((name, target)) = project.services.get_key_value(name) else {
                // Labels tell of a dependency that has no container any more.
                let is_asked_for = starting && dependency.condition != Condition::Started;
                if is_asked_for && !project.declares(name) {
                    waits.push(self.plan_wait_for(name, dependency, service));
                }
                continue;
            };
            if target.replicas() == 0 {
                continue;
            }
            let starts = self.starts.get(name.as_str()).cloned().unwrap_or_default();
            // A provider is there when its program has ended, whatever the condition.
            if target.provider.is_some() {
                waits.extend(starts);
                continue;
            }
            if dependency.condition == Condition::Started {
                waits.extend(starts);
                continue;
            }
            let ready = starts.is_empty() && self.is_satisfied(name, dependency.condition);
            if ready || (!starting && starts.is_empty() && self.is_pending_only(name)) {
                continue;
            }
            waits.push(self.plan_wait_for(name, dependency, service));
        }
        waits
    }

    fn plan_wait_for(
        &mut self,
        name: &'a str,
        dependency: &Dependency,
        service: &Service,
    ) -> StepId {
        let condition = dependency.condition;
        let cause = format!("{} depends on it ({})", service.name, condition.as_str());
        let until = Until::Condition(condition);
        self.plan_wait(name, until, !dependency.required, cause)
    }

    fn is_satisfied(&self, name: &str, condition: Condition) -> bool {
        let mut replicas = self.replicas(name).peekable();
        replicas.peek().is_some()
            && replicas.all(|c| match condition {
                Condition::Started => true,
                Condition::Healthy => c.health == Some(Health::Healthy),
                Condition::CompletedSuccessfully => c.exit_code == Some(0),
            })
    }

    /// Nobody is about to start: a dependency that is still coming up holds nobody up.
    fn is_pending_only(&self, name: &str) -> bool {
        self.replicas(name)
            .all(|c| c.state.is_up() && c.health != Some(Health::Unhealthy))
    }

    fn plan_wait(&mut self, name: &'a str, until: Until, optional: bool, cause: String) -> StepId {
        let word = match until {
            Until::Condition(condition) => condition.as_str(),
            Until::RunningOrHealthy => "running_or_healthy",
        };
        let key = (name.to_owned(), word, optional);
        if let Some(&step) = self.waits.get(&key) {
            return step;
        }
        let containers = self.targets(name);
        let step = Step::silent(
            Action::Wait {
                service: name.to_owned(),
                until,
                containers,
                optional,
            },
            cause,
        );
        let mut after = self.starts.get(name).cloned().unwrap_or_default();
        let recurs = !after.is_empty() && after.iter().all(|id| self.plan.step(*id).recurs);
        if !optional {
            after.extend(self.proofs.get(name).into_iter().flatten());
        }
        let id = self.plan.add(Step { recurs, ..step }, after);
        self.waits.insert(key, id);
        id
    }

    /// The containers a service will have.
    fn targets(&self, name: &str) -> Vec<Target> {
        self.fates
            .get(name)
            .into_iter()
            .flatten()
            .filter_map(|fate| match fate {
                Fate::Keep { container, .. } => Some(existing(container)),
                Fate::Add { new } | Fate::Replace { new, .. } => Some(new.clone()),
                Fate::Remove { .. } => None,
            })
            .collect()
    }

    /// `--wait`: every service has to be up at the end; a one-shot that others wait for has to
    /// have ended well.
    pub(super) fn plan_final_waits(&mut self) {
        if !self.options.wait || !self.options.start {
            return;
        }
        let project = self.project;
        for (name, service) in &project.services {
            if service.replicas() == 0 || service.provider.is_some() {
                continue;
            }
            let until = if self.is_one_shot(name) {
                Until::Condition(Condition::CompletedSuccessfully)
            } else {
                Until::RunningOrHealthy
            };
            self.plan_wait(name, until, false, "--wait waits for it".to_owned());
        }
    }
}
