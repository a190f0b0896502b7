//! `run`: containers that are no replicas.

use crate::support::run::Output;
use crate::support::{Container, Stack, eventually};
use serde_json::Value;
use std::collections::BTreeMap;

const COMPOSE: &str = r#"
services:
  web:
    image: busybox
    init: true
    command: ["sleep", "100000"]
    stop_signal: SIGKILL
    container_name: NAME-web
    environment: { LEVEL: one, ASIDE: two }
    restart: always
    ports: ["127.0.0.1::80"]
    volumes: ["data:/data"]
    cap_add: [NET_ADMIN]
    depends_on: { db: { condition: service_healthy } }
    networks: { default: { aliases: [www] } }
  db:
    image: busybox
    init: true
    command: ["sh", "-c", "sleep 1; touch /ready; sleep 100000"]
    stop_signal: SIGKILL
    healthcheck: { test: ["CMD", "test", "-e", "/ready"], interval: 200ms, retries: 200 }
volumes: { data: {} }
"#;

fn stack(topic: &str) -> Stack {
    let stack = Stack::new(topic, "");
    let text = COMPOSE.replace("NAME", &stack.name);
    stack.write("compose.yaml", &text);
    stack
}

/// The project's one-offs.
fn one_offs(stack: &Stack) -> Vec<Container> {
    let mut all = stack.containers();
    all.retain(|c| c.labels["com.docker.compose.oneoff"] == "True");
    all
}

/// The environment that `env` prints.
fn variables(output: &Output) -> BTreeMap<&str, &str> {
    let lines = output.stdout.lines();
    lines.filter_map(|line| line.split_once('=')).collect()
}

#[test]
fn what_it_depends_on_is_up_first_and_it_is_no_replica() {
    let stack = stack("run");
    let out = stack.run("run -T web sh -c id").success();
    assert!(out.stdout.contains("uid=0"), "{out}");
    assert!(stack.one("db").status.contains("(healthy)"));
    let web = one_offs(&stack);
    assert_eq!(web.len(), 1, "{web:?}");
    let (labels, project) = (&web[0].labels, &stack.name);
    let label = |key: &str| labels.get(&format!("com.docker.compose.{key}"));
    let slug = label("slug").expect("a slug");
    assert_eq!(slug.len(), 64);
    assert_eq!(web[0].name, format!("{project}-web-run-{}", &slug[..12]));
    assert_eq!(label("container-number"), None);
    assert_eq!(label("service").map(String::as_str), Some("web"));
    assert_eq!(label("config-hash").map(String::len), Some(64));
    assert_eq!(
        label("depends_on").map(String::as_str),
        Some("db:service_healthy:false")
    );
    let made = stack.engine.inspect(&web[0].id);
    assert_eq!(made["HostConfig"]["RestartPolicy"]["Name"], "no");
    let ports = made["HostConfig"]["PortBindings"].as_object();
    assert!(ports.is_none_or(|ports| ports.is_empty()), "{ports:?}");
    assert_eq!(
        made["HostConfig"]["Binds"][0],
        format!("{project}_data:/data:rw")
    );
    for key in ["AttachStdin", "OpenStdin", "StdinOnce"] {
        assert_eq!(made["Config"][key], true, "{key}");
    }
    let aliases = |made: &Value| {
        let network = &made["NetworkSettings"]["Networks"][format!("{project}_default")];
        network["Aliases"].clone()
    };
    assert_eq!(aliases(&made), serde_json::json!([web[0].name]));

    // What has ended stays, and is no replica for anybody.
    stack.up("");
    let replica = stack.of("web").into_iter().find(|c| c.number == 1);
    assert_eq!(replica.expect("a replica").name, format!("{project}-web"));
    assert_eq!(one_offs(&stack).len(), 1);
    let name = format!("{project}-mine");
    let again = format!("run -d --use-aliases --name {name} web sleep 100000");
    let out = stack.run(&again).success();
    let made = stack.engine.inspect(&name);
    assert_eq!(made["Id"].as_str(), Some(out.stdout.trim()));
    assert_eq!(aliases(&made), serde_json::json!([name, "web", "www"]));
    stack.run(&again).code(1).says(&[
        &format!("The container name \"/{name}\" is already in use"),
        "give another --name",
    ]);
    for words in [
        "up -d",
        "stop",
        "start",
        "restart -t 0",
        "up -d --force-recreate",
        "rm -f",
    ] {
        stack.run(words).success();
        assert_eq!(
            stack.engine.inspect(&name)["State"]["Running"],
            true,
            "{words}"
        );
    }
    stack.run("up -d --remove-orphans").success();
    assert_eq!(one_offs(&stack).len(), 1, "the one that runs stays");
    stack.run("down -t 0").success();
    assert_eq!(stack.containers(), []);
    assert_eq!(stack.engine.networks(&stack.name), Vec::<String>::new());
}

#[test]
fn its_exit_code_and_signals_are_those_of_the_process() {
    let stack = stack("run-code");
    stack.up("db");
    let line = |text: &str| stack.command("run --rm -T web sh -c").args([text]).run();
    assert_eq!(
        line("echo out; echo err >&2; exit 5").code(5).stdout,
        "out\n"
    );
    line("kill -9 $$").code(137);
    for (signal, code) in [("TERM", 7), ("INT", 8), ("HUP", 9), ("USR1", 10)] {
        let text = "trap 'exit 7' TERM; trap 'exit 8' INT; trap 'exit 9' HUP; trap 'exit 10' USR1; \
                    echo ready; while :; do sleep 0.1; done";
        stack.write("line.sh", text);
        let mut running = stack.start("run --rm -T -v ./line.sh:/line.sh web sh /line.sh");
        eventually("it runs", || {
            running.stdout().contains("ready").then_some(())
        });
        running.signal(signal);
        let status = eventually("it ends", || running.ended());
        assert_eq!(status.code(), Some(code), "{signal}");
    }
    assert_eq!(one_offs(&stack), []);
    // A process that cannot be started, by Docker's own codes.
    stack.edit(
        "    init: true\n    command: [\"sleep\"",
        "    command: [\"sleep\"",
    );
    stack
        .run("run --rm web /nope")
        .code(127)
        .says(&["no such file or directory"]);
    stack
        .run("run --rm web /etc")
        .code(126)
        .says(&["permission denied"]);
    assert_eq!(one_offs(&stack), []);
}

#[test]
fn flags_change_the_one_container() {
    let stack = stack("run-flags");
    stack.up("db");
    stack.write("vars", "LEVEL=file\nFROM=${LEVEL}\nGIVEN=file\nBARE\n");
    stack.write("given/file", "content");
    let out = stack
        .command("run --rm -T -e GIVEN=flag -e HOST -e NONE --env-from-file vars -u 7:8 -w /tmp web sh -c")
        .args(["env; id; pwd"])
        .env("HOST", "here")
        .run()
        .success();
    let vars = variables(&out);
    for (name, value) in [
        ("LEVEL", Some("file")),
        ("ASIDE", Some("two")),
        ("GIVEN", Some("flag")),
        ("HOST", Some("here")),
        ("NONE", None),
    ] {
        assert_eq!(vars.get(name).copied(), value, "{name}: {out}");
    }
    assert!(
        out.stdout.contains("uid=7 gid=8") && out.stdout.contains("/tmp"),
        "{out}"
    );
    stack
        .run("run --env-from-file nope web true")
        .code(1)
        .says(&["open nope: no such file"]);

    let name = format!("{}-flags", stack.name);
    let words = format!(
        "run -d --name {name} -v ./given:/given -v {name}-own:/own -v /fresh -p 127.0.0.1::81 -l mine=1 \
         --cap-add SYS_TIME --cap-drop NET_ADMIN --entrypoint sleep web 100000"
    );
    stack.run(&words).success();
    let made = stack.engine.inspect(&name);
    let host = &made["HostConfig"];
    assert_eq!(made["Config"]["Entrypoint"], serde_json::json!(["sleep"]));
    assert_eq!(made["Config"]["Labels"]["mine"], "1");
    assert_eq!(host["CapAdd"], serde_json::json!(["CAP_SYS_TIME"]));
    assert_eq!(host["CapDrop"], serde_json::json!(["CAP_NET_ADMIN"]));
    let ports = host["PortBindings"].as_object().expect("ports");
    assert_eq!(ports.keys().collect::<Vec<_>>(), ["81/tcp"]);
    let mounts = made["Mounts"].as_array().expect("mounts");
    let targets: Vec<&str> = mounts
        .iter()
        .filter_map(|m| m["Destination"].as_str())
        .collect();
    for target in ["/data", "/given", "/own", "/fresh"] {
        assert!(targets.contains(&target), "{targets:?}");
    }
    let given = stack.path().join("given").canonicalize().expect("a path");
    let bound = mounts.iter().find(|m| m["Destination"] == "/given");
    let bound = bound.and_then(|m| m["Source"].as_str()).expect("a source");
    assert_eq!(
        std::path::Path::new(bound).canonicalize().expect("a path"),
        given
    );
    stack
        .run(&format!("run --rm -P --name {name}-ports web sh -c true"))
        .success();
    stack.run("down -v -t 0").success();
    let own = format!("/volumes/{name}-own");
    assert!(stack.engine.has(&own), "the project does not declare it");
    let _ = stack.engine.request("DELETE", &own, b"");

    for (words, said) in [
        ("run", "requires at least 1 arg(s), only received 0"),
        ("run nope", "no such service: nope"),
        ("run -l mine web", "label must be set as KEY=VALUE"),
        ("run -t -T web", "--tty and --no-tty can't be used together"),
        (
            "run -P -p 80 web",
            "--service-ports and --publish are incompatible",
        ),
        ("run -p nonsense web", "Invalid containerPort: nonsense"),
        ("run -v aa::b web", "empty section between colons"),
        (
            "run -v ./a:b web",
            "--volume ./a:b: the path in the container, `b`, is not absolute",
        ),
        (
            "run --pull sometimes web",
            "invalid --pull option \"sometimes\"",
        ),
        ("run --nope web", "unknown flag: --nope"),
    ] {
        stack.run(words).code(1).says(&[said]);
    }
    assert_eq!(stack.containers(), []);
}

#[test]
fn a_port_that_a_replica_publishes_is_told_before_anything_is_done() {
    let stack = Stack::new(
        "run-ports",
        r#"
services:
  web: { image: busybox, init: true, command: ["sleep", "100000"], stop_signal: SIGKILL, ports: ["127.0.0.1:48211:80"] }
"#,
    );
    stack.up("");
    stack.run("run -P web true").code(1).says(&[
        "port is already allocated",
        &format!("container {}-web-1 publishes it", stack.name),
        "compose.yaml:3:",
    ]);
    assert_eq!(stack.containers().len(), 1);
    stack.run("run --rm web true").success();
}

#[test]
fn where_what_it_depends_on_fails_nothing_is_created() {
    let stack = Stack::new(
        "run-fails",
        r#"
services:
  web: { image: busybox, command: ["true"], depends_on: { job: { condition: service_completed_successfully } } }
  beside: { image: busybox, command: ["true"], depends_on: [job] }
  job: { image: busybox, command: ["false"] }
"#,
    );
    stack.run("run --rm beside true").success();
    stack.run("run --rm web true").code(1).says(&["job"]);
    assert_eq!(one_offs(&stack), []);
    stack.run("run --rm --no-deps web true").success();
    let shown = stack.run("--dry-run run --no-deps web true").success();
    shown.says(&[&format!("create container {}-web-run-", stack.name)]);
    assert_eq!(one_offs(&stack), []);
}

#[test]
fn hooks_run_in_it_once_it_has_started() {
    let stack = Stack::new(
        "run-hooks",
        r#"
services:
  web:
    image: busybox
    init: true
    stop_signal: SIGKILL
    command: ["sh", "-c", "until [ -e /hooked ]; do sleep 0.1; done; cat /hooked"]
    post_start: [{ command: ["sh", "-c", "echo $$WHO > /hooked"], environment: { WHO: hook } }]
    pre_start: [{ command: ["false"] }]
"#,
    );
    let out = stack.run("run --rm -T web").success();
    assert_eq!(out.stdout, "hook\n");
    stack.edit("echo $$WHO > /hooked", "echo x > /hooked; exit 3");
    let failed = stack.run("run --rm -T web").code(1);
    failed.says(&["web hook exited with status 3"]);
}

/// A `run --rm` that is killed between its creation and its start leaves a container that the engine
/// does not remove: the next command does.
#[test]
fn what_a_killed_run_has_left_is_cleared_away() {
    let stack = stack("run-killed");
    let name = format!("{}-first", stack.name);
    stack
        .run(&format!("run -d --rm --name {name} web sleep 100000"))
        .success();
    let labels = stack.engine.inspect(&name)["Config"]["Labels"].clone();
    let leave = || {
        let body = serde_json::json!({
            "Image": "busybox", "Labels": labels, "HostConfig": { "AutoRemove": true },
        });
        let path = format!("/containers/create?name={}-left", stack.name);
        stack.engine.post(&path, &body.to_string());
    };
    let left = format!("/containers/{}-left/json", stack.name);
    for words in ["up -d", "create", "run --rm web true", "down -t 0"] {
        leave();
        stack.run(words).success();
        assert!(!stack.engine.has(&left), "{words}");
    }
    assert_eq!(stack.containers(), []);
}

/// Services in profiles can be run without them, and what they leave goes with the project.
#[test]
fn a_service_in_a_profile_is_run_and_taken_down() {
    let stack = Stack::new(
        "run-profile",
        r#"
services:
  web: { image: busybox, init: true, command: ["sleep", "100000"], stop_signal: SIGKILL }
  tool: { image: busybox, init: true, command: ["sleep", "100000"], stop_signal: SIGKILL, profiles: [tools] }
"#,
    );
    stack.run("run -d tool").success();
    stack.run("run --rm tool true").success();
    assert_eq!(one_offs(&stack).len(), 1);
    stack.run("down -t 0").success();
    assert_eq!(stack.containers(), []);
    // The same where no file tells of it.
    stack.run("run -d tool").success();
    let elsewhere = tempfile::tempdir().expect("a directory");
    let words = ["-p", &stack.name, "down", "-t", "0"];
    let program = crate::support::run::under_test();
    crate::support::run::Program::new(&program, elsewhere.path())
        .env("DOCKER_HOST", &stack.engine.host())
        .args(words)
        .run()
        .success();
    assert_eq!(stack.containers(), []);
}
