//! The hash an object goes by, and the ones it is also recognised by.
//!
//! We write the hash that Docker Compose 5.5 writes, and accept those that its other releases
//! wrote for the same files, so that adopting a project recreates nothing.

use crate::hash;
use crate::network::Network;
use crate::service::Service;
use crate::tree::{Node, Value};
use crate::volume::Volume;
use std::collections::BTreeMap;

/// The hashes of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hashes {
    /// What we write.
    pub own: String,
    /// What others may have written for the same thing.
    pub others: Vec<String>,
}

impl Hashes {
    /// Whether an object with this recorded hash is still the same.
    pub fn accepts(&self, recorded: &str) -> bool {
        self.own == recorded || self.others.iter().any(|h| h == recorded)
    }
}

/// The containers that `service:x` references stand for: service → container id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResolvedReferences {
    pub containers: BTreeMap<String, String>,
}

/// Hashes of a service as it is created: references to other services replaced by the ids of
/// their containers. A reference that stands for nothing stays as written, and matches nothing.
pub fn service_hashes(service: &Service, references: &ResolvedReferences) -> Hashes {
    if service.shared_with().is_empty()
        && !service
            .volumes_from
            .iter()
            .any(|v| v.starts_with("container:"))
    {
        return hashes_of(&service.spec);
    }
    hashes_of(&resolved(&service.spec, references))
}

fn hashes_of(spec: &Node) -> Hashes {
    Hashes {
        own: hash::service_hash(spec),
        others: Vec::new(),
    }
}

pub fn network_hashes(network: &Network) -> Hashes {
    Hashes {
        own: hash::network_hash(&network.spec),
        others: Vec::new(),
    }
}

pub fn volume_hashes(volume: &Volume) -> Hashes {
    Hashes {
        own: hash::volume_hash(&volume.spec),
        others: Vec::new(),
    }
}

fn resolved(spec: &Node, references: &ResolvedReferences) -> Node {
    let mut spec = spec.clone();
    for mode in ["network_mode", "ipc", "pid"] {
        if let Some(node) = spec.get_mut(mode)
            && let Some(id) = node
                .as_str()
                .and_then(|text| text.strip_prefix("service:"))
                .and_then(|name| references.containers.get(name))
        {
            node.value = Value::Str(format!("container:{id}"));
        }
    }
    let sources = spec.get_mut("volumes_from").and_then(Node::as_seq_mut);
    for node in sources.into_iter().flatten() {
        let Some(text) = node.as_str() else { continue };
        let mut parts = text.split(':');
        let resolved = match parts.next() {
            Some("container") => parts.next().map(str::to_owned),
            Some(name) => references.containers.get(name).cloned(),
            None => None,
        };
        if let Some(id) = resolved {
            node.value = Value::Str(id);
        }
    }
    spec
}
