//! `ls`: the projects on the engine, found by their containers' labels.

use crate::context::Context;
use crate::engine::{ContainerFilter, ContainerSummary};
use crate::error::CliError;
use crate::labels;
use crate::output;
use crate::output::listing::{Format, section};
use crate::value::userinfo::masked;
use crate::value::visible::{visible_json, visible_line};
use serde::Serialize;
use std::collections::BTreeMap;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct LsArgs {
    /// Include stopped projects
    #[arg(short, long)]
    all: bool,
    /// Only projects whose name is, or matches: name=REGEX (repeatable)
    #[arg(long, value_name = "FILTER")]
    filter: Vec<String>,
    /// Output format: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: String,
    /// Only print names
    #[arg(short, long)]
    quiet: bool,
}

/// A project, with the keys of Compose's JSON.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ProjectRow {
    name: String,
    status: String,
    config_files: String,
}

pub async fn run(ctx: &Context, args: LsArgs) -> Result<ExitCode, CliError> {
    let wanted = name_filters(&args.filter)?;
    let filter = ContainerFilter {
        labels: vec![labels::PROJECT.into(), labels::CONFIG_HASH.into()],
        all: args.all,
    };
    let containers = ctx.engine()?.list_containers(filter).await?;
    let mut rows = rows(&containers);
    rows.retain(|row| wanted.is_empty() || wanted.iter().any(|w| matches(w, &row.name)));
    output::write(&render(&rows, &args)?)?;
    Ok(ExitCode::SUCCESS)
}

fn name_filters(given: &[String]) -> Result<Vec<String>, CliError> {
    given
        .iter()
        .map(|filter| match filter.split_once('=') {
            Some((key, value)) if key.trim().eq_ignore_ascii_case("name") => {
                Ok(value.trim().to_owned())
            }
            Some((key, _)) => Err(CliError::new(format!("invalid filter '{key}'"))
                .hint("projects can be filtered by name: --filter name=REGEX")),
            None => Err(CliError::new(format!(
                "invalid argument \"{filter}\" for \"--filter\" flag: bad format of filter (expected name=value)"
            ))),
        })
        .collect()
}

/// A name equal to the filter, or one that it matches as a regular expression.
fn matches(filter: &str, name: &str) -> bool {
    filter == name || regex_lite::Regex::new(filter).is_ok_and(|regex| regex.is_match(name))
}

/// The projects of the containers, by name.
fn rows(containers: &[ContainerSummary]) -> Vec<ProjectRow> {
    let mut projects: BTreeMap<&str, Vec<&ContainerSummary>> = BTreeMap::new();
    for container in containers {
        if let Some(name) = container.labels.get(labels::PROJECT) {
            projects.entry(name).or_default().push(container);
        }
    }
    let row = |(name, containers): (&str, Vec<&ContainerSummary>)| ProjectRow {
        name: name.to_owned(),
        status: status(&containers),
        config_files: config_files(&containers),
    };
    projects.into_iter().map(row).collect()
}

/// `exited(1), running(2)`.
fn status(containers: &[&ContainerSummary]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for container in containers {
        *counts.entry(container.state_word()).or_default() += 1;
    }
    let parts: Vec<String> = counts.iter().map(|(s, n)| format!("{s}({n})")).collect();
    parts.join(", ")
}

/// All files that any of the containers was made from.
fn config_files(containers: &[&ContainerSummary]) -> String {
    let mut files: Vec<&str> = Vec::new();
    for container in containers {
        let Some(list) = container.labels.get(labels::CONFIG_FILES) else {
            return "N/A".into();
        };
        for file in list.split(',') {
            if !files.contains(&file) {
                files.push(file);
            }
        }
    }
    // A program that notes addresses there may have noted their logins.
    masked(&files.join(",")).into_owned()
}

fn render(rows: &[ProjectRow], args: &LsArgs) -> Result<String, CliError> {
    if args.quiet {
        return Ok(rows
            .iter()
            .map(|row| visible_line(&row.name) + "\n")
            .collect());
    }
    let object = |row: &ProjectRow| serde_json::to_string(row).unwrap_or_default();
    let hint = "the formats are table and json";
    Ok(
        match Format::parse(&args.format).map_err(|e| CliError::new(e).hint(hint))? {
            Format::Table => section(
                &["NAME", "STATUS", "CONFIG FILES"],
                rows.iter()
                    .map(|r| vec![r.name.clone(), r.status.clone(), r.config_files.clone()]),
            ),
            Format::Json => {
                let objects: Vec<String> = rows.iter().map(object).collect();
                visible_json(&format!("[{}]\n", objects.join(",")))
            }
            Format::JsonLines => rows
                .iter()
                .map(|row| visible_json(&object(row)) + "\n")
                .collect(),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ContainerState;

    fn container(project: &str, files: &str, state: ContainerState) -> ContainerSummary {
        let labels = [(labels::PROJECT, project), (labels::CONFIG_FILES, files)];
        ContainerSummary {
            labels: labels.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            state,
            ..Default::default()
        }
    }

    #[test]
    fn a_login_in_a_label_is_not_shown() {
        let files = "https://me:s3cret@h/a.git,https://TOKEN@h/b.git,/srv/c.yaml";
        let container = container("shop", files, ContainerState::Running);
        assert_eq!(
            config_files(&[&container]),
            "https://***@h/a.git,https://***@h/b.git,/srv/c.yaml"
        );
    }

    fn args(format: &str, quiet: bool) -> LsArgs {
        LsArgs {
            all: true,
            filter: Vec::new(),
            format: format.into(),
            quiet,
        }
    }

    #[test]
    fn containers_are_gathered_into_projects() {
        let rows = rows(&[
            container("shop", "/d/a.yaml,/d/b.yaml", ContainerState::Running),
            container("blog", "-", ContainerState::Running),
            container("shop", "/d/a.yaml", ContainerState::Exited),
            container("shop", "/d/a.yaml", ContainerState::Running),
        ]);
        assert_eq!(
            render(&rows, &args("table", false)).unwrap(),
            "NAME                STATUS                  CONFIG FILES\n\
             blog                running(1)              -\n\
             shop                exited(1), running(2)   /d/a.yaml,/d/b.yaml\n"
        );
        assert_eq!(
            render(&rows[..1], &args("json", false)).unwrap(),
            "[{\"Name\":\"blog\",\"Status\":\"running(1)\",\"ConfigFiles\":\"-\"}]\n"
        );
        assert_eq!(render(&rows, &args("", true)).unwrap(), "blog\nshop\n");
        assert!(render(&rows, &args("toml", false)).is_err());
    }

    #[test]
    fn names_are_matched_as_they_are_or_by_pattern() {
        for (filter, name, expected) in [
            ("shop", "shop", true),
            ("sho", "shop", true),
            ("^sho$", "shop", false),
            ("s.*p", "shop", true),
            ("[", "shop", false),
        ] {
            assert_eq!(matches(filter, name), expected, "{filter}");
        }
        assert!(name_filters(&["status=running".into()]).is_err());
        assert!(name_filters(&["shop".into()]).is_err());
    }
}
