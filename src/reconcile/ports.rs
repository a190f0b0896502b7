//! Host ports that move from one service to another: who gets one starts when it is free.
//!
//! Where dependencies would have the getter start first, or two services exchange their ports,
//! nobody can wait for the other, and the engine refuses the start.

use super::containers::group;
use super::{Fate, Planner};
use crate::graph::dependency_order_with;
use crate::observe::ObservedContainer;
use crate::plan::{Action, StepId, Target};
use crate::service::Service;

impl<'a> Planner<'a> {
    /// Services in the order of their turns: who gives a host port away comes before who gets it,
    /// as far as dependencies allow that.
    pub(super) fn turns(&self) -> Vec<&'a str> {
        let mut moves: Vec<(&str, &str)> = Vec::new();
        for service in self.project.services.values() {
            let givers = self.givers(service);
            moves.extend(givers.map(|(giver, _)| (giver.service.as_str(), service.name.as_str())));
        }
        dependency_order_with(self.project, &moves)
    }

    /// The steps after which the host ports are free that a service is to publish and that others
    /// give away in this plan. A successor has proved itself by then: its old one might need the
    /// port back.
    pub(super) fn releases(&self, service: &Service) -> Vec<StepId> {
        let mut steps = Vec::new();
        for (giver, successor) in self.givers(service) {
            let group = successor.map(group);
            let frees = |action: &Action| {
                matches!(action, Action::RemoveContainer { container: Target::Existing { id, .. }, .. }
                    if *id == giver.id)
            };
            let planned = self
                .plan
                .steps()
                .filter(|(_, step)| frees(&step.action) || group.is_some() && step.group == group);
            steps.extend(planned.map(|(id, _)| id));
        }
        steps
    }

    /// Who holds a host port that the service is to publish, and ends in this plan, with the name
    /// that its successor gets where it has one.
    fn givers<'s>(
        &'s self,
        service: &'s Service,
    ) -> impl Iterator<Item = (&'a ObservedContainer, Option<&'s str>)> {
        let gets = |giver: &ObservedContainer| {
            let held = giver.summary.ports.iter();
            held.filter(|held| held.public.is_some()).any(|held| {
                let mut wanted = service.ports.iter();
                wanted.any(|p| p.host_port() == held.public && p.protocol() == held.protocol)
            })
        };
        let others = self.fates.iter().filter(|(name, _)| **name != service.name);
        let replaced = others
            .flat_map(|(_, fates)| fates)
            .filter_map(|fate| match fate {
                Fate::Replace { old, name, .. } => Some((*old, Some(name.as_str()))),
                Fate::Remove { container, .. } => Some((*container, None)),
                Fate::Keep { .. } | Fate::Add { .. } => None,
            });
        let orphans = self.removed_orphans().map(|orphan| (orphan, None));
        let publishes = service.ports.iter().any(|p| p.host_port().is_some());
        let ending = publishes.then(|| replaced.chain(orphans));
        ending.into_iter().flatten().filter(move |(c, _)| gets(c))
    }
}
