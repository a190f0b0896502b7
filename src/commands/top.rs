//! `top`: the processes in a project's containers.

use crate::context::Context;
use crate::engine::{ContainerSummary, Processes};
use crate::error::CliError;
use crate::labels;
use crate::observe::containers_of;
use crate::output;
use crate::output::table::{Layout, columns};
use futures::stream::{self, StreamExt, TryStreamExt};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct TopArgs {
    /// Services to show (default: all)
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

pub async fn run(ctx: &Context, args: TopArgs) -> Result<ExitCode, CliError> {
    let project = ctx.project_name()?;
    let engine = ctx.engine()?;
    let mut containers = containers_of(&*engine, &project, false).await?;
    containers.retain(|c| {
        let service = c.labels.get(labels::SERVICE);
        c.labels.contains_key(labels::CONFIG_HASH)
            && (args.services.is_empty() || service.is_some_and(|s| args.services.contains(s)))
    });
    containers.sort_by(|a, b| a.name.cmp(&b.name));
    let engine = &*engine;
    let found: Vec<Option<(ContainerSummary, Processes)>> = stream::iter(containers)
        .map(|container| async move {
            match engine.processes(&container.id).await {
                Ok(processes) => Ok(Some((container, processes))),
                // It has ended since it was listed.
                Err(error) if error.is_not_found() || error.is_conflict() => Ok(None),
                Err(error) => Err(error),
            }
        })
        .buffered(ctx.limit())
        .try_collect()
        .await?;
    let found: Vec<_> = found.into_iter().flatten().collect();
    output::write(&table(&found))?;
    Ok(ExitCode::SUCCESS)
}

/// One table for all; the command is its last column, and a hyphen stands for what an engine does
/// not tell of a container.
fn table(found: &[(ContainerSummary, Processes)]) -> String {
    const COMMAND: &str = "CMD";
    let mut titles: Vec<&str> = Vec::new();
    for (_, processes) in found.iter().filter(|(_, p)| !p.rows.is_empty()) {
        for title in &processes.titles {
            if !titles.contains(&title.as_str()) {
                titles.push(title);
            }
        }
    }
    if let Some(at) = titles.iter().position(|title| *title == COMMAND) {
        titles.remove(at);
        titles.push(COMMAND);
    }
    let mut lines = Vec::new();
    for (container, processes) in found {
        let label = |key: &str| container.labels.get(key).cloned();
        let service = label(labels::SERVICE).unwrap_or_else(|| container.name.clone());
        let number = label(labels::CONTAINER_NUMBER).unwrap_or_default();
        for process in &processes.rows {
            let mut line = vec![service.clone(), number.clone()];
            line.extend(titles.iter().map(|title| {
                let at = processes.titles.iter().position(|t| t == title);
                let cell = at.and_then(|at| process.get(at));
                cell.map_or("-".to_owned(), Clone::clone)
            }));
            lines.push(line);
        }
    }
    if lines.is_empty() {
        return String::new();
    }
    let mut head = vec!["SERVICE", "#"];
    head.extend(titles);
    lines.insert(0, head.into_iter().map(str::to_owned).collect());
    columns(&lines, Layout::PROCESSES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(
        service: &str,
        number: &str,
        titles: &str,
        rows: &[&str],
    ) -> (ContainerSummary, Processes) {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let labels = [
            (labels::SERVICE, service),
            (labels::CONTAINER_NUMBER, number),
        ];
        let container = ContainerSummary {
            labels: labels.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            ..ContainerSummary::default()
        };
        let processes = Processes {
            titles: words(titles),
            rows: rows.iter().map(|row| words(row)).collect(),
        };
        (container, processes)
    }

    #[test]
    fn the_command_is_last_and_what_is_not_told_is_a_hyphen() {
        let found = [
            found(
                "db",
                "1",
                "UID CMD PID",
                &["root init 6506", "root postgres 6550"],
            ),
            found("web", "", "UID PID TTY CMD", &["nobody 7 ? nginx"]),
        ];
        assert_eq!(
            table(&found),
            "SERVICE  #   UID     PID   TTY  CMD\n\
             db       1   root    6506  -    init\n\
             db       1   root    6550  -    postgres\n\
             web          nobody  7     ?    nginx\n"
        );
    }

    #[test]
    fn nothing_is_no_table() {
        assert_eq!(table(&[found("db", "1", "UID PID CMD", &[])]), "");
        assert_eq!(table(&[]), "");
    }
}
