//! The config hashes that decide whether an object still is what the files ask for.
//!
//! A hash is the SHA-256 of the object's canonical form as Docker Compose 5.5 writes it to JSON,
//! so that projects made by either tool are taken over by the other without recreating anything.

use crate::form::json::{Dialect, Layout, Writer};
use crate::form::{Form, tables};
use crate::tree::{Map, Node, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Attributes of a service that say how it is run, not what it is.
const NOT_HASHED: [&str; 5] = ["profiles", "build", "depends_on", "pull_policy", "scale"];

/// The hash of a service's canonical form.
pub fn service_hash(spec: &Node) -> String {
    service_hash_in(spec, Dialect::Five)
}

fn service_hash_in(spec: &Node, dialect: Dialect) -> String {
    let replicas = spec.at(&["deploy", "replicas"]).is_some();
    if !replicas {
        return of(&tables::SERVICE, spec, &NOT_HASHED, dialect);
    }
    let mut spec = spec.clone();
    if let Some(deploy) = spec.get_mut("deploy").and_then(Node::as_map_mut) {
        deploy.remove("replicas");
    }
    of(&tables::SERVICE, &spec, &NOT_HASHED, dialect)
}

/// What is put into a service's canonical form before its containers are created, and so is in
/// the hash that they carry.
#[derive(Debug, Clone, Default)]
pub struct AsCreated<'a> {
    /// `DOCKER_DEFAULT_PLATFORM`: the platform of a service that is built and names none.
    pub default_platform: Option<&'a str>,
    /// The id of each service's first container: what `network_mode`, `ipc`, `pid` and
    /// `volumes_from` refer to as `service:x` (or `x`) is replaced by `container:<id>` (or
    /// `<id>`).
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
    let plain = changed.as_ref().unwrap_or(spec);
    let with_socket = with_api_socket(plain);
    let spec = with_socket.as_ref().unwrap_or(plain);
    let own = service_hash(spec);
    // Earlier ones of ours did not count what `use_api_socket` puts in.
    let mut accepted = vec![service_hash_in(spec, Dialect::Two), service_hash(plain)];
    accepted.retain(|hash| *hash != own);
    ServiceHashes { own, accepted }
}

impl AsCreated<'_> {
    /// The canonical form with everything put in; `None` where nothing changes.
    fn apply(&self, spec: &Node) -> Option<Node> {
        let mut changed = self
            .default_platform
            .and_then(|platform| on_platform(spec, platform));
        let containers = &self.containers;
        for key in ["network_mode", "ipc", "pid"] {
            let mode = spec.get(key).and_then(Node::as_str);
            let service = mode.and_then(|mode| mode.strip_prefix("service:"));
            if let Some(id) = service.and_then(|service| containers.get(service)) {
                let spec = changed.get_or_insert_with(|| spec.clone());
                set(spec, key, &format!("container:{id}"));
            }
        }
        if spec.get("volumes_from").is_some()
            && let Some(Value::Seq(sources)) = changed
                .get_or_insert_with(|| spec.clone())
                .get_mut("volumes_from")
                .map(|node| &mut node.value)
        {
            for source in sources {
                let id = source
                    .as_str()
                    .and_then(|text| volumes_from(text, containers));
                if let Some(id) = id {
                    source.value = id.into();
                }
            }
        }
        changed
    }
}

/// A service that is built and names no platform, on the default one; `None` for others.
pub fn on_platform(spec: &Node, platform: &str) -> Option<Node> {
    if spec.get("build").is_none() || spec.get("platform").is_some() {
        return None;
    }
    let mut spec = spec.clone();
    set(&mut spec, "platform", platform);
    Some(spec)
}

/// A service with what Docker Compose puts in for `use_api_socket` before it counts; `None` for
/// others.
fn with_api_socket(spec: &Node) -> Option<Node> {
    const SOCKET: &str = "/var/run/docker.sock";
    const CONFIG: &str = "/run/secrets/docker";
    if spec.get("use_api_socket").and_then(Node::as_bool) != Some(true) {
        return None;
    }
    let mut spec = spec.clone();
    let span = spec.span;
    let object = |pairs: &[(&str, &str)]| {
        let mut map = Map::default();
        for (key, value) in pairs {
            map.insert(*key, span, Node::new(*value, span));
        }
        Node::new(Value::Map(map), span)
    };
    let socket = object(&[("type", "bind"), ("source", SOCKET), ("target", SOCKET)]);
    let file = format!("{CONFIG}/config.json");
    let config = object(&[("source", "#apisocket"), ("target", &file)]);
    for (key, item) in [("volumes", socket), ("configs", config)] {
        match spec.get_mut(key).map(|node| &mut node.value) {
            Some(Value::Seq(items)) => items.push(item),
            _ => {
                let all = Node::new(Value::Seq(vec![item].into()), span);
                spec.as_map_mut()?.insert(key, span, all);
            }
        }
    }
    if spec.at(&["environment", "DOCKER_CONFIG"]).is_none() {
        let variable = object(&[("DOCKER_CONFIG", CONFIG)]);
        match spec.get_mut("environment").and_then(Node::as_map_mut) {
            Some(all) => drop(all.insert("DOCKER_CONFIG", span, Node::new(CONFIG, span))),
            None => drop(spec.as_map_mut()?.insert("environment", span, variable)),
        }
    }
    Some(spec)
}

/// The container that `volumes_from` means; the mode behind it is dropped, as Compose does.
fn volumes_from(text: &str, containers: &BTreeMap<&str, &str>) -> Option<String> {
    let mut parts = text.split(':');
    match parts.next()? {
        "container" => parts.next().map(str::to_owned),
        service => containers.get(service).map(|id| (*id).to_owned()),
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
    of(&tables::NETWORK, spec, &[], Dialect::Five)
}

/// The hash of a volume's canonical form; without a driver it is the local one.
pub fn volume_hash(spec: &Node) -> String {
    if spec.get("driver").is_some() {
        return of(&tables::VOLUME, spec, &[], Dialect::Five);
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
    of(&tables::VOLUME, &spec, &[], Dialect::Five)
}

fn of(form: &Form, spec: &Node, skip: &[&str], dialect: Dialect) -> String {
    let mut json = Writer::new(Layout::Compact).in_dialect(dialect);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::disk::DiskFiles;
    use crate::load::{self, LoadOptions};
    use crate::project::Project;
    use std::path::Path;

    fn project(name: &str) -> Project {
        let options = LoadOptions {
            cwd: Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hashes"),
            files: vec!["compose.yaml".into()],
            project_directory: Some("/srv/hashes".into()),
            project_name: Some(name.to_owned()),
            ..LoadOptions::default()
        };
        let loaded = load::load(&DiskFiles, &options);
        loaded
            .project
            .unwrap_or_else(|| panic!("{:?}", loaded.findings))
    }

    /// What Docker Compose 2.40 wrote into the labels of what it created from `tests/hashes`,
    /// read from an engine.
    #[test]
    fn hashes_are_those_in_the_labels_of_docker_compose() {
        let project = project("hashes");
        let labels: Vec<Vec<&str>> = include_str!("../tests/hashes/labels.txt")
            .lines()
            .map(|line| line.split(' ').collect())
            .collect();
        let ids = labels.iter().filter(|words| words[0] == "container");
        let created = AsCreated {
            containers: ids.map(|words| (words[1], words[2])).collect(),
            ..AsCreated::default()
        };
        for words in &labels {
            let (name, recorded) = (words[1], words[2]);
            match words[0] {
                "service" => {
                    let hashes = service_hashes(&project.services[name].spec, &created);
                    assert!(hashes.accept(recorded), "{name}: {hashes:?}");
                }
                "network" => assert_eq!(network_hash(&project.networks[name].spec), recorded),
                "volume" => assert_eq!(volume_hash(&project.volumes[name].spec), recorded),
                _ => {}
            }
        }
    }

    /// The labels that Docker Compose 5.5 and 2.40 wrote, read from an engine.
    #[test]
    fn what_use_api_socket_puts_in_counts() {
        let dir = tempfile::tempdir().unwrap();
        let text = "services: {a: {image: busybox, use_api_socket: true}, b: {image: busybox, \
                    use_api_socket: true, environment: {DOCKER_CONFIG: /x}, volumes: ['/v:/v']}}\n";
        std::fs::write(dir.path().join("compose.yaml"), text).unwrap();
        let options = LoadOptions {
            cwd: dir.path().to_owned(),
            project_name: Some("judge".to_owned()),
            ..LoadOptions::default()
        };
        let project = load::load(&DiskFiles, &options).project.unwrap();
        for (service, five, two) in [
            (
                "a",
                "d6575c07861a3798c9deb5dc58f51b6d6f98b44cd6505af0e75927d99cda29cb",
                "d6575c07861a3798c9deb5dc58f51b6d6f98b44cd6505af0e75927d99cda29cb",
            ),
            (
                "b",
                "b7959fc3c6e63ddd6d6501bf860360a21c192a44b5f45a3cf2f778f83825176a",
                "1f1eee20c02842fc200b3239895c5225e99ab767533a54cd91d6ad2f4fb630b5",
            ),
        ] {
            let spec = &project.services[service].spec;
            let hashes = service_hashes(spec, &AsCreated::default());
            assert_eq!(hashes.own, five, "{service}");
            assert!(hashes.accept(two), "{service}: {hashes:?}");
            // Ours from before it counted.
            assert!(hashes.accept(&service_hash(spec)), "{service}: {hashes:?}");
        }
    }
}
