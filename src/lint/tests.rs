//! Projects with one surprise each, and the same without it.

use super::*;
use crate::load::{self, FileKind, LoadOptions};
use std::path::{Path, PathBuf};

struct Memory(String);

impl Files for Memory {
    fn read(&self, path: &Path) -> std::io::Result<Vec<u8>> {
        match path.to_str() {
            Some("/p/compose.yaml") => Ok(self.0.clone().into_bytes()),
            Some("/p/here.json") => Ok(b"{}".to_vec()),
            _ => Err(std::io::ErrorKind::NotFound.into()),
        }
    }

    fn kind(&self, path: &Path) -> Option<FileKind> {
        match path.to_str()? {
            "/p/compose.yaml" | "/p/here.conf" | "/p/app/Dockerfile" => Some(FileKind::File),
            "/p" | "/p/app" => Some(FileKind::Directory),
            _ => None,
        }
    }

    fn canonicalize(&self, path: &Path) -> std::io::Result<PathBuf> {
        Ok(path.to_owned())
    }

    fn stdin(&self) -> std::io::Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

/// `code line:column path` of what the rules find.
fn found(text: &str) -> Vec<String> {
    let files = Memory(text.to_owned());
    let options = LoadOptions {
        cwd: PathBuf::from("/p"),
        all_resources: true,
        ..LoadOptions::default()
    };
    let loaded = load::load_canonical(&files, &options);
    let project = loaded
        .project
        .unwrap_or_else(|| panic!("{text}: {:?}", loaded.findings));
    let assembled = load::assembled(&project);
    let subject = Subject {
        project: assembled.as_ref(),
        engine: text.contains("x-engine: elsewhere").then_some("elsewhere"),
        ..Subject::of_canonical(&project, &loaded.sources, &files, &loaded.findings)
    };
    let mut levels = Levels::default();
    for rule in rules() {
        levels.add(&format!("{}=warn", rule.code)).expect("a code");
    }
    let findings = run(&subject, &levels, true);
    let place = |f: &Diagnostic| {
        let at = f
            .span
            .and_then(|s| loaded.sources.position(s))
            .expect("a place");
        format!("{} {}:{} {}", f.code, at.line, at.column, f.path)
    };
    findings.iter().map(place).collect()
}

/// A service's attributes; what is found (empty: nothing).
const SERVICES: &str = include_str!("services.cases");

#[test]
fn every_case_is_found_at_its_place() {
    let mut wrong = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for case in SERVICES.split("\n---\n") {
        let (text, expected): (Vec<&str>, Vec<&str>) = case
            .lines()
            .filter(|line| !line.is_empty())
            .partition(|line| !line.starts_with("# "));
        let text = text.join("\n") + "\n";
        let got = found(&text);
        seen.extend(
            got.iter()
                .filter_map(|line| Some(line.split_once(' ')?.0.to_owned())),
        );
        let expected: Vec<&str> = expected.iter().map(|line| &line[2..]).collect();
        if got != expected {
            wrong.push(format!("{text}got {got:#?}\nnot {expected:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let silent: Vec<&str> = rules()
        .map(|r| r.code)
        .filter(|c| !seen.contains(*c))
        .collect();
    assert!(silent.is_empty(), "no case for {silent:?}");
}

/// The codes in the first column of the table of warnings, with the second.
fn documented() -> std::collections::BTreeMap<&'static str, &'static str> {
    let text = include_str!("../../docs/diagnostics.md");
    let text = text.split("\n## Errors").next().unwrap_or_default();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let (code, rest) = row.split_once("` | ").expect("a code");
        (code, rest.split(" |").next().unwrap_or_default())
    })
    .collect()
}

#[test]
fn the_documentation_names_the_same_codes() {
    let rules = rules().map(|rule| {
        let when = match (rule.level, rule.when) {
            (Level::Off, _) => "on request",
            (_, When::Always) => "before it runs",
            (_, When::Checking) => "config -q",
        };
        (rule.code, when)
    });
    let of_loading = levels::OF_LOADING.iter().map(|code| (*code, "loading"));
    assert_eq!(documented(), rules.chain(of_loading).collect());
}

/// The members that SARIF 2.1.0 asks for, and what it says about their values.
#[test]
fn sarif_is_what_the_standard_asks_for() {
    let mut sources = Sources::default();
    let source = sources.add("a dir/a.yaml", "a: \u{e9}b\n");
    let at = |start, end| Span { source, start, end };
    let findings = [
        Diagnostic::warning("bad-restart", "a", "x")
            .at(at(3, 6))
            .related(at(0, 1), "why"),
        Diagnostic::error("no-file", "", "y"),
    ];
    for findings in [&findings[..], &[]] {
        let text = crate::output::diagnostic::sarif(findings, &sources);
        let log: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(log["version"], "2.1.0");
        let run = &log["runs"][0];
        assert!(run["tool"]["driver"]["name"].is_string());
        assert_eq!(run["columnKind"], "unicodeCodePoints");
        let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
        let results = run["results"].as_array().expect("results, empty or not");
        assert_eq!(results.len(), findings.len());
        for result in results {
            assert!(rules.iter().any(|rule| rule["id"] == result["ruleId"]));
            let levels = ["none", "note", "warning", "error"];
            assert!(levels.contains(&result["level"].as_str().expect("a level")));
            assert!(result["message"]["text"].is_string());
            for location in result["locations"].as_array().expect("locations") {
                let place = &location["physicalLocation"];
                // A URI reference holds no blanks.
                assert_eq!(place["artifactLocation"]["uri"], "a%20dir/a.yaml");
                let region = &place["region"];
                assert_eq!([&region["startLine"], &region["startColumn"]], [1, 4]);
                assert_eq!([&region["endLine"], &region["endColumn"]], [1, 6]);
            }
        }
    }
}

#[test]
fn of_endless_findings_of_one_rule_the_number_is_told() {
    let names: Vec<String> = (0..10_500).map(|i| format!("c{i}")).collect();
    let text = format!(
        "services: {{a: {{image: b, cap_add: [{}]}}}}",
        names.join(", ")
    );
    let all = found(&text);
    let kept = all.iter().filter(|f| f.starts_with("unknown-capability "));
    assert_eq!(kept.count(), MOST + 1);
}
