//! The signals that concern a process in a container which has our terminal, or gets our signals.

use super::Diversion;
use crate::interrupt::{Cause, Signal};
use futures::StreamExt;
use futures::stream::{BoxStream, SelectAll};
use std::io;
use tokio::sync::mpsc;

/// What is heard from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// The process gets the signals, and the program goes on.
    All,
    /// The program has the terminal's mode to look after; what asks it to end does so as always.
    Terminal,
    /// Both.
    AllAndTerminal,
}

/// Hears signals for as long as the stream lives.
///
/// # Errors
/// Where the system refuses.
#[cfg(unix)]
pub fn hear_for_process(heard: Heard) -> io::Result<BoxStream<'static, Signal>> {
    use futures::stream::unfold;
    use rustix::process::Signal as Raw;
    use tokio::signal::unix::{SignalKind, signal};
    let mut kinds = vec![
        (Raw::QUIT, Signal::Quit),
        (Raw::USR1, Signal::User1),
        (Raw::USR2, Signal::User2),
        (Raw::ALARM, Signal::Alarm),
        (Raw::TSTP, Signal::Stop),
        (Raw::CONT, Signal::Continue),
    ];
    if heard != Heard::All {
        kinds.push((Raw::WINCH, Signal::Resize));
    }
    let mut all: SelectAll<BoxStream<'static, Signal>> = SelectAll::new();
    for (kind, ours) in kinds {
        let stream = signal(SignalKind::from_raw(kind.as_raw()))?;
        let stream = unfold(stream, move |mut stream| async move {
            stream.recv().await?;
            Some((ours, stream))
        });
        all.push(stream.boxed());
    }
    if heard != Heard::Terminal {
        all.push(diverted());
    }
    Ok(all.boxed())
}

#[cfg(not(unix))]
pub fn hear_for_process(heard: Heard) -> io::Result<BoxStream<'static, Signal>> {
    Ok(match heard {
        Heard::Terminal => futures::stream::pending().boxed(),
        Heard::All | Heard::AllAndTerminal => diverted(),
    })
}

/// What would end the program, from the first poll on: until somebody listens it still does.
fn diverted() -> BoxStream<'static, Signal> {
    let begin = async {
        let (sender, receiver) = mpsc::unbounded_channel();
        let state = (Diversion::to(sender), receiver);
        futures::stream::unfold(state, |(diversion, mut receiver)| async move {
            let cause: Cause = receiver.recv().await?;
            Some((Signal::from(cause), (diversion, receiver)))
        })
    };
    futures::stream::once(begin).flatten().boxed()
}
