//! What a run that was killed had asked for and the engine does only now.
//!
//! A request that the engine has read it carries out, whether its client lives or not. So a run
//! that follows at once may find a name taken that was free when it looked. What took it is what
//! this run is about to make: it goes on from there.

use super::Walk;
use crate::engine::{ContainerDetails, ContainerRequest, ContainerState, EngineError};
use crate::hash;
use crate::labels;
use crate::network::Network;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// The engine reserves a name before it shows the container: so long it is looked for.
const PATIENCE: u32 = 100;
const LOOK: Duration = Duration::from_millis(50);

impl Walk<'_> {
    /// Creates a container, or takes the one that an earlier run has asked for in the same words;
    /// gives its id. `inherited` are the volumes that it takes over, by where they are mounted.
    pub(super) async fn create_or_take(
        &self,
        request: ContainerRequest,
        inherited: &BTreeMap<String, String>,
    ) -> Result<String, EngineError> {
        let engine = self.means.engine;
        let mut looks = 0;
        loop {
            let conflict = match engine.create_container(request.clone()).await {
                Err(error) if error.is_conflict() => error,
                result => return result,
            };
            match engine.inspect_container(&request.name).await {
                // A killed run has asked for its removal.
                Ok(other) if other.state == ContainerState::Removing && looks < PATIENCE => {
                    tokio::time::sleep(LOOK).await;
                }
                Ok(other) if !is_ours(&other, &request) => return Err(conflict),
                Ok(other) if is_the_same(&other, &request, inherited) => return Ok(other.id),
                // Of another version: it never ran, so that its volumes are empty, or those of
                // the one that we replace, which has them still.
                Ok(other) => {
                    let of_a_start = !other.labels.contains_key(labels::REPLACE);
                    let volumes = of_a_start || label(&request, labels::REPLACE).is_some();
                    match engine.remove_container(&other.id, false, volumes).await {
                        Err(error) if error.is_conflict() => tokio::time::sleep(LOOK).await,
                        removed => removed?,
                    }
                }
                Err(error) if error.is_not_found() && looks < PATIENCE => {
                    tokio::time::sleep(LOOK).await;
                }
                Err(_) => return Err(conflict),
            }
            looks += 1;
            if looks > PATIENCE {
                return Err(conflict);
            }
        }
    }

    /// Renames a container, unless that has just been done.
    pub(super) async fn rename(&self, id: &str, name: &str) -> Result<(), EngineError> {
        let engine = self.means.engine;
        match engine.rename_container(id, name).await {
            Err(EngineError::Broken { message }) => Err(EngineError::Broken { message }),
            Err(error) => match engine.inspect_container(id).await {
                Ok(details) if details.name == name => Ok(()),
                _ => Err(error),
            },
            Ok(()) => Ok(()),
        }
    }

    /// Connects a container, unless that has just been done: the engine refuses a second endpoint of
    /// its name, which no other container has.
    pub(super) async fn connect(
        &self,
        network: &str,
        id: &str,
        endpoint: Value,
    ) -> Result<(), EngineError> {
        match self
            .means
            .engine
            .connect_network(network, id, endpoint)
            .await
        {
            Err(error) if error.message().contains("already exists in network") => Ok(()),
            result => result,
        }
    }

    /// Whether there is now a network as it is to be created.
    pub(super) async fn has_network(&self, network: &Network) -> bool {
        let Ok(all) = self.means.engine.list_networks().await else {
            return false;
        };
        let hash = hash::network_hash(&network.spec);
        all.iter().any(|present| {
            present.name == network.name
                && present.labels.get(labels::PROJECT) == Some(&self.project.name)
                && present.labels.get(labels::CONFIG_HASH) == Some(&hash)
        })
    }
}

fn label<'a>(request: &'a ContainerRequest, key: &str) -> Option<&'a str> {
    request.body["Labels"][key].as_str()
}

/// The same replica of the same service, that never ran.
fn is_ours(other: &ContainerDetails, request: &ContainerRequest) -> bool {
    let keys = [labels::PROJECT, labels::SERVICE, labels::CONTAINER_NUMBER];
    other.state == ContainerState::Created
        && keys.iter().all(|key| {
            label(request, key).is_some()
                && other.labels.get(*key).map(String::as_str) == label(request, key)
        })
}

/// Made from the same, with the same volumes taken over.
fn is_the_same(
    other: &ContainerDetails,
    request: &ContainerRequest,
    inherited: &BTreeMap<String, String>,
) -> bool {
    let keys = [labels::CONFIG_HASH, labels::IMAGE, labels::REPLACE];
    let same = |key: &&str| other.labels.get(*key).map(String::as_str) == label(request, key);
    if !keys.iter().all(same) {
        return false;
    }
    // A successor without any to take over may have those of a run that was to keep them.
    let is_successor = label(request, labels::REPLACE).is_some();
    let takes_over = |(target, volume): (&String, &String)| {
        let mounts = &mut other.mounts.iter();
        mounts.any(|m| m.destination == *target && m.name == *volume)
    };
    (!is_successor || !inherited.is_empty()) && inherited.iter().all(takes_over)
}
