//! The mode of the terminal on standard input. As long as a process in a container has the keyboard
//! it is raw: every key goes there, Ctrl-C too. As long as a foreground `up` listens to keys they come
//! one by one. However the program ends, the terminal gets its mode
//! back: by the guard, by the thread that ends the program at a signal, and where it panics.

use crate::engine::TerminalSize;
use crate::output;
use crate::stdio::Keyboard;
use std::io;

/// What becomes of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Each goes to a process in a container as it is.
    Raw,
    /// Each is read at once and not shown; those that are signals stay signals.
    Keys,
}

/// As long as this lives the terminal is in another mode.
#[derive(Debug)]
pub struct Raw(Kind);

impl Drop for Raw {
    fn drop(&mut self) {
        restore();
    }
}

impl Keyboard for Raw {
    fn suspend(&self) {
        give_back();
        system::stop();
        self.resume();
    }

    fn resume(&self) {
        if let Err(error) = system::change(self.0) {
            tracing::debug!(%error, "the terminal stays as it is");
        }
        output::is_raw(self.0 == Kind::Raw);
    }
}

/// Makes the terminal raw; `None` where standard input is none.
///
/// # Errors
/// Where the terminal cannot be set.
pub fn raw() -> io::Result<Option<Raw>> {
    begin(Kind::Raw)
}

/// Lets keys come one by one, and not be shown; `None` where standard input is no terminal.
///
/// # Errors
/// Where the terminal cannot be set.
pub fn keys() -> io::Result<Option<Raw>> {
    begin(Kind::Keys)
}

fn begin(kind: Kind) -> io::Result<Option<Raw>> {
    if !super::is_input() {
        return Ok(None);
    }
    system::remember()?;
    restore_at_panic();
    let raw = Raw(kind);
    system::change(kind)?;
    output::is_raw(kind == Kind::Raw);
    Ok(Some(raw))
}

/// Whether the terminal is ours: a shell may have put us into the background, where setting its mode
/// would stop the program.
pub fn is_in_foreground() -> bool {
    system::is_in_foreground()
}

/// Stops the program, as Ctrl-Z does, where it has not changed the terminal's mode.
pub fn stop() {
    system::stop();
}

/// Gives the terminal the mode that it had before; nothing where that was not changed.
pub fn restore() {
    give_back();
    system::forget();
}

fn give_back() {
    system::give_back();
    output::is_raw(false);
}

/// A panic ends the program without unwinding.
fn restore_at_panic() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore();
            before(panic);
        }));
    });
}

/// The size of the terminal that output goes to; `None` where it goes elsewhere.
pub fn size() -> Option<TerminalSize> {
    system::size().filter(|size| size.rows > 0 && size.columns > 0)
}

#[cfg(unix)]
mod system {
    use super::Kind;
    use crate::engine::TerminalSize;
    use rustix::process::{Signal, getpgrp, getpid, kill_process};
    use rustix::termios::{
        LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcgetwinsize, tcsetattr,
    };
    use std::io;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    /// The mode to give back.
    static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

    fn before() -> MutexGuard<'static, Option<Termios>> {
        BEFORE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn remember() -> io::Result<()> {
        let mut before = before();
        if before.is_none() {
            *before = Some(tcgetattr(io::stdin())?);
        }
        Ok(())
    }

    pub fn forget() {
        *before() = None;
    }

    pub fn is_in_foreground() -> bool {
        tcgetpgrp(io::stdin()).is_ok_and(|group| group == getpgrp())
    }

    pub fn change(kind: Kind) -> io::Result<()> {
        let Some(mut mode) = before().clone() else {
            return Ok(());
        };
        match kind {
            Kind::Raw => mode.make_raw(),
            Kind::Keys => mode
                .local_modes
                .remove(LocalModes::ICANON | LocalModes::ECHO),
        }
        Ok(tcsetattr(io::stdin(), OptionalActions::Now, &mode)?)
    }

    pub fn give_back() {
        if let Some(mode) = before().as_ref() {
            // A terminal that has gone needs no mode.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, mode);
        }
    }

    pub fn stop() {
        // Nothing but a missing process fails, and this one is there.
        let _ = kill_process(getpid(), Signal::STOP);
    }

    pub fn size() -> Option<TerminalSize> {
        let size = tcgetwinsize(crate::output::stdout_handle()).ok()?;
        Some(TerminalSize {
            rows: size.ws_row,
            columns: size.ws_col,
        })
    }
}

#[cfg(not(unix))]
mod system {
    use super::Kind;
    use crate::engine::TerminalSize;
    use std::io;

    pub fn remember() -> io::Result<()> {
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "a terminal in the container needs a terminal of a Unix system; -T runs the command without one",
        ))
    }

    pub fn forget() {}

    pub fn is_in_foreground() -> bool {
        false
    }

    pub fn change(_: Kind) -> io::Result<()> {
        Ok(())
    }

    pub fn give_back() {}

    pub fn stop() {}

    pub fn size() -> Option<TerminalSize> {
        None
    }
}
