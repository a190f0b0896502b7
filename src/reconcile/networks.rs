//! Networks: created where they are missing, recreated around their containers where they
//! are not as declared.

use super::{Planner, existing};
use crate::event::Part;
use crate::hash;
use crate::labels;
use crate::network::Network;
use crate::observe::ObservedContainer;
use crate::plan::{Action, Step, StepId, Target};

impl<'a> Planner<'a> {
    /// Pass 2: networks that are not there.
    pub(super) fn plan_networks(&mut self) {
        let project = self.project;
        for (key, network) in &project.networks {
            if network.external {
                self.require_external(key, network);
                continue;
            }
            let Some(present) = self.observed.network_named(&network.name) else {
                self.plan_create_network(key, network, "not there yet", Vec::new());
                continue;
            };
            if present.labels.get(labels::PROJECT) != Some(&project.name) {
                self.outcome.warnings.push(format!(
                    "a network with name {} exists but was not created for project \"{}\".\n\
                     Set `external: true` to use an existing network",
                    network.name, project.name
                ));
                continue;
            }
            let recorded = present.labels.get(labels::CONFIG_HASH);
            if recorded.is_some_and(|hash| *hash != hash::network_hash(&network.spec)) {
                self.diverged_networks.insert(key.clone());
            }
        }
    }

    fn require_external(&mut self, key: &str, network: &Network) {
        let found = self
            .observed
            .networks
            .iter()
            .filter(|n| n.name == network.name || n.id == network.name)
            .count();
        if found == 0 {
            self.obstacle(
                format!("networks.{key}"),
                format!(
                    "network {} declared as external, but could not be found",
                    network.name
                ),
                Some(format!(
                    "create it (`docker network create {}`), or drop `external`",
                    network.name
                )),
            );
        } else if found > 1 {
            self.obstacle(
                format!("networks.{key}"),
                format!("several networks go by the name {}", network.name),
                Some("give the network's id as its `name`".to_owned()),
            );
        }
    }

    fn plan_create_network(
        &mut self,
        key: &str,
        network: &Network,
        cause: &str,
        after: Vec<StepId>,
    ) {
        let step = Step::new(
            Action::CreateNetwork {
                key: key.to_owned(),
                name: network.name.clone(),
            },
            cause,
        );
        let id = self.plan.add(step, after);
        self.network_steps.insert(key.to_owned(), id);
    }

    /// Pass 4: networks that are not as declared. Their containers are stopped and taken off, the
    /// network is made anew, the containers come back on it; they keep their identity. Those that
    /// the command is not about run on meanwhile: nobody would start them again after a kill.
    pub(super) fn plan_network_recreations(&mut self) {
        let project = self.project;
        let observed = self.observed;
        for key in std::mem::take(&mut self.diverged_networks) {
            let network = &project.networks[&key];
            let Some(present) = observed.network_named(&network.name) else {
                continue;
            };
            if self.is_used_by_one_off(&key, &network.name, &present.id) {
                continue;
            }
            let cause = format!("network {key} is declared differently");
            let users: Vec<_> = observed
                .replicas()
                .filter(|c| c.networks.contains(&present.id) && !self.gone.contains(c.id.as_str()))
                .collect();
            let mut detached = Vec::new();
            for container in &users {
                let stop = match self.stands_by(container) {
                    true => None,
                    false => self.plan_stop_for_network(container, &cause),
                };
                let step = Step::silent(
                    Action::DisconnectNetwork {
                        network: present.id.clone(),
                        container: existing(container),
                    },
                    cause.clone(),
                );
                // Who is not stopped for it would else be off it while images are pulled and built.
                let after: Vec<StepId> = match stop {
                    Some(stop) => vec![stop],
                    None => self.early_steps(),
                };
                detached.push(self.plan.add(step, after));
            }
            let remove = Step::silent(
                Action::RemoveNetwork {
                    id: present.id.clone(),
                    name: network.name.clone(),
                },
                cause.clone(),
            );
            let removed = self.plan.add(remove, detached);
            self.plan_create_network(&key, network, &cause, vec![removed]);
            let created = self.network_steps[&key];
            for container in users {
                // A container that is replaced meets the new network in its successor.
                if self.stands_by(container) || self.is_kept(&container.id) {
                    let step = self.reconnection(container, &key, &cause);
                    self.plan_reconnection(container, step, vec![created]);
                }
            }
        }
    }

    /// Before it those stop that are restarted with it: a run that is killed later leaves nobody of
    /// them up for the next one to see, and to stop only then.
    fn plan_stop_for_network(
        &mut self,
        container: &'a ObservedContainer,
        cause: &str,
    ) -> Option<StepId> {
        let mut after = Vec::new();
        if self.options.start
            && container.state.is_up()
            && !self.stops.contains_key(container.id.as_str())
            && let Some((name, _)) = self.project.services.get_key_value(&container.service)
        {
            after = self.plan_stops_of_dependents(name, "stopped for a network");
        }
        self.stop_late(container, cause, after, true)
    }

    /// Whether it stays as it is, since the command is not about it: of a service that is not
    /// selected, or of one that the project does not declare (any more).
    fn stands_by(&self, container: &ObservedContainer) -> bool {
        let project = self.project;
        let stays = !self.options.remove_orphans
            || (self.observed.is_foreign(container) && !self.options.adopt);
        project.disabled.contains_key(&container.service)
            || self.one_off_of(&container.service).is_some()
            || (!project.declares(&container.service) && stays)
    }

    /// A one-off that runs on a network is nobody's to stop, and the network cannot go meanwhile.
    fn is_used_by_one_off(&mut self, key: &str, name: &str, id: &String) -> bool {
        let observed = self.observed;
        let mut running = observed.oneoffs.iter().filter(|c| c.state.is_up());
        let Some(user) = running.find(|c| c.networks.contains(id)) else {
            return false;
        };
        let user = &user.name;
        self.obstacle(
            format!("networks.{key}"),
            format!(
                "network {name} is declared differently and has to be made anew, but container {user} of `run` is on it"
            ),
            Some(format!("wait until that ends, or stop it (`docker stop {user}`)")),
        );
        true
    }

    /// Containers that a change of a network, cut short, has taken off it come back on it; also
    /// those that the command is not about.
    pub(super) fn plan_reconnections(&mut self) {
        let observed = self.observed;
        for container in observed.replicas() {
            let stands_by = self.stands_by(container);
            let keys = match self.project.declared(&container.service) {
                // It may be outdated: it has the networks that it was made with.
                _ if stands_by && container.spec.is_some() => {
                    observed.taken_off(container, self.project)
                }
                Some(service) if stands_by || self.is_kept(&container.id) => {
                    self.taken_off(service, container)
                }
                _ => continue,
            };
            for key in keys {
                let cause = format!("it was taken off network {key}");
                let after: Vec<StepId> =
                    self.network_steps.get(&key).copied().into_iter().collect();
                let step = self
                    .reconnection(container, &key, &cause)
                    .with_part(Part::Result);
                self.plan_reconnection(container, step, after);
            }
            self.plan_stale_reconnections(container);
        }
    }

    /// What stays although a network of its own was removed and created again (`--no-recreate`)
    /// could not be started: it forgets the old network and joins the one there is now.
    fn plan_stale_reconnections(&mut self, container: &'a ObservedContainer) {
        let Some(service) = self.project.services.get(&container.service) else {
            return;
        };
        if container.state.is_up() || !self.is_kept(&container.id) {
            return;
        }
        let stale: Vec<String> = self.stale_networks(service, container).cloned().collect();
        for key in stale {
            let network = self.project.networks[&key].name.clone();
            let cause = format!("network {network} was removed and created again");
            let forget = Action::DisconnectNetwork {
                network,
                container: existing(container),
            };
            let mut after = vec![self.plan.add(Step::silent(forget, cause.clone()), [])];
            after.extend(self.network_steps.get(&key));
            let step = self
                .reconnection(container, &key, &cause)
                .with_part(Part::Result);
            self.plan_reconnection(container, step, after);
        }
    }

    /// The step that puts a container on a network, given by its key.
    fn reconnection(&self, container: &ObservedContainer, key: &str, cause: &str) -> Step {
        // On the network it answers to the name that it is to have.
        let declared = self
            .project
            .declared(&container.service)
            .zip(container.number);
        let name = match declared {
            Some((service, number)) => self.project.container_name(service, number),
            None => container.final_name().to_owned(),
        };
        let action = Action::ConnectNetwork {
            service: container.service.clone(),
            key: key.to_owned(),
            network: self.project.networks[key].name.clone(),
            container: Target::Existing {
                id: container.id.clone(),
                name,
            },
        };
        Step::silent(action, cause)
    }

    fn plan_reconnection(
        &mut self,
        container: &'a ObservedContainer,
        step: Step,
        after: Vec<StepId>,
    ) {
        let connected = self.plan.add(step, after);
        self.reconnects
            .entry(container.id.as_str())
            .or_default()
            .push(connected);
    }
}
