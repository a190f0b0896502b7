//! A project file as it is published: its own text, but for the paths of files beside it.

use super::{PublishError, stand_in, unreadable};
use crate::diagnostic::Findings;
use crate::load::interpolate::substitute;
use crate::load::yaml;
use crate::tree::{Node, SourceId, Span};
use crate::value::address::Address;
use crate::value::secret::is_secret_name;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What a file becomes, and what it says that somebody may not want to publish.
#[derive(Debug, Default)]
pub struct Published {
    pub text: String,
    /// Files of this machine that it extends services from.
    pub extends: Vec<PathBuf>,
    pub env_files: Vec<PathBuf>,
    /// Services that have an `env_file`.
    pub with_env_file: BTreeSet<String>,
    /// By service, the variables whose names tell of secrets, and whose values stand in the file.
    pub literals: BTreeMap<String, BTreeSet<String>>,
    /// Configs whose content stands in the file.
    pub contents: BTreeSet<String>,
}

/// Reads a file. `base` is what its paths are relative to.
///
/// # Errors
/// Where it cannot be read, or includes a file of this machine.
pub fn read(
    path: &Path,
    base: &Path,
    environment: &BTreeMap<String, String>,
) -> Result<Published, PublishError> {
    let text = crate::file::read_text(path).map_err(|error| unreadable(path, &error))?;
    // It has been loaded: there is nothing new to say about it.
    let documents = yaml::parse(SourceId::default(), &text, &mut Findings::default());
    let mut reading = Reading {
        base,
        environment,
        published: Published::default(),
        edits: BTreeMap::new(),
    };
    for document in &documents {
        let includes = document.root.get("include").and_then(Node::as_seq);
        if includes.into_iter().flatten().any(is_local) {
            let file = path.display().to_string();
            return Err(PublishError::LocalInclude { file });
        }
        reading.services(&document.root);
        reading.configs(&document.root);
    }
    let Reading {
        mut published,
        edits,
        ..
    } = reading;
    let mut at = 0;
    for (span, name) in edits {
        let (start, end) = (span.start as usize, span.end as usize);
        if start >= at
            && let (Some(before), Some(_)) = (text.get(at..start), text.get(start..end))
        {
            published.text.push_str(before);
            published.text.push_str(&name);
            at = end;
        }
    }
    published.text.push_str(&text[at..]);
    Ok(published)
}

/// Whether an entry of `include` is, or has, a file of this machine.
fn is_local(entry: &Node) -> bool {
    let paths = entry.get("path").unwrap_or(entry);
    let here = |path: &Node| path.as_str().is_some_and(|path| !Address::is_one(path));
    match paths.as_seq() {
        Some(list) => list.iter().any(here),
        None => here(paths),
    }
}

struct Reading<'a> {
    base: &'a Path,
    environment: &'a BTreeMap<String, String>,
    published: Published,
    /// What is written instead of pieces of the text.
    edits: BTreeMap<Span, String>,
}

impl Reading<'_> {
    fn path(&self, text: &str) -> PathBuf {
        let lookup = |name: &str| self.environment.get(name).cloned();
        let path = substitute(text, &lookup).text;
        let home = || Some(Path::new(self.environment.get("HOME")?).to_owned());
        let path = match path.strip_prefix("~/").zip(home()) {
            Some((rest, home)) => home.join(rest),
            None => self.base.join(path),
        };
        PathBuf::from(crate::value::path::clean(&path.display().to_string()))
    }

    fn services(&mut self, root: &Node) {
        let services = root.get("services").and_then(Node::as_map);
        for (name, service) in services.into_iter().flat_map(|map| map.iter()) {
            self.env_files(name, service);
            self.variables(name, service);
            let Some(node) = service.get("extends").and_then(|e| e.get("file")) else {
                continue;
            };
            let text = node.as_str().unwrap_or_default();
            let path = self.path(text);
            if text.is_empty() || Address::is_one(text) || !path.exists() {
                continue;
            }
            self.edits.insert(node.span, stand_in(&path, "yaml"));
            self.published.extends.push(path);
        }
    }

    fn env_files(&mut self, name: &str, service: &Node) {
        let Some(entry) = service.get("env_file") else {
            return;
        };
        let one = std::slice::from_ref(entry);
        for entry in entry.as_seq().unwrap_or(one) {
            let node = entry.get("path").unwrap_or(entry);
            let Some(text) = node.as_str().filter(|text| !text.is_empty()) else {
                continue;
            };
            let path = self.path(text);
            self.edits.insert(node.span, stand_in(&path, "env"));
            self.published.env_files.push(path);
            self.published.with_env_file.insert(name.to_owned());
        }
    }

    fn variables(&mut self, service: &str, spec: &Node) {
        let Some(environment) = spec.get("environment") else {
            return;
        };
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for entry in environment.as_seq().into_iter().flatten() {
            pairs.extend(entry.as_str().and_then(|text| text.split_once('=')));
        }
        if let Some(map) = environment.as_map() {
            pairs.extend(map.iter().filter_map(|(k, v)| Some((k, v.as_str()?))));
        }
        for (key, value) in pairs {
            if is_secret_name(key) && is_literal(value) {
                let literals = &mut self.published.literals;
                let names = literals.entry(service.to_owned()).or_default();
                names.insert(key.to_owned());
            }
        }
    }

    fn configs(&mut self, root: &Node) {
        let configs = root.get("configs").and_then(Node::as_map);
        for (name, config) in configs.into_iter().flat_map(|map| map.iter()) {
            let content = config.get("content").and_then(Node::as_str);
            if content.is_some_and(is_literal) {
                self.published.contents.insert(name.to_owned());
            }
        }
    }
}

/// Whether a value says more than which variable is meant.
fn is_literal(value: &str) -> bool {
    let value = value.replace("$$", "X");
    value.chars().count() > 2 && !value.starts_with(['$', '{']) && !value.trim().ends_with('}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn only_paths_change() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::write(root.join("base.yaml"), "services: {}").unwrap();
        let text = r#"# a comment stays
services:
  web:
    extends: {file: base.yaml, service: web}
    env_file: [.env.web, "${WHICH}.env"]
    environment:
      DB_PASSWORD: hunter2
      API_KEY: ${API_KEY}
      PLAIN: value
  db:
    env_file:
      - path: ./db.env
        required: false
    environment: ["TOKEN=abc$$d", "OTHER=x"]
    extends: {file: oci://r/x, service: y}
configs:
  c: {content: "literal"}
  v: {content: "${FROM}"}
"#;
        let path = root.join("compose.yaml");
        fs::write(&path, text).unwrap();
        let environment = BTreeMap::from([("WHICH".to_owned(), "prod".to_owned())]);
        let read = read(&path, root, &environment).unwrap();
        let name = |file: &str, ending: &str| stand_in(&root.join(file), ending);
        let expected = text
            .replace("base.yaml", &name("base.yaml", "yaml"))
            .replace(".env.web", &name(".env.web", "env"))
            .replace("\"${WHICH}.env\"", &name("prod.env", "env"))
            .replace("./db.env", &name("db.env", "env"));
        assert_eq!(read.text, expected);
        assert_eq!(read.extends, [root.join("base.yaml")]);
        assert_eq!(read.env_files.len(), 3);
        let literals: Vec<_> = read.literals.values().flatten().collect();
        assert_eq!(literals, ["TOKEN", "DB_PASSWORD"]);
        assert_eq!(read.contents, ["c".to_owned()].into());
    }

    #[test]
    fn files_that_include_others_of_this_machine_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("compose.yaml");
        for (text, is_refused) in [
            ("include: [other.yaml]", true),
            ("include: [{path: [oci://r/x, other.yaml]}]", true),
            ("include: [oci://r/x]", false),
        ] {
            fs::write(&path, text).unwrap();
            let read = read(&path, dir.path(), &BTreeMap::new());
            assert_eq!(read.is_err(), is_refused, "{text}");
        }
    }
}
