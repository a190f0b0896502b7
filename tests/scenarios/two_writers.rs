//! Two commands of one project at once: on one machine, and on two that share an engine alone.

use crate::support::eventually::within;
use crate::support::run::{Program, under_test};
use crate::support::{Stack, eventually};
use std::process::Child;
use std::time::{Duration, Instant};

const COMPOSE: &str = r#"
services:
  a: { image: busybox, command: [sleep, '1000'], stop_signal: SIGKILL }
  b: { image: busybox, command: [sleep, '1000'], stop_signal: SIGKILL, depends_on: [a] }
  c: { image: busybox, command: [sleep, '1000'], stop_signal: SIGKILL, scale: 2 }
"#;

/// It holds the lock until somebody ends it.
const STUCK: &str = r#"
services:
  a:
    image: busybox
    command: [sleep, '1000']
    stop_signal: SIGKILL
    healthcheck: { test: ['CMD', 'false'], interval: 1s, retries: 1000 }
  b:
    image: busybox
    command: [sleep, '1000']
    stop_signal: SIGKILL
    depends_on: { a: { condition: service_healthy } }
"#;

/// A command on a machine of its own: with its own processes, mounts, name and state.
struct Elsewhere {
    child: Child,
    stderr: std::fs::File,
    words: String,
}

fn elsewhere(stack: &Stack, machine: &str, words: &str) -> Elsewhere {
    let home = stack.path().join(machine);
    std::fs::create_dir_all(&home).expect("a home");
    let (stdout, stderr) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
    let unshare = "--mount --pid --uts --fork --mount-proc --kill-child sh -c";
    let line = format!("hostname {machine}; exec \"$0\" \"$@\"");
    let child = Program::new("unshare", stack.path())
        .env("HOME", &home.to_string_lossy())
        .env("DOCKER_HOST", &stack.engine.host())
        .args(unshare.split_whitespace())
        .args([&line, &under_test(), "-p", &stack.name])
        .args(words.split_whitespace())
        .spawn(&stdout, &stderr);
    Elsewhere {
        child,
        stderr,
        words: format!("{machine}: {words}"),
    }
}

impl Elsewhere {
    fn said(&mut self) -> String {
        crate::support::run::read(&mut self.stderr)
    }

    /// It must end well; gives what it said.
    #[track_caller]
    fn success(mut self) -> String {
        let ended = within(Duration::from_secs(60), &self.words.clone(), || {
            self.child.try_wait().expect("a child to wait for")
        });
        let said = self.said();
        assert!(ended.success(), "{} ended with {ended}: {said}", self.words);
        said
    }

    fn kill(mut self) {
        self.child.kill().expect("a child to kill");
        self.child.wait().expect("its end");
    }
}

fn locks(stack: &Stack) -> Vec<String> {
    stack.engine.locks(&stack.name)
}

/// Waits until somebody holds the lock.
fn is_locked(stack: &Stack) {
    eventually("it holds the lock", || {
        (!locks(stack).is_empty()).then_some(())
    });
}

/// Every container runs, under its own name, with a number of its own.
#[track_caller]
fn is_in_order(stack: &Stack, pair: &str, counts: &[usize]) {
    let containers = stack.containers();
    let shown: Vec<_> = containers.iter().map(|c| (&c.name, &c.state)).collect();
    assert!(counts.contains(&containers.len()), "{pair}: {shown:?}");
    for container in &containers {
        let own = format!("{}-{}-{}", stack.name, container.service, container.number);
        assert_eq!(container.name, own, "{pair}: {shown:?}");
        assert_eq!(container.state, "running", "{pair}: {shown:?}");
    }
    assert!(locks(stack).is_empty(), "{pair}: {:?}", locks(stack));
}

/// `REGATTA_ROUNDS` makes it more than one round.
#[test]
fn both_succeed_in_some_order() {
    let rounds = std::env::var("REGATTA_ROUNDS")
        .ok()
        .and_then(|n| n.parse().ok());
    let stack = Stack::new("two", COMPOSE);
    let mut waits = 0;
    for _ in 0..rounds.unwrap_or(1) {
        for (one, two, counts) in [
            ("up -d", "up -d", &[4][..]),
            ("up -d --force-recreate", "up -d --force-recreate", &[4]),
            ("up -d --force-recreate", "restart -t 1", &[4]),
            ("up -d --scale c=3", "up -d --scale c=1", &[3, 5]),
            ("scale c=4", "up -d", &[4, 6]),
            ("down", "up -d", &[0, 4]),
            ("up -d --force-recreate", "down", &[0, 4]),
        ] {
            let first = elsewhere(&stack, "one", one);
            let second = elsewhere(&stack, "two", two);
            let said = [first.success(), second.success()];
            waits += said.iter().filter(|s| s.contains(" Waiting for ")).count();
            is_in_order(&stack, &format!("{one} and {two}"), counts);
        }
    }
    assert!(waits > 0, "nobody ever waited");
}

#[test]
fn whoever_waits_says_for_whom_and_can_be_interrupted() {
    let stack = Stack::new("twowait", STUCK);
    let holder = elsewhere(&stack, "one", "up -d");
    is_locked(&stack);
    for (progress, words) in [
        ("plain", " Waiting for regatta up on one (process "),
        (
            "json",
            r#""text":"Waiting","details":"for regatta up on one (process "#,
        ),
        ("tty", "Waiting for regatta up"),
    ] {
        let mut waiting = stack.start(&format!("--progress {progress} up -d"));
        eventually(&format!("it waits, in {progress}"), || {
            let said = waiting.stderr();
            // On a terminal as much of it as there is room for.
            (said.contains(words) && (progress == "tty" || said.contains(", since 2")))
                .then_some(())
        });
        waiting.signal("INT");
        let ended = eventually("it ends", || waiting.ended());
        assert_eq!(ended.code(), Some(130), "{}", waiting.stderr());
        assert_eq!(waiting.stdout(), "");
    }
    holder.kill();
    elsewhere(&stack, "one", "down").success();
    assert!(locks(&stack).is_empty(), "{:?}", locks(&stack));
}

#[test]
fn a_killed_holder_is_no_obstacle_to_its_own_machine() {
    let stack = Stack::new("twokill", STUCK);
    let holder = elsewhere(&stack, "one", "up -d");
    is_locked(&stack);
    stack.reaches("a", "running");
    holder.kill();
    let begun = Instant::now();
    // The process that was killed may need a moment to be gone.
    let said = elsewhere(&stack, "one", "down -t 0").success();
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}: {said}",
        begun.elapsed()
    );
    assert!(stack.containers().is_empty());
    assert!(locks(&stack).is_empty(), "{:?}", locks(&stack));
}

#[test]
fn a_killed_holder_is_waited_for_by_other_machines_for_a_lease() {
    let stack = Stack::new("twolease", STUCK);
    let holder = elsewhere(&stack, "one", "up -d");
    is_locked(&stack);
    stack.reaches("a", "running");
    holder.kill();
    let begun = Instant::now();
    let said = elsewhere(&stack, "two", "down -t 0").success();
    let took = begun.elapsed();
    assert!(said.contains(" Waiting for regatta up on one "), "{said}");
    assert!(took > Duration::from_secs(11), "{took:?}");
    assert!(took < Duration::from_secs(25), "{took:?}");
    assert!(stack.containers().is_empty());
    assert!(locks(&stack).is_empty(), "{:?}", locks(&stack));
}

/// A process that is stopped for longer than the lease must not go on as if nothing had been.
#[test]
fn a_stopped_holder_finds_the_project_taken_over() {
    let stack = Stack::new("twostop", STUCK);
    let mut holder = stack.start("up -d");
    is_locked(&stack);
    stack.reaches("a", "running");
    holder.signal("STOP");
    elsewhere(&stack, "two", "down -t 0").success();
    holder.signal("CONT");
    let ended = eventually("it ends", || holder.ended());
    assert_eq!(ended.code(), Some(1), "{}", holder.stderr());
    let said = holder.stderr();
    assert!(said.contains("lost the lock of project"), "{said}");
    assert!(stack.containers().is_empty());
    assert!(locks(&stack).is_empty(), "{:?}", locks(&stack));
}

/// Nothing to change: nobody is asked, and nobody is waited for.
#[test]
fn an_empty_plan_waits_for_nobody() {
    let stack = Stack::new("twonone", COMPOSE);
    stack.up("");
    let path = stack.path().join("other.yaml");
    std::fs::write(&path, STUCK.replace("  a:", "  x:").replace("{ a:", "{ x:")).expect("a file");
    let holder = elsewhere(&stack, "one", "-f other.yaml up -d");
    is_locked(&stack);
    let begun = Instant::now();
    stack.run("-f compose.yaml start").success();
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    holder.kill();
    elsewhere(&stack, "one", "down -t 0 --remove-orphans").success();
}
