//! The config hashes that decide whether an object still is what the files ask for.
//!
//! A hash is the SHA-256 of the object's canonical form as Docker Compose 5.5 writes it to JSON,
//! so that projects made by either tool are taken over by the other without recreating anything.

use crate::form::json::{Layout, Writer};
use crate::form::{Form, tables};
use crate::tree::{Map, Node};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Attributes of a service that say how it is run, not what it is.
const NOT_HASHED: [&str; 5] = ["profiles", "build", "depends_on", "pull_policy", "scale"];

/// The hash of a service's canonical form.
pub fn service_hash(spec: &Node) -> String {
    let replicas = spec.at(&["deploy", "replicas"]).is_some();
    if !replicas {
        return of(&tables::SERVICE, spec, &NOT_HASHED);
    }
    let mut spec = spec.clone();
    if let Some(deploy) = spec.get_mut("deploy").and_then(Node::as_map_mut) {
        deploy.remove("replicas");
    }
    of(&tables::SERVICE, &spec, &NOT_HASHED)
}

/// What is put into a service's canonical form before its containers are created, and so is in
/// the hash that they carry.
#[derive(Debug, Clone, Default)]
pub struct AsCreated<'a> {
    /// `DOCKER_DEFAULT_PLATFORM`: the platform of a service that is built and names none.
    pub default_platform: Option<&'a str>,
    /// Container ids by service: what `network_mode`, `ipc`, `pid` and `volumes_from` refer to
    /// as `service:x` (or `x`) is replaced by `container:<id>` (or `<id>`).
    pub containers: BTreeMap<&'a str, &'a str>,
}

/// The hashes that a container of a service may carry without being out of date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceHashes {
    /// The one we write.
    pub own: String,
    /// Those of other releases of Docker Compose for the same service.
    pub accepted: Vec<String>,
}

impl ServiceHashes {
    /// Whether a container with this hash is what the files ask for.
    pub fn accept(&self, hash: &str) -> bool {
        self.own == hash || self.accepted.iter().any(|accepted| accepted == hash)
    }
}

/// The hashes of a service as it is created.
pub fn service_hashes(spec: &Node, created: &AsCreated<'_>) -> ServiceHashes {
    let changed = created.apply(spec);
    let spec = changed.as_ref().unwrap_or(spec);
    ServiceHashes {
        own: service_hash(spec),
        accepted: vec![],
    }
}

impl AsCreated<'_> {
    /// The canonical form with everything put in; `None` where nothing changes.
    fn apply(&self, spec: &Node) -> Option<Node> {
        let mut changed: Option<Node> = None;
        if let Some(platform) = self.default_platform
            && spec.get("build").is_some()
            && spec.get("platform").is_none()
        {
            set(
                changed.get_or_insert_with(|| spec.clone()),
                "platform",
                platform,
            );
        }
        for key in ["network_mode", "ipc", "pid"] {
            let mode = spec.get(key).and_then(Node::as_str);
            let service = mode.and_then(|mode| mode.strip_prefix("service:"));
            if let Some(id) = service.and_then(|service| self.containers.get(service)) {
                let spec = changed.get_or_insert_with(|| spec.clone());
                set(spec, key, &format!("container:{id}"));
            }
        }
        let sources = spec
            .get("volumes_from")
            .and_then(Node::as_seq)
            .unwrap_or_default();
        let is_known = |source: &Node| {
            source.as_str().and_then(|text| {
                let name = text.split(':').next()?;
                self.containers.get(name)
            })
        };
        if sources.iter().any(|source| is_known(source).is_some()) {
            let replaced: Vec<Node> = sources
                .iter()
                .map(|source| match is_known(source) {
                    Some(id) => Node::new(*id, source.span),
                    None => source.clone(),
                })
                .collect();
            let spec = changed.get_or_insert_with(|| spec.clone());
            if let Some(node) = spec.get_mut("volumes_from") {
                node.value = replaced.into();
            }
        }
        changed
    }
}

fn set(spec: &mut Node, key: &str, value: &str) {
    let span = spec.span;
    if let Some(map) = spec.as_map_mut() {
        map.insert(key, span, Node::new(value, span));
    }
}

/// The hash of a network's canonical form.
pub fn network_hash(spec: &Node) -> String {
    of(&tables::NETWORK, spec, &[])
}

/// The hash of a volume's canonical form; without a driver it is the local one.
pub fn volume_hash(spec: &Node) -> String {
    if spec.get("driver").is_some() {
        return of(&tables::VOLUME, spec, &[]);
    }
    let mut spec = spec.clone();
    let span = spec.span;
    match spec.as_map_mut() {
        Some(map) => {
            map.insert("driver", span, Node::new("local", span));
        }
        None => {
            let mut map = Map::new();
            map.insert("driver", span, Node::new("local", span));
            spec = Node::new(map, span);
        }
    }
    of(&tables::VOLUME, &spec, &[])
}

fn of(form: &Form, spec: &Node, skip: &[&str]) -> String {
    let mut json = Writer::new(Layout::Compact);
    json.object(form, spec, skip);
    hex(&Sha256::digest(json.out.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
