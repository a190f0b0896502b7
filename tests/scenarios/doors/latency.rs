//! An engine far away: what a command costs is the number of times that it waits for an answer.

use super::Door;
use crate::support::Stack;
use crate::support::relay::Relay;
use std::time::{Duration, Instant};

/// One way; there and back takes twice that. Long beside what a busy machine adds to a command.
const WAY: Duration = Duration::from_millis(200);

/// Ten services, the last of which waits for one that waits for one, and so on: four deep.
fn ten() -> String {
    let services: String = (0..10)
        .map(|n| {
            let needs = match n {
                7..=9 => format!("    depends_on: [s{}]\n", n - 1),
                _ => String::new(),
            };
            format!("  s{n}:\n    image: busybox\n    command: [sleep, '1000']\n    stop_signal: SIGKILL\n{needs}")
        })
        .collect();
    format!("services:\n{services}")
}

fn time(door: &Door, stack: &Stack, words: &[&str]) -> Duration {
    let begin = Instant::now();
    door.run(stack, words).success();
    begin.elapsed()
}

#[test]
fn round_trips_are_few() {
    let stack = Stack::new("door-far", &ten());
    let near = Relay::plain(&stack.engine, Duration::ZERO);
    let far = Relay::plain(&stack.engine, WAY);
    let near = Door::new(&[("DOCKER_HOST", &near.host())], &[]);
    let far = Door::new(&[("DOCKER_HOST", &far.host())], &[]);
    let trips = |words: &[&str], before: &[&str]| {
        let cost = |door: &Door| {
            let taken = (0..2).map(|_| {
                if !before.is_empty() {
                    near.run(&stack, before).success();
                }
                time(door, &stack, words)
            });
            taken.min().expect("two")
        };
        let (here, there) = (cost(&near), cost(&far));
        let trips = there.saturating_sub(here).as_secs_f64() / (WAY * 2).as_secs_f64();
        println!("{words:?}: {here:?} here, {there:?} there, {trips:.1} round trips");
        trips
    };
    let up = trips(&["up", "-d"], &["down"]);
    assert!(up < 4.0 * 4.0 + 1.0, "up: {up}");
    let ps = trips(&["ps"], &[]);
    assert!(ps < 2.5, "ps: {ps}");
    let again = trips(&["up", "-d"], &[]);
    assert!(again < 3.5, "up with nothing to do: {again}");
}
