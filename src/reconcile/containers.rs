//! Pass 3: what becomes of each replica, and the containers to create.

use super::divergence::Divergence;
use super::lifecycle::provider;
use super::names::{Holder, rename_after, takes_over, temporary_name};
use super::takeovers::Referred;
use super::{Fate, Planner, existing};
use crate::engine::{ContainerState, Health};
use crate::event::Part;
use crate::observe::{ObservedContainer, mounted_images};
use crate::plan::{Action, ProviderVerb, Step, StepId, Target};
use crate::scale::{self, Replica, ReplicaNumber};
use crate::service::Service;
use std::collections::BTreeMap;

/// A replica's container with what is wrong about it.
type Candidate<'a> = (&'a ObservedContainer, Option<Divergence>);

impl<'a> Planner<'a> {
    pub(super) fn plan_containers(&mut self, name: &'a str) {
        let project = self.project;
        let service = &project.services[name];
        if service.provider.is_some() {
            return self.plan_provider(service);
        }
        if !self.is_possible(service) {
            return;
        }
        let mut fates = Vec::new();
        let mut chosen: Vec<Replica<Candidate<'a>>> = Vec::new();
        for (number, candidates) in self.by_number(service) {
            let proper = project.container_name(service, number);
            let (best, rest) = choose(candidates);
            // Of a recreation that was cut short the new one has not proved itself as long as the
            // old one is there, which stays until it has, whether the recreation has stopped it or
            // not.
            let ran = |c: &ObservedContainer| c.state != ContainerState::Created;
            let successor = best.1.is_none() && (!ran(best.0) || best.0.name != proper);
            let predecessor = match best.0.state.is_up() {
                true => rest.iter().position(|(c, _)| self.is_unproven(best.0, c)),
                false => rest
                    .iter()
                    .position(|(c, _)| c.state.is_up())
                    .or_else(|| rest.iter().position(|(c, _)| c.name == proper))
                    .or_else(|| rest.iter().position(|(c, _)| ran(c))),
            };
            match predecessor {
                // A recreation was cut short between creating the new and removing the old.
                Some(at) if successor => {
                    let unstarted = !ran(best.0) && !ran(rest[at].0);
                    for (i, (container, _)) in rest.into_iter().enumerate() {
                        if i == at {
                            fates.push(Fate::Replace {
                                old: container,
                                new: existing(best.0),
                                name: proper.clone(),
                                cause: "an interrupted recreation is completed".to_owned(),
                            });
                        } else {
                            fates.push(leftover(container));
                        }
                    }
                    chosen.push(Replica {
                        number: ReplicaNumber(number),
                        diverged: false,
                        unstarted,
                        of: (best.0, Some(Divergence::resumed())),
                    });
                    continue;
                }
                _ => fates.extend(rest.into_iter().map(|(c, _)| leftover(c))),
            }
            chosen.push(Replica {
                number: ReplicaNumber(number),
                diverged: best.1.is_some(),
                unstarted: best.0.state == ContainerState::Created,
                of: best,
            });
        }
        let present = chosen.len();
        let wanted = service.replicas();
        let scaling = scale::scale(chosen, wanted);
        for replica in scaling.keep {
            let (container, divergence) = replica.of;
            if divergence.is_some() {
                // Its fate is that of the recreation it completes.
                continue;
            }
            let proper = project.container_name(service, replica.number.0);
            if container.name != proper && self.is_up {
                let holder = self.holder_of(service, &proper);
                if let Some(fate) = self.replaces_orphan(container, holder, &proper) {
                    fates.push(fate);
                    continue;
                }
            }
            fates.push(Fate::Keep {
                container,
                rename: (container.name != proper).then_some(proper),
            });
        }
        for replica in scaling.remove {
            let (container, _) = replica.of;
            let cause = format!("scale {present} → {wanted}");
            // The recreation it was to complete is void: both go, and what others have left.
            for fate in &mut fates {
                match fate {
                    Fate::Replace { old, new, .. } if new.id() == Some(container.id.as_str()) => {
                        *fate = Fate::Remove {
                            container: old,
                            cause: cause.clone(),
                            leftover: false,
                        };
                    }
                    Fate::Remove {
                        container: other,
                        leftover,
                        ..
                    } if other.number == container.number => *leftover = false,
                    _ => {}
                }
            }
            fates.push(Fate::Remove {
                container,
                cause,
                leftover: false,
            });
        }
        for replica in scaling.replace {
            let (container, divergence) = replica.of;
            if let Some(divergence) = divergence {
                let gone = self.remove_what_never_was(container, &mut fates);
                let number = replica.number.0;
                fates.push(self.plan_replacement(service, container, number, divergence, gone));
                self.replaced.insert(name);
            }
        }
        for number in scaling.add {
            let cause = if present == 0 {
                "no container yet".to_owned()
            } else {
                format!("scale {present} → {wanted}")
            };
            fates.push(self.plan_addition(service, number.0, cause));
        }
        // Whoever shares namespaces with the service refers to its first container.
        let referred = Referred::of(&fates);
        if referred.as_ref().is_none_or(|r| r.id.is_none())
            && self.observed.first_of(name).is_some()
        {
            self.replaced.insert(name);
        }
        if let Some(referred) = referred {
            self.referred.insert(name, referred);
        }
        self.fates.insert(name, fates);
    }

    /// A provider's program runs at every `up`, as only it knows whether there is something to
    /// do, and what its dependants need; it runs before they are created.
    fn plan_provider(&mut self, service: &'a Service) {
        let cause = "a provider is asked at every up";
        let step = provider(&service.name, ProviderVerb::Up, cause).at_every_up();
        let needs = self.dependencies_made(service);
        let id = self.plan.add(step, needs);
        self.starts.entry(&service.name).or_default().push(id);
    }

    /// Models are prepared at every `up`: whether they are there only the plugin knows.
    pub(super) fn plan_models(&mut self) {
        let project = self.project;
        for service in project.services.values() {
            for key in service.models.keys() {
                if self.model_steps.contains_key(key) {
                    continue;
                }
                let action = Action::PrepareModel {
                    service: service.name.clone(),
                    key: key.clone(),
                };
                let step = Step::silent(action, "a model is asked for at every up").at_every_up();
                let id = self.plan.add(step, []);
                self.model_steps.insert(key.clone(), id);
            }
        }
    }

    /// Steps that make what a service depends on: the containers of a provider's dependencies,
    /// and providers.
    fn dependencies_made(&self, service: &Service) -> Vec<StepId> {
        let mut needs = self.provider_steps(service);
        for name in service.depends_on.keys() {
            for fate in self.fates.get(name.as_str()).into_iter().flatten() {
                if let Fate::Add { new } | Fate::Replace { new, .. } = fate
                    && let Target::Made { by, .. } = new
                {
                    needs.push(*by);
                }
            }
        }
        needs
    }

    /// The steps of the providers that a service depends on.
    fn provider_steps(&self, service: &Service) -> Vec<StepId> {
        let providers = service.depends_on.keys().filter(|name| {
            let target = self.project.services.get(*name);
            target.is_some_and(|s| s.provider.is_some())
        });
        providers
            .filter_map(|name| self.starts.get(name.as_str()))
            .flatten()
            .copied()
            .collect()
    }

    /// Refuses numbers of replicas that no machine holds, and whose plan would not fit either.
    pub(super) fn has_too_many_replicas(&mut self) -> bool {
        let limit = self.options.replicas;
        let mut total = 0;
        for service in self.project.services.values() {
            let replicas = service.replicas();
            total += u64::from(replicas);
            let message = limit.exceeded(replicas).or_else(|| {
                let most = limit.total();
                (total > most).then(|| {
                    format!("the services up to this one have {total} replicas: together they may have {most}")
                })
            });
            let Some(message) = message else { continue };
            let path = match (service.scale, &service.deploy) {
                (None, Some(_)) => format!("services.{}.deploy.replicas", service.name),
                _ => format!("services.{}.scale", service.name),
            };
            self.obstacle(path, message, Some(limit.help()));
            return true;
        }
        false
    }

    /// Refuses what cannot be run, by name and line.
    fn is_possible(&mut self, service: &Service) -> bool {
        let path = |attribute: &str| format!("services.{}.{attribute}", service.name);
        if let Some(index) = service.pre_start.iter().position(|hook| hook.per_replica) {
            self.obstacle(
                path(&format!("pre_start[{index}].per_replica")),
                "a pre_start hook runs once for all replicas: per_replica has to be false"
                    .to_owned(),
                Some("Docker Compose refuses it as well; post_start runs in each".to_owned()),
            );
            return false;
        }
        if service.container_name.is_some() && service.replicas() > 1 {
            self.obstacle(
                path("container_name"),
                format!(
                    "a service with a container_name can have one replica, not {}",
                    service.replicas()
                ),
                Some("drop container_name to scale it".to_owned()),
            );
            return false;
        }
        true
    }

    /// The service's containers by replica number; those without one count as numbered anew.
    fn by_number(&self, service: &Service) -> BTreeMap<u32, Vec<Candidate<'a>>> {
        let mut numbered: BTreeMap<u32, Vec<Candidate<'a>>> = BTreeMap::new();
        for container in self.replicas(&service.name) {
            let number = container
                .number
                .unwrap_or_else(|| numbered.keys().last().map_or(1, |n| n + 1));
            let divergence = self.divergence(service, container);
            numbered
                .entry(number)
                .or_default()
                .push((container, divergence));
        }
        numbered
    }

    /// What an interrupted recreation has left that never ran and has nothing goes before the
    /// successor is created. So the temporary name of that is the same whether the next run still
    /// finds the leftover or not: it meets what a run that was killed has asked for and the engine
    /// has not made yet.
    fn remove_what_never_was(
        &mut self,
        old: &ObservedContainer,
        fates: &mut Vec<Fate<'a>>,
    ) -> Vec<StepId> {
        // Where nothing is to be started, it stays until all that can fail has been done.
        if !self.options.start {
            return Vec::new();
        }
        let mut gone = Vec::new();
        fates.retain(|fate| match fate {
            Fate::Remove {
                container,
                cause,
                leftover: true,
            } if container.number == old.number
                && self.observed.has_only_empty_volumes(container) =>
            {
                gone.push((*container, cause.clone()));
                false
            }
            _ => true,
        });
        let removals = gone.into_iter().map(|(container, cause)| {
            self.gone.insert(container.id.as_str());
            self.plan_removal(container, &cause, Vec::new())
        });
        removals.collect()
    }

    /// `gone` are the steps that make room for its successor.
    fn plan_replacement(
        &mut self,
        service: &Service,
        old: &'a ObservedContainer,
        number: u32,
        divergence: Divergence,
        gone: Vec<StepId>,
    ) -> Fate<'a> {
        self.refuse_impossible_files(service);
        let name = self.project.container_name(service, number);
        if let Holder::Orphan(holder) | Holder::Leaving(holder) = self.holder_of(service, &name) {
            self.renamed_late.insert(old.id.as_str(), holder);
        }
        let siblings: Vec<_> = self.replicas(&service.name).collect();
        let renewed = self.options.renew_anonymous_volumes;
        let observed = self.observed;
        let temporary_name = observed.temporary_name(old, &siblings, &name, renewed);
        let step = Step::new(
            Action::CreateContainer {
                service: service.name.clone(),
                number,
                name: name.clone(),
                temporary_name: Some(temporary_name),
                replaces: Some(old.id.clone()),
                inherit_volumes: !renewed,
            },
            divergence.cause.clone(),
        )
        .in_group(&group(&name))
        .with_changes(divergence.changes)
        .with_part(Part::ReplacementStart);
        let mut after = self.creation_needs(service);
        after.extend(gone);
        let by = self.plan.add(step, after);
        Fate::Replace {
            old,
            new: Target::Made {
                by,
                name: name.clone(),
            },
            name,
            cause: divergence.cause,
        }
    }

    fn plan_addition(&mut self, service: &Service, number: u32, cause: String) -> Fate<'a> {
        self.refuse_impossible_files(service);
        let name = self.project.container_name(service, number);
        let holder = match self.holder_of(service, &name) {
            Holder::Orphan(orphan) => {
                return self.plan_replacement_of_orphan(service, orphan, number, name);
            }
            Holder::Leaving(holder) => Some(holder),
            Holder::Nobody => None,
        };
        let step = Step::new(
            Action::CreateContainer {
                service: service.name.clone(),
                number,
                name: name.clone(),
                temporary_name: holder.map(|holder| temporary_name(holder, &name)),
                replaces: None,
                inherit_volumes: false,
            },
            cause,
        );
        let after = self.creation_needs(service);
        let by = self.plan.add(step, after);
        let new = Target::Made {
            by,
            name: name.clone(),
        };
        if let Some(holder) = holder {
            let rename = rename_after(new.clone(), &name, holder);
            self.hand_over(rename, holder, vec![by]);
        }
        Fate::Add { new }
    }

    /// The first container of a service takes the place of an orphan that has its name.
    fn plan_replacement_of_orphan(
        &mut self,
        service: &Service,
        orphan: &'a ObservedContainer,
        number: u32,
        name: String,
    ) -> Fate<'a> {
        let cause = takes_over(orphan, &name);
        let action = Action::CreateContainer {
            service: service.name.clone(),
            number,
            name: name.clone(),
            temporary_name: Some(temporary_name(orphan, &name)),
            replaces: Some(orphan.id.clone()),
            inherit_volumes: false,
        };
        let step = Step::new(action, cause.clone())
            .in_group(&group(&name))
            .with_part(Part::ReplacementStart);
        let after = self.creation_needs(service);
        let by = self.plan.add(step, after);
        self.handed_over.insert(orphan.id.as_str());
        Fate::Replace {
            old: orphan,
            new: Target::Made {
                by,
                name: name.clone(),
            },
            name,
            cause,
        }
    }

    /// What must be there before the engine creates a container of the service: its image, its
    /// volumes (or the engine would make them itself, without labels), its networks (a container
    /// whose network cannot be made would be left behind) and the containers whose namespaces it
    /// shares.
    pub(super) fn creation_needs(&mut self, service: &Service) -> Vec<StepId> {
        let mut needs = self.provider_steps(service);
        needs.extend(
            service
                .models
                .keys()
                .filter_map(|m| self.model_steps.get(m)),
        );
        needs.extend(self.image_step(&self.project.image_name(service)));
        for image in mounted_images(self.project, service) {
            needs.extend(self.image_step(&image));
        }
        needs.extend(
            service
                .volume_keys()
                .filter_map(|key| self.volume_steps.get(key)),
        );
        needs.extend(
            service
                .networks
                .keys()
                .filter_map(|key| self.network_steps.get(key)),
        );
        // A mode can name a network of the project, too.
        let of_mode = service.mode_network().and_then(|name| {
            let mut networks = self.project.networks.iter();
            let (key, _) = networks.find(|(_, network)| network.name == name)?;
            self.network_steps.get(key)
        });
        needs.extend(of_mode);
        let mut owners = service.shared_with();
        owners.extend(service.linked_to());
        for owner in owners {
            needs.extend(self.creations_of(owner));
        }
        needs.sort_unstable();
        needs.dedup();
        needs
    }

    /// What to wait for until all new containers of a service are there.
    fn creations_of(&mut self, service: &str) -> Vec<StepId> {
        if let Some(steps) = self.creations.get(service) {
            return steps.clone();
        }
        let fates = self.fates.get(service).into_iter().flatten();
        let steps = fates.filter_map(|fate| match fate {
            Fate::Add {
                new: Target::Made { by, .. },
            }
            | Fate::Replace {
                new: Target::Made { by, .. },
                ..
            } => Some(*by),
            _ => None,
        });
        let steps = self.plan.join(steps.collect());
        self.creations.insert(service.to_owned(), steps.clone());
        steps
    }

    /// Whether a container that runs was to take another's place and may not have proved itself:
    /// the other is removed when it has. A check that is content is proof, too, but not where they
    /// prove themselves together.
    pub(super) fn is_unproven(
        &self,
        container: &ObservedContainer,
        predecessor: &ObservedContainer,
    ) -> bool {
        is_unfinished(container, predecessor)
            && (container.health != Some(Health::Healthy)
                || self.is_entangled(&container.service)
                || self.host_that_leaves(predecessor).is_some())
    }

    /// Whether a service lives in another's namespaces, or another in its.
    fn is_entangled(&self, name: &str) -> bool {
        if self.is_left_by_lodgers(name) {
            return true;
        }
        let mut services = self.project.services.values();
        services.any(|s| {
            let mut owners = s.lives_in();
            owners.any(|owner| owner == name || s.name == name)
        })
    }

    /// Whether the container stays what it is.
    pub(super) fn is_kept(&self, id: &str) -> bool {
        self.fates.values().any(|fates| keeps(fates, id))
    }
}

fn keeps(fates: &[Fate<'_>], id: &str) -> bool {
    fates
        .iter()
        .any(|fate| matches!(fate, Fate::Keep { container, .. } if container.id == id))
}

/// The display group of a replica's recreation.
pub(super) fn group(container: &str) -> String {
    format!("recreate {container}")
}

/// Of several containers with one number (left by an interrupted recreation), the one to go on
/// with: up to date before outdated, running before stopped.
fn choose(mut candidates: Vec<Candidate<'_>>) -> (Candidate<'_>, Vec<Candidate<'_>>) {
    candidates.sort_by_key(|(container, divergence)| {
        (
            divergence.is_some(),
            !container.state.is_up(),
            // Of outdated ones the one that ran has the data.
            divergence.is_some() && container.state == ContainerState::Created,
            container.name.len(),
            container.name.clone(),
        )
    });
    let best = candidates.remove(0);
    (best, candidates)
}

/// Whether a container that runs was to take the other's place, and that is still there.
fn is_unfinished(container: &ObservedContainer, predecessor: &ObservedContainer) -> bool {
    container.state.is_up()
        && container.has_temporary_name()
        && predecessor.state != ContainerState::Created
        && (predecessor.name == container.final_name() || predecessor.created <= container.created)
}

fn leftover(container: &ObservedContainer) -> Fate<'_> {
    Fate::Remove {
        container,
        cause: "left over from an interrupted recreation".to_owned(),
        leftover: true,
    }
}
