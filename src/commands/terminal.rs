//! What `exec`, `run` and `attach` share: our standard streams and terminal, for a process in a
//! container.

use crate::context::Context;
use crate::error::CliError;
use crate::output::Direct;
use crate::signals::process::{Heard, hear_for_process};
use crate::stdio::{Keyboard, Local};
use crate::terminal::{self, input::Input, mode};
use crate::value::detach_keys::{DetachKeys, Detector};
use futures::StreamExt;
use std::io;

/// What of ours the process gets.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// It has a terminal.
    pub tty: bool,
    /// It reads our standard input.
    pub stdin: bool,
    /// It gets our signals.
    pub forwards: bool,
}

/// Our side, prepared before anything is begun that would wait for it in vain.
pub struct Ours {
    wish: Wish,
    keys: Option<DetachKeys>,
    input: Option<Input>,
    sink: Direct,
}

impl Ours {
    /// Prepares it. `keys` are those of the command line.
    ///
    /// # Errors
    /// Where the process is to have a terminal, and our input is none; where keys are none.
    pub fn prepare(ctx: &Context, wish: Wish, keys: Option<&str>) -> Result<Self, CliError> {
        if wish.tty && wish.stdin && !terminal::is_input() {
            return Err(CliError::new(
                "cannot attach stdin to a TTY-enabled container because stdin is not a terminal",
            )
            .hint("-T runs it without a terminal"));
        }
        let keys = keys.filter(|keys| !keys.is_empty()).map(str::to_owned);
        let keys = keys.or_else(|| ctx.detach_keys());
        let keys = keys.map(|keys| DetachKeys::parse(&keys)).transpose();
        Ok(Ours {
            wish,
            keys: keys.map_err(|error| CliError::new(error.to_string()))?,
            input: wish.stdin.then(Input::prepare).transpose()?,
            sink: Direct,
        })
    }

    /// The keys that leave the process alone, for the engine: it watches for them, too.
    pub fn detach_keys(&self) -> Option<String> {
        let keys = self.keys.as_ref();
        keys.map(|keys| keys.as_str().to_owned())
    }

    /// Hands the terminal over: from here on what is typed goes to the process, and signals as well.
    ///
    /// # Errors
    /// Where the terminal cannot be set.
    pub fn begin(&mut self) -> io::Result<Local<'_>> {
        let Wish {
            tty,
            stdin,
            forwards,
        } = self.wish;
        let raw = match tty && stdin {
            true => mode::raw()?,
            false => None,
        };
        let is_watched = tty && stdin;
        let heard = match (forwards, tty) {
            (true, false) => Some(Heard::All),
            (true, true) => Some(Heard::AllAndTerminal),
            (false, true) => Some(Heard::Terminal),
            (false, false) => None,
        };
        let signals = match heard {
            Some(heard) => hear_for_process(heard)?,
            None => futures::stream::pending().boxed(),
        };
        Ok(Local {
            input: self.input.take().map(Input::begin),
            detector: is_watched.then(|| Detector::new(&self.keys.clone().unwrap_or_default())),
            signals,
            forwards,
            has_terminal: tty,
            keyboard: raw.map(|raw| Box::new(raw) as Box<dyn Keyboard>),
            stop: mode::stop,
            size: mode::size,
            sink: &mut self.sink,
        })
    }
}

/// Waits until what was drawn stands on the screen, for a process to write below it.
pub async fn settle(ctx: &Context) {
    // The last of the progress is drawn once more and left standing.
    let _ = ctx.reporter.text("");
    ctx.reporter.taken().await;
}

/// The exit code of a process as ours.
pub fn exit_code(code: i64) -> std::process::ExitCode {
    std::process::ExitCode::from(u8::try_from(code & 0xff).unwrap_or(1))
}
