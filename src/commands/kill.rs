//! `kill`: send a signal to containers.

use super::desired::observe_existing;
use super::existing::execute;
use super::foreign::Adoption;
use crate::context::Context;
use crate::error::CliError;
use crate::observe::Scope;
use crate::output;
use crate::reconcile::lifecycle;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct KillArgs {
    /// Services to signal (default: all)
    services: Vec<String>,
    #[command(flatten)]
    adoption: Adoption,
    /// Containers of services that the project does not have, too
    #[arg(long)]
    remove_orphans: bool,
    /// Signal to send
    #[arg(short, long, value_name = "SIGNAL", default_value = "SIGKILL")]
    signal: String,
}

pub async fn run(ctx: &Context, args: KillArgs) -> Result<ExitCode, CliError> {
    let engine = ctx.engine()?;
    let (desired, observed) =
        observe_existing(ctx, &*engine, &args.services, Scope::CONTAINERS).await?;
    args.adoption.check(&desired, &observed)?;
    args.adoption.warn(ctx, &desired, &observed);
    let services = desired.named(&args.services)?;
    let orphans = args.remove_orphans || ctx.is_set("COMPOSE_REMOVE_ORPHANS");
    let unknown = !args.services.is_empty() && services.is_empty();
    let meant = observed.replicas().chain(&observed.oneoffs).filter(|c| {
        if services.is_empty() {
            let is_orphan = !desired.project.services.contains_key(&c.service);
            let is_ours = args.adoption.adopt || !observed.is_foreign(c);
            !unknown && (!is_orphan || (orphans && is_ours))
        } else {
            services.contains(&c.service)
        }
    });
    let plan = lifecycle::kill(meant, &args.signal);
    if plan.is_empty() {
        let text = "No container to kill\n";
        if ctx.is_set("COMPOSE_STATUS_STDOUT") {
            output::write(text)?;
        } else {
            output::complain(text.trim_end());
        }
        return Ok(ExitCode::SUCCESS);
    }
    // For emergencies: whoever changes the project meanwhile is not waited for.
    execute(ctx, &*engine, &desired, &observed, plan, None, None).await
}
