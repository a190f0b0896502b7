//! The terminal as a way in: questions to the user, its [mode], and [what is typed](input).

pub mod input;
pub mod mode;

use crate::output;
use crate::threads;
use std::io::{self, BufRead, IsTerminal};
use tokio::sync::oneshot;

/// Whether standard input is a terminal.
pub fn is_input() -> bool {
    io::stdin().is_terminal()
}

/// Asks a question that only a yes agrees to. Without a terminal the question goes to standard
/// output and one line of standard input answers it; its end means no (Compose's way).
/// A signal is heard while the question stands.
pub async fn confirm(question: &str) -> bool {
    let prompt = match io::stdin().is_terminal() {
        true => format!("{question} [y/N] "),
        false => question.to_owned(),
    };
    // Without a question there is no agreement.
    if output::ask(&prompt).await.is_err() {
        return false;
    }
    let Some(answer) = line().await else {
        return false;
    };
    means_yes(answer.trim())
}

/// Asks a question that says itself what an empty answer means, which holds on a terminal alone:
/// elsewhere only a yes agrees (Compose's way). A signal is heard while the question stands.
pub async fn choose(question: &str, default: bool) -> bool {
    if output::ask(question).await.is_err() {
        return false;
    }
    let Some(answer) = line().await else {
        return false;
    };
    match answer.trim() {
        "" => default && !answer.is_empty() && io::stdin().is_terminal(),
        answer => means_yes(answer),
    }
}

fn means_yes(answer: &str) -> bool {
    let answer = answer.to_lowercase();
    matches!(answer.as_str(), "y" | "yes" | "true" | "1" | "t")
}

/// One line of standard input; `None` where it cannot be read. The thread that reads is left
/// behind where nobody waits for the line any more: reading cannot be interrupted. Where there may be
/// no more threads, this one reads.
async fn line() -> Option<String> {
    let (sender, receiver) = oneshot::channel();
    let work = move || {
        // The asking command may have ended.
        let _ = sender.send(read_line());
    };
    match threads::spawn("an answer", work) {
        Ok(()) => receiver.await.ok().flatten(),
        Err(_) => read_line(),
    }
}

fn read_line() -> Option<String> {
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    read.is_ok().then_some(line)
}
