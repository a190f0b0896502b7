//! What is asked before a project from elsewhere (`-f` names a git repository or a registry) is run:
//! whether what it includes from elsewhere is trusted, and whether its variables are right.
//! Docker Compose 5.5 asks the same, of `up` alone. Before any command runs a program that came
//! with such a project, that is asked too ([`programs`]).

use super::config::variables;
use crate::context::Context;
use crate::error::CliError;
use crate::load::{LoadOptions, Stages};
use crate::output::table::{self, Layout};
use crate::output::{self, Mode};
use crate::plan::{Action, Plan};
use crate::project::Project;
use crate::terminal;
use crate::value::address::Address;
use crate::value::secret::{is_secret_name, mask, stand_in};
use crate::value::userinfo::masked;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Asks, unless `yes` says that there is no need to. `directory` is the project's.
///
/// # Errors
/// Where the answer is no.
pub async fn ask(
    ctx: &Context,
    options: &LoadOptions,
    directory: &Path,
    yes: bool,
) -> Result<(), CliError> {
    let given: Vec<&str> = ctx
        .globals
        .files
        .iter()
        .filter_map(|f| f.to_str())
        .collect();
    let Some(main) = given.iter().find(|file| Address::is_one(file)) else {
        return Ok(());
    };
    let fetched = ctx.fetched();
    let others = fetched
        .iter()
        .filter(|from| !given.contains(&from.as_str()));
    if !yes && others.count() > 0 {
        let list: String = fetched
            .iter()
            .map(|from| format!("  - {}\n", masked(from)))
            .collect();
        output::tell(&format!(
            "\nWarning: This Compose project includes files from remote sources:\n{list}\n\
             Remote includes could potentially be malicious. Make sure you trust the source.\n"
        ))?;
        agreed(terminal::choose("Do you want to continue? [y/N]: ", false).await)?;
    }
    if !matches!(ctx.style.mode, Mode::Quiet | Mode::Json) {
        output::tell(&format!(
            "Your compose stack {:?} is stored in {:?}\n",
            masked(main),
            directory.display().to_string()
        ))?;
    }
    if yes {
        return Ok(());
    }
    let model = ctx.raw_model(&LoadOptions {
        stages: Stages {
            no_interpolate: true,
            no_env_resolution: true,
            ..options.stages.clone()
        },
        ..options.clone()
    });
    let variables = variables::of(&model);
    if variables.is_empty() {
        return Ok(());
    }
    let shown = rows(&variables, &ctx.environment, &ctx.project_environment);
    let table = table::columns(&shown, Layout::TIGHT);
    output::tell(&format!(
        "\nFound the following variables in configuration:\n{table}"
    ))?;
    agreed(
        terminal::choose(
            "\nDo you want to proceed with these variables? [Y/n]: ",
            true,
        )
        .await,
    )
}

/// Asks before the programs of a plan's providers are run that came with a project from elsewhere,
/// whatever the command. Installed programs are run unasked.
///
/// # Errors
/// Where the answer is no.
pub async fn programs(
    ctx: &Context,
    project: &Project,
    plan: &Plan,
    yes: bool,
) -> Result<(), CliError> {
    let mut fetched: BTreeMap<PathBuf, &str> = BTreeMap::new();
    for (_, step) in plan.steps() {
        let Action::RunProvider { service, .. } = &step.action else {
            continue;
        };
        let declared = project.declared(service);
        let provider = declared.and_then(|service| service.provider.as_ref());
        let program = provider.and_then(|provider| ctx.programs.provider(&provider.kind));
        if let Some(program) = program.filter(|program| !ctx.programs.may_run(program)) {
            fetched.insert(program, service);
        }
    }
    if fetched.is_empty() {
        return Ok(());
    }
    if !yes {
        let lines = fetched.iter().map(|(program, service)| {
            let program = plain(&program.display().to_string());
            format!("  - {program} (service {service})\n")
        });
        output::tell(&format!(
            "\nWarning: this fetched project runs its own programs on this machine:\n{}",
            lines.collect::<String>()
        ))?;
        agreed(terminal::choose("Do you want to run them? [y/N]: ", false).await)?;
    }
    ctx.programs.agree();
    Ok(())
}

fn agreed(answer: bool) -> Result<(), CliError> {
    match answer {
        true => Ok(()),
        false => {
            Err(CliError::new("operation cancelled by user").hint(
                "`up -y` and `create -y` answer every question with yes; elsewhere a `y` on standard input does",
            ))
        }
    }
}

/// Each variable with its value and where that comes from.
fn rows(
    variables: &BTreeMap<String, variables::Variable>,
    process: &BTreeMap<String, String>,
    project: &BTreeMap<String, String>,
) -> Vec<Vec<String>> {
    let head = ["VARIABLE", "VALUE", "SOURCE", "REQUIRED", "DEFAULT"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for (name, variable) in variables {
        let (value, source) = match (process.get(name), project.get(name)) {
            (Some(value), _) => (value.as_str(), "environment"),
            (None, Some(value)) => (value.as_str(), "env file"),
            (None, None) if !variable.default.is_empty() => {
                (variable.default.as_str(), "compose file")
            }
            (None, None) => ("<unset>", "none"),
        };
        let required = if variable.required { "yes" } else { "no" };
        let [value, default] = [value, &variable.default].map(|text| match is_secret_name(name) {
            true if text != "<unset>" => stand_in(text),
            _ => mask(text).into_owned(),
        });
        let row = [name.as_str(), &value, source, required, &default];
        rows.push(row.map(plain).to_vec());
    }
    rows
}

/// A text from somebody else's file, which is not to speak to the terminal.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        match c.is_control() {
            true => plain.extend(c.escape_debug()),
            false => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Map, Node, Span};

    #[test]
    fn where_values_come_from() {
        let at = Span::default();
        let mut map = Map::new();
        let text = "${A:-x}${B?need}${C}${D:-\u{1b}}$$E";
        map.insert("k", at, Node::new(text, at));
        let found = variables::of(&Node::new(map, at));
        let of = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs
                .iter()
                .map(|(k, v)| ((*k).into(), (*v).into()))
                .collect()
        };
        let process = of(&[("B", "1")]);
        let project = of(&[("A", "file"), ("B", "1")]);
        let table = table::columns(&rows(&found, &process, &project), Layout::TIGHT);
        let expected = [
            "VARIABLE   VALUE     SOURCE         REQUIRED   DEFAULT",
            "A          file      env file       no         x",
            "B          1         environment    yes        ",
            "C          <unset>   none           no         ",
            "D          \\u{1b}    compose file   no         \\u{1b}",
            "",
        ];
        assert_eq!(table, expected.join("\n"), "{table}");
    }
}
