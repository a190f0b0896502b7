//! The way of one set of files to one model: each document is filled in, completed by what it
//! includes and extends, and merged over those before it.
//!
//! In: files and a scope (environment and directory). Out: a model in long syntax with its
//! paths joined to the scope's directory. An included set of files goes the same way in a scope
//! of its own.

use super::env_files::IncludedEnvironments;
use super::environment::{self, Environment};
use super::interpolate::interpolate;
use super::merge::{self, unique};
use super::read::{Reader, Unreadable};
use super::touched::Touched;
use super::yaml::{Document, Tag};
use super::{FileKind, Stages, canonical, defaults, normalize, paths, schema, tags, validate};
use crate::diagnostic::{Diagnostic, Findings};
use crate::tree::{Map, Node, Span};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// What values and paths of a set of files mean.
#[derive(Debug)]
pub struct Scope {
    pub environment: Environment,
    /// Absolute: where the files that it names are looked for.
    pub directory: PathBuf,
    /// What its paths are joined to: the directory, for an included scope as its parent sees it.
    pub base: PathBuf,
    /// Scopes are numbered, so that what was extended in one is not taken for another's.
    pub number: usize,
}

/// A file that services are extended from, in long syntax, and the tags of its last document.
pub struct Extended {
    pub services: Map,
    pub tags: Vec<Tag>,
}

/// Builds models.
pub struct Builder<'f> {
    pub reader: Reader<'f>,
    pub stages: Stages,
    pub findings: Findings,
    /// Files that were extended from, by scope.
    pub extended: HashMap<(usize, PathBuf), Option<Rc<Extended>>>,
    /// Remote files that were extended from, with what their paths are joined to.
    pub tops: HashMap<PathBuf, PathBuf>,
    /// Their services with all that they extend in turn.
    pub bases: HashMap<(usize, PathBuf, String), Option<Rc<Node>>>,
    /// Where services are extended that are empty.
    pub empty_bases: HashSet<Span>,
    /// What env files of included services are read with.
    pub included_environments: IncludedEnvironments,
    /// How many files were included so far.
    pub included: usize,
    /// What `~` stands for.
    pub home: Option<String>,
    /// Directories that are no links.
    pub plain: RefCell<HashSet<PathBuf>>,
}

/// A file with its documents.
pub struct Parsed {
    pub path: PathBuf,
    pub documents: Vec<Document>,
}

impl<'f> Builder<'f> {
    pub fn new(reader: Reader<'f>, stages: Stages) -> Self {
        Builder {
            reader,
            stages,
            findings: Findings::default(),
            extended: HashMap::new(),
            tops: HashMap::new(),
            bases: HashMap::new(),
            empty_bases: HashSet::new(),
            included_environments: IncludedEnvironments::default(),
            included: 0,
            home: None,
            plain: RefCell::default(),
        }
    }

    /// Opens a scope; `around` is the number of the one that it is in, or 0.
    pub fn scope(
        &mut self,
        environment: Environment,
        directory: PathBuf,
        base: PathBuf,
        around: usize,
    ) -> Scope {
        let number = self.reader.sources.variables.open_scope(around);
        if let Some(history) = &mut self.reader.history {
            history.environments.insert(number, environment.clone());
        }
        Scope {
            environment,
            directory,
            base,
            number,
        }
    }

    /// Reads and parses a file. `named` is what names it, and where, if another file does.
    pub fn parse(&mut self, path: &Path, named: Option<(String, Span)>) -> Parsed {
        let documents = match self.reader.documents(path, &mut self.findings) {
            Ok(documents) => documents,
            Err(error) => {
                self.unreadable(path, &error, named);
                Vec::new()
            }
        };
        Parsed {
            path: path.to_owned(),
            documents,
        }
    }

    fn unreadable(&mut self, path: &Path, error: &Unreadable, named: Option<(String, Span)>) {
        let message = match error.is_missing {
            true => format!("open {}: {}", path.display(), error.why),
            false => format!("read {}: {}", path.display(), error.why),
        };
        let mut finding = Diagnostic::error("unreadable-file", "", message);
        if let Some((by, span)) = named {
            finding.path = by;
            finding.span = Some(span);
        }
        if error.is_missing {
            finding.help = self.instead_of(path);
        }
        if error.is_missing && looks_remote(path) {
            finding.code = "remote-file";
            finding = finding.help(
                "to fetch it: the address of a git repository ends in .git and may name a branch and a path (https://host/app.git#main:compose.yaml); COMPOSE_FILE takes paths only",
            );
        }
        self.findings.push(finding);
    }

    /// The file that was meant by one that is not there: the same with the other ending.
    fn instead_of(&self, path: &Path) -> Option<String> {
        let other = match path.extension()?.to_str()? {
            "yml" => path.with_extension("yaml"),
            "yaml" => path.with_extension("yml"),
            _ => return None,
        };
        let is_there = self.reader.files.kind(&other) == Some(FileKind::File);
        is_there.then(|| format!("did you mean `{}`?", self.reader.display(&other)))
    }

    /// Merges a set of files into one model. `chain` holds the files that are being included.
    pub fn model(&mut self, files: Vec<Parsed>, scope: &Scope, chain: &[PathBuf]) -> Node {
        let mut model = Node::new(Map::new(), Span::default());
        let is_included = !chain.is_empty();
        let mut chain = chain.to_vec();
        for file in files {
            chain.push(file.path.clone());
            for document in file.documents {
                model = self.document(document, model, &file.path, scope, &chain);
            }
        }
        defaults::fill(&mut model);
        if !self.stages.no_validation {
            validate::check(&model, &mut self.findings);
        }
        // What is included is always joined to the place of its file.
        if !self.stages.no_path_resolution || is_included {
            paths::resolve(
                &mut model,
                paths::Base {
                    files: self.reader.files,
                    dir: &scope.base,
                    home: self.home.as_deref(),
                    plain: &self.plain,
                },
            );
        }
        environment::resolve(&mut model, &scope.environment);
        if is_included {
            self.included_environments
                .note(&model, scope.number, &scope.environment);
        }
        model
    }

    fn document(
        &mut self,
        document: Document,
        mut model: Node,
        file: &Path,
        scope: &Scope,
        chain: &[PathBuf],
    ) -> Node {
        let Document { mut root, tags, .. } = document;
        if root.as_map().is_none() {
            self.not_a_mapping(&root);
            return model;
        }
        self.fill_in(&mut root, scope);
        let added = normalize::growth(&root);
        let place = || (String::new(), root.span);
        if !self.reader.budget.take(added, &mut self.findings, place) {
            return model;
        }
        if let Some(history) = &mut self.reader.history {
            history.open(file, scope.number, &root, &tags);
        }
        self.include(&mut root, &tags, scope, chain);
        if let Some(history) = &mut self.reader.history {
            history.close();
        }
        tags::apply(&tags, &mut model);
        self.empty_services(&root, &model);
        if self.stages.no_validation {
            self.services_are_mappings(&root);
        }
        self.extend_services(&mut root, &tags, file, scope);
        let is_first = model.as_map().is_some_and(Map::is_empty);
        let touched = match is_first {
            true => Touched::All,
            false => Touched::by(&root),
        };
        let mut model = match is_first {
            true => root,
            false => merge::models(model, root, &mut self.findings),
        };
        unique::enforce(&mut model, &touched, &mut self.findings);
        if !self.stages.no_validation {
            schema::validate(&model, &touched, &mut self.findings);
            self.drop_version(&mut model, file);
        }
        canonical::expand(
            &mut model,
            &touched,
            self.stages.no_interpolate,
            &mut self.reader.budget,
            &mut self.findings,
        );
        unique::enforce(&mut model, &touched, &mut self.findings);
        model
    }

    /// Puts in the values of variables.
    pub fn fill_in(&mut self, root: &mut Node, scope: &Scope) {
        if !self.stages.no_interpolate {
            let sources = &mut self.reader.sources;
            sources.variables.used(root.span.source, scope.number);
            let lookup = |name: &str| scope.environment.get(name).cloned();
            interpolate(root, &self.reader.sources, &lookup, &mut self.findings);
        }
    }

    /// Elsewhere nothing in a later document leaves what is there; `services:` must hold some.
    fn empty_services(&mut self, root: &Node, earlier: &Node) {
        if let (Some(services), Some(_)) = (root.get("services"), earlier.get("services"))
            && services.is_null()
        {
            let what = "must be a mapping, but is empty";
            self.findings.push(
                Diagnostic::error("wrong-type", "services", what)
                    .at(services.span)
                    .help("leave it out where a file adds nothing to the services"),
            );
        }
    }

    /// All that is asked of the services where nothing else is.
    fn services_are_mappings(&mut self, root: &Node) {
        let Some(services) = root.get("services") else {
            return;
        };
        let wrong = |path: String, node: &Node| {
            Diagnostic::error("wrong-type", path, "must be a mapping").at(node.span)
        };
        let Some(map) = services.as_map() else {
            self.findings.push(wrong("services".to_owned(), services));
            return;
        };
        for (name, service) in map.iter() {
            if service.as_map().is_none() && !service.is_null() {
                self.findings
                    .push(wrong(format!("services.{name}"), service));
            }
        }
    }

    fn not_a_mapping(&mut self, root: &Node) {
        self.findings.push(
            Diagnostic::error("not-a-mapping", "", "top-level object must be a mapping")
                .at(root.span)
                .help("a Compose file begins with a key such as `services:`"),
        );
    }

    fn drop_version(&mut self, model: &mut Node, file: &Path) {
        if let Some(version) = model.as_map_mut().and_then(|m| m.remove_entry("version")) {
            self.findings.push(
                Diagnostic::warning(
                    "obsolete-version",
                    "version",
                    format!(
                        "{}: the attribute `version` is obsolete, it will be ignored, please remove it to avoid potential confusion",
                        file.display()
                    ),
                )
                .at(version.key),
            );
        }
    }
}

/// Whether a path that is not there was meant as an address: of a git repository or a registry.
fn looks_remote(path: &Path) -> bool {
    const SCHEMES: [&str; 6] = ["oci:", "git:", "ssh:", "http:", "https:", "github.com"];
    path.components().any(|part| {
        let part = part.as_os_str().to_string_lossy();
        SCHEMES.contains(&part.as_ref()) || part.starts_with("git@")
    })
}
