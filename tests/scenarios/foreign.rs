//! Two folders whose names make them one project.

use crate::support::run::{Output, Program, under_test};
use crate::support::{Container, Stack};
use std::path::{Path, PathBuf};

/// Folders of the stack's name, so that nothing but that names their project.
struct Folders {
    stack: Stack,
}

fn service(name: &str) -> String {
    format!("  {name}: {{ image: busybox, command: [sleep, '1000'], stop_signal: SIGKILL }}\n")
}

impl Folders {
    fn new(topic: &str) -> Folders {
        let stack = Stack::new(topic, "services: {}");
        for (place, other) in [("one", "old"), ("two", "new")] {
            let compose = format!("services:\n{}{}", service("app"), service(other));
            stack.write(&format!("{place}/{}/compose.yaml", stack.name), &compose);
        }
        Folders { stack }
    }

    fn path(&self, place: &str) -> PathBuf {
        self.stack.path().join(place).join(&self.stack.name)
    }

    fn run(&self, place: &str, words: &str) -> Output {
        run_in(&self.stack, &self.path(place), words)
    }

    fn names(&self) -> Vec<String> {
        let containers = self.stack.containers().into_iter();
        let mut names: Vec<String> = containers.map(|c| c.service).collect();
        names.sort();
        names
    }
}

fn run_in(stack: &Stack, directory: &Path, words: &str) -> Output {
    Program::new(&under_test(), directory)
        .env("DOCKER_HOST", &stack.engine.host())
        .args(words.split_whitespace())
        .run()
}

fn seen(containers: &[Container]) -> Vec<(String, String)> {
    let mut all: Vec<_> = containers
        .iter()
        .map(|c| (c.id.clone(), c.state.clone()))
        .collect();
    all.sort();
    all
}

#[test]
fn what_only_the_folder_names_is_not_touched() {
    let folders = Folders::new("foreign");
    folders.run("one", "up -d").success();
    let before = seen(&folders.stack.containers());
    assert_eq!(before.len(), 2);
    let [one, two] = ["one", "two"].map(|place| folders.path(place));
    for words in [
        "up -d",
        "up -d --remove-orphans",
        "--dry-run up -d",
        "up",
        "create",
        "scale app=2",
        "restart -t 0",
        "stop -t 0",
        "start",
        "kill",
        "rm -f -s",
        "down",
        "down --remove-orphans -v",
    ] {
        folders.run("two", words).code(1).says(&[
            &one.to_string_lossy(),
            &two.to_string_lossy(),
            "-p NAME",
            "name: NAME",
            "--adopt",
        ]);
        assert_eq!(seen(&folders.stack.containers()), before, "{words}");
    }
    folders
        .run("two", "plan")
        .code(2)
        .says(&["`up` would stop here"]);
    folders.run("two", "ps").success();
}

#[test]
fn an_explicit_name_goes_on_with_a_warning_and_leaves_orphans() {
    let folders = Folders::new("forname");
    let name = folders.stack.name.clone();
    folders.run("one", "up -d").success();
    let old = folders.stack.one("old").id;
    let one = folders.path("one");
    let words = format!("-p {name} up -d --remove-orphans");
    let said = folders.run("two", &words).success();
    assert!(
        said.stderr
            .contains("also has containers from another folder"),
        "{said}"
    );
    assert!(said.stderr.contains(&*one.to_string_lossy()), "{said}");
    assert_eq!(folders.names(), ["app", "new", "old"]);
    assert_eq!(folders.stack.one("old").id, old);
    let text = std::fs::read_to_string(folders.path("two").join("compose.yaml")).unwrap();
    folders.stack.write(
        &format!("two/{name}/compose.yaml"),
        &format!("name: {name}\n{text}"),
    );
    folders.run("two", "down --remove-orphans -t 0").success();
    assert_eq!(folders.names(), ["old"]);
    // No file, no folder.
    let nowhere = folders.stack.path().join("nowhere");
    std::fs::create_dir(&nowhere).unwrap();
    run_in(&folders.stack, &nowhere, &format!("-p {name} down -t 0")).success();
    assert!(folders.names().is_empty());
}

#[test]
fn what_is_adopted_is_ours_from_then_on() {
    let folders = Folders::new("foradopt");
    folders.run("one", "up -d").success();
    folders
        .run("two", "up -d --remove-orphans --adopt")
        .success();
    assert_eq!(folders.names(), ["app", "new"]);
    let before = seen(&folders.stack.containers());
    folders.run("two", "up -d").success();
    assert_eq!(seen(&folders.stack.containers()), before);
    folders.run("one", "up -d").code(1);
}

#[test]
fn a_link_is_the_same_folder_and_a_moved_one_another() {
    let folders = Folders::new("formove");
    folders.run("one", "up -d").success();
    let before = seen(&folders.stack.containers());
    let link = folders.stack.path().join("link");
    std::fs::create_dir(&link).unwrap();
    std::os::unix::fs::symlink(folders.path("one"), link.join(&folders.stack.name)).unwrap();
    folders.run("link", "up -d").success();
    assert_eq!(seen(&folders.stack.containers()), before);
    let one = folders.path("one");
    std::fs::rename(
        folders.stack.path().join("one"),
        folders.stack.path().join("moved"),
    )
    .unwrap();
    folders.run("moved", "up -d").code(1).says(&[
        &one.to_string_lossy(),
        "not on this machine",
        "--adopt",
    ]);
    folders.run("moved", "up -d --adopt").success();
    folders.run("moved", "up -d").success();
}
