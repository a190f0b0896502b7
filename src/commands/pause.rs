//! `pause`: freeze containers.

use super::desired::Desired;
use super::foreign::Adoption;
use super::session::{Existing, Session};
use crate::context::Context;
use crate::error::CliError;
use crate::observe::{Observed, Scope};
use crate::reconcile::Outcome;
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
    let plan = |desired: &mut Desired, observed: &Observed| {
        Ok(match desired.meant(services)? {
            None => Outcome::default(),
            Some(services) => {
                lifecycle::freeze(&desired.project, observed, &services, freeze).into()
            }
        })
    };
    let session = Session::over_existing(ctx, services, Scope::CONTAINERS, adoption);
    session.await?.run(Existing::at_once(plan)).await
}
