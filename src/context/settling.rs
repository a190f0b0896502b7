//! What global options are in the end: as given, under their old names, or by the environment.

use crate::error::CliError;
use crate::lint::Levels;
use crate::options::Globals;
use crate::value::switch::means_yes;
use std::collections::BTreeMap;

/// What flags and environment say about warnings.
pub(super) fn levels(
    globals: &Globals,
    environment: &BTreeMap<String, String>,
) -> Result<Levels, CliError> {
    let mut levels = Levels::default();
    if let Some(list) = environment.get("REGATTA_LINT") {
        levels
            .add(list)
            .map_err(|what| CliError::new(format!("REGATTA_LINT: {what}")))?;
    }
    for list in &globals.lint {
        levels
            .add(list)
            .map_err(|what| CliError::new(format!("--lint: {what}")))?;
    }
    Ok(levels)
}

/// Joins old names of options with new ones, and fills in what only the process environment
/// says, not an env file.
pub(super) fn settle_early(
    globals: &mut Globals,
    environment: &BTreeMap<String, String>,
) -> Result<(), CliError> {
    let variable = |name: &str| environment.get(name).filter(|v| !v.is_empty());
    let both = |old: &str, new: &str, end: &str| {
        Err(CliError::new(format!(
            "cannot specify DEPRECATED \"{old}\" and \"{new}\". Please use only \"{new}\"{end}"
        )))
    };
    if let Some(dir) = globals.workdir.take() {
        if globals.project_directory.is_some() {
            return both("--workdir", "--project-directory", " instead");
        }
        globals.project_directory = Some(dir);
    }
    if globals.no_ansi {
        if globals.ansi.is_some() {
            return both("--no-ansi", "--ansi", "");
        }
        globals.ansi = Some("never".into());
    }
    if globals.progress.is_none() {
        globals.progress = variable("COMPOSE_PROGRESS").cloned();
    }
    if globals.env_files.is_empty()
        && let Some(list) = variable("COMPOSE_ENV_FILES")
    {
        globals.env_files = list.split(',').map(str::to_owned).collect();
    }
    if !globals.host.is_empty() && globals.context.is_some() {
        return Err(CliError::new(
            "conflicting options: cannot specify both --host and --context",
        ));
    }
    globals.debug |= globals.verbose;
    // `COMPOSE_ANSI` may say anything, as Docker Compose has it.
    one_of(
        "--ansi",
        globals.ansi.as_deref(),
        &["never", "always", "auto"],
    )?;
    let level = globals.log_level.as_deref().map(str::to_lowercase);
    let levels = [
        "trace", "debug", "info", "warn", "warning", "error", "fatal", "panic",
    ];
    one_of("--log-level", level.as_deref(), &levels)?;
    Ok(())
}

/// Refuses a value that an option does not have.
fn one_of(option: &str, given: Option<&str>, words: &[&str]) -> Result<(), CliError> {
    match given.filter(|word| !word.is_empty() && !words.contains(word)) {
        None => Ok(()),
        Some(word) => Err(
            CliError::new(format!("unsupported {option} value \"{word}\""))
                .hint(format!("it is one of {}", words.join(", "))),
        ),
    }
}

/// Fills options that were not given from the environment, to which env files have added.
pub(super) fn settle(
    globals: &mut Globals,
    environment: &BTreeMap<String, String>,
) -> Result<(), CliError> {
    let variable = |name: &str| environment.get(name).filter(|v| !v.is_empty());
    if globals.ansi.is_none() {
        globals.ansi = variable("COMPOSE_ANSI").cloned();
    }
    if globals.parallel.is_none()
        && let Some(limit) = environment.get("COMPOSE_PARALLEL_LIMIT")
    {
        let number = limit.parse().map_err(|_| {
            CliError::new(format!(
                "COMPOSE_PARALLEL_LIMIT must be an integer (found: \"{limit}\")"
            ))
        })?;
        globals.parallel = Some(number);
    }
    globals.compatibility |= variable("COMPOSE_COMPATIBILITY").is_some_and(|v| means_yes(v));
    Ok(())
}
