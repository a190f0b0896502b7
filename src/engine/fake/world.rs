//! Everything the engine has.

use super::faults::{Call, Fault};
use super::images::FakeImage;
use super::script::{Act, Script};
use super::{Casting, Latency, LogLine, Overseer, refuse};
use crate::engine::{ContainerState, EngineError, EngineEvent, Health, MountPoint, PublishedPort};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Nanoseconds since the epoch at which the world begins.
const BEGINNING: i64 = 1_700_000_000_000_000_000;

/// A container with the request it was made from.
pub(super) struct Container {
    pub id: String,
    pub name: String,
    pub image_id: String,
    /// The engine's request body.
    pub body: Value,
    /// Those of the request.
    pub labels: BTreeMap<String, String>,
    /// Nanoseconds since the epoch.
    pub created: i64,
    pub state: ContainerState,
    pub exit_code: i64,
    pub error: String,
    pub health: Option<Health>,
    pub started_at: i64,
    pub finished_at: i64,
    pub restart_count: i64,
    /// Stopped or killed by a call: `unless-stopped` and its like leave it alone.
    pub stopped_by_hand: bool,
    /// Counts the lives of its process.
    pub generation: u64,
    /// The life that has ended without the engine's knowing.
    pub gone: Option<u64>,
    pub mounts: Vec<MountPoint>,
    /// Network name → network id (empty before the first start).
    pub networks: BTreeMap<String, String>,
    /// Network name → the address it has there, on networks with a subnet.
    pub addresses: BTreeMap<String, IpAddr>,
    pub ports: Vec<PublishedPort>,
    pub log: Vec<LogLine>,
    pub files: Vec<String>,
    pub script: Script,
}

pub(super) struct Network {
    pub id: String,
    pub body: Value,
}

pub(super) struct Volume {
    pub driver: String,
    pub labels: BTreeMap<String, String>,
    pub anonymous: bool,
    /// A container that mounts it has run.
    pub has_data: bool,
}

pub(super) struct Exec {
    pub container: String,
    pub command: Vec<String>,
    pub is_started: bool,
    pub code: Option<i64>,
}

pub(super) struct World {
    origin: Instant,
    counter: u64,
    pub containers: BTreeMap<String, Container>,
    /// By name.
    pub networks: BTreeMap<String, Network>,
    pub volumes: BTreeMap<String, Volume>,
    pub images: Vec<FakeImage>,
    pub remote: Vec<FakeImage>,
    pub execs: BTreeMap<String, Exec>,
    /// The last status of each container that has ended.
    pub ends: BTreeMap<String, i64>,
    pub events: Vec<EngineEvent>,
    pub calls: Vec<Call>,
    pub faults: Vec<Fault>,
    pub casting: Arc<Casting>,
    pub latency: Option<Arc<Latency>>,
    pub overseer: Option<Arc<Overseer>>,
    pub occupied: BTreeSet<u16>,
    pub missing_paths: BTreeSet<String>,
    /// Its processes can be seen from outside.
    pub shows_processes: bool,
    pub shares_files: bool,
    /// Its logs tell whole seconds only, as Podman's do.
    pub rounds_times: bool,
    /// So much later than a process does it take note of its end.
    pub belated: Duration,
}

/// The networks every engine has.
pub(super) const PREDEFINED: [(&str, &str); 3] =
    [("bridge", "bridge"), ("host", "host"), ("none", "null")];

impl World {
    pub fn new() -> Self {
        let mut world = World {
            origin: Instant::now(),
            counter: 0,
            containers: BTreeMap::new(),
            networks: BTreeMap::new(),
            volumes: BTreeMap::new(),
            images: vec![FakeImage::new("busybox:latest")],
            remote: Vec::new(),
            execs: BTreeMap::new(),
            ends: BTreeMap::new(),
            events: Vec::new(),
            calls: Vec::new(),
            faults: Vec::new(),
            casting: Arc::new(|_, _| Script::default()),
            latency: None,
            overseer: None,
            occupied: BTreeSet::new(),
            missing_paths: BTreeSet::new(),
            shows_processes: false,
            shares_files: false,
            rounds_times: false,
            belated: Duration::ZERO,
        };
        for (name, driver) in PREDEFINED {
            let id = world.new_id();
            let body = serde_json::json!({ "Name": name, "Driver": driver });
            world.networks.insert(name.into(), Network { id, body });
        }
        world
    }

    /// Nanoseconds since the epoch.
    pub fn now(&self) -> i64 {
        BEGINNING + i64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(i64::MAX)
    }

    /// 64 hexadecimal digits, the same in every run.
    pub fn new_id(&mut self) -> String {
        self.counter += 1;
        Sha256::digest(format!("fake {}", self.counter).as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// The id of a container by id, name or the beginning of an id.
    pub fn find(&self, reference: &str) -> Result<String, EngineError> {
        let name = reference.strip_prefix('/').unwrap_or(reference);
        let by_id = self.containers.contains_key(name).then(|| name.to_string());
        let by_name = || {
            let found = self.containers.values().find(|c| c.name == name)?;
            Some(found.id.clone())
        };
        let by_prefix = || {
            let mut fitting = self.containers.keys().filter(|id| id.starts_with(name));
            match (fitting.next(), fitting.next()) {
                (Some(id), None) if !name.is_empty() => Some(id.clone()),
                _ => None,
            }
        };
        by_id
            .or_else(by_name)
            .or_else(by_prefix)
            .ok_or_else(|| refuse(404, format!("No such container: {reference}")))
    }

    pub fn get(&mut self, reference: &str) -> Result<&mut Container, EngineError> {
        let id = self.find(reference)?;
        self.containers
            .get_mut(&id)
            .ok_or_else(|| refuse(404, format!("No such container: {reference}")))
    }

    /// The life of a container's process; `None` if the container is gone.
    pub fn generation(&self, id: &str) -> Option<u64> {
        self.containers.get(id).map(|c| c.generation)
    }
}

impl Container {
    pub fn host_config(&self, key: &str) -> &Value {
        &self.body["HostConfig"][key]
    }

    pub fn image(&self) -> &str {
        self.body["Image"].as_str().unwrap_or_default()
    }

    /// Its process, by a number that no other life of it has; `None` where it has ended for all
    /// that the engine knows.
    pub fn pid(&self) -> Option<u32> {
        let is_there = matches!(self.state, ContainerState::Running | ContainerState::Paused);
        is_there.then(|| u32::try_from(self.generation).unwrap_or(u32::MAX))
    }

    /// The addresses that it asks for, with the names of the networks.
    pub fn asked_addresses(&self) -> impl Iterator<Item = (String, IpAddr)> {
        let endpoints = self.body["NetworkingConfig"]["EndpointsConfig"].as_object();
        endpoints
            .into_iter()
            .flatten()
            .filter_map(|(name, endpoint)| {
                let address = endpoint["IPAMConfig"]["IPv4Address"].as_str()?;
                Some((name.clone(), address.parse().ok()?))
            })
    }

    pub fn is_up(&self) -> bool {
        self.state.is_up()
    }

    /// What its process does by script. A healthcheck about which the script says nothing
    /// succeeds at its first probe, or never where its test is `false`.
    pub fn acts(&self) -> Vec<(Duration, Act)> {
        let is_steady = self
            .script
            .steady_after
            .is_some_and(|restarts| self.restart_count >= restarts);
        let mut acts = match is_steady {
            true => Vec::new(),
            false => self.script.acts.clone(),
        };
        let says_health = acts.iter().any(|(_, act)| matches!(act, Act::Health(_)));
        if self.health.is_some() && !says_health {
            let interval = self.body["Healthcheck"]["Interval"]
                .as_u64()
                .filter(|ns| *ns > 0)
                .map_or(Duration::from_secs(30), Duration::from_nanos);
            acts.push((interval, Act::Health(Health::Healthy)));
        }
        acts
    }
}

/// `Labels` of a request.
pub(super) fn labels(body: &Value) -> BTreeMap<String, String> {
    body["Labels"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_string()))
        .collect()
}

/// Whether all of `wanted` (`key` or `key=value`) are among the labels.
pub(super) fn has_labels(labels: &BTreeMap<String, String>, wanted: &[String]) -> bool {
    wanted.iter().all(|word| match word.split_once('=') {
        Some((key, value)) => labels.get(key).is_some_and(|v| v == value),
        None => labels.contains_key(word),
    })
}
