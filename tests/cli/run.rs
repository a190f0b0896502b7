//! Runs the program where nothing of this machine can reach it.

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What a run gave.
#[derive(Debug, PartialEq, Eq)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// The program in a directory, with an empty environment but for what it cannot do without.
pub fn command(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_regatta"));
    command
        .env_clear()
        .env("HOME", dir)
        .env("TZ", "UTC")
        .current_dir(dir)
        .stdin(Stdio::null());
    command
}

pub fn ran(output: Output) -> Ran {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Ran {
        code: output.status.code().expect("an exit code"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// Runs a line of arguments (words in single quotes may hold spaces).
pub fn run(dir: &Path, line: &str) -> Ran {
    ran(command(dir).args(words(line)).output().unwrap())
}

pub fn words(line: &str) -> Vec<String> {
    let mut list = Vec::new();
    for (n, part) in line.split('\'').enumerate() {
        match n % 2 {
            0 => list.extend(part.split_whitespace().map(str::to_owned)),
            _ => list.push(part.to_owned()),
        }
    }
    list
}
