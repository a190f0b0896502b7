//! Our standard streams and those of a process in a container, passed through until that ends.
//!
//! One loop does all of it, so that nothing waits for anything else: a paste of a megabyte, output that
//! nobody reads, a window that changes its size and a signal all go on side by side.

use crate::engine::{Engine, EngineError, OutputChunk, OutputStream, Streams, TerminalSize};
use crate::interrupt::{Cause, Signal};
use crate::value::detach_keys::Detector;
use futures::future::{BoxFuture, pending};
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use std::collections::VecDeque;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

/// The process, as the engine knows it.
#[derive(Debug, Clone, Copy)]
pub enum Process<'a> {
    /// A command by its id.
    Exec(&'a str),
    /// The main process of a container.
    Container(&'a str),
}

/// Where its output goes. Nothing here waits for a reader.
pub trait Sink: Send {
    /// # Errors
    /// If earlier bytes could not be written.
    fn write(&mut self, chunk: OutputChunk) -> io::Result<()>;
    /// Whether more may be written without heaping it up.
    fn has_room(&self) -> bool;
    /// Waits until that is so.
    fn room(&self) -> BoxFuture<'static, ()>;
    /// Waits until all is written.
    ///
    /// # Errors
    /// If it could not be.
    fn drained(&self) -> BoxFuture<'static, io::Result<()>>;
}

/// Our terminal, whose mode is not the one that it had.
pub trait Keyboard: Send {
    /// Stops the program, as Ctrl-Z does, with the terminal as it was before; returns when it goes on.
    fn suspend(&self);
    /// Gives the terminal the mode again, where a shell has set its own meanwhile.
    fn resume(&self);
}

/// This side of the streams.
pub struct Local<'a> {
    /// Standard input in pieces; its end is passed on.
    pub input: Option<mpsc::Receiver<Vec<u8>>>,
    /// Looks for the keys that leave the process alone.
    pub detector: Option<Detector>,
    /// Signals for the process, and about the terminal.
    pub signals: BoxStream<'static, Signal>,
    /// Signals go to the process.
    pub forwards: bool,
    /// It has a terminal, whose size is that of ours.
    pub has_terminal: bool,
    /// Our terminal, where the process reads it.
    pub keyboard: Option<Box<dyn Keyboard>>,
    /// Stops the program, where the terminal's mode was left alone.
    pub stop: fn(),
    /// Asks for the size of our terminal.
    pub size: fn() -> Option<TerminalSize>,
    pub sink: &'a mut dyn Sink,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The process has closed its streams.
    Closed,
    /// The user has left it alone.
    Detached,
}

/// Why streams are passed through no longer.
#[derive(Debug, thiserror::Error)]
pub enum StdioError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Our own streams cannot be read or written.
    #[error(transparent)]
    Local(#[from] io::Error),
    /// A signal that the process does not get.
    #[error("ended by a signal")]
    Signal(Signal),
    /// The engine passes no signal on any more.
    #[error("the engine passes no signals on")]
    Silent(Cause),
}

/// So many signals that ask to end are waiting for an engine that says nothing: the next one leaves.
const SILENT: usize = 3;

/// How often a terminal is told its size again where that fails: it may not be there yet.
const RESIZES: u32 = 5;

/// Passes streams through until the process closes its own, or is left alone.
///
/// # Errors
/// If the engine or one of our own streams fails, or a signal ends the program.
pub async fn pass(
    engine: &dyn Engine,
    process: Process<'_>,
    streams: Streams,
    local: Local<'_>,
) -> Result<End, StdioError> {
    let Streams { mut output, input } = streams;
    let Local {
        input: typed,
        detector,
        mut signals,
        forwards,
        has_terminal,
        keyboard,
        stop,
        size,
        sink,
    } = local;
    let mut feeding = std::pin::pin!(feed(typed, input, detector));
    let mut calls = Calls {
        engine,
        process,
        kills: VecDeque::new(),
        // Also what it was told already: a window may have changed since.
        size: has_terminal.then(size).flatten(),
        under_way: None,
        unanswered: 0,
    };
    let mut is_fed = false;
    loop {
        let has_room = sink.has_room();
        let room = match has_room {
            true => pending().boxed(),
            false => sink.room(),
        };
        tokio::select! {
            biased;
            signal = signals.next() => match signal {
                Some(Signal::Resize) => calls.size = size(),
                Some(Signal::Stop) if keyboard.is_some() || !forwards => {
                    sink.drained().await?;
                    match &keyboard {
                        Some(keyboard) => keyboard.suspend(),
                        None => stop(),
                    }
                    calls.size = has_terminal.then(size).flatten();
                }
                Some(Signal::Continue) if keyboard.is_some() || !forwards => {
                    if let Some(keyboard) = &keyboard {
                        keyboard.resume();
                    }
                    calls.size = has_terminal.then(size).flatten();
                }
                Some(signal) if forwards => calls.forward(signal)?,
                Some(signal) => return Err(StdioError::Signal(signal)),
                None => signals = futures::stream::pending().boxed(),
            },
            () = calls.next() => {}
            detached = &mut feeding, if !is_fed => {
                if detached {
                    sink.drained().await?;
                    return Ok(End::Detached);
                }
                is_fed = true;
            }
            chunk = output.next(), if has_room => match chunk {
                Some(chunk) => sink.write(chunk?)?,
                None => {
                    sink.drained().await?;
                    return Ok(End::Closed);
                }
            },
            () = room => {}
        }
    }
}

/// Passes input on, and its end. `true` where the keys that detach have come.
async fn feed(
    typed: Option<mpsc::Receiver<Vec<u8>>>,
    to: Option<std::pin::Pin<Box<dyn AsyncWrite + Send>>>,
    mut detector: Option<Detector>,
) -> bool {
    let (Some(mut typed), Some(mut to)) = (typed, to) else {
        return false;
    };
    while let Some(bytes) = typed.recv().await {
        let (bytes, is_left) = match &mut detector {
            Some(detector) => detector.push(&bytes),
            None => (bytes, false),
        };
        // A process that does not listen any more is about to end.
        if to.write_all(&bytes).await.is_err() || to.flush().await.is_err() {
            return false;
        }
        if is_left {
            return true;
        }
    }
    let held = detector.map(|mut d| d.end()).unwrap_or_default();
    if to.write_all(&held).await.is_ok() {
        let _ = to.shutdown().await;
    }
    false
}

/// What is asked of the engine meanwhile, one call after the other.
struct Calls<'a> {
    engine: &'a dyn Engine,
    process: Process<'a>,
    kills: VecDeque<Signal>,
    /// The size that the terminal is to be told.
    size: Option<TerminalSize>,
    under_way: Option<BoxFuture<'a, ()>>,
    /// Signals that were sent and are not answered.
    unanswered: usize,
}

impl Calls<'_> {
    /// # Errors
    /// Where the engine has been silent about several already.
    fn forward(&mut self, signal: Signal) -> Result<(), StdioError> {
        let waiting = self.kills.iter().filter(|s| s.cause().is_some()).count();
        match signal.cause() {
            Some(cause) if self.unanswered + waiting + 1 >= SILENT => {
                Err(StdioError::Silent(cause))
            }
            _ => {
                self.kills.push_back(signal);
                Ok(())
            }
        }
    }

    /// Makes the next call; does not end where there is none to make.
    async fn next(&mut self) {
        let (engine, process) = (self.engine, self.process);
        if self.under_way.is_none() {
            let signal = self.kills.pop_front();
            self.under_way = match (signal, process) {
                (Some(signal), Process::Container(id)) => {
                    self.unanswered = usize::from(signal.cause().is_some());
                    Some(kill(engine, id, signal).boxed())
                }
                _ => self
                    .size
                    .take()
                    .map(|size| resize(engine, process, size).boxed()),
            };
        }
        match &mut self.under_way {
            None => pending().await,
            Some(call) => {
                call.await;
                self.under_way = None;
                self.unanswered = 0;
            }
        }
    }
}

async fn kill(engine: &dyn Engine, id: &str, signal: Signal) {
    // A process that has ended needs none.
    if let Err(error) = engine.kill_container(id, signal.name()).await {
        tracing::debug!(%error, signal = signal.name(), "a signal was not passed on");
    }
}

async fn resize(engine: &dyn Engine, process: Process<'_>, size: TerminalSize) {
    for attempt in 1..=RESIZES {
        let told = match process {
            Process::Exec(id) => engine.resize_exec(id, size).await,
            Process::Container(id) => engine.resize_container(id, size).await,
        };
        match told {
            Ok(()) => return,
            Err(error) => tracing::debug!(%error, attempt, "a terminal was not told its size"),
        }
        tokio::time::sleep(Duration::from_millis(10) * attempt).await;
    }
}

/// Keeps what comes, for tests and for output that is looked at.
#[derive(Debug, Default)]
pub struct Kept {
    pub out: Vec<u8>,
    pub err: Vec<u8>,
}

impl Sink for Kept {
    fn write(&mut self, chunk: OutputChunk) -> io::Result<()> {
        let to = match chunk.stream {
            OutputStream::Stdout => &mut self.out,
            OutputStream::Stderr => &mut self.err,
        };
        to.extend(chunk.bytes);
        Ok(())
    }

    fn has_room(&self) -> bool {
        true
    }

    fn room(&self) -> BoxFuture<'static, ()> {
        std::future::ready(()).boxed()
    }

    fn drained(&self) -> BoxFuture<'static, io::Result<()>> {
        std::future::ready(Ok(())).boxed()
    }
}

#[cfg(test)]
mod tests;
