//! Ways out that keep nobody waiting: a thread writes, so that work goes on, and signals are heard,
//! while a terminal is paused or nobody reads a pipe.
//!
//! What goes to one terminal by both streams keeps its order. A sender of much waits for
//! [`Outlet::room`] first, so that no more than [`ENOUGH`] and what was sent at once is held.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// So many bytes may wait to be written.
const ENOUGH: usize = 256 << 10;

/// So many are written at once, so that a slow reader shows as one.
const PIECE: usize = 16 << 10;

/// One of the program's streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    /// Its way out.
    pub fn outlet(self) -> &'static Outlet {
        static OUTLETS: OnceLock<[Arc<Outlet>; 2]> = OnceLock::new();
        let [out, err] = OUTLETS.get_or_init(|| {
            let out = Arc::new(Outlet::new(write_out));
            let err = match are_one_terminal() {
                true => out.clone(),
                false => Arc::new(Outlet::new(write_out)),
            };
            [out, err]
        });
        match self {
            Stream::Stdout => out,
            Stream::Stderr => err,
        }
    }
}

/// Writes for the thread: it may take for ever.
fn write_out(stream: Stream, bytes: &[u8]) -> io::Result<()> {
    match stream {
        Stream::Stdout => {
            let mut stdout = io::stdout().lock();
            stdout.write_all(bytes)?;
            stdout.flush()
        }
        Stream::Stderr => io::stderr().lock().write_all(bytes),
    }
}

/// Whether both streams are, as usual, the terminal: then their order is seen.
fn are_one_terminal() -> bool {
    io::stdout().is_terminal() && io::stderr().is_terminal()
}

/// How bytes are written.
type WriteOut = fn(Stream, &[u8]) -> io::Result<()>;

/// A way out. Its thread begins with the first bytes.
pub struct Outlet(Arc<Shared>);

struct Shared {
    write: WriteOut,
    state: Mutex<State>,
    /// There is something to write, or it has been written.
    change: Condvar,
    /// The same for those who await it.
    written: Notify,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(Stream, Vec<u8>)>,
    /// Bytes that are not written yet: waiting, and in the thread's hands.
    bytes: usize,
    is_started: bool,
    /// Somebody who wants to leave has waited in vain, and nothing was written since.
    is_given_up: bool,
    /// Why no more is written, by stream.
    failures: [Option<Failed>; 2],
}

/// What is kept of an error, to be told more than once.
#[derive(Clone, Copy)]
struct Failed {
    kind: io::ErrorKind,
    code: Option<i32>,
}

impl From<Failed> for io::Error {
    fn from(failed: Failed) -> Self {
        match failed.code {
            Some(code) => io::Error::from_raw_os_error(code),
            None => failed.kind.into(),
        }
    }
}

impl Outlet {
    fn new(write: WriteOut) -> Self {
        Outlet(Arc::new(Shared {
            write,
            state: Mutex::default(),
            change: Condvar::new(),
            written: Notify::new(),
        }))
    }

    /// Sends bytes on their way, and never waits.
    ///
    /// # Errors
    /// If earlier ones of the stream could not be written.
    pub fn push(&self, stream: Stream, bytes: Vec<u8>) -> io::Result<()> {
        let mut state = self.0.state();
        if let Some(failed) = state.failures[stream as usize] {
            return Err(failed.into());
        }
        if bytes.is_empty() {
            return Ok(());
        }
        if !state.is_started {
            let shared = self.0.clone();
            let thread = std::thread::Builder::new()
                .name("output".into())
                .stack_size(128 << 10)
                .spawn(move || shared.work());
            if thread.is_err() {
                // Where there may be no more threads, the sender waits.
                return (self.0.write)(stream, &bytes);
            }
            state.is_started = true;
        }
        state.bytes += bytes.len();
        state.waiting.push_back((stream, bytes));
        drop(state);
        self.0.change.notify_all();
        Ok(())
    }

    /// Whether more may be sent without heaping it up.
    pub fn has_room(&self) -> bool {
        self.waiting() < ENOUGH
    }

    /// How many bytes are not written yet.
    pub fn waiting(&self) -> usize {
        self.0.state().bytes
    }

    /// Waits until more may be sent.
    pub async fn room(&self) {
        self.until(|state| state.bytes < ENOUGH).await;
    }

    /// Waits until all is written, or will never be.
    ///
    /// # Errors
    /// If some of the stream could not be written.
    pub async fn drained(&self, stream: Stream) -> io::Result<()> {
        self.until(|state| state.bytes == 0).await;
        self.failure(stream).map_or(Ok(()), Err)
    }

    /// Waits for an error of the stream: for ever, where there is none.
    pub async fn failed(&self, stream: Stream) -> io::Error {
        self.until(|state| state.failures[stream as usize].is_some())
            .await;
        self.failure(stream)
            .unwrap_or_else(|| io::ErrorKind::Other.into())
    }

    fn failure(&self, stream: Stream) -> Option<io::Error> {
        self.0.state().failures[stream as usize].map(Into::into)
    }

    async fn until(&self, holds: impl Fn(&State) -> bool) {
        loop {
            let mut written = std::pin::pin!(self.0.written.notified());
            // From here on no notice is missed.
            written.as_mut().enable();
            if holds(&self.0.state()) {
                return;
            }
            written.await;
        }
    }

    /// Waits until all is written, or, where there is a `limit`, until nobody has read for so long.
    pub async fn settled(&self, limit: Option<Duration>) {
        let Some(limit) = limit else {
            return self.until(|state| state.bytes == 0).await;
        };
        loop {
            let (before, is_given_up) = {
                let state = self.0.state();
                (state.bytes, state.is_given_up)
            };
            if before == 0 || is_given_up {
                return;
            }
            let less = self.until(|state| state.bytes < before);
            if tokio::time::timeout(limit, less).await.is_err() {
                self.0.state().is_given_up = true;
            }
        }
    }

    /// The same on this thread.
    pub fn wait(&self, limit: Option<Duration>) {
        let mut state = self.0.state();
        let (mut before, mut since) = (state.bytes, Instant::now());
        while state.bytes > 0 {
            if state.bytes < before {
                (before, since) = (state.bytes, Instant::now());
            }
            let left = limit.map(|limit| limit.saturating_sub(since.elapsed()));
            state.is_given_up |= left.is_some_and(|left| left.is_zero());
            if limit.is_some() && state.is_given_up {
                return;
            }
            let left = left.unwrap_or(Duration::from_secs(60));
            let waited = self.0.change.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut state = self.state();
        loop {
            let Some((stream, mut bytes)) = state.waiting.pop_front() else {
                let waited = self.change.wait(state);
                state = waited.unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            // Small pieces are written together.
            while bytes.len() < ENOUGH
                && let Some((next, _)) = state.waiting.front()
                && *next == stream
                && let Some((_, more)) = state.waiting.pop_front()
            {
                bytes.extend_from_slice(&more);
            }
            for piece in bytes.chunks(PIECE) {
                let is_open = state.failures[stream as usize].is_none();
                drop(state);
                let result = match is_open {
                    true => (self.write)(stream, piece),
                    false => Ok(()),
                };
                state = self.state();
                state.bytes -= piece.len();
                state.is_given_up = false;
                if let Err(error) = result {
                    state.failures[stream as usize] = Some(Failed {
                        kind: error.kind(),
                        code: error.raw_os_error(),
                    });
                }
                self.change.notify_all();
                self.written.notify_waiters();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// Nobody reads until the test says so.
    static READER: Mutex<Option<mpsc::Receiver<()>>> = Mutex::new(None);
    static WRITTEN: Mutex<Vec<u8>> = Mutex::new(Vec::new());

    fn blocked(stream: Stream, bytes: &[u8]) -> io::Result<()> {
        let reader = READER.lock().unwrap();
        let _ = reader.as_ref().map(|r| r.recv());
        WRITTEN.lock().unwrap().extend_from_slice(bytes);
        match stream {
            Stream::Stdout => Ok(()),
            Stream::Stderr => Err(io::Error::from_raw_os_error(32)),
        }
    }

    #[tokio::test]
    async fn nobody_waits_for_a_reader_but_who_wants_to() {
        let (read, reader) = mpsc::channel();
        *READER.lock().unwrap() = Some(reader);
        let outlet = Outlet::new(blocked);
        outlet.push(Stream::Stdout, b"a".to_vec()).unwrap();
        assert!(outlet.has_room());
        outlet.push(Stream::Stdout, vec![b'b'; ENOUGH]).unwrap();
        assert!(!outlet.has_room());
        outlet.wait(Some(Duration::from_millis(20)));
        let room = tokio::time::timeout(Duration::from_millis(20), outlet.room());
        assert!(room.await.is_err(), "there is no room");
        drop(read);
        outlet.room().await;
        outlet.drained(Stream::Stdout).await.unwrap();
        assert_eq!(WRITTEN.lock().unwrap().len(), ENOUGH + 1);
        assert_eq!(WRITTEN.lock().unwrap()[..2], *b"ab");
        // An error of writing is given to the next caller that asks or sends.
        outlet.push(Stream::Stderr, b"c".to_vec()).unwrap();
        let error = outlet.failed(Stream::Stderr).await;
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        assert!(outlet.push(Stream::Stderr, b"d".to_vec()).is_err());
        outlet.push(Stream::Stdout, b"e".to_vec()).unwrap();
        outlet.drained(Stream::Stdout).await.unwrap();
    }
}
