//! `create`: `up` without the starts.

use super::changing::{self, Changing};
use super::desired::load_files;
use crate::context::Context;
use crate::error::CliError;
use crate::project::Dependencies;
use crate::reconcile::Options;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct CreateArgs {
    /// Services to create, with their dependencies (default: all)
    services: Vec<String>,
    #[command(flatten)]
    changing: Changing,
}

pub async fn run(ctx: &Context, args: CreateArgs) -> Result<ExitCode, CliError> {
    args.changing.check(ctx)?;
    let mut desired = load_files(ctx, &args.services, Dependencies::Include)?;
    let named = desired.project.resolve_names(&args.services)?;
    args.changing.scale(ctx, &mut desired)?;
    desired.select(ctx, &args.services, Dependencies::Include)?;
    let options = Options {
        named,
        start: false,
        ..args.changing.options(ctx)?
    };
    changing::bring_about(ctx, desired, options, &args.changing, None).await
}
