//! How often the engine is asked.

use crate::support::Stack;
use crate::support::proxy::Recorder;
use crate::support::run::{Program, under_test};
use std::time::Instant;

fn run(stack: &Stack, through: &Recorder, words: &str) -> Vec<String> {
    through.take();
    let host = through.engine.host();
    let words = words.split_whitespace();
    Program::new(&under_test(), stack.path())
        .env("DOCKER_HOST", &host)
        .args(["-p", &stack.name])
        .args(words)
        .run()
        .success();
    through.take()
}

#[track_caller]
fn at_most(limit: usize, what: &str, requests: &[String]) {
    assert!(
        requests.len() <= limit,
        "{what}: {} requests, at most {limit}: {requests:#?}",
        requests.len()
    );
}

#[test]
fn few_requests() {
    let service = "{ image: busybox, command: [sleep, '1000'], stop_signal: SIGKILL }";
    let services: String = (0..6).map(|n| format!("  s{n}: {service}\n")).collect();
    let stack = Stack::new("count", &format!("services:\n{services}"));
    let through = Recorder::before(&stack.engine);
    let begun = Instant::now();
    let all = run(&stack, &through, "up -d");
    let renewals = begun.elapsed().as_secs() as usize / 3;
    let (lock, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|r| r.contains("/volumes"));
    // Three of them look again once the project is ours, and six tell the processes to watch.
    at_most(3 * 6 + 5 + 3, "first up of six services", &rest);
    at_most(3 + 3 * renewals, "the lock of a first up", &lock);
    assert_eq!(stack.containers().len(), 6);
    at_most(
        3,
        "up that changes nothing",
        &run(&stack, &through, "up -d"),
    );
    at_most(1, "ps", &run(&stack, &through, "ps"));
    at_most(1, "ls", &run(&stack, &through, "ls"));
}

#[test]
fn one_more_where_volumes_are_declared() {
    let stack = Stack::new(
        "countv",
        "services:\n  app:\n    image: busybox\n    command: [sleep, '1000']\n    stop_signal: SIGKILL\n    volumes: ['data:/data']\nvolumes:\n  data:\n",
    );
    let through = Recorder::before(&stack.engine);
    run(&stack, &through, "up -d");
    at_most(
        4,
        "up that changes nothing",
        &run(&stack, &through, "up -d"),
    );
}
