//! Drawing events: into memory first, then onto the streams by a task of their own.
//!
//! ```text
//! Reporter ─▶ Events ─▶ Canvas (words ▸ tty | plain | json | quiet) ─▶ Pieces ─▶ outlets
//!                       └────────── the same in memory: replay() ─────┘
//! ```

use super::draw::Draw;
use super::outlet::Stream;
use super::palette::Palette;
use super::words::lines;
use super::{Mode, Style, json, patience, placed, plain, settled, tty, unsigned, without_secrets};
use crate::event::{Event, Events, Interest, Kind, Reporter};
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How often what moves is drawn anew.
const FRAME: Duration = Duration::from_millis(100);

/// Bytes for both streams, in their order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Pieces(Vec<(Stream, Vec<u8>)>);

impl Pieces {
    /// Where the next bytes of a stream go.
    fn to(&mut self, stream: Stream) -> &mut Vec<u8> {
        if self.0.last().is_none_or(|(last, _)| *last != stream) {
            self.0.push((stream, Vec::new()));
        }
        let at = self.0.len() - 1;
        &mut self.0[at].1
    }

    /// All the bytes of one stream.
    pub fn of(&self, stream: Stream) -> Vec<u8> {
        let pieces = self.0.iter().filter(|(to, _)| *to == stream);
        pieces.flat_map(|(_, bytes)| bytes).copied().collect()
    }

    /// Sends them on their way; gives whether data was among them. A reader that has gone away is
    /// no reason to stop working.
    fn send(self) -> bool {
        let mut has_data = false;
        for (stream, bytes) in self.0 {
            has_data |= stream == Stream::Stdout;
            let _ = stream.outlet().push(stream, placed(stream, bytes));
        }
        has_data
    }
}

/// What is drawn, in memory.
pub(super) struct Canvas(Box<dyn Draw>);

impl Canvas {
    /// `size` tells the terminal's columns and lines.
    pub(super) fn new(mode: Mode, has_colour: bool, size: fn() -> (usize, usize)) -> Self {
        Canvas(match mode {
            Mode::Tty => Box::new(tty::Tty::new(Palette::new(has_colour), size)),
            Mode::Plain => Box::new(plain::Plain::new(true)),
            Mode::Quiet => Box::new(plain::Plain::new(false)),
            Mode::Json => Box::new(json::Json),
        })
    }

    fn show(&mut self, event: &Event, pieces: &mut Pieces) {
        let draw = &mut self.0;
        let now = Duration::from_millis(event.elapsed);
        match &event.kind {
            Kind::CommandStarted { command } => draw.command(command),
            Kind::Warning { message } => {
                let out = pieces.to(Stream::Stderr);
                draw.warning(out, &without_secrets(message), now, event.time);
            }
            Kind::Text { text } => {
                let out = pieces.to(Stream::Stderr);
                draw.conclude(out, now);
                out.extend_from_slice(text.as_bytes());
            }
            Kind::Countdown { left } => draw.countdown(Duration::from_millis(*left), now),
            Kind::BuildOutput { text } => {
                draw.interlude(pieces.to(Stream::Stderr));
                let out = pieces.to(Stream::Stdout);
                out.extend_from_slice(text.trim_end_matches('\n').as_bytes());
                out.push(b'\n');
            }
            kind => {
                for line in lines(kind) {
                    draw.line(pieces.to(Stream::Stderr), &unsigned(line), now);
                }
            }
        }
    }

    fn tick(&mut self, pieces: &mut Pieces, now: Duration) {
        self.0.tick(pieces.to(Stream::Stderr), now);
    }

    fn finish(&mut self, pieces: &mut Pieces, now: Duration) {
        self.0.finish(pieces.to(Stream::Stderr), now);
    }
}

/// What a recorded stream of events looks like: the bytes that reach the streams when the last one
/// is drawn. `size` tells the terminal's columns and lines.
pub fn replay<'e>(
    events: impl IntoIterator<Item = &'e Event>,
    mode: Mode,
    has_colour: bool,
    size: fn() -> (usize, usize),
) -> Pieces {
    let mut canvas = Canvas::new(mode, has_colour, size);
    let mut pieces = Pieces::default();
    let mut now = Duration::ZERO;
    for event in events {
        let next = Duration::from_millis(event.elapsed);
        // Of the frames in between only the last one would be seen.
        let frame = next.as_millis() / FRAME.as_millis();
        if frame > now.as_millis() / FRAME.as_millis() && canvas.0.wants_tick() {
            let frame = u32::try_from(frame).unwrap_or(u32::MAX);
            canvas.tick(&mut pieces, FRAME * frame);
        }
        now = next;
        canvas.show(event, &mut pieces);
    }
    canvas.finish(&mut pieces, now);
    pieces
}

/// The running task that draws.
pub struct Drawing {
    screen: Screen,
    close: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

/// What is drawn, shared with those who write between two drawings.
#[derive(Clone)]
pub struct Screen(Arc<Mutex<Canvas>>);

impl Screen {
    fn canvas(&self) -> MutexGuard<'_, Canvas> {
        // A drawing that panicked is drawn on all the same.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes data so that it stands above what is drawn and is not drawn over; never waits.
pub struct Above {
    screen: Option<Screen>,
    to: Stream,
}

impl Write for Above {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(screen) = &self.screen {
            let mut pieces = Pieces::default();
            let mut canvas = screen.canvas();
            canvas.0.interlude(pieces.to(Stream::Stderr));
            pieces.send();
        }
        let shown = match self.screen.is_some() {
            true => placed(self.to, bytes.to_vec()),
            false => bytes.to_vec(),
        };
        self.to.outlet().push(self.to, shown)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Standard output and standard error for lines that come while progress is drawn. What goes
/// elsewhere than to the terminal does not disturb the drawing.
pub fn above(screen: Option<&Screen>) -> [Above; 2] {
    let on = |is_terminal: bool| screen.filter(|_| is_terminal).cloned();
    [
        Above {
            screen: on(io::stdout().is_terminal()),
            to: Stream::Stdout,
        },
        Above {
            screen: on(io::stderr().is_terminal()),
            to: Stream::Stderr,
        },
    ]
}

impl Drawing {
    pub fn screen(&self) -> Screen {
        self.screen.clone()
    }

    /// Waits until all that was sent so far is drawn and written, unless that would keep somebody
    /// waiting when the user [wants to leave](super::hurry).
    pub async fn finish(self) {
        // The task may be gone already, when every reporter is.
        let _ = self.close.send(());
        let mut task = self.task;
        settled().await;
        let drawn = async {
            let _ = (&mut task).await;
        };
        match patience() {
            // It waits for room, where nobody reads.
            Some(limit) => drop(tokio::time::timeout(limit, drawn).await),
            None => drawn.await,
        }
        settled().await;
    }
}

/// Starts drawing what a reporter is told.
pub fn start(style: &Style, reporter: &Reporter) -> Drawing {
    let (close, closed) = oneshot::channel();
    let canvas = Canvas::new(style.mode, style.colour_progress, stderr_size);
    let screen = Screen(Arc::new(Mutex::new(canvas)));
    let events = reporter.subscribe(Interest::Progress);
    let task = tokio::spawn(run(screen.clone(), events, reporter.clock(), closed));
    Drawing {
        screen,
        close,
        task,
    }
}

/// Columns and lines of the terminal on standard error.
fn stderr_size() -> (usize, usize) {
    let (lines, columns) = console::Term::stderr().size();
    (columns.into(), lines.into())
}

async fn run(
    screen: Screen,
    mut events: Events,
    clock: crate::event::Clock,
    mut closed: oneshot::Receiver<()>,
) {
    const AT_ONCE: usize = 512;
    let mut frames = tokio::time::interval_at(tokio::time::Instant::now() + FRAME, FRAME);
    frames.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut batch = Vec::new();
    loop {
        let mut pieces = Pieces::default();
        // What nobody reads is not heaped up.
        Stream::Stderr.outlet().room().await;
        let is_open = tokio::select! {
            biased;
            count = events.recv_many(&mut batch, AT_ONCE) => count > 0,
            _ = &mut closed => false,
            _ = frames.tick(), if screen.canvas().0.wants_tick() => {
                screen.canvas().tick(&mut pieces, clock.elapsed());
                true
            }
        };
        let has_data = {
            let mut canvas = screen.canvas();
            for event in batch.drain(..) {
                canvas.show(&event, &mut pieces);
            }
            if !is_open {
                canvas.finish(&mut pieces, clock.elapsed());
            }
            pieces.send()
        };
        if !is_open {
            return;
        }
        if has_data {
            Stream::Stdout.outlet().room().await;
        }
    }
}

#[cfg(test)]
mod tests;
