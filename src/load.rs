//! Loading: from files, environment and flags to a [`Project`], with every finding placed.

pub mod disk;
pub mod dotenv;
pub mod interpolate;
pub mod path;
pub mod rules;
pub mod short;
pub mod source;
pub mod yaml;

pub use source::{Source, Sources};

use crate::diagnostic::Diagnostic;
use crate::project::Project;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How loading reads files, so that tests and fuzzers can run on memory.
pub trait Files {
    /// The whole content.
    fn read(&self, path: &Path) -> std::io::Result<Vec<u8>>;
    /// Whether something is there, a directory or a file.
    fn kind(&self, path: &Path) -> Option<FileKind>;
    /// The path with symbolic links resolved, where it exists.
    fn canonicalize(&self, path: &Path) -> std::io::Result<PathBuf>;
    /// Everything on standard input.
    fn stdin(&self) -> std::io::Result<Vec<u8>>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    File,
    Directory,
}

/// What a load is asked for: the global flags and the environment they fall back on.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// `-f`, in order.
    pub files: Vec<String>,
    /// `--project-directory`.
    pub project_directory: Option<String>,
    /// `-p`.
    pub project_name: Option<String>,
    /// `--profile`.
    pub profiles: Vec<String>,
    /// `--env-file`.
    pub env_files: Vec<String>,
    /// The process environment.
    pub environment: BTreeMap<String, String>,
    /// Absolute working directory.
    pub cwd: PathBuf,
    /// Services named on the command line: their profiles become active.
    pub named_services: Vec<String>,
    /// `--compatibility`.
    pub compatibility: bool,
    /// `--all-resources`: keep networks and volumes that no service uses.
    pub all_resources: bool,
    pub stages: Stages,
}

/// Stages that `config`'s flags switch off.
#[derive(Debug, Clone, Default)]
pub struct Stages {
    pub no_interpolate: bool,
    pub no_normalize: bool,
    pub no_path_resolution: bool,
    pub no_consistency: bool,
    pub no_env_resolution: bool,
}

/// What a load gives: a project where there was no error, and all findings.
#[derive(Debug, Default)]
pub struct Loaded {
    pub project: Option<Project>,
    pub findings: Vec<Diagnostic>,
    pub sources: Sources,
}
