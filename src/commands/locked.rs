//! A command that changes a project does so alone.

use crate::context::Context;
use crate::engine::Engine;
use crate::error::CliError;
use crate::interrupt::Interrupts;
use crate::lock::{Bid, Lock, LockError, Place, Terms, acquire};

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

/// Waits for the project's lock, does the work with it, and lets it go, whatever came of the work.
pub async fn locked<T>(
    ctx: &Context,
    engine: &dyn Engine,
    project: &str,
    work: impl AsyncFnOnce(&Lock) -> Result<T, CliError>,
) -> Result<T, CliError> {
    let _stages = ctx.interrupts.in_stages();
    let place = ctx.place();
    let lock = acquire(bid(ctx, engine, project, &place, &ctx.interrupts)).await?;
    let result = lock.keep(work(&lock)).await;
    lock.release().await;
    result
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
