//! The codes that regatta exits with.

use crate::interrupt::Cause;
use std::process::ExitCode;

/// Why regatta exits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The command did what it was asked for: 0.
    Success,
    /// The command failed, and standard error says why: 1.
    Failure,
    /// `plan` found something that `up` would change: 2. With `--ignore-oneshots` it exits with this only
    /// where the engine differs from the files.
    WouldChange,
    /// A signal asked regatta to end: 128 and the signal's number, as shells count it.
    Signal(Cause),
    /// A program that ran in a container exited with this code, as `exec` and a foreground `up` pass it on.
    Program(u8),
    /// A fault of regatta itself: 101, as any Rust program that panics.
    Fault,
}

impl Exit {
    /// The number that the system gets.
    pub fn code(self) -> u8 {
        match self {
            Exit::Success => 0,
            Exit::Failure => 1,
            Exit::WouldChange => 2,
            Exit::Signal(cause) => cause.exit_code(),
            Exit::Program(code) => code,
            Exit::Fault => 101,
        }
    }
}

impl From<u8> for Exit {
    fn from(code: u8) -> Exit {
        Exit::Program(code)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}
