//! Models, through a plugin that only writes down what it is asked.

use crate::support::Stack;
use std::os::unix::fs::PermissionsExt;

const COMPOSE: &str = r#"
services:
  short:
    image: busybox
    command: ["sleep", "1000"]
    stop_signal: SIGKILL
    models: [small-one]
  long:
    image: busybox
    command: ["sleep", "1000"]
    stop_signal: SIGKILL
    models:
      small-one: { endpoint_var: AT, model_var: WHICH }
      there: {}
models:
  small-one:
    model: ai/small
    context_size: 1024
    runtime_flags: ["--a", "--b"]
  there:
    model: ai/there
"#;

const PLUGIN: &str = r#"#!/bin/sh
[ "$1" = docker-cli-plugin-metadata ] && { echo '{"SchemaVersion":"0.1.0","Vendor":"x","Version":"v1.1.0"}'; exit; }
echo "$*" >> CALLS
case $1 in
  ls) echo '[{"id":"1","tags":["ai/there"]}]';;
  status) echo '{"running":true,"endpoint":"http://models.example/v1"}';;
esac
"#;

#[test]
fn services_are_told_of_their_models() {
    let stack = Stack::new("models", COMPOSE);
    let config = stack.path().join("config").display().to_string();
    let up = || stack.command("up -d").env("DOCKER_CONFIG", &config).run();
    let missing = up().code(1);
    missing.says(&[
        "compose.yaml:13:",
        "compose.yaml:14:",
        "docker-model",
        "docker-model-plugin",
    ]);
    assert!(stack.containers().is_empty());

    let calls = stack.path().join("calls");
    let text = PLUGIN.replace("CALLS", &calls.display().to_string());
    let plugin = stack.write("config/cli-plugins/docker-model", &text);
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&plugin, executable).expect("permissions");
    up().success();
    let calls = std::fs::read_to_string(&calls).expect("calls");
    let asked = |line: &str| calls.lines().filter(|l| *l == line).count();
    assert_eq!(asked("pull ai/small"), 1, "{calls}");
    assert_eq!(asked("pull ai/there"), 0, "{calls}");
    assert_eq!(
        asked("configure --context-size 1024 ai/small -- --a --b"),
        1,
        "{calls}"
    );
    assert_eq!(asked("configure ai/there"), 1, "{calls}");
    assert_eq!(
        stack.shell("short", "echo $SMALL_ONE_URL $SMALL_ONE_MODEL"),
        "http://models.example/v1 ai/small"
    );
    assert_eq!(
        stack.shell("long", "echo $AT $WHICH $THERE_URL $THERE_MODEL"),
        "http://models.example/v1 ai/small http://models.example/v1 ai/there"
    );
    let before = stack.one("long").id;
    up().success();
    assert_eq!(stack.one("long").id, before);
}
