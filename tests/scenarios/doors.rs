//! The engine behind other doors than its socket: every command works through each of them.

mod broken;
mod latency;
mod ssh;
mod tls;

use crate::support::run::{Output, Program, under_test};
use crate::support::{Stack, eventually};

/// Two services, one of which is built, and all that commands do with them.
const COMPOSE: &str = r#"
services:
  db:
    image: busybox
    command: [sh, -c, "echo ready; exec sleep 1000"]
    stop_signal: SIGKILL
    healthcheck: {test: [CMD, "true"], interval: 1s}
  app:
    build: {context: ., dockerfile_inline: "FROM busybox\nCOPY compose.yaml /\n"}
    command: [sh, -c, "while true; do echo beat; sleep 0.2; done"]
    stop_signal: SIGKILL
    depends_on: {db: {condition: service_healthy}}
"#;

/// How a command gets to the engine: variables and flags.
struct Door {
    variables: Vec<(&'static str, String)>,
    flags: Vec<String>,
}

impl Door {
    fn new(variables: &[(&'static str, &str)], flags: &[&str]) -> Door {
        Door {
            variables: variables
                .iter()
                .map(|(k, v)| (*k, (*v).to_owned()))
                .collect(),
            flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
        }
    }

    fn command(&self, stack: &Stack, words: &[&str]) -> Program {
        let mut program = Program::new(&under_test(), stack.path());
        for (name, value) in &self.variables {
            program = program.env(name, value);
        }
        program
            .args(&self.flags)
            .args(["-p", &stack.name])
            .args(words)
    }

    #[must_use = "how it ended matters"]
    #[track_caller]
    fn run(&self, stack: &Stack, words: &[&str]) -> Output {
        self.command(stack, words).run()
    }

    /// Takes a project through its life; the engine is asked past the door.
    fn walk(&self, stack: &Stack) {
        self.run(stack, &["up", "-d", "--build"]).success();
        assert_eq!(stack.one("app").state, "running");
        self.run(stack, &["ps"]).success().says(&["db-1", "app-1"]);
        // Both directions, the end of the input, and the exit code.
        let echo = self
            .command(stack, &["exec", "-T", "app", "cat"])
            .input(&"line\n".repeat(100_000))
            .run()
            .success();
        assert_eq!(echo.stdout.len(), 500_000);
        self.run(stack, &["exec", "-T", "app", "sh", "-c", "exit 7"])
            .code(7);
        self.run(stack, &["logs", "db"]).success().says(&["ready"]);
        self.run(stack, &["restart", "db"]).success();
        self.run(stack, &["stop"]).success();
        self.run(stack, &["start"]).success();
        self.run(stack, &["down", "--rmi", "local"]).success();
        assert_eq!(stack.containers(), []);
    }
}

#[test]
fn a_plain_port() {
    let stack = Stack::new("door-tcp", COMPOSE);
    let relay = crate::support::relay::Relay::plain(&stack.engine, std::time::Duration::ZERO);
    Door::new(&[("DOCKER_HOST", &relay.host())], &[]).walk(&stack);
}

#[test]
fn logs_are_followed_until_the_end_through_a_port() {
    let stack = Stack::new("door-follow", COMPOSE);
    let relay = crate::support::relay::Relay::plain(&stack.engine, std::time::Duration::ZERO);
    let door = Door::new(&[("DOCKER_HOST", &relay.host())], &[]);
    door.run(&stack, &["up", "-d", "db"]).success();
    let followed = std::thread::scope(|scope| {
        let follow = scope.spawn(|| door.run(&stack, &["logs", "-f", "db"]));
        eventually("the logs are read", || (relay.take() > 3).then_some(()));
        door.run(&stack, &["kill", "db"]).success();
        follow.join().expect("the logs")
    });
    followed.success().says(&["ready"]);
}
