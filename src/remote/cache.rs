//! The folder of what was fetched: one directory per commit or manifest, complete or not there.

use crate::load::Unfetched;
use crate::lock::system_chance;
use crate::private;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// What begins the name of a directory that is not finished.
const PARTIAL: &str = ".partial-";

/// An unfinished directory of a run that is no more is removed after this time.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// A directory being filled; goes away with its owner unless it was put in place.
pub struct Partial {
    pub path: PathBuf,
}

impl Partial {
    /// Makes one beside its future neighbours, so that putting it in place is one rename. Its name is
    /// chance: containers that share a cache have processes of one number.
    pub fn new(cache: &Path) -> Result<Self, Unfetched> {
        Partial::named(cache, &system_chance)
    }

    fn named(cache: &Path, chance: &dyn Fn() -> u64) -> Result<Self, Unfetched> {
        let made = || -> io::Result<PathBuf> {
            private::folder(cache)?;
            sweep(cache);
            loop {
                let path = cache.join(format!("{PARTIAL}{:016x}{:016x}", chance(), chance()));
                // Another process may be filling what is there.
                match fs::create_dir(&path) {
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    made => return made.map(|()| path),
                }
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn two_at_once_do_not_meet() {
        let dir = tempfile::tempdir().unwrap();
        let cache = dir.path().join("cache");
        // As where two containers with one process number draw the same.
        let drawn = Cell::new(0);
        let chance = || {
            drawn.set(drawn.get() + 1);
            u64::from(drawn.get() > 4)
        };
        let first = Partial::named(&cache, &chance).unwrap();
        fs::write(first.path.join("half"), "x").unwrap();
        let second = Partial::named(&cache, &chance).unwrap();
        assert_ne!(first.path, second.path);
        assert!(first.path.join("half").exists());
        let mode = fs::metadata(&cache).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        // Both have the same to put in one place; one of them does, and nothing is left of the other.
        fs::write(second.path.join("half"), "x").unwrap();
        let is_complete = |path: &Path| path.join("half").exists();
        let target = cache.join("0f");
        first.put(&target, is_complete).unwrap();
        second.put(&target, is_complete).unwrap();
        let names: Vec<_> = fs::read_dir(&cache).unwrap().flatten().collect();
        assert_eq!(names.len(), 1);
        assert!(is_complete(&target));
    }
}
