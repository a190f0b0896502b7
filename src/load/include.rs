//! `include`: whole models of other files, each read in a scope of its own.
//!
//! In: a document with its variables filled in. Out: the same with the included services and
//! resources in it; where both define one, the including file's definition goes over it.

use super::discover::is_address;
use super::extends::relative;
use super::model::{Builder, Scope};
use super::paths;
use super::yaml::Tag;
use super::{FileKind, environment, merge, tags};
use crate::diagnostic::Diagnostic;
use crate::tree::{Map, Node, Span, Value};
use std::path::{Path, PathBuf};

/// What is taken over; not the name, not `x-*`.
const SECTIONS: [&str; 6] = [
    "services", "volumes", "networks", "secrets", "configs", "models",
];

/// One entry of `include`.
#[derive(Default)]
struct Include {
    paths: Vec<Node>,
    project_directory: Option<String>,
    env_files: Vec<Node>,
}

/// How many files may include one another in a row.
const MAX_CHAIN: usize = 100;

/// How many times files may be included in all: a few files that include one another often are
/// many.
const MAX_INCLUDES: usize = 2_000;

impl Builder<'_> {
    /// Takes in what a document includes. `chain` holds the files that are being included.
    pub fn include(&mut self, root: &mut Node, tags: &[Tag], scope: &Scope, chain: &[PathBuf]) {
        let Some(include) = root.as_map_mut().and_then(|m| m.remove("include")) else {
            return;
        };
        let span = include.span;
        let items = match include.value {
            Value::Seq(items) => items,
            Value::Null => return,
            _ => {
                self.findings.push(
                    Diagnostic::error("wrong-type", "include", "must be a list")
                        .at(span)
                        .help("write `include: [file.yaml]`"),
                );
                return;
            }
        };
        for (index, item) in items.into_iter().enumerate() {
            match entry(item) {
                Ok(include) if !include.paths.is_empty() => {
                    self.include_one(include, root, tags, scope, chain);
                }
                Ok(_) => {}
                Err(at) => self.findings.push(
                    Diagnostic::error(
                        "wrong-type",
                        format!("include[{index}]"),
                        "must be a path, or a mapping of `path`, `project_directory` and `env_file`",
                    )
                    .at(at.span),
                ),
            }
        }
    }

    fn include_one(
        &mut self,
        include: Include,
        root: &mut Node,
        tags: &[Tag],
        scope: &Scope,
        chain: &[PathBuf],
    ) {
        let absolute = |path: &str| PathBuf::from(paths::clean(&scope.directory.join(path)));
        let mut is_remote = false;
        let mut files: Vec<(PathBuf, &Node)> = Vec::new();
        for (at, node) in include.paths.iter().enumerate() {
            let text = node.as_str().unwrap_or_default();
            if !is_address(Path::new(text)) {
                let path = absolute(text);
                if self.strays("included file", &path, node.span) {
                    return;
                }
                files.push((path, node));
                continue;
            }
            match self.reader.fetch(text) {
                Ok(fetched) => files.push((fetched.file, node)),
                Err(error) => {
                    self.findings.push(error.finding("include").at(node.span));
                    return;
                }
            }
            is_remote |= at == 0;
        }
        let (main, named) = &files[0];
        if let Some(start) = chain.iter().position(|file| file == main) {
            self.include_cycle(&chain[start..], main, named);
            return;
        }
        if chain.len() >= MAX_CHAIN {
            let message = format!("more than {MAX_CHAIN} files include one another in a row");
            self.findings
                .push(Diagnostic::error("include-depth", "include", message).at(named.span));
            return;
        }
        self.included += 1;
        if self.included > MAX_INCLUDES {
            // Told once.
            if self.included == MAX_INCLUDES + 1 {
                let message = format!("files are included more than {MAX_INCLUDES} times");
                self.findings
                    .push(Diagnostic::error("include-depth", "include", message).at(named.span));
            }
            return;
        }
        let directory = match &include.project_directory {
            Some(dir) => absolute(dir),
            None => main.parent().unwrap_or(Path::new("/")).to_owned(),
        };
        if include.project_directory.is_some() {
            // Where a local file says so, fetched ones may read there.
            match self.reader.is_foreign(named.span) {
                false => self.reader.lend(&directory),
                true if self.strays("project directory", &directory, named.span) => return,
                true => {}
            }
        }
        let mut environment = scope.environment.clone();
        let env_files = self.env_files(&include, scope, &directory);
        for (path, node) in &env_files {
            if self.strays("env file", path, node.map_or(named.span, |node| node.span)) {
                return;
            }
        }
        environment::extend(
            &mut environment,
            &mut self.reader,
            &env_files,
            &mut self.findings,
        );
        let base = match include.project_directory.as_deref().map(Path::new) {
            Some(dir) if dir.is_absolute() => dir.to_owned(),
            // A cache has no place as seen from the project.
            _ if is_remote => directory.clone(),
            // Compose takes what is no directory for a file in one.
            Some(_) if self.reader.files.kind(&directory) != Some(FileKind::Directory) => {
                let above = directory.parent().unwrap_or(Path::new("/"));
                relative(&scope.directory, above)
            }
            _ => relative(&scope.directory, &directory),
        };
        let inner = self.scope(environment, directory, base, scope.number);
        let parsed = files
            .iter()
            .map(|(path, node)| self.parse(path, Some(("include".to_owned(), node.span))))
            .collect();
        let model = self.model(parsed, &inner, chain);
        self.import(model, root, tags);
    }

    /// Whether a file is not to be read, being outside of what was fetched; that is told then.
    fn strays(&mut self, what: &str, path: &Path, span: Span) -> bool {
        let strays = self.reader.strays(path, Some(span));
        if strays {
            let finding = self.reader.strayed(what, path, "include");
            self.findings.push(finding.at(span));
        }
        strays
    }

    fn env_files<'i>(
        &self,
        include: &'i Include,
        scope: &Scope,
        directory: &Path,
    ) -> Vec<(PathBuf, Option<&'i Node>)> {
        if include.env_files.is_empty() {
            let default = directory.join(".env");
            return match self.reader.files.kind(&default) {
                Some(FileKind::File) => vec![(default, None)],
                _ => Vec::new(),
            };
        }
        include
            .env_files
            .iter()
            .filter(|node| node.as_str() != Some("/dev/null"))
            .map(|node| {
                let path = scope.directory.join(node.as_str().unwrap_or_default());
                (PathBuf::from(paths::clean(&path)), Some(node))
            })
            .collect()
    }

    fn include_cycle(&mut self, chain: &[PathBuf], again: &Path, named: &Node) {
        let mut message = String::from("include cycle detected:");
        for (at, file) in chain
            .iter()
            .map(PathBuf::as_path)
            .chain([again])
            .enumerate()
        {
            let word = if at == 0 { "\n" } else { "\n include " };
            message += &format!("{word}{}", file.display());
        }
        self.findings
            .push(Diagnostic::error("include-cycle", "include", message).at(named.span));
    }

    fn import(&mut self, model: Node, root: &mut Node, tags: &[Tag]) {
        let Value::Map(mut model) = model.value else {
            return;
        };
        let Some(root) = root.as_map_mut() else {
            return;
        };
        for section in SECTIONS {
            let Some(imported) = model.remove_entry(section) else {
                continue;
            };
            let span = imported.node.span;
            let Value::Map(imported_map) = imported.node.value else {
                continue;
            };
            if root.get(section).is_none_or(Node::is_null) {
                root.insert(section, imported.key, Node::new(Map::new(), span));
            }
            let Some(target) = root.get_mut(section).and_then(Node::as_map_mut) else {
                continue;
            };
            for (name, entry) in imported_map.into_entries() {
                let Some(here) = target.get_mut(&name) else {
                    target.insert(name, entry.key, entry.node);
                    continue;
                };
                let mut imported = entry.node;
                tags::below(tags, &[section, &name], &mut imported);
                let over = std::mem::take(here);
                *here = merge::at([section, &name], imported, over, &mut self.findings);
            }
        }
    }
}

/// Reads one entry; gives back the node that is wrong.
fn entry(item: Node) -> Result<Include, Node> {
    let map = match item.value {
        Value::Str(_) => {
            return Ok(Include {
                paths: vec![item],
                ..Include::default()
            });
        }
        Value::Map(map) => map,
        _ => return Err(item),
    };
    let mut include = Include::default();
    for (key, entry) in map.into_entries() {
        match key.as_str() {
            "path" => include.paths = list(entry.node)?,
            "env_file" => include.env_files = list(entry.node)?,
            "project_directory" => match entry.node.value {
                Value::Str(dir) if dir.is_empty() => {}
                Value::Str(dir) => include.project_directory = Some(dir.into()),
                Value::Null => {}
                _ => return Err(entry.node),
            },
            _ => {}
        }
    }
    Ok(include)
}

fn list(node: Node) -> Result<Vec<Node>, Node> {
    match node.value {
        Value::Str(_) => Ok(vec![node]),
        Value::Seq(items) if items.iter().all(|i| i.as_str().is_some()) => {
            Ok(items.into_iter().collect())
        }
        Value::Null => Ok(Vec::new()),
        _ => Err(node),
    }
}
