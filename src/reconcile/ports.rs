//! Host ports, and fixed addresses, that move from one service to another: who gets one starts when it
//! is free.
//!
//! Where dependencies would have the getter start first, or two services exchange their ports,
//! nobody can wait for the other, and the engine refuses the start.

use super::containers::group;
use super::fixed::fixed_first;
use super::{Fate, Planner};
use crate::graph::dependency_order_with;
use crate::observe::ObservedContainer;
use crate::plan::{Action, StepId, Target};
use crate::service::Service;
use std::collections::BTreeSet;
use std::net::IpAddr;

impl<'a> Planner<'a> {
    /// Services in the order of their turns: who gives a host port away comes before who gets it,
    /// as far as dependencies allow that.
    pub(super) fn turns(&self) -> Vec<&'a str> {
        let mut moves: Vec<(&str, &str)> = Vec::new();
        for service in self.project.services.values() {
            for (giver, successor) in self.givers(service) {
                let lodgers = self.replaced_with(giver, successor);
                let givers = lodgers.map(|(lodger, _)| lodger);
                let givers = std::iter::once(giver.service.as_str()).chain(givers);
                moves.extend(givers.map(|giver| (giver, service.name.as_str())));
            }
        }
        moves.extend(fixed_first(self.project));
        dependency_order_with(self.project, &moves)
    }

    /// The steps after which the host ports are free that a service is to publish and that others
    /// give away in this plan. A successor has proved itself by then, and so have those of who lives
    /// with it: its old one might need the port back.
    pub(super) fn releases(&self, service: &Service) -> Vec<StepId> {
        let mut steps = Vec::new();
        for (giver, successor) in self.givers(service) {
            let lodgers = self.replaced_with(giver, successor);
            let mut groups: Vec<String> = lodgers.map(|(_, name)| group(name)).collect();
            groups.extend(successor.map(group));
            let frees = |action: &Action| {
                matches!(action, Action::RemoveContainer { container: Target::Existing { id, .. }, .. }
                    if *id == giver.id)
            };
            let planned = self.plan.steps().filter(|(_, step)| {
                let of_takeover = step.group.as_ref().is_some_and(|g| groups.contains(g));
                frees(&step.action) || of_takeover
            });
            steps.extend(planned.map(|(id, _)| id));
        }
        steps
    }

    /// Whose containers are replaced of those who live with one that gives a port away: services, and
    /// the names that the successors get. Who lives with an orphan goes before it.
    fn replaced_with<'s>(
        &'s self,
        giver: &ObservedContainer,
        successor: Option<&str>,
    ) -> impl Iterator<Item = (&'a str, &'s str)> {
        let services = successor.map(|_| self.lodgers_of(&giver.service));
        let lives_there = move |name: &str, old: &ObservedContainer| match &services {
            Some(services) => services.contains(name),
            None => self.leaving_hosts(old).iter().any(|h| h.id == giver.id),
        };
        let all = self.fates.iter();
        let fates = all.flat_map(|(service, fates)| fates.iter().map(|fate| (*service, fate)));
        fates.filter_map(move |(service, fate)| match fate {
            Fate::Replace { old, name, .. } if lives_there(service, old) => {
                Some((service, name.as_str()))
            }
            _ => None,
        })
    }

    /// Services that live in a service's namespaces, over however many steps.
    fn lodgers_of(&self, host: &str) -> BTreeSet<&'a str> {
        let mut found: BTreeSet<&str> = BTreeSet::new();
        let mut hosts = vec![host];
        while let Some(host) = hosts.pop() {
            let services = self.project.services.values();
            let lodgers = services.filter(|s| s.lives_in().any(|owner| owner == host));
            for lodger in lodgers {
                if found.insert(lodger.name.as_str()) {
                    hosts.push(&lodger.name);
                }
            }
        }
        found
    }

    /// Who holds a host port that the service is to publish, and ends in this plan, with the name
    /// that its successor gets where it has one.
    fn givers<'s>(
        &'s self,
        service: &'s Service,
    ) -> impl Iterator<Item = (&'a ObservedContainer, Option<&'s str>)> {
        let is_owed = service.fixed_addresses().next().is_some();
        let others = self.fates.iter().filter(|(name, _)| **name != service.name);
        let replaced = others
            .flat_map(|(_, fates)| fates)
            .filter_map(|fate| match fate {
                Fate::Replace { old, name, .. } => Some((*old, Some(name.as_str()))),
                Fate::Remove { container, .. } => Some((*container, None)),
                Fate::Keep { .. } | Fate::Add { .. } => None,
            });
        let orphans = self.removed_orphans().map(|orphan| (orphan, None));
        let publishes = is_owed || service.ports.iter().any(|p| p.host_port().is_some());
        let ending = publishes.then(|| replaced.chain(orphans));
        ending
            .into_iter()
            .flatten()
            .filter(move |(giver, _)| gets(service, giver))
    }
}

/// Whether the service is to have a host port or an address that a container has.
pub(super) fn gets(service: &Service, giver: &ObservedContainer) -> bool {
    let addresses: BTreeSet<IpAddr> = service.fixed_addresses().collect();
    if !addresses.is_disjoint(&giver.summary.addresses) {
        return true;
    }
    let held = giver.summary.ports.iter();
    held.filter(|held| held.public.is_some()).any(|held| {
        let mut wanted = service.ports.iter();
        wanted.any(|p| p.host_port() == held.public && p.protocol() == held.protocol)
    })
}
