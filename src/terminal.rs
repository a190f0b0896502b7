//! The terminal as a way in: signals from its keys, questions to the user.

use crate::interrupt::{Cause, Interrupts};
use crate::value::userinfo::masked;
use std::io::{self, BufRead, IsTerminal, Write};
use tokio::sync::oneshot;

/// Takes signals over from here on, and turns them into stages as long as the future is polled.
/// Without a runtime's handlers a signal ends the program by itself.
pub fn watch_signals(interrupts: Interrupts) -> impl Future<Output = ()> {
    #[cfg(unix)]
    let handlers = {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::interrupt()).and_then(|i| Ok((i, signal(SignalKind::terminate())?)))
    };
    async move {
        #[cfg(unix)]
        if let Ok((mut int, mut term)) = handlers {
            loop {
                tokio::select! {
                    _ = int.recv() => interrupts.signal(Cause::Interrupt),
                    _ = term.recv() => interrupts.signal(Cause::Terminate),
                }
            }
        }
        while tokio::signal::ctrl_c().await.is_ok() {
            interrupts.signal(Cause::Interrupt);
        }
    }
}

/// Asks a question that only a yes agrees to. Without a terminal the question goes to standard
/// output and one line of standard input answers it; its end means no (Compose's way).
/// A signal is heard while the question stands.
pub async fn confirm(question: &str) -> bool {
    let question = masked(question);
    let prompt = match io::stdin().is_terminal() {
        true => format!("{question} [y/N] "),
        false => question.into_owned(),
    };
    let mut stdout = io::stdout().lock();
    // Who cannot be asked has not agreed.
    if stdout.write_all(prompt.as_bytes()).is_err() || stdout.flush().is_err() {
        return false;
    }
    drop(stdout);
    let Some(answer) = line().await else {
        return false;
    };
    means_yes(answer.trim())
}

/// Asks a question that says itself what an empty answer means, which holds on a terminal alone:
/// elsewhere only a yes agrees (Compose's way). A signal is heard while the question stands.
pub async fn choose(question: &str, default: bool) -> bool {
    let mut stdout = io::stdout().lock();
    if stdout.write_all(masked(question).as_bytes()).is_err() || stdout.flush().is_err() {
        return false;
    }
    drop(stdout);
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
/// behind where nobody waits for the line any more: reading cannot be called off.
async fn line() -> Option<String> {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        // Who asked may be gone.
        let _ = sender.send(read.is_ok().then_some(line));
    });
    receiver.await.ok().flatten()
}
