//! `start`: start containers that are there; nothing is created.

use super::desired::{Desired, observe_existing};
use super::existing::change_within;
use super::foreign::Adoption;
use crate::context::Context;
use crate::error::CliError;
use crate::observe::{Observed, Scope};
use crate::project::Dependencies;
use crate::reconcile::{Options, lifecycle};
use std::process::ExitCode;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub struct StartArgs {
    /// Services to start, with their dependencies (default: all)
    services: Vec<String>,
    #[command(flatten)]
    adoption: Adoption,
    /// Return once all services are running or healthy
    #[arg(long)]
    wait: bool,
    /// Give up after this many seconds
    #[arg(long, value_name = "SECONDS", requires = "wait")]
    wait_timeout: Option<u64>,
    /// Do not check that containers survive their first 200 ms
    #[arg(long)]
    no_verify: bool,
}

pub async fn run(ctx: &Context, args: StartArgs) -> Result<ExitCode, CliError> {
    let engine = ctx.engine()?;
    let scope = Scope::CONTAINERS;
    let (desired, observed) = observe_existing(ctx, &*engine, &args.services, scope).await?;
    let plan = |desired: &mut Desired, observed: &Observed| {
        if desired.from_labels && observed.services.is_empty() {
            return Err(CliError::new(format!(
                "no container found for project {:?}: not found",
                desired.project.name
            )));
        }
        // Nothing is taken for granted of a service that neither a file nor a container tells of.
        let named = desired.project.resolve_names(&args.services)?;
        let names: Vec<String> = named.iter().cloned().collect();
        desired.select(ctx, &names, Dependencies::Include)?;
        let options = Options {
            named,
            start: true,
            wait: args.wait,
            unverified: args.no_verify,
            ..Options::default()
        };
        let outcome = lifecycle::start(&desired.project, observed, &options);
        match outcome.obstacles.is_empty() {
            true => Ok(outcome),
            false => Err(desired.obstacles(ctx, &outcome.obstacles)),
        }
    };
    let limit = args.wait_timeout.map(Duration::from_secs);
    change_within(
        ctx,
        &*engine,
        desired,
        observed,
        scope,
        args.adoption,
        plan,
        limit,
    )
    .await
}
