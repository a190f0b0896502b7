//! The foreground `up`, and signals in every phase: once, twice, three times.

use crate::support::{Stack, eventually};
use std::time::{Duration, Instant};

/// Three that start one after the other, and one that does its work and ends.
const COMPOSE: &str = r#"
services:
  db:
    image: busybox
    command: ["sh", "-c", "trap 'echo db ends; exit 0' TERM; echo db runs; while :; do sleep 0.05; done"]
  web:
    image: busybox
    depends_on: [db]
    command: ["sh", "-c", "trap 'echo web ends; exit 3' TERM; echo web runs; echo to stderr >&2; while :; do sleep 0.05; done"]
  job:
    image: busybox
    command: ["sh", "-c", "for i in 0 1 2 3 4 5 6 7 8 9; do echo line $$i; done; printf rest"]
"#;

const STUBBORN: &str = r#"
services:
  app:
    image: busybox
    command: ["sh", "-c", "trap '' TERM; echo app runs; while :; do sleep 0.05; done"]
    stop_grace_period: 3s
"#;

fn code(ended: std::process::ExitStatus) -> Option<i32> {
    ended.code()
}

#[test]
fn lines_from_the_first_on_and_a_stop_in_reverse_order() {
    let stack = Stack::new("fg", COMPOSE);
    for (round, signal, status) in [(1, "INT", 130), (2, "TERM", 143)] {
        let mut up = stack.start("up");
        eventually("all have spoken", || {
            let text = up.stdout();
            let all = ["db runs", "web runs", "rest", "job-1 exited with code 0"];
            all.iter().all(|w| text.contains(w)).then_some(())
        });
        up.signal(signal);
        let ended = eventually("it ends", || up.ended());
        assert_eq!(code(ended), Some(status), "{}", up.stderr());
        for container in stack.containers() {
            assert_eq!(container.state, "exited", "{}", container.name);
        }
        let text = up.stdout();
        let place = |words: &str| {
            assert_eq!(
                text.matches(words).count(),
                1,
                "round {round}: {words}: {text}"
            );
            text.find(words)
        };
        assert!(place("Attaching to db-1, job-1, web-1\n") < place("db runs"));
        for i in 0..10 {
            place(&format!("| line {i}\n"));
        }
        assert!(place("web ends") < place("web-1 exited with code 3"));
        assert!(place("web-1 exited with code 3") < place("db ends"));
        place("db-1 exited with code 0");
        assert!(!text.contains("to stderr") && up.stderr().contains("| to stderr\n"));
    }
}

#[test]
fn the_second_signal_kills_and_the_third_leaves() {
    let stack = Stack::new("fgkill", STUBBORN);
    for (signals, state, at_least, at_most) in [(1, "exited", 2900, 6000), (2, "exited", 0, 2500)] {
        let mut up = stack.start("up");
        eventually("it runs", || up.stdout().contains("app runs").then_some(()));
        let start = Instant::now();
        for _ in 0..signals {
            up.signal("INT");
            std::thread::sleep(Duration::from_millis(150));
        }
        let ended = eventually("it ends", || up.ended());
        let took = start.elapsed();
        assert_eq!(code(ended), Some(130), "{}", up.stderr());
        assert!(
            took >= Duration::from_millis(at_least) && took < Duration::from_millis(at_most),
            "{signals} signals: {took:?}"
        );
        assert_eq!(stack.one("app").state, state);
        assert!(
            up.stdout().contains("app-1 exited with code 137"),
            "{}",
            up.stdout()
        );
    }
    let mut up = stack.start("up");
    eventually("it runs", || up.stdout().contains("app runs").then_some(()));
    for _ in 0..3 {
        up.signal("INT");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(code(eventually("it leaves", || up.ended())), Some(130));
}

#[test]
fn the_first_end_that_counts_stops_all_and_gives_the_code() {
    let stack = Stack::new("fgabort", COMPOSE);
    stack.edit("printf rest", "sleep 1; exit 7");
    stack.run("up --abort-on-container-failure").code(7);
    stack.run("up --exit-code-from web").code(3);
    for container in stack.containers() {
        assert_eq!(container.state, "exited", "{}", container.name);
    }
    let alone = stack.run("up --no-log-prefix --no-deps job").code(0);
    assert!(alone.stdout.contains("\nline 9\n"), "{alone}");
    stack
        .run("up -d --abort-on-container-exit")
        .code(1)
        .says(&["--detach cannot be combined with"]);
    stack
        .run("up --attach nobody")
        .code(1)
        .says(&["cannot attach to services not included in up: nobody"]);
}

#[test]
fn a_wait_is_given_up_and_the_next_up_goes_on() {
    let stack = Stack::new("fgwait", COMPOSE);
    stack.edit(
        "depends_on: [db]",
        "depends_on: {db: {condition: service_healthy}}",
    );
    stack.edit(
        "  web:",
        "    healthcheck: {test: [CMD, test, -e, /ready], interval: 1s, retries: 100}\n  web:",
    );
    let mut up = stack.start("up -d");
    eventually("it waits", || up.stderr().contains("Waiting").then_some(()));
    up.signal("INT");
    let ended = eventually("it ends", || up.ended());
    assert_eq!(code(ended), Some(130), "{}", up.stderr());
    let said = up.stderr();
    assert!(
        said.contains("still waited for: db; not or not completely: web"),
        "{said}"
    );
    assert_eq!(stack.one("db").state, "running");
    assert_eq!(stack.one("web").state, "created");
    let (db, web) = (stack.ids("db"), stack.ids("web"));
    stack.exec("db", "touch /ready").success();
    stack.up("");
    assert_eq!((stack.ids("db"), stack.ids("web")), (db, web));
    assert_eq!(stack.one("web").state, "running");
}

/// Signals at many moments of a recreation: what ran still runs under its name, and the next run
/// finishes. `REGATTA_SIGNAL_ROUNDS` asks for more moments.
#[test]
fn a_recreation_is_interrupted_at_any_moment() {
    let rounds: u64 = std::env::var("REGATTA_SIGNAL_ROUNDS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(6);
    let stack = Stack::new("fgany", COMPOSE);
    stack.up("");
    for round in 0..rounds {
        let signals = 1 + round % 2;
        let mut up = stack.start("up -d --force-recreate");
        std::thread::sleep(Duration::from_millis(20 + 900 * round / rounds));
        for _ in 0..signals {
            up.signal("INT");
            std::thread::sleep(Duration::from_millis(30));
        }
        eventually("it ends", || up.ended());
        for service in ["db", "web", "job"] {
            let container = stack.one(service);
            assert!(container.name.starts_with("rt-"), "{}", container.name);
            if service != "job" {
                assert_eq!(container.state, "running", "{service}: {}", up.stderr());
            }
        }
        stack.up("");
    }
    for _ in 0..2 {
        let mut up = stack.start("up -d --force-recreate");
        std::thread::sleep(Duration::from_millis(300));
        for _ in 0..3 {
            up.signal("INT");
            std::thread::sleep(Duration::from_millis(10));
        }
        eventually("it leaves", || up.ended());
        eventually("the engine has ended what it was asked for", || {
            let up = stack.run("up -d");
            up.status.success().then_some(())
        });
        for service in ["db", "web", "job"] {
            let name = stack.one(service).name;
            assert!(name.starts_with("rt-"), "{name}");
        }
    }
}
