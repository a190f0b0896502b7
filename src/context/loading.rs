//! Loading the project that a command is about, and showing what was found on the way.

use super::Context;
use crate::diagnostic::{Diagnostic, shared};
use crate::engine::endpoint::Endpoint;
use crate::error::CliError;
use crate::lint::{self, Selection, Subject};
use crate::load::history::History;
use crate::load::local_files;
use crate::load::{self, CanonicalProject, LoadOptions, Loaded, Sources};
use crate::options::Globals;
use crate::output;
use crate::project::{Dependencies, Project};
use crate::publish::Publication;
use crate::remote;
use crate::tree::Node;
use crate::value::secret::Known;
use std::collections::BTreeMap;
use std::path::Path;

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

pub(super) fn options(
    globals: &Globals,
    environment: &BTreeMap<String, String>,
    cwd: &Path,
) -> LoadOptions {
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

impl Context {
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
    pub fn without_env_files(&self, services: &[String]) -> LoadOptions {
        let mut options = self.load_options(services);
        options.stages.no_env_resolution = true;
        options
    }

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
