//! Projects that Docker Compose made, and Docker Compose on ours.

use crate::required;
use crate::support::run::Program;
use crate::support::{Container, Output, Stack};
use std::path::Path;

const COMPOSE: &str = r#"
services:
  web:
    image: busybox
    command: ["sleep", "1000"]
    stop_signal: SIGKILL
    environment: { A: "1", B: "x=y" }
    labels: { com.example.note: "a note" }
    ports: ["127.0.0.1::80"]
    depends_on: [db]
    volumes: ["data:/data", "./conf:/conf:ro"]
    restart: unless-stopped
    deploy: { replicas: 2 }
  db:
    image: busybox
    command: sleep 1000
    stop_signal: SIGKILL
    healthcheck: { test: ["CMD", "true"], interval: 1s }
    networks: { default: { aliases: [database] } }
volumes:
  data:
"#;

/// What Docker Compose says, which must go well.
#[track_caller]
fn peer(compose: &Path, stack: &Stack, words: &str) -> Output {
    let command = Program::new(&compose.display().to_string(), stack.path())
        .env("DOCKER_HOST", &stack.engine.host());
    command
        .args(["-p", &stack.name])
        .args(words.split_whitespace())
        .run()
        .success()
}

fn ids(list: &[Container]) -> Vec<&str> {
    list.iter().map(|c| c.id.as_str()).collect()
}

#[test]
fn what_docker_compose_made_is_not_recreated() {
    let Some(compose) = required::plugin("docker-compose") else {
        return;
    };
    let stack = Stack::new("adopt", COMPOSE);
    stack.write("conf/file", "text");
    peer(&compose, &stack, "up -d");
    let before = stack.containers();
    assert_eq!(before.len(), 3);
    stack.plans(0);
    stack.up("");
    assert_eq!(ids(&stack.containers()), ids(&before));
    stack.up("--scale web=3");
    assert_eq!(stack.numbers("web"), [1, 2, 3]);
    stack.run("down -v").success();
    assert!(stack.containers().is_empty());
    assert!(
        stack.engine.networks(&stack.name).is_empty()
            && stack.engine.volumes(&stack.name).is_empty()
    );
}

#[test]
fn docker_compose_goes_on_with_what_we_made() {
    let Some(compose) = required::plugin("docker-compose") else {
        return;
    };
    let stack = Stack::new("handed", COMPOSE);
    stack.write("conf/file", "text");
    stack.up("");
    let shown = peer(&compose, &stack, "ps -q");
    assert_eq!(shown.lines().len(), 3, "{shown}");
    peer(&compose, &stack, "stop web");
    assert!(stack.of("web").iter().all(|c| c.state == "exited"));
    peer(&compose, &stack, "down -v");
    assert!(stack.containers().is_empty());
    assert!(
        stack.engine.networks(&stack.name).is_empty()
            && stack.engine.volumes(&stack.name).is_empty()
    );
}

/// The same binary as `docker compose`, by way of the docker program's plugin protocol.
#[test]
fn stands_in_as_dockers_plugin() {
    let stack = Stack::new("plugin", COMPOSE);
    stack.write("conf/file", "text");
    let plugin = stack.path().join("cli-plugins/docker-compose");
    std::fs::create_dir_all(plugin.parent().expect("a directory")).expect("a directory");
    std::os::unix::fs::symlink(crate::support::run::under_test(), &plugin).expect("a link");
    let run = |words: &str| {
        Program::new(&plugin.display().to_string(), stack.path())
            .env("DOCKER_HOST", &stack.engine.host())
            // As the docker program sets it for its plugins.
            .env("DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND", "docker")
            .args(words.split_whitespace())
            .run()
    };
    let about: serde_json::Value =
        serde_json::from_str(&run("docker-cli-plugin-metadata").success().stdout).expect("JSON");
    assert_eq!(
        (
            &about["SchemaVersion"],
            about["Vendor"].as_str().is_some_and(|v| !v.is_empty())
        ),
        (&"0.1.0".into(), true)
    );
    let host = stack.engine.host();
    run(&format!("-H {host} compose -p {} up -d", stack.name)).success();
    assert_eq!(stack.numbers("web"), [1, 2]);
    run(&format!("compose -p {} down -v", stack.name)).success();
    assert!(stack.containers().is_empty());
}
