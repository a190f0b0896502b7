//! Changes that fail: what ran before runs again, and the exit code and the words say so.

use crate::support::Stack;

const SLEEPER: &str = "services:\n  app:\n    image: busybox\n    command: [sleep, '1000']\n    stop_signal: SIGKILL\n";

/// What dies at once did not start, and its last words are shown.
#[test]
fn what_dies_at_once_has_failed() {
    let stack = Stack::new(
        "dies",
        "services:\n  app:\n    image: busybox\n    command: [sh, -c, 'echo last words; exit 3']\n",
    );
    stack
        .run("up -d")
        .code(1)
        .says(&["exited (3)", "last words", "compose.yaml:4", "failed: app"]);
    stack.run("up -d --no-verify").success();
    stack.reaches("app", "exited");
    stack.run("start").code(1).says(&["exited (3)"]);
    stack.run("restart").code(1).says(&["exited (3)"]);
}

#[test]
fn a_crash_loop_has_failed() {
    let stack = Stack::new(
        "loops",
        "services:\n  app:\n    image: busybox\n    command: [sh, -c, 'exit 4']\n    restart: always\n",
    );
    stack
        .run("up -d")
        .code(1)
        .says(&["started again, over and over", "(4)"]);
}

#[test]
fn a_one_shot_that_ends_well_is_done() {
    let stack = Stack::new(
        "oneshot",
        "services:\n  init:\n    image: busybox\n    command: ['true']\n  app:\n    image: busybox\n    command: [sleep, '1000']\n    stop_signal: SIGKILL\n",
    );
    stack.run("up -d --wait").success();
}

/// Whatever keeps the new container from working: the old one is back, the same one, running.
#[test]
fn a_failed_update_leaves_the_old_one_running() {
    let stack = Stack::new("back", SLEEPER);
    stack.up("");
    let before = stack.one("app");
    let works = "command: [sleep, '1000']";
    for (fails, words) in [
        ("command: [/no/such/program]", "up -d"),
        ("command: [sh, -c, 'exit 7']", "up -d"),
        ("init: true\n    command: [/no/such/program]", "up -d"),
        (
            "command: [sleep, '1000']\n    healthcheck: { test: [CMD, 'false'], interval: 100ms, retries: 1 }",
            "up -d --wait",
        ),
        (
            "command: [sleep, '1000']\n    healthcheck: { test: [CMD, 'false'], interval: 60s }",
            "up -d --wait --wait-timeout 1",
        ),
    ] {
        stack.edit(works, fails);
        stack
            .run(words)
            .code(1)
            .says(&["runs again as it was", "failed: app"]);
        let after = stack.one("app");
        assert_eq!(
            (after.id, after.name, after.state.as_str()),
            (before.id.clone(), before.name.clone(), "running"),
            "{fails}"
        );
        stack.edit(fails, works);
    }
    stack.up("");
    assert_eq!(stack.one("app").id, before.id);
}

/// A dependant waits for health: an unhealthy new one counts as failed without `--wait`, and who
/// was stopped for the change runs again.
#[test]
fn an_unhealthy_dependency_comes_back_with_its_dependants() {
    let check = "healthcheck: { test: [CMD, 'true'], interval: 100ms, retries: 1 }";
    let stack = Stack::new(
        "backdep",
        &format!(
            "{SLEEPER}    depends_on: {{ db: {{ condition: service_healthy, restart: true }} }}\n  db:\n    image: busybox\n    command: [sleep, '1000']\n    stop_signal: SIGKILL\n    {check}\n"
        ),
    );
    stack.up("");
    let (app, db) = (stack.one("app").id, stack.one("db").id);
    stack.edit("[CMD, 'true']", "[CMD, 'false']");
    stack
        .run("up -d")
        .code(1)
        .says(&["unhealthy", "failed: db", "service app was not brought up"]);
    for (service, id) in [("app", app), ("db", db)] {
        let after = stack.one(service);
        assert_eq!(
            (after.id, after.state.as_str()),
            (id, "running"),
            "{service}"
        );
    }
}

/// A failure in the middle of a chain: who was changed, who failed, who was not tried.
#[test]
fn everybody_is_named() {
    let service = "image: busybox, command: [sleep, '1000'], stop_signal: SIGKILL";
    let stack = Stack::new(
        "named",
        &format!(
            "services:\n  a: {{ {service} }}\n  bad: {{ image: busybox, command: [/no/such], depends_on: [a] }}\n  c: {{ {service}, depends_on: [bad] }}\n"
        ),
    );
    stack.run("up -d").code(1).says(&[
        "changed: a",
        "failed: bad",
        "service c was not brought up",
        "compose.yaml:3",
    ]);
    assert_eq!(stack.one("a").state, "running");
    assert_eq!(stack.one("c").state, "created");
}

#[test]
fn the_memory_limit_is_named() {
    let stack = Stack::new(
        "oom",
        "services:\n  app:\n    image: busybox\n    command: [sh, -c, 'x=aaaaaaaaaaaaaaaa; while :; do x=$$x$$x; done']\n    mem_limit: 8m\n    memswap_limit: 8m\n",
    );
    let output = stack.run("up -d --wait");
    // Slow machines take longer to fill it than the first moments last.
    if stack.one("app").state == "exited" && !output.status.success() {
        output.code(1).says(&["memory limit", "mem_limit"]);
    }
}
