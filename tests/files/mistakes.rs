//! Mistakes that people make, each with what they are told: `tests/mistakes/*.case` holds the files
//! of a project (`--- compose.yaml`) and behind `--- found` what `config -q` prints about it.
//!
//! `BLESS=1 cargo test --test files mistakes` writes what is printed now. Read it as somebody who made the
//! mistake: is the place the one to mend, do the words say how?

use regatta::diagnostic::Diagnostic;
use regatta::lint::{self, Levels, Subject};
use regatta::load::disk::DiskFiles;
use regatta::load::{self, LoadOptions};
use regatta::output::diagnostic;
use std::collections::BTreeMap;
use std::path::Path;

/// A case: the line that says what it is, its files, and what is found.
struct Case {
    head: String,
    files: Vec<(String, String)>,
    found: String,
}

fn read(text: &str) -> Case {
    let mut parts = text.split("\n--- ").peekable();
    let mut case = Case {
        head: format!("{}\n", parts.next().unwrap_or_default()),
        files: Vec::new(),
        found: String::new(),
    };
    while let Some(part) = parts.next() {
        let (name, content) = part.split_once('\n').unwrap_or((part, ""));
        // The line break before the next head belongs to this part.
        let end = if parts.peek().is_some() { "\n" } else { "" };
        let content = format!("{content}{end}");
        match name {
            "found" => case.found = content,
            name => case.files.push((name.to_owned(), content)),
        }
    }
    case
}

/// What stands for the process environment among the files of a case.
const SHELL: &str = "shell";

/// What `config -q` finds, as text, and how many errors have no place.
fn found(case: &Case) -> (String, usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut environment = BTreeMap::new();
    for (name, content) in &case.files {
        if name == SHELL {
            let pairs = content.lines().filter_map(|line| line.split_once('='));
            environment = pairs.map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
            continue;
        }
        let path = folder.path().join(name);
        let parent = path.parent().expect("a parent");
        std::fs::create_dir_all(parent).expect("a folder");
        std::fs::write(path, content).expect("a file");
    }
    let options = LoadOptions {
        cwd: folder.path().to_owned(),
        all_resources: true,
        project_name: Some("shop".to_owned()),
        environment,
        together: load::Together::Selected,
        ..LoadOptions::default()
    };
    let loaded = load::load_canonical(&DiskFiles, &options);
    let mut findings = loaded.findings;
    let mut levels = Levels::default();
    if let Some(project) = &loaded.project {
        levels.read(&project.rest, project.services.iter(), &mut findings);
        let assembled = load::assembled(project);
        let subject = Subject {
            project: assembled.as_ref(),
            ..Subject::of_canonical(project, &loaded.sources, &DiskFiles, &findings)
        };
        let more = lint::run(&subject, &levels, true);
        lint::add(&mut findings, more);
    }
    lint::conclude(&levels, &mut findings);
    let unplaced = |f: &&Diagnostic| f.span.is_none();
    let unplaced = findings.iter().filter(unplaced).count();
    let text = diagnostic::text(&findings, &loaded.sources, false);
    let here = folder.path().to_string_lossy().into_owned();
    let text = text.replace(&format!("{here}/"), "");
    (text.replace(&here, "$DIR"), unplaced)
}

#[test]
fn every_mistake_is_located_and_told() {
    let bless = std::env::var_os("BLESS").is_some();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes");
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(root).expect("the cases are readable") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let text = std::fs::read_to_string(&path).expect("a case");
        let case = read(&text);
        let (got, unplaced) = found(&case);
        count += 1;
        if got.is_empty() {
            wrong.push(format!("{name}: nothing is found"));
        }
        if unplaced > 0 {
            wrong.push(format!("{name}: {unplaced} without a place\n{got}"));
        }
        if got == case.found {
            continue;
        }
        if !bless {
            wrong.push(format!("{name}: {}{got}", case.head));
            continue;
        }
        let files = case.files.iter();
        let files: String = files.map(|(n, c)| format!("--- {n}\n{c}")).collect();
        let text = format!("{}{files}--- found\n{got}", case.head);
        std::fs::write(&path, text).expect("the case is writable");
    }
    assert!(count >= 130, "{count}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The code that a call in the source gives its error: the first text after it.
fn codes_after(text: &str, call: &str) -> Vec<String> {
    let behind = text.split(call).skip(1);
    let codes = behind.filter_map(|rest| {
        let rest = rest.trim_start().strip_prefix('"')?;
        Some(rest.split('"').next().unwrap_or_default().to_owned())
    });
    codes.collect()
}

/// All Rust files below `src`, without their tests.
fn sources(dir: &Path, out: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).expect("readable").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, out);
        } else if !path.ends_with("tests.rs") && path.extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source file");
            let code = text.split("#[cfg(test)]\nmod tests").next();
            out.push(code.unwrap_or_default().to_owned());
        }
    }
}

#[test]
fn every_error_code_is_in_the_documentation_and_none_else() {
    let mut files = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    sources(&root.join("src"), &mut files);
    let docs = std::fs::read_to_string(root.join("docs/diagnostics.md")).expect("the page");
    let (_, errors) = docs.split_once("\n## Errors").expect("the section");
    let documented: Vec<&str> = errors
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    assert!(documented.is_sorted(), "{documented:?}");
    let calls = [
        "Diagnostic::error(",
        "self.report(",
        "self.refuse(",
        "self.undefined(",
        "self.finding(",
        "refusal(",
        "finding.code =",
        "const TOO_LONG: &str =",
        "=> \"undefined-",
    ];
    for text in &files {
        for call in calls {
            for code in codes_after(text, call) {
                let is_known = documented.contains(&code.as_str()) || code.contains(' ');
                assert!(is_known, "docs/diagnostics.md lacks the error `{code}`");
            }
        }
    }
    for code in documented {
        let literal = format!("\"{code}\"");
        let is_used = files.iter().any(|text| text.contains(&literal));
        assert!(
            is_used,
            "docs/diagnostics.md knows `{code}`, the source does not"
        );
    }
}
