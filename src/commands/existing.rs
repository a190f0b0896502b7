//! The course that commands over existing containers share: execute a plan and conclude.

use super::changing::{conclude, means};
use super::desired::Desired;
use crate::change::{Done, run};
use crate::context::Context;
use crate::engine::Engine;
use crate::error::CliError;
use crate::execute::Means;
use crate::observe::Observed;
use crate::output;
use crate::plan::{Plan, render_text};
use std::process::ExitCode;
use std::time::Duration;

/// Executes the plan over the given state; with `--dry-run` it shows the plan instead.
pub async fn execute(
    ctx: &Context,
    engine: &dyn Engine,
    desired: &Desired,
    observed: &Observed,
    plan: Plan,
) -> Result<ExitCode, CliError> {
    execute_within(ctx, engine, desired, observed, plan, None).await
}

/// The same with a limit on the waits for health.
pub async fn execute_within(
    ctx: &Context,
    engine: &dyn Engine,
    desired: &Desired,
    observed: &Observed,
    plan: Plan,
    wait_limit: Option<Duration>,
) -> Result<ExitCode, CliError> {
    let project = &desired.project;
    if ctx.globals.dry_run {
        output::write(&render_text(&plan, &project.name, &|s| desired.place(s)))?;
        return Ok(ExitCode::SUCCESS);
    }
    let means = Means {
        wait_limit,
        ..means(ctx, engine, project).await
    };
    let _stages = ctx.interrupts.in_stages();
    let done: Done = run(&means, plan, project, observed).await;
    conclude(ctx, desired, &done)
}
