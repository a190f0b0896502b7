//! What a command is about: the services that its arguments name with what they depend on, and
//! the networks, volumes, secrets and configs that those use.
//!
//! Of the rest nothing is made, so nothing is said about it.

use crate::diagnostic::Diagnostic;
use crate::load::selection::uses;
use crate::project::{Dependencies, Project};
use crate::tree::{Node, Span, Value};
use crate::value::glob;
use std::collections::{BTreeMap, BTreeSet};

/// Sections whose objects services use.
const RESOURCES: [&str; 4] = ["networks", "volumes", "secrets", "configs"];

/// What is selected: every active service, unless some were named.
#[derive(Debug)]
pub struct Selection<'a> {
    services: BTreeMap<&'a str, &'a Node>,
    /// All services, those in no active profile included.
    declared: Vec<&'a str>,
    /// Section and key of what the selected services use; `None` where no service was named.
    used: Option<BTreeSet<(&'static str, &'a str)>>,
}

impl<'a> Selection<'a> {
    /// What arguments select: names, or shell globs. A name that stands for no service selects
    /// none: the command refuses it.
    pub fn new(project: &'a Project, names: &[String], dependencies: Dependencies) -> Self {
        let is_named = |key: &str| {
            let mut named = names.iter();
            names.is_empty() || named.any(|n| n == key || glob::matches(n, key))
        };
        let keys = project.services.keys().map(String::as_str);
        let mut services: BTreeSet<&str> = keys.filter(|key| is_named(key)).collect();
        let mut queue: Vec<&str> = match dependencies {
            Dependencies::Include => services.iter().copied().collect(),
            Dependencies::Ignore => Vec::new(),
        };
        while let Some(name) = queue.pop() {
            for dependency in project.services[name].depends_on.keys() {
                if project.services.contains_key(dependency) && services.insert(dependency) {
                    queue.push(dependency);
                }
            }
        }
        let services: BTreeMap<&str, &Node> = services
            .into_iter()
            .map(|name| (name, &project.services[name].spec))
            .collect();
        let used = services.values().flat_map(|spec| uses(spec));
        let used = (!names.is_empty()).then(|| used.collect());
        let declared = project.services.keys().chain(project.disabled.keys());
        Selection {
            declared: declared.map(String::as_str).collect(),
            services,
            used,
        }
    }

    pub fn has_service(&self, name: &str) -> bool {
        self.services.contains_key(name)
    }

    pub fn has_resource(&self, section: &'static str, key: &str) -> bool {
        let used = self.used.as_ref();
        used.is_none_or(|used| used.contains(&(section, key)))
    }

    /// Whether a finding is about something that the command touches. Errors always count.
    pub fn concerns(&self, finding: &Diagnostic) -> bool {
        finding.is_error()
            || self.has_path(&finding.path)
            // By an anchor or `extends` it is about others than the one it was found in.
            || finding.span.is_some_and(|span| self.shares(span))
    }

    fn has_path(&self, path: &str) -> bool {
        if let Some(path) = path.strip_prefix("services.") {
            // A name may hold dots: of `web` and `web.old` the longer one is meant.
            let names = self.declared.iter().filter(|name| is_below(path, name));
            let name = names.max_by_key(|name| name.len());
            return name.is_none_or(|name| self.services.contains_key(name));
        }
        let Some(used) = &self.used else {
            return true;
        };
        if path.starts_with("x-") {
            return false;
        }
        RESOURCES.iter().all(|section| {
            let below = path.strip_prefix(section);
            let Some(path) = below.and_then(|below| below.strip_prefix('.')) else {
                return true;
            };
            let mut used = used.iter();
            used.any(|(of, key)| of == section && is_below(path, key))
        })
    }

    /// Whether a place is part of a selected service.
    fn shares(&self, place: Span) -> bool {
        self.services.values().any(|spec| holds(spec, place))
    }
}

/// Whether a value below a node was read from a place, or from around it.
fn holds(node: &Node, place: Span) -> bool {
    match &node.value {
        Value::Map(map) => map.iter().any(|(_, value)| holds(value, place)),
        Value::Seq(items) => items.iter().any(|item| holds(item, place)),
        _ => {
            let span = node.span;
            span.source == place.source && span.start <= place.start && place.end <= span.end
        }
    }
}

/// Whether a path below a section is that of an object, or of something in it.
fn is_below(path: &str, key: &str) -> bool {
    let rest = path.strip_prefix(key);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{self, FileKind, Files, LoadOptions};
    use std::path::{Path, PathBuf};

    struct Memory(&'static str);

    impl Files for Memory {
        fn read(&self, path: &Path) -> std::io::Result<Vec<u8>> {
            match path.ends_with("compose.yaml") {
                true => Ok(self.0.as_bytes().to_vec()),
                false => Err(std::io::ErrorKind::NotFound.into()),
            }
        }

        fn kind(&self, path: &Path) -> Option<FileKind> {
            path.ends_with("compose.yaml").then_some(FileKind::File)
        }

        fn canonicalize(&self, path: &Path) -> std::io::Result<PathBuf> {
            Ok(path.to_owned())
        }

        fn stdin(&self) -> std::io::Result<Vec<u8>> {
            Ok(Vec::new())
        }
    }

    const MENU: &str = "\
services:
  web: {image: i, depends_on: [db], networks: [front], secrets: [cert]}
  db: {image: i, volumes: ['data:/data'], networks: [back]}
  web.old: {image: i, networks: [old], volumes: ['olddata:/data']}
  tools: {image: i, profiles: [tools]}
networks: {front: , back: , old: }
volumes: {data: , olddata: }
secrets: {cert: {file: ./a}, other: {file: ./b}}
";

    #[test]
    fn a_finding_counts_where_the_command_touches_what_it_is_about() {
        let files = Memory(MENU);
        let options = LoadOptions {
            cwd: PathBuf::from("/p"),
            ..LoadOptions::default()
        };
        let project = load::load(&files, &options).project.expect("a project");
        let all = [
            "",
            "version",
            "x-common.a",
            "services.web.image",
            "services.web",
            "services.db.volumes[0]",
            "services.web.old.image",
            "services.tools.image",
            "networks.front",
            "networks.back.ipam.config[0]",
            "networks.old",
            "volumes.data",
            "volumes.olddata",
            "secrets.cert.file",
            "secrets.other.file",
        ];
        let shown = |names: &[&str], dependencies| {
            let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
            let selection = Selection::new(&project, &names, dependencies);
            let concerns = |path: &&&str| {
                let finding = Diagnostic::warning("w", **path, "w");
                let error = Diagnostic::error("e", **path, "e");
                assert!(selection.concerns(&error), "{path}");
                selection.concerns(&finding)
            };
            all.iter().filter(concerns).copied().collect::<Vec<_>>()
        };
        use Dependencies::{Ignore, Include};
        let general = ["", "version"];
        let with = |more: &[&'static str]| [&general[..], more].concat();
        let db = [
            "services.db.volumes[0]",
            "networks.back.ipam.config[0]",
            "volumes.data",
        ];
        let active = |path: &&&str| **path != "services.tools.image";
        let active: Vec<&str> = all.iter().filter(active).copied().collect();
        assert_eq!(shown(&[], Include), active);
        assert_eq!(shown(&["db"], Include), with(&db));
        assert_eq!(shown(&["d*"], Include), with(&db));
        assert_eq!(shown(&["nobody"], Include), general);
        let old = ["services.web.old.image", "networks.old", "volumes.olddata"];
        assert_eq!(shown(&["web.old"], Include), with(&old));
        let web = shown(&["web"], Include);
        for path in db
            .into_iter()
            .chain(["services.web.image", "secrets.cert.file"])
        {
            assert!(web.contains(&path), "{path}: {web:?}");
        }
        for path in [
            "secrets.other.file",
            "networks.old",
            "services.web.old.image",
        ] {
            assert!(!web.contains(&path), "{path}: {web:?}");
        }
        let alone = shown(&["web"], Ignore);
        assert!(alone.contains(&"networks.front") && !alone.contains(&"volumes.data"));
    }

    #[test]
    fn what_is_shared_counts_for_each_service_that_has_it() {
        let files = Memory(
            "x-common: &common {environment: {ZONE: '${ZONE}'}}\nservices:\n  web: {<<: *common, image: i}\n  api: &api {image: 'i:${TAG}'}\n  jobs: {extends: api}\n  db: {image: i}\n",
        );
        let options = LoadOptions {
            cwd: PathBuf::from("/p"),
            ..LoadOptions::default()
        };
        let loaded = load::load(&files, &options);
        let project = loaded.project.expect("a project");
        let shown = |name: &str| -> Vec<&str> {
            let names = [name.to_owned()];
            let selection = Selection::new(&project, &names, Dependencies::Include);
            let found = loaded.findings.iter().filter(|f| selection.concerns(f));
            found
                .map(|f| f.message.split('"').nth(1).unwrap_or_default())
                .collect()
        };
        assert_eq!(shown("web"), ["ZONE"]);
        assert_eq!(shown("jobs"), ["TAG"]);
        assert_eq!(shown("db"), [""; 0]);
    }
}
