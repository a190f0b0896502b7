//! The signals that a process in a container may get from us, or that concern its terminal.

use super::Cause;

/// A signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    Interrupt,
    Terminate,
    Hangup,
    Quit,
    User1,
    User2,
    Alarm,
    /// To stop until [`Signal::Continue`], as Ctrl-Z asks for.
    Stop,
    Continue,
    /// The terminal has another size.
    Resize,
}

impl Signal {
    /// As the engine calls it.
    pub fn name(self) -> &'static str {
        match self {
            Signal::Interrupt => "SIGINT",
            Signal::Terminate => "SIGTERM",
            Signal::Hangup => "SIGHUP",
            Signal::Quit => "SIGQUIT",
            Signal::User1 => "SIGUSR1",
            Signal::User2 => "SIGUSR2",
            Signal::Alarm => "SIGALRM",
            Signal::Stop => "SIGTSTP",
            Signal::Continue => "SIGCONT",
            Signal::Resize => "SIGWINCH",
        }
    }

    /// What a program leaves with that this has ended.
    pub fn exit_code(self) -> u8 {
        128 + match self {
            Signal::Hangup => 1,
            Signal::Interrupt => 2,
            Signal::Quit => 3,
            Signal::User1 => 10,
            Signal::User2 => 12,
            Signal::Alarm => 14,
            Signal::Terminate => 15,
            Signal::Continue => 18,
            Signal::Stop => 20,
            Signal::Resize => 28,
        }
    }

    /// What asks the program to end, where it is one of those.
    pub fn cause(self) -> Option<Cause> {
        match self {
            Signal::Interrupt => Some(Cause::Interrupt),
            Signal::Terminate => Some(Cause::Terminate),
            Signal::Hangup => Some(Cause::Hangup),
            _ => None,
        }
    }
}

impl From<Cause> for Signal {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::Interrupt => Signal::Interrupt,
            Cause::Terminate => Signal::Terminate,
            Cause::Hangup => Signal::Hangup,
        }
    }
}
