//! What must hold of every project: it loads or says why not and where, nothing on the way to a
//! request panics, and what `config` prints of it loads to the same again.

use regatta::commands::config::{Format, render};
use regatta::engine::request::{Resolved, container_request};
use regatta::hash;
use regatta::load::{self, FileKind, LoadOptions, Stages, load, load_canonical, load_model};
use regatta::output::diagnostic;
use regatta::tree::{Node, Value};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Files in memory, below `/p`.
#[derive(Default)]
pub struct Files {
    all: BTreeMap<PathBuf, Vec<u8>>,
    flags: String,
}

impl Files {
    pub fn single(compose: String) -> Self {
        let mut files = Files::default();
        files.add("compose.yaml", compose.into_bytes());
        files
    }

    pub fn add(&mut self, name: &str, bytes: Vec<u8>) {
        match name {
            "flags" => self.flags = String::from_utf8_lossy(&bytes).into_owned(),
            _ => {
                let path = format!("/p/{name}");
                let path = regatta::value::path::clean(&path);
                self.all.entry(path.into()).or_insert(bytes);
            }
        }
    }

    fn has(&self, flag: &str) -> bool {
        self.flags.split_whitespace().any(|word| word == flag)
    }
}

impl load::Files for Files {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let found = self.all.get(path).cloned();
        found.ok_or(io::ErrorKind::NotFound.into())
    }
    fn kind(&self, path: &Path) -> Option<FileKind> {
        if self.all.contains_key(path) {
            return Some(FileKind::File);
        }
        let is_above = self.all.keys().any(|file| file.starts_with(path));
        is_above.then_some(FileKind::Directory)
    }
    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(path.to_owned())
    }
    fn stdin(&self) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

/// Errors that no place in a file is to blame for.
const PLACELESS: [&str; 4] = ["no-file", "empty-file", "missing-file", "project-name"];

/// Loads the project and holds it to the laws.
pub fn check(files: &Files) {
    let options = LoadOptions {
        cwd: "/p".into(),
        environment: BTreeMap::from([
            ("A".to_owned(), "value".to_owned()),
            ("E".to_owned(), String::new()),
            ("HOME".to_owned(), "/h".to_owned()),
        ]),
        profiles: match files.has("profiles") {
            true => vec!["*".to_owned()],
            false => Vec::new(),
        },
        stages: Stages {
            no_interpolate: files.has("no-interpolate"),
            no_normalize: files.has("no-normalize"),
            no_path_resolution: files.has("no-path-resolution"),
            no_consistency: files.has("no-consistency"),
            no_env_resolution: files.has("no-env-resolution"),
            ..Stages::default()
        },
        together: load::Together::Selected,
        ..LoadOptions::default()
    };
    let loaded = load(files, &options);
    let mut errors = loaded.findings.iter().filter(|f| f.is_error()).peekable();
    assert_eq!(loaded.project.is_none(), errors.peek().is_some());
    for error in errors {
        assert!(
            error.span.is_some() || PLACELESS.contains(&error.code),
            "an error without a place: {error:?}"
        );
    }
    for finding in &loaded.findings {
        let related = finding.related.iter().map(|(span, _)| *span);
        for span in finding.span.into_iter().chain(related) {
            assert!(loaded.sources.slice(span).is_some(), "{finding:?}");
        }
    }
    let shown = diagnostic::text(&loaded.findings, &loaded.sources, false);
    assert!(
        !shown.chars().any(|c| c.is_control() && c != '\n'),
        "control characters reach the terminal: {shown:?}"
    );
    diagnostic::json_lines(&loaded.findings, &loaded.sources);
    diagnostic::sarif(&loaded.findings, &loaded.sources);
    let as_written = LoadOptions {
        stages: Stages {
            no_interpolate: true,
            ..Stages::default()
        },
        ..options.clone()
    };
    load_model(files, &as_written);

    let Some(project) = loaded.project else {
        return;
    };
    for service in project.services.values() {
        let hash = hash::service_hash(&service.spec);
        assert_eq!(hash, hash::service_hash(&service.spec));
        let resolved = Resolved {
            number: Some(1),
            ..Resolved::default()
        };
        let _ = container_request(&project, service, "c", BTreeMap::new(), &resolved);
    }
    if files.flags.is_empty() {
        round_trip(files, &options);
    }
}

/// What `config` prints loads to what it prints.
fn round_trip(files: &Files, options: &LoadOptions) {
    let project = load_canonical(files, options).project.expect("it loads");
    if has_odd_keys(&project.rest)
        || [&project.services, &project.networks, &project.volumes]
            .into_iter()
            .any(|map| map.iter().any(|(k, n)| is_odd(k) || has_odd_keys(n)))
    {
        return;
    }
    for format in [Format::Yaml, Format::Json] {
        let printed = render::project(project.clone(), format);
        // JSON may hold control characters that YAML may not.
        if format == Format::Json && printed.chars().any(|c| c.is_control() && c != '\n') {
            continue;
        }
        let mut again = Files::single(printed.clone());
        // The files that it names must be there; those it has read are in it.
        for (path, bytes) in &files.all {
            if !path.ends_with(".env") {
                again
                    .all
                    .entry(path.clone())
                    .or_insert_with(|| bytes.clone());
            }
        }
        again.all.remove(Path::new("/p/compose.override.yaml"));
        let options = LoadOptions {
            files: vec!["compose.yaml".into()],
            environment: BTreeMap::new(),
            ..options.clone()
        };
        let loaded = load_canonical(&again, &options);
        let errors: Vec<_> = loaded.findings.iter().filter(|f| f.is_error()).collect();
        let Some(project) = loaded.project else {
            panic!("what config prints does not load: {errors:?}\n{printed}");
        };
        let reprinted = render::project(project, format);
        assert_eq!(
            reprinted, printed,
            "what config prints loads to something else"
        );
    }
}

/// Docker Compose prints these, but does not read them, and so do we: a `$` in a key is doubled,
/// though no variable is looked for there; an empty name of a variable or label is refused; an
/// agent of `build.ssh` with a path is printed with a colon.
fn is_odd(key: &str) -> bool {
    key.contains('$') || key.is_empty() || key == "ssh"
}

/// `devices: [""]` is accepted, and printed in a long form that lacks what it needs.
fn lacks_source(devices: &Node) -> bool {
    let items = devices.as_seq().unwrap_or_default();
    items
        .iter()
        .any(|device| device.get("permissions").is_some() && device.get("source").is_none())
}

fn has_odd_keys(node: &Node) -> bool {
    match &node.value {
        Value::Map(map) => map
            .iter()
            .any(|(k, n)| is_odd(k) || (k == "devices" && lacks_source(n)) || has_odd_keys(n)),
        Value::Seq(items) => items.iter().any(has_odd_keys),
        _ => false,
    }
}
