//! Loading: from files, environment and flags to a [`Project`], with every finding placed.

pub mod assemble;
pub mod budget;
pub mod canonical;
pub mod decode;
pub mod defaults;
pub mod discover;
pub mod disk;
pub mod dotenv;
pub mod env_files;
pub mod environment;
pub mod extends;
pub mod history;
pub mod include;
pub mod interpolate;
pub mod local_files;
pub mod merge;
pub mod model;
pub mod name;
pub mod normalize;
pub mod path;
pub mod paths;
pub mod profiles;
pub mod provenance;
pub mod read;
pub mod rules;
pub mod schema;
pub mod selection;
pub mod short;
pub mod source;
pub mod tags;
pub mod touched;
pub mod validate;
pub mod variables;
pub mod yaml;

pub use selection::CanonicalProject;
pub use source::{Source, Sources};

use crate::diagnostic::{Diagnostic, Findings};
use crate::form::tables;
use crate::project::Project;
use crate::tree::{Node, Span};
use crate::value::path::spelled;
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

/// How loading reads files, so that tests and fuzzers can run on memory.
pub trait Files {
    /// The whole content.
    fn read(&self, path: &Path) -> std::io::Result<Vec<u8>>;
    /// Whether something is there, a directory or a file.
    fn kind(&self, path: &Path) -> Option<FileKind>;
    /// Owner and mode of a file; here those of an ordinary one.
    ///
    /// # Errors
    /// Where there is none.
    fn attributes(&self, path: &Path) -> std::io::Result<FileAttributes> {
        match self.kind(path) {
            Some(kind) => Ok(FileAttributes {
                is_regular: kind == FileKind::File,
                mode: 0o644,
                uid: 0,
                gid: 0,
            }),
            None => Err(std::io::ErrorKind::NotFound.into()),
        }
    }
    /// The path with symbolic links resolved, where it exists.
    fn canonicalize(&self, path: &Path) -> std::io::Result<PathBuf>;
    /// Everything on standard input.
    fn stdin(&self) -> std::io::Result<Vec<u8>>;
    /// Brings what an [address](crate::value::address) names to this machine.
    ///
    /// # Errors
    /// Where it cannot be fetched; as here, where nothing can.
    fn fetch(&self, address: &str) -> Result<Fetched, Unfetched> {
        let why = format!("{address} cannot be fetched here");
        Err(Unfetched { why, help: None })
    }
}

/// What was brought here from a git repository or a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The project file, absolute.
    pub file: PathBuf,
    /// The directory that everything of the same address lies in.
    pub root: PathBuf,
    /// What users call that directory: a path in it, put behind, makes a name for a file.
    pub label: String,
}

/// Why an address could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfetched {
    pub why: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Unfetched {
    /// The finding about a file that names the address.
    pub fn finding(self, path: impl Into<String>) -> Diagnostic {
        let finding = Diagnostic::error("remote-file", path, self.why);
        match self.help {
            Some(help) => finding.help(help),
            None => finding,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    File,
    Directory,
}

/// What a file system says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileAttributes {
    /// No directory, pipe or device.
    pub is_regular: bool,
    /// Permission bits.
    pub mode: u32,
    pub uid: u64,
    pub gid: u64,
}

/// What a load is asked for: the global flags and the environment they fall back on.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// `-f`, in order.
    pub files: Vec<PathBuf>,
    /// `--project-directory`.
    pub project_directory: Option<PathBuf>,
    /// `-p`.
    pub project_name: Option<String>,
    /// `--profile`.
    pub profiles: Vec<String>,
    /// `--env-file`.
    pub env_files: Vec<String>,
    /// The process environment.
    pub environment: BTreeMap<String, String>,
    /// Absolute working directory.
    pub cwd: PathBuf,
    /// Services named on the command line: their profiles become active.
    pub named_services: Vec<String>,
    /// `--compatibility`.
    pub compatibility: bool,
    /// `--all-resources`: keep networks and volumes that no service uses.
    pub all_resources: bool,
    pub env_file_readers: EnvFileReaders,
    /// Which services must be able to run beside each other.
    pub together: Together,
    pub stages: Stages,
    /// Keep the way of the load in mind.
    pub record: bool,
}

/// The services that env files are read for.
#[derive(Debug, Clone, Default)]
pub enum EnvFileReaders {
    /// Of the services that the command works on.
    #[default]
    Selected,
    /// Of all services in active profiles: what `config` does.
    Enabled,
    /// Of these, and not of what they depend on.
    Only(Vec<String>),
}

/// Which services a command puts side by side, so that each needs a `container_name` of its own.
/// Services of exclusive profiles may share one as long as only one of them is brought up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Together {
    /// None: the command works on what is there.
    #[default]
    None,
    /// Those named on the command line, or all of them, and what they depend on.
    Selected,
    /// Only those named, or all of them: `--no-deps`.
    Named,
}

/// Stages that `config`'s flags switch off.
#[derive(Debug, Clone, Default)]
pub struct Stages {
    pub no_interpolate: bool,
    pub no_normalize: bool,
    pub no_path_resolution: bool,
    pub no_consistency: bool,
    pub no_env_resolution: bool,
    /// The schema and what goes beyond it.
    pub no_validation: bool,
}

/// What a load gives: a project where there was no error, and all findings.
#[derive(Debug, Default)]
pub struct Loaded {
    pub project: Option<Project>,
    pub findings: Vec<Diagnostic>,
    pub sources: Sources,
}

/// The model as it was merged, before it becomes a project: what `config --no-interpolate` and
/// `config --variables` show.
#[derive(Debug, Default)]
pub struct LoadedModel {
    pub model: Node,
    pub findings: Vec<Diagnostic>,
    pub sources: Sources,
}

/// Loads a project. The stages are the modules of this one, in this order: [`environment`] and
/// [`discover`] find out what to read; [`model`] reads and merges it (with [`interpolate`],
/// [`mod@include`], [`tags`], [`extends`], [`merge`], [`schema`], [`canonical`], [`defaults`],
/// [`validate`] and [`paths`]); then come [`normalize`], [`decode`], [`selection`] (with [`profiles`],
/// [`validate::consistency`] and [`env_files`]) and [`assemble`]; [`local_files`] reads what is to be
/// copied into containers.
pub fn load(files: &dyn Files, options: &LoadOptions) -> Loaded {
    let (canonical, mut findings, reader, config_files) = canonical(files, options);
    let sources = reader.sources;
    let Some(canonical) = canonical else {
        return Loaded {
            project: None,
            findings: settle(findings, &sources),
            sources,
        };
    };
    let mut project = assemble::assemble(canonical, &mut findings);
    project.compatibility = options.compatibility;
    let texts = |files: Vec<PathBuf>| -> Vec<String> {
        let texts = files.iter().map(|file| spelled(file));
        texts.collect()
    };
    project.config_files = texts(config_files);
    project.env_files = texts(environment::given(options));
    local_files::read(&mut project, files);
    let findings = settle(findings, &sources);
    let failed = findings.iter().any(Diagnostic::is_error);
    Loaded {
        project: (!failed).then_some(project),
        findings,
        sources,
    }
}

/// A project in canonical form where there was no error, and all findings.
#[derive(Debug, Default)]
pub struct LoadedCanonical {
    pub project: Option<CanonicalProject>,
    pub findings: Vec<Diagnostic>,
    pub sources: Sources,
    /// The way of the load, where it was asked for.
    pub history: Option<Box<history::History>>,
}

/// Loads a project as far as its canonical form, which is all that `config` prints.
pub fn load_canonical(files: &dyn Files, options: &LoadOptions) -> LoadedCanonical {
    let (mut project, findings, reader, _) = canonical(files, options);
    let findings = settle(findings, &reader.sources);
    if findings.iter().any(Diagnostic::is_error) {
        project = None;
    }
    LoadedCanonical {
        project,
        findings,
        sources: reader.sources,
        history: reader.history,
    }
}

/// The project that a canonical form stands for, for those who look at types. `None` where there
/// is an error.
pub fn assembled(canonical: &CanonicalProject) -> Option<Project> {
    let mut findings = Findings::default();
    let project = assemble::assemble(canonical.clone(), &mut findings);
    (!findings.iter().any(Diagnostic::is_error)).then_some(project)
}

type Canonical<'f> = (
    Option<CanonicalProject>,
    Findings,
    read::Reader<'f>,
    Vec<PathBuf>,
);

/// Everything but the types.
fn canonical<'f>(files: &'f dyn Files, options: &LoadOptions) -> Canonical<'f> {
    let mut merged = Merged::read(files, options);
    let is_too_large = merged.builder.reader.budget.is_spent();
    let model = merged.model.take().filter(|_| !is_too_large);
    let project = model.map(|mut model| {
        match options.stages.no_normalize {
            true => normalize::fill_resources(&mut model),
            false => normalize::normalize(&mut model, &merged.name, &merged.environment),
        }
        let builder = &mut merged.builder;
        let model = decode::object(
            &tables::PROJECT,
            model,
            &path::Path::ROOT,
            &mut builder.findings,
        );
        let mut project = selection::select(builder, options, merged.environment, model);
        project.name = merged.name;
        project.is_name_implied = merged.is_name_implied;
        project.working_dir = merged.directory;
        project
    });
    let builder = merged.builder;
    (project, builder.findings, builder.reader, merged.files)
}

/// Loads the merged model alone.
pub fn load_model(files: &dyn Files, options: &LoadOptions) -> LoadedModel {
    let mut merged = Merged::read(files, options);
    let mut model = merged.model.take().unwrap_or_default();
    defaults::fill_host_paths(&mut model);
    if !options.stages.no_normalize {
        normalize::normalize(&mut model, &merged.name, &merged.environment);
        let name = Node::new(merged.name.as_str(), model.span);
        if let Some(map) = model.as_map_mut() {
            map.insert("name", name.span, name);
        }
    }
    LoadedModel {
        model,
        findings: settle(merged.builder.findings, &merged.builder.reader.sources),
        sources: merged.builder.reader.sources,
    }
}

/// The environment alone, as it is known before any project file is read.
#[derive(Debug, Default)]
pub struct LoadedEnvironment {
    /// The process environment and the env files' variables.
    pub environment: environment::Environment,
    pub findings: Vec<Diagnostic>,
    pub sources: Sources,
}

/// Loads the environment alone: for commands that need no project, but follow the variables
/// that an env file sets for them.
pub fn load_environment(files: &dyn Files, options: &LoadOptions) -> LoadedEnvironment {
    let around = Surroundings::read(files, options);
    LoadedEnvironment {
        environment: around.environment,
        findings: settle(around.findings, &around.reader.sources),
        sources: around.reader.sources,
    }
}

/// What is known before a project file is read.
struct Surroundings<'f> {
    reader: read::Reader<'f>,
    environment: environment::Environment,
    config_files: Vec<PathBuf>,
    findings: Findings,
}

/// The first half of a load: everything up to the merged model.
struct Merged<'f> {
    builder: model::Builder<'f>,
    environment: environment::Environment,
    directory: PathBuf,
    /// The directory that gives the project its name where nothing else does.
    named_by: PathBuf,
    files: Vec<PathBuf>,
    name: String,
    is_name_implied: bool,
    /// `None` where there was nothing to read.
    model: Option<Node>,
}

impl<'f> Surroundings<'f> {
    fn read(files: &'f dyn Files, options: &LoadOptions) -> Self {
        let mut reader = read::Reader::new(files, &options.cwd);
        reader.history = options.record.then(Box::default);
        let mut findings = Findings::default();
        let mut environment = environment::of_process(options);
        reader.sources.variables.process = environment.clone();
        let mut config_files = discover::given(options);
        // Before the files are known, `.env` is looked for where they may be, and may name them.
        add_env_files(
            &mut environment,
            &mut reader,
            options,
            &config_files,
            &mut findings,
        );
        if config_files.is_empty() {
            config_files = discover::find(files, options, &environment, &mut findings);
            add_env_files(
                &mut environment,
                &mut reader,
                options,
                &config_files,
                &mut findings,
            );
        }
        Surroundings {
            reader,
            environment,
            config_files,
            findings,
        }
    }
}

impl<'f> Merged<'f> {
    fn read(files: &'f dyn Files, options: &LoadOptions) -> Self {
        let Surroundings {
            mut reader,
            environment,
            config_files,
            mut findings,
        } = Surroundings::read(files, options);
        let named_by = discover::project_directory(options, &config_files);
        let mut remote = None;
        let mut local = Vec::with_capacity(config_files.len());
        for file in config_files {
            if !discover::is_address(&file) {
                local.push(file);
                continue;
            }
            match reader.fetch(&file.to_string_lossy()) {
                Ok(fetched) => {
                    remote = remote.or_else(|| Some(fetched.file.parent()?.to_owned()));
                    local.push(fetched.file);
                }
                Err(error) => findings.push(error.finding("")),
            }
        }
        let mut builder = model::Builder::new(reader, options.stages.clone());
        builder.findings = findings;
        let mut merged = Merged {
            builder,
            environment,
            // Compose's rule: the first remote file's directory, whatever else is said.
            directory: remote.unwrap_or_else(|| named_by.clone()),
            named_by,
            files: local,
            name: String::new(),
            is_name_implied: false,
            model: None,
        };
        merged.merge(options);
        merged
    }

    fn merge(&mut self, options: &LoadOptions) {
        let builder = &mut self.builder;
        let gives_up = |f: &Diagnostic| matches!(f.code, "missing-file" | "remote-file");
        if builder.findings.iter().any(gives_up) {
            return;
        }
        if self.files.is_empty() {
            builder.findings.push(
                Diagnostic::error("no-file", "", "no configuration file provided: not found").help(
                    "add a compose.yaml here or in a directory above, or name a file with -f",
                ),
            );
            return;
        }
        let parsed: Vec<model::Parsed> =
            self.files.iter().map(|f| builder.parse(f, None)).collect();
        let mut scope = builder.scope(
            std::mem::take(&mut self.environment),
            self.directory.clone(),
            self.directory.clone(),
            0,
        );
        let declared = declared_name(builder, &parsed, &scope);
        let flag = options.project_name.as_deref();
        self.is_name_implied = name::is_implied(flag, &scope.environment, declared.as_ref());
        self.name = name::settle(
            flag,
            &scope.environment,
            declared.as_ref(),
            options.stages.no_normalize,
            &self.named_by,
            &mut builder.findings,
        );
        if self.is_name_implied {
            let files = builder.reader.files;
            let found = discover::named_by_link(files, &self.named_by, &self.name);
            builder.findings.extend(found);
        }
        builder.home = scope.environment.get("HOME").cloned();
        if options.stages.no_interpolate {
            // Compose then takes nothing from the environment but the project's name; what is
            // included has its own env files all the same.
            scope.environment.clear();
        }
        scope
            .environment
            .insert(name::VARIABLE.to_owned(), self.name.clone());
        let mut model = builder.model(parsed, &scope, &[]);
        self.environment = scope.environment;
        let span = model.span;
        if let Some(map) = model.as_map_mut() {
            if map.is_empty() && !builder.findings.iter().any(Diagnostic::is_error) {
                let mut finding = Diagnostic::error("empty-file", "", "empty compose file")
                    .help("a Compose file begins with a key such as `services:`");
                let last = self.files.last().and_then(|f| builder.reader.known(f));
                finding.span = last.map(|source| Span {
                    source,
                    ..Span::default()
                });
                builder.findings.push(finding);
            }
            if !options.stages.no_normalize {
                map.insert("name", span, Node::new(self.name.as_str(), span));
            }
        }
        self.model = Some(model);
    }
}

fn add_env_files(
    environment: &mut environment::Environment,
    reader: &mut read::Reader<'_>,
    options: &LoadOptions,
    config_files: &[PathBuf],
    findings: &mut Findings,
) {
    let directory = discover::project_directory(options, config_files);
    let files = environment::files(reader, options, &directory, findings);
    let files: Vec<_> = files.into_iter().map(|file| (file, None)).collect();
    environment::extend(environment, reader, &files, findings);
}

/// The last `name:` that the files declare, with its variables filled in.
fn declared_name(
    builder: &mut model::Builder<'_>,
    parsed: &[model::Parsed],
    scope: &model::Scope,
) -> Option<Node> {
    let mut name = parsed
        .iter()
        .flat_map(|file| &file.documents)
        .filter_map(|document| document.root.get("name"))
        .rfind(|name| name.as_str().is_some_and(|n| !n.is_empty()))?
        .clone();
    builder.fill_in(&mut name, scope);
    Some(name)
}

/// Every cause once: a value that several stages or services look at is reported for each, and
/// a value that one stage refused often displeases a later one too.
fn settle(findings: Findings, sources: &Sources) -> Vec<Diagnostic> {
    let mut seen = HashSet::new();
    let mut refused: HashSet<Span> = HashSet::new();
    let mut undefined: HashSet<(&str, Span)> = HashSet::new();
    let mut provenance = provenance::Provenance::new(sources);
    let is_cycle = findings.iter().any(|f| f.code == "extends-cycle");
    let mut broken_keys: Vec<Span> = findings
        .iter()
        .filter(|f| f.code == "non-string-key")
        .filter_map(|f| f.span)
        .collect();
    broken_keys.sort_unstable();
    let misspelt: HashSet<String> = findings
        .iter()
        .filter(|f| f.code == "unknown-attribute")
        .map(|f| f.path.clone())
        .collect();
    findings
        .into_list()
        .into_iter()
        .filter(|f| {
            let path = f.span.is_none().then(|| f.path.clone());
            let is_new = seen.insert((f.code, f.message.clone(), f.span, path));
            let follows = match (f.code, f.span) {
                ("bad-value", Some(span)) => refused.contains(&span),
                // By way of `extends` and anchors one place speaks for many services.
                (code, Some(span)) if code.starts_with("undefined-") => {
                    !undefined.insert((code, span))
                }
                // What it was to inherit may be the image.
                ("no-image", _) => is_cycle,
                // Keys do not overlap: the first one behind the start is in it, or none is.
                ("wrong-type", Some(span)) => {
                    let at = broken_keys
                        .partition_point(|k| (k.source, k.start) < (span.source, span.start));
                    broken_keys
                        .get(at)
                        .is_some_and(|k| k.source == span.source && k.end <= span.end)
                }
                ("missing-attribute", _) => misspelt.contains(&f.path),
                _ => false,
            };
            if f.is_error() {
                refused.extend(f.span);
            }
            is_new && !follows
        })
        .map(|f| provenance.place(f))
        .collect()
}
