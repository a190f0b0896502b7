//! The lock of one machine: a file that is locked as long as its holder lives.
//!
//! Lock files stay where they are: deleting one would let two commands lock what has one name. They
//! are the user's alone ([`crate::private`]): another user who can open one can keep it locked.

use super::claim::{Holder, stem};
use crate::private;
use sha2::{Digest, Sha256};
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// More bytes than this say nothing about a holder.
const MOST: u64 = 64 << 10;

/// A locked file; unlocked when dropped.
#[derive(Debug)]
pub struct FileLock(File);

/// What came of taking it.
#[derive(Debug)]
pub enum Taking {
    Taken(FileLock),
    /// By this command, as far as the file tells.
    Held(Option<Holder>),
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
    /// Where the file cannot be made, is not the user's alone, or its file system has no locks.
    pub fn take(path: &Path, holder: &mut Holder) -> io::Result<Taking> {
        if let Some(directory) = path.parent() {
            private::folder(directory)?;
        }
        let mut file = private::file(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Just taken, it may not tell yet.
                let _ = (&file).take(MOST).read_to_string(&mut text);
                return Ok(Taking::Held(Holder::from_json(&text)));
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
            Taking::Held(other) => assert_eq!(other.unwrap().token, "a"),
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
    fn no_other_user_can_reach_it() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let directory = tempfile::tempdir().unwrap();
        let locks = directory.path().join("locks");
        let path = path(&locks, "unix:///e", "shop");
        // As an older version left them.
        fs::create_dir(&locks).unwrap();
        fs::write(&path, "").unwrap();
        let widen = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        widen(&locks, 0o755);
        widen(&path, 0o644);
        let taken = FileLock::take(&path, &mut holder("a")).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&locks), mode(&path)), (0o700, 0o600));
        drop(taken);
        // A link is not followed, and what it leads to stays as it is.
        fs::remove_file(&path).unwrap();
        let precious = directory.path().join("precious");
        fs::write(&precious, "keep").unwrap();
        symlink(&precious, &path).unwrap();
        let error = FileLock::take(&path, &mut holder("b")).unwrap_err();
        assert!(error.to_string().contains("symbolic link"), "{error}");
        assert_eq!(fs::read_to_string(&precious).unwrap(), "keep");
    }

    #[test]
    fn a_holder_without_a_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = path(directory.path(), "unix:///e", "shop");
        for text in ["", "{", "\u{1b}[2J"] {
            fs::write(&path, text).unwrap();
            let locked = File::open(&path).unwrap();
            locked.lock().unwrap();
            let taking = FileLock::take(&path, &mut holder("b")).unwrap();
            assert!(matches!(taking, Taking::Held(None)), "{text:?}");
        }
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
