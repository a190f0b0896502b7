//! What is said where regatta itself is at fault: a panic is a bug, and the user should hear that it is not
//! a mistake in a file.

use crate::exit::Exit;
use crate::output;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, PanicHookInfo};

/// From now on a panic on any thread is reported as a bug, and ends the program.
pub fn report_panics() {
    panic::set_hook(Box::new(|panic| {
        output::fault(&report(panic, &Backtrace::capture()));
        std::process::exit(Exit::Fault.code().into());
    }));
}

fn report(panic: &PanicHookInfo<'_>, backtrace: &Backtrace) -> String {
    let why = panic.payload_as_str().unwrap_or("no message");
    let place = panic.location().map(|at| format!(", at {at}"));
    let mut text = format!(
        "internal error: {why}{}\n\
         note: this is a bug in regatta {}, not a mistake in your files\n\
         note: a change that was under way is completed or undone by the next `up`\n\
         hint: please report it, with the command line and the lines above",
        place.unwrap_or_default(),
        env!("CARGO_PKG_VERSION"),
    );
    match backtrace.status() {
        BacktraceStatus::Captured => text.push_str(&format!("\n{backtrace}")),
        _ => text.push_str("; RUST_BACKTRACE=1 adds where it happened"),
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// The test starts itself once more as a program that panics.
    #[test]
    fn a_panic_says_that_it_is_a_bug_and_asks_for_a_report() {
        const PANICS: &str = "REGATTA_TEST_PANICS";
        if std::env::var_os(PANICS).is_some() {
            report_panics();
            let _ = std::thread::spawn(|| panic!("a broken\u{1b}[2J invariant")).join();
            unreachable!("the program has ended");
        }
        let itself = std::env::current_exe().expect("the test program");
        let output = Command::new(itself)
            .args(["--exact", "--nocapture"])
            .arg("cli::fault::tests::a_panic_says_that_it_is_a_bug_and_asks_for_a_report")
            .env(PANICS, "1")
            .env_remove("RUST_BACKTRACE")
            .output()
            .expect("a run");
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(101), "{text}");
        for words in [
            "internal error: a broken",
            " invariant, at src/cli/fault.rs:",
            "this is a bug in regatta",
            "please report it",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }
}
