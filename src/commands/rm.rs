//! `rm`: remove containers that do not run.

use super::desired::{Desired, observe_existing};
use super::existing::{change, nothing_to_do};
use super::foreign::Adoption;
use crate::context::Context;
use crate::error::CliError;
use crate::observe::{Observed, ObservedContainer, Scope};
use crate::output;
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
    let engine = ctx.engine()?;
    let scope = Scope::CONTAINERS;
    let look = || observe_existing(ctx, &*engine, &args.services, scope);
    let (mut desired, mut observed) = look().await?;
    if args.stop {
        let plan = |desired: &mut Desired, observed: &Observed| {
            Ok(match desired.meant(&args.services)? {
                None => Outcome::default(),
                Some(services) => {
                    lifecycle::stop(&desired.project, observed, &services, false, None).into()
                }
            })
        };
        if !plan(&mut desired, &observed)?.plan.is_empty() {
            change(ctx, &*engine, desired, observed, scope, args.adoption, plan).await?;
            (desired, observed) = look().await?;
        }
    }
    let meant = args.meant(&desired, &observed)?;
    if meant.is_empty() {
        return nothing_to_do(ctx, "No stopped containers");
    }
    let names: Vec<&str> = meant.iter().map(|c| c.name.as_str()).collect();
    let message = format!("Going to remove {}", names.join(", "));
    if args.force || ctx.globals.dry_run {
        output::tell(&format!("{message}\n"))?;
    } else if !terminal::confirm(&message).await {
        return Ok(ExitCode::SUCCESS);
    }
    let agreed: BTreeSet<String> = meant.iter().map(|c| c.id.clone()).collect();
    let plan = |desired: &mut Desired, observed: &Observed| {
        let mut meant = args.meant(desired, observed)?;
        meant.retain(|c| agreed.contains(&c.id));
        Ok(lifecycle::remove(meant, args.force, args.volumes).into())
    };
    change(ctx, &*engine, desired, observed, scope, args.adoption, plan).await
}

impl RmArgs {
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
