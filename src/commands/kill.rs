//! `kill`: send a signal to containers.

use super::desired::Desired;
use super::foreign::Adoption;
use super::session::{Existing, Session};
use crate::context::Context;
use crate::error::CliError;
use crate::observe::{Observed, Scope};
use crate::plan::Plan;
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
    let orphans = args.remove_orphans || ctx.is_set("COMPOSE_REMOVE_ORPHANS");
    let plan = |desired: &mut Desired, observed: &Observed| {
        let plan = match desired.meant(&args.services)? {
            None => Plan::default(),
            Some(services) => {
                let meant = observed.replicas().chain(&observed.oneoffs).filter(|c| {
                    if services.is_empty() {
                        let is_orphan = !desired.project.services.contains_key(&c.service);
                        let is_ours = args.adoption.adopt || !observed.is_foreign(c);
                        !is_orphan || (orphans && is_ours)
                    } else {
                        services.contains(&c.service)
                    }
                });
                lifecycle::kill(meant, &args.signal)
            }
        };
        Ok(plan.into())
    };
    let scope = Scope::CONTAINERS;
    let session = Session::over_existing(ctx, &args.services, scope, args.adoption);
    // For emergencies: `kill` does not wait for a command that changes the project.
    let kill = Existing::at_once(plan).or_say(NOBODY);
    session.await?.run(kill).await
}
