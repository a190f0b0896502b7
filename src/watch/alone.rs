//! One watcher for each project on a machine, be it ours or Docker Compose's: its number stands in a
//! file that both read.

use super::WatchError;
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Held as long as this lives.
#[derive(Debug)]
pub struct Alone {
    path: PathBuf,
    /// Locked, against another one of ours that starts at the same moment.
    _file: File,
}

impl Drop for Alone {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

impl Alone {
    /// Takes the project for this process.
    ///
    /// # Errors
    /// Where another process has it, or the file cannot be written.
    pub fn take(directory: &Path, project: &str) -> Result<Self, WatchError> {
        let taken = |why: String| WatchError::Taken {
            project: project.to_owned(),
            why,
        };
        let path = directory.join(format!("{project}.pid"));
        let failed = |e: std::io::Error| taken(format!("{}: {e}", path.display()));
        fs::create_dir_all(directory).map_err(failed)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        let mut text = String::new();
        // What is no number says nothing.
        let _ = (&file).take(64).read_to_string(&mut text);
        let other = text.trim().parse().ok().filter(|pid| is_alive(*pid));
        let is_locked = flock(&file, FlockOperation::NonBlockingLockExclusive).is_err();
        if let Some(pid) = other.filter(|pid| *pid != std::process::id()) {
            return Err(taken(format!("process with PID {pid} is still running")));
        }
        if is_locked {
            return Err(taken("another process is taking it now".to_owned()));
        }
        file.rewind()
            .and_then(|()| file.set_len(0))
            .and_then(|()| write!(file, "{}", std::process::id()))
            .map_err(failed)?;
        Ok(Alone { path, _file: file })
    }
}

/// Whether a process runs.
fn is_alive(pid: u32) -> bool {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| match rustix::process::test_kill_process(pid) {
        Ok(()) => true,
        // It is another user's.
        Err(error) => error == rustix::io::Errno::PERM,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_living_process_keeps_its_project() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("shop.pid");
        // Nobody's any more.
        fs::write(&file, "999999999").unwrap();
        let held = Alone::take(dir.path(), "shop").unwrap();
        assert_eq!(
            fs::read_to_string(&file).unwrap(),
            std::process::id().to_string()
        );
        drop(held);
        assert!(!file.exists());
        fs::write(&file, "1").unwrap();
        let error = Alone::take(dir.path(), "shop").unwrap_err().to_string();
        assert_eq!(
            error,
            "cannot take exclusive lock for project \"shop\": process with PID 1 is still running"
        );
        Alone::take(dir.path(), "other").unwrap();
    }
}
