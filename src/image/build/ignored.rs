//! The `.dockerignore` of a build. It keeps keys and passwords out of images, so one that cannot be
//! read whole, or means nothing, ends the build: it is never taken for none.

use super::{BuildError, is_remote, refuse};
use crate::file;
use crate::image::ignore::Ignore;
use crate::service::Service;
use crate::service::build::Build;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub const NAME: &str = ".dockerignore";

/// What a context leaves out.
#[derive(Debug, Default)]
pub struct Ignored {
    /// The file's bytes; none where there is no file.
    pub content: Vec<u8>,
    pub patterns: Ignore,
}

/// Reads the file that counts: the one beside the Dockerfile (`NAME.dockerignore`), else that of the
/// context.
///
/// # Errors
/// Any but that there is none, with the file and, where it is a pattern, its line.
pub fn read(
    service: &Service,
    directory: &Path,
    dockerfile: Option<&Path>,
) -> Result<Ignored, BuildError> {
    let beside = dockerfile.map(|path| {
        let mut name = path.as_os_str().to_owned();
        name.push(NAME);
        PathBuf::from(name)
    });
    for path in beside.into_iter().chain([directory.join(NAME)]) {
        let fail = |why: String| {
            let message = format!(
                "{}{why}; nothing is built, since files that it excludes would be sent",
                path.display()
            );
            refuse(service, "context", message)
        };
        let content = match file::read(&path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match fs::symlink_metadata(&path) {
                    Ok(_) => return Err(fail(" is a link that leads nowhere".into())),
                    Err(_) => continue,
                }
            }
            Err(error) => return Err(fail(format!(" cannot be read: {error}"))),
        };
        let patterns = Ignore::parse(&content).map_err(|bad| {
            fail(format!(
                ":{}: syntax error in pattern `{}`: {}",
                bad.line, bad.pattern, bad.why
            ))
        })?;
        return Ok(Ignored { content, patterns });
    }
    Ok(Ignored::default())
}

/// Looks at the files that `docker-buildx` will read for a build, further contexts' among them.
///
/// # Errors
/// As [`read`].
pub fn check(service: &Service, build: &Build) -> Result<(), BuildError> {
    let is_local = |context: &str| !is_remote(context) && Path::new(context).is_dir();
    if is_local(&build.context) {
        let directory = Path::new(&build.context);
        let name = build.dockerfile.as_deref().filter(|name| !name.is_empty());
        let path = directory.join(name.unwrap_or("Dockerfile"));
        let inline = build.dockerfile_inline.is_some();
        read(service, directory, (!inline).then_some(path.as_path()))?;
    }
    for context in build.additional_contexts.values() {
        if is_local(context) {
            read(service, Path::new(context), None)?;
        }
    }
    Ok(())
}
