//! The directories that are watched, and what has changed in them.
//!
//! Each directory is watched by itself, so that those that no rule is about cost nothing. A directory
//! that appears is watched first and read then: what comes into it meanwhile is seen twice rather than
//! never. The directories around the roots are watched too: a root may go and come back.

use super::WatchError;
use notify::event::{AccessKind, AccessMode, ModifyKind, RemoveKind, RenameMode};
use notify::{ErrorKind, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// A path that has changed, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    pub path: PathBuf,
    pub is_gone: bool,
    /// It was a directory that was watched.
    pub was_directory: bool,
}

/// What was told since the last time.
#[derive(Debug)]
pub struct Changes {
    paths: BTreeSet<PathBuf>,
    /// Directories that have gone, or have another name: they are watched no more.
    gone: BTreeSet<PathBuf>,
    /// Not all could be told.
    pub is_lost: bool,
    trouble: Option<String>,
    pub since: Instant,
    last: Instant,
}

impl Changes {
    /// Nothing has changed.
    pub fn now() -> Self {
        let now = Instant::now();
        Changes {
            paths: BTreeSet::new(),
            gone: BTreeSet::new(),
            is_lost: false,
            trouble: None,
            since: now,
            last: now,
        }
    }
}

#[derive(Default)]
struct Heard {
    changes: Mutex<Option<Changes>>,
    woken: Notify,
}

impl Heard {
    fn lock(&self) -> MutexGuard<'_, Option<Changes>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes an event, unless it tells of nothing but reading.
    fn note(&self, event: notify::Result<Event>) {
        let is_read = |kind: &EventKind| match kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => false,
            EventKind::Access(_) => true,
            _ => false,
        };
        if event.as_ref().is_ok_and(|event| is_read(&event.kind)) {
            return;
        }
        let mut held = self.lock();
        let changes = held.get_or_insert_with(Changes::now);
        changes.last = Instant::now();
        match event {
            Ok(event) => {
                changes.is_lost |= event.need_rescan();
                let is_gone = matches!(
                    event.kind,
                    EventKind::Remove(RemoveKind::Folder | RemoveKind::Other)
                        | EventKind::Modify(ModifyKind::Name(RenameMode::From))
                );
                if is_gone {
                    changes.gone.extend(event.paths.iter().cloned());
                }
                changes.paths.extend(event.paths);
            }
            Err(error) => changes.trouble = Some(error.to_string()),
        }
        drop(held);
        self.woken.notify_one();
    }
}

/// The watched directories.
pub struct Tree {
    watcher: RecommendedWatcher,
    heard: Arc<Heard>,
    /// What rules are about: files, or directories with all in them.
    roots: BTreeSet<PathBuf>,
    /// Directories that are watched with what is in them.
    watched: BTreeSet<PathBuf>,
    /// Directories that are watched for what a root, or a file of the project, does there.
    around: BTreeSet<PathBuf>,
}

/// After so long without a change it is time to act; longer the more has changed, since more is to
/// come then. What an editor does to save a file comes in one go.
const QUIET: Duration = Duration::from_millis(12);
const MOST_QUIET: Duration = Duration::from_millis(250);
/// Of what changes all the time something is done now and then.
const LONGEST: Duration = Duration::from_secs(2);

type Skips<'a> = &'a dyn Fn(&Path) -> bool;

impl Tree {
    /// Begins to watch the roots, and files beside them.
    ///
    /// # Errors
    /// Where the system does not let us.
    pub fn new(
        roots: BTreeSet<PathBuf>,
        files: &[PathBuf],
        skips: Skips<'_>,
    ) -> Result<Self, WatchError> {
        let heard = Arc::new(Heard::default());
        let listener = heard.clone();
        let watcher = notify::recommended_watcher(move |event| listener.note(event))
            .map_err(|error| limit(Path::new("files"), error))?;
        let mut tree = Tree {
            watcher,
            heard,
            roots,
            watched: BTreeSet::new(),
            around: BTreeSet::new(),
        };
        for root in tree.roots.clone() {
            tree.enter(&root, skips, &mut Vec::new())?;
        }
        for path in tree.roots.clone().iter().chain(files) {
            tree.stand_around(path)?;
        }
        Ok(tree)
    }

    /// Watches the directory that a path is in, or the nearest one there is.
    fn stand_around(&mut self, path: &Path) -> Result<(), WatchError> {
        let Some(directory) = path.ancestors().skip(1).find(|d| d.is_dir()) else {
            return Ok(());
        };
        if !self.watched.contains(directory) && self.around.insert(directory.to_owned()) {
            self.watch(directory)?;
        }
        Ok(())
    }

    /// Watches a directory; one that has gone meanwhile is told of by itself.
    fn watch(&mut self, directory: &Path) -> Result<bool, WatchError> {
        match self.watcher.watch(directory, RecursiveMode::NonRecursive) {
            Ok(()) => Ok(true),
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(limit(directory, error)),
        }
    }

    /// Watches a directory and all in it that rules are about; notes what is found.
    fn enter(
        &mut self,
        path: &Path,
        skips: Skips<'_>,
        found: &mut Vec<PathBuf>,
    ) -> Result<(), WatchError> {
        let mut left = vec![path.to_owned()];
        while let Some(directory) = left.pop() {
            let is_directory = fs::symlink_metadata(&directory).is_ok_and(|m| m.is_dir());
            if !is_directory || skips(&directory) || self.watched.contains(&directory) {
                continue;
            }
            if !self.watch(&directory)? {
                continue;
            }
            self.watched.insert(directory.clone());
            list(&directory, &mut left, found);
        }
        Ok(())
    }

    /// Forgets a directory and all in it.
    fn leave(&mut self, path: &Path) {
        let below: Vec<PathBuf> = self
            .watched
            .range(path.to_owned()..)
            .take_while(|directory| directory.starts_with(path))
            .cloned()
            .collect();
        for directory in below {
            self.watched.remove(&directory);
            // The system may have forgotten it already.
            let _ = self.watcher.unwatch(&directory);
        }
        if self.around.remove(path) {
            let _ = self.watcher.unwatch(path);
        }
    }

    /// Waits for changes, and then until it is quiet.
    ///
    /// # Errors
    /// Where the system stops telling.
    pub async fn quiet(&self) -> Result<Changes, WatchError> {
        loop {
            self.heard.woken.notified().await;
            loop {
                let wait = {
                    let mut held = self.heard.lock();
                    let Some(changes) = held.as_mut() else { break };
                    let more = Duration::from_micros(200)
                        * u32::try_from(changes.paths.len()).unwrap_or(u32::MAX);
                    let quiet = (QUIET + more).min(MOST_QUIET);
                    let until = (changes.last + quiet).min(changes.since + LONGEST);
                    let wait = until.saturating_duration_since(Instant::now());
                    if wait.is_zero() {
                        if let Some(why) = changes.trouble.take() {
                            let path = "files".to_owned();
                            return Err(WatchError::System { path, why });
                        }
                        if let Some(changes) = held.take() {
                            return Ok(changes);
                        }
                    }
                    wait
                };
                tokio::time::sleep(wait).await;
            }
        }
    }

    /// What has become of changed paths. New directories are watched from here on, and what is in
    /// them is among what has changed.
    ///
    /// # Errors
    /// Where the system watches no more.
    pub fn look(
        &mut self,
        changes: &Changes,
        skips: Skips<'_>,
    ) -> Result<Vec<Changed>, WatchError> {
        let mut directories = BTreeSet::new();
        for path in &changes.gone {
            if self.watched.contains(path) {
                directories.insert(path.clone());
            }
            self.leave(path);
        }
        let mut all = BTreeSet::new();
        for path in &changes.paths {
            let metadata = fs::symlink_metadata(path);
            let is_directory = metadata.as_ref().is_ok_and(fs::Metadata::is_dir);
            if metadata.is_err() && self.watched.contains(path) {
                directories.insert(path.clone());
                self.leave(path);
            }
            let is_new = is_directory && !self.watched.contains(path);
            if is_new && self.roots.iter().any(|root| path.starts_with(root)) {
                let mut found = Vec::new();
                self.enter(path, skips, &mut found)?;
                all.extend(found.into_iter().map(|path| (path, false)));
            }
            all.insert((path.clone(), metadata.is_err()));
        }
        // A root that has come back, or whose directory has.
        let near = |root: &PathBuf| changes.paths.iter().any(|path| root.starts_with(path));
        let roots: Vec<PathBuf> = self
            .roots
            .iter()
            .filter(|root| near(root))
            .cloned()
            .collect();
        for root in roots {
            self.stand_around(&root)?;
            if !self.watched.contains(&root) && root.exists() {
                let mut found = Vec::new();
                self.enter(&root, skips, &mut found)?;
                all.extend(found.into_iter().map(|path| (path, false)));
            }
        }
        Ok(all
            .into_iter()
            .map(|(path, is_gone)| Changed {
                was_directory: directories.contains(&path),
                path,
                is_gone,
            })
            .collect())
    }

    /// All that is there.
    ///
    /// # Errors
    /// As [`Tree::look`].
    pub fn all(&mut self, skips: Skips<'_>) -> Result<Vec<Changed>, WatchError> {
        let mut found = Vec::new();
        for root in self.roots.clone() {
            self.enter(&root, skips, &mut found)?;
            if fs::symlink_metadata(&root).is_ok_and(|m| !m.is_dir()) {
                found.push(root);
            }
        }
        for directory in &self.watched {
            list(directory, &mut Vec::new(), &mut found);
        }
        let found: BTreeSet<PathBuf> = found.into_iter().collect();
        let there = found.into_iter().map(|path| Changed {
            path,
            is_gone: false,
            was_directory: false,
        });
        Ok(there.collect())
    }
}

/// Notes what is in a directory, and which of that are directories. One that cannot be read says so
/// when it is synced.
fn list(directory: &Path, directories: &mut Vec<PathBuf>, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            directories.push(path.clone());
        }
        found.push(path);
    }
}

fn is_missing(error: &notify::Error) -> bool {
    match &error.kind {
        ErrorKind::PathNotFound => true,
        ErrorKind::Io(error) => matches!(
            error.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
        ),
        _ => false,
    }
}

/// Why a path cannot be watched; limits by their names, with what to do.
fn limit(path: &Path, error: notify::Error) -> WatchError {
    let code = match &error.kind {
        ErrorKind::MaxFilesWatch => Some(28),
        ErrorKind::Io(error) => error.raw_os_error(),
        _ => None,
    };
    match code {
        // ENOSPC
        Some(28) => WatchError::Limit(format!(
            "cannot watch {}: the system watches no more directories for this user (fs.inotify.max_user_watches); \
             raise the limit (`sysctl fs.inotify.max_user_watches=524288`), or leave out large directories with `ignore`",
            path.display()
        )),
        // EMFILE
        Some(24) => WatchError::Limit(
            "cannot watch files: this user has too many watching programs (fs.inotify.max_user_instances); \
             raise the limit (`sysctl fs.inotify.max_user_instances=512`), or end some"
                .to_owned(),
        ),
        _ => WatchError::System {
            path: path.display().to_string(),
            why: error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests;
