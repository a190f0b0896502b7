//! Volumes, by what they hold.

use crate::support::{Stack, eventually};

const COMPOSE: &str = r#"
services:
  app:
    image: busybox
    command: ["sleep", "1000"]
    stop_signal: SIGKILL
    environment: { VERSION: "1" }
    volumes:
      - data:/data
      - kept:/kept
volumes:
  data:
  kept:
    external: true
    name: KEPT
"#;

/// A volume nobody's project made, gone when the scenario ends.
struct External<'a>(&'a Stack, String);

impl<'a> External<'a> {
    fn new(stack: &'a Stack) -> External<'a> {
        let name = format!("{}-external", stack.name);
        stack
            .engine
            .post("/volumes/create", &format!(r#"{{"Name":"{name}"}}"#));
        stack.edit("KEPT", &name);
        External(stack, name)
    }
}

impl Drop for External<'_> {
    fn drop(&mut self) {
        self.0.engine.sweep(&self.0.name);
        let _ = self
            .0
            .engine
            .request("DELETE", &format!("/volumes/{}", self.1), b"");
    }
}

#[test]
fn data_outlives_containers() {
    let stack = Stack::new("volumes", COMPOSE);
    let external = External::new(&stack);
    stack.up("");
    stack.shell(
        "app",
        "echo precious > /data/file; echo foreign > /kept/file",
    );
    let holds = |why: &str| {
        assert_eq!(
            stack.shell("app", "cat /data/file /kept/file"),
            "precious\nforeign",
            "after {why}"
        )
    };

    stack.edit("VERSION: \"1\"", "VERSION: \"2\"");
    let before = stack.one("app").id;
    stack.up("");
    assert_ne!(stack.one("app").id, before);
    holds("recreate");
    stack.up("--scale app=3");
    stack.up("--scale app=1");
    holds("scaling up and down");
    stack.run("down").success();
    assert!(stack.containers().is_empty());
    stack.up("");
    holds("down and up");

    stack.run("down -v").success();
    assert!(stack.engine.volumes(&stack.name).is_empty());
    assert!(
        stack.engine.has(&format!("/volumes/{}", external.1)),
        "an external volume was removed"
    );
    stack.up("");
    stack.exec("app", "cat /data/file").code(1);
    assert_eq!(stack.shell("app", "cat /kept/file"), "foreign");
}

#[test]
fn other_projects_are_not_touched() {
    let compose = "services:\n  app:\n    image: busybox\n    command: [sleep, '1000']\n    stop_signal: SIGKILL\n    volumes: ['data:/data']\nvolumes:\n  data:\n";
    let (mine, other) = (Stack::new("mine", compose), Stack::new("other", compose));
    mine.up("");
    other.up("");
    let before = other.one("app");
    mine.run("down -v --remove-orphans --rmi local").success();
    assert!(mine.engine.volumes(&mine.name).is_empty());
    assert_eq!(other.one("app").id, before.id);
    assert_eq!(other.one("app").state, "running");
    assert_eq!(other.engine.volumes(&other.name).len(), 1);
}

#[test]
fn a_missing_external_volume_is_named() {
    let stack = Stack::new("absent", COMPOSE);
    stack.edit("KEPT", "regatta-no-such-volume");
    stack.run("up -d").code(1).says(&["regatta-no-such-volume"]);
    assert!(stack.of("app").iter().all(|c| c.state != "running"));
}

#[test]
fn a_question_nobody_answers_hears_the_signal() {
    let compose = "services:\n  app:\n    image: busybox\n    command: [sleep, '1000']\n    stop_signal: SIGKILL\n    volumes: ['data:/data']\nvolumes:\n  data:\n    labels: {version: '1'}\n";
    let stack = Stack::new("asked", compose);
    stack.up("");
    let before = stack.one("app").id;
    stack.edit("version: '1'", "version: '2'");
    for (command, question, code) in [
        ("up -d", "data", 130),
        ("rm -s app", "Going to remove", 130),
    ] {
        let mut asking = stack.start_unanswered(command);
        eventually("it asks", || {
            asking.stdout().contains(question).then_some(())
        });
        asking.signal("INT");
        let ended = eventually("it ends", || asking.ended());
        assert_eq!(ended.code(), Some(code), "{command}: {}", asking.stderr());
        assert_eq!(stack.one("app").id, before);
    }
}
