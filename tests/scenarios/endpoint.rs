//! Finding the engine, and not finding one.

use crate::support::Stack;
use crate::support::run::{Program, under_test};

const COMPOSE: &str = "services:\n  app:\n    image: busybox\n    command: [sleep, '1000']\n    stop_signal: SIGKILL\n";

#[test]
fn the_flag_goes_before_the_variable() {
    let stack = Stack::new("flag", COMPOSE);
    let host = stack.engine.host();
    let words = ["-H", &host, "-p", &stack.name, "up", "-d"];
    let nowhere = "unix:///nowhere/engine.sock";
    Program::new(&under_test(), stack.path())
        .env("DOCKER_HOST", nowhere)
        .args(words)
        .run()
        .success();
    assert_eq!(stack.one("app").state, "running");
}

#[test]
fn the_current_context_is_honoured() {
    let stack = Stack::new("context", COMPOSE);
    // Where docker keeps the context "test": under the SHA-256 of its name.
    let place = ".docker/contexts/meta/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08/meta.json";
    stack.write(
        place,
        &format!(
            r#"{{"Name":"test","Metadata":{{}},"Endpoints":{{"docker":{{"Host":"{}"}}}}}}"#,
            stack.engine.host()
        ),
    );
    stack.write(".docker/config.json", r#"{"currentContext":"test"}"#);
    let run = |words: &[&str]| {
        Program::new(&under_test(), stack.path())
            .args(["-p", &stack.name])
            .args(words)
            .run()
    };
    run(&["up", "-d"]).success();
    assert_eq!(stack.one("app").state, "running");
    stack.write(".docker/contexts/meta/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08/meta.json",
        r#"{"Name":"test","Metadata":{},"Endpoints":{"docker":{"Host":"unix:///nowhere/context.sock"}}}"#);
    run(&["ps"]).code(1).says(&["/nowhere/context.sock"]);
}

#[test]
fn no_engine_is_one_clear_line() {
    let stack = Stack::new("none", COMPOSE);
    let output = Program::new(&under_test(), stack.path())
        .env("DOCKER_HOST", "unix:///nowhere/engine.sock")
        .args(["-p", &stack.name, "ps"])
        .run()
        .code(1)
        .says(&["/nowhere/engine.sock"]);
    assert!(output.stdout.is_empty(), "{output}");
    assert!(output.stderr.trim().lines().count() <= 2, "{output}");
}

/// What needs no engine asks none.
#[test]
fn config_and_version_need_no_engine() {
    let stack = Stack::new("quiet", COMPOSE);
    for words in [vec!["config", "-q"], vec!["version"]] {
        Program::new(&under_test(), stack.path())
            .env("DOCKER_HOST", "unix:///nowhere/engine.sock")
            .args(words)
            .run()
            .success();
    }
}
