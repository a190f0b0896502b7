//! Containers that exist coming back on a network.

use super::Walk;
use super::failure::Trouble;
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

    /// Puts a container that was to be replaced back on the networks that this run has taken it off,
    /// or one that was killed: only its successor would have met those that were made anew. What is
    /// being made anew is waited for until the walk is over ([`Walk::join_in_the_end`]).
    pub(super) async fn join_again(&self, id: &str) {
        let Some(container) = self.observed.replicas().find(|c| c.id == id) else {
            return;
        };
        let mut off: BTreeSet<&str> = BTreeSet::new();
        let mut joined: BTreeSet<&str> = BTreeSet::new();
        let recorded = self.observed.taken_off(container, self.project);
        off.extend(recorded.iter().map(String::as_str));
        let is_over = self.is_over.get();
        for (step, planned) in self.plan.steps() {
            let has_begun = self.has_begun(step);
            match &planned.action {
                Action::DisconnectNetwork { network, container }
                    if container.id() == Some(id) && (has_begun || !is_over) =>
                {
                    off.extend(self.key_of(network));
                }
                Action::ConnectNetwork { key, container, .. }
                    if container.id() == Some(id) && has_begun =>
                {
                    joined.insert(key);
                }
                _ => {}
            }
        }
        for key in off.difference(&joined) {
            if !is_over && self.creations_of(key).next().is_some() {
                self.to_join.borrow_mut().insert(id.to_owned());
                continue;
            }
            // One that does not run takes any name, and then cannot be started.
            if !self.is_there(key) {
                continue;
            }
            let target = Target::Existing {
                id: id.to_owned(),
                name: container.final_name().to_owned(),
            };
            if let Err(error) = self.join(&container.service, key, &target).await {
                tracing::debug!(?error, "it comes back without one of its networks");
            }
        }
    }

    /// The walk is over: whoever came back meanwhile joins what was being made anew then.
    pub(super) async fn join_in_the_end(&self) {
        self.is_over.set(true);
        for id in self.to_join.take() {
            if self.is_ours().await {
                self.join_again(&id).await;
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

    /// Whether a network of the project is there at the end, the one before or the new one, for
    /// certain.
    fn is_there(&self, key: &str) -> bool {
        let failed = self.failed.borrow();
        let mut creations = self.creations_of(key);
        let was_made = creations.any(|id| self.has_begun(id) && !failed.contains(&id));
        let before = self
            .observed
            .network_named(&self.project.networks[key].name);
        let still = |id: &str| {
            !self.plan.steps().any(|(step, planned)| {
                let removed =
                    matches!(&planned.action, Action::RemoveNetwork { id: gone, .. } if gone == id);
                removed && self.has_begun(step)
            })
        };
        was_made || before.is_some_and(|network| still(&network.id))
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
            // An orphan, or on it by an older definition: of what that said nothing is known.
            return Ok(json!({ "Aliases": [container.name(), service] }));
        };
        // Of one that the command is not about the project does not have all that it uses: only
        // what concerns its networks.
        let known = &self.project.networks;
        let mut networks = declared.networks.clone();
        networks.retain(|key, _| known.contains_key(key));
        let service = Service {
            name: declared.name.clone(),
            networks,
            links: declared.links.clone(),
            external_links: declared.external_links.clone(),
            mac_address: declared.mac_address.clone(),
            ..Service::default()
        };
        let request = self.request(
            &service,
            container.name(),
            1,
            BTreeMap::new(),
            self.containers_referred_to_by(&service),
            BTreeMap::new(),
        )?;
        Ok(request.body["NetworkingConfig"]["EndpointsConfig"][&known[key].name].clone())
    }
}
