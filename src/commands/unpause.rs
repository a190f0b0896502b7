//! `unpause`: let paused containers go on.

use super::foreign::Adoption;
use super::pause;
use crate::context::Context;
use crate::error::CliError;
use crate::reconcile::lifecycle::Freeze;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct UnpauseArgs {
    /// Services to unpause (default: all)
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    #[command(flatten)]
    adoption: Adoption,
}

pub async fn run(ctx: &Context, args: UnpauseArgs) -> Result<ExitCode, CliError> {
    pause::apply(ctx, &args.services, args.adoption, Freeze::Unpause).await
}
