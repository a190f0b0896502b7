//! What `docker` and shells ask of the program: metadata, hooks, completions; and manual pages.

use crate::program::{regatta, works};
use std::path::Path;
use std::process::Command;

const COMPOSE: &str = "services:\n  web: {image: busybox}\n  worker: {image: busybox, profiles: [jobs]}\n  db: {image: busybox, env_file: gone.env}\n";

fn project() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("compose.yaml"), COMPOSE).expect("a file");
    dir
}

fn asked(dir: &Path, words: &[&str]) -> String {
    works(&mut regatta(dir, words))
}

#[test]
fn candidates_come_in_the_form_of_dockers_client() {
    let dir = project();
    let dir = dir.path();
    // Services of all profiles, whatever is wrong with their env files.
    assert_eq!(
        asked(dir, &["__complete", "up", ""]),
        "db\nweb\nworker\n:4\n"
    );
    assert_eq!(asked(dir, &["__complete", "logs", "we"]), "web\n:4\n");
    assert_eq!(
        asked(dir, &["__complete", "compose", "scale", "w"]),
        "web=\nworker=\n:4\n"
    );
    assert_eq!(asked(dir, &["__complete", "--profile", ""]), "jobs\n:4\n");
    assert_eq!(asked(dir, &["__complete", "-f", ""]), "yaml\nyml\n:8\n");
    assert_eq!(asked(dir, &["__complete", "exec", "db", ""]), ":0\n");
    assert_eq!(
        asked(dir, &["__complete", "--project-directory", ""]),
        ":16\n"
    );
    let described = asked(dir, &["__complete", "u"]);
    assert!(described.starts_with("up\t"), "{described}");
    assert_eq!(asked(dir, &["__completeNoDesc", "u"]), "up\n:4\n");
    // Another file is another project.
    std::fs::write(dir.join("b.yaml"), "services: {other: {image: busybox}}").expect("a file");
    assert_eq!(
        asked(dir, &["__complete", "-f", "b.yaml", "up", ""]),
        "other\n:4\n"
    );
    // What is wrong is not told to somebody who is typing.
    std::fs::write(dir.join("compose.yaml"), "services: [").expect("a file");
    for words in [
        &["__complete", "up", ""][..],
        &["__complete", "--nope", "up", ""],
        &["__complete", "-p", ""],
    ] {
        let mut command = regatta(dir, words);
        command.env("DOCKER_HOST", "unix:///nowhere/engine.sock");
        let output = command.output().expect("a run");
        assert_eq!(String::from_utf8_lossy(&output.stdout), ":4\n", "{words:?}");
        assert!(output.stderr.is_empty(), "{words:?}: {output:?}");
    }
}

#[test]
fn contexts_are_offered() {
    let dir = project();
    let meta = dir.path().join(".docker/contexts/meta/9f86");
    std::fs::create_dir_all(&meta).expect("a directory");
    std::fs::write(meta.join("meta.json"), r#"{"Name":"far","Endpoints":{}}"#).expect("a file");
    assert_eq!(
        asked(dir.path(), &["__complete", "--context", ""]),
        "default\nfar\n:4\n"
    );
}

/// What bash offers for a line, by the script itself.
fn bash(dir: &Path, line: &str) -> Vec<String> {
    const SCRIPT: &str = r#"
        source <(regatta completion bash)
        COMP_LINE=$1 COMP_POINT=${#1}
        _regatta_complete
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let program = Path::new(env!("CARGO_BIN_EXE_regatta"));
    let folder = program.parent().expect("a folder").display();
    let path = std::env::var("PATH").expect("PATH");
    let output = Command::new("bash")
        .args(["-c", SCRIPT, "bash", line])
        .current_dir(dir)
        .env("PATH", format!("{folder}:{path}"))
        .env("HOME", dir)
        .output()
        .expect("bash");
    assert!(output.status.success(), "{line}: {output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn bash_completes_by_the_script() {
    let dir = project();
    let dir = dir.path();
    std::fs::create_dir(dir.join("sub")).expect("a directory");
    for (line, expected) in [
        ("regatta up w", &["web", "worker"][..]),
        ("regatta  up  -d  d", &["db"]),
        ("regatta scale we", &["web="]),
        ("regatta up --wait-t", &["--wait-timeout"]),
        ("regatta --progress=pl", &["plain"]),
        ("regatta -f com", &["compose.yaml"]),
        ("regatta --project-directory s", &["sub"]),
        ("regatta exec web c", &["compose.yaml"]),
        ("regatta complet", &["completion"]),
        ("regatta completion z", &["zsh"]),
    ] {
        assert_eq!(bash(dir, line), expected, "{line}");
    }
    assert!(bash(dir, "regatta ").contains(&"up".to_owned()));
}

/// The other shells' scripts, as far as those are here: at least they read them.
#[test]
fn every_shell_gets_a_script_of_its_own() {
    let dir = project();
    for (shell, words, check) in [
        (
            "bash",
            "complete -F _regatta_complete regatta",
            &["bash", "-n"][..],
        ),
        ("zsh", "#compdef regatta", &["zsh", "-n"]),
        ("fish", "complete -c regatta -f -a", &["fish", "-n"]),
        (
            "powershell",
            "Register-ArgumentCompleter -Native -CommandName 'regatta'",
            &[],
        ),
    ] {
        let text = asked(dir.path(), &["completion", shell]);
        assert!(text.contains(words), "{shell}: {text}");
        for left in ["PROGRAM", "FUNCTION"] {
            assert!(!text.contains(left), "{shell}: {text}");
        }
        let file = dir.path().join(format!("script.{shell}"));
        std::fs::write(&file, &text).expect("a file");
        let [program, flag] = check else { continue };
        if let Ok(output) = Command::new(program).arg(flag).arg(&file).output() {
            assert!(output.status.success(), "{shell}: {output:?}");
        }
    }
    let error = crate::program::fails(&mut regatta(dir.path(), &["completion", "csh"]), &["csh"]);
    assert!(error.contains("powershell"), "{error}");
}

#[test]
fn manual_pages_are_written_for_every_command() {
    let dir = project();
    let said = asked(dir.path(), &["man", "pages"]);
    let pages = dir.path().join("pages");
    let names: Vec<String> = std::fs::read_dir(&pages)
        .expect("a directory")
        .map(|entry| {
            entry
                .expect("a file")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    assert_eq!(said, format!("{} pages in pages\n", names.len()));
    for name in ["regatta.1", "regatta-up.1", "regatta-completion.1"] {
        assert!(names.iter().any(|n| n == name), "{name}: {names:?}");
    }
    let text = std::fs::read_to_string(pages.join("regatta-up.1")).expect("a page");
    for words in [".TH REGATTA-UP 1", ".SH OPTIONS", "wait\\-timeout"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let text = std::fs::read_to_string(pages.join("regatta.1")).expect("a page");
    assert!(text.contains("regatta\\-up(1)"), "{text}");
}

#[test]
fn docker_gets_its_metadata_and_no_hint() {
    let dir = project();
    let metadata = asked(dir.path(), &["docker-cli-plugin-metadata"]);
    assert!(
        metadata.contains("\"SchemaVersion\": \"0.1.0\""),
        "{metadata}"
    );
    let request = r#"{"RootCmd":"compose up","Flags":{"detach":""},"CommandError":""}"#;
    for words in [
        &["compose", "docker-cli-plugin-hooks", request][..],
        &["docker-cli-plugin-hooks", request],
        &["docker-cli-plugin-hooks"],
    ] {
        assert_eq!(asked(dir.path(), words), "", "{words:?}");
    }
}
