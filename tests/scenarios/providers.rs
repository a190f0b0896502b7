//! Services that a program provides.

use crate::support::Stack;
use std::os::unix::fs::PermissionsExt;

const COMPOSE: &str = r#"
services:
  app:
    image: busybox
    command: ["sleep", "1000"]
    stop_signal: SIGKILL
    environment: { KEY: own }
    depends_on: [db]
  db:
    provider:
      type: PROGRAM
      options:
        size: 256
        flavour: [one, two]
        unheard: of
"#;

/// Tells its parameters, writes down its calls, and speaks the protocol.
const PROGRAM: &str = r#"#!/bin/sh
[ "$2" = metadata ] && { echo '{"description":"d","up":{"parameters":[{"name":"size","required":true},{"name":"flavour"}]},"down":{"parameters":[]},"stop":{"parameters":[]}}'; exit; }
echo "$*" >> CALLS
echo '{"type":"info","message":"making it"}{"type":"debug","message":"x"}'
[ -e BROKEN ] && { echo '{"type":"error","message":"no more room"}'; exit 1; }
[ -e DYING ] && { echo "out of paper" >&2; exit 3; }
echo '{"type":"setenv","message":"URL=db://here?a=b"}'
echo '{"type":"rawsetenv","message":"KEY=given"}'
"#;

fn stack() -> Stack {
    let stack = Stack::new("providers", COMPOSE);
    let calls = stack.path().join("calls");
    let text = PROGRAM
        .replace("CALLS", &calls.display().to_string())
        .replace("BROKEN", &stack.path().join("broken").display().to_string())
        .replace("DYING", &stack.path().join("dying").display().to_string());
    let program = stack.write("provide", &text);
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&program, executable).expect("permissions");
    stack.edit("PROGRAM", &program.display().to_string());
    stack
}

#[test]
fn a_program_provides_a_service() {
    let stack = stack();
    let calls = || std::fs::read_to_string(stack.path().join("calls")).unwrap_or_default();
    let name = stack.name.clone();
    stack.plans(2);
    assert_eq!(calls(), "", "a plan asks nobody");
    let up =
        format!("compose --project-name={name} up --flavour=one --flavour=two --size=256 db\n");

    stack.up("").says(&["db", "making it"]);
    assert_eq!(calls(), up);
    assert_eq!(
        stack.shell("app", "echo $DB_URL $KEY"),
        "db://here?a=b given"
    );

    let before = stack.one("app").id;
    stack.up("");
    assert_eq!(calls(), up.repeat(2), "it is asked at every up");
    assert_eq!(stack.one("app").id, before, "its dependant stays");

    stack.run("-f compose.yaml stop").success();
    assert!(calls().ends_with(&format!("compose --project-name={name} stop db\n")));
    stack.run("-f compose.yaml down").success();
    assert!(calls().ends_with(&format!("compose --project-name={name} down db\n")));
    assert!(stack.containers().is_empty());
}

#[test]
fn a_provider_that_fails_is_named() {
    let stack = stack();
    stack.write("broken", "");
    let failed = stack.run("up -d").code(1);
    failed.says(&[
        "no more room",
        "compose.yaml:",
        "service app was not brought up",
    ]);
    assert!(stack.of("app").is_empty());

    std::fs::remove_file(stack.path().join("broken")).expect("a file");
    stack.write("dying", "");
    let failed = stack.run("up -d").code(1);
    failed.says(&["failed to create service provider", "out of paper"]);

    let program = stack.path().join("provide").display().to_string();
    stack.edit(&program, "no-such-provider");
    let failed = stack.run("up -d").code(1);
    failed.says(&[
        "\"no-such-provider\" does not exist",
        "docker-no-such-provider",
    ]);
}
