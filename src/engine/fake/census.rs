//! A snapshot after every change, for tests that check invariants.

use super::Fake;
use super::world::{Container, World};
use crate::engine::{ContainerState, Health, MountPoint};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Looks at the world after every change.
pub type Overseer = dyn Fn(&Census<'_>) + Send + Sync;

/// All there is at a moment.
pub struct Census<'a> {
    world: &'a World,
}

/// A container at that moment.
pub struct Resident<'a> {
    pub id: &'a str,
    pub name: &'a str,
    pub state: ContainerState,
    pub exit_code: i64,
    pub health: Option<Health>,
    /// It ran at some time.
    pub has_run: bool,
    pub labels: &'a BTreeMap<String, String>,
    pub mounts: &'a [MountPoint],
    /// Paths of the files copied into it.
    pub files: &'a [String],
    /// The request that it was made from.
    pub request: &'a Value,
    /// Network name → network id (empty before the first start).
    pub networks: &'a BTreeMap<String, String>,
}

/// A volume at that moment.
pub struct Holding<'a> {
    pub name: &'a str,
    pub labels: &'a BTreeMap<String, String>,
    pub anonymous: bool,
    /// A container that mounts it ran at some time: it may hold data.
    pub has_data: bool,
}

impl Resident<'_> {
    /// Whether its environment holds this `NAME=VALUE`.
    pub fn says(&self, word: &str) -> bool {
        let environment = self.request["Env"].as_array().into_iter().flatten();
        environment.filter_map(Value::as_str).any(|e| e == word)
    }
}

impl<'a> Census<'a> {
    pub fn containers(&self) -> impl Iterator<Item = Resident<'a>> {
        self.world.containers.values().map(resident)
    }

    pub fn container(&self, id: &str) -> Option<Resident<'a>> {
        self.world.containers.get(id).map(resident)
    }

    pub fn volumes(&self) -> impl Iterator<Item = Holding<'a>> {
        self.world.volumes.iter().map(|(name, volume)| Holding {
            name,
            labels: &volume.labels,
            anonymous: volume.anonymous,
            has_data: volume.has_data,
        })
    }

    pub fn has_volume(&self, name: &str) -> bool {
        self.world.volumes.contains_key(name)
    }

    /// The id of a network.
    pub fn network(&self, name: &str) -> Option<&'a str> {
        self.world.networks.get(name).map(|n| n.id.as_str())
    }
}

fn resident(container: &Container) -> Resident<'_> {
    Resident {
        id: &container.id,
        name: &container.name,
        state: container.state,
        exit_code: container.exit_code,
        health: container.health.filter(|_| container.is_up()),
        has_run: container.started_at != 0,
        labels: &container.labels,
        mounts: &container.mounts,
        files: &container.files,
        request: &container.body,
        networks: &container.networks,
    }
}

impl Fake {
    /// Shows the world after every change from now on. The overseer must make no calls.
    pub fn oversee(&self, overseer: impl Fn(&Census<'_>) + Send + Sync + 'static) {
        self.lock().overseer = Some(Arc::new(overseer));
    }

    /// Shows the world as it is.
    pub fn census<T>(&self, look: impl FnOnce(&Census<'_>) -> T) -> T {
        look(&Census {
            world: &self.lock(),
        })
    }
}

impl World {
    pub(super) fn show(&self) {
        if let Some(overseer) = &self.overseer {
            overseer(&Census { world: self });
        }
    }
}
