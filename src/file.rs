//! Reading a file that a user names: a folder, a device, a pipe that nothing comes out of and a file
//! without end are errors, not a program that hangs.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

/// The largest file that is read, in bytes: 16 MiB. Docker Compose gives up on project files of a
/// tenth of that; what is larger is a mistake.
pub const MAX_FILE: u64 = 16 << 20;

/// How long a named pipe may stay without a writer.
const WRITER: Duration = Duration::from_secs(2);

/// How long a writer may pause where a plain file is expected.
const PAUSE: Duration = Duration::from_secs(10);

/// How long a program that writes a project's file (`-f <(generate)`) may pause: it may ask for a password.
const LONG_PAUSE: Duration = Duration::from_secs(10 * 60);

/// Opening without waiting for the other end of a pipe: `O_NONBLOCK`, which std has no name for.
const NONBLOCK: i32 = if cfg!(target_os = "linux") { 0o4000 } else { 4 };

/// Reads a whole file.
///
/// # Errors
/// Where it cannot be opened, is no file, is larger than [`MAX_FILE`], or does not come to an end.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    read_within(path, PAUSE)
}

/// Reads a whole file of text.
///
/// # Errors
/// As [`read`], and where it is no UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    let invalid = |_| io::Error::new(io::ErrorKind::InvalidData, "is not UTF-8 text");
    String::from_utf8(read(path)?).map_err(invalid)
}

/// Reads a file of a project, which a program may just be writing.
///
/// # Errors
/// As [`read`].
pub fn read_generated(path: &Path) -> io::Result<Vec<u8>> {
    read_within(path, LONG_PAUSE)
}

fn read_within(path: &Path, pause: Duration) -> io::Result<Vec<u8>> {
    let kind = fs::metadata(path)?.file_type();
    if kind.is_fifo() || kind.is_char_device() {
        let file = fs::OpenOptions::new()
            .read(true)
            .custom_flags(NONBLOCK)
            .open(path)?;
        let pipe = Pipe {
            file,
            is_awaited: kind.is_fifo(),
            pause,
            since: Instant::now(),
        };
        return read_all(pipe, 0);
    }
    let file = fs::File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if metadata.len() > MAX_FILE {
        return Err(too_large());
    }
    read_all(file, metadata.len())
}

fn too_large() -> io::Error {
    let limit = MAX_FILE >> 20;
    io::Error::new(
        io::ErrorKind::FileTooLarge,
        format!("the file is larger than {limit} MiB"),
    )
}

/// Reads to the end, which must come before the limit.
///
/// # Errors
/// The source's, and where the end does not come.
pub fn read_all(source: impl Read, capacity: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(capacity).unwrap_or(0));
    source.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(too_large());
    }
    Ok(bytes)
}

/// What may never give anything, or never end, read without hanging.
struct Pipe {
    file: fs::File,
    /// Nobody has written to it yet, so that its end is none.
    is_awaited: bool,
    pause: Duration,
    /// When something was read last.
    since: Instant,
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let silent = |what| Err(io::Error::new(io::ErrorKind::TimedOut, what));
        loop {
            match self.file.read(buffer) {
                Ok(0) if self.is_awaited && self.since.elapsed() < WRITER => {}
                Ok(0) if self.is_awaited => return silent("is a pipe that nothing comes out of"),
                Ok(count) => {
                    self.is_awaited = false;
                    self.since = Instant::now();
                    return Ok(count);
                }
                // Somebody has it open for writing, and may take some time.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if self.since.elapsed() >= self.pause {
                        return silent("has no end: nothing has come out of it for too long");
                    }
                }
                Err(error) => return Err(error),
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn only_files_that_end_are_read() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a");
        fs::write(&path, "x").expect("a file");
        assert_eq!(read(&path).expect("content"), b"x");
        assert_eq!(read(Path::new("/dev/null")).expect("nothing"), b"");
        let large = dir.path().join("large");
        let hole = fs::File::create(&large).expect("a file");
        hole.set_len(MAX_FILE + 1).expect("a hole");
        let latin = dir.path().join("latin");
        fs::write(&latin, b"caf\xe9").expect("a file");
        for (path, kind) in [
            (large.as_path(), io::ErrorKind::FileTooLarge),
            (Path::new("/dev/zero"), io::ErrorKind::FileTooLarge),
            (dir.path(), io::ErrorKind::IsADirectory),
            (latin.as_path(), io::ErrorKind::InvalidData),
        ] {
            let error = read_text(path).expect_err("no file");
            assert_eq!(error.kind(), kind, "{}", path.display());
        }
    }

    #[test]
    fn a_pipe_that_gives_nothing_is_no_file() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("pipe");
        let made = Command::new("mkfifo").arg(&path).status();
        assert!(made.expect("mkfifo").success());
        // Opened for both ends, so that there is a writer; it never writes.
        let both = fs::OpenOptions::new().read(true).write(true).open(&path);
        let _writer = both.expect("a pipe");
        let error = read_within(&path, Duration::from_millis(20)).expect_err("no end");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
