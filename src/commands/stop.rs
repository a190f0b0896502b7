//! `stop`: stop containers without removing them.

use super::desired::Desired;
use super::foreign::Adoption;
use super::session::{Existing, Session};
use crate::context::Context;
use crate::error::CliError;
use crate::observe::{Observed, Scope};
use crate::reconcile::{Outcome, lifecycle};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct StopArgs {
    /// Services to stop (default: all)
    services: Vec<String>,
    #[command(flatten)]
    adoption: Adoption,
    /// Exclude dependants with `depends_on: restart: true`
    #[arg(long)]
    no_deps: bool,
    /// Seconds to wait for a container to stop before killing it
    #[arg(short, long, value_name = "SECONDS", allow_negative_numbers = true)]
    timeout: Option<i64>,
}

pub async fn run(ctx: &Context, args: StopArgs) -> Result<ExitCode, CliError> {
    let scope = Scope::CONTAINERS;
    let session = Session::over_existing(ctx, &args.services, scope, args.adoption);
    let plan = |desired: &mut Desired, observed: &Observed| {
        Ok(match desired.meant(&args.services)? {
            None => Outcome::default(),
            Some(services) => lifecycle::stop(
                &desired.project,
                observed,
                &services,
                !args.no_deps,
                args.timeout,
            )
            .into(),
        })
    };
    session.await?.run(Existing::new(plan)).await
}
