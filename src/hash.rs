//! The config hashes that decide whether an object still is what the files ask for.
//!
//! A hash is the SHA-256 of the object's canonical form as Docker Compose 5.5 writes it to JSON,
//! so that projects made by either tool are taken over by the other without recreating anything.

use crate::form::json::{Layout, Writer};
use crate::form::{Form, tables};
use crate::tree::{Map, Node};
use sha2::{Digest, Sha256};

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
