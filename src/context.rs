//! What a command runs in: global options, environment, working directory, and the ways to the
//! engine and to the user. Nothing else reads the process environment.

use crate::cli::Globals;
use crate::cli::argv::Program;
use crate::error::CliError;
use crate::event::Reporter;
use crate::load::LoadOptions;
use crate::output::{self, Drawing, Style};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The surroundings of one run of the program.
pub struct Context {
    pub globals: Globals,
    pub program: Program,
    /// The process environment as it was at the start.
    pub environment: BTreeMap<String, String>,
    /// Absolute working directory.
    pub cwd: PathBuf,
    /// Where progress and warnings go.
    pub reporter: Reporter,
    /// How to draw: mode and colour.
    pub style: Style,
    /// The command's word, shown over its progress.
    operation: &'static str,
}

impl Context {
    /// Reads the environment and settles the global options with it.
    pub fn new(
        mut globals: Globals,
        program: Program,
        operation: &'static str,
    ) -> Result<Self, CliError> {
        let environment: BTreeMap<String, String> = std::env::vars_os()
            .map(|(k, v)| {
                (
                    k.to_string_lossy().into_owned(),
                    v.to_string_lossy().into_owned(),
                )
            })
            .collect();
        let cwd = std::env::current_dir()
            .map_err(|e| CliError::new(format!("the working directory cannot be read: {e}")))?;
        settle(&mut globals, &environment)?;
        let style = Style::choose(&globals, &environment)?;
        Ok(Context {
            globals,
            program,
            environment,
            cwd,
            reporter: Reporter::silent(),
            style,
            operation,
        })
    }

    /// Starts the task that draws progress; needs the runtime.
    pub fn with_drawing(mut self) -> (Self, Drawing) {
        let (reporter, drawing) = output::start(&self.style, self.operation);
        self.reporter = reporter;
        (self, drawing)
    }

    /// A variable's value, where it is set and not empty.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environment
            .get(name)
            .map(String::as_str)
            .filter(|v| !v.is_empty())
    }

    /// A switch among the variables: `true`, `1`, `t` and `y` in any case mean yes.
    pub fn is_set(&self, name: &str) -> bool {
        self.variable(name).is_some_and(means_yes)
    }

    /// What to load: the global options over the environment.
    /// `services` are those named on the command line.
    pub fn load_options(&self, services: &[String]) -> LoadOptions {
        LoadOptions {
            files: self.globals.files.clone(),
            project_directory: self.globals.project_directory.clone(),
            project_name: self.globals.project_name.clone(),
            profiles: self.globals.profiles.clone(),
            env_files: self.globals.env_files.clone(),
            environment: self.environment.clone(),
            cwd: self.cwd.clone(),
            named_services: services.to_vec(),
            compatibility: self.globals.compatibility,
            all_resources: self.globals.all_resources,
            ..LoadOptions::default()
        }
    }
}

/// Compose's reading of a yes in a variable.
fn means_yes(text: &str) -> bool {
    matches!(
        text.trim().to_lowercase().as_str(),
        "true" | "1" | "t" | "y"
    )
}

/// Fills options that were not given from the environment, and joins old names with new ones.
fn settle(globals: &mut Globals, environment: &BTreeMap<String, String>) -> Result<(), CliError> {
    let variable = |name: &str| environment.get(name).filter(|v| !v.is_empty());
    if let Some(dir) = globals.workdir.take() {
        if globals.project_directory.is_some() {
            return Err(CliError::new(
                "cannot specify DEPRECATED \"--workdir\" and \"--project-directory\". Please use only \"--project-directory\" instead",
            ));
        }
        globals.project_directory = Some(dir);
    }
    if globals.no_ansi {
        if globals.ansi.is_some() {
            return Err(CliError::new(
                "cannot specify DEPRECATED \"--no-ansi\" and \"--ansi\". Please use only \"--ansi\"",
            ));
        }
        globals.ansi = Some("never".into());
    }
    if globals.ansi.is_none() {
        globals.ansi = variable("COMPOSE_ANSI").cloned();
    }
    if globals.progress.is_none() {
        globals.progress = variable("COMPOSE_PROGRESS").cloned();
    }
    if globals.env_files.is_empty()
        && let Some(list) = variable("COMPOSE_ENV_FILES")
    {
        globals.env_files = list.split(',').map(str::to_owned).collect();
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
    if !globals.host.is_empty() && globals.context.is_some() {
        return Err(CliError::new(
            "conflicting options: cannot specify both --host and --context",
        ));
    }
    globals.compatibility |= variable("COMPOSE_COMPATIBILITY").is_some_and(|v| means_yes(v));
    globals.debug |= globals.verbose;
    Ok(())
}
