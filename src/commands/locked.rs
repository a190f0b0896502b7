//! A command that changes a project does so alone.

use crate::context::Context;
use crate::engine::Engine;
use crate::error::CliError;
use crate::interrupt::Interrupts;
use crate::lock::{Bid, LockError, Place, Terms};

/// What a command asks for the project's lock with.
pub fn bid<'a>(
    ctx: &'a Context,
    engine: &'a dyn Engine,
    project: &'a str,
    place: &'a Place,
    interrupts: &'a Interrupts,
) -> Bid<'a> {
    Bid {
        engine,
        project,
        place,
        terms: Terms::default(),
        reporter: &ctx.reporter,
        interrupts,
    }
}

impl From<LockError> for CliError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Interrupted(cause) => {
                CliError::interrupted(cause).say("interrupted; nothing was changed")
            }
            LockError::Engine(error) => error.into(),
        }
    }
}
