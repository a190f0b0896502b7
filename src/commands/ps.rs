//! `ps`: the containers of a project.

use crate::context::{Context, Target};
use crate::engine::{ContainerFilter, ContainerState, ContainerSummary, Engine};
use crate::error::CliError;
use crate::labels;
use crate::options::go_bool;
use crate::output;
use crate::output::template::Row;
use crate::value::visible::visible_line;
use std::process::ExitCode;

mod ports;
mod row;

#[derive(Debug, clap::Args)]
pub struct PsArgs {
    /// Services to show (default: all)
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// Include stopped containers and those of `run`
    #[arg(short, long)]
    all: bool,
    /// Only containers in a state: status=STATE
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,
    /// Output format: table, json, a Go template, or `table` and a template
    #[arg(long, value_name = "FORMAT", default_value = "")]
    format: String,
    /// Do not truncate ids and commands
    #[arg(long)]
    no_trunc: bool,
    /// Include containers of services that the project does not declare
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_value = "true",
        default_missing_value = "true",
        action = clap::ArgAction::Set,
        value_parser = go_bool,
    )]
    orphans: bool,
    /// Only print ids
    #[arg(short, long)]
    quiet: bool,
    /// Only print service names
    #[arg(long = "services")]
    only_services: bool,
    /// Only containers in this state: paused, restarting, removing, running, dead, created or
    /// exited (repeatable)
    #[arg(long, value_name = "STATE")]
    status: Vec<String>,
}

/// A container with what the list tells only by its words.
#[derive(Debug, Clone)]
struct Listed {
    container: ContainerSummary,
    /// Of one that has ended; 0 for all others.
    exit_code: i64,
    /// `healthy`, `unhealthy`, `starting`, or empty.
    health: &'static str,
}

pub async fn run(ctx: &Context, mut args: PsArgs) -> Result<ExitCode, CliError> {
    if let Some(state) = status_filter(args.filter.as_deref())? {
        args.status.push(state);
    }
    if let Some(word) = args
        .status
        .iter()
        .find(|w| ContainerState::parse(w).is_none())
    {
        let states = ContainerState::ALL.map(ContainerState::as_str).join(", ");
        return Err(CliError::new(format!("invalid status \"{word}\""))
            .hint(format!("a container is one of {states}")));
    }
    let Target { name, project, .. } = ctx.target(&args.services)?;
    if let Some(project) = &project {
        if let Some(unknown) = args
            .services
            .iter()
            .find(|s| !project.services.contains_key(*s))
        {
            return Err(project.no_such_service(unknown).into());
        }
        if args.services.is_empty() && !args.orphans {
            args.services = project.services.keys().cloned().collect();
        }
    }
    let all = args.all || !args.status.is_empty();
    let mut filter = ContainerFilter {
        labels: vec![
            format!("{}={name}", labels::PROJECT),
            labels::CONFIG_HASH.into(),
        ],
        all,
    };
    if !all {
        filter.labels.push(format!("{}=False", labels::ONEOFF));
    }
    let engine = ctx.engine()?;
    let mut containers = engine.list_containers(filter).await?;
    containers.retain(|c| {
        let service = c.labels.get(labels::SERVICE);
        let state = c.state_word();
        (args.services.is_empty() || service.is_some_and(|s| args.services.contains(s)))
            && (args.status.is_empty() || args.status.iter().any(|s| s == state))
    });
    containers.sort_by(|a, b| a.name.cmp(&b.name));
    if args.format.is_empty() {
        args.format = ctx.docker_format("psFormat").unwrap_or_default();
    }
    let listed = complete(engine.as_ref(), containers).await?;
    let now = jiff::Zoned::now();
    output::write(&render(&listed, &args, &now)?)?;
    Ok(ExitCode::SUCCESS)
}

fn status_filter(filter: Option<&str>) -> Result<Option<String>, CliError> {
    let Some(filter) = filter.filter(|f| !f.is_empty()) else {
        return Ok(None);
    };
    match filter.split_once('=') {
        Some(("status", state)) => Ok(Some(state.to_owned())),
        Some(("source", _)) => Err(CliError::new(
            "--filter source= selects nothing: containers carry no mark of a source",
        )
        .hint("name the services instead, or filter by state: --filter status=running")),
        Some((key, _)) => Err(CliError::new(format!("unknown filter {key}"))
            .hint("containers can be filtered by state: --filter status=running")),
        None => Err(CliError::new(
            "arguments to --filter should be in form KEY=VAL",
        )),
    }
}

/// Exit codes and health from the engine's sentences, so that one request is enough. Only of a
/// dead container the sentence says nothing.
async fn complete(
    engine: &dyn Engine,
    containers: Vec<ContainerSummary>,
) -> Result<Vec<Listed>, CliError> {
    let mut listed = Vec::with_capacity(containers.len());
    for container in containers {
        let exit_code = match container.state {
            ContainerState::Exited => exit_code(&container.status),
            ContainerState::Dead => Some(engine.inspect_container(&container.id).await?.exit_code),
            _ => Some(0),
        };
        let health = match container.state {
            ContainerState::Running => health(&container.status),
            _ => "",
        };
        listed.push(Listed {
            container,
            exit_code: exit_code.unwrap_or(0),
            health,
        });
    }
    Ok(listed)
}

/// Of `Exited (3) 2 minutes ago`.
fn exit_code(status: &str) -> Option<i64> {
    let (_, rest) = status.split_once('(')?;
    rest.split_once(')')?.0.parse().ok()
}

/// Of `Up 3 minutes (healthy)`.
fn health(status: &str) -> &'static str {
    match () {
        () if status.ends_with("(healthy)") => "healthy",
        () if status.ends_with("(unhealthy)") => "unhealthy",
        () if status.ends_with("(health: starting)") => "starting",
        () => "",
    }
}

fn render(listed: &[Listed], args: &PsArgs, now: &jiff::Zoned) -> Result<String, CliError> {
    if args.quiet {
        return Ok(listed
            .iter()
            .map(|l| l.container.id.clone() + "\n")
            .collect());
    }
    if args.only_services {
        let mut names: Vec<&str> = Vec::new();
        for l in listed {
            let name = l
                .container
                .labels
                .get(labels::SERVICE)
                .map_or("", String::as_str);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        // No service is an empty line, as in Docker Compose.
        let names: Vec<_> = names.iter().map(|name| visible_line(name)).collect();
        return Ok(names.join("\n") + "\n");
    }
    let has_engine = |l: &Listed| l.container.labels.contains_key(row::ENGINE_LABEL);
    let listing = match listed.iter().any(has_engine) {
        true => row::WITH_ENGINES,
        false => row::LISTING,
    };
    let format = match args.format.as_str() {
        "" => "table",
        given => given,
    };
    let rows: Vec<Row> = listed
        .iter()
        .map(|l| row::row(l, !args.no_trunc, now))
        .collect();
    Ok(listing.render(format, &rows)?)
}

#[cfg(test)]
mod tests;
