//! What a command runs in: global options, environment, working directory, and the ways to the
//! engine and to the user. Nothing else reads the process environment.

mod loading;
mod settling;
mod working_directory;

pub use loading::Target;
use loading::options;
use settling::{levels, settle, settle_early};

use crate::diagnostic::Diagnostic;
use crate::docker_config::{ClientConfig, ClientFile};
use crate::engine::Engine;
use crate::engine::docker::{self, Docker};
use crate::engine::endpoint::{self, Endpoint, Surroundings, TlsWishes, Wishes};
use crate::engine::patient::Patient;
use crate::error::CliError;
use crate::event::Reporter;
use crate::file;
use crate::image::auth::ClientKeyring;
use crate::image::build::BuildOptions;
use crate::interrupt::Interrupts;
use crate::lint::Levels;
use crate::load;
use crate::load::disk::DiskFiles;
use crate::lock::Place;
use crate::options::{Globals, Program};
use crate::output::{self, Drawing, Style};
use crate::private;
use crate::programs::Programs;
use crate::remote::{RemoteFiles, Settings};
use crate::scale;
use crate::signals::{self, Hearing};
use crate::value::switch::means_yes;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The surroundings of one run of the program.
pub struct Context {
    pub globals: Globals,
    pub program: Program,
    /// The process environment as it was at the start, and what an env file sets for us
    /// (`COMPOSE_…`).
    pub environment: BTreeMap<String, String>,
    /// The environment of the project: with all that its env files set.
    pub project_environment: BTreeMap<String, String>,
    /// Absolute working directory, by the path that the user went: it may lead through symbolic
    /// links.
    pub cwd: PathBuf,
    /// Where progress and warnings go.
    pub reporter: Reporter,
    /// What progress is drawn on, where it is drawn.
    pub screen: Option<output::Screen>,
    /// What the user's signals ask for.
    pub interrupts: Interrupts,
    /// How to draw: mode and colour.
    pub style: Style,
    /// What becomes of warnings, as far as flags and environment say.
    levels: Levels,
    /// The command's word, shown over its progress.
    operation: &'static str,
    engine: OnceLock<Arc<Patient>>,
    /// Signals go to `interrupts` as long as it is there.
    hearing: OnceLock<Hearing>,
    /// The files of projects, here and elsewhere.
    files: RemoteFiles,
    /// Where programs are looked for.
    pub programs: Programs,
    /// Docker's `config.json`; `None` where there is no home.
    client: Option<Arc<ClientFile>>,
}

impl Context {
    /// Reads the environment and settles the global options with it.
    ///
    /// # Errors
    /// Where options contradict each other or the environment, or an env file cannot be read.
    pub fn new(
        mut globals: Globals,
        program: Program,
        operation: &'static str,
    ) -> Result<Self, CliError> {
        let mut environment: BTreeMap<String, String> = std::env::vars_os()
            .map(|(k, v)| {
                let text = |t: std::ffi::OsString| t.to_string_lossy().into_owned();
                (text(k), text(v))
            })
            .collect();
        let cwd = working_directory::find(environment.get("PWD").map(String::as_str))
            .map_err(|e| CliError::new(format!("the working directory cannot be read: {e}")))?;
        settle_early(&mut globals, &environment)?;
        let loaded = load::load_environment(&DiskFiles, &options(&globals, &environment, &cwd));
        // Compose's rule: what an env file says about Compose itself counts as if exported.
        for (name, value) in &loaded.environment {
            if name.starts_with("COMPOSE_") && !environment.contains_key(name) {
                environment.insert(name.clone(), value.clone());
            }
        }
        settle(&mut globals, &environment)?;
        let mut ctx = Context {
            style: Style::choose(&globals, &environment)?,
            levels: levels(&globals, &environment)?,
            globals,
            program,
            environment,
            project_environment: loaded.environment,
            cwd,
            reporter: Reporter::silent(),
            screen: None,
            interrupts: Interrupts::default(),
            operation,
            engine: OnceLock::new(),
            hearing: OnceLock::new(),
            files: RemoteFiles::default(),
            programs: Programs::default(),
            client: None,
        };
        let mut settings = Settings::of(&ctx.environment);
        let config = ctx.docker_config_dir();
        ctx.client = config.as_deref().map(ClientFile::new).map(Arc::new);
        settings.docker_config = ctx.client.clone();
        let path = ctx.environment.get("PATH").map(String::as_str);
        ctx.programs =
            Programs::new(path, config.as_deref(), &ctx.cwd).with_fetched(settings.cache.clone());
        settings.programs = ctx.programs.clone();
        if !matches!(ctx.style.mode, output::Mode::Quiet | output::Mode::Json) {
            settings.tell = Some(output::complain);
        }
        settings
            .ways
            .insecure
            .clone_from(&ctx.globals.insecure_registries);
        ctx.files = RemoteFiles::new(settings);
        if ctx.globals.debug {
            output::trace(&ctx.style);
        }
        // A file of the project that is missing is told by what reads it: a name is enough for some.
        let ends = |f: &Diagnostic| f.is_error() && f.code != "missing-file";
        if loaded.findings.iter().any(ends) {
            ctx.show(&loaded.findings, &loaded.sources);
            return Err(CliError::shown());
        }
        Ok(ctx)
    }

    /// Starts the task that draws progress; needs the runtime.
    pub fn with_drawing(mut self) -> (Self, Drawing) {
        self.reporter = Reporter::new(self.operation);
        let drawing = output::start(&self.style, &self.reporter);
        self.screen = Some(drawing.screen());
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
        // Up to here there is nothing to put in order: a signal ends the program by itself.
        self.hearing.get_or_init(|| {
            let parent = self.variable("DOCKER_CLI_PLUGIN_SOCKET");
            signals::hear(self.interrupts.clone(), parent)
        });
        self.client_config();
        let endpoint = self.endpoint()?;
        let variable = |name: &str| self.variable(name).map(str::to_owned);
        let is_given = |name: &str| self.variable(name).is_some();
        tracing::debug!(%endpoint, "the engine is");
        let options = docker::Options {
            api_version: variable("DOCKER_API_VERSION"),
            keyring: self
                .keyring()
                .map(|k| k as Arc<dyn docker::images::Keyring>),
            ssh: docker::ssh::Means {
                programs: self.programs.clone(),
                folder: private::sockets(
                    variable("XDG_RUNTIME_DIR").as_deref(),
                    variable("TMPDIR").as_deref(),
                ),
                can_ask: is_given("SSH_ASKPASS")
                    || is_given("DISPLAY")
                    || is_given("WAYLAND_DISPLAY"),
            },
        };
        let docker = Arc::new(Docker::new(endpoint, options)?);
        let engine = Patient::new(docker, self.interrupts.clone(), self.reporter.clone());
        Ok(self.engine.get_or_init(|| Arc::new(engine)).clone())
    }

    /// Where the engine is. Nothing is connected.
    ///
    /// # Errors
    /// Where no engine can be found, or its address is of a kind we do not speak.
    fn endpoint(&self) -> Result<Endpoint, CliError> {
        let variable = |name: &str| self.variable(name).map(str::to_owned);
        let is_given = |name: &str| self.variable(name).is_some();
        let file = |given: &Option<String>| match given.as_deref() {
            Some("") => Some(PathBuf::new()),
            given => given.map(|path| self.cwd.join(path)),
        };
        let wishes = Wishes {
            host: self.globals.host.last().cloned(),
            context: self.globals.context.clone(),
            docker_host: variable("DOCKER_HOST"),
            docker_context: variable("DOCKER_CONTEXT"),
            config_dir: self.docker_config_dir(),
            runtime_dir: variable("XDG_RUNTIME_DIR").map(PathBuf::from),
            home: variable("HOME").map(PathBuf::from),
            tls: TlsWishes {
                is_spoken: self.globals.tls || is_given("DOCKER_TLS"),
                is_verified: self.globals.tlsverify || is_given("DOCKER_TLS_VERIFY"),
                authority: file(&self.globals.tlscacert),
                certificate: file(&self.globals.tlscert),
                key: file(&self.globals.tlskey),
                folder: variable("DOCKER_CERT_PATH").map(|path| self.cwd.join(path)),
            },
        };
        Ok(endpoint::resolve(&wishes, &Disk)?)
    }

    /// What the engine has not answered; empty where that is nothing to speak of.
    pub fn unanswered(&self) -> String {
        let engine = self.engine.get();
        engine.map(|e| e.unanswered()).unwrap_or_default()
    }

    /// How this command calls itself before others that want to change the same project, and
    /// where lock files are: `XDG_STATE_HOME`, `~/.local/state`, else `XDG_RUNTIME_DIR`.
    pub fn place(&self) -> Place {
        let directory = |name: &str| self.variable(name).map(PathBuf::from);
        let state = directory("XDG_STATE_HOME")
            .or_else(|| Some(directory("HOME")?.join(".local/state")))
            .or_else(|| directory("XDG_RUNTIME_DIR"))
            .filter(|path| path.is_absolute());
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
        let host = host.map(|name| name.trim().to_owned());
        let given = || self.variable("HOSTNAME").or(self.variable("COMPUTERNAME"));
        Place {
            directory: state.map(|path| path.join("regatta/locks")),
            host: host
                .filter(|name| !name.is_empty())
                .or_else(|| given().map(str::to_owned))
                .unwrap_or_else(|| "a machine without a name".to_owned()),
            process: std::process::id(),
            command: format!("{} {}", self.program.as_str(), self.operation),
            clock: std::time::SystemTime::now,
            chance: crate::lock::system_chance,
        }
    }

    /// The error to leave with after findings were shown.
    fn refused(&self) -> CliError {
        match self.files.interruption() {
            Some(cause) => CliError::interrupted(cause),
            None => CliError::shown(),
        }
    }

    /// Credentials and proxies of Docker's client; read when first needed.
    pub fn keyring(&self) -> Option<Arc<ClientKeyring>> {
        let file = self.client.clone()?;
        Some(Arc::new(ClientKeyring::new(file, self.programs.clone())))
    }

    /// Docker's `config.json`. What is wrong with it is told once.
    fn client_config(&self) -> Option<&ClientConfig> {
        let file = self.client.as_ref()?;
        let config = file.config();
        for warning in file.warnings() {
            self.reporter.warning(warning);
        }
        Some(config)
    }

    /// What every build takes from the surroundings.
    pub fn build_options(&self) -> BuildOptions {
        let endpoint = self.engine().map(|e| e.endpoint()).unwrap_or_default();
        let proxies = self
            .client_config()
            .map(|config| config.proxy_environment(&endpoint));
        let mut environment = self.environment.clone();
        // A builder is looked for where `--config` says, as is all that we look for ourselves.
        if let (Some(_), Some(folder)) = (&self.globals.docker_config, self.docker_config_dir()) {
            let folder = folder.to_string_lossy().into_owned();
            environment.insert("DOCKER_CONFIG".to_owned(), folder);
        }
        BuildOptions {
            proxy_environment: proxies.unwrap_or_default(),
            buildx: self.programs.plugin("buildx"),
            programs: self.programs.clone(),
            environment,
            ..BuildOptions::default()
        }
    }

    /// How many engine calls may run at a time (`--parallel`); no limit is a large number.
    pub fn limit(&self) -> usize {
        let limit = self.globals.parallel.unwrap_or(-1);
        usize::try_from(limit)
            .ok()
            .filter(|n| *n > 0)
            .unwrap_or(1000)
    }

    /// How many replicas a service may have.
    ///
    /// # Errors
    /// Where the variable that says so is no number.
    pub fn replica_limit(&self) -> Result<scale::Limit, CliError> {
        let name = scale::Limit::VARIABLE;
        let Some(text) = self.variable(name) else {
            return Ok(scale::Limit::default());
        };
        let number = text.parse();
        number.map(scale::Limit).map_err(|_| {
            CliError::new(format!(
                "{name}: `{text}` is not a number from 0 to {}",
                u32::MAX
            ))
        })
    }

    /// Where Docker's client keeps its configuration: `--config`, `DOCKER_CONFIG`, `~/.docker`.
    pub fn docker_config_dir(&self) -> Option<PathBuf> {
        let given = self.globals.docker_config.as_deref();
        given
            .or(self.variable("DOCKER_CONFIG"))
            .map(|dir| self.cwd.join(dir))
            .or_else(|| Some(Path::new(self.variable("HOME")?).join(".docker")))
    }

    /// The names of the contexts of Docker's client, the one without files included.
    pub fn docker_contexts(&self) -> Vec<String> {
        let folder = self
            .docker_config_dir()
            .unwrap_or_default()
            .join("contexts");
        let mut names = endpoint::contexts(&folder.join("meta"));
        names.push("default".to_owned());
        names.sort();
        names
    }

    /// A format that the user keeps in Docker's `config.json`, e.g. `psFormat`.
    pub fn docker_format(&self, key: &str) -> Option<String> {
        self.client_config()?.formats.get(key).cloned()
    }

    /// The keys that leave a process in a container alone, as the user keeps them in `config.json`.
    pub fn detach_keys(&self) -> Option<String> {
        let keys = self.client_config()?.detach_keys.clone();
        Some(keys).filter(|keys| !keys.is_empty())
    }
}

/// The real file system, for finding the engine.
struct Disk;

impl Surroundings for Disk {
    fn read(&self, path: &Path) -> Option<Vec<u8>> {
        file::read(path).ok()
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }
}
