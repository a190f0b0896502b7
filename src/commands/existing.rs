//! The course that commands over existing containers share: execute a plan and conclude.

use super::changing::{conclude, means};
use super::desired::Desired;
use crate::change::{Done, run};
use crate::context::Context;
use crate::engine::Engine;
use crate::error::CliError;
use crate::observe::Observed;
use crate::output;
use crate::plan::{Plan, render_text};
use std::process::ExitCode;

/// Executes the plan over the given state; with `--dry-run` it shows the plan instead.
pub async fn execute(
    ctx: &Context,
    engine: &dyn Engine,
    desired: &Desired,
    observed: &Observed,
    plan: Plan,
) -> Result<ExitCode, CliError> {
    let project = &desired.project;
    if ctx.globals.dry_run {
        output::write(&render_text(&plan, &project.name, &|s| desired.place(s)))?;
        return Ok(ExitCode::SUCCESS);
    }
    let _stages = ctx.interrupts.in_stages();
    let done: Done = run(&means(ctx, engine, project).await, plan, project, observed).await;
    conclude(ctx, desired, &done)
}
