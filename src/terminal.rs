//! The terminal as a way in: signals from its keys, questions to the user.

use std::io::{self, BufRead, IsTerminal, Write};

/// Waits for the first SIGINT or SIGTERM (Ctrl-C elsewhere).
pub async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut term) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = term.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a handler the signal ends the program by itself.
        std::future::pending::<()>().await;
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
