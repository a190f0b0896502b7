//! `pause`: freeze containers.

use super::desired::observe_existing;
use super::existing::execute;
use super::foreign::Adoption;
use crate::context::Context;
use crate::error::CliError;
use crate::observe::Scope;
use crate::reconcile::lifecycle::{self, Freeze};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct PauseArgs {
    /// Services to pause (default: all)
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    #[command(flatten)]
    adoption: Adoption,
}

pub async fn run(ctx: &Context, args: PauseArgs) -> Result<ExitCode, CliError> {
    apply(ctx, &args.services, args.adoption, Freeze::Pause).await
}

/// Pauses or unpauses the services' running containers. The engine refuses those that are paused
/// already, or are not.
pub async fn apply(
    ctx: &Context,
    services: &[String],
    adoption: Adoption,
    freeze: Freeze,
) -> Result<ExitCode, CliError> {
    let engine = ctx.engine()?;
    let (desired, observed) = observe_existing(ctx, &*engine, services, Scope::CONTAINERS).await?;
    adoption.check(&desired, &observed)?;
    adoption.warn(ctx, &desired, &observed);
    let Some(services) = desired.meant(services)? else {
        return Ok(ExitCode::SUCCESS);
    };
    let plan = lifecycle::freeze(&desired.project, &observed, &services, freeze);
    execute(ctx, &*engine, &desired, &observed, plan, None, None).await
}
