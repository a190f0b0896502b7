//! Holds the code to ARCHITECTURE.md's "Who may know whom".

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Every source file with its text, by path below `src`, tests inside it left out.
fn sources() -> BTreeMap<String, String> {
    fn walk(dir: &Path, files: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).expect("src is readable").flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, files);
            } else if path.extension().is_some_and(|e| e == "rs") {
                files.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &mut files);
    files
        .into_iter()
        .filter(|path| !path.ends_with("tests.rs"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a source file");
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or("");
            let name = path.strip_prefix(&root).expect("below src");
            (name.to_string_lossy().into_owned(), code.to_owned())
        })
        .collect()
}

/// Whether a file belongs to one of the modules: `load/yaml` is `load/yaml.rs` and `load/yaml/…`.
fn is_in(file: &str, modules: &[&str]) -> bool {
    modules
        .iter()
        .any(|m| file == format!("{m}.rs") || file.starts_with(&format!("{m}/")))
}

/// Lines of code (no comments) of the files that say `word` but are not in `allowed`.
fn offenders(word: &str, within: &[&str], allowed: &[&str]) -> Vec<String> {
    sources()
        .iter()
        .filter(|(file, _)| within.is_empty() || is_in(file, within))
        .filter(|(file, _)| !is_in(file, allowed))
        .flat_map(|(file, text)| {
            text.lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .filter(|line| line.contains(word))
                .map(move |line| format!("src/{file}: {}", line.trim()))
        })
        .collect()
}

#[track_caller]
fn holds(rule: &str, offenders: Vec<String>) {
    assert!(offenders.is_empty(), "{rule}:\n{}", offenders.join("\n"));
}

const NOUNS: [&str; 14] = [
    "project",
    "service",
    "network",
    "volume",
    "secret",
    "scale",
    "tree",
    "labels",
    "value",
    "diagnostic",
    "event",
    "graph",
    "hash",
    "form",
];
const PURE: [&str; 18] = [
    "project",
    "service",
    "network",
    "volume",
    "secret",
    "scale",
    "tree",
    "labels",
    "value",
    "diagnostic",
    "graph",
    "hash",
    "form",
    "reconcile",
    "plan",
    "spec",
    "lock/claim",
    "lock/contest",
];

#[test]
fn only_the_adapter_names_bollard() {
    holds(
        "only engine/docker names bollard",
        offenders("bollard", &[], &["engine/docker"]),
    );
}

#[test]
fn only_the_yaml_reader_names_its_parser() {
    holds(
        "only load/yaml names granit_parser",
        offenders("granit_parser", &[], &["load/yaml"]),
    );
}

#[test]
fn only_remote_reaches_for_the_network_beside_the_engine() {
    for word in ["rustls", "TcpStream"] {
        holds(
            "only remote reaches for the network beside the engine",
            offenders(word, &[], &["remote", "engine/docker"]),
        );
    }
    // Loading asks for a file through `Files::fetch`; commands have it through their context.
    holds(
        "only context knows remote",
        offenders("crate::remote", &[], &["remote", "context"]),
    );
}

#[test]
fn only_output_and_terminal_write_to_a_terminal() {
    for word in [
        "println!",
        "eprintln!",
        "print!(",
        "io::stdout",
        "io::stderr",
    ] {
        holds(
            "only output and terminal write to a terminal",
            offenders(word, &[], &["output", "terminal", "context"]),
        );
    }
}

#[test]
fn no_thread_panics_where_there_may_be_no_more() {
    for word in [
        "thread::spawn(",
        "thread::scope",
        "spawn_blocking",
        ".to_socket_addrs()",
    ] {
        holds(
            "threads are started by threads",
            offenders(word, &[], &["threads"]),
        );
    }
}

#[test]
fn only_programs_starts_programs() {
    // It is what keeps those of the folder that the user is in out.
    holds(
        "only programs starts programs",
        offenders("Command::new", &[], &["programs"]),
    );
}

#[test]
fn only_context_reads_the_environment() {
    for word in ["env::var", "env::vars", "current_dir()"] {
        holds(
            "only context reads the environment",
            offenders(word, &[], &["context"]),
        );
    }
}

#[test]
fn nouns_know_no_verbs() {
    for verb in [
        "load",
        "observe",
        "reconcile",
        "execute",
        "change",
        "commands",
        "output",
        "context",
        "cli",
        "plan",
        "image::pull",
        "image::build",
    ] {
        let word = format!("crate::{verb}");
        let found = offenders(&word, &NOUNS, &[])
            .into_iter()
            // `crate::load` must not match `crate::loading`, nor `plan` `platform`.
            .filter(|line| {
                line.split(&word)
                    .skip(1)
                    .any(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
            })
            .collect();
        holds("nouns know no verbs", found);
    }
}

#[test]
fn verbs_know_no_commands() {
    for word in ["crate::commands", "crate::cli", "crate::context"] {
        holds(
            "verbs know no commands",
            offenders(
                word,
                &[
                    "load",
                    "observe",
                    "reconcile",
                    "execute",
                    "change",
                    "engine",
                    "image",
                    "plan",
                    "spec",
                    "lock",
                ],
                &[],
            ),
        );
    }
}

#[test]
fn pure_modules_touch_nothing() {
    for word in [
        "tokio::",
        "std::fs",
        "std::env",
        "SystemTime",
        "Instant::now",
        "Timestamp::now",
        "rand::",
    ] {
        holds(
            "pure modules touch no clock, disk or environment",
            offenders(word, &PURE, &[]),
        );
    }
}

#[test]
fn every_root_module_is_in_the_architecture() {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md"))
            .expect("ARCHITECTURE.md");
    let missing: Vec<String> = sources()
        .into_keys()
        .filter(|file| !file.contains('/') && file != "lib.rs" && file != "main.rs")
        .filter(|file| !text.contains(file.trim_end_matches(".rs")))
        .collect();
    holds("every root module is named in ARCHITECTURE.md", missing);
}
