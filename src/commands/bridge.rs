//! `bridge`: the project in another form, made by images that transform it.

mod convert;
mod transformations;

use crate::context::Context;
use crate::error::CliError;
use crate::output;
use clap::Args;
use std::process::ExitCode;

/// Images that transform a project carry this label.
const LABEL: &str = "com.docker.compose.bridge";
/// The transformation that is meant where none is named.
const DEFAULT: &str = "docker/compose-bridge-kubernetes";

#[derive(Debug, clap::Args)]
pub struct BridgeArgs {
    #[command(subcommand)]
    command: Option<BridgeCommand>,
}

#[derive(Debug, clap::Subcommand)]
enum BridgeCommand {
    /// Convert the project to Kubernetes manifests, Helm charts, or another form
    Convert(convert::ConvertArgs),
    /// Manage the images that transform projects
    Transformations(TransformationsArgs),
}

#[derive(Debug, clap::Args)]
pub struct TransformationsArgs {
    #[command(subcommand)]
    command: Option<TransformationsCommand>,
}

#[derive(Debug, clap::Subcommand)]
enum TransformationsCommand {
    /// Create a transformation from an existing one
    Create(transformations::CreateArgs),
    /// List transformations
    #[command(visible_alias = "ls")]
    List(transformations::ListArgs),
}

pub async fn run(ctx: &Context, args: BridgeArgs) -> Result<ExitCode, CliError> {
    let help = |command: clap::Command| {
        let mut command = command;
        output::write(&command.render_help().to_string())?;
        Ok(ExitCode::SUCCESS)
    };
    match args.command {
        Some(BridgeCommand::Convert(args)) => convert::run(ctx, args).await,
        Some(BridgeCommand::Transformations(args)) => match args.command {
            Some(TransformationsCommand::Create(args)) => transformations::create(ctx, args).await,
            Some(TransformationsCommand::List(args)) => transformations::list(ctx, args).await,
            None => help(
                TransformationsArgs::augment_args(clap::Command::new("transformations"))
                    .bin_name("regatta bridge transformations")
                    .about("Manage the images that transform projects"),
            ),
        },
        None => help(
            BridgeArgs::augment_args(clap::Command::new("bridge"))
                .bin_name("regatta bridge")
                .about("Convert the project into another form"),
        ),
    }
}
