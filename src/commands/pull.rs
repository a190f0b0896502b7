//! `pull`: the images of services, each once.

use crate::context::Context;
use crate::error::CliError;
use crate::image::pull::{PullAll, pull_all};
use crate::project::Dependencies;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct PullArgs {
    /// Services whose images to pull (default: all)
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// Exclude images that can be built
    #[arg(long)]
    ignore_buildable: bool,
    /// Pull what can be pulled and ignore failures
    #[arg(long)]
    ignore_pull_failures: bool,
    /// Include the services' dependencies
    #[arg(long)]
    include_deps: bool,
    /// When to pull, overriding the services' policy: missing or always
    #[arg(long, value_name = "POLICY")]
    policy: Option<String>,
    /// Hide per-layer progress
    #[arg(short, long)]
    quiet: bool,
    /// Has no effect, since it is always so
    #[arg(long, hide = true)]
    parallel: bool,
    /// Has no effect
    #[arg(long, hide = true)]
    no_parallel: bool,
}

pub async fn run(ctx: &Context, args: PullArgs) -> Result<ExitCode, CliError> {
    if let Some(policy) = args
        .policy
        .as_deref()
        .filter(|p| !["missing", "always"].contains(p))
    {
        return Err(CliError::new(format!("invalid --policy option {policy:?}"))
            .hint("it is missing or always"));
    }
    // A service's environment says nothing about its image.
    let mut project = ctx.load_with(&ctx.without_env_files(&args.services))?;
    project.select(&args.services, Dependencies::included(args.include_deps))?;
    let options = PullAll {
        policy: args.policy,
        quiet: args.quiet,
        ignore_buildable: args.ignore_buildable,
        goes_on: args.ignore_pull_failures,
        limit: ctx.limit(),
        dry_run: ctx.globals.dry_run,
    };
    let pulled = pull_all(&*ctx.engine()?, &project, &options, &ctx.reporter).await?;
    if !pulled.to_build.is_empty() {
        ctx.reporter.warning(format!(
            "WARNING: Some service image(s) must be built from source by running:\n    regatta build {}",
            pulled.to_build.join(" ")
        ));
    }
    if pulled.failed.is_empty() || args.ignore_pull_failures {
        return Ok(ExitCode::SUCCESS);
    }
    let reasons: Vec<String> = pulled
        .failed
        .into_iter()
        .map(|(image, error)| format!("image {image}: {error}"))
        .collect();
    Err(CliError::new(reasons.join("\n")))
}
