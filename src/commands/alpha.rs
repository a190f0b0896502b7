//! `alpha`: commands that may still change.

use crate::context::Context;
use crate::error::CliError;
use crate::output;
use clap::Args;
use std::process::ExitCode;

mod generate;
mod viz;

#[derive(Debug, clap::Args)]
pub struct AlphaArgs {
    #[command(subcommand)]
    command: Option<AlphaCommand>,
}

#[derive(Debug, clap::Subcommand)]
enum AlphaCommand {
    /// EXPERIMENTAL: write a Compose file from existing containers
    Generate(generate::GenerateArgs),
    /// EXPERIMENTAL: publish the project's files to a registry
    Publish(super::publish::PublishArgs),
    /// EXPERIMENTAL: write a Graphviz graph of the project's services
    Viz(viz::VizArgs),
}

pub async fn run(ctx: &Context, args: AlphaArgs) -> Result<ExitCode, CliError> {
    match args.command {
        Some(AlphaCommand::Generate(args)) => generate::run(ctx, args).await,
        Some(AlphaCommand::Publish(args)) => super::publish::run(ctx, args).await,
        Some(AlphaCommand::Viz(args)) => viz::run(ctx, &args),
        None => {
            let mut help = AlphaArgs::augment_args(clap::Command::new("alpha"))
                .bin_name("regatta alpha")
                .about("Experimental commands");
            output::write(&help.render_help().to_string())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
