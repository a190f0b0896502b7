//! `wait`: wait until services' containers have stopped.

use super::down;
use crate::context::Context;
use crate::error::CliError;
use crate::labels;
use crate::observe::containers_of;
use crate::options::Program;
use crate::output;
use futures::stream::{FuturesUnordered, StreamExt};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(override_usage = "regatta wait [OPTIONS] SERVICE [SERVICE...]")]
pub struct WaitArgs {
    /// Services to wait for
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// Remove the project when all of them have stopped
    #[arg(long)]
    down_project: bool,
}

pub async fn run(ctx: &Context, args: WaitArgs) -> Result<ExitCode, CliError> {
    if args.services.is_empty() {
        let (prefix, command) = match ctx.program {
            Program::Regatta => ("", "regatta wait"),
            Program::DockerCompose => ("docker: ", "docker compose wait"),
        };
        return Err(CliError::new(format!(
            "{prefix}'{command}' requires at least 1 argument\n\n\
             Usage:  {command} SERVICE [SERVICE...] [OPTIONS]\n\n\
             See '{command} --help' for more information"
        )));
    }
    let project = ctx.target(&[])?.name;
    let engine = ctx.engine()?;
    let mut containers = containers_of(&*engine, &project, false).await?;
    containers.retain(|c| {
        let service = c.labels.get(labels::SERVICE);
        c.labels.contains_key(labels::CONFIG_HASH)
            && service.is_some_and(|s| args.services.contains(s))
    });
    if containers.is_empty() {
        return Err(
            CliError::new(format!("no containers for project {project:?}"))
                .hint("only running containers are waited for: see `ps --all`"),
        );
    }
    let engine = &*engine;
    let mut ends: FuturesUnordered<_> = containers
        .iter()
        .map(|container| async move {
            let code = engine.wait_container(&container.id).await;
            (&container.id, code)
        })
        .collect();
    let mut last = 0;
    while let Some((id, code)) = ends.next().await {
        last = code?;
        output::tell(&format!(
            "container {id:?} exited with status code {last}\n"
        ))?;
    }
    drop(ends);
    if args.down_project {
        down::run(ctx, down::DownArgs::with_orphans()).await?;
    }
    Ok(ExitCode::from(u8::try_from(last).unwrap_or(1)))
}
