//! `develop` and the lifecycle hooks.

use serde::Deserialize;
use std::collections::BTreeMap;

/// A command run in or beside a container at a point of its life.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Hook {
    pub command: Vec<String>,
    pub image: Option<String>,
    pub user: Option<String>,
    pub privileged: bool,
    pub working_dir: Option<String>,
    pub environment: BTreeMap<String, Option<String>>,
    pub per_replica: bool,
}

/// `develop`: rules of `watch`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Develop {
    pub watch: Vec<WatchRule>,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct WatchRule {
    pub path: String,
    pub action: String,
    pub target: Option<String>,
    pub ignore: Vec<String>,
    pub include: Vec<String>,
    pub exec: Option<Hook>,
    pub initial_sync: bool,
}
