//! `publish`: the project's files as an artifact of a registry, as `oci://…` reads them.
//!
//! The files go as they are written, variables and all. Paths of files that they name beside
//! themselves (`env_file`, `extends`) are replaced by names that tell nothing of this machine.

mod file;
mod review;

pub use review::{Review, review};

use crate::value::image::Reference;
use file::Published;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Why a project cannot be published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    #[error("cannot publish compose file with local includes")]
    LocalInclude { file: String },
    #[error("your Compose stack cannot be published as it only contains a build section for service(s):\n{}", .0.iter().map(|s| format!("- {s:?}\n")).collect::<String>())]
    OnlyBuilt(Vec<String>),
    #[error("\"service.image\" attribute is mandatory to push an image for service \"{0}\"")]
    NoImage(String),
    #[error("{path}: {why}")]
    Unreadable { path: String, why: String },
    /// It is read from standard input, or from elsewhere.
    #[error("{0} is no file of this machine: only such are published")]
    NoFile(String),
}

/// A file of the artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    pub kind: LayerKind,
    pub name: String,
    pub content: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerKind {
    /// One of the project's own files; these are laid over each other.
    Project,
    /// A file that others extend services from.
    Extended,
    Environment,
}

/// How the artifact says what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// By the sort of its config alone.
    V1_0,
    V1_1,
}

/// What is published where.
#[derive(Debug)]
pub struct Publication<'a> {
    pub reference: &'a Reference,
    pub layers: &'a [Layer],
    /// The one that the user asks for; else the newer one, unless the registry refuses it.
    pub version: Option<Version>,
    /// Images to bring beside it, in full form.
    pub images: &'a [Reference],
    /// The registry is spoken to without TLS.
    pub is_insecure: bool,
}

/// The project's files, and all that they extend from.
#[derive(Debug, Default)]
pub struct Files {
    /// By path, the project's own first, in their order.
    published: Vec<(PathBuf, bool, Published)>,
}

impl Files {
    /// Reads them.
    ///
    /// # Errors
    /// Where one cannot be read, or includes another one of this machine.
    pub fn read(
        config_files: &[String],
        directory: &Path,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, PublishError> {
        let mut files = Files::default();
        let mut queue: Vec<(PathBuf, PathBuf, bool)> = Vec::new();
        for file in config_files.iter().rev() {
            let path = PathBuf::from(file);
            if !path.is_absolute() || !path.exists() {
                return Err(PublishError::NoFile(file.clone()));
            }
            queue.push((path, directory.to_owned(), false));
        }
        let mut seen = BTreeSet::new();
        while let Some((path, base, is_extended)) = queue.pop() {
            if !seen.insert(path.clone()) {
                continue;
            }
            let published = file::read(&path, &base, environment)?;
            for extended in published.extends.iter().rev() {
                let base = extended.parent().unwrap_or(Path::new("/")).to_owned();
                queue.insert(0, (extended.clone(), base, true));
            }
            files.published.push((path, is_extended, published));
        }
        Ok(files)
    }

    /// The artifact's files: with those of variables, where that is asked for.
    ///
    /// # Errors
    /// Where a file of variables cannot be read.
    pub fn layers(&self, with_environment: bool) -> Result<Vec<Layer>, PublishError> {
        let mut layers = Vec::new();
        for (path, is_extended, published) in &self.published {
            layers.push(Layer {
                kind: match is_extended {
                    true => LayerKind::Extended,
                    false => LayerKind::Project,
                },
                name: match is_extended {
                    true => stand_in(path, "yaml"),
                    false => path.file_name().unwrap_or_default().display().to_string(),
                },
                content: published.text.clone().into_bytes(),
            });
        }
        if with_environment {
            for path in self.env_files() {
                let content = crate::file::read(path).map_err(|error| unreadable(path, &error))?;
                layers.push(Layer {
                    kind: LayerKind::Environment,
                    name: stand_in(path, "env"),
                    content,
                });
            }
        }
        Ok(layers)
    }

    /// Files of variables that are there.
    fn env_files(&self) -> BTreeSet<&Path> {
        let all = self.published.iter().flat_map(|(_, _, p)| &p.env_files);
        all.map(PathBuf::as_path).filter(|p| p.exists()).collect()
    }
}

/// A name that tells nothing of a path, but that it is the same one.
fn stand_in(path: &Path, ending: &str) -> String {
    let hash = Sha256::digest(path.as_os_str().as_encoded_bytes());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hex}.{ending}")
}

fn unreadable(path: &Path, why: &dyn std::fmt::Display) -> PublishError {
    PublishError::Unreadable {
        path: path.display().to_string(),
        why: why.to_string(),
    }
}
