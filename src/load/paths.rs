//! Relative paths to absolute ones.
//!
//! In: a model in long syntax, and the directory its paths start from. Out: the same with the
//! paths that [`TABLE`] names joined to that directory. A path inside an extended or included
//! file is first joined to that file's directory as seen from the project, then to the project's.

use super::Files;
use super::rules::Rules;
use crate::tree::{Map, Node, Value};
use crate::value::address::Address;
use std::cell::RefCell;
use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;

/// A kind of path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A path on this machine.
    Local,
    /// A path on this machine or on a Windows one.
    AnySystem,
    /// A build context, which may be a URL.
    Context,
    /// A project file, which may be an address.
    ProjectFile,
    /// A path whose symbolic links are followed.
    Followed,
    /// A mount, whose source is a path if it is a bind.
    Mount,
    /// A volume, whose `device` option is a path if it is a bind.
    Volume,
}

use Kind::*;

pub(super) const TABLE: &[(&str, Kind)] = &[
    ("configs.*.file", AnySystem),
    ("secrets.*.file", AnySystem),
    ("services.*.build.additional_contexts.*", Context),
    ("services.*.build.context", Context),
    ("services.*.build.ssh.*", AnySystem),
    ("services.*.develop.watch.*.path", Followed),
    ("services.*.env_file.*.path", Local),
    ("services.*.extends.file", ProjectFile),
    ("services.*.label_file.*", Local),
    ("services.*.volumes.*", Mount),
    ("volumes.*", Volume),
];

static RULES: LazyLock<Rules<Kind>> = LazyLock::new(|| Rules::new(TABLE));

/// What paths are joined to.
#[derive(Clone, Copy)]
pub struct Base<'a> {
    pub files: &'a dyn Files,
    pub dir: &'a Path,
    /// What `~` stands for.
    pub home: Option<&'a str>,
    /// Directories that are found to be no links: asking is dear, and many paths begin alike.
    pub plain: &'a RefCell<HashSet<PathBuf>>,
}

/// Joins all paths of a model to a directory.
pub fn resolve(model: &mut Node, base: Base<'_>) {
    base.walk(model, &RULES);
}

/// Joins the paths of one service.
pub fn resolve_service(service: &mut Node, base: Base<'_>) {
    if let Some(rules) = RULES.at(&["services", "x"]) {
        base.walk(service, rules);
    }
}

impl Base<'_> {
    fn walk(self, node: &mut Node, rules: &Rules<Kind>) {
        match (rules.here(), &mut node.value) {
            (Some(Mount), Value::Map(map)) => self.mount(map),
            (Some(Volume), Value::Map(map)) => self.volume(map),
            (Some(kind), Value::Str(text)) => *text = self.join(kind, text).into(),
            (None, Value::Map(map)) => {
                for (key, value) in map.iter_mut() {
                    if let Some(below) = rules.key(key) {
                        self.walk(value, below);
                    }
                }
            }
            (None, Value::Seq(items)) => {
                if let Some(below) = rules.item() {
                    for item in items {
                        self.walk(item, below);
                    }
                }
            }
            _ => {}
        }
    }

    fn mount(self, map: &mut Map) {
        if map.get("type").and_then(Node::as_str) == Some("bind") {
            self.entry(map, "source");
        }
    }

    fn volume(self, map: &mut Map) {
        if map.get("driver").and_then(Node::as_str) != Some("local") {
            return;
        }
        if let Some(options) = map.get_mut("driver_opts").and_then(Node::as_map_mut)
            && options.get("o").and_then(Node::as_str) == Some("bind")
        {
            self.entry(options, "device");
        }
    }

    fn entry(self, map: &mut Map, key: &str) {
        if let Some(Value::Str(text)) = map.get_mut(key).map(|node| &mut node.value) {
            *text = self.join(AnySystem, text).into();
        }
    }

    /// One path of a kind.
    pub fn join(self, kind: Kind, text: &str) -> String {
        match kind {
            Context if is_remote_context(text) => text.to_owned(),
            ProjectFile if Address::is_one(text) => text.to_owned(),
            AnySystem => {
                let expanded = self.expand_home(text);
                match expanded.starts_with('/') || is_windows_absolute(&expanded) {
                    true => expanded,
                    false => self.joined(&expanded),
                }
            }
            Followed => self.follow(self.local(text)),
            _ => self.local(text),
        }
    }

    fn local(self, text: &str) -> String {
        let expanded = self.expand_home(text);
        match expanded.is_empty() || expanded.starts_with('/') {
            true => expanded,
            false => self.joined(&expanded),
        }
    }

    fn joined(self, text: &str) -> String {
        clean(&self.dir.join(text))
    }

    fn expand_home(self, text: &str) -> String {
        match (text.strip_prefix('~'), self.home) {
            (Some(rest), Some(home)) => clean(&Path::new(home).join(rest.trim_start_matches('/'))),
            _ => text.to_owned(),
        }
    }

    /// Replaces the first part of an absolute path that is a symbolic link by what it points at.
    fn follow(self, text: String) -> String {
        // One that is not joined to the project's directory yet cannot be followed.
        if !text.starts_with('/') {
            return text;
        }
        let mut so_far = PathBuf::new();
        for part in Path::new(&text).components() {
            so_far.push(part);
            if !matches!(part, Component::Normal(_)) || self.plain.borrow().contains(&so_far) {
                continue;
            }
            // What is not there has nothing below it.
            if self.files.kind(&so_far).is_none() {
                break;
            }
            match self.files.canonicalize(&so_far) {
                Ok(real) if real != so_far => {
                    let link = so_far.to_string_lossy();
                    return text.replacen(&*link, &real.to_string_lossy(), 1);
                }
                Ok(_) => {
                    self.plain.borrow_mut().insert(so_far.clone());
                }
                Err(_) => {}
            }
        }
        text
    }
}

/// A path without `.`, `..` and doubled separators, as far as its text alone tells.
pub fn clean(path: &Path) -> String {
    crate::value::path::clean(&path.to_string_lossy())
}

fn is_remote_context(text: &str) -> bool {
    const PREFIXES: [&str; 7] = [
        "service:",
        "https://",
        "http://",
        "git://",
        "ssh://",
        "github.com/",
        "git@",
    ];
    text.contains("://") || PREFIXES.iter().any(|prefix| text.starts_with(prefix))
}

/// `C:\dir`, `C:/dir`, `\\server\share`: absolute where Windows runs.
pub fn is_windows_absolute(text: &str) -> bool {
    let bytes = text.as_bytes();
    let drive = bytes.len() > 2
        && bytes[0].is_ascii_alphabetic()
        && bytes[1] == b':'
        && matches!(bytes[2], b'\\' | b'/');
    drive || text.starts_with(r"\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_paths_are_absolute_anywhere() {
        for (path, absolute) in [
            (r"C:\data", true),
            ("c:/data", true),
            (r"\\server\share\x", true),
            ("C:data", false),
            ("data", false),
        ] {
            assert_eq!(is_windows_absolute(path), absolute, "{path}");
        }
    }
}
