//! What a command runs in: global options, environment, working directory, and the ways to the
//! engine and to the user. Nothing else reads the process environment.

use crate::cli::Globals;
use crate::cli::argv::Program;
use crate::diagnostic::Diagnostic;
use crate::engine::Engine;
use crate::engine::docker::{self, Docker};
use crate::engine::endpoint::{self, Surroundings, Wishes};
use crate::error::CliError;
use crate::event::Reporter;
use crate::load::disk::DiskFiles;
use crate::load::{self, LoadOptions, Sources};
use crate::output::{self, Drawing, Style};
use crate::project::Project;
use crate::tree::Node;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

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
    engine: OnceLock<Arc<dyn Engine>>,
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
            engine: OnceLock::new(),
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

    /// The engine: found at the first call, and not spoken to before the first request.
    ///
    /// # Errors
    /// Where no engine can be found, or its address is of a kind we do not speak.
    pub fn engine(&self) -> Result<Arc<dyn Engine>, CliError> {
        if let Some(engine) = self.engine.get() {
            return Ok(engine.clone());
        }
        let variable = |name: &str| self.variable(name).map(str::to_owned);
        let is_given = |name: &str| self.variable(name).is_some();
        let wishes = Wishes {
            host: self.globals.host.last().cloned(),
            context: self.globals.context.clone(),
            docker_host: variable("DOCKER_HOST"),
            docker_context: variable("DOCKER_CONTEXT"),
            config_dir: self.docker_config_dir(),
            runtime_dir: variable("XDG_RUNTIME_DIR").map(PathBuf::from),
            home: variable("HOME").map(PathBuf::from),
            tls: self.globals.tls
                || self.globals.tlsverify
                || is_given("DOCKER_TLS")
                || is_given("DOCKER_TLS_VERIFY"),
        };
        let endpoint = endpoint::resolve(&wishes, &Disk)?;
        let options = docker::Options {
            api_version: variable("DOCKER_API_VERSION"),
            ..Default::default()
        };
        let engine: Arc<dyn Engine> = Arc::new(Docker::new(endpoint, options)?);
        Ok(self.engine.get_or_init(|| engine).clone())
    }

    /// Where Docker's client keeps its configuration: `--config`, `DOCKER_CONFIG`, `~/.docker`.
    pub fn docker_config_dir(&self) -> Option<PathBuf> {
        let given = self.globals.docker_config.as_deref();
        given
            .or(self.variable("DOCKER_CONFIG"))
            .map(|dir| self.cwd.join(dir))
            .or_else(|| Some(Path::new(self.variable("HOME")?).join(".docker")))
    }

    /// A format that the user keeps in Docker's `config.json`, e.g. `psFormat`.
    pub fn docker_format(&self, key: &str) -> Option<String> {
        let bytes = std::fs::read(self.docker_config_dir()?.join("config.json")).ok()?;
        let config: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
        Some(config.get(key)?.as_str()?.to_owned())
    }

    /// The project's name where it is given: `-p`, or `COMPOSE_PROJECT_NAME`.
    pub fn project_name(&self) -> Result<String, CliError> {
        let given = self.globals.project_name.as_deref();
        given
            .or(self.variable("COMPOSE_PROJECT_NAME"))
            .map(str::to_owned)
            .ok_or_else(|| CliError::new("no project name").hint("give it with -p"))
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

/// The real file system, for finding the engine.
struct Disk;

impl Surroundings for Disk {
    fn read(&self, path: &Path) -> Option<Vec<u8>> {
        std::fs::read(path).ok()
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }
}

impl Context {
    /// Loads the project for a command on the named services (all, if none are named), and shows
    /// what was found on the way.
    pub fn load(&self, services: &[String]) -> Result<Project, CliError> {
        self.load_with(&self.load_options(services))
    }

    /// Loads a project as told, and shows what was found on the way.
    pub fn load_with(&self, options: &LoadOptions) -> Result<Project, CliError> {
        let loaded = load::load(&DiskFiles, options);
        self.show(&loaded.findings, &loaded.sources);
        loaded.project.ok_or_else(|| CliError::silent(1))
    }

    /// Loads the merged model alone, and shows what was found on the way.
    pub fn load_model(&self, options: &LoadOptions) -> Result<Node, CliError> {
        let loaded = load::load_model(&DiskFiles, options);
        self.show(&loaded.findings, &loaded.sources);
        match loaded.findings.iter().any(Diagnostic::is_error) {
            true => Err(CliError::silent(1)),
            false => Ok(loaded.model),
        }
    }

    fn show(&self, findings: &[Diagnostic], sources: &Sources) {
        for f in findings {
            let at = f
                .span
                .and_then(|s| sources.position(s))
                .map(|p| format!(" --> {p}"))
                .unwrap_or_default();
            let sep = if f.path.is_empty() { "" } else { ": " };
            output::complain(&format!(
                "{}: {}{sep}{}{at}",
                if f.is_error() { "error" } else { "warning" },
                f.path,
                f.message
            ));
            if let Some(h) = &f.help {
                output::complain(&format!("  = help: {h}"));
            }
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
