//! Laws of merging: what holds for any files, however they are put one over another.

use crate::chance::Chance;
use regatta::commands::config::{Format, render};
use regatta::diagnostic::Findings;
use regatta::load::{self, FileKind, Files, LoadOptions, merge, yaml};
use regatta::tree::{Node, SourceId};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Attributes of a service in forms that may be put over one another in any order.
const FORMS: &[(&str, &[&str])] = &[
    ("image", &["a", "b", "c"]),
    ("command", &["a b", "[c]", "[d, e]"]),
    (
        "environment",
        &["[A=1, B]", "{A: 2, C: }", "{B: x}", "[D=]"],
    ),
    ("labels", &["[a=1, b=]", "{a: 2, c: x}"]),
    ("cap_add", &["[A]", "[A, B]", "[C]"]),
    ("dns", &["1.1.1.1", "[1.1.1.1, 8.8.8.8]", "[9.9.9.9]"]),
    ("tmpfs", &["/t", "[/t, /u]"]),
    (
        "build",
        &[
            "dir",
            "{target: t}",
            "{args: {A: 1}}",
            "{args: [A=2, B=3], tags: [q]}",
        ],
    ),
    (
        "depends_on",
        &[
            "[b]",
            "{b: {condition: service_healthy}}",
            "{c: {condition: service_started}}",
        ],
    ),
    (
        "networks",
        &["[n]", "{n: {aliases: [x]}}", "{m: , n: {priority: 2}}"],
    ),
    (
        "ports",
        &[
            "['80:80']",
            "['80:80', '90:90']",
            "[{target: 80, published: '81'}]",
        ],
    ),
    (
        "volumes",
        &[
            "['/a:/b']",
            "['/c:/b:ro', /q]",
            "[{type: bind, source: /d, target: /e}]",
        ],
    ),
    (
        "extra_hosts",
        &["['a=1.1.1.1']", "{a: 2.2.2.2}", "['b=::1']"],
    ),
    ("sysctls", &["[a=1]", "{a: 2, b: 3}"]),
    ("ulimits", &["{n: 1}", "{n: {soft: 1, hard: 2}}", "{m: 3}"]),
    (
        "healthcheck",
        &[
            "{test: a}",
            "{interval: 1s}",
            "{test: [CMD, b], retries: 3}",
        ],
    ),
    (
        "deploy",
        &[
            "{endpoint_mode: vip}",
            "{resources: {limits: {memory: 1g}}}",
            "{labels: [a=1]}",
        ],
    ),
    ("secrets", &["[s]", "[{source: s, target: x}]", "[t]"]),
    ("scale", &["2"]),
    ("privileged", &["true", "false"]),
];

fn tree(text: &str) -> Node {
    let mut findings = Findings::default();
    let mut documents = yaml::parse(SourceId(0), text, &mut findings);
    assert!(findings.is_empty(), "{text}: {findings:?}");
    documents.remove(0).root
}

/// A project of one service with some of the forms.
fn project(chance: &mut Chance) -> Node {
    let mut text = "services:\n  a:\n    hostname: h\n".to_owned();
    for (attribute, forms) in FORMS {
        if chance.below(3) == 0 {
            let form = forms[chance.below(forms.len())];
            text += &format!("    {attribute}: {form}\n");
        }
    }
    tree(&text)
}

fn over(base: &Node, over: &Node) -> Node {
    let mut findings = Findings::default();
    let merged = merge::models(base.clone(), over.clone(), &mut findings);
    assert!(findings.is_empty(), "{findings:?}");
    merged
}

#[test]
fn nothing_changes_nothing() {
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let nothing = tree("{}");
    let empty = tree("services: {a: {}}");
    for _ in 0..200 {
        let any = project(&mut chance);
        for none in [&nothing, &empty] {
            assert_eq!(over(&any, none), any);
            assert_eq!(over(none, &any), any);
        }
    }
}

#[test]
fn three_files_may_be_merged_from_either_end() {
    let mut chance = Chance(0x2545_f491_4f6c_dd1d);
    for round in 0..500 {
        let [a, b, c] = [0; 3].map(|_| project(&mut chance));
        let left = over(&over(&a, &b), &c);
        let right = over(&a, &over(&b, &c));
        let shown = |node: &Node| yaml::emit(node);
        assert_eq!(
            left,
            right,
            "round {round}:\n{}---\n{}---\n{}=== left\n{}=== right\n{}",
            shown(&a),
            shown(&b),
            shown(&c),
            shown(&left),
            shown(&right)
        );
    }
}

/// A project's files in memory.
struct Memory(BTreeMap<PathBuf, String>);

impl Files for Memory {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let text = self.0.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(text.clone().into_bytes())
    }
    fn kind(&self, path: &Path) -> Option<FileKind> {
        self.0.contains_key(path).then_some(FileKind::File)
    }
    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(path.to_owned())
    }
    fn stdin(&self) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

/// What `config` makes of texts, each as a file over those before it.
fn config(texts: &[String]) -> Value {
    let files = Memory(
        texts
            .iter()
            .enumerate()
            .map(|(n, text)| (format!("/p/{n}.yaml").into(), text.clone()))
            .collect(),
    );
    let options = LoadOptions {
        files: (0..texts.len())
            .map(|n| format!("{n}.yaml").into())
            .collect(),
        cwd: "/p".into(),
        // What is made up for the first files would stand in the way of the last.
        stages: load::Stages {
            no_normalize: true,
            ..load::Stages::default()
        },
        ..LoadOptions::default()
    };
    let loaded = load::load_canonical(&files, &options);
    let project = loaded.project.unwrap_or_else(|| {
        panic!("{:?}\n{}", loaded.findings, texts.join("---\n"));
    });
    serde_json::from_str(&render::project(project, Format::Json)).expect("JSON")
}

const REST: &str = "  b: {image: b}
  c: {image: c}
networks: {n: , m: }
secrets: {s: {file: s}, t: {file: t}}
";

/// A project as text that loads by itself.
fn whole(chance: &mut Chance) -> String {
    let node = project(chance);
    let text = yaml::emit(&node);
    let image = if text.contains("    image:") {
        ""
    } else {
        "    image: x\n"
    };
    format!("name: p\n{text}{image}{REST}")
}

#[test]
fn a_file_over_itself_says_the_same() {
    let mut chance = Chance(0x1234_5678_9abc_def1);
    for _ in 0..100 {
        let text = whole(&mut chance);
        let once = config(std::slice::from_ref(&text));
        let twice = config(&[text.clone(), text.clone()]);
        assert_eq!(twice, once, "{text}");
    }
}

#[test]
fn what_was_merged_and_printed_goes_under_a_file_as_the_files_did() {
    let mut chance = Chance(0x0fed_cba9_8765_4321);
    for _ in 0..100 {
        let [a, b, c] = [0; 3].map(|_| whole(&mut chance));
        let direct = config(&[a.clone(), b.clone(), c.clone()]);
        let under = config(&[a.clone(), b.clone()]);
        let through = config(&[under.to_string(), c.clone()]);
        assert_eq!(through, direct, "{a}---\n{b}---\n{c}");
    }
}
