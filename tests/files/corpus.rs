//! Own project folders, each with what is found in it (`findings.txt`: severity, code, place and
//! path of each finding) and, where it loads, its canonical form (`config.yaml`).
//!
//! `BLESS=1 cargo test --test files corpus` writes what is found now; read the difference before you
//! commit it.

use regatta::commands::config::{Format, render};
use regatta::explain::{self, Subject};
use regatta::load::disk::DiskFiles;
use regatta::load::{self, LoadOptions, Loaded};
use regatta::output::table::{self, Layout};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(root)
        .expect("the corpus is readable")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

fn options(folder: &Path) -> LoadOptions {
    LoadOptions {
        cwd: folder.to_owned(),
        environment: BTreeMap::from([("HOME".to_owned(), "/home/user".to_owned())]),
        together: load::Together::Selected,
        ..LoadOptions::default()
    }
}

fn load(folder: &Path) -> Loaded {
    load::load(&DiskFiles, &options(folder))
}

/// One line for each finding, in the order of their places.
fn found(loaded: &Loaded, folder: &Path) -> String {
    let mut lines: Vec<(Option<regatta::tree::Span>, String)> = loaded
        .findings
        .iter()
        .map(|f| {
            let severity = if f.is_error() { "error" } else { "warning" };
            let place = f.span.and_then(|span| loaded.sources.position(span));
            let place = place.map_or_else(|| "-".to_owned(), |p| p.to_string());
            let message = f.message.replace(&*folder.to_string_lossy(), "$DIR");
            let message = message.replace('\n', " / ");
            let help = f
                .help
                .as_ref()
                .map(|h| format!(" ({h})"))
                .unwrap_or_default();
            let line = format!(
                "{severity} {} {place} {}\n    {message}{help}\n",
                f.code, f.path
            );
            (f.span, line)
        })
        .collect();
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}

#[test]
fn every_folder_is_found_to_be_what_it_is() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = Vec::new();
    for folder in folders() {
        let mut check = |file: &str, got: String| {
            let path = folder.join(file);
            let expected = std::fs::read_to_string(&path).unwrap_or_default();
            if expected == got {
                return;
            }
            if bless {
                std::fs::write(&path, got).expect("the corpus is writable");
            } else {
                wrong.push(format!("{}:\n{got}", path.display()));
            }
        };
        let loaded = load(&folder);
        check("findings.txt", found(&loaded, &folder));
        if loaded.project.is_some() {
            let canonical = load::load_canonical(&DiskFiles, &options(&folder));
            let project = canonical.project.expect("what loads has a canonical form");
            let text = render::project(project, Format::Yaml);
            check(
                "config.yaml",
                text.replace(&*folder.to_string_lossy(), "$$DIR"),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The queries of `tests/explained/queries`, each with what `explain` answers.
#[test]
fn values_are_explained() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/explained");
    let options = LoadOptions {
        all_resources: true,
        record: true,
        environment: BTreeMap::from([
            ("TOKEN".to_owned(), "secret".to_owned()),
            ("NGINX_VERSION".to_owned(), "1.29".to_owned()),
        ]),
        ..options(&folder)
    };
    let loaded = load::load_canonical(&DiskFiles, &options);
    assert!(loaded.findings.is_empty(), "{:?}", loaded.findings);
    let project = loaded.project.expect("the project loads");
    let subject = Subject {
        project: &project,
        history: &loaded.history.expect("it was asked for"),
        sources: &loaded.sources,
        name_flag: None,
    };
    let columns = |lines: &[Vec<String>]| table::columns(lines, Layout::TIGHT);
    let mut got = String::new();
    let queries = std::fs::read_to_string(folder.join("queries")).expect("there are queries");
    for query in queries.lines() {
        let (path, json) = match query.strip_prefix("json ") {
            Some(path) => (path, true),
            None => (query, false),
        };
        let answer = match explain::explain(&subject, path) {
            Ok(explained) if json => explain::json(&subject, &explained),
            Ok(explained) => explain::text(&subject, &explained, &columns),
            Err(unknown) => format!("{unknown:?}\n"),
        };
        got.push_str(&format!("$ {query}\n{answer}\n"));
    }
    let got = got.replace(&*folder.to_string_lossy(), "$DIR");
    let golden = folder.join("answers.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&golden, &got).expect("the golden is writable");
    }
    let expected = std::fs::read_to_string(&golden).unwrap_or_default();
    // Columns are as wide as the folder's name makes them.
    let words = |text: &str| -> Vec<String> {
        let lines = text.lines().map(|line| line.split_whitespace());
        lines
            .map(|words| words.collect::<Vec<_>>().join(" "))
            .collect()
    };
    assert!(words(&got) == words(&expected), "{got}");
}
