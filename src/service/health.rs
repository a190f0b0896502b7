//! `healthcheck`.

use crate::value::duration::Duration;
use serde::Deserialize;

/// The canonical form of `healthcheck`; what is unset comes from the image, then the engine.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Healthcheck {
    /// Begins with `CMD`, `CMD-SHELL` or `NONE`.
    pub test: Vec<String>,
    pub timeout: Option<Duration>,
    pub interval: Option<Duration>,
    pub retries: Option<u64>,
    pub start_period: Option<Duration>,
    pub start_interval: Option<Duration>,
    pub disable: bool,
}

impl Healthcheck {
    /// Whether the file switches checking off, also what the image would check.
    pub fn is_disabled(&self) -> bool {
        self.disable || self.test.first().is_some_and(|t| t == "NONE")
    }
}
