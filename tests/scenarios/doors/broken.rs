//! A connection that breaks in the middle of a change.

use super::Door;
use crate::support::relay::Relay;
use crate::support::{Stack, eventually};
use std::time::Duration;

#[test]
fn what_was_done_and_what_was_not_is_said_in_one_line() {
    let stack = Stack::new(
        "door-broken",
        "services:\n  a:\n    image: busybox\n    command: [sleep, '1000']\n    stop_signal: SIGKILL\n\
         \x20 b:\n    image: busybox\n    command: [sleep, '1000']\n    stop_signal: SIGKILL\n    depends_on: {a: {condition: service_healthy}}\n\
         \x20 c:\n    image: busybox\n    command: [sleep, '1000']\n    stop_signal: SIGKILL\n    depends_on: [b]\n",
    );
    stack.edit(
        "  b:",
        "    healthcheck: {test: [CMD, test, -e, /ready], interval: 1s, retries: 100}\n  b:",
    );
    let relay = Relay::plain(&stack.engine, Duration::from_millis(5));
    let door = Door::new(&[("DOCKER_HOST", &relay.host())], &[]);
    let output = std::thread::scope(|scope| {
        let up = scope.spawn(|| door.run(&stack, &["up", "-d"]));
        eventually("a runs", || {
            let found = stack.of("a").into_iter().find(|c| c.state == "running");
            found.map(drop)
        });
        relay.cut();
        up.join().expect("up")
    });
    let output = output.code(1).says(&["run the same command again"]);
    let told: Vec<_> = output
        .stderr
        .lines()
        .filter(|line| line.starts_with("the engine's connection broke off"))
        .collect();
    let [line] = told.as_slice() else {
        panic!("one line: {output}");
    };
    // Its start may just have been answered, or is being waited for.
    assert!(line.contains("; under way, and perhaps done: "), "{line}");
    assert!(line.ends_with("; not done: b, c"), "{line}");
}
