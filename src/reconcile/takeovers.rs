//! A new container taking an old one's place, step by step.

use super::containers::group;
use super::names::rename_after;
use super::{Fate, Planner, existing};
use crate::engine::ContainerState;
use crate::event::Part;
use crate::observe::ObservedContainer;
use crate::plan::{Action, Step, StepId, Target};
use crate::service::{Condition, Service};

/// The end of a takeover: the old one goes, the new one gets its name.
pub(super) struct Succession<'a> {
    old: &'a ObservedContainer,
    new: Target,
    name: String,
    cause: String,
    /// What comes before.
    after: Vec<StepId>,
}

/// The container that references to a service stand for when all is done: its first.
pub(super) struct Referred {
    pub name: String,
    /// None where it is still to be created.
    pub id: Option<String>,
}

impl Referred {
    pub fn of(fates: &[Fate<'_>]) -> Option<Self> {
        let id_of = |target: &Target| match target {
            Target::Existing { id, .. } => Some(id.clone()),
            Target::Made { .. } => None,
        };
        let lasting = fates.iter().filter_map(|fate| match fate {
            Fate::Keep { container, .. } => {
                Some((container.final_name(), Some(container.id.clone())))
            }
            Fate::Replace { new, name, .. } => Some((name.as_str(), id_of(new))),
            Fate::Add { new } => Some((new.name(), None)),
            Fate::Remove { .. } => None,
        });
        let (name, id) = lasting.min_by(|(a, _), (b, _)| a.cmp(b))?;
        Some(Referred {
            name: name.to_owned(),
            id,
        })
    }
}

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
        after.extend(self.stop_leaving_hosts(old, stopped));
        if let Target::Made { by, .. } = &new {
            after.push(*by);
        }
        // Dependents that are restarted with it are down before it starts, also where nothing of
        // it is to be stopped: once the old one is gone, nobody knows that they were to be.
        after.extend(self.stops_of_dependents(&old.service));
        after.extend(self.creations_below(old, &old.service));
        let lenders = self.lenders_to(old);
        let stops = lenders
            .iter()
            .filter_map(|(c, _)| self.stops.get(c.id.as_str()));
        after.extend(stops);
        let mut before_removal = after.clone();
        let first = self.plan.len();
        let healthy = self.options.wait || self.health_is_waited_for(service);
        self.plan_start(service, new.clone(), cause, waits, after, healthy);
        // The start, its hooks, and the proof that it lives.
        for id in (first..self.plan.len()).map(StepId) {
            self.plan.step_mut(id).group = Some(group.clone());
            before_removal.push(id);
        }
        let succession = Succession {
            old,
            new,
            name: name.to_owned(),
            cause: cause.to_owned(),
            after: before_removal,
        };
        match self.root_of(&service.name).filter(|root| {
            old.state != ContainerState::Created && self.is_joint(service, root, name)
        }) {
            Some(root) => self.joint.entry(root).or_default().push(succession),
            None => self.plan_succession(succession),
        }
    }

    /// Of a container that is replaced and those that live in its namespaces none goes before all
    /// successors have proved themselves: without the old one none of the others could come back.
    /// What never ran need not.
    pub(super) fn plan_joint_successions(&mut self) {
        for (_, members) in std::mem::take(&mut self.joint) {
            let all: Vec<StepId> = members.iter().flat_map(|m| m.after.clone()).collect();
            for mut member in members {
                member.after.clone_from(&all);
                self.plan_succession(member);
            }
        }
    }

    /// The outermost service whose namespaces a service lives in, or lived in by way of an orphan that
    /// goes, and whose container, which it refers to, is replaced; itself where there is none.
    fn root_of(&self, name: &str) -> Option<&'a str> {
        let (root, _) = self.project.services.get_key_value(name)?;
        let mut path = vec![root.as_str()];
        loop {
            let (name, service) = self.project.services.get_key_value(*path.last()?)?;
            let before = self.owners_of_leaving_hosts(name);
            let mut owners = service.lives_in().chain(before);
            let Some(owner) = owners.find(|owner| self.is_referred_replaced(owner)) else {
                return Some(name);
            };
            let (owner, _) = self.project.services.get_key_value(owner)?;
            // What lived in the other's namespaces before may be what that is to live in now.
            if let Some(at) = path.iter().position(|name| *name == owner) {
                return path[at..].iter().min().copied();
            }
            path.push(owner);
        }
    }

    fn is_joint(&self, service: &Service, root: &str, name: &str) -> bool {
        let referred = self.referred.get(root).is_some_and(|r| r.name == name);
        let lives_there = |other: &&Service| {
            let replaced = self.fates.get(other.name.as_str()).into_iter().flatten();
            let mut replaced = replaced.filter(|fate| {
                matches!(fate, Fate::Replace { old, .. } if old.state != ContainerState::Created)
            });
            other.name != root && replaced.next().is_some()
        };
        service.name != root
            || referred
                && self
                    .project
                    .services
                    .values()
                    .filter(lives_there)
                    .any(|other| self.root_of(&other.name) == Some(root))
    }

    /// Whether the container that references to the service stand for takes another's place.
    fn is_referred_replaced(&self, name: &str) -> bool {
        let Some(referred) = self.referred.get(name) else {
            return false;
        };
        let mut fates = self.fates.get(name).into_iter().flatten();
        fates.any(|fate| matches!(fate, Fate::Replace { name, .. } if *name == referred.name))
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
        let mut after = self.early_steps();
        after.extend(self.plan_stop_of_predecessor(old, cause, &[], &group));
        after.extend(self.stops_of_dependents(&old.service));
        self.plan_succession(Succession {
            old,
            new,
            name: name.to_owned(),
            cause: cause.to_owned(),
            after,
        });
    }

    pub(super) fn plan_stop_of_predecessor(
        &mut self,
        old: &'a ObservedContainer,
        cause: &str,
        waits: &[StepId],
        group: &str,
    ) -> Option<StepId> {
        let mut after = waits.to_vec();
        after.extend(self.stops_of_dependents(&old.service));
        let step = self.stop_late(old, cause, after, false)?;
        self.plan.step_mut(step).group = Some(group.to_owned());
        Some(step)
    }

    /// The steps that stop those who are to be restarted with a service.
    fn stops_of_dependents(&self, service: &str) -> impl Iterator<Item = StepId> {
        let stops = self.dependents_stopped.get(service);
        stops.into_iter().flatten().copied()
    }

    /// Removes the old container and gives the new one its name.
    fn plan_succession(&mut self, succession: Succession<'a>) {
        let Succession {
            old,
            new,
            name,
            cause,
            mut after,
        } = succession;
        let (name, cause) = (name.as_str(), cause.as_str());
        let group = group(name);
        after.extend(self.reconnects.get(old.id.as_str()).into_iter().flatten());
        let remove = removal(old, cause).in_group(&group);
        let mut removed = self.plan.add(remove, after);
        for host in self.leaving_hosts(old) {
            let gone = self.lodgers_gone.entry(host.id.as_str()).or_default();
            gone.push(removed);
        }
        for (container, cause) in self.fallbacks_of(old) {
            let remove = removal(container, &cause).in_group(&group);
            removed = self.plan.add(remove, [removed]);
        }
        for (container, cause) in self.lenders_to(old) {
            self.plan.add(removal(container, &cause), [removed]);
        }
        // Another service's container may have it, too, for some time.
        if let Some(holder) = self.renamed_late.get(old.id.as_str()).copied() {
            let rename = rename_after(new, name, holder).with_part(Part::ReplacementEnd);
            return self.hand_over(rename, holder, vec![removed]);
        }
        let rename = Step::silent(
            Action::RenameContainer {
                container: new,
                name: name.to_owned(),
            },
            cause,
        )
        .in_group(&group)
        .with_part(Part::ReplacementEnd);
        // What an interrupted recreation left may hold the name, too.
        let mut holders = self.removals_of(name);
        holders.retain(|step| *step != removed);
        holders.push(removed);
        self.plan.add(rename, holders);
    }

    /// What goes with an unproven container that is replaced, and why.
    pub(super) fn fallbacks_of(
        &self,
        old: &ObservedContainer,
    ) -> Vec<(&'a ObservedContainer, String)> {
        self.removed_with(old, Self::is_fallback)
    }

    /// What goes once the successor that has its data has proved itself, and why.
    fn lenders_to(&self, old: &ObservedContainer) -> Vec<(&'a ObservedContainer, String)> {
        self.removed_with(old, Self::lends_data)
    }

    fn removed_with(
        &self,
        old: &ObservedContainer,
        is_one: fn(&Self, &ObservedContainer, &[Fate<'_>]) -> bool,
    ) -> Vec<(&'a ObservedContainer, String)> {
        let fates = self.fates.get(old.service.as_str());
        let fates = fates.map(Vec::as_slice).unwrap_or_default();
        let removals = fates.iter().filter_map(|fate| match fate {
            Fate::Remove {
                container, cause, ..
            } if container.number == old.number => Some((*container, cause)),
            _ => None,
        });
        removals
            .filter(|(container, _)| is_one(self, container, fates))
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
                    if old.number == container.number && self.is_unproven(old, container))
            })
    }

    /// Whether it is what an interrupted recreation has left, with anonymous volumes where the one
    /// that is replaced now has none: the successor takes them over, but they are lost to the next
    /// one where that fails and nobody else has them.
    pub(super) fn lends_data(&self, container: &ObservedContainer, fates: &[Fate<'_>]) -> bool {
        let mut others = fates.iter();
        self.options.start
            && !self.observed.has_only_empty_volumes(container)
            && !self.observed.has_only_borrowed_volumes(container)
            && !self.is_fallback(container, fates)
            && others.any(|fate| {
                matches!(fate, Fate::Replace { old, .. }
                    if old.number == container.number && container.has_data_beyond(old))
            })
    }
}

/// Removes what has a successor, which has its volumes.
fn removal(container: &ObservedContainer, cause: &str) -> Step {
    let action = Action::RemoveContainer {
        container: existing(container),
        force: true,
        volumes: false,
    };
    Step::silent(action, cause)
}
