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
