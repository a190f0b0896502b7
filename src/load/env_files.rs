//! The files of `env_file` and `label_file`, merged into `environment` and `labels`.
//!
//! In: a decoded service. Out: the same without these lists. A file that refers to no variables
//! is parsed once, however many services name it.

use super::budget::Budget;
use super::dotenv::{self, Format, Vars};
use super::environment::Environment;
use super::history::FileValue;
use super::read::{Reader, Unreadable};
use crate::diagnostic::{Diagnostic, Findings};
use crate::tree::{Map, Node, Span, Value};
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Files that mean the same to every service.
#[derive(Default)]
pub struct EnvFiles {
    constant: HashMap<(PathBuf, bool), Vars>,
}

/// What variables mean to included services, in their env files and where a name alone stands in
/// their `environment`: for them the `env_file` of their `include` counts, as it does for the
/// included files themselves.
#[derive(Default)]
pub struct IncludedEnvironments {
    /// By service and the place where it names the file or the variable.
    by_place: HashMap<(String, Span), Rc<ScopeEnvironment>>,
}

/// The environment of a scope.
struct ScopeEnvironment {
    number: usize,
    environment: Environment,
}

impl IncludedEnvironments {
    /// Keeps the environment of an include in mind for the services of its model, but for those
    /// that it includes in its turn.
    pub fn note(&mut self, model: &Node, number: usize, environment: &Environment) {
        let services = model.get("services").and_then(Node::as_map);
        let mut shared = None;
        for (name, service) in services.into_iter().flat_map(Map::iter) {
            let files = service.get("env_file").and_then(Node::as_seq);
            let files = files.into_iter().flatten().filter_map(|f| f.get("path"));
            let own = service.get("environment").and_then(Node::as_map);
            let own = own.into_iter().flat_map(Map::iter).map(|(_, value)| value);
            for node in files.chain(own.filter(|value| value.is_null())) {
                let shared = shared.get_or_insert_with(|| {
                    Rc::new(ScopeEnvironment {
                        number,
                        environment: environment.clone(),
                    })
                });
                let place = (name.to_owned(), node.span);
                self.by_place.entry(place).or_insert_with(|| shared.clone());
            }
        }
    }

    fn of(&self, service: &str, at: Span) -> Option<&ScopeEnvironment> {
        if self.by_place.is_empty() {
            return None;
        }
        self.by_place.get(&(service.to_owned(), at)).map(Rc::as_ref)
    }
}

/// One file that a service names.
struct Named<'n> {
    path: &'n str,
    span: Span,
    required: bool,
    format: Format,
    /// Path of the entry, for findings.
    at: String,
    code: &'static str,
    what: &'static str,
}

impl EnvFiles {
    /// Merges the env files of a service under its own variables.
    pub fn variables(
        &mut self,
        name: &str,
        service: &mut Map,
        project: &Environment,
        included: &IncludedEnvironments,
        reader: &mut Reader<'_>,
        findings: &mut Findings,
    ) {
        let files = service.remove_entry("env_file");
        let own = service.remove_entry("environment");
        let key = [&own, &files].into_iter().flatten().map(|e| e.key).next();
        let Some(key) = key else { return };
        let mut own = match own.map(|e| e.node.value) {
            Some(Value::Map(map)) => map,
            _ => Map::new(),
        };
        for (variable, value) in own.iter_mut().filter(|(_, value)| value.is_null()) {
            let scope = included.of(name, value.span);
            let environment = scope.map_or(project, |scope| &scope.environment);
            if let Some(found) = environment.get(variable) {
                value.value = found.as_str().into();
            }
        }
        let mut all = Map::new();
        let mut known = Vars::new();
        let entries = files
            .as_ref()
            .and_then(|f| f.node.as_seq())
            .unwrap_or_default();
        for (index, entry) in entries.iter().enumerate() {
            let at = format!("services.{name}.env_file[{index}]");
            let Some(file) = named_env_file(entry, at, findings) else {
                continue;
            };
            let scope = included.of(name, file.span);
            let environment = scope.map_or(project, |scope| &scope.environment);
            let lookup = |name: &str| {
                environment.get(name).cloned().or_else(|| {
                    let value = own.get(name)?.as_str()?;
                    Some(value.to_owned())
                })
            };
            self.read(&file, &lookup, &mut known, reader, findings);
            let scope = scope.map_or(1, |scope| scope.number);
            note((name, "environment"), scope, &file, &known, reader);
        }
        take(
            &mut all,
            &known,
            &mut reader.budget,
            findings,
            (name, files.as_ref().map_or(key, |f| f.key)),
        );
        for (name, entry) in own.into_entries() {
            all.insert(name, entry.key, entry.node);
        }
        if !all.is_empty() {
            service.insert("environment", key, Node::new(all, key));
        }
    }

    /// Merges the label files of a service under its own labels.
    pub fn labels(
        &mut self,
        name: &str,
        service: &mut Map,
        reader: &mut Reader<'_>,
        findings: &mut Findings,
    ) {
        let Some(files) = service.entry("label_file").cloned() else {
            return;
        };
        let mut vars: Vars = BTreeMap::new();
        for (index, entry) in files.node.as_seq().unwrap_or_default().iter().enumerate() {
            let file = Named {
                path: entry.as_str().unwrap_or_default(),
                span: entry.span,
                required: true,
                format: Format::Dotenv,
                at: format!("services.{name}.label_file[{index}]"),
                code: "missing-label-file",
                what: "label file",
            };
            self.read(&file, &|_| None, &mut vars, reader, findings);
            note((name, "labels"), 1, &file, &vars, reader);
        }
        let mut all = Map::new();
        take(
            &mut all,
            &vars,
            &mut reader.budget,
            findings,
            (name, files.key),
        );
        if let Some(Value::Map(own)) = service.remove("labels").map(|n| n.value) {
            for (name, entry) in own.into_entries() {
                all.insert(name, entry.key, entry.node);
            }
        }
        if !all.is_empty() {
            service.insert("labels", files.key, Node::new(all, files.key));
        }
    }

    /// Adds the variables of a file to those of the files before it.
    fn read(
        &mut self,
        file: &Named<'_>,
        lookup: &dyn Fn(&str) -> Option<String>,
        known: &mut Vars,
        reader: &mut Reader<'_>,
        findings: &mut Findings,
    ) {
        let path = Path::new(file.path);
        if reader.strays(path, Some(file.span)) {
            let at = file.at.as_str();
            findings.push(reader.strayed(file.what, path, at).at(file.span));
            return;
        }
        let key = (path.to_owned(), file.format == Format::Raw);
        if let Some(vars) = self.constant.get(&key) {
            known.extend(vars.iter().map(|(k, v)| (k.clone(), v.clone())));
            return;
        }
        let id = match reader.source(path, findings) {
            Ok(Some(id)) => id,
            Ok(None) => return,
            Err(error) => {
                if !error.is_missing || file.required {
                    findings.push(unreadable(file, &error));
                }
                return;
            }
        };
        let text = reader.text(id);
        let asked = Cell::new(false);
        let count = |_: &str| {
            asked.set(true);
            None
        };
        let mut alone = Vars::new();
        let mut complaints = Findings::default();
        dotenv::parse(id, text, file.format, &count, &mut alone, &mut complaints);
        if asked.get() || !complaints.is_empty() {
            dotenv::parse(id, text, file.format, lookup, known, findings);
            return;
        }
        known.extend(alone.iter().map(|(k, v)| (k.clone(), v.clone())));
        self.constant.insert(key, alone);
    }
}

/// Keeps in mind what a file set, if anybody wants to know it.
fn note(
    (service, attribute): (&str, &'static str),
    scope: usize,
    file: &Named<'_>,
    known: &Vars,
    reader: &mut Reader<'_>,
) {
    let Some(id) = reader.known(Path::new(file.path)) else {
        return;
    };
    if let Some(history) = &mut reader.history {
        let own = known.iter().filter(|(_, var)| var.span.source == id);
        history.file_values.extend(own.map(|(name, var)| FileValue {
            service: service.to_owned(),
            attribute,
            name: name.clone(),
            value: var.value.clone(),
            span: var.span,
            named: file.span,
            scope,
        }));
    }
}

fn unreadable(file: &Named<'_>, error: &Unreadable) -> Diagnostic {
    let message = match error.is_missing {
        true => format!("{} {} not found", file.what, file.path),
        false => format!("{} {}: {}", file.what, file.path, error.why),
    };
    let finding = Diagnostic::error(file.code, file.at.as_str(), message).at(file.span);
    match error.is_missing && file.code == "missing-env-file" {
        true => finding.help("if it may be missing, write `- {path: …, required: false}`"),
        false => finding,
    }
}

fn named_env_file<'n>(entry: &'n Node, at: String, findings: &mut Findings) -> Option<Named<'n>> {
    let is_required = entry.get("required").and_then(Node::as_bool) != Some(false);
    let Some(path) = entry.get("path") else {
        // An empty path is no value in canonical form.
        if is_required {
            findings.push(
                Diagnostic::error("missing-env-file", at, "the path of this env file is empty")
                    .at(entry.span),
            );
        }
        return None;
    };
    let word = entry.get("format");
    let format = match word.and_then(Node::as_str) {
        None => Format::Dotenv,
        Some(text) => match Format::parse(text) {
            Some(format) => format,
            None => {
                findings.push(
                    Diagnostic::error(
                        "unknown-value",
                        format!("{at}.format"),
                        format!("unsupported env_file format \"{text}\""),
                    )
                    .at(word.map_or(path.span, |w| w.span))
                    .help("leave `format` out, or say `raw`"),
                );
                return None;
            }
        },
    };
    Some(Named {
        path: path.as_str()?,
        span: path.span,
        required: is_required,
        format,
        at,
        code: "missing-env-file",
        what: "env file",
    })
}

/// Puts variables of files into a mapping. They count as values, and a long text as one for every
/// line of it.
fn take(
    map: &mut Map,
    vars: &Vars,
    budget: &mut Budget,
    findings: &mut Findings,
    (service, at): (&str, Span),
) {
    let values = vars.values().map(|var| 1 + var.value.len() / 80).sum();
    if !budget.take(values, findings, || (format!("services.{service}"), at)) {
        return;
    }
    for (name, var) in vars {
        map.insert(
            name.as_str(),
            var.span,
            Node::new(var.value.as_str(), var.span),
        );
    }
}
