//! Holds the code to ARCHITECTURE.md's "Which module may import which".

mod imports;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// All Rust files in a directory and below it.
fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    files
}

/// Every source file with its text, by path below `src`, tests inside it left out.
fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    rust_files(&root)
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
                .filter(|line| line.replace("clap::Command", "").contains(word))
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
fn the_words_for_events_stand_in_output() {
    const VERBS: [&str; 7] = [
        "plan",
        "reconcile",
        "execute",
        "change",
        "image",
        "lock",
        "event",
    ];
    for word in [
        "Creating",
        "Created",
        "Starting",
        "Started",
        "Stopping",
        "Stopped",
        "Removing",
        "Removed",
        "Recreate",
        "Recreated",
        "Pulling",
        "Pulled",
        "Building",
        "Built",
    ] {
        holds(
            "verbs say what happens, and output how that reads",
            offenders(&format!("\"{word}\""), &VERBS, &[]),
        );
    }
}

#[test]
fn a_walk_knows_nothing_of_what_its_steps_do() {
    for word in ["crate::engine", "crate::event", "crate::project", "Action"] {
        holds(
            "walk(plan, control, perform) walks any program's plan",
            offenders(word, &["execute/walk"], &[]),
        );
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
fn only_requests_know_what_the_engine_is_asked_for() {
    // The client, and the engine in memory, serve any program that speaks to an engine.
    for word in [
        "crate::service",
        "crate::project",
        "crate::network",
        "crate::volume",
    ] {
        holds(
            "of the engine's modules only engine/request knows services and projects",
            offenders(word, &["engine"], &["engine/request"]),
        );
    }
}

#[test]
fn output_and_context_know_no_commands() {
    for word in ["crate::commands", "crate::cli"] {
        holds(
            "output and context know no commands",
            offenders(word, &["output", "terminal", "context", "options"], &[]),
        );
    }
    holds(
        "output knows no context",
        offenders("crate::context", &["output", "terminal", "options"], &[]),
    );
}

/// All modules at the root, from the lowest layer up. A module imports from its own layer and from those
/// below it. `main` and `lib` are above all.
const LAYERS: [(&str, &[&str]); 6] = [
    (
        "nouns",
        &[
            "diagnostic",
            "event",
            "exit",
            "form",
            "graph",
            "hash",
            "interrupt",
            "labels",
            "network",
            "project",
            "scale",
            "secret",
            "service",
            "tree",
            "value",
            "volume",
        ],
    ),
    (
        "the system",
        &["file", "pipe", "private", "programs", "threads"],
    ),
    (
        "verbs",
        &[
            "attach",
            "change",
            "copy",
            "docker_config",
            "engine",
            "exec",
            "execute",
            "explain",
            "image",
            "lint",
            "load",
            "lock",
            "observe",
            "plan",
            "publish",
            "reconcile",
            "run",
            "spec",
            "stdio",
            "watch",
        ],
    ),
    (
        "the user",
        &[
            "error", "logs", "options", "output", "remote", "signals", "stats", "terminal",
        ],
    ),
    ("commands", &["commands", "context"]),
    ("the command line", &["cli"]),
];

#[test]
fn every_module_has_a_layer_and_imports_nothing_from_above() {
    let layer_of = |root: &str| LAYERS.iter().position(|(_, roots)| roots.contains(&root));
    let mut offenders = Vec::new();
    for (file, text) in sources() {
        let module = file.trim_end_matches(".rs");
        let root = module.split('/').next().unwrap_or(module);
        if ["main", "lib"].contains(&root) {
            continue;
        }
        let Some(layer) = layer_of(root) else {
            offenders.push(format!("src/{file}: `{root}` is in no layer of this test"));
            continue;
        };
        for path in imports::paths(module, &text) {
            if layer_of(&path[0]).is_some_and(|imported| imported > layer) {
                offenders.push(format!("src/{file}: {}", path.join("::")));
            }
        }
    }
    holds("imports lead down", offenders);
}

#[test]
fn no_modules_at_the_root_import_one_another_in_a_circle() {
    let mut roots: BTreeMap<String, String> = BTreeMap::new();
    for (file, text) in sources() {
        let module = file.trim_end_matches(".rs");
        let root = format!("{}.rs", module.split('/').next().unwrap_or(module));
        let lines = imports::paths(module, &text)
            .into_iter()
            .map(|path| format!("use crate::{};\n", path[0]));
        roots.entry(root).or_default().extend(lines);
    }
    let circles = imports::circles(&roots);
    holds(
        "these modules import one another in a circle",
        circles.into_iter().map(|c| c.join(", ")).collect(),
    );
}

#[test]
fn no_circle_of_imports_is_larger_than_two_files() {
    let circles: Vec<String> = imports::circles(&sources())
        .into_iter()
        .filter(|files| files.len() > 2)
        .map(|files| files.join(", "))
        .collect();
    holds("these files import one another in a circle", circles);
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

/// Adds a file and all modules that it declares, as the compiler finds them: in a directory of the file's
/// name, but beside it where the file is the root of a program or was named by `#[path]`.
fn reach(file: &Path, is_root: bool, reached: &mut BTreeSet<PathBuf>) {
    let file = file
        .canonicalize()
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let text = std::fs::read_to_string(&file).expect("a source file");
    let beside = file.parent().expect("a directory").to_owned();
    let below = match is_root {
        true => beside.clone(),
        false => file.with_extension(""),
    };
    reached.insert(file);
    let mut named = None;
    for line in text.lines() {
        if let Some(path) = line.strip_prefix("#[path = \"") {
            named = path.strip_suffix("\"]");
            continue;
        }
        let declared = line.strip_prefix("pub ").unwrap_or(line);
        let declared = declared.strip_prefix("mod ");
        let Some(module) = declared.and_then(|rest| rest.strip_suffix(';')) else {
            continue;
        };
        match named.take() {
            Some(path) => reach(&beside.join(path), true, reached),
            None => reach(&below.join(format!("{module}.rs")), false, reached),
        }
    }
}

#[test]
fn every_file_of_the_tests_belongs_to_a_program() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).expect("Cargo.toml");
    let programs: Vec<&str> = manifest
        .lines()
        .filter_map(|line| line.strip_prefix("path = \"tests/"))
        .filter_map(|rest| rest.strip_suffix('"'))
        .collect();
    assert!(programs.len() > 1, "no programs in Cargo.toml");
    let mut reached = BTreeSet::new();
    for program in programs {
        reach(&root.join("tests").join(program), true, &mut reached);
    }
    let forgotten = rust_files(&root.join("tests"))
        .into_iter()
        .filter(|file| !reached.contains(&file.canonicalize().expect("a file")))
        .map(|file| file.display().to_string())
        .collect();
    holds(
        "a file that no program of Cargo.toml declares is never compiled",
        forgotten,
    );
}
