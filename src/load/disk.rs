//! Files of this machine.

use super::{FileAttributes, FileKind, Files};
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The largest file that is read, in bytes: 16 MiB. Docker Compose gives up on files of a tenth
/// of that; what is larger is no project file but a mistake.
pub const MAX_FILE: u64 = 16 << 20;

/// Reads from the file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct DiskFiles;

fn too_large() -> io::Error {
    let limit = MAX_FILE >> 20;
    io::Error::new(
        io::ErrorKind::FileTooLarge,
        format!("the file is larger than {limit} MiB"),
    )
}

/// Reads to the end, which must come before the limit.
fn read_all(source: impl Read, capacity: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(capacity).unwrap_or(0));
    source.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(too_large());
    }
    Ok(bytes)
}

/// How long a named pipe may stay without anybody who writes to it.
const WRITER: Duration = Duration::from_secs(2);

/// Opening without waiting for the other end of a pipe: `O_NONBLOCK`, which std has no name for.
const NONBLOCK: i32 = if cfg!(target_os = "linux") { 0o4000 } else { 4 };

/// A pipe (`-f <(generate)`) that is read without hanging where nobody writes to it.
struct Pipe {
    file: fs::File,
    begun: bool,
    opened: Instant,
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.file.read(buffer) {
                Ok(0) if !self.begun && self.opened.elapsed() < WRITER => {}
                Ok(0) if !self.begun => {
                    return Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        "is a pipe that nothing comes out of",
                    ));
                }
                Ok(count) => {
                    self.begun = true;
                    return Ok(count);
                }
                // Somebody has it open for writing, and may take the time that he needs.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Files for DiskFiles {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        if fs::metadata(path)?.file_type().is_fifo() {
            let file = fs::OpenOptions::new()
                .read(true)
                .custom_flags(NONBLOCK)
                .open(path)?;
            let pipe = Pipe {
                file,
                begun: false,
                opened: Instant::now(),
            };
            return read_all(pipe, 0);
        }
        let file = fs::File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        // A pipe or a device says nothing about its size: it is counted while it is read.
        if metadata.len() > MAX_FILE {
            return Err(too_large());
        }
        read_all(file, metadata.len())
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
        read_all(io::stdin().lock(), 0)
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
