//! `rm`: remove containers that do not run.

use super::desired::observe_existing;
use super::existing::execute;
use crate::context::Context;
use crate::error::CliError;
use crate::observe::Scope;
use crate::output;
use crate::reconcile::lifecycle;
use crate::terminal;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct RmArgs {
    /// Services whose containers to remove (default: all)
    services: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    force: bool,
    /// Stop them first
    #[arg(short, long)]
    stop: bool,
    /// Remove their anonymous volumes, too
    #[arg(short, long)]
    volumes: bool,
    /// Has no effect any more
    #[arg(short, long, hide = true)]
    all: bool,
}

pub async fn run(ctx: &Context, args: RmArgs) -> Result<ExitCode, CliError> {
    let engine = ctx.engine()?;
    let (desired, mut observed) =
        observe_existing(ctx, &*engine, &args.services, Scope::CONTAINERS).await?;
    let services = desired.named(&args.services)?;
    let unknown = !args.services.is_empty() && services.is_empty();
    if args.stop && !unknown {
        let plan = lifecycle::stop(&desired.project, &observed, &services, false, None);
        if !plan.is_empty() {
            execute(ctx, &*engine, &desired, &observed, plan).await?;
            if !ctx.globals.dry_run {
                (_, observed) =
                    observe_existing(ctx, &*engine, &args.services, Scope::CONTAINERS).await?;
            }
        }
    }
    let meant: Vec<_> = observed
        .replicas()
        .filter(|c| desired.project.services.contains_key(&c.service))
        .filter(|c| !unknown && (services.is_empty() || services.contains(&c.service)))
        .filter(|c| !c.state.is_up())
        .collect();
    if meant.is_empty() {
        let text = "No stopped containers\n";
        if ctx.is_set("COMPOSE_STATUS_STDOUT") {
            output::write(text)?;
        } else {
            output::complain(text.trim_end());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let names: Vec<&str> = meant.iter().map(|c| c.name.as_str()).collect();
    let message = format!("Going to remove {}", names.join(", "));
    if args.force || ctx.globals.dry_run {
        output::write(&format!("{message}\n"))?;
    } else if !terminal::confirm(&message).await {
        return Ok(ExitCode::SUCCESS);
    }
    let plan = lifecycle::remove(meant, args.force, args.volumes);
    execute(ctx, &*engine, &desired, &observed, plan).await
}
