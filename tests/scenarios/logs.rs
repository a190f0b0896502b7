//! Log lines: whose they are, and that none is lost or told twice.

use crate::support::{Stack, eventually};

/// Writes ten numbered lines at once, of a run that it counts itself, and stays.
const COMPOSE: &str = r#"
services:
  app:
    image: busybox
    command:
      - sh
      - -c
      - |
        n=$$(cat /run-count 2>/dev/null || echo 0); n=$$((n + 1)); echo $$n > /run-count
        for i in 0 1 2 3 4 5 6 7 8 9; do echo run=$$n line=$$i; done
        exec sleep 1000
    stop_signal: SIGKILL
  other:
    image: busybox
    command: ["sh", "-c", "echo from other; echo to stderr >&2; exec sleep 1000"]
    stop_signal: SIGKILL
"#;

#[test]
fn lines_carry_their_replicas_name() {
    let stack = Stack::new("lines", COMPOSE);
    stack.up("--scale app=2");
    let output = eventually("all lines are there", || {
        let output = stack.run("logs").success();
        (output.lines().len() == 22).then_some(output)
    });
    let of = |name: &str| {
        output
            .lines()
            .iter()
            .filter(|l| l.starts_with(&format!("{name} ")))
            .count()
    };
    assert_eq!(
        (of("app-1"), of("app-2"), of("other-1")),
        (10, 10, 2),
        "{output}"
    );
    assert!(output.stdout.contains("| run=1 line=9\n"), "{output}");
    let bare = stack.run("logs --no-log-prefix other").success();
    let mut lines = bare.lines();
    lines.sort();
    assert_eq!(lines, ["from other", "to stderr"]);
    assert_eq!(
        stack
            .run("logs --tail 1 --no-log-prefix app")
            .success()
            .lines(),
        ["run=1 line=9", "run=1 line=9"]
    );
}

/// Restarts while following: every line of a replica's first moments, once each.
#[test]
fn following_misses_nothing_of_a_restart() {
    let stack = Stack::new("follow", COMPOSE);
    stack.up("");
    let mut follower = stack.start("logs -f --no-color");
    eventually("it follows", || {
        follower.stdout().contains("run=1 line=9").then_some(())
    });
    let container = stack.one("app").id;
    let rounds = std::env::var("REGATTA_LOG_ROUNDS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(12);
    for round in 2..=rounds + 1 {
        stack
            .engine
            .post(&format!("/containers/{container}/restart?t=0"), "");
        eventually("the new lines are there", || {
            follower
                .stdout()
                .contains(&format!("run={round} line=9"))
                .then_some(())
        });
    }
    // A new replica joins in.
    stack.up("--scale app=2");
    eventually("the new replica is heard", || {
        follower
            .stdout()
            .lines()
            .any(|l| l.starts_with("app-2 ") && l.ends_with("line=9"))
            .then_some(())
    });
    let text = follower.stdout();
    for round in 1..=rounds + 1 {
        for line in 0..10 {
            let wanted = format!("run={round} line={line}");
            let times = text
                .lines()
                .filter(|l| l.starts_with("app-1 ") && l.ends_with(&wanted))
                .count();
            assert_eq!(times, 1, "{wanted} appears {times} times");
        }
    }
    stack.run("down").success();
    eventually("it ends with the last container", || follower.ended());
}

/// A container whose logging driver gives nothing back, and that is started again meanwhile.
#[test]
fn what_cannot_be_read_is_told_once() {
    let stack = Stack::new(
        "unreadable",
        r#"
services:
  quiet:
    image: busybox
    command: ["sh", "-c", "sleep 1; exit 1"]
    restart: on-failure:2
    logging: {driver: none}
  date:
    image: busybox
    command: ["sh", "-c", "stat -c %Y /now; date +%s; sleep 4"]
    configs: [{source: text, target: /now}]
configs: {text: {content: hello}}
"#,
    );
    stack.up("");
    let output = stack.run("logs -f").success();
    let told = output.stderr.matches("Can't retrieve logs for").count();
    assert_eq!(told, 1, "{output}");
    let exits = output
        .lines()
        .iter()
        .filter(|l| l.contains("quiet-1 exited"))
        .count();
    assert!(
        exits > 1,
        "it is started again while it is followed: {output}"
    );
    // A config that is copied into a container is as old as its copy.
    let output = stack.run("logs --no-log-prefix date").success();
    let times: Vec<i64> = output.lines().iter().map(|l| l.parse().unwrap()).collect();
    assert!(
        times[0] > times[1] - 60 && times[0] <= times[1] + 1,
        "{times:?}"
    );
}
