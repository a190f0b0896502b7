//! The project's environment: what `${…}` is looked up in.
//!
//! The process environment, then `.env` beside the project or the files of `--env-file`; a value
//! that is there is never replaced. And the places where a name alone takes its value from it.

use super::discover;
use super::dotenv::{self, Format, Vars};
use super::read::Reader;
use super::variables::Assignment;
use super::{FileKind, LoadOptions};
use crate::diagnostic::{Diagnostic, Findings};
use crate::tree::{Node, Value};
use crate::value::switch;
use std::path::{Path, PathBuf};

pub use super::variables::Environment;

/// The hidden attribute that holds what a secret's or config's `environment` says.
pub const CONTENT: &str = "x-#value";

/// The process environment, with the working directory in it.
pub fn of_process(options: &LoadOptions) -> Environment {
    let mut environment = options.environment.clone();
    environment
        .entry("PWD".to_owned())
        .or_insert_with(|| options.cwd.to_string_lossy().into_owned());
    environment
}

/// The env files to read: those of `--env-file`, else `.env` in the project directory, unless
/// that is switched off.
pub fn files(
    reader: &Reader<'_>,
    options: &LoadOptions,
    directory: &Path,
    findings: &mut Findings,
) -> Vec<PathBuf> {
    if !options.env_files.is_empty() {
        return given(options);
    }
    if let Some(text) = options.environment.get("COMPOSE_DISABLE_ENV_FILE") {
        match switch::parse(text) {
            Some(true) => return Vec::new(),
            Some(false) => {}
            None => findings.push(Diagnostic::error(
                "bad-variable",
                "",
                format!("COMPOSE_DISABLE_ENV_FILE: `{text}` is neither true nor false"),
            )),
        }
    }
    let default = directory.join(".env");
    match reader.files.kind(&default) {
        Some(FileKind::File) => vec![default],
        _ => Vec::new(),
    }
}

/// The files of `--env-file`, absolute.
pub fn given(options: &LoadOptions) -> Vec<PathBuf> {
    let home = options.environment.get("HOME");
    options
        .env_files
        .iter()
        .map(|file| match (file.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => Path::new(home).join(rest),
            _ => discover::absolute(&options.cwd, file),
        })
        .collect()
}

/// Adds the variables of env files to an environment; of several files the last one counts, but
/// none replaces what is there. `at` is where the files are named, if a file names them.
pub fn extend(
    environment: &mut Environment,
    reader: &mut Reader<'_>,
    files: &[(PathBuf, Option<&Node>)],
    findings: &mut Findings,
) {
    let mut vars = Vars::new();
    for (path, named) in files {
        let found = reader.source(path, findings);
        let id = match found {
            Ok(Some(id)) => id,
            Ok(None) => continue,
            Err(error) => {
                let message = match error.is_missing {
                    true => format!("couldn't find env file: {}", path.display()),
                    false => format!("{}: {}", path.display(), error.why),
                };
                let mut finding = Diagnostic::error("missing-env-file", "", message);
                finding.span = named.map(|node| node.span);
                if named.is_some() {
                    finding.path = "include".to_owned();
                }
                findings.push(finding);
                continue;
            }
        };
        let lookup = |name: &str| environment.get(name).cloned();
        dotenv::parse(
            id,
            reader.text(id),
            Format::Dotenv,
            &lookup,
            &mut vars,
            findings,
        );
    }
    let variables = &mut reader.sources.variables;
    let scope = variables.next_scope();
    for (name, var) in vars {
        variables.list.push(Assignment {
            scope,
            name: name.clone(),
            value: var.value.clone(),
            span: var.span,
            counts: !environment.contains_key(&name),
        });
        environment.entry(name).or_insert(var.value);
    }
}

/// Fills in what a model takes from its environment by name: list entries of `environment`
/// without a value, and the contents of secrets and configs.
pub fn resolve(model: &mut Node, environment: &Environment) {
    let sections = model.as_map_mut();
    for (section, node) in sections.into_iter().flat_map(|m| m.iter_mut()) {
        let Some(entries) = node.as_map_mut() else {
            continue;
        };
        for (_, entry) in entries.iter_mut() {
            match section {
                "services" => variables(entry, environment),
                "secrets" | "configs" => content(entry, environment),
                _ => {}
            }
        }
    }
}

fn variables(service: &mut Node, environment: &Environment) {
    let items = service.get_mut("environment").and_then(Node::as_seq_mut);
    for item in items.into_iter().flatten() {
        if let Value::Str(name) = &item.value
            && let Some(found) = environment.get(name.as_str())
        {
            item.value = format!("{name}={found}").into();
        }
    }
}

fn content(object: &mut Node, environment: &Environment) {
    let span = object.span;
    let Some(found) = object
        .get("environment")
        .and_then(Node::as_str)
        .and_then(|name| environment.get(name))
    else {
        return;
    };
    let found = Node::new(found.as_str(), span);
    if let Some(map) = object.as_map_mut() {
        map.insert(CONTENT, span, found);
    }
}
