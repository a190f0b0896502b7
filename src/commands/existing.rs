//! The course that commands over existing containers share: execute a plan and conclude.

use super::changing::{conclude, means};
use super::desired::Desired;
use super::foreign::Adoption;
use super::locked::locked;
use super::trust;
use crate::change::{Done, run};
use crate::context::Context;
use crate::engine::Engine;
use crate::error::CliError;
use crate::execute::Means;
use crate::lock::Lock;
use crate::observe::{Observed, Scope};
use crate::output;
use crate::plan::{Plan, render_text};
use crate::reconcile::Outcome;
use std::process::ExitCode;
use std::time::Duration;

/// Plans over the given state and executes the plan; with `--dry-run` it shows the plan instead.
/// A plan that changes something is made anew, over the state as it is once nobody else changes
/// the project.
pub async fn change(
    ctx: &Context,
    engine: &dyn Engine,
    desired: Desired,
    observed: Observed,
    scope: Scope,
    adoption: Adoption,
    plan: impl Fn(&mut Desired, &Observed) -> Result<Outcome, CliError>,
) -> Result<ExitCode, CliError> {
    change_within(ctx, engine, desired, observed, scope, adoption, plan, None).await
}

/// The same with a limit on the waits for health.
#[expect(clippy::too_many_arguments, reason = "one call each of few commands")]
pub async fn change_within(
    ctx: &Context,
    engine: &dyn Engine,
    mut desired: Desired,
    observed: Observed,
    scope: Scope,
    adoption: Adoption,
    plan: impl Fn(&mut Desired, &Observed) -> Result<Outcome, CliError>,
    wait_limit: Option<Duration>,
) -> Result<ExitCode, CliError> {
    adoption.check(&desired, &observed)?;
    let first = plan(&mut desired, &observed)?;
    if ctx.globals.dry_run || !first.plan.changes_anything() {
        adoption.warn(ctx, &desired, &observed);
        let plan = told(ctx, first);
        return execute(ctx, engine, &desired, &observed, plan, wait_limit, None).await;
    }
    trust::programs(ctx, &desired.project, &first.plan, false).await?;
    let name = desired.project.name.clone();
    locked(ctx, engine, &name, async |lock| {
        let observed = desired.observe_again(engine, scope).await?;
        adoption.check(&desired, &observed)?;
        adoption.warn(ctx, &desired, &observed);
        let plan = told(ctx, plan(&mut desired, &observed)?);
        let lock = Some(lock);
        execute(ctx, engine, &desired, &observed, plan, wait_limit, lock).await
    })
    .await
}

/// Tells the warnings of a plan that is about to be executed.
fn told(ctx: &Context, outcome: Outcome) -> Plan {
    for warning in outcome.warnings {
        ctx.reporter.warning(warning);
    }
    outcome.plan
}

/// Executes the plan over the given state; with `--dry-run` it shows the plan instead.
pub async fn execute(
    ctx: &Context,
    engine: &dyn Engine,
    desired: &Desired,
    observed: &Observed,
    plan: Plan,
    wait_limit: Option<Duration>,
    lock: Option<&Lock<'_>>,
) -> Result<ExitCode, CliError> {
    let project = &desired.project;
    if ctx.globals.dry_run {
        output::write(&render_text(&plan, &project.name, &|s| desired.place(s)))?;
        return Ok(ExitCode::SUCCESS);
    }
    let means = Means {
        wait_limit,
        lock,
        ..means(ctx, engine, project).await
    };
    let _stages = lock.is_none().then(|| ctx.interrupts.in_stages());
    let done: Done = run(&means, plan, project, observed).await;
    conclude(ctx, desired, &done)
}

/// Says that no container is meant, where Compose says it: among the errors, or as data where
/// `COMPOSE_STATUS_STDOUT` asks for that.
pub fn nothing_to_do(ctx: &Context, text: &str) -> Result<ExitCode, CliError> {
    match ctx.is_set("COMPOSE_STATUS_STDOUT") {
        true => output::tell(&format!("{text}\n"))?,
        false => output::complain(text),
    }
    Ok(ExitCode::SUCCESS)
}
