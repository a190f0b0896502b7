//! What cannot work is refused with what, where, why; and nothing is changed.

use crate::support::private::Private;
use crate::support::{Engine, Stack, eventually};

/// A file that is wrong, and what the refusal must name.
struct Wrong {
    name: &'static str,
    compose: &'static str,
    says: &'static [&'static str],
}

const WRONG: &[Wrong] = &[
    Wrong {
        name: "undefined dependency",
        compose: "services:\n  app:\n    image: busybox\n    depends_on: [nobody]\n",
        says: &["app", "nobody", "compose.yaml:4"],
    },
    Wrong {
        name: "undefined network",
        compose: "services:\n  app:\n    image: busybox\n    networks: [nowhere]\n",
        says: &["app", "nowhere", "compose.yaml:4"],
    },
    Wrong {
        name: "undefined volume",
        compose: "services:\n  app:\n    image: busybox\n    volumes:\n      - nothing:/data\n",
        says: &["nothing", "compose.yaml:5"],
    },
    Wrong {
        name: "cycle",
        compose: "services:\n  a: { image: busybox, depends_on: [b] }\n  b: { image: busybox, depends_on: [c] }\n  c: { image: busybox, depends_on: [a] }\n",
        says: &["a", "b", "c", "compose.yaml:"],
    },
    Wrong {
        name: "missing env file",
        compose: "services:\n  app:\n    image: busybox\n    env_file: absent.env\n",
        says: &["absent.env"],
    },
    Wrong {
        name: "required variable",
        compose: "services:\n  app:\n    image: busybox:${TAG:?set TAG to a release}\n",
        says: &["TAG", "set TAG to a release", "compose.yaml:3"],
    },
    Wrong {
        name: "broken YAML",
        compose: "services:\n  app:\n    image: [busybox\n",
        says: &["compose.yaml:"],
    },
    Wrong {
        name: "unknown attribute",
        compose: "services:\n  app:\n    image: busybox\n    comand: [sleep]\n",
        says: &["comand", "compose.yaml:4"],
    },
    Wrong {
        name: "port out of range",
        compose: "services:\n  app:\n    image: busybox\n    ports: ['99999:80']\n",
        says: &["99999", "compose.yaml:4"],
    },
    Wrong {
        name: "neither image nor build",
        compose: "services:\n  app:\n    command: [sleep]\n",
        says: &["app", "image"],
    },
];

#[test]
fn wrong_files_are_located() {
    for wrong in WRONG {
        let stack = Stack::new("wrong", wrong.compose);
        eprintln!("{}", wrong.name);
        stack.run("up -d").code(1).says(wrong.says);
        assert!(
            stack.containers().is_empty() && stack.engine.networks(&stack.name).is_empty(),
            "{}",
            wrong.name
        );
    }
}

#[test]
fn no_file_at_all() {
    let stack = Stack::new("nofile", "");
    std::fs::remove_file(stack.path().join("compose.yaml")).expect("a file");
    stack.run("up -d").code(1).says(&["no configuration file"]);
    stack
        .run("-f other.yaml up -d")
        .code(1)
        .says(&["other.yaml"]);
}

const SLEEPER: &str = "services:\n  app:\n    image: busybox\n    command: [sleep, '1000']\n    stop_signal: SIGKILL\n";

#[test]
fn unknown_services_are_named() {
    let stack = Stack::new("unknown", SLEEPER);
    for words in [
        "up -d nobody",
        "-f compose.yaml stop nobody",
        "-f compose.yaml ps nobody",
        "-f compose.yaml logs nobody",
        "up -d --scale nobody=2",
    ] {
        stack.run(words).code(1).says(&["nobody"]);
    }
    assert!(stack.containers().is_empty());
}

#[test]
fn a_taken_port_names_its_holder() {
    let holder = Stack::new(
        "holder",
        &SLEEPER.replace("    stop", "    ports: ['127.0.0.1::80']\n    stop"),
    );
    holder.up("");
    let port = holder.port("app", "80/tcp");
    let stack = Stack::new(
        "taken",
        &SLEEPER.replace(
            "    stop",
            &format!("    ports: ['127.0.0.1:{port}:80']\n    stop"),
        ),
    );
    stack.run("up -d").code(1).says(&[
        &port.to_string(),
        &format!("{}-app-1", holder.name),
        "compose.yaml:5",
    ]);
    assert_eq!(holder.one("app").state, "running");

    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let stack = Stack::new(
        "process",
        &SLEEPER.replace(
            "    stop",
            &format!("    ports: ['127.0.0.1:{port}:80']\n    stop"),
        ),
    );
    stack
        .run("up -d")
        .code(1)
        .says(&[&port.to_string(), "compose.yaml:5"]);
}

#[test]
fn a_failing_migration_stops_what_waits_for_it() {
    let stack = Stack::new(
        "oneshot",
        "services:\n  app:\n    image: busybox\n    command: [sleep, '1000']\n    stop_signal: SIGKILL\n    depends_on:\n      migrate: { condition: service_completed_successfully }\n  migrate:\n    image: busybox\n    command: [sh, -c, 'echo broken; exit 4']\n",
    );
    stack.run("up -d").code(1).says(&["migrate", "4"]);
    assert!(stack.of("app").iter().all(|c| c.state == "created"));
}

#[test]
fn an_unhealthy_dependency_stops_what_waits_for_it() {
    let stack = Stack::new(
        "unhealthy",
        "services:\n  app:\n    image: busybox\n    command: [sleep, '1000']\n    stop_signal: SIGKILL\n    depends_on:\n      db: { condition: service_healthy }\n  db:\n    image: busybox\n    command: [sleep, '1000']\n    stop_signal: SIGKILL\n    healthcheck: { test: [CMD, 'false'], interval: 200ms, retries: 2 }\n",
    );
    stack.run("up -d").code(1).says(&["db"]);
    assert!(stack.of("app").iter().all(|c| c.state == "created"));
}

#[test]
fn a_build_that_fails_says_why() {
    let stack = Stack::new("broken", "services:\n  app:\n    build: .\n");
    stack.write(
        "Dockerfile",
        "FROM busybox\nRUN echo the reason && exit 9\n",
    );
    stack.run("up -d").code(1).says(&["app", "the reason"]);
    assert!(stack.containers().is_empty());
}

#[test]
fn an_engine_that_goes_away_is_told() {
    let mut private = Private::start();
    private.take_image(&Engine::here(), "busybox:latest");
    let stack = Stack::on(
        private.engine.clone(),
        "away",
        "x-service: &service { image: busybox, command: [sleep, '1000'], stop_signal: SIGKILL, network_mode: none }\nservices:\n  app:\n    <<: *service\n    depends_on:\n      db: { condition: service_healthy }\n  db:\n    <<: *service\n    healthcheck: { test: [CMD, 'false'], interval: 1s, retries: 1000 }\n",
    );
    let mut up = stack.start("up -d");
    eventually("it waits for db", || {
        stack
            .of("db")
            .iter()
            .any(|c| c.state == "running")
            .then_some(())
    });
    private.stop();
    let status = eventually("it has ended", || up.ended());
    assert_eq!(status.code(), Some(1), "{}", up.stderr());
    let socket = stack.engine.socket.display().to_string();
    assert!(
        up.stderr().contains("engine") || up.stderr().contains(&socket),
        "{}",
        up.stderr()
    );
}

/// What `up` would fail on half-way is told before, by `plan` and by `up`, with its line.
#[test]
fn what_is_certain_to_fail_stops_a_command_before_it_changes_anything() {
    for (attributes, rest, says) in [
        (
            "security_opt: ['seccomp=gone.json']",
            "",
            &["error[seccomp]", "gone.json", "compose.yaml:3"][..],
        ),
        (
            "secrets: [s]",
            "secrets: { s: { external: true } }",
            &["external", "compose.yaml:3"],
        ),
        (
            "secrets: [s]",
            "secrets: { s: { file: ./gone.pem } }",
            &["gone.pem", "compose.yaml:5"],
        ),
        (
            "volumes: ['v:data']",
            "",
            &["v:data", "not absolute", "compose.yaml:3"],
        ),
        (
            "devices: [/dev/regatta-gone]",
            "",
            &["/dev/regatta-gone", "compose.yaml:3"],
        ),
        (
            "runtime: gone",
            "",
            &["no runtime gone", "runc", "compose.yaml:3"],
        ),
        (
            "network_mode: 'container:regatta-gone'",
            "",
            &["No such container: regatta-gone", "compose.yaml:3"],
        ),
    ] {
        let compose = format!(
            "services:\n  a:\n    {{ image: busybox, command: [sleep, \"1000\"], {attributes} }}\n  b: {{ image: busybox, command: [sleep, \"1000\"], stop_signal: SIGKILL }}\n{rest}\n"
        );
        let stack = Stack::new("certain", &compose);
        stack
            .run("plan")
            .code(1)
            .says(says)
            .says(&["`up` would stop here"]);
        stack.run("up -d").code(1).says(says);
        assert!(
            stack.containers().is_empty() && stack.engine.networks(&stack.name).is_empty(),
            "{attributes}"
        );
        // It is about the other service only.
        stack.run("up -d b").code(0);
        stack.run("down -t 0").code(0);
    }
}

/// Warnings are about what a command touches.
#[test]
fn a_command_warns_about_the_services_that_it_is_about() {
    let stack = Stack::new(
        "warned",
        "services:\n  a: { image: busybox, restart: allways, environment: { A: $UNSET_A } }\n  b: { image: busybox, environment: { B: $UNSET_B }, depends_on: [c] }\n  c: { image: busybox, labels: [\"c=$UNSET_C\"] }\n",
    );
    let told = |words: &str| {
        let output = stack.run(words);
        let text = format!("{}{}", output.stdout, output.stderr);
        let words = ["allways", "UNSET_A", "UNSET_B", "UNSET_C"];
        words.map(|word| text.contains(word))
    };
    assert_eq!(told("plan"), [true; 4]);
    assert_eq!(told("plan b"), [false, false, true, true]);
    assert_eq!(told("plan --no-deps b"), [false, false, true, false]);
    assert_eq!(told("config -q"), [true; 4]);
}
