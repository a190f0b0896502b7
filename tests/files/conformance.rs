//! What Docker Compose 5.5 answers to `config` on some hundred project files, where that corpus
//! (`shared/conformance` beside the checkout) is at hand; through the library, for speed.

use crate::required;
use regatta::commands::config::Format;
use regatta::commands::config::render;
use regatta::diagnostic::Findings;
use regatta::hash;
use regatta::load::disk::DiskFiles;
use regatta::load::{self, CanonicalProject, Files, LoadOptions, yaml};
use regatta::tree::SourceId;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How many cases of each kind may fail.
const JSON_FAILURES: usize = 0;
const YAML_FAILURES: usize = 0;
const HASH_FAILURES: usize = 0;

/// One folder of the corpus.
struct Case {
    name: String,
    dir: PathBuf,
    options: LoadOptions,
    stdin: Option<PathBuf>,
}

/// The file system, with a case's file on standard input.
struct CaseFiles<'c>(&'c Case);

impl Files for CaseFiles<'_> {
    fn read(&self, path: &Path) -> std::io::Result<Vec<u8>> {
        DiskFiles.read(path)
    }
    fn kind(&self, path: &Path) -> Option<load::FileKind> {
        DiskFiles.kind(path)
    }
    fn canonicalize(&self, path: &Path) -> std::io::Result<PathBuf> {
        DiskFiles.canonicalize(path)
    }
    fn stdin(&self) -> std::io::Result<Vec<u8>> {
        self.0.stdin.as_ref().map_or(Ok(Vec::new()), std::fs::read)
    }
}

fn corpus() -> Vec<Case> {
    let named = std::env::var_os("REGATTA_CONFORMANCE").map(PathBuf::from);
    let above = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|dir| dir.join("shared/conformance/open"));
    let root = named
        .into_iter()
        .chain(above)
        // Compose resolves links in what it watches; the answers hold the real paths.
        .find_map(|dir| dir.canonicalize().ok());
    let Some(root) = root else {
        required::not_run(
            "conformance",
            "no shared/conformance/open in a folder above, nor what REGATTA_CONFORMANCE names",
        );
        return Vec::new();
    };
    let mut cases: Vec<Case> = std::fs::read_dir(root)
        .expect("the corpus is readable")
        .filter_map(|entry| case(&entry.expect("an entry").path()))
        .collect();
    assert!(!cases.is_empty(), "the corpus is empty");
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

fn case(dir: &Path) -> Option<Case> {
    let text = std::fs::read_to_string(dir.join("case.json")).ok()?;
    let meta: Value = serde_json::from_str(&text).expect("case.json is JSON");
    let cwd = PathBuf::from(regatta::value::path::clean(
        &dir.join(meta["cwd"].as_str()?).to_string_lossy(),
    ));
    let mut environment = BTreeMap::from([
        ("HOME".to_owned(), "/home/user".to_owned()),
        ("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned()),
        ("PWD".to_owned(), cwd.to_string_lossy().into_owned()),
    ]);
    for (name, value) in meta["env"].as_object()? {
        environment.insert(name.clone(), value.as_str()?.to_owned());
    }
    let mut options = LoadOptions {
        environment,
        cwd,
        together: load::Together::Selected,
        ..LoadOptions::default()
    };
    let mut args = meta["args"].as_array()?.iter().filter_map(Value::as_str);
    while let Some(arg) = args.next() {
        let (flag, value) = match arg.split_once('=') {
            Some((flag, value)) => (flag, value),
            None => (arg, args.next().unwrap_or_default()),
        };
        let value = value.to_owned();
        match flag {
            "-f" | "--file" => options.files.push(value.into()),
            "-p" | "--project-name" => options.project_name = Some(value),
            "--env-file" => options.env_files.push(value),
            "--profile" => options.profiles.push(value),
            "--project-directory" => options.project_directory = Some(value.into()),
            _ => panic!("{}: unknown flag {arg}", dir.display()),
        }
    }
    Some(Case {
        name: dir.file_name()?.to_string_lossy().into_owned(),
        stdin: meta["stdin"].as_str().map(|file| dir.join(file)),
        dir: dir.to_owned(),
        options,
    })
}

impl Case {
    fn load(&self) -> Option<CanonicalProject> {
        load::load_canonical(&CaseFiles(self), &self.options).project
    }

    fn expected(&self, file: &str) -> Option<String> {
        std::fs::read_to_string(self.dir.join(file)).ok()
    }

    /// The text with the case's own directory taken out.
    fn neutral(&self, text: &str) -> String {
        text.replace(&*self.dir.to_string_lossy(), "$CASE")
    }

    fn is_json_right(&self) -> bool {
        match (self.expected("expected.json"), self.load()) {
            (Some(expected), Some(project)) => {
                let got = self.neutral(&render::project(project, Format::Json));
                let parsed = |text: &str| -> Value { serde_json::from_str(text).expect("JSON") };
                is_same("", &parsed(&expected), &parsed(&got))
            }
            (None, None) => true,
            _ => false,
        }
    }

    /// The case's name, and of each error its code and place.
    fn refusal(&self) -> String {
        let loaded = load::load_canonical(&CaseFiles(self), &self.options);
        let mut line = self.name.clone();
        for finding in loaded.findings.iter().filter(|f| f.is_error()) {
            line.push_str(&format!(" {}", finding.code));
            if let Some(at) = finding.span.and_then(|span| loaded.sources.position(span)) {
                let place = format!(" {}:{}:{}", at.file, at.line, at.column);
                line.push_str(&self.neutral(&place));
            }
        }
        line
    }

    fn is_yaml_right(&self) -> bool {
        let Some(expected) = self.expected("expected.yaml") else {
            return true;
        };
        self.load()
            .is_some_and(|p| self.neutral(&render::project(p, Format::Yaml)) == expected)
    }

    fn is_hash_right(&self) -> bool {
        let Some(expected) = self.expected("hash.txt") else {
            return true;
        };
        let Some(project) = self.load() else {
            return false;
        };
        let services = project.services.iter();
        let hashes = services.map(|(name, spec)| format!("{name} {}", hash::service_hash(spec)));
        let mut hashes: Vec<String> = hashes.collect();
        let mut expected: Vec<&str> = expected.lines().collect();
        hashes.sort_unstable();
        expected.sort_unstable();
        hashes == expected
    }
}

/// Equal but for the order of lists that Compose prints in no particular one.
fn is_same(path: &str, a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| {
                    let path = format!("{path}.{key}");
                    b.get(key).is_some_and(|other| is_same(&path, value, other))
                })
        }
        (Value::Array(a), Value::Array(b)) if path.ends_with(".build.ssh") => {
            a.len() == b.len() && a.iter().all(|item| b.contains(item))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(path, a, b))
        }
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        _ => a == b,
    }
}

fn assert_failures(allowed: usize, is_right: fn(&Case) -> bool) {
    let failed: Vec<String> = corpus()
        .into_iter()
        .filter(|case| !is_right(case))
        .map(|case| case.name)
        .collect();
    assert!(
        failed.len() <= allowed,
        "{} failed: {failed:#?}",
        failed.len()
    );
}

#[test]
fn json_is_what_compose_prints_and_bad_files_are_refused() {
    assert_failures(JSON_FAILURES, Case::is_json_right);
}

#[test]
fn yaml_is_what_compose_prints() {
    assert_failures(YAML_FAILURES, Case::is_yaml_right);
}

#[test]
fn hashes_are_those_of_compose() {
    assert_failures(HASH_FAILURES, Case::is_hash_right);
}

/// The table of what is found in the files that are refused: a line per case with the code and
/// the place of each error.
const REFUSALS: &str = include_str!("refusals.txt");

/// A file is refused for the right reason, at the right place.
#[test]
fn refusals_name_the_fault_and_its_place() {
    let corpus = corpus();
    let refused = corpus
        .iter()
        .filter(|case| case.expected("expected.json").is_none());
    let found: Vec<String> = refused.map(|case| case.refusal()).collect();
    if corpus.is_empty() {
        return;
    }
    let expected: Vec<&str> = REFUSALS.lines().filter(|l| !l.starts_with('#')).collect();
    let wrong: Vec<_> = found
        .iter()
        .filter(|line| !expected.contains(&line.as_str()))
        .collect();
    assert!(wrong.is_empty(), "not so in tests/refusals.txt: {wrong:#?}");
}

/// Cases whose output cannot mean the same again, with Docker Compose's own reasons.
const NOT_AGAIN: [&str; 10] = [
    // A dependency that is not required is printed, but its disabled service is not.
    "dc-testcomposerunnotrequireddeps-compose",
    "own-profiles-depends-on-disabled-optional",
    // `name: ""` or `context: ""` is not printed, and unsaid means something else.
    "dc-testupswitchvolumes-compose",
    "own-paths-build-contexts",
    "spec-07-volumes-name-8",
    "spec-08-configs-example-3-4",
    // Lists of `K=V` may hold names that mappings may not.
    "own-dotenv-empty-key",
    "own-names-network-name-bad",
    "spec-12-interpolation-interpolation-3",
    // `$` is doubled in keys too, where nothing halves it.
    "spec-12-interpolation-interpolation-2",
];

/// What `config` prints loads again, to the same.
#[test]
fn config_of_config_is_config() {
    let mut failed = Vec::new();
    for case in corpus() {
        let Some(project) = case.load() else {
            continue;
        };
        if NOT_AGAIN.contains(&case.name.as_str()) {
            continue;
        }
        let name = project.name.clone();
        let directory = project.working_dir.clone();
        let printed = render::project(project, Format::Yaml);
        let again = Case {
            name: case.name,
            stdin: None,
            dir: case.dir,
            options: LoadOptions {
                files: vec!["/printed.yaml".into()],
                project_directory: Some(directory.clone()),
                project_name: Some(name),
                profiles: vec!["*".to_owned()],
                environment: case.options.environment,
                cwd: directory,
                ..LoadOptions::default()
            },
        };
        let files = Printed(printed.clone(), CaseFiles(&again));
        let loaded = load::load_canonical(&files, &again.options);
        let reprinted = loaded.project.map(|p| render::project(p, Format::Yaml));
        if reprinted.as_ref() != Some(&printed) {
            failed.push(format!("{}: {:?}", again.name, loaded.findings.first()));
        }
    }
    assert!(failed.is_empty(), "{} failed: {failed:#?}", failed.len());
}

/// What was printed, at `/printed.yaml`.
struct Printed<'c>(String, CaseFiles<'c>);

impl Files for Printed<'_> {
    fn read(&self, path: &Path) -> std::io::Result<Vec<u8>> {
        match path == Path::new("/printed.yaml") {
            true => Ok(self.0.clone().into_bytes()),
            false => self.1.read(path),
        }
    }
    fn kind(&self, path: &Path) -> Option<load::FileKind> {
        match path == Path::new("/printed.yaml") {
            true => Some(load::FileKind::File),
            false => self.1.kind(path),
        }
    }
    fn canonicalize(&self, path: &Path) -> std::io::Result<PathBuf> {
        self.1.canonicalize(path)
    }
    fn stdin(&self) -> std::io::Result<Vec<u8>> {
        self.1.stdin()
    }
}

#[test]
fn what_compose_printed_is_printed_again() {
    for case in corpus() {
        let Ok(expected) = std::fs::read_to_string(case.dir.join("expected.yaml")) else {
            continue;
        };
        let mut findings = Findings::default();
        let mut documents = yaml::parse(SourceId(0), &expected, &mut findings);
        assert!(findings.is_empty(), "{}: {findings:?}", case.name);
        let root = documents.remove(0).root;
        assert_eq!(yaml::emit(&root), expected, "{}", case.name);
    }
}
