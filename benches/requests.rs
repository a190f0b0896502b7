//! Counts the requests that commands send to the engine: `cargo bench --bench requests [N…]`.
//!
//! Needs an engine (`dev/setup`). N is the number of services, 1 and 10 if none is given;
//! `REGATTA_SCENARIO_PROGRAM` counts those of another program, for comparison.

#[path = "../tests/scenarios/support/api.rs"]
#[allow(dead_code)]
mod api;
#[path = "../tests/scenarios/support/eventually.rs"]
mod eventually;
#[allow(dead_code)]
#[path = "../tests/scenarios/support/proxy.rs"]
mod proxy;
#[path = "../tests/scenarios/support/run.rs"]
#[allow(dead_code)]
mod run;
#[path = "../tests/scenarios/support/stack.rs"]
#[allow(dead_code)]
mod stack;

use std::time::Instant;

/// What is measured, in this order, on one project.
const COMMANDS: &[&str] = &[
    "version",
    "config -q",
    "plan",
    "create",
    "up -d",
    "up -d",
    "plan",
    "ps",
    "ls",
    "logs",
    "stop",
    "start",
    "restart",
    "down",
    "up -d",
    "down -v",
];

fn main() {
    let sizes: Vec<usize> = std::env::args()
        .filter_map(|word| word.parse().ok())
        .collect();
    for size in if sizes.is_empty() { vec![1, 10] } else { sizes } {
        measure(size);
    }
}

fn measure(size: usize) {
    let service = "{ image: busybox, command: [sleep, '1000'], stop_signal: SIGKILL, volumes: ['data:/data'] }";
    let services: String = (0..size).map(|n| format!("  s{n}: {service}\n")).collect();
    let compose = format!("services:\n{services}volumes:\n  data:\n");
    let stack = stack::Stack::new("bench", &compose);
    let recorder = proxy::Recorder::before(&stack.engine);
    println!(
        "{:<12} {:>8} {:>8} {:>8}",
        "command", "services", "requests", "ms"
    );
    for command in COMMANDS {
        recorder.take();
        let start = Instant::now();
        let output = stack
            .command(command)
            .env("DOCKER_HOST", &recorder.engine.host())
            .run();
        let (time, requests) = (start.elapsed().as_millis(), recorder.take().len());
        // `plan` says with 2 that something would change.
        let ended = output.status.code();
        let note = if matches!(ended, Some(0 | 2)) {
            ""
        } else {
            "  failed"
        };
        println!("{command:<12} {size:>8} {requests:>8} {time:>8}{note}");
    }
}
