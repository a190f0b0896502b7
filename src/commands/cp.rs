//! `cp`: files between this machine and the containers of a service.

use crate::context::Context;
use crate::copy::paths::{Side, clean, keep_end};
use crate::copy::{self, CopyError, Destination, Into, Meant};
use crate::engine::{ContainerSummary, Engine};
use crate::error::CliError;
use crate::event::Status;
use crate::output;
use crate::pipe;
use futures::StreamExt;
use std::io;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(
    override_usage = "regatta cp [OPTIONS] SERVICE:SRC_PATH DEST_PATH|-\n       regatta cp [OPTIONS] SRC_PATH|- SERVICE:DEST_PATH"
)]
pub struct CpArgs {
    /// What to copy: SERVICE:PATH, a path on this machine, or - for a tar on standard input
    #[arg(value_name = "SRC_PATH")]
    source: String,
    /// Where to: a path on this machine, - for a tar on standard output, or SERVICE:PATH
    #[arg(value_name = "DEST_PATH")]
    destination: String,
    /// Include containers of `run`
    #[arg(long)]
    all: bool,
    /// Give copied files to the user that the container runs as
    #[arg(short, long)]
    archive: bool,
    /// Follow a symbolic link at the end of SRC_PATH
    #[arg(short = 'L', long)]
    follow_link: bool,
    /// Copy to or from this replica (default: to all, from the first)
    #[arg(long, value_name = "N", default_value_t = 0)]
    index: u32,
}

pub async fn run(ctx: &Context, args: CpArgs) -> Result<ExitCode, CliError> {
    for (what, path) in [("source", &args.source), ("destination", &args.destination)] {
        if path.is_empty() {
            return Err(CliError::new(format!("{what} can not be empty")));
        }
    }
    let meant = Meant {
        replica: (args.index > 0).then_some(args.index),
        one_offs: args.all,
    };
    match (Side::parse(&args.source), Side::parse(&args.destination)) {
        (Side::Service { .. }, Side::Service { .. }) => {
            Err(CliError::new("copying between services is not supported")
                .hint("copy through this machine: `cp SERVICE:PATH - | … cp - OTHER:DIRECTORY`"))
        }
        (Side::Local(_), Side::Local(_)) => Err(CliError::new("unknown copy direction")
            .hint("one side is SERVICE:PATH; a path with a colon in its name begins with ./")),
        (Side::Service { service, path }, Side::Local(local)) => {
            let project = ctx.project_name()?;
            let engine = ctx.engine()?;
            let found = copy::containers(&*engine, &project, service, meant).await?;
            let container = &found[0];
            let what = format!("{}:{path} to {local}", container.name);
            let copied = fetch(ctx, &*engine, &args, container, path, local);
            one(ctx, container, &what, copied).await?;
            Ok(ExitCode::SUCCESS)
        }
        (Side::Local(local), Side::Service { service, path }) => {
            let project = ctx.project_name()?;
            let engine = ctx.engine()?;
            let found = copy::containers(&*engine, &project, service, meant).await?;
            let into = Into {
                path,
                follows_links: args.follow_link,
                for_its_user: args.archive,
            };
            send(ctx, &*engine, &found, local, into).await?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// A path of ours from the root on, with what its end says.
fn absolute(ctx: &Context, path: &str) -> String {
    let whole = ctx.cwd.join(path).display().to_string();
    keep_end(clean(&whole), path)
}

async fn fetch(
    ctx: &Context,
    engine: &dyn Engine,
    args: &CpArgs,
    container: &ContainerSummary,
    path: &str,
    local: &str,
) -> Result<(), CopyError> {
    if ctx.globals.dry_run {
        return engine
            .stat_path(&container.id, path)
            .await
            .map(drop)
            .map_err(CopyError::from);
    }
    let mut out = output::stdout();
    let place = absolute(ctx, local);
    let to = match local {
        "-" => Destination::Writer(&mut out),
        _ => Destination::Path(&place),
    };
    copy::from_container(engine, &container.id, path, args.follow_link, to).await
}

/// Sends to all containers at a time; the first failure is the command's.
async fn send(
    ctx: &Context,
    engine: &dyn Engine,
    containers: &[ContainerSummary],
    local: &str,
    into: Into<'_>,
) -> Result<(), CliError> {
    let what = |c: &ContainerSummary| format!("{local} to {}:{}", c.name, into.path);
    if local == "-" && !ctx.globals.dry_run {
        for container in containers {
            tell(ctx, container, Status::Working, "Copying", &what(container));
        }
        let input = pipe::written("standard input", |out| {
            io::copy(&mut io::stdin().lock(), out).map(drop)
        });
        let ids: Vec<String> = containers.iter().map(|c| c.id.clone()).collect();
        let results = copy::tar_to_containers(engine, &ids, input, into).await;
        let mut first = Ok(());
        for (container, result) in containers.iter().zip(results) {
            let result = conclude(ctx, container, &what(container), result);
            first = first.and(result);
        }
        return first;
    }
    let place = absolute(ctx, local);
    let copies = containers.iter().map(|container| {
        let place = &place;
        async move {
            let copied = async {
                match ctx.globals.dry_run {
                    true => copy::check_source(place),
                    false => copy::to_container(engine, &container.id, place, into).await,
                }
            };
            one(ctx, container, &what(container), copied).await
        }
    });
    let copies = futures::stream::iter(copies).buffer_unordered(ctx.limit());
    let results: Vec<_> = copies.collect().await;
    results.into_iter().collect()
}

async fn one(
    ctx: &Context,
    container: &ContainerSummary,
    what: &str,
    copied: impl Future<Output = Result<(), CopyError>>,
) -> Result<(), CliError> {
    tell(ctx, container, Status::Working, "Copying", what);
    conclude(ctx, container, what, copied.await)
}

fn conclude(
    ctx: &Context,
    container: &ContainerSummary,
    what: &str,
    result: Result<(), CopyError>,
) -> Result<(), CliError> {
    match result {
        Ok(()) => {
            let text = match ctx.globals.dry_run {
                true => "Skipped (dry run: it would be copied)",
                false => "Copied",
            };
            tell(ctx, container, Status::Done, text, what);
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

fn tell(ctx: &Context, container: &ContainerSummary, status: Status, text: &str, details: &str) {
    ctx.reporter
        .progress(&container.name, status, text, details);
}
