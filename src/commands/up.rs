//! `up`: create and start what the project asks for.

use super::changing::{self, Changing};
use super::desired::load_files;
use crate::context::Context;
use crate::error::CliError;
use crate::project::Dependencies;
use crate::reconcile::Options;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct UpArgs {
    /// Services to bring up, with all they depend on (default: all)
    services: Vec<String>,
    /// Run in the background; needed for now (the attached form comes later)
    #[arg(short, long)]
    detach: bool,
    #[command(flatten)]
    changing: Changing,
    /// Recreate the services that others depend on, too
    #[arg(long, conflicts_with = "no_recreate")]
    always_recreate_deps: bool,
    /// Leave out what the services depend on
    #[arg(long)]
    no_deps: bool,
    /// Only create, do not start
    #[arg(long)]
    no_start: bool,
    /// Give recreated containers fresh anonymous volumes
    #[arg(short = 'V', long, conflicts_with = "no_recreate")]
    renew_anon_volumes: bool,
    /// Seconds that a container has for stopping before it is killed
    #[arg(short, long, value_name = "SECONDS", allow_negative_numbers = true)]
    timeout: Option<i64>,
    /// End only when every service is running, or healthy where it has a healthcheck
    #[arg(long)]
    wait: bool,
    /// Most seconds to wait
    #[arg(long, value_name = "SECONDS", requires = "wait")]
    wait_timeout: Option<u64>,
}

pub async fn run(ctx: &Context, args: UpArgs) -> Result<ExitCode, CliError> {
    if !args.detach && !args.wait && !args.no_start && !ctx.globals.dry_run {
        return Err(
            CliError::new("up needs -d for now: its attached form is not there yet")
                .hint("regatta up -d && regatta logs -f"),
        );
    }
    let mut desired = load_files(ctx, &args.services)?;
    let dependencies = match args.no_deps {
        true => Dependencies::Ignore,
        false => Dependencies::Include,
    };
    let named = desired.project.resolve_names(&args.services)?;
    args.changing.scale(&mut desired)?;
    desired.select(ctx, &args.services, dependencies)?;
    let options = Options {
        named,
        start: !args.no_start,
        wait: args.wait,
        timeout: args.timeout,
        ..args
            .changing
            .options_with(ctx, args.renew_anon_volumes, args.always_recreate_deps)?
    };
    let limit = args.wait_timeout.map(std::time::Duration::from_secs);
    changing::bring_about(ctx, desired, options, &args.changing, limit).await
}
