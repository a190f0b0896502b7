//! A new container taking an old one's place, step by step.

use super::containers::{group, is_unproven};
use super::{Fate, Planner, existing};
use crate::observe::ObservedContainer;
use crate::plan::{Action, Step, StepId, Target};
use crate::service::{Condition, Service};

impl<'a> Planner<'a> {
    /// The new container takes the old one's place: stop old, start new, see that it lives, remove
    /// old, rename new. The old one is there until the new one has proved itself.
    pub(super) fn plan_takeover(
        &mut self,
        service: &'a Service,
        old: &'a ObservedContainer,
        new: Target,
        name: &str,
        cause: &str,
        waits: &[StepId],
    ) {
        let group = group(name);
        let stopped = self.plan_stop_of_predecessor(old, cause, waits, &group);
        let mut after: Vec<StepId> = stopped.into_iter().collect();
        if let Target::Made { by, .. } = &new {
            after.push(*by);
        }
        // Dependents that are restarted with it are down before it starts, also where nothing of
        // it is to be stopped: once the old one is gone, nobody knows that they were to be.
        after.extend(self.stops_of_dependents(&old.service));
        after.extend(self.creations_below(old, &old.service));
        let mut before_removal = after.clone();
        let first = self.plan.len();
        let healthy = self.options.wait || self.health_is_waited_for(service);
        self.plan_start(service, new.clone(), cause, waits, after, healthy);
        // The start, its hooks, and the proof that it lives.
        for id in (first..self.plan.len()).map(StepId) {
            self.plan.step_mut(id).group = Some(group.clone());
            before_removal.push(id);
        }
        self.plan_succession(old, new, name, cause, before_removal);
    }

    /// The same where nothing is to be started.
    pub(super) fn plan_exchange(
        &mut self,
        old: &'a ObservedContainer,
        new: Target,
        name: &str,
        cause: &str,
    ) {
        let group = group(name);
        let mut after: Vec<StepId> = (0..self.early).map(StepId).collect();
        after.extend(self.plan_stop_of_predecessor(old, cause, &[], &group));
        after.extend(self.stops_of_dependents(&old.service));
        self.plan_succession(old, new, name, cause, after);
    }

    pub(super) fn plan_stop_of_predecessor(
        &mut self,
        old: &'a ObservedContainer,
        cause: &str,
        waits: &[StepId],
        group: &str,
    ) -> Option<StepId> {
        let step = if let Some(&step) = self.stops.get(old.id.as_str()) {
            step
        } else if old.state.is_up() {
            // Nothing stops before all that can fail early has been done.
            let mut after: Vec<StepId> = (0..self.early).map(StepId).collect();
            after.extend(waits);
            after.extend(self.stops_of_dependents(&old.service));
            self.plan_stop(old, cause, after, false)
        } else {
            return None;
        };
        self.plan.step_mut(step).group = Some(group.to_owned());
        Some(step)
    }

    /// The steps that stop those who are to be restarted with a service.
    fn stops_of_dependents(&self, service: &str) -> impl Iterator<Item = StepId> {
        let stops = self.dependents_stopped.get(service);
        stops.into_iter().flatten().copied()
    }

    /// Removes the old container and gives the new one its name; gives the last step.
    fn plan_succession(
        &mut self,
        old: &'a ObservedContainer,
        new: Target,
        name: &str,
        cause: &str,
        mut after: Vec<StepId>,
    ) -> StepId {
        let group = group(name);
        after.extend(self.reconnects.get(old.id.as_str()).into_iter().flatten());
        let remove = Step::silent(
            Action::RemoveContainer {
                container: existing(old),
                force: true,
                volumes: false,
            },
            cause,
        )
        .in_group(&group);
        let mut removed = self.plan.add(remove, after);
        for (container, cause) in self.fallbacks_of(old) {
            let remove = Action::RemoveContainer {
                container: existing(container),
                force: true,
                volumes: false,
            };
            let remove = Step::silent(remove, cause).in_group(&group);
            removed = self.plan.add(remove, [removed]);
        }
        let mut rename = Step::silent(
            Action::RenameContainer {
                container: new,
                name: name.to_owned(),
            },
            cause,
        )
        .in_group(&group);
        rename.show.end = Some("Recreated");
        // What an interrupted recreation left may hold the name, too.
        let mut holders = self.removals_of(name);
        holders.retain(|step| *step != removed);
        holders.push(removed);
        self.plan.add(rename, holders)
    }

    /// What goes with an unproven container that is replaced, and why.
    fn fallbacks_of(&self, old: &ObservedContainer) -> Vec<(&'a ObservedContainer, String)> {
        let fates = self.fates.get(old.service.as_str());
        let fates = fates.map(Vec::as_slice).unwrap_or_default();
        let removals = fates.iter().filter_map(|fate| match fate {
            Fate::Remove { container, cause } if container.number == old.number => {
                Some((*container, cause))
            }
            _ => None,
        });
        removals
            .filter(|(container, _)| self.is_fallback(container, fates))
            .map(|(container, cause)| (container, cause.clone()))
            .collect()
    }

    /// Whether a service that cannot do without it starts only when this one is healthy.
    fn health_is_waited_for(&self, service: &Service) -> bool {
        self.project.dependents(&service.name).any(|dependent| {
            let how = &dependent.depends_on[service.name.as_str()];
            how.required && how.condition == Condition::Healthy
        })
    }

    /// Whether it is what an interrupted recreation was to replace by a container that has not
    /// proved itself and is replaced in its turn: it goes when that has come about.
    pub(super) fn is_fallback(&self, container: &ObservedContainer, fates: &[Fate<'_>]) -> bool {
        let mut others = fates.iter();
        self.options.start
            && !container.state.is_up()
            && others.any(|fate| {
                matches!(fate, Fate::Replace { old, .. }
                    if old.number == container.number && is_unproven(old, container))
            })
    }
}
