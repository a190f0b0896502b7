//! Copying files between this machine and the containers of a service, by Docker's rules
//! ([`paths`]). Both directions stream: however large a file is, some hundred kilobytes of it are
//! in memory.

pub mod pack;
pub mod paths;
pub mod unpack;

use crate::engine::{
    Archive, ContainerFilter, ContainerSummary, Engine, EngineError, PathStat, Upload,
};
use crate::labels;
use crate::pipe;
use futures::stream::{self, BoxStream, StreamExt};
use paths::{Source, There, Unfit, land};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use tokio::sync::mpsc;

/// Why something could not be copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A file of ours cannot be read or written, or a tar is broken.
    #[error("{0}")]
    Local(#[from] io::Error),
    /// Our standard output cannot be written.
    #[error("{0}")]
    Output(io::Error),
    #[error(transparent)]
    Unfit(#[from] Unfit),
    #[error("no container found for service \"{0}\"")]
    NoContainer(String),
    #[error("service \"{service}\" is not running container #{replica}")]
    NoReplica { service: String, replica: u32 },
    #[error("invalid output path: directory \"{0}\" does not exist")]
    NoParent(String),
    #[error("destination \"{0}\" must be a directory")]
    NoDirectory(String),
    /// A device, a pipe, a socket.
    #[error("{0} must be a directory or a regular file")]
    Special(String),
}

impl CopyError {
    /// Whether the engine refused to write, since the container's own file system is read-only.
    pub fn is_read_only(&self) -> bool {
        matches!(self, CopyError::Engine(e) if e.message().contains("marked read-only"))
    }
}

/// Which containers of a service are meant.
#[derive(Debug, Clone, Copy, Default)]
pub struct Meant {
    /// This replica alone.
    pub replica: Option<u32>,
    /// Those of `run`, too.
    pub one_offs: bool,
}

/// The containers of a service, running or not: replicas in their order, then those of `run`.
///
/// # Errors
/// Where there is none, or the engine fails.
pub async fn containers(
    engine: &dyn Engine,
    project: &str,
    service: &str,
    meant: Meant,
) -> Result<Vec<ContainerSummary>, CopyError> {
    let mut labels = vec![
        format!("{}={project}", labels::PROJECT),
        format!("{}={service}", labels::SERVICE),
        labels::CONFIG_HASH.into(),
    ];
    labels.extend(
        meant
            .replica
            .map(|n| format!("{}={n}", labels::CONTAINER_NUMBER)),
    );
    if meant.replica.is_some() || !meant.one_offs {
        labels.push(format!("{}=False", labels::ONEOFF));
    }
    let filter = ContainerFilter { labels, all: true };
    let mut found = engine.list_containers(filter).await?;
    let rank = |c: &ContainerSummary| {
        let label = |key: &str| c.labels.get(key).map_or("", String::as_str);
        let number: u32 = label(labels::CONTAINER_NUMBER).parse().unwrap_or(u32::MAX);
        (label(labels::ONEOFF) == "True", number)
    };
    found.sort_by_key(rank);
    match (found.is_empty(), meant.replica) {
        (false, _) => Ok(found),
        (true, None) => Err(CopyError::NoContainer(service.to_owned())),
        (true, Some(replica)) => Err(CopyError::NoReplica {
            service: service.to_owned(),
            replica,
        }),
    }
}

/// The replicas of all services of a project, running or not.
///
/// # Errors
/// Where the engine fails.
pub async fn replicas(
    engine: &dyn Engine,
    project: &str,
) -> Result<Vec<ContainerSummary>, EngineError> {
    let labels = vec![
        format!("{}={project}", labels::PROJECT),
        labels::CONFIG_HASH.into(),
        format!("{}=False", labels::ONEOFF),
    ];
    let filter = ContainerFilter { labels, all: true };
    engine.list_containers(filter).await
}

/// Where a copy into a container lands, as the engine sees it.
struct Inside {
    path: String,
    there: There,
}

/// Looks at the destination in a container; a link at its end is followed once, as Docker does.
async fn look(engine: &dyn Engine, container: &str, path: &str) -> Result<Inside, CopyError> {
    let mut at = path.to_owned();
    let mut stat = found(engine.stat_path(container, &at).await)?;
    if let Some(link) = stat.as_ref().filter(|s| s.is(PathStat::SYMLINK)) {
        at = paths::follow(&at, &link.link_target);
        stat = found(engine.stat_path(container, &at).await)?;
    }
    let there = match stat {
        None => There::Nothing,
        Some(stat) if stat.is(PathStat::DIRECTORY) => There::Directory,
        Some(stat) if stat.is(PathStat::DEVICE) || stat.is(PathStat::IRREGULAR) => {
            return Err(CopyError::Special(format!("destination \"{path}\"")));
        }
        Some(_) => There::Other,
    };
    Ok(Inside { path: at, there })
}

/// What is not there is nothing; a container that is not there, too, is found out right after.
fn found(stat: Result<PathStat, EngineError>) -> Result<Option<PathStat>, EngineError> {
    match stat {
        Ok(stat) => Ok(Some(stat)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// What is copied into containers.
#[derive(Debug, Clone, Copy)]
pub struct Into<'a> {
    /// The path in the container.
    pub path: &'a str,
    /// Links at the end of our path are followed.
    pub follows_links: bool,
    /// The files belong to the user that the container runs as; else to those that they belong to
    /// here.
    pub for_its_user: bool,
}

/// Copies a path of this machine (absolute, as [`paths::keep_end`] gives it) into a container.
///
/// # Errors
/// Where the path is not there, does not fit, cannot be read, or the engine refuses.
pub async fn to_container(
    engine: &dyn Engine,
    container: &str,
    local: &str,
    into: Into<'_>,
) -> Result<(), CopyError> {
    let (local, rename) = resolve(local, into.follows_links)?;
    let metadata = fs::symlink_metadata(&local).map_err(|e| at(e, &local))?;
    let inside = look(engine, container, into.path).await?;
    let source = Source {
        base: rename.unwrap_or_else(|| paths::split(&local).1),
        is_directory: metadata.is_dir(),
    };
    let landing = land(&source, &inside.path, inside.there)?;
    let name = match &landing.rename {
        Some(rename) => rename.to.clone(),
        None if source.base == "/" => ".".to_owned(),
        None => source.base,
    };
    let upload = Upload {
        path: landing.directory,
        keeps_kinds: true,
        for_its_user: into.for_its_user,
        tar: pipe::written("files to copy", move |out| {
            pack::pack(Path::new(&local), name.as_bytes(), out)
        }),
    };
    send(engine, container, upload).await
}

/// Whether a path of this machine is there to be copied.
///
/// # Errors
/// Where it is not.
pub fn check_source(local: &str) -> Result<(), CopyError> {
    let (local, _) = resolve(local, false)?;
    match fs::symlink_metadata(&local) {
        Ok(_) => Ok(()),
        Err(error) => Err(at(error, &local).into()),
    }
}

/// Unpacks a tar in containers, each of which gets all of it while it is read once.
///
/// # Errors
/// Of each container: where the path is no directory there, or the engine refuses.
pub async fn tar_to_containers(
    engine: &dyn Engine,
    containers: &[String],
    tar: BoxStream<'static, io::Result<Vec<u8>>>,
    into: Into<'_>,
) -> Vec<Result<(), CopyError>> {
    let mut places = Vec::new();
    for container in containers {
        let inside = look(engine, container, into.path).await;
        places.push(inside.and_then(|inside| match inside.there {
            There::Directory => Ok(inside.path),
            _ => Err(CopyError::NoDirectory(into.path.to_owned())),
        }));
    }
    let count = places.iter().filter(|place| place.is_ok()).count();
    let mut copies = copies(tar, count).into_iter();
    let uploads = containers.iter().zip(places).map(|(container, place)| {
        let tar = place.is_ok().then(|| copies.next()).flatten();
        async move {
            let upload = Upload {
                path: place?,
                keeps_kinds: true,
                for_its_user: into.for_its_user,
                tar: tar.unwrap_or_else(|| stream::empty().boxed()),
            };
            send(engine, container, upload).await
        }
    });
    futures::future::join_all(uploads).await
}

/// A stream for each of several readers, as fast as the slowest of them.
fn copies(
    mut tar: BoxStream<'static, io::Result<Vec<u8>>>,
    count: usize,
) -> Vec<BoxStream<'static, io::Result<Vec<u8>>>> {
    if count < 2 {
        return std::iter::once(tar).take(count).collect();
    }
    let (mut senders, mut all) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let (sender, receiver) = mpsc::channel(2);
        senders.push(Some(sender));
        let copy = stream::unfold(receiver, |mut receiver| async move {
            Some((receiver.recv().await?, receiver))
        });
        all.push(copy.boxed());
    }
    tokio::spawn(async move {
        while let Some(piece) = tar.next().await {
            for sender in &mut senders {
                let Some(open) = sender else { continue };
                let piece = match &piece {
                    Ok(bytes) => Ok(bytes.clone()),
                    Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
                };
                if open.send(piece).await.is_err() {
                    // It has been refused: the others go on.
                    *sender = None;
                }
            }
            if senders.iter().all(Option::is_none) {
                return;
            }
        }
    });
    all
}

/// Sends a tar. What went wrong while it was made is told, rather than that the engine's connection
/// broke off for it.
async fn send(engine: &dyn Engine, container: &str, upload: Upload) -> Result<(), CopyError> {
    let (told, mut fault) = mpsc::unbounded_channel();
    let tar = upload.tar.inspect(move |piece| {
        if let Err(error) = piece {
            let _ = told.send(io::Error::new(error.kind(), error.to_string()));
        }
    });
    let upload = Upload {
        tar: tar.boxed(),
        ..upload
    };
    let sent = engine.upload(container, upload).await;
    match (sent, fault.try_recv()) {
        (Ok(()), _) => Ok(()),
        (Err(_), Ok(fault)) => Err(fault.into()),
        (Err(error), Err(_)) => Err(error.into()),
    }
}

/// The path that is copied: links before its end are followed, one at its end where that is asked
/// for; then the name that was asked for goes along.
fn resolve(path: &str, follows: bool) -> Result<(String, Option<String>), CopyError> {
    let real = |path: &str| {
        let real = fs::canonicalize(path).map_err(|e| at(e, path))?;
        Ok::<_, CopyError>(real.display().to_string())
    };
    if follows {
        return Ok(paths::resolved(path, &real(path)?));
    }
    let (parent, last) = match path.rsplit_once('/') {
        Some(("", last)) => ("/", last),
        Some((parent, last)) => (parent, last),
        None => (".", path),
    };
    match last {
        "" if path == "/" => Ok(("/".to_owned(), None)),
        // A slash at the end: a link before it is followed, and its name kept.
        "" => Ok(paths::resolved(path, &real(path)?)),
        last => Ok((
            format!("{}/{last}", real(parent)?.trim_end_matches('/')),
            None,
        )),
    }
}

/// Copies a path of a container to a path of this machine, or as a tar to a writer. Gives the path
/// that was read.
///
/// # Errors
/// Where the path is not there, does not fit, cannot be written, or the engine refuses.
pub async fn from_container(
    engine: &dyn Engine,
    container: &str,
    path: &str,
    follows_links: bool,
    to: Destination<'_>,
) -> Result<(), CopyError> {
    if let Destination::Path(local) = to {
        check_output(local)?;
    }
    let (mut path, mut rename) = (path.to_owned(), None);
    if follows_links
        && let Some(stat) = found(engine.stat_path(container, &path).await)?
        && stat.is(PathStat::SYMLINK)
    {
        let target = paths::follow(&path, &stat.link_target);
        (path, rename) = paths::resolved(&path, &target);
    }
    let Archive { stat, mut tar } = engine.download(container, &path).await?;
    let local = match to {
        Destination::Path(local) => local,
        Destination::Writer(out) => {
            while let Some(piece) = tar.next().await {
                out.write_all(&piece?).map_err(CopyError::Output)?;
            }
            return out.flush().map_err(CopyError::Output);
        }
    };
    let (local, there) = local_destination(local)?;
    let base = paths::split(&path).1;
    let source = Source {
        base: base.clone(),
        is_directory: stat.is(PathStat::DIRECTORY),
    };
    let mut landing = land(&source, &local, there)?;
    if let (None, Some(to)) = (&landing.rename, rename) {
        landing.rename = Some(paths::Rename { from: base, to });
    }
    let pieces = tar.map(|piece| piece.map_err(CopyError::from));
    pipe::read("files to copy", pieces, move |from| {
        let directory = Path::new(&landing.directory);
        Ok(unpack::unpack(from, directory, landing.rename.as_ref())?)
    })
    .await
}

/// Where a container's files go to.
pub enum Destination<'a> {
    /// Absolute, as [`paths::keep_end`] gives it.
    Path(&'a str),
    /// As a tar.
    Writer(&'a mut dyn Write),
}

/// Refuses what can be no destination, before anything is asked for.
fn check_output(path: &str) -> Result<(), CopyError> {
    let parent = paths::split(&paths::clean(path)).0;
    if fs::metadata(&parent).is_err_and(|e| e.kind() == io::ErrorKind::NotFound) {
        return Err(CopyError::NoParent(parent));
    }
    match fs::metadata(path) {
        Ok(metadata) => {
            let kind = metadata.file_type();
            let is_special = kind.is_char_device() || kind.is_block_device();
            match is_special {
                true => Err(CopyError::Special(format!(
                    "invalid output path: \"{path}\""
                ))),
                false => Ok(()),
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(at(error, path).into()),
    }
}

/// The destination with links at its end followed, also to what is not there yet.
fn local_destination(path: &str) -> Result<(String, There), CopyError> {
    const LINKS: usize = 10;
    let mut path = path.to_owned();
    for _ in 0..=LINKS {
        let metadata = match fs::symlink_metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok((path, There::Nothing));
            }
            Err(error) => return Err(at(error, &path).into()),
        };
        if metadata.is_dir() {
            return Ok((path, There::Directory));
        }
        if !metadata.is_symlink() {
            return Ok((path, There::Other));
        }
        let target = fs::read_link(&path).map_err(|e| at(e, &path))?;
        path = paths::follow(&path, &target.display().to_string());
    }
    Err(io::Error::other(format!("too many links: {path}")).into())
}

/// An error of a path, where nothing is there in Docker Compose's words.
fn at(error: io::Error, path: &str) -> io::Error {
    let message = match error.kind() {
        io::ErrorKind::NotFound => format!("lstat {path}: no such file or directory"),
        io::ErrorKind::NotADirectory => format!("{path}: not a directory"),
        _ => format!("{path}: {error}"),
    };
    io::Error::new(error.kind(), message)
}
