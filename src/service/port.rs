//! `ports`.

use serde::Deserialize;

/// One published port in long form.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Port {
    pub name: Option<String>,
    pub mode: Option<String>,
    pub host_ip: Option<String>,
    /// Port inside the container.
    pub target: u16,
    /// Host port or range `8000-8010`; unset lets the engine choose.
    pub published: Option<String>,
    pub protocol: Option<String>,
    pub app_protocol: Option<String>,
}

impl Port {
    /// `80/tcp`, the engine's key of a container port.
    pub fn key(&self) -> String {
        format!("{}/{}", self.target, self.protocol())
    }

    pub fn protocol(&self) -> &str {
        self.protocol.as_deref().unwrap_or("tcp")
    }

    /// Whether the engine picks the host port out of a range.
    pub fn is_range(&self) -> bool {
        self.published.as_deref().is_some_and(|p| p.contains('-'))
    }

    /// The one host port asked for; `None` where the engine chooses.
    pub fn host_port(&self) -> Option<u16> {
        self.published.as_deref()?.parse().ok().filter(|p| *p != 0)
    }
}
