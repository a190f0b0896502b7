//! The folder of what was fetched: one directory per commit or manifest, complete or not there.

use crate::load::Unfetched;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

/// What begins the name of a directory that is not finished.
const PARTIAL: &str = ".partial-";

/// An unfinished directory of a run that is no more is removed after this time.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// A directory being filled; goes away with its owner unless it was put in place.
pub struct Partial {
    pub path: PathBuf,
}

impl Partial {
    /// Makes one beside its future neighbours, so that putting it in place is one rename.
    pub fn new(cache: &Path) -> Result<Self, Unfetched> {
        let made = || -> io::Result<PathBuf> {
            fs::create_dir_all(cache)?;
            sweep(cache);
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            let path = cache.join(format!("{PARTIAL}{}-{number}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir(&path)?;
            Ok(path)
        };
        let path = made().map_err(|error| unwritable(cache, &error))?;
        Ok(Partial { path })
    }

    /// Gives it its name. Where another run was quicker, that one's stays; what is there but
    /// incomplete makes room.
    pub fn put(self, target: &Path, is_complete: impl Fn(&Path) -> bool) -> Result<(), Unfetched> {
        for _ in 0..3 {
            let Err(error) = fs::rename(&self.path, target) else {
                return Ok(());
            };
            if is_complete(target) {
                return Ok(());
            }
            if !target.exists() {
                return Err(unwritable(target, &error));
            }
            let aside = self.path.with_extension("old");
            let _ = fs::rename(target, &aside);
            let _ = fs::remove_dir_all(&aside);
        }
        let error = io::Error::other("something keeps being put in its place");
        Err(unwritable(target, &error))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // After `put` it is not there any more.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// The failure to write in the cache.
pub fn unwritable(path: &Path, error: &io::Error) -> Unfetched {
    Unfetched {
        why: format!("{}: {error}", path.display()),
        help: Some(
            "files from elsewhere are kept there; XDG_CACHE_HOME names another place".into(),
        ),
    }
}

fn sweep(cache: &Path) {
    let old = |entry: &fs::DirEntry| {
        let is_ours = entry.file_name().to_string_lossy().starts_with(PARTIAL);
        let age = || {
            let changed = entry.metadata().ok()?.modified().ok()?;
            SystemTime::now().duration_since(changed).ok()
        };
        is_ours && age().is_some_and(|age| age > STALE)
    };
    for entry in fs::read_dir(cache).into_iter().flatten().flatten() {
        if old(&entry) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
