//! The program as a user runs it in a folder, away from this machine's settings.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Runs there, with its home and its cache there, and nothing of our environment but the path.
pub fn regatta(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_regatta"));
    command
        .args(arguments)
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", dir)
        .env("XDG_CACHE_HOME", dir.join("cache"))
        .stdin(Stdio::null());
    command
}

/// What it wrote: to its output, and to its errors.
pub fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// Its output, where it ended well.
#[track_caller]
pub fn works(command: &mut Command) -> String {
    let output = command.output().expect("a run");
    let (out, err) = texts(&output);
    assert!(output.status.success(), "{command:?}: {err}");
    out
}

/// Ends with 1 and says all these words, not somehow else.
#[track_caller]
pub fn fails(command: &mut Command, words: &[&str]) -> String {
    let output = command.output().expect("a run");
    let (out, err) = texts(&output);
    assert_eq!(output.status.code(), Some(1), "{command:?}: {out}{err}");
    for words in words {
        assert!(err.contains(words), "{words}: {err}");
    }
    err
}

/// What is in the cache of fetched projects, half-made entries included.
pub fn cached(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir.join("cache/docker-compose"));
    let mut paths: Vec<PathBuf> = entries
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.path())
        .collect();
    paths.sort();
    paths
}
