//! Files of this machine.

use super::{FileAttributes, FileKind, Files};
use crate::file;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

pub use crate::file::MAX_FILE;

/// Reads from the file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct DiskFiles;

impl Files for DiskFiles {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        file::read_generated(path)
    }

    fn kind(&self, path: &Path) -> Option<FileKind> {
        let metadata = fs::metadata(path).ok()?;
        Some(if metadata.is_dir() {
            FileKind::Directory
        } else {
            FileKind::File
        })
    }

    fn attributes(&self, path: &Path) -> io::Result<FileAttributes> {
        let metadata = fs::metadata(path)?;
        Ok(FileAttributes {
            is_regular: metadata.is_file(),
            mode: metadata.mode() & 0o7777,
            uid: metadata.uid().into(),
            gid: metadata.gid().into(),
        })
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        fs::canonicalize(path)
    }

    fn stdin(&self) -> io::Result<Vec<u8>> {
        file::read_all(io::stdin().lock(), 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_up_to_a_limit() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a");
        fs::write(&path, "x").expect("a file");
        assert_eq!(DiskFiles.read(&path).expect("content"), b"x");
        assert_eq!(DiskFiles.kind(&path), Some(FileKind::File));
        assert_eq!(DiskFiles.kind(dir.path()), Some(FileKind::Directory));
        assert_eq!(DiskFiles.kind(&dir.path().join("b")), None);
        let large = fs::File::create(dir.path().join("large")).expect("a file");
        large.set_len(MAX_FILE + 1).expect("a hole");
        let error = DiskFiles
            .read(&dir.path().join("large"))
            .expect_err("too large");
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        let error = DiskFiles.read(dir.path()).expect_err("no file");
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
    }
}
