//! `pre_start`: hooks that run before the first replica of a service starts, once for all of them.

use super::containers::group;
use super::{Fate, Planner, existing};
use crate::observe::ObservedContainer;
use crate::plan::{Action, Step, StepId, Target};
use crate::service::Service;

impl<'a> Planner<'a> {
    /// The hooks of a service of which no replica will run before its starts: one after the other,
    /// beside the replica with the lowest number, after the stops of all that run now. Gives
    /// what the starts wait for.
    pub(super) fn plan_pre_start(
        &mut self,
        service: &'a Service,
        fates: &[Fate<'a>],
        waits: Vec<StepId>,
    ) -> Vec<StepId> {
        let staying = || fates.iter().filter(|f| !matches!(f, Fate::Remove { .. }));
        let begins_anew = staying().all(|fate| self.needs_start(fate));
        let first = staying().min_by_key(|fate| self.number_of(fate));
        let (false, true, Some(first)) = (service.pre_start.is_empty(), begins_anew, first) else {
            return waits;
        };
        let beside = match first {
            Fate::Add { new } | Fate::Replace { new, .. } => new.clone(),
            Fate::Keep { container, .. } | Fate::Remove { container, .. } => existing(container),
        };
        let mut after = waits.clone();
        for fate in staying() {
            match fate {
                Fate::Replace {
                    old, name, cause, ..
                } => {
                    after.extend(self.plan_stop_of_predecessor(old, cause, &waits, &group(name)));
                }
                Fate::Keep { container, .. } => {
                    after.extend(self.stops.get(container.id.as_str()));
                }
                Fate::Add { .. } | Fate::Remove { .. } => {}
            }
        }
        if let Target::Made { by, .. } = &beside {
            after.push(*by);
        }
        after.extend(
            service
                .networks
                .keys()
                .filter_map(|key| self.network_steps.get(key)),
        );
        for left in self
            .observed
            .hooks
            .iter()
            .filter(|c| c.service == service.name)
        {
            after.push(self.plan_hook_removal(left, "left by an earlier pre_start hook"));
        }
        // A hook that fails calls this replacement off; the others follow.
        let group = match first {
            Fate::Replace { name, .. } => Some(group(name)),
            _ => None,
        };
        for (index, hook) in service.pre_start.iter().enumerate() {
            let mut needs = after.clone();
            let image = hook.image.as_deref();
            needs.extend(image.and_then(|image| self.image_step(image)));
            let mut step = Step::new(
                Action::RunPreStart {
                    service: service.name.clone(),
                    index,
                    container: beside.clone(),
                },
                "it comes before the first replica's start",
            );
            step.group = group.clone();
            after = vec![self.plan.add(step, needs)];
        }
        let mut gates = waits;
        gates.extend(after);
        gates
    }

    /// Removes the container of an earlier run's hook, with what it mounts alone.
    pub(super) fn plan_hook_removal(&mut self, left: &ObservedContainer, cause: &str) -> StepId {
        let step = Step::new(
            Action::RemoveContainer {
                container: existing(left),
                force: true,
                volumes: true,
            },
            cause,
        );
        self.plan.add(step, [])
    }

    /// The number of the replica that a fate is about.
    fn number_of(&self, fate: &Fate<'_>) -> u32 {
        let target = match fate {
            Fate::Keep { container, .. } | Fate::Remove { container, .. } => {
                return container.number.unwrap_or(u32::MAX);
            }
            Fate::Replace { old, new, .. } => match new {
                Target::Existing { .. } => return old.number.unwrap_or(u32::MAX),
                made => made,
            },
            Fate::Add { new } => new,
        };
        match target {
            Target::Made { by, .. } => match &self.plan.step(*by).action {
                Action::CreateContainer { number, .. } => *number,
                _ => u32::MAX,
            },
            Target::Existing { .. } => u32::MAX,
        }
    }
}
