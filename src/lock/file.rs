//! The lock of one machine: a file that is locked as long as its holder lives.
//!
//! Lock files stay where they are: whoever deleted one would let two lock what has one name.

use super::claim::{Holder, stem};
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// A locked file; unlocked when dropped.
#[derive(Debug)]
pub struct FileLock(File);

/// What came of taking it.
#[derive(Debug)]
pub enum Taking {
    Taken(FileLock),
    /// As far as it tells, by whom.
    Held(Holder),
}

/// Where the lock file of a project on an engine is.
pub fn path(directory: &Path, endpoint: &str, project: &str) -> PathBuf {
    let digest = Sha256::digest(format!("{endpoint}\0{project}"));
    let hex: String = digest[..8].iter().map(|b| format!("{b:02x}")).collect();
    directory.join(format!("{}-{hex}.lock", stem(project)))
}

impl FileLock {
    /// Takes the lock where it is free, writes the holder into the file, and gives the holder the
    /// file's identity.
    ///
    /// # Errors
    /// Where the file cannot be made, or its file system has no locks.
    pub fn take(path: &Path, holder: &mut Holder) -> io::Result<Taking> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Just taken, it may not tell yet.
                let _ = file.read_to_string(&mut text);
                return Ok(Taking::Held(Holder::from_json(&text).unwrap_or_else(
                    || Holder {
                        host: holder.host.clone(),
                        command: "another command".into(),
                        ..Holder::default()
                    },
                )));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        holder.file = identity(&file);
        // For others to read; the lock does not depend on it.
        let _ = file
            .rewind()
            .and_then(|()| file.set_len(0))
            .and_then(|()| file.write_all(holder.to_json().as_bytes()));
        Ok(Taking::Taken(FileLock(file)))
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        let _ = self.0.set_len(0);
    }
}

/// What no other file of any machine has that is there at the same time: the boot of the kernel,
/// and the kernel's numbers of file system and file, which are not used again while it is open.
/// Mount and process namespaces do not matter.
#[cfg(unix)]
fn identity(file: &File) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let found = file.metadata().ok()?;
    Some(format!("{}:{}:{}", boot.trim(), found.dev(), found.ino()))
}

/// Nothing known: dead holders are waited for.
#[cfg(not(unix))]
fn identity(_: &File) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(token: &str) -> Holder {
        Holder {
            token: token.into(),
            command: "regatta up".into(),
            ..Holder::default()
        }
    }

    #[test]
    fn the_second_learns_who_has_it_and_gets_it_afterwards() {
        let directory = tempfile::tempdir().unwrap();
        let path = path(&directory.path().join("new"), "unix:///e", "shop");
        let (mut a, mut b) = (holder("a"), holder("b"));
        let Taking::Taken(first) = FileLock::take(&path, &mut a).unwrap() else {
            panic!("it is free");
        };
        match FileLock::take(&path, &mut b).unwrap() {
            Taking::Held(other) => assert_eq!(other.token, "a"),
            Taking::Taken(_) => panic!("two have it"),
        }
        drop(first);
        assert!(matches!(
            FileLock::take(&path, &mut b).unwrap(),
            Taking::Taken(_)
        ));
        assert_eq!(a.file, b.file);
        assert_eq!(a.file.is_some(), cfg!(target_os = "linux"));
    }

    #[test]
    fn engines_and_projects_have_files_of_their_own() {
        let at = |endpoint, project| path(Path::new("/d"), endpoint, project);
        assert_ne!(at("unix:///a", "p"), at("unix:///b", "p"));
        assert_ne!(at("unix:///a", "p"), at("unix:///a", "q"));
        assert!(at("x", "p").to_string_lossy().starts_with("/d/p-"));
        let long = at("x", &"p".repeat(250));
        assert!(long.file_name().unwrap().len() < 255);
    }
}
