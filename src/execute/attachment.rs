//! Containers that exist coming back on a network.

use super::Walk;
use super::failure::Trouble;
use crate::observe::ObservedContainer;
use crate::plan::{Action, StepId, Target};
use crate::service::Service;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

impl Walk<'_> {
    /// Connects a container with a network of the project, given by its key.
    pub(super) async fn join(
        &self,
        service: &str,
        key: &str,
        container: &Target,
    ) -> Result<(), Trouble> {
        let Some(network) = self.project.networks.get(key) else {
            return Err(Trouble::new(format!("network {key} is not in the project")));
        };
        let endpoint = self.endpoint(service, key, container)?;
        let id = self.id_of(container);
        Ok(self.connect(&network.name, &id, endpoint).await?)
    }

    /// Puts a container that comes back on the networks that this run has taken it off, or one that
    /// was killed: else only its successor would have met those that were made anew. What is being
    /// made anew is waited for until the walk is over ([`Walk::join_in_the_end`]). Gives the names of
    /// those that it comes back without.
    pub(super) async fn join_again(&self, id: &str) -> Vec<String> {
        let Some(container) = self.observed.replica(id) else {
            return Vec::new();
        };
        let mut missing = Vec::new();
        for key in self.left(container) {
            let being_made = self.creations_of(&key).any(|id| !self.is_done(id));
            if !self.is_over.get() && being_made {
                self.to_join.borrow_mut().insert(id.to_owned());
                continue;
            }
            if !self
                .rejoined
                .borrow_mut()
                .insert((id.to_owned(), key.clone()))
            {
                continue;
            }
            // One that does not run takes any name, and then cannot be started.
            if !(self.is_there(&key).await && self.rejoin(container, &key).await) {
                missing.push(self.project.networks[&key].name.clone());
            }
        }
        missing
    }

    /// The networks, by key, that a container is not on any more, or will not be.
    fn left(&self, container: &ObservedContainer) -> BTreeSet<String> {
        let is_it = |target: &Target| target.id() == Some(container.id.as_str());
        let mut left = BTreeSet::from_iter(self.observed.taken_off(container, self.project));
        for (step, planned) in self.plan.steps() {
            match &planned.action {
                Action::DisconnectNetwork { network, container }
                    if is_it(container) && (self.has_begun(step) || !self.is_over.get()) =>
                {
                    left.extend(self.key_of(network).map(str::to_owned));
                }
                Action::ConnectNetwork { key, container, .. }
                    if is_it(container) && self.is_done(step) =>
                {
                    left.remove(key);
                }
                _ => {}
            }
        }
        left
    }

    /// Whether it is on the network now: with all that the project says of it there, or at least by
    /// its names, where that is for its successor only.
    async fn rejoin(&self, container: &ObservedContainer, key: &str) -> bool {
        let target = Target::Existing {
            id: container.id.clone(),
            name: container.final_name().to_owned(),
        };
        let Err(error) = self.join(&container.service, key, &target).await else {
            return true;
        };
        tracing::debug!(?error, "it does not join as declared");
        let endpoint = by_its_names(&container.service, &target);
        let network = &self.project.networks[key].name;
        let joined = self.connect(network, &container.id, endpoint).await;
        joined.is_ok()
    }

    /// The walk is over: whoever came back meanwhile joins what was being made anew then, and so do
    /// those that are still off it because it could not be.
    pub(super) async fn join_in_the_end(&self) {
        self.is_over.set(true);
        let mut off = self.to_join.take();
        for (step, planned) in self.plan.steps() {
            if let Action::ConnectNetwork { container, .. } = &planned.action
                && !self.is_done(step)
            {
                off.extend(container.id().map(str::to_owned));
            }
        }
        for id in off {
            if !self.is_ours().await {
                return;
            }
            for network in self.join_again(&id).await {
                let seen = self.observed.replica(&id);
                let name = seen.map_or(id.as_str(), |c| c.final_name());
                let word = format!("{name} could not be put back on network {network}");
                self.means.reporter.warning(word);
            }
        }
    }

    /// The steps that make a network of the project.
    fn creations_of(&self, key: &str) -> impl Iterator<Item = StepId> {
        self.plan.steps().filter_map(move |(id, step)| {
            let makes =
                matches!(&step.action, Action::CreateNetwork { key: new, .. } if new == key);
            makes.then_some(id)
        })
    }

    /// Whether a network of the project is there, the one before or the new one, for certain.
    async fn is_there(&self, key: &str) -> bool {
        if self.creations_of(key).any(|id| self.is_done(id)) {
            return true;
        }
        let name = &self.project.networks[key].name;
        let Some(before) = self.observed.network_named(name) else {
            return false;
        };
        let is_removed = self.plan.steps().any(|(step, planned)| {
            let removes =
                matches!(&planned.action, Action::RemoveNetwork { id, .. } if *id == before.id);
            removes && self.has_begun(step)
        });
        if !is_removed {
            return true;
        }
        // Somebody else may be on it, so that the engine has refused to remove it.
        let now = self.means.engine.list_networks().await;
        now.is_ok_and(|all| all.iter().any(|n| n.id == before.id))
    }

    /// The key of a network that was there before, by its id.
    fn key_of(&self, id: &str) -> Option<&str> {
        let present = self.observed.networks.iter().find(|n| n.id == id)?;
        let mut networks = self.project.networks.iter();
        let found = networks.find(|(_, network)| network.name == present.name);
        found.map(|(key, _)| key.as_str())
    }

    /// How a container that exists joins a network again: as it would if it were created now.
    fn endpoint(&self, service: &str, key: &str, container: &Target) -> Result<Value, Trouble> {
        let declared = self.project.declared(service);
        let Some(declared) = declared.filter(|s| s.networks.contains_key(key)) else {
            return Ok(by_its_names(service, container));
        };
        // Of one that the command is not about the project does not have all that it uses: only
        // what concerns its networks.
        let known = &self.project.networks;
        let mut networks = declared.networks.clone();
        networks.retain(|key, _| known.contains_key(key));
        // What it was linked to may be gone by now.
        let referred = self.containers_referred_to_by(declared);
        let mut links = declared.links.clone();
        links.retain(|link| {
            let name = link.split(':').next().unwrap_or_default();
            referred.contains_key(name)
        });
        let service = Service {
            name: declared.name.clone(),
            networks,
            links,
            external_links: declared.external_links.clone(),
            mac_address: declared.mac_address.clone(),
            ..Service::default()
        };
        let request = self.request(
            &service,
            container.name(),
            1,
            BTreeMap::new(),
            referred,
            BTreeMap::new(),
        )?;
        Ok(request.body["NetworkingConfig"]["EndpointsConfig"][&known[key].name].clone())
    }
}

/// An orphan, or on it by an older definition: of what that said nothing is known.
fn by_its_names(service: &str, container: &Target) -> Value {
    json!({ "Aliases": [container.name(), service] })
}
