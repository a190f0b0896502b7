//! Container names that go from one service to another (`container_name`), as host ports do in
//! [`super::ports`]: a service that was renamed, two that exchange their names, or a container that
//! somebody renamed to the name of another.
//!
//! A container that gets a name which another still has is created under a temporary one:
//!
//! | the name's holder | what happens |
//! |---|---|
//! | is an orphan, and goes | the new container replaces it; where that fails, it is started again |
//! | is an orphan whose namespaces another service shares that does not share the new one's; goes; is replaced; or gets its own name back | the rename waits for that, at the end of the plan |
//! | stays | no plan: it is named |

use super::{Fate, Planner, existing};
use crate::event::Part;
use crate::observe::ObservedContainer;
use crate::plan::{Action, Step, StepId, Target};
use crate::service::Service;
use std::collections::BTreeMap;

/// The container that has the name another one is to get.
#[derive(Clone, Copy)]
pub(super) enum Holder<'a> {
    /// No container of the project, or one of the service itself.
    Nobody,
    /// An orphan that goes, and that the service's container can replace: it has the name, or what
    /// cannot be handed over otherwise.
    Orphan(&'a ObservedContainer),
    /// A container that gives it up in this plan.
    Leaving(&'a ObservedContainer),
}

/// A rename that waits until the name is free.
pub(super) struct Handover<'a> {
    rename: Step,
    holder: &'a ObservedContainer,
    after: Vec<StepId>,
}

/// The name to create a container under as long as another has its name.
pub(super) fn temporary_name(holder: &ObservedContainer, name: &str) -> String {
    let prefix = holder.id.get(..12).unwrap_or(&holder.id);
    format!("{prefix}_{name}")
}

impl<'a> Planner<'a> {
    /// Finds the container that has the name of a new one of the service. An obstacle where it
    /// stays.
    pub(super) fn holder_of(&mut self, service: &Service, name: &str) -> Holder<'a> {
        let observed = self.observed;
        let all = observed.replicas().chain(&observed.oneoffs);
        let mut others = all.filter(|c| {
            let is_of_service = c.service == service.name && !c.oneoff;
            !is_of_service && c.name == name && !self.gone.contains(c.id.as_str())
        });
        let Some(holder) = others.next() else {
            let orphan = self.orphan_with_the_ports_of(service);
            return orphan.map_or(Holder::Nobody, Holder::Orphan);
        };
        if !holder.oneoff && self.project.services.contains_key(&holder.service) {
            return Holder::Leaving(holder);
        }
        if self.removed_orphans().any(|orphan| orphan.id == holder.id) {
            return match holder.oneoff || self.is_shared_outside(holder, service) {
                true => Holder::Leaving(holder),
                false => Holder::Orphan(holder),
            };
        }
        self.name_is_taken(service, name, holder);
        Holder::Nobody
    }

    fn name_is_taken(&mut self, service: &Service, name: &str, holder: &ObservedContainer) {
        let path = service.place_of_container_name();
        if self
            .outcome
            .obstacles
            .iter()
            .any(|known| known.path == path)
        {
            return;
        }
        let of = &holder.service;
        let (what, help) = if holder.oneoff {
            (
                format!("a one-off container of service {of}"),
                format!("remove or rename it (`docker rm {name}`)"),
            )
        } else if let Some(other) = self.project.declared(of) {
            // Selected together, two with one name would be refused.
            let help = match other.container_name == service.container_name {
                true => format!("remove the container first (`docker rm -f {name}`), or rename it"),
                false => format!("select {of} as well, or remove or rename the container"),
            };
            (
                format!("a container of service {of}, which is not selected"),
                help,
            )
        } else {
            (
                format!("a container of service {of}, which the project does not declare"),
                "`--remove-orphans` hands the name over; or remove or rename the container"
                    .to_owned(),
            )
        };
        let message = format!("The container name \"/{name}\" is already in use by {what}");
        self.obstacle(path, message, Some(help));
    }

    /// Whether the name that a kept container is to get is an orphan's, which it has begun to replace
    /// in a run that was cut short.
    pub(super) fn replaces_orphan(
        &mut self,
        container: &'a ObservedContainer,
        holder: Holder<'a>,
        name: &str,
    ) -> Option<Fate<'a>> {
        let Holder::Orphan(orphan) = holder else {
            return None;
        };
        self.handed_over.insert(orphan.id.as_str());
        Some(Fate::Replace {
            old: orphan,
            new: existing(container),
            name: name.to_owned(),
            cause: takes_over(orphan, name),
        })
    }

    /// Notes that a container gets its name when the other has given it up.
    pub(super) fn hand_over(
        &mut self,
        rename: Step,
        holder: &'a ObservedContainer,
        after: Vec<StepId>,
    ) {
        self.handovers.push(Handover {
            rename,
            holder,
            after,
        });
    }

    /// Last pass: the renames that wait for another container.
    pub(super) fn plan_handovers(&mut self) {
        let handovers = std::mem::take(&mut self.handovers);
        // Of two that were renamed to each other's names neither could go first.
        let mut freed: BTreeMap<&str, StepId> = BTreeMap::new();
        for handover in &handovers {
            let holder = handover.holder;
            let mut others = handovers.iter().map(|other| &other.rename.action);
            let is_it = |action: &Action| {
                matches!(action, Action::RenameContainer { container, .. }
                    if container.id() == Some(holder.id.as_str()))
            };
            if others.any(is_it) {
                let action = Action::RenameContainer {
                    container: existing(holder),
                    name: temporary_name(holder, holder.final_name()),
                };
                let cause = format!("{} is another container's name", holder.name);
                let id = self.plan.add(Step::silent(action, cause), []);
                freed.insert(holder.id.as_str(), id);
            }
        }
        for handover in handovers {
            let mut after = handover.after;
            let id = handover.holder.id.as_str();
            after.extend(self.steps_that_free_the_name_of(id));
            after.extend(freed.get(id));
            self.plan.add(handover.rename, after);
        }
    }

    /// Its removal, or its getting another name.
    fn steps_that_free_the_name_of(&self, holder: &str) -> Vec<StepId> {
        let frees = |action: &Action| match action {
            Action::RemoveContainer { container, .. }
            | Action::RenameContainer { container, .. } => container.id() == Some(holder),
            _ => false,
        };
        let steps = self.plan.steps().filter(|(_, step)| frees(&step.action));
        steps.map(|(id, _)| id).collect()
    }
}

/// The step that gives a new container the name that another has until then.
pub(super) fn rename_after(container: Target, name: &str, holder: &ObservedContainer) -> Step {
    let action = Action::RenameContainer {
        container,
        name: name.to_owned(),
    };
    Step::silent(action, takes_over(holder, name)).with_part(Part::Result)
}

/// Why a container takes the name of another one.
pub(super) fn takes_over(holder: &ObservedContainer, name: &str) -> String {
    match (holder.oneoff, holder.name == name) {
        (true, _) => "it takes over the name of a one-off container".to_owned(),
        (false, true) => format!("it takes over the name of service {}", holder.service),
        (false, false) => format!("it takes over the place of service {}", holder.service),
    }
}
