//! `watch`: what changes here is in the containers a moment later.

use crate::support::{Stack, eventually};
use std::fs;

const COMPOSE: &str = r#"
services:
  web:
    image: rt-watch-NAME
    build: {context: ., dockerfile_inline: "FROM busybox\nCOPY src /app"}
    command: ["sleep", "1000"]
    stop_signal: SIGKILL
    scale: 2
    develop:
      watch:
        - {path: ./src, action: sync, target: /app, ignore: [skipped], initial_sync: true}
        - {path: ./conf, action: sync+restart, target: /conf}
        - {path: ./hook, action: sync+exec, target: /hook, exec: {command: ["touch", "/ran"]}}
        - {path: ./Rebuild, action: rebuild}
"#;

fn stack() -> Stack {
    let name = std::process::id().to_string();
    let stack = Stack::new("watch", &COMPOSE.replace("NAME", &name));
    for file in ["src/a", "src/skipped/x", "conf/c", "hook/h", "Rebuild"] {
        stack.write(file, "1");
    }
    stack
}

/// What a replica's file says; nothing where it has none.
fn read(stack: &Stack, number: u32, file: &str) -> String {
    let words = format!("exec -T --index {number} web cat {file}");
    stack.run(&words).stdout
}

/// Waits until both replicas have a file with this content, or none.
#[track_caller]
fn reaches(stack: &Stack, file: &str, content: &str) {
    eventually(&format!("{file} is {content:?}"), || {
        let both = [1, 2].iter().all(|n| read(stack, *n, file) == content);
        both.then_some(())
    });
}

#[test]
fn all_actions() {
    let stack = stack();
    let mut watching = stack.start("watch");
    eventually("it watches", || {
        watching.stdout().contains("Watch enabled").then_some(())
    });
    let before = stack.ids("web");
    assert!(stack.of("web").iter().all(|c| c.state == "running"));
    stack.write("src/a", "2");
    reaches(&stack, "/app/a", "2");
    stack.write("src/new/deep", "3");
    stack.write("src/skipped/x", "3");
    reaches(&stack, "/app/new/deep", "3");
    // An editor's save.
    stack.write("src/.a.swp", "4");
    fs::rename(stack.path().join("src/.a.swp"), stack.path().join("src/a")).expect("a file");
    reaches(&stack, "/app/a", "4");
    fs::remove_dir_all(stack.path().join("src/new")).expect("a directory");
    reaches(&stack, "/app/new/deep", "");
    assert_eq!(read(&stack, 1, "/app/.a.swp"), "");
    assert_eq!(read(&stack, 1, "/app/skipped/x"), "1");
    let line =
        "Syncing service \"web\" after 1 changes were detected: src/a → /app/a (2 containers, ";
    assert!(watching.stdout().contains(line), "{}", watching.stdout());

    stack.write("hook/h", "2");
    reaches(&stack, "/hook/h", "2");
    eventually("the command has run", || {
        stack
            .exec("web", "test -e /ran")
            .status
            .success()
            .then_some(())
    });
    stack.write("conf/c", "2");
    let restarted = "service(s) [\"web\"] restarted";
    eventually("it is restarted", || {
        watching.stdout().contains(restarted).then_some(())
    });
    reaches(&stack, "/conf/c", "2");
    assert_eq!(stack.ids("web"), before);

    stack.write(
        "compose.yaml",
        &fs::read_to_string(stack.path().join("compose.yaml")).expect("a file"),
    );
    eventually("the changed file is told", || {
        watching
            .stderr()
            .contains("compose.yaml has changed")
            .then_some(())
    });
    // One watcher a project.
    let second = stack.run("watch --no-up").code(1);
    let words = format!(
        "cannot take exclusive lock for project \"{}\": process with PID ",
        stack.name
    );
    assert!(second.stderr.starts_with(&words), "{second}");

    stack.write("Rebuild", "2");
    let built = "service(s) [\"web\"] successfully built";
    eventually("it is rebuilt", || {
        watching.stdout().contains(built).then_some(())
    });
    assert_ne!(stack.ids("web"), before);
    assert!(stack.of("web").iter().all(|c| c.state == "running"));
    assert_eq!(read(&stack, 1, "/app/a"), "4");
    stack.run("down --rmi all").success();
}

#[test]
fn nothing_to_watch() {
    let stack = Stack::new(
        "unwatched",
        "services: {web: {image: busybox, command: [sleep, '9']}}",
    );
    for command in ["watch", "up --watch"] {
        let refused = stack.run(command).code(1);
        let words = "none of the selected services is configured for watch";
        assert!(refused.stderr.starts_with(words), "{refused}");
    }
    assert!(stack.containers().is_empty());
    let refused = stack.run("up -d --watch").code(1);
    assert!(
        refused
            .stderr
            .starts_with("--detach cannot be combined with"),
        "{refused}"
    );
}

#[test]
fn a_foreground_up_turns_it_on_and_off() {
    let stack = stack();
    let mut terminal = stack.command("up").on_terminal(24, 100);
    terminal.shows("Enable Watch");
    terminal.types("w");
    terminal.shows("Disable Watch");
    // What is to be there from the first moment on is brought along.
    reaches(&stack, "/app/a", "1");
    stack.write("src/a", "2");
    reaches(&stack, "/app/a", "2");
    terminal.types("w");
    terminal.shows("Watch disabled");
    terminal.shows("Enable Watch");
    stack.write("src/a", "3");
    terminal.types("w");
    terminal.shows("Disable Watch");
    reaches(&stack, "/app/a", "3");
    terminal.types("\x03");
    assert_eq!(terminal.ends(), Some(130));
    assert!(stack.of("web").iter().all(|c| c.state == "exited"));
}

#[test]
fn a_foreground_up_says_that_there_is_nothing_to_watch() {
    let stack = Stack::new(
        "nowatch",
        "services: {web: {image: busybox, command: [sleep, '1000'], stop_signal: SIGKILL}}",
    );
    let mut terminal = stack.command("up").on_terminal(24, 100);
    terminal.shows("Enable Watch");
    terminal.types("w");
    terminal.shows("none of the selected services is configured for watch");
    terminal.types("d");
    assert_eq!(terminal.ends(), Some(0));
}
