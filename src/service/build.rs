//! `build`: how a service's image is made.

use super::Ulimit;
use super::mount::FileReference;
use crate::value::bytes::Bytes;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The canonical form of `build`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Build {
    /// Absolute path, or the URL of a remote context.
    pub context: String,
    pub dockerfile: Option<String>,
    pub dockerfile_inline: Option<String>,
    pub entitlements: Vec<String>,
    pub args: BTreeMap<String, Option<String>>,
    pub ssh: Vec<String>,
    pub labels: BTreeMap<String, String>,
    pub cache_from: Vec<String>,
    pub cache_to: Vec<String>,
    pub no_cache: bool,
    pub no_cache_filter: Vec<String>,
    pub additional_contexts: BTreeMap<String, String>,
    pub pull: bool,
    pub extra_hosts: Vec<String>,
    pub isolation: Option<String>,
    pub network: Option<String>,
    pub target: Option<String>,
    pub secrets: Vec<FileReference>,
    pub shm_size: Option<Bytes>,
    pub tags: Vec<String>,
    pub ulimits: BTreeMap<String, Ulimit>,
    pub platforms: Vec<String>,
    pub privileged: bool,
    pub provenance: Option<String>,
    pub sbom: Option<String>,
}
