//! `pre_start` hooks on a real engine.

use crate::support::{Container, Stack, eventually};
use serde_json::Value;

const COMPOSE: &str = r#"
services:
  web:
    image: busybox
    command: ["sleep", "1000"]
    stop_signal: SIGKILL
    init: true
    volumes: ["data:/data"]
    environment: {WHO: service}
    pre_start:
      - command: ["sh", "-c", "echo first $$WHO >> /data/story"]
      - command: ["sh", "-c", "echo second $$WHO $$(pwd) >> /data/story; nslookup web; exit 0"]
        environment: {WHO: hook}
        working_dir: /tmp
        user: "0"
volumes: {data: {}}
"#;

/// What the engine says of a container that may be removed at any moment.
fn details(stack: &Stack, container: &Container) -> Value {
    let path = format!("/containers/{}/json", container.id);
    match stack.engine.request("GET", &path, b"") {
        Ok((200, body)) => serde_json::from_slice(&body).expect("JSON"),
        _ => Value::Null,
    }
}

/// Containers of hooks, in whatever state.
fn hooks(stack: &Stack) -> Vec<Container> {
    let mut found = stack.containers();
    found.retain(|c| {
        details(stack, c)["Config"]["Labels"]["com.docker.compose.hook"] == "pre_start"
    });
    found
}

#[test]
fn they_run_once_before_the_service() {
    let stack = Stack::new("pre", COMPOSE);
    stack.up("");
    let story = |expected: &str| assert_eq!(stack.shell("web", "cat /data/story"), expected);
    let once = "first service\nsecond hook /tmp";
    story(once);
    assert_eq!(stack.containers().len(), 1, "hooks leave nothing behind");
    stack.plans(0);
    stack.up("--scale web=2");
    story(once);
    // With no replica left running they come again.
    stack.edit("WHO: service", "WHO: again");
    stack.up("");
    story(&format!("{once}\nfirst again\nsecond hook /tmp"));
    stack.run("stop").success();
    // With the name alone nobody would know of hooks: labels do not tell.
    stack.run("-f compose.yaml start").success();
    story(&format!(
        "{once}\nfirst again\nsecond hook /tmp\nfirst again\nsecond hook /tmp"
    ));
}

#[test]
fn a_failure_is_shown_and_its_container_kept() {
    let stack = Stack::new("prefail", COMPOSE);
    stack.edit("exit 0", "echo no such table >&2; exit 3");
    let failed = stack.run("up -d").code(1);
    for words in [
        "compose.yaml:12",
        "services.web.pre_start[1].command",
        "exited (3)",
        "no such table",
        "docker logs",
    ] {
        assert!(failed.stderr.contains(words), "{words}: {failed}");
    }
    let [kept] = hooks(&stack).try_into().expect("one hook's container");
    assert_eq!(kept.state, "exited");
    assert!(failed.stderr.contains(&kept.id[..12]), "{failed}");
    let [replica] = stack
        .of("web")
        .into_iter()
        .filter(|c| c.id != kept.id)
        .collect::<Vec<_>>()
        .try_into()
        .expect("one replica");
    assert_eq!(replica.state, "created");
    // A command that is not there.
    stack.edit(
        "[\"sh\", \"-c\", \"echo first",
        "[\"nosuch\", \"-c\", \"echo first",
    );
    let failed = stack.run("up -d").code(1);
    assert!(failed.stderr.contains("pre_start[0].command"), "{failed}");
    assert!(
        hooks(&stack).is_empty(),
        "it never ran, so there is nothing to look at"
    );
    stack.edit("nosuch", "sh");
    stack.run("up -d").code(1);
    assert_eq!(hooks(&stack).len(), 1);
    stack.run("down -v").success();
    assert!(stack.containers().is_empty());
}

#[test]
fn a_signal_and_a_kill_in_a_hook() {
    let stack = Stack::new("presig", COMPOSE);
    stack.edit("exit 0", "sleep 1000");
    let mut up = stack.start("up -d");
    let reached = || hooks(&stack).into_iter().find(|c| c.state == "running");
    eventually("a hook runs", reached);
    up.signal("INT");
    let ended = eventually("it ends", || up.ended());
    assert_eq!(ended.code(), Some(130), "{}", up.stderr());
    assert!(hooks(&stack).is_empty(), "the hook was broken off");

    let mut up = stack.start("up -d");
    let left = eventually("the second hook runs", || {
        let second = reached()?;
        let command = details(&stack, &second)["Config"]["Cmd"].to_string();
        let is_second = command.contains("sleep 1000");
        is_second.then_some(second)
    });
    up.signal("KILL");
    eventually("it ends", || up.ended());
    assert_eq!(hooks(&stack).len(), 1);
    stack.edit("sleep 1000", "exit 0");
    stack.up("");
    assert!(!stack.containers().iter().any(|c| c.id == left.id));
    assert_eq!(stack.one("web").state, "running");
}
