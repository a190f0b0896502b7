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
    /// `w`: begin to watch the project's files, or stop it.
    Watch,
    /// Enter: a line between what was and what comes.
    Line,
}

/// What a key asks of the foreground `up`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    Detach,
    Watch,
}

impl Key {
    fn of(byte: u8) -> Option<Key> {
        match byte {
            b'd' => Some(Key::Detach),
            b'w' => Some(Key::Watch),
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
    palette: Palette,
    is_watching: bool,
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
    pub fn open(ctx: &Context, view: &View, is_watching: bool) -> Result<Menu, CliError> {
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
            palette: Palette::new(ctx.style.colour_data),
            is_watching,
        };
        open.show();
        Ok(Menu(Some(open)))
    }

    /// Shows whether files are watched.
    pub fn watching(&mut self, is_watching: bool) {
        if let Some(open) = &mut self.0 {
            open.is_watching = is_watching;
            open.show();
        }
    }

    /// Waits for a key that asks for something: for ever, where there is no menu.
    ///
    /// # Errors
    /// Where a signal ends the program.
    pub async fn choice(&mut self) -> Result<Choice, CliError> {
        let Some(open) = &mut self.0 else {
            return pending().await;
        };
        loop {
            tokio::select! {
                typed = open.keys.recv() => {
                    // A terminal that is gone types nothing more.
                    let Some(typed) = typed else { return pending().await };
                    // Of keys typed at once the last one counts; pasted text is no series of wishes.
                    let mut chosen = None;
                    for key in typed.into_iter().filter_map(Key::of) {
                        match key {
                            Key::Detach => chosen = Some(Choice::Detach),
                            Key::Watch => chosen = Some(Choice::Watch),
                            Key::Line => output::write_above("\n"),
                        }
                    }
                    if let Some(choice) = chosen {
                        return Ok(choice);
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
        let fits = mode::size().is_none_or(|size| size.columns > 30);
        output::footer::show(fits.then(|| self.text()));
    }

    fn text(&self) -> String {
        let watch = match self.is_watching {
            true => "Disable Watch",
            false => "Enable Watch",
        };
        let keys = [("w", watch), ("d", "Detach")];
        keys.map(|(key, what)| self.palette.key(key, what))
            .join("   ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_mean_what_the_line_says() {
        for (byte, key) in [
            (b'd', Some(Key::Detach)),
            (b'w', Some(Key::Watch)),
            (b'\r', Some(Key::Line)),
            (b'\n', Some(Key::Line)),
            (b'D', None),
            (b'x', None),
        ] {
            assert_eq!(Key::of(byte), key);
        }
    }
}
