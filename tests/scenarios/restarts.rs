//! Restart policies, by what they do.

use crate::support::private::Private;
use crate::support::{Engine, Stack, eventually};

const COMPOSE: &str = r#"
x-service: &service
  image: busybox
  command: ["sh", "-c", "sleep 1000 & wait"]
  stop_signal: SIGKILL
services:
  never: { <<: *service, restart: "no" }
  always: { <<: *service, restart: always }
  unless: { <<: *service, restart: unless-stopped }
  failing: { <<: *service, command: ["sh", "-c", "exit 3"], restart: "on-failure:2" }
  done: { <<: *service, command: ["true"], restart: "on-failure:2" }
"#;

fn restarts(stack: &Stack, service: &str) -> i64 {
    stack.engine.inspect(&stack.one(service).id)["RestartCount"]
        .as_i64()
        .expect("a number")
}

#[test]
fn killed_processes_come_back_as_asked() {
    let stack = Stack::new("policy", COMPOSE);
    let _ = stack.run("up -d");
    for service in ["never", "always", "unless"] {
        // From inside: the engine takes a kill through its API for a wish of the user.
        let pid = stack.engine.inspect(&stack.one(service).id)["State"]["Pid"].to_string();
        let killed = std::process::Command::new("kill")
            .args(["-9", &pid])
            .status()
            .expect("kill");
        assert!(
            killed.success(),
            "needs the right to kill a container's process"
        );
    }
    assert_eq!(stack.reaches("never", "exited").number, 1);
    for service in ["always", "unless"] {
        eventually(&format!("{service} came back"), || {
            (stack.one(service).state == "running" && restarts(&stack, service) == 1).then_some(())
        });
    }
    eventually("failing was tried two more times", || {
        (stack.one("failing").state == "exited" && restarts(&stack, "failing") == 2).then_some(())
    });
    assert_eq!(
        (
            stack.reaches("done", "exited").number,
            restarts(&stack, "done")
        ),
        (1, 0)
    );
    assert_eq!(restarts(&stack, "never"), 0);
}

#[test]
fn an_engine_restart_brings_back_what_should_run() {
    let mut private = Private::start();
    private.take_image(&Engine::here(), "busybox:latest");
    // That engine has no firewall rules, and needs none.
    let compose = COMPOSE.replace("  image: busybox", "  image: busybox\n  network_mode: none");
    let stack = Stack::on(private.engine.clone(), "engine", &compose);
    let _ = stack.run("up -d never always unless");
    stack.up("--scale always=2 always");
    stack.run("stop unless").success();
    private.stop();
    private.again();
    eventually("always is back", || {
        stack
            .of("always")
            .iter()
            .all(|c| c.state == "running")
            .then_some(())
    });
    assert_eq!(stack.numbers("always"), [1, 2]);
    assert_eq!(stack.one("never").state, "exited");
    assert_eq!(
        stack.one("unless").state,
        "exited",
        "it had been stopped by hand"
    );

    let ids = stack.ids("always");
    stack.up("--scale always=2 never always unless");
    assert_eq!(stack.ids("always"), ids);
    assert_eq!(
        (stack.one("never").state, stack.one("unless").state),
        ("running".into(), "running".into())
    );
}

/// `depends_on.restart: true`: along the chain, in order, and after the health that it asks for.
#[test]
fn dependants_are_restarted_along_the_chain() {
    let stack = Stack::new(
        "chain",
        r#"
x-service: &service
  image: busybox
  command: ["sleep", "1000"]
  stop_signal: SIGKILL
services:
  db:
    <<: *service
    command: ["sh", "-c", "rm -f /up; sleep 0.5; touch /up; sleep 1000"]
    healthcheck: { test: [CMD, test, -e, /up], interval: 100ms, retries: 100 }
  web: { <<: *service, depends_on: { db: { condition: service_healthy, restart: true } } }
  proxy: { <<: *service, depends_on: { web: { condition: service_started, restart: true } } }
  aside: { <<: *service, depends_on: [db] }
"#,
    );
    stack.up("");
    let started = |service: &str| -> String {
        let details = stack.engine.inspect(&stack.one(service).id);
        details["State"]["StartedAt"]
            .as_str()
            .expect("a time")
            .to_owned()
    };
    let all = || ["db", "web", "proxy"].map(started);
    let (before, ids, aside) = (all(), stack.ids("web"), started("aside"));
    stack.run("restart db").success();
    let after = all();
    assert!(
        after.is_sorted() && before[2] < after[0],
        "{before:?} {after:?}"
    );
    let healthy_after = |from: &str, to: &str| {
        let seconds = |text: &str| -> f64 {
            let (_, clock) = text.split_once('T').expect("a time");
            let parts = clock.trim_end_matches('Z').split(':');
            parts.fold(0.0, |sum, part| {
                sum * 60.0 + part.parse::<f64>().expect("digits")
            })
        };
        (seconds(to) - seconds(from)).rem_euclid(86400.0) > 0.4
    };
    assert!(healthy_after(&after[0], &after[1]), "{after:?}");

    stack.up("--force-recreate --no-deps db");
    assert_eq!(all()[1..], after[1..], "they were not part of it");
    stack.edit("sleep 0.5;", "sleep 0.6;");
    stack.up("");
    let recreated = all();
    assert!(
        recreated.is_sorted() && after[2] < recreated[0],
        "{after:?} {recreated:?}"
    );
    assert!(healthy_after(&recreated[0], &recreated[1]), "{recreated:?}");
    assert_eq!((stack.ids("web"), started("aside")), (ids, aside));

    stack.run("stop --no-deps db").success();
    assert_eq!(stack.one("web").state, "running");
    stack.up("");
    stack.run("stop db").success();
    for (service, state) in [("proxy", "exited"), ("web", "exited"), ("aside", "running")] {
        assert_eq!(stack.one(service).state, state, "{service}");
    }
}
