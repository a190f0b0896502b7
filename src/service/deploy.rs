//! `deploy`, as far as one engine honours it, and device requests.

use crate::value::bytes::Bytes;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The canonical form of `deploy`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Deploy {
    pub mode: Option<String>,
    pub replicas: Option<u32>,
    pub resources: Resources,
    pub restart_policy: Option<RestartPolicy>,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Resources {
    pub limits: Option<Resource>,
    pub reservations: Option<Resource>,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Resource {
    /// Number of processors; the canonical form holds a number or its text.
    #[serde(deserialize_with = "crate::value::number::float")]
    pub cpus: f64,
    pub memory: Option<Bytes>,
    pub pids: i64,
    pub devices: Vec<DeviceRequest>,
}

/// `deploy.restart_policy`; `delay` and `window` are Swarm's.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct RestartPolicy {
    pub condition: Option<String>,
    pub max_attempts: Option<i64>,
}

/// One entry of `gpus` or of `deploy.resources.reservations.devices`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct DeviceRequest {
    pub capabilities: Vec<String>,
    pub driver: Option<String>,
    /// −1 for `all`.
    pub count: i64,
    pub device_ids: Vec<String>,
    pub options: BTreeMap<String, String>,
}
