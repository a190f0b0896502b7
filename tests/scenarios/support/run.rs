//! Running a program to its end, with a limit, and what came of it.

use std::fmt;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// No command of a scenario takes this long.
const LIMIT: Duration = Duration::from_secs(120);

/// What is under test: regatta, or the program that `REGATTA_SCENARIO_PROGRAM` names (another
/// `docker-compose`, to try the scenarios themselves on).
pub fn under_test() -> String {
    std::env::var("REGATTA_SCENARIO_PROGRAM")
        .unwrap_or_else(|_| env!("CARGO_BIN_EXE_regatta").to_owned())
}

/// A command in a clean environment.
pub struct Program {
    command: Command,
    input: Vec<u8>,
    is_input_open: bool,
}

/// How a command ended and what it wrote.
#[derive(Debug)]
pub struct Output {
    line: String,
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Program {
    pub fn new(program: &str, directory: &Path) -> Program {
        let mut command = Command::new(program);
        command
            .current_dir(directory)
            .env_clear()
            .env("HOME", directory);
        if let Some(value) = std::env::var_os("PATH") {
            command.env("PATH", value);
        }
        Program {
            command,
            input: Vec::new(),
            is_input_open: false,
        }
    }

    pub fn args<S: AsRef<std::ffi::OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Program {
        self.command.args(args);
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Program {
        self.command.env(name, value);
        self
    }

    /// What would be started.
    pub(super) fn command(&self) -> &Command {
        &self.command
    }

    pub fn input(mut self, text: &str) -> Program {
        self.input = text.as_bytes().to_vec();
        self
    }

    /// Nobody types anything, and the input does not end either.
    pub fn open_input(mut self) -> Program {
        self.is_input_open = true;
        self
    }

    /// Starts it and leaves it running; its output goes to the files.
    pub fn spawn(&mut self, stdout: &File, stderr: &File) -> Child {
        let input = if self.input.is_empty() && !self.is_input_open {
            Stdio::null()
        } else {
            Stdio::piped()
        };
        let command = self.command.stdin(input);
        command
            .stdout(stdout.try_clone().expect("a file"))
            .stderr(stderr.try_clone().expect("a file"));
        let mut child = command
            .spawn()
            .unwrap_or_else(|e| panic!("{command:?}: {e}"));
        if !self.is_input_open
            && let Some(mut stdin) = child.stdin.take()
        {
            let _ = stdin.write_all(&self.input);
        }
        child
    }

    #[must_use = "how it ended matters"]
    #[track_caller]
    pub fn run(mut self) -> Output {
        let (mut stdout, mut stderr) = (scratch(), scratch());
        let mut child = self.spawn(&stdout, &stderr);
        let line = format!("{:?}", self.command.get_args().collect::<Vec<_>>());
        let start = std::time::Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().expect("a child to wait for") {
                break status;
            }
            if start.elapsed() > LIMIT {
                let _ = child.kill();
                let _ = child.wait();
                panic!(
                    "{line} did not end in {LIMIT:?}; it wrote\n{}\n{}",
                    read(&mut stdout),
                    read(&mut stderr)
                );
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        Output {
            line,
            status,
            stdout: read(&mut stdout),
            stderr: read(&mut stderr),
        }
    }
}

impl Output {
    /// It must have ended with 0.
    #[track_caller]
    pub fn success(self) -> Output {
        assert!(self.status.success(), "{self}");
        self
    }

    /// It must have ended with this code.
    #[track_caller]
    pub fn code(self, code: i32) -> Output {
        assert_eq!(self.status.code(), Some(code), "{self}");
        self
    }

    /// One of its streams must name each of these.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Output {
        for word in words {
            assert!(
                self.stdout.contains(word) || self.stderr.contains(word),
                "it does not say {word:?}: {self}"
            );
        }
        self
    }

    pub fn lines(&self) -> Vec<&str> {
        self.stdout.lines().collect()
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Output {
            line,
            status,
            stdout,
            stderr,
        } = self;
        write!(
            f,
            "{line} ended with {status}\n--- stdout\n{stdout}\n--- stderr\n{stderr}"
        )
    }
}

/// A file of no name to write to and read from.
pub fn scratch() -> File {
    tempfile::tempfile().expect("a temporary file")
}

/// All that was written so far.
pub fn read(file: &mut File) -> String {
    // A clone would share the offset that the writer appends at: read through /proc instead.
    let mut bytes = Vec::new();
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(file));
    match File::open(path) {
        Ok(mut again) => {
            let _ = again.rewind();
            let _ = again.read_to_end(&mut bytes);
        }
        Err(e) => panic!("{e}"),
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
