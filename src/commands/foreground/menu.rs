//! The keys that a foreground `up` listens to on a terminal, and the line that names them.

use crate::commands::foreground::View;
use crate::context::Context;
use crate::error::CliError;
use crate::interrupt::Signal;
use crate::output::{self, Mode, palette::Palette};
use crate::signals::process::{Heard, hear_for_process};
use crate::stdio::Keyboard;
use crate::terminal::input::Input;
use crate::terminal::{self, mode};
use futures::StreamExt;
use futures::future::pending;
use futures::stream::BoxStream;
use tokio::sync::mpsc;

/// What the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// `d`: leave the containers running.
    Detach,
    /// Enter: a line between what was and what comes.
    Line,
}

impl Key {
    fn of(byte: u8) -> Option<Key> {
        match byte {
            b'd' => Some(Key::Detach),
            b'\r' | b'\n' => Some(Key::Line),
            _ => None,
        }
    }
}

/// The menu. Dropped, it gives the terminal back as it was.
pub struct Menu(Option<Open>);

struct Open {
    keys: mpsc::Receiver<Vec<u8>>,
    signals: BoxStream<'static, Signal>,
    raw: mode::Raw,
    text: String,
}

impl Drop for Menu {
    fn drop(&mut self) {
        if self.0.is_some() {
            output::footer::show(None);
        }
    }
}

impl Menu {
    /// Shows it, where that is wanted and there is a terminal to do so on.
    ///
    /// # Errors
    /// Where the terminal cannot be set, or we may have no more threads.
    pub fn open(ctx: &Context, view: &View) -> Result<Menu, CliError> {
        let is_possible = view.has_menu
            && ctx.style.mode == Mode::Tty
            && output::is_terminal()
            && terminal::is_input()
            && mode::is_in_foreground();
        if !is_possible {
            return Ok(Menu(None));
        }
        let input = Input::prepare()?;
        let signals = hear_for_process(Heard::Terminal)?;
        let Some(raw) = mode::keys()? else {
            return Ok(Menu(None));
        };
        let open = Open {
            keys: input.begin(),
            signals,
            raw,
            text: Palette::new(ctx.style.colour_data).key("d", "Detach"),
        };
        open.show();
        Ok(Menu(Some(open)))
    }

    /// Waits until the containers are to be left alone: for ever, where there is no menu.
    ///
    /// # Errors
    /// Where a signal ends the program.
    pub async fn detached(&mut self) -> Result<(), CliError> {
        let Some(open) = &mut self.0 else {
            return pending().await;
        };
        loop {
            tokio::select! {
                typed = open.keys.recv() => {
                    // A terminal that is gone types nothing more.
                    let Some(typed) = typed else { return pending().await };
                    for key in typed.into_iter().filter_map(Key::of) {
                        match key {
                            Key::Detach => return Ok(()),
                            Key::Line => output::write_above("\n"),
                        }
                    }
                }
                signal = open.signals.next() => match signal {
                    Some(Signal::Stop) => {
                        output::footer::show(None);
                        output::drained().await;
                        open.raw.suspend();
                        open.show();
                    }
                    Some(Signal::Continue) => {
                        open.raw.resume();
                        open.show();
                    }
                    Some(Signal::Resize) => open.show(),
                    Some(signal) => return Err(CliError::silent(signal.exit_code())),
                    None => open.signals = futures::stream::pending().boxed(),
                },
            }
        }
    }
}

impl Open {
    fn show(&self) {
        // In a window that is too narrow it would take more than a line.
        let fits = mode::size().is_none_or(|size| size.columns > 12);
        output::footer::show(fits.then(|| self.text.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_mean_what_the_line_says() {
        for (byte, key) in [
            (b'd', Some(Key::Detach)),
            (b'\r', Some(Key::Line)),
            (b'\n', Some(Key::Line)),
            (b'D', None),
            (b'x', None),
        ] {
            assert_eq!(Key::of(byte), key);
        }
    }
}
