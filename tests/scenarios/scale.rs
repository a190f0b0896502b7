//! Replicas: numbers, what a change touches, what it keeps.

use crate::support::{Container, Stack};

const COMPOSE: &str = r#"
services:
  web:
    image: busybox
    command: ["sleep", "1000"]
    stop_signal: SIGKILL
    environment: { LEVEL: info }
    volumes: ["/anonymous"]
  db:
    image: busybox
    command: ["sleep", "1000"]
    stop_signal: SIGKILL
"#;

/// Where the anonymous volume of a container is.
fn volume(stack: &Stack, container: &Container) -> String {
    let details = stack.engine.inspect(&container.id);
    details["Mounts"][0]["Name"]
        .as_str()
        .expect("a volume")
        .to_owned()
}

#[test]
fn up_and_down_keeps_the_lowest_numbers() {
    let stack = Stack::new("scale", COMPOSE);
    stack.up("--scale web=3");
    let three = stack.ids("web");
    assert_eq!(stack.numbers("web"), [1, 2, 3]);
    let names: Vec<String> = stack.of("web").into_iter().map(|c| c.name).collect();
    let expected: Vec<String> = (1..4).map(|n| format!("{}-web-{n}", stack.name)).collect();
    assert_eq!(names, expected);

    stack.up("--scale web=5");
    assert_eq!(stack.numbers("web"), [1, 2, 3, 4, 5]);
    assert_eq!(stack.ids("web")[..3], three[..]);

    stack.up("--scale web=1");
    assert_eq!(stack.numbers("web"), [1]);
    assert_eq!(stack.ids("web"), three[..1]);

    stack.up("--scale web=0");
    assert!(stack.of("web").is_empty());
    assert_eq!(stack.one("db").state, "running");
}

#[test]
fn a_change_recreates_its_service_only() {
    let stack = Stack::new("change", COMPOSE);
    stack.up("--scale web=3");
    let (web, db) = (stack.of("web"), stack.one("db"));
    let volumes: Vec<String> = web.iter().map(|c| volume(&stack, c)).collect();
    for (n, one) in web.iter().enumerate() {
        let name = &one.name;
        let body =
            format!(r#"{{"AttachStdout":true,"Cmd":["sh","-c","echo {n} > /anonymous/mark"]}}"#);
        let exec = stack
            .engine
            .post(&format!("/containers/{name}/exec"), &body);
        let id = serde_json::from_slice::<serde_json::Value>(&exec).expect("JSON")["Id"].clone();
        stack.engine.post(
            &format!("/exec/{}/start", id.as_str().expect("an id")),
            r#"{"Detach":false}"#,
        );
    }

    stack.edit("LEVEL: info", "LEVEL: debug");
    stack.up("--scale web=3");
    let after = stack.of("web");
    assert_eq!(stack.numbers("web"), [1, 2, 3]);
    assert!(after.iter().all(|c| c.state == "running"));
    assert!(
        after
            .iter()
            .zip(&web)
            .all(|(new, old)| new.id != old.id && new.name == old.name)
    );
    assert_eq!(stack.one("db").id, db.id);
    assert_eq!(
        after.iter().map(|c| volume(&stack, c)).collect::<Vec<_>>(),
        volumes
    );
    assert_eq!(
        stack.shell("web", "cat /anonymous/mark; echo $LEVEL"),
        "0\ndebug"
    );
    assert_eq!(
        stack.containers().len(),
        4,
        "a temporary container was left"
    );
}

#[test]
fn plan_tells_and_does_not_touch() {
    let stack = Stack::new("plan", COMPOSE);
    stack.run("plan").code(2).says(&["web", "db"]);
    assert!(stack.containers().is_empty());
    assert!(stack.engine.networks(&stack.name).is_empty());
    stack.up("");
    stack.run("plan").code(0);
    let before = stack.containers();
    stack.edit("LEVEL: info", "LEVEL: debug");
    stack
        .run("plan")
        .code(2)
        .says(&["LEVEL", "info", "debug", "compose.yaml:7"]);
    let json = stack.run("plan --format json").code(2);
    let plan: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert!(plan.is_object(), "{json}");
    stack.run("--dry-run up -d").success();
    let ids = |list: &[Container]| list.iter().map(|c| c.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&stack.containers()), ids(&before));
}

#[test]
fn orphans_stay_until_asked() {
    let stack = Stack::new("orphan", COMPOSE);
    stack.up("");
    let text = std::fs::read_to_string(stack.path().join("compose.yaml")).expect("a file");
    let (without, _) = text.split_once("  db:").expect("db");
    stack.write("compose.yaml", without);
    stack
        .up("")
        .says(&["orphan", &format!("{}-db-1", stack.name)]);
    assert_eq!(stack.one("db").state, "running");
    stack.up("--remove-orphans");
    assert!(stack.of("db").is_empty());
    assert_eq!(stack.one("web").state, "running");
}

#[test]
fn the_command_scales_what_it_names() {
    let stack = Stack::new("scalecmd", COMPOSE);
    stack.edit(
        "  db:",
        "    depends_on: [db]\n  other:\n    image: busybox\n  db:",
    );
    stack.run("scale --no-deps web=1").success();
    assert_eq!((stack.of("db").len(), stack.of("web").len()), (0, 1));
    let first = stack.ids("web");
    stack.run("scale web=3").success();
    assert_eq!(stack.numbers("web"), [1, 2, 3]);
    assert_eq!(stack.ids("web")[..1], first[..]);
    assert_eq!(stack.one("db").state, "running");
    assert!(stack.of("other").is_empty());
    for (words, error) in [
        ("scale web", "invalid scale specifier: web"),
        ("scale web=1 nobody=2", "no such service: nobody"),
    ] {
        stack.run(words).code(1).says(&[error]);
    }
    assert_eq!(stack.ids("web").len(), 3);
}
