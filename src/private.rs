//! Folders and files that are the user's alone: locks, and what was fetched from elsewhere.
//!
//! Somebody else who can open a lock file can hold the lock, and a fetched project may hold
//! passwords. A folder is 0700 and a file 0600; a wider mode of an older version is narrowed. A
//! folder of another user is refused: what lies in it may lead anywhere.

use rustix::fs::OFlags;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The modes of folders and files.
const FOLDER: u32 = 0o700;
const FILE: u32 = 0o600;

/// Makes a folder for the user alone, with what is missing above it. One that is there already
/// must be the user's own, and is narrowed.
///
/// # Errors
/// Where it cannot be made, is something else, or belongs to another user.
pub fn folder(path: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(FOLDER)
        .create(path)?;
    // Links above it are the user's own choice; the folder itself is looked at where it leads.
    let found = fs::metadata(path)?;
    own(&found, path)?;
    if found.permissions().mode() & 0o777 & !FOLDER != 0 {
        fs::set_permissions(path, Permissions::from_mode(FOLDER))?;
    }
    Ok(())
}

/// Opens a file for reading and writing, for the user alone; makes it where it is missing. A
/// symbolic link is not followed.
///
/// # Errors
/// Where it cannot be opened, is no ordinary file, or belongs to another user.
pub fn file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(FILE)
        // A named pipe would wait for its other end.
        .custom_flags(flags(OFlags::NOFOLLOW | OFlags::NONBLOCK))
        .open(path)
        .map_err(|error| match is_link(path) {
            true => io::Error::other("it is a symbolic link, which is not followed here"),
            false => error,
        })?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    own(&found, path)?;
    if found.permissions().mode() & 0o777 & !FILE != 0 {
        file.set_permissions(Permissions::from_mode(FILE))?;
    }
    Ok(file)
}

/// Writes a new file for the user alone.
///
/// # Errors
/// Where it cannot be written, or something is there already.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(FILE)
        .open(path)?;
    io::Write::write_all(&mut file, content)
}

/// A file under way: it takes its place once all of it is written, and goes if it never is.
pub struct NewFile {
    file: Option<File>,
    temporary: PathBuf,
    path: PathBuf,
}

impl NewFile {
    /// Begins one in the folder where it is to be.
    ///
    /// # Errors
    /// Where no file can be made there.
    pub fn beside(path: &Path) -> io::Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(FILE)
            .open(&temporary)?;
        Ok(NewFile {
            file: Some(file),
            temporary,
            path: path.to_owned(),
        })
    }

    /// All is written: it takes its place.
    ///
    /// # Errors
    /// Where it cannot be stored, or cannot go there.
    pub fn keep(mut self) -> io::Result<()> {
        if let Some(file) = self.file.take() {
            file.sync_all()?;
            fs::rename(&self.temporary, &self.path)?;
        }
        Ok(())
    }
}

impl io::Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.file {
            Some(file) => file.write(bytes),
            None => Err(io::Error::other("it is written already")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // It is gone where it has taken its place.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// The longest path of a folder for sockets: a socket's own is limited to about a hundred bytes, and
/// `ssh` adds some while it makes one.
const LONGEST: usize = 50;

/// A folder for sockets of the user alone; it is not made yet. `runtime` is `XDG_RUNTIME_DIR`,
/// `temporary` is `TMPDIR`.
pub fn sockets(runtime: Option<&str>, temporary: Option<&str>) -> PathBuf {
    let own = format!("regatta-{}", rustix::process::geteuid().as_raw());
    let runtime = runtime.map(|dir| Path::new(dir).join("regatta"));
    let temporary = temporary.map(|dir| Path::new(dir).join(&own));
    let is_fit = |path: &PathBuf| {
        path.is_absolute()
            && path.as_os_str().len() <= LONGEST
            && path.parent().is_some_and(Path::is_dir)
    };
    let given = [runtime, temporary].into_iter().flatten().find(is_fit);
    given.unwrap_or_else(|| Path::new("/tmp").join(own))
}

fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink())
}

fn flags(flags: OFlags) -> i32 {
    i32::try_from(flags.bits()).unwrap_or_default()
}

/// What belongs to another user is not trusted.
fn own(found: &fs::Metadata, path: &Path) -> io::Result<()> {
    let (owner, user) = (found.uid(), rustix::process::geteuid().as_raw());
    match owner == user {
        true => Ok(()),
        false => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!(
                "{} belongs to user {owner}, not to user {user}",
                path.display()
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{chown, symlink};

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn folders_and_files_are_the_users_alone() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a/b");
        folder(&deep).unwrap();
        assert_eq!((mode(&deep), mode(&dir.path().join("a"))), (FOLDER, FOLDER));
        let path = deep.join("lock");
        drop(file(&path).unwrap());
        assert_eq!(mode(&path), FILE);
        // Wider modes of an older version are narrowed, narrower ones stay.
        fs::set_permissions(&deep, Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        folder(&deep).unwrap();
        drop(file(&path).unwrap());
        assert_eq!((mode(&deep), mode(&path)), (FOLDER, FILE));
        write(&deep.join("new"), b"x").unwrap();
        assert_eq!(mode(&deep.join("new")), FILE);
        assert!(write(&deep.join("new"), b"y").is_err());
    }

    #[test]
    fn a_new_file_appears_whole_or_not_at_all() {
        use std::io::Write as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.tar");
        fs::write(&path, "before").unwrap();
        let mut begun = NewFile::beside(&path).unwrap();
        begun.write_all(b"half").unwrap();
        drop(begun);
        assert_eq!(fs::read(&path).unwrap(), b"before");
        let mut whole = NewFile::beside(&path).unwrap();
        whole.write_all(b"whole").unwrap();
        whole.keep().unwrap();
        assert_eq!(
            (fs::read(&path).unwrap(), mode(&path)),
            (b"whole".to_vec(), FILE)
        );
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn folders_for_sockets_are_short() {
        let dir = tempfile::tempdir().unwrap();
        let long = dir.path().join("x".repeat(60));
        fs::create_dir(&long).unwrap();
        let (short, long) = (dir.path().to_str().unwrap(), long.to_str().unwrap());
        assert_eq!(sockets(Some(short), None), dir.path().join("regatta"));
        for unfit in [
            None,
            Some(""),
            Some("run"),
            Some("/nowhere/at/all"),
            Some(long),
        ] {
            let user = rustix::process::geteuid().as_raw();
            let own = format!("regatta-{user}");
            assert_eq!(sockets(unfit, Some(short)), dir.path().join(&own));
            assert_eq!(sockets(unfit, unfit), Path::new("/tmp").join(own));
        }
    }

    #[test]
    fn links_and_other_things_are_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        let (target, link) = (dir.path().join("target"), dir.path().join("link"));
        fs::write(&target, "keep").unwrap();
        symlink(&target, &link).unwrap();
        let error = file(&link).unwrap_err().to_string();
        assert!(error.contains("symbolic link"), "{error}");
        symlink("/nowhere/at/all", dir.path().join("gone")).unwrap();
        assert!(file(&dir.path().join("gone")).is_err());
        assert!(file(dir.path()).is_err());
        assert_eq!(fs::read_to_string(&target).unwrap(), "keep");
    }

    #[test]
    fn what_belongs_to_another_user_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (other, path) = (dir.path().join("other"), dir.path().join("lock"));
        fs::create_dir(&other).unwrap();
        drop(file(&path).unwrap());
        // Only root can give things away.
        if chown(&other, Some(4711), None).is_err() {
            return;
        }
        chown(&path, Some(4711), None).unwrap();
        let error = folder(&other).unwrap_err().to_string();
        assert!(error.contains("belongs to user 4711"), "{error}");
        assert!(file(&path).is_err());
    }
}
