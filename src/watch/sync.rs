//! Bringing changed files into a container: one tar, then one command that deletes what is gone.

use crate::copy::pack::Packer;
use crate::engine::{
    ContainerState, ContainerSummary, Engine, EngineError, ExecRequest, OutputStream, Upload,
};
use crate::exec::exit_code;
use crate::pipe;
use futures::StreamExt;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A path that changed, and where it is in the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub host: PathBuf,
    pub target: String,
    pub is_gone: bool,
}

/// Most bytes of paths that one command deletes: systems limit a command's length.
const COMMAND: usize = 64 << 10;

/// Brings changes into a container. Gives what could not be read, in words.
///
/// # Errors
/// Where the engine refuses, or a file became shorter while it was read.
pub async fn sync(
    engine: &dyn Engine,
    container: &ContainerSummary,
    changes: &[Change],
) -> Result<Vec<String>, EngineError> {
    let mut warnings = Vec::new();
    let gone: Vec<&Change> = changes.iter().filter(|change| change.is_gone).collect();
    // There is nobody to delete anything in one that does not run.
    if container.state == ContainerState::Running {
        warnings.extend(delete(engine, &container.id, &gone).await?);
    }
    let there: Arc<Vec<Change>> =
        Arc::new(changes.iter().filter(|c| !c.is_gone).cloned().collect());
    if there.is_empty() {
        return Ok(warnings);
    }
    match copy(engine, &container.id, &there, true).await {
        // The container reaches a directory through a link, or has one where a file comes now: the
        // files by themselves are enough.
        Err(error) if error.message().contains("cannot overwrite") => {
            warnings.extend(copy(engine, &container.id, &there, false).await?);
        }
        done => warnings.extend(done?),
    }
    Ok(warnings)
}

async fn copy(
    engine: &dyn Engine,
    container: &str,
    changes: &Arc<Vec<Change>>,
    with_directories: bool,
) -> Result<Vec<String>, EngineError> {
    let unread = Arc::new(Mutex::new(Vec::new()));
    let (changes, told) = (changes.clone(), unread.clone());
    let upload = Upload {
        path: "/".to_owned(),
        keeps_kinds: with_directories,
        for_its_user: true,
        tar: pipe::written("files to sync", move |out| {
            let skipped = pack(&changes, with_directories, out)?;
            told.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(skipped);
            Ok(())
        }),
    };
    engine.upload(container, upload).await?;
    let mut unread = unread.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(std::mem::take(&mut *unread))
}

/// Writes the tar. Gives what could not be read; what has gone meanwhile is told by its own change.
fn pack(
    changes: &[Change],
    with_directories: bool,
    out: &mut dyn Write,
) -> io::Result<Vec<String>> {
    let mut unread = Vec::new();
    let mut packer = Packer::new(out);
    let implied: BTreeSet<&str> = match with_directories {
        true => BTreeSet::new(),
        false => changes.iter().flat_map(|c| above(&c.target)).collect(),
    };
    for change in changes {
        let added = fs::symlink_metadata(&change.host).and_then(|metadata| {
            if metadata.is_dir() && implied.contains(change.target.as_str()) {
                return Ok(());
            }
            let name = change.target.trim_start_matches('/').as_bytes();
            match name {
                b"" => Ok(()),
                name => packer.entry(&change.host, name, &metadata),
            }
        });
        match added {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                unread.push(format!("{} is not synced: {error}", change.host.display()));
            }
            Err(error) => return Err(error),
        }
    }
    packer.finish()?;
    Ok(unread)
}

/// The directories that a path is in.
fn above(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

/// Deletes paths. Gives what the command said where it failed.
async fn delete(
    engine: &dyn Engine,
    container: &str,
    gone: &[&Change],
) -> Result<Vec<String>, EngineError> {
    let mut warnings = Vec::new();
    let mut rest = gone.iter().map(|change| change.target.as_str()).peekable();
    while rest.peek().is_some() {
        let mut command = ["rm", "-rf", "--"].map(str::to_owned).to_vec();
        let mut length = 0;
        while let Some(path) = rest.next_if(|path| length == 0 || length + path.len() < COMMAND) {
            length += path.len() + 1;
            // The root of a container is nobody's to delete.
            if path != "/" {
                command.push(path.to_owned());
            }
        }
        if command.len() == 3 {
            continue;
        }
        let request = ExecRequest {
            command,
            ..ExecRequest::default()
        };
        let id = engine.create_exec(container, request.clone()).await?;
        let mut session = engine.start_exec(&id, &request).await?;
        let mut said = String::new();
        while let Some(chunk) = session.output.next().await {
            let chunk = chunk?;
            let (OutputStream::Stdout | OutputStream::Stderr) = chunk.stream;
            if said.len() < 1000 {
                said.push_str(&String::from_utf8_lossy(&chunk.bytes));
            }
        }
        let code = exit_code(engine, &id).await?;
        if code != 0 {
            let said = said.trim();
            warnings.push(format!(
                "what is gone here is not deleted there: `rm` exited with {code}: {said}"
            ));
        }
    }
    Ok(warnings)
}

/// What was synced where: the first by name, the others by number.
pub fn told(changes: &[Change], project: &Path) -> String {
    let Some(first) = changes.first() else {
        return "nothing".to_owned();
    };
    let host = first
        .host
        .strip_prefix(project)
        .unwrap_or(&first.host)
        .display();
    let one = match first.is_gone {
        true => format!("{} removed", first.target),
        false => format!("{host} → {}", first.target),
    };
    match changes.len() {
        1 => one,
        n => format!("{one} and {} more", n - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(host: &Path, target: &str) -> Change {
        Change {
            host: host.to_owned(),
            target: target.to_owned(),
            is_gone: false,
        }
    }

    #[test]
    fn one_tar_for_all_that_is_still_there() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::create_dir(root.join("sub")).unwrap();
        fs::write(root.join("sub/a"), "a").unwrap();
        let changes = [
            change(&root.join("sub"), "/app/sub"),
            change(&root.join("sub/a"), "/app/sub/a"),
            change(&root.join("gone"), "/app/gone"),
            change(root, "/"),
        ];
        let names = |with_directories| {
            let mut tar = Vec::new();
            assert!(
                pack(&changes, with_directories, &mut tar)
                    .unwrap()
                    .is_empty()
            );
            let mut archive = tar::Archive::new(tar.as_slice());
            let entries = archive.entries().unwrap();
            let names = entries.map(|e| e.unwrap().path().unwrap().display().to_string());
            names.collect::<Vec<_>>()
        };
        assert_eq!(names(true), ["app/sub/", "app/sub/a"]);
        assert_eq!(names(false), ["app/sub/a"]);
    }

    #[test]
    fn a_line_tells_the_first_and_the_number() {
        let project = Path::new("/p");
        let mut changes = vec![change(Path::new("/p/src/a"), "/app/a")];
        assert_eq!(told(&changes, project), "src/a → /app/a");
        changes.push(change(Path::new("/q/b"), "/app/b"));
        assert_eq!(told(&changes, project), "src/a → /app/a and 1 more");
        changes[0].is_gone = true;
        assert_eq!(told(&changes[..1], project), "/app/a removed");
    }
}
