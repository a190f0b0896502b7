//! The terminal as a way in: signals from its keys, questions to the user.

use crate::interrupt::{Cause, Interrupts};
use std::io::{self, BufRead, IsTerminal, Write};

/// Turns signals into stages, for ever.
pub async fn watch_signals(interrupts: Interrupts) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut int), Ok(mut term)) = (
            signal(SignalKind::interrupt()),
            signal(SignalKind::terminate()),
        ) {
            loop {
                tokio::select! {
                    _ = int.recv() => interrupts.signal(Cause::Interrupt),
                    _ = term.recv() => interrupts.signal(Cause::Terminate),
                }
            }
        }
    }
    // Without a handler the signal ends the program by itself.
    while tokio::signal::ctrl_c().await.is_ok() {
        interrupts.signal(Cause::Interrupt);
    }
}

/// Asks a question that only a yes agrees to. Without a terminal the question goes to standard
/// output and one line of standard input answers it; its end means no (Compose's way).
pub fn confirm(question: &str) -> bool {
    let prompt = match io::stdin().is_terminal() {
        true => format!("{question} [y/N] "),
        false => question.to_owned(),
    };
    let mut stdout = io::stdout().lock();
    // Who cannot be asked has not agreed.
    if stdout.write_all(prompt.as_bytes()).is_err() || stdout.flush().is_err() {
        return false;
    }
    let mut answer = String::new();
    if io::stdin().lock().read_line(&mut answer).is_err() {
        return false;
    }
    matches!(
        answer.trim().to_lowercase().as_str(),
        "y" | "yes" | "true" | "1" | "t"
    )
}
