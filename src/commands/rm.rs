//! `rm`: remove containers that do not run.

use super::desired::Desired;
use super::foreign::Adoption;
use super::session::{Existing, Session, nothing_to_do};
use crate::context::Context;
use crate::error::CliError;
use crate::observe::{Observed, ObservedContainer, Scope};
use crate::output;
use crate::plan::Plan;
use crate::reconcile::{Outcome, lifecycle};
use crate::terminal;
use std::collections::BTreeSet;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct RmArgs {
    /// Services whose containers to remove (default: all)
    services: Vec<String>,
    #[command(flatten)]
    adoption: Adoption,
    /// Do not ask for confirmation
    #[arg(short, long)]
    force: bool,
    /// Stop the containers first
    #[arg(short, long)]
    stop: bool,
    /// Also remove anonymous volumes
    #[arg(short, long)]
    volumes: bool,
    /// Has no effect
    #[arg(short, long, hide = true)]
    all: bool,
}

/// Removes what does not run, and with `--stop` stops it before.
pub async fn run(ctx: &Context, args: RmArgs) -> Result<ExitCode, CliError> {
    let scope = Scope::CONTAINERS;
    let mut session = Session::over_existing(ctx, &args.services, scope, args.adoption).await?;
    if args.stop {
        let (desired, observed) = session.look().await?;
        let is_needed = !args.stop_plan(desired, observed)?.is_empty();
        // What is stopped already is told of, but does not show in a dry run.
        if is_needed || !ctx.globals.dry_run {
            let stop = |desired: &mut Desired, observed: &Observed| {
                args.stop_plan(desired, observed).map(Outcome::from)
            };
            session.run(Existing::new(stop)).await?;
        }
    }
    let (desired, observed) = session.look().await?;
    let meant = args.meant(desired, observed)?;
    if meant.is_empty() {
        return nothing_to_do(ctx, "No stopped containers");
    }
    let names: Vec<&str> = meant.iter().map(|c| c.name.as_str()).collect();
    let message = format!("Going to remove {}", names.join(", "));
    let agreed: BTreeSet<String> = meant.iter().map(|c| c.id.clone()).collect();
    if args.force || ctx.globals.dry_run {
        output::tell(&format!("{message}\n"))?;
    } else if !terminal::confirm(&message).await {
        return Ok(ExitCode::SUCCESS);
    }
    let plan = |desired: &mut Desired, observed: &Observed| {
        let mut meant = args.meant(desired, observed)?;
        meant.retain(|c| agreed.contains(&c.id));
        Ok(lifecycle::remove(meant, args.force, args.volumes).into())
    };
    session.run(Existing::new(plan)).await
}

impl RmArgs {
    fn stop_plan(&self, desired: &Desired, observed: &Observed) -> Result<Plan, CliError> {
        let services = desired.meant(&self.services)?;
        let stop = |services| lifecycle::stop(&desired.project, observed, &services, false, None);
        Ok(services.map(stop).unwrap_or_default())
    }

    fn meant<'a>(
        &self,
        desired: &Desired,
        observed: &'a Observed,
    ) -> Result<Vec<&'a ObservedContainer>, CliError> {
        let Some(services) = desired.meant(&self.services)? else {
            return Ok(Vec::new());
        };
        Ok(observed
            .replicas()
            .filter(|c| desired.project.services.contains_key(&c.service))
            .filter(|c| services.is_empty() || services.contains(&c.service))
            .filter(|c| !c.state.is_up())
            .collect())
    }
}
