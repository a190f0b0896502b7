//! What `config` answers to its flags: `tests/answers/PROJECT/answers.txt` holds command lines with
//! the exit code and standard output of Docker Compose 5.5.0, which must be ours too.
//!
//! Of what is refused there is the exit code alone. A line is `$ [NAME=VALUE…] ARGUMENTS [< FILE]`. Of lists that Compose prints in the order of a
//! hash table the lines are sorted; a project's directory is written `$DIR`; the file `OUT`, where
//! a command writes one, stands behind `--- OUT`.
//!
//! `REGATTA_REFERENCE=PROGRAM cargo test --test files answers` writes down what that program answers;
//! add a line with nothing under it, and it is filled in.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const UNORDERED: [&str; 7] = [
    "--services",
    "--volumes",
    "--networks",
    "--models",
    "--images",
    "--variables",
    "--hash",
];

/// A command line and what it gave, as the file holds them.
struct Answer {
    line: String,
    text: String,
}

fn answers(text: &str) -> Vec<Answer> {
    let mut answers: Vec<Answer> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("$ "), answers.last_mut()) {
            (Some(line), _) => answers.push(Answer {
                line: line.to_owned(),
                text: String::new(),
            }),
            (None, Some(answer)) => answer.text += &format!("{line}\n"),
            (None, None) => panic!("no command line above {line:?}"),
        }
    }
    answers
}

/// Words, of which those in single quotes may hold spaces or nothing.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (n, part) in line.split('\'').enumerate() {
        match n % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            fs::create_dir(&target).expect("a folder");
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("a copy");
        }
    }
}

fn ask(program: &str, dir: &Path, line: &str) -> String {
    let (line, input) = match line.split_once(" < ") {
        Some((line, file)) => (line, File::open(dir.join(file)).expect("input").into()),
        None => (line, Stdio::null()),
    };
    let words = words(line);
    let is_variable = |word: &&String| {
        let name = word.split_once('=').map(|(name, _)| name);
        name.is_some_and(|n| n.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'))
    };
    let variables: Vec<&String> = words.iter().take_while(is_variable).collect();
    let arguments = &words[variables.len()..];
    let output = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs([("HOME", "/home/user"), ("PATH", "/usr/bin:/bin")])
        .env("PWD", dir)
        .envs(variables.iter().filter_map(|word| word.split_once('=')))
        .current_dir(dir)
        .stdin(input)
        .output()
        .expect("it runs");
    let code = output.status.code().expect("an exit code");
    if code != 0 {
        return format!("exit {code}\n");
    }
    let mut text = String::from_utf8(output.stdout).expect("UTF-8");
    let is_list = arguments.iter().any(|a| UNORDERED.contains(&&**a));
    if is_list && !arguments.iter().any(|a| a == "json" || a == "yaml") {
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        text = lines.iter().map(|line| format!("{line}\n")).collect();
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push_str("\n(no line's end)\n");
    }
    let out = dir.join("OUT");
    if let Ok(written) = fs::read_to_string(&out) {
        text += &format!("--- OUT\n{}\n", written.trim_end());
        fs::remove_file(&out).expect("it goes");
    }
    // Trailing spaces would not survive an editor.
    let text: String = text
        .lines()
        .map(|l| format!("{}\n", l.trim_end()))
        .collect();
    format!("exit {code}\n{text}").replace(&*dir.to_string_lossy(), "$DIR")
}

#[test]
fn config_answers_as_docker_compose_does() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/answers");
    let mut projects: Vec<PathBuf> = fs::read_dir(root)
        .expect("there are answers")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    projects.sort();
    let reference = std::env::var("REGATTA_REFERENCE").ok();
    let program = reference
        .as_deref()
        .unwrap_or(env!("CARGO_BIN_EXE_regatta"));
    let mut wrong = Vec::new();
    for project in projects {
        let file = project.join("answers.txt");
        let expected = answers(&fs::read_to_string(&file).expect("answers"));
        let copied = tempfile::tempdir().expect("a folder");
        let dir = copied.path().canonicalize().expect("a path").join("p");
        fs::create_dir(&dir).expect("a folder");
        copy(&project, &dir);
        fs::remove_file(dir.join("answers.txt")).expect("it goes");
        let mut given = String::new();
        for Answer { line, text } in expected {
            let answer = ask(program, &dir, &line);
            given += &format!("$ {line}\n{answer}");
            if answer != text && reference.is_none() {
                let name = project.file_name().unwrap_or_default().to_string_lossy();
                wrong.push(format!(
                    "{name}: {line}\n--- Compose\n{text}--- regatta\n{answer}"
                ));
            }
        }
        if reference.is_some() {
            fs::write(&file, given).expect("it is written");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
