//! The files of `env_file` and `label_file`, merged into `environment` and `labels`.
//!
//! In: a decoded service. Out: the same without these lists. A file that refers to no variables
//! is parsed once, however many services name it.

use super::dotenv::{self, Format, Vars};
use super::environment::Environment;
use super::history::FileValue;
use super::read::{Reader, Unreadable};
use super::room::Room;
use crate::diagnostic::{Diagnostic, Findings};
use crate::tree::{Map, Node, Span, Value};
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// Files that mean the same to every service.
#[derive(Default)]
pub struct EnvFiles {
    constant: HashMap<(PathBuf, bool), Vars>,
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
        for (name, value) in own.iter_mut() {
            if value.is_null()
                && let Some(found) = project.get(name)
            {
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
            let lookup = |name: &str| {
                project.get(name).cloned().or_else(|| {
                    let value = own.get(name)?.as_str()?;
                    Some(value.to_owned())
                })
            };
            self.read(&file, &lookup, &mut known, reader, findings);
            note(name, "environment", &file, &known, reader);
        }
        take(
            &mut all,
            &known,
            &mut reader.room,
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
            note(name, "labels", &file, &vars, reader);
        }
        let mut all = Map::new();
        take(
            &mut all,
            &vars,
            &mut reader.room,
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
    service: &str,
    attribute: &'static str,
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
    room: &mut Room,
    findings: &mut Findings,
    (service, at): (&str, Span),
) {
    let values = vars.values().map(|var| 1 + var.value.len() / 80).sum();
    if !room.take(values, findings, || (format!("services.{service}"), at)) {
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
