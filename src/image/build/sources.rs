//! What `docker-buildx` will read on this machine for a build: it has to be there.

use super::direct::{dockerfile_path, words};
use super::{BuildError, bake, refuse};
use crate::project::Project;
use crate::service::Service;
use crate::service::build::Build;
use std::fs;
use std::path::Path;

/// Looks for contexts, the Dockerfile, and what secrets are taken from.
///
/// # Errors
/// The first of them that is not there.
pub fn check(project: &Project, service: &Service, build: &Build) -> Result<(), BuildError> {
    let has_no_directory = |context: &str| is_path(context) && !Path::new(context).is_dir();
    if has_no_directory(&build.context) {
        let message = format!("there is no directory {}", build.context);
        return Err(refuse(service, "context", message));
    }
    if build.dockerfile_inline.is_none() && is_path(&build.context) {
        let name = build.dockerfile.as_deref().filter(|name| !name.is_empty());
        let path = dockerfile_path(Path::new(&build.context), name.unwrap_or("Dockerfile"));
        fs::metadata(&path).map_err(|error| {
            let message = format!("Dockerfile {}: {}", path.display(), words(&error));
            refuse(service, "dockerfile", message)
        })?;
    }
    let mut contexts = build.additional_contexts.iter();
    // An archive of a context may be a file.
    if let Some((name, path)) = contexts.find(|(_, c)| is_path(c) && !Path::new(c).exists()) {
        let message = format!("the context {name} does not exist: {path}");
        return Err(refuse(service, "additional_contexts", message));
    }
    bake::secrets(project, service, build)?;
    for reference in &build.secrets {
        let object = project.secrets.get(&reference.source);
        let file = object.and_then(|object| object.file.as_deref());
        if let Some(file) = file.filter(|file| is_path(file) && !Path::new(file).exists()) {
            let message = format!("secret {:?}: {file} does not exist", reference.source);
            return Err(refuse(service, "secrets", message));
        }
    }
    Ok(())
}

/// Paths on this machine are absolute by now; all else is an address.
fn is_path(text: &str) -> bool {
    text.starts_with('/')
}
