//! `kill`: send a signal to containers.

use super::desired::observe_existing;
use super::existing::{execute, nothing_to_do};
use super::foreign::Adoption;
use crate::context::Context;
use crate::error::CliError;
use crate::observe::Scope;
use crate::reconcile::lifecycle;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct KillArgs {
    /// Services to signal (default: all)
    services: Vec<String>,
    #[command(flatten)]
    adoption: Adoption,
    /// Include containers of services that the project does not declare
    #[arg(long)]
    remove_orphans: bool,
    /// Signal to send
    #[arg(short, long, value_name = "SIGNAL", default_value = "SIGKILL")]
    signal: String,
}

/// What Compose says where no container is meant.
const NOBODY: &str = "No container to kill";

pub async fn run(ctx: &Context, args: KillArgs) -> Result<ExitCode, CliError> {
    let engine = ctx.engine()?;
    let (desired, observed) =
        observe_existing(ctx, &*engine, &args.services, Scope::CONTAINERS).await?;
    args.adoption.check(&desired, &observed)?;
    args.adoption.warn(ctx, &desired, &observed);
    let Some(services) = desired.meant(&args.services)? else {
        return nothing_to_do(ctx, NOBODY);
    };
    let orphans = args.remove_orphans || ctx.is_set("COMPOSE_REMOVE_ORPHANS");
    let meant = observed.replicas().chain(&observed.oneoffs).filter(|c| {
        if services.is_empty() {
            let is_orphan = !desired.project.services.contains_key(&c.service);
            let is_ours = args.adoption.adopt || !observed.is_foreign(c);
            !is_orphan || (orphans && is_ours)
        } else {
            services.contains(&c.service)
        }
    });
    let plan = lifecycle::kill(meant, &args.signal);
    if plan.is_empty() {
        return nothing_to_do(ctx, NOBODY);
    }
    // For emergencies: `kill` does not wait for a command that changes the project.
    execute(ctx, &*engine, &desired, &observed, plan, None, None).await
}
