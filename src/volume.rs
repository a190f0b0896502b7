//! A volume of the project.

use crate::labels;
use crate::tree::{Node, Span};
use serde::Deserialize;
use std::collections::BTreeMap;

/// `volumes.<key>` in canonical form.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Volume {
    /// The key under `volumes`.
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
    pub external: bool,
    pub labels: BTreeMap<String, String>,
}

impl Volume {
    /// The labels it is created with: the user's, with Compose's on top.
    pub fn labels(&self, project: &str, hash: &str) -> BTreeMap<String, String> {
        let mut all = self.labels.clone();
        all.insert(labels::PROJECT.into(), project.into());
        all.insert(labels::VOLUME.into(), self.key.clone());
        all.insert(labels::VERSION.into(), labels::COMPOSE_VERSION.into());
        all.insert(labels::CONFIG_HASH.into(), hash.into());
        all
    }
}
