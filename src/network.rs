//! A network of the project.

use crate::labels;
use crate::tree::{Node, Span};
use serde::Deserialize;
use std::collections::BTreeMap;

/// `networks.<key>` in canonical form.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Network {
    /// The key under `networks`.
    #[serde(skip)]
    pub key: String,
    #[serde(skip)]
    pub spec: Node,
    #[serde(skip)]
    pub span: Span,

    /// The engine's name of it.
    pub name: String,
    pub driver: Option<String>,
    pub driver_opts: BTreeMap<String, String>,
    pub ipam: Ipam,
    pub external: bool,
    pub internal: bool,
    pub attachable: bool,
    pub labels: BTreeMap<String, String>,
    pub enable_ipv4: Option<bool>,
    pub enable_ipv6: Option<bool>,
}

/// `networks.<key>.ipam`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Ipam {
    pub driver: Option<String>,
    pub config: Vec<IpamPool>,
    pub options: BTreeMap<String, String>,
}

/// One address pool.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct IpamPool {
    pub subnet: Option<String>,
    pub gateway: Option<String>,
    pub ip_range: Option<String>,
    pub aux_addresses: BTreeMap<String, String>,
}

impl Network {
    /// The labels it is created with: the user's, with Compose's on top.
    pub fn labels(&self, project: &str, hash: &str) -> BTreeMap<String, String> {
        let mut all = self.labels.clone();
        all.insert(labels::PROJECT.into(), project.into());
        all.insert(labels::NETWORK.into(), self.key.clone());
        all.insert(labels::VERSION.into(), labels::COMPOSE_VERSION.into());
        all.insert(labels::CONFIG_HASH.into(), hash.into());
        all
    }
}
