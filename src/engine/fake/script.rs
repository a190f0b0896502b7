//! What the process of a container does.

use crate::engine::{Health, OutputStream};
use std::time::Duration;

/// One thing that a container's process (or its probe) does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// It ends with a status.
    Exit(i64),
    /// Its probe says so.
    Health(Health),
    /// It writes a line (without the line's end).
    Print(OutputStream, String),
}

/// How a process behaves, from each start on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// What happens how long after each start.
    pub acts: Vec<(Duration, Act)>,
    /// The engine's restarts after which it does nothing of that any more; `None` for never.
    pub steady_after: Option<i64>,
    /// How long it takes to end when asked to, and its status then. `None` ignores the asking
    /// and has to be killed.
    pub on_stop: Option<(Duration, i64)>,
    /// It cannot be started: status and words of the engine.
    pub start_error: Option<(u16, String)>,
    /// Status of commands run in it.
    pub exec_code: i64,
    /// It, and commands run in it, write what they read, and end with their input.
    pub reads: bool,
}

impl Default for Script {
    /// Runs until it is stopped and ends at once then.
    fn default() -> Self {
        Script {
            acts: Vec::new(),
            steady_after: None,
            on_stop: Some((Duration::ZERO, 0)),
            start_error: None,
            exec_code: 0,
            reads: false,
        }
    }
}

impl Script {
    /// Ends by itself.
    pub fn exits(after: Duration, code: i64) -> Self {
        Script {
            acts: vec![(after, Act::Exit(code))],
            ..Script::default()
        }
    }

    /// Becomes healthy.
    pub fn healthy(after: Duration) -> Self {
        Script {
            acts: vec![(after, Act::Health(Health::Healthy))],
            ..Script::default()
        }
    }

    /// Becomes unhealthy.
    pub fn unhealthy(after: Duration) -> Self {
        Script {
            acts: vec![(after, Act::Health(Health::Unhealthy))],
            ..Script::default()
        }
    }

    /// Cannot be started.
    pub fn broken(status: u16, message: &str) -> Self {
        Script {
            start_error: Some((status, message.to_string())),
            ..Script::default()
        }
    }
}
