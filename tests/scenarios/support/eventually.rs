//! Waiting for a state instead of sleeping.

use std::time::{Duration, Instant};

/// Asks until there is an answer, for a minute and a half (a busy machine is no failure); fails with what was waited for.
#[track_caller]
pub fn eventually<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    within(Duration::from_secs(90), what, ask)
}

/// Asks until there is an answer; fails with what was waited for.
#[track_caller]
pub fn within<T>(limit: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < limit, "after {limit:?} still not: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
