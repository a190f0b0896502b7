//! What a command runs in: global options, environment, working directory, and the ways to the
//! engine and to the user. Nothing else reads the process environment.

mod working_directory;

use crate::diagnostic::{Diagnostic, shared};
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
use crate::lint::{self, Levels, Selection, Subject};
use crate::load::disk::DiskFiles;
use crate::load::history::History;
use crate::load::local_files;
use crate::load::{self, CanonicalProject, LoadOptions, Loaded, Sources};
use crate::lock::Place;
use crate::options::{Globals, Program};
use crate::output::{self, Drawing, Style};
use crate::private;
use crate::programs::Programs;
use crate::project::{Dependencies, Project};
use crate::publish::Publication;
use crate::remote::{self, RemoteFiles, Settings};
use crate::scale;
use crate::signals::{self, Hearing};
use crate::tree::Node;
use crate::value::secret::Known;
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

    /// What to load: the global options over the environment.
    /// `services` are those named on the command line.
    pub fn load_options(&self, services: &[String]) -> LoadOptions {
        LoadOptions {
            named_services: services.to_vec(),
            ..options(&self.globals, &self.environment, &self.cwd)
        }
    }

    /// The name given with `-p`. An empty one is none: `-p "$UNSET"`.
    fn given_name(&self) -> Option<&str> {
        let given = self.globals.project_name.as_deref();
        given.filter(|name| !name.is_empty())
    }

    /// The project's name, for commands that need no more: as given with `-p` or
    /// `COMPOSE_PROJECT_NAME`, or else from the project's files.
    pub fn project_name(&self) -> Result<String, CliError> {
        match self.given_name().or(self.variable(PROJECT_NAME)) {
            Some(name) => Ok(name.to_lowercase()),
            None => Ok(self.load_with(&self.without_env_files(&[]))?.name),
        }
    }

    /// The project's name, and the project itself where its files are to be read: unless it is
    /// named with `-p` alone, or its files do not load but `COMPOSE_PROJECT_NAME` names it.
    pub fn target(&self, services: &[String]) -> Result<Target, CliError> {
        let by_labels = |name: &str| Target {
            name: name.to_lowercase(),
            project: None,
            sources: Sources::default(),
        };
        if let (Some(name), []) = (self.given_name(), self.globals.files.as_slice()) {
            return Ok(by_labels(name));
        }
        let mut loaded = load::load(&self.files, &self.without_env_files(services));
        if let (None, Some(name)) = (&loaded.project, self.variable(PROJECT_NAME)) {
            return Ok(by_labels(name));
        }
        if let Some(project) = &loaded.project {
            output::conceal(&project.declared_secrets);
            let selection = Selection::new(project, services, Dependencies::Include);
            loaded.findings.retain(|f| selection.concerns(f));
        }
        shared::tell_once(&mut loaded.findings);
        self.show(&loaded.findings, &loaded.sources);
        let project = loaded.project.ok_or_else(|| self.refused())?;
        Ok(Target {
            name: project.name.clone(),
            project: Some(project),
            sources: loaded.sources,
        })
    }

    /// Commands that look at what runs do not need the services' env files, which may be gone.
    fn without_env_files(&self, services: &[String]) -> LoadOptions {
        let mut options = self.load_options(services);
        options.stages.no_env_resolution = true;
        options
    }
}

/// The variable that names a project.
const PROJECT_NAME: &str = "COMPOSE_PROJECT_NAME";

/// What a command works on.
pub struct Target {
    /// The project's name.
    pub name: String,
    /// `None` where no file was read: the labels on the engine tell all there is to know.
    pub project: Option<Project>,
    /// The texts it was read from.
    pub sources: Sources,
}

fn options(globals: &Globals, environment: &BTreeMap<String, String>, cwd: &Path) -> LoadOptions {
    LoadOptions {
        files: globals.files.clone(),
        project_directory: globals.project_directory.clone(),
        project_name: globals.project_name.clone(),
        profiles: globals.profiles.clone(),
        env_files: globals.env_files.clone(),
        environment: environment.clone(),
        cwd: cwd.to_owned(),
        compatibility: globals.compatibility,
        all_resources: globals.all_resources,
        ..LoadOptions::default()
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

impl Context {
    /// Loads the project for a command on the named services (all, if none are named), and shows
    /// what was found on the way.
    pub fn load(&self, services: &[String]) -> Result<Project, CliError> {
        self.load_with(&self.load_options(services))
    }

    /// Loads a project as told, and shows what was found on the way.
    pub fn load_with(&self, options: &LoadOptions) -> Result<Project, CliError> {
        Ok(self.load_placed(options)?.0)
    }

    /// Loads a project with the texts it was read from, so that what turns up later can be shown
    /// at its place.
    pub fn load_placed(&self, options: &LoadOptions) -> Result<(Project, Sources), CliError> {
        self.settled(
            load::load(&self.files, options),
            &options.named_services,
            None,
        )
    }

    /// As [`Context::load_placed`], for commands that make something of the project: with
    /// warnings about what the engine will refuse. What is shown is about the services that the
    /// options name, with or without what these depend on.
    pub fn load_linted(
        &self,
        options: &LoadOptions,
        dependencies: Dependencies,
    ) -> Result<(Project, Sources), CliError> {
        let loaded = load::load(&self.files, options);
        self.settled(loaded, &options.named_services, Some(dependencies))
    }

    /// Shows what was found about the named services (all, if none are named). `linted` says that
    /// the rules are run, and on what besides them.
    fn settled(
        &self,
        mut loaded: Loaded,
        named: &[String],
        linted: Option<Dependencies>,
    ) -> Result<(Project, Sources), CliError> {
        let mut levels = self.levels.clone();
        if let Some(project) = &loaded.project {
            let services = project.services.iter();
            let services = services.map(|(name, service)| (name.as_str(), &service.spec));
            levels.read(&project.spec, services, &mut loaded.findings);
            let dependencies = linted.unwrap_or(Dependencies::Include);
            let selection = Selection::new(project, named, dependencies);
            loaded.findings.retain(|f| selection.concerns(f));
            if linted.is_some() {
                let (sources, found) = (&loaded.sources, &loaded.findings);
                let endpoint = self.endpoint().ok();
                let subject = Subject {
                    engine: endpoint.as_ref().and_then(Endpoint::other_machine),
                    ..Subject::of_project(project, &selection, sources, &self.files, found)
                };
                let found = lint::run(&subject, &levels, false);
                lint::add(&mut loaded.findings, found);
            }
        }
        lint::conclude(&levels, &mut loaded.findings);
        if let Some(project) = &loaded.project {
            output::conceal(&project.declared_secrets);
        }
        self.show(&loaded.findings, &loaded.sources);
        match loaded.project {
            Some(project) if !loaded.findings.iter().any(Diagnostic::is_error) => {
                Ok((project, loaded.sources))
            }
            _ => Err(self.refused()),
        }
    }

    /// Checks a project with all the rules there are, and shows what is wrong or surprising.
    /// `strict` makes errors of warnings.
    pub fn check(
        &self,
        options: &LoadOptions,
        strict: bool,
    ) -> Result<(CanonicalProject, Sources), CliError> {
        let options = LoadOptions {
            all_resources: true,
            ..options.clone()
        };
        let load::LoadedCanonical {
            project,
            mut findings,
            sources,
            ..
        } = load::load_canonical(&self.files, &options);
        let mut levels = self.levels.clone();
        if strict {
            levels.be_strict();
        }
        if let Some(project) = &project {
            levels.read(&project.rest, project.services.iter(), &mut findings);
            let assembled = load::assembled(project);
            let subject = Subject {
                project: assembled.as_ref(),
                ..Subject::of_canonical(project, &sources, &self.files, &findings)
            };
            let found = lint::run(&subject, &levels, true);
            lint::add(&mut findings, found);
        }
        lint::conclude(&levels, &mut findings);
        output::checked(&self.style, &self.reporter, &findings, &sources)?;
        match project {
            Some(project) if !findings.iter().any(Diagnostic::is_error) => Ok((project, sources)),
            _ => Err(self.refused()),
        }
    }

    /// Shows what was found about the files, on standard error.
    pub fn show(&self, findings: &[Diagnostic], sources: &Sources) {
        output::findings(&self.style, &self.reporter, findings, sources);
    }

    /// Shows a finding that turned up after loading, and gives the error to leave with.
    pub fn refuse(&self, finding: Diagnostic, sources: &Sources) -> CliError {
        self.show(&[finding], sources);
        CliError::shown()
    }

    /// Loads a project as far as its canonical form, and shows what was found on the way.
    pub fn load_canonical(
        &self,
        options: &LoadOptions,
    ) -> Result<(CanonicalProject, Sources), CliError> {
        let (project, sources, _) = self.load_recorded(options)?;
        Ok((project, sources))
    }

    /// The same with the way it came about, where the options ask for it.
    pub fn load_recorded(
        &self,
        options: &LoadOptions,
    ) -> Result<(CanonicalProject, Sources, History), CliError> {
        let mut loaded = load::load_canonical(&self.files, options);
        let mut levels = self.levels.clone();
        if let Some(project) = &loaded.project {
            let services = project.services.iter();
            levels.read(&project.rest, services, &mut loaded.findings);
        }
        lint::conclude(&levels, &mut loaded.findings);
        self.show(&loaded.findings, &loaded.sources);
        let history = loaded.history.take().map(|h| *h).unwrap_or_default();
        match loaded.project {
            Some(project) if !loaded.findings.iter().any(Diagnostic::is_error) => {
                Ok((project, loaded.sources, history))
            }
            _ => Err(self.refused()),
        }
    }

    /// What the secrets of a project hold, for what is shown of it.
    pub fn declared_secrets(&self, project: &CanonicalProject) -> Known {
        local_files::declared(project, &self.files)
    }

    /// The merged model alone, without a word: for what has been loaded before.
    pub fn raw_model(&self, options: &LoadOptions) -> Node {
        load::load_model(&self.files, options).model
    }

    /// The addresses of all files that were fetched so far.
    pub fn fetched(&self) -> Vec<String> {
        self.files.fetched()
    }

    /// Brings a project's files to a registry. Gives the digest of their manifest.
    ///
    /// # Errors
    /// Where the registry is not reached, or refuses.
    pub async fn publish(&self, publication: &Publication<'_>) -> Result<String, CliError> {
        let published = remote::publish::publish(&self.files.settings, publication).await;
        published.map_err(|refusal| CliError::new(refusal.why).hint(refusal.help))
    }

    /// Loads the merged model alone, and shows what was found on the way.
    pub fn load_model(&self, options: &LoadOptions) -> Result<(Node, Sources), CliError> {
        let mut loaded = load::load_model(&self.files, options);
        shared::tell_once(&mut loaded.findings);
        self.show(&loaded.findings, &loaded.sources);
        match loaded.findings.iter().any(Diagnostic::is_error) {
            true => Err(self.refused()),
            false => Ok((loaded.model, loaded.sources)),
        }
    }
}

/// What flags and environment say about warnings.
fn levels(globals: &Globals, environment: &BTreeMap<String, String>) -> Result<Levels, CliError> {
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
fn settle_early(
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
fn settle(globals: &mut Globals, environment: &BTreeMap<String, String>) -> Result<(), CliError> {
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
