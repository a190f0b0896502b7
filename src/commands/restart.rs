//! `restart`: restart containers as they are.

use super::desired::Desired;
use super::foreign::Adoption;
use super::session::{Existing, Session};
use crate::context::Context;
use crate::error::CliError;
use crate::observe::{Observed, Scope};
use crate::reconcile::lifecycle;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct RestartArgs {
    /// Services to restart (default: all)
    services: Vec<String>,
    #[command(flatten)]
    adoption: Adoption,
    /// Exclude dependants with `depends_on: restart: true`
    #[arg(long)]
    no_deps: bool,
    /// Do not check that containers survive their first 200 ms
    #[arg(long)]
    no_verify: bool,
    /// Seconds to wait for a container to stop before killing it
    #[arg(short, long, value_name = "SECONDS", allow_negative_numbers = true)]
    timeout: Option<i64>,
}

pub async fn run(ctx: &Context, args: RestartArgs) -> Result<ExitCode, CliError> {
    let scope = Scope::CONTAINERS;
    let session = Session::over_existing(ctx, &args.services, scope, args.adoption);
    let plan = |desired: &mut Desired, observed: &Observed| {
        // Without a file, a name that no container has is refused, too.
        let services = desired.project.resolve_names(&args.services)?;
        let plan = lifecycle::restart(
            &desired.project,
            observed,
            &services,
            !args.no_deps,
            args.timeout,
            !args.no_verify,
        );
        Ok(plan.into())
    };
    session.await?.run(Existing::new(plan)).await
}
