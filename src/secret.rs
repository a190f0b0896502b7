//! Secrets and configs: files that a service gets.

use crate::tree::Span;
use serde::Deserialize;

/// `secrets.<key>` or `configs.<key>` in canonical form.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct FileObject {
    #[serde(skip)]
    pub key: String,
    #[serde(skip)]
    pub span: Span,

    pub name: String,
    /// Absolute path of the file on this machine.
    pub file: Option<String>,
    /// Variable of the project's environment that holds the content.
    pub environment: Option<String>,
    /// The content itself (configs; for `environment` filled in at load, never printed).
    pub content: Option<String>,
    pub external: bool,
    pub driver: Option<String>,
    pub template_driver: Option<String>,

    /// Its file as it is now, or why that cannot be read; only where a service wants it with an
    /// owner or a mode of its own.
    #[serde(skip)]
    pub local: Option<Result<LocalFile, String>>,
}

impl FileObject {
    /// Whether it is a file of this machine, rather than a content that the project gives.
    pub fn is_file(&self) -> bool {
        self.content.is_none() && self.environment.is_none() && !self.external
    }
}

/// A file of this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocalFile {
    pub bytes: Vec<u8>,
    /// Permission bits.
    pub mode: u32,
    pub uid: u64,
    pub gid: u64,
}
