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
}
