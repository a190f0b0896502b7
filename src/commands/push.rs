//! `push`: the images that services build, to their registries.

use crate::context::Context;
use crate::error::CliError;
use crate::image::push::{PushAll, push_all};
use crate::image::refusal::Refusal;
use crate::project::Dependencies;
use crate::value::image::Reference;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct PushArgs {
    /// Services whose images to push (default: all)
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// Push what can be pushed, and ignore failures
    #[arg(long)]
    ignore_push_failures: bool,
    /// Also what the services depend on
    #[arg(long)]
    include_deps: bool,
    /// Hide progress of single layers
    #[arg(short, long)]
    quiet: bool,
}

pub async fn run(ctx: &Context, args: PushArgs) -> Result<ExitCode, CliError> {
    // A service's environment says nothing about its image.
    let mut project = ctx.load_with(&ctx.without_env_files(&args.services))?;
    project.select(&args.services, Dependencies::included(args.include_deps))?;
    let options = PushAll {
        quiet: args.quiet,
        goes_on: args.ignore_push_failures,
        limit: ctx.limit(),
        dry_run: ctx.globals.dry_run,
    };
    let engine = ctx.engine()?;
    let failed = push_all(&*engine, &project, &options, &ctx.reporter).await;
    let Some((image, error)) = failed.into_iter().next().filter(|_| !options.goes_on) else {
        return Ok(ExitCode::SUCCESS);
    };
    let registry = Reference::parse(&image).registry().to_owned();
    let advice = Refusal::of(error.message()).advice(&registry);
    let failure = match error {
        crate::engine::EngineError::Unanswered { .. } => error.into(),
        error => CliError::new(error.message()),
    };
    Err(match advice {
        Some(advice) => failure.hint(advice),
        None => failure,
    })
}
