//! The readers of logs: one task per log, all into one short channel, so that a slow output slows
//! the reading down.
//!
//! While a line is passed on in pieces its log has the floor: the other readers wait, with what they
//! have, until the line has ended. They do not wait for ever: where nothing comes of the line for
//! [`PATIENCE`], or it has become longer than [`ENDLESS`], it is broken.

use crate::engine::{Engine, EngineError, LogOptions, OutputChunk};
use futures::StreamExt;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Chunks under way from the readers; more would only cost memory.
const UNDER_WAY: usize = 8;

/// How long others wait for a line that does not go on.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many bytes of one line others wait for.
const ENDLESS: usize = 64 << 20;

/// How often, and after which pause, a log is asked for again that ends before it begins.
const EARLY_TRIES: u32 = 6;
const EARLY_PAUSE: Duration = Duration::from_millis(100);

/// What a reader hands over.
pub(super) enum Part {
    Chunk(OutputChunk),
    End(Result<(), EngineError>),
}

pub(super) struct Pool {
    engine: Arc<dyn Engine>,
    tasks: JoinSet<()>,
    parts: mpsc::Receiver<(usize, Part)>,
    sender: mpsc::Sender<(usize, Part)>,
    /// The log whose line is being passed on.
    floor: watch::Sender<Option<usize>>,
    /// How many readers wait for its end.
    waiting: Arc<AtomicUsize>,
    /// What was under way from others when it began.
    held: VecDeque<(usize, Part)>,
    /// Bytes of the line, and when the last of them came.
    bytes: usize,
    since: Instant,
}

impl Pool {
    pub(super) fn new(engine: Arc<dyn Engine>) -> Self {
        let (sender, parts) = mpsc::channel(UNDER_WAY);
        Pool {
            engine,
            tasks: JoinSet::new(),
            parts,
            sender,
            floor: watch::Sender::new(None),
            waiting: Arc::default(),
            held: VecDeque::new(),
            bytes: 0,
            since: Instant::now(),
        }
    }

    /// Starts reading; the parts come under the number.
    pub(super) fn read(&mut self, number: usize, id: String, options: LogOptions) {
        while self.tasks.try_join_next().is_some() {}
        let engine = self.engine.clone();
        let mut hand = Hand {
            number,
            sender: self.sender.clone(),
            floor: self.floor.subscribe(),
            waiting: self.waiting.clone(),
        };
        self.tasks.spawn(async move {
            // Podman ends a log at once that is followed before the start is through, and announces
            // the start before that.
            let mut tries = match options.follow && engine.announces_early() {
                true => EARLY_TRIES,
                false => 0,
            };
            let end = 'read: loop {
                let mut stream = engine.logs(&id, options.clone());
                let mut is_empty = true;
                loop {
                    match stream.next().await {
                        Some(Ok(chunk)) => {
                            is_empty = false;
                            if !hand.over(Part::Chunk(chunk)).await {
                                return;
                            }
                        }
                        Some(Err(error)) => break 'read Err(error),
                        None => break,
                    }
                }
                if !is_empty || tries == 0 {
                    break Ok(());
                }
                tries -= 1;
                tokio::time::sleep(EARLY_PAUSE).await;
            };
            hand.over(Part::End(end)).await;
        });
    }

    /// A part that is there.
    pub(super) fn try_next(&mut self) -> Option<(usize, Part)> {
        loop {
            if let Some(part) = self.held_part() {
                return Some(part);
            }
            let part = self.parts.try_recv().ok()?;
            self.held.push_back(part);
        }
    }

    /// The next part. Nothing is lost where the future is dropped.
    pub(super) async fn next(&mut self) -> (usize, Part) {
        loop {
            if let Some(part) = self.held_part() {
                return part;
            }
            match self.parts.recv().await {
                Some(part) => self.held.push_back(part),
                // We hold a sender ourselves, so the channel never closes.
                None => std::future::pending().await,
            }
        }
    }

    /// The first part held back of the log whose line is being passed on; of any log without such a line.
    fn held_part(&mut self) -> Option<(usize, Part)> {
        let floor = *self.floor.borrow();
        let mut held = self.held.iter();
        let at = held.position(|(number, _)| floor.is_none_or(|f| f == *number))?;
        self.held.remove(at)
    }

    /// Bytes of a log were printed, and it is now within a line, or not.
    pub(super) fn passed(&mut self, number: usize, is_in_line: bool, bytes: usize) {
        let has_floor = *self.floor.borrow() == Some(number);
        if is_in_line {
            self.bytes = if has_floor { self.bytes + bytes } else { bytes };
            self.since = Instant::now();
        }
        if is_in_line != has_floor {
            self.floor.send_replace(is_in_line.then_some(number));
        }
    }

    /// Nothing is taken for a while: nobody's patience runs out meanwhile.
    pub(super) fn rests(&mut self) {
        self.since = Instant::now();
    }

    /// The log whose line is to be broken, since others (`is_awaited`: not only logs) have waited for
    /// too long.
    pub(super) fn overdue(&mut self, is_awaited: bool) -> Option<usize> {
        let number = (*self.floor.borrow())?;
        let is_late = self.since.elapsed() >= PATIENCE;
        let others = self.waiting.load(Ordering::Relaxed) + self.held.len();
        if others == 0 && !is_awaited {
            if is_late {
                self.rests();
            }
            return None;
        }
        (is_late || self.bytes > ENDLESS).then_some(number)
    }

    /// When to ask for what is [overdue](Self::overdue).
    pub(super) fn patience(&self) -> Option<Instant> {
        let floor = *self.floor.borrow();
        floor.map(|_| self.since + PATIENCE)
    }
}

/// What a reader hands its parts over with.
struct Hand {
    number: usize,
    sender: mpsc::Sender<(usize, Part)>,
    floor: watch::Receiver<Option<usize>>,
    waiting: Arc<AtomicUsize>,
}

impl Hand {
    /// Gives whether somebody takes it: nobody does any more only when everything ends.
    async fn over(&mut self, part: Part) -> bool {
        let number = self.number;
        let may_speak = |floor: &Option<usize>| floor.is_none_or(|f| f == number);
        if !may_speak(&self.floor.borrow()) {
            self.waiting.fetch_add(1, Ordering::Relaxed);
            let is_free = self.floor.wait_for(may_speak).await.is_ok();
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            if !is_free {
                return false;
            }
        }
        self.sender.send((number, part)).await.is_ok()
    }
}
