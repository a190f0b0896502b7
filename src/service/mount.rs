//! `volumes` of a service, and its `configs` and `secrets`.

use crate::value::bytes::Bytes;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What a mount's source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MountKind {
    #[default]
    Volume,
    Bind,
    Tmpfs,
    Image,
    Npipe,
    Cluster,
}

/// One entry of `volumes` in long form.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Mount {
    #[serde(rename = "type")]
    pub kind: MountKind,
    /// Volume key, host path, image; unset for an anonymous volume.
    pub source: Option<String>,
    pub target: String,
    pub read_only: bool,
    pub consistency: Option<String>,
    pub bind: Option<BindOptions>,
    pub volume: Option<VolumeOptions>,
    pub tmpfs: Option<TmpfsOptions>,
    pub image: Option<ImageOptions>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub struct BindOptions {
    pub selinux: Option<String>,
    pub propagation: Option<String>,
    /// The canonical form omits it when true.
    pub create_host_path: bool,
    pub recursive: Option<String>,
}

impl Default for BindOptions {
    fn default() -> Self {
        BindOptions {
            selinux: None,
            propagation: None,
            create_host_path: true,
            recursive: None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct VolumeOptions {
    pub labels: BTreeMap<String, String>,
    pub nocopy: bool,
    pub subpath: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct TmpfsOptions {
    pub size: Option<Bytes>,
    /// The number as Compose writes it: what YAML's `0700` means, in decimal.
    pub mode: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct ImageOptions {
    pub subpath: Option<String>,
}

impl Mount {
    /// The key under the project's `volumes`, where this mounts a named volume.
    pub fn volume_key(&self) -> Option<&str> {
        match self.kind {
            MountKind::Volume => self.source.as_deref().filter(|s| !s.is_empty()),
            _ => None,
        }
    }

    /// A volume without a name of its own: the engine makes one per container, and a recreated
    /// container takes over its predecessor's.
    pub fn is_anonymous(&self) -> bool {
        self.kind == MountKind::Volume && self.volume_key().is_none()
    }
}

/// A service's use of a secret or a config.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct FileReference {
    pub source: String,
    /// Path in the container; unset means `/run/secrets/<source>` or `/<source>`.
    pub target: Option<String>,
    pub uid: Option<String>,
    pub gid: Option<String>,
    /// Octal digits, e.g. `0440`.
    pub mode: Option<String>,
}

impl FileReference {
    /// Whether the file is to be another than a bind gives.
    pub fn asks_for_owner_or_mode(&self) -> bool {
        let asked = [&self.uid, &self.gid, &self.mode];
        asked.into_iter().flatten().any(|text| !text.is_empty())
    }
}
