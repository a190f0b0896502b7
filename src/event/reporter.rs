//! Where work sends what happens, and where consumers get it.

use super::{Event, Kind, Status};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::{Notify, mpsc};

/// Where work sends what happens. Cheap to clone; sending never waits, but a sender of much waits
/// for [room](Reporter::room).
#[derive(Debug, Clone, Default)]
pub struct Reporter(Option<Arc<Shared>>);

#[derive(Debug, Default)]
struct Shared {
    command: String,
    clock: Clock,
    consumers: Mutex<Vec<Consumer>>,
    /// Some consumer wants everything.
    wants_everything: AtomicBool,
}

#[derive(Debug)]
struct Consumer {
    interest: Interest,
    sender: mpsc::UnboundedSender<Arc<Event>>,
    backlog: Arc<Backlog>,
}

impl Consumer {
    /// `false` where it is gone.
    fn tell(&self, event: Arc<Event>) -> bool {
        self.backlog.waiting.fetch_add(1, Ordering::Relaxed);
        let is_there = self.sender.send(event).is_ok();
        if !is_there {
            // Nobody waits for its room.
            self.backlog.waiting.store(0, Ordering::Relaxed);
            self.backlog.fewer.notify_waiters();
        }
        is_there
    }
}

/// What a consumer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// What a screen shows of the progress.
    Progress,
    /// Also plans, the probes of waits, log lines.
    Everything,
}

/// When the command began.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    begin: Instant,
    /// Milliseconds since 1970.
    zero: i64,
}

impl Default for Clock {
    fn default() -> Self {
        let zero = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        Clock {
            begin: Instant::now(),
            zero: i64::try_from(zero.as_millis()).unwrap_or(0),
        }
    }
}

impl Clock {
    /// How long the command has been going on.
    pub fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }

    fn stamp(&self, kind: Kind) -> Event {
        let elapsed = u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX);
        Event {
            time: self.zero.saturating_add_unsigned(elapsed),
            elapsed,
            kind,
        }
    }
}

/// How many events a consumer has not taken yet.
#[derive(Debug, Default)]
struct Backlog {
    waiting: AtomicUsize,
    fewer: Notify,
}

impl Backlog {
    /// Senders that can wait let no more come together.
    const ENOUGH: usize = 4096;

    fn taken(&self, count: usize) {
        self.waiting.fetch_sub(count, Ordering::Relaxed);
        self.fewer.notify_waiters();
    }
}

impl Reporter {
    /// The reporter of a command, e.g. `up`, without consumers; they
    /// [subscribe](Reporter::subscribe).
    pub fn new(command: &str) -> Self {
        Reporter(Some(Arc::new(Shared {
            command: command.to_owned(),
            ..Shared::default()
        })))
    }

    /// One that drops everything.
    pub fn silent() -> Self {
        Reporter(None)
    }

    /// The clock that stamps the events.
    pub fn clock(&self) -> Clock {
        self.0
            .as_ref()
            .map_or_else(Clock::default, |shared| shared.clock)
    }

    /// The events from now on, for one more consumer; the first tells which command it is. Of a
    /// silent reporter there are none.
    pub fn subscribe(&self, interest: Interest) -> Events {
        let (sender, receiver) = mpsc::unbounded_channel();
        let backlog = Arc::new(Backlog::default());
        if let Some(shared) = &self.0 {
            let backlog = backlog.clone();
            if interest == Interest::Everything {
                shared.wants_everything.store(true, Ordering::Relaxed);
            }
            let consumer = Consumer {
                interest,
                sender,
                backlog,
            };
            let command = shared.command.clone();
            let started = shared.clock.stamp(Kind::CommandStarted { command });
            consumer.tell(Arc::new(started));
            shared.consumers().push(consumer);
        }
        Events { receiver, backlog }
    }

    /// Tells every consumer that wants to know.
    pub fn send(&self, kind: Kind) {
        let Some(shared) = &self.0 else { return };
        let is_detail = kind.is_detail();
        if is_detail && !self.wants_everything() {
            return;
        }
        let event = Arc::new(shared.clock.stamp(kind));
        shared.consumers().retain(|consumer| {
            if is_detail && consumer.interest != Interest::Everything {
                return true;
            }
            consumer.tell(event.clone())
        });
    }

    /// Whether somebody wants to know everything, so that it is worth putting together.
    pub fn wants_everything(&self) -> bool {
        self.0
            .as_ref()
            .is_some_and(|shared| shared.wants_everything.load(Ordering::Relaxed))
    }

    /// Waits until no consumer has too much to take.
    pub async fn room(&self) {
        self.fewer_than(Backlog::ENOUGH).await;
    }

    /// Waits until every consumer has taken all.
    pub async fn taken(&self) {
        self.fewer_than(1).await;
    }

    async fn fewer_than(&self, count: usize) {
        let Some(shared) = &self.0 else { return };
        let backlogs: VecDeque<Arc<Backlog>> = shared
            .consumers()
            .iter()
            .map(|consumer| consumer.backlog.clone())
            .collect();
        for backlog in backlogs {
            loop {
                let mut fewer = std::pin::pin!(backlog.fewer.notified());
                // From here on no change is missed.
                fewer.as_mut().enable();
                if backlog.waiting.load(Ordering::Relaxed) < count {
                    break;
                }
                fewer.await;
            }
        }
    }

    pub fn warning(&self, message: impl Into<String>) {
        self.send(Kind::Warning {
            message: message.into(),
        });
    }

    /// Says lines about the whole. `false` where nobody listens, so that the caller has to show
    /// them.
    #[must_use]
    pub fn text(&self, text: &str) -> bool {
        self.send(Kind::Text { text: text.into() });
        self.0
            .as_ref()
            .is_some_and(|shared| !shared.consumers().is_empty())
    }

    pub fn countdown(&self, left: Duration) {
        let left = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        self.send(Kind::Countdown { left });
    }

    pub fn build_output(&self, text: impl Into<String>) {
        self.send(Kind::BuildOutput { text: text.into() });
    }

    /// Tells of progress that has no kind of event of its own.
    pub fn progress(&self, resource: &str, status: Status, text: &str, details: &str) {
        self.send(Kind::Progress {
            resource: resource.into(),
            status,
            text: text.into(),
            details: details.into(),
        });
    }

    /// [Progress](Reporter::progress) that goes on.
    pub fn working(&self, resource: &str, text: &str) {
        self.progress(resource, Status::Working, text, "");
    }

    /// [Progress](Reporter::progress) that has come to its end.
    pub fn done(&self, resource: &str, text: &str) {
        self.progress(resource, Status::Done, text, "");
    }
}

impl Shared {
    fn consumers(&self) -> MutexGuard<'_, Vec<Consumer>> {
        self.consumers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The events of one consumer, in the order in which they were sent.
#[derive(Debug)]
pub struct Events {
    receiver: mpsc::UnboundedReceiver<Arc<Event>>,
    backlog: Arc<Backlog>,
}

impl Events {
    /// Waits for events and takes up to `limit` of them; 0 when no more will come.
    pub async fn recv_many(&mut self, batch: &mut Vec<Arc<Event>>, limit: usize) -> usize {
        let count = self.receiver.recv_many(batch, limit).await;
        self.backlog.taken(count);
        count
    }

    /// The next event, if there is one.
    pub fn try_next(&mut self) -> Option<Arc<Event>> {
        let event = self.receiver.try_recv().ok()?;
        self.backlog.taken(1);
        Some(event)
    }

    /// Waits for the next event; `None` when no more will come.
    pub async fn next(&mut self) -> Option<Arc<Event>> {
        let event = self.receiver.recv().await?;
        self.backlog.taken(1);
        Some(event)
    }

    /// All that was sent so far.
    pub fn drain(&mut self) -> Vec<Arc<Event>> {
        std::iter::from_fn(|| self.try_next()).collect()
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        // A sender that waits for room waits no longer.
        self.backlog.waiting.store(0, Ordering::Relaxed);
        self.backlog.fewer.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warning(message: &str) -> Kind {
        Kind::Warning {
            message: message.into(),
        }
    }

    fn line() -> Kind {
        Kind::ContainerRecreated {
            container: "web-1".into(),
        }
    }

    #[test]
    fn every_consumer_gets_what_it_wants() {
        let reporter = Reporter::new("up");
        assert!(!reporter.text("nobody listens yet"));
        let mut screen = reporter.subscribe(Interest::Progress);
        reporter.send(line());
        let mut record = reporter.subscribe(Interest::Everything);
        reporter.send(line());
        reporter.warning("careful");
        let kinds = |events: &mut Events| -> Vec<Kind> {
            events.drain().iter().map(|e| e.kind.clone()).collect()
        };
        let started = Kind::CommandStarted {
            command: "up".into(),
        };
        assert_eq!(kinds(&mut screen), [started.clone(), warning("careful")]);
        assert_eq!(kinds(&mut record), [started, line(), warning("careful")]);
        // One that is gone is told nothing, and the others still are.
        drop(record);
        reporter.warning("again");
        assert_eq!(kinds(&mut screen), [warning("again")]);
        drop(screen);
        assert!(!Reporter::silent().text("nobody"));
    }

    #[tokio::test]
    async fn senders_of_much_wait_for_the_slowest() {
        let reporter = Reporter::new("up");
        let mut fast = reporter.subscribe(Interest::Progress);
        let slow = reporter.subscribe(Interest::Progress);
        for _ in 0..Backlog::ENOUGH {
            reporter.warning("much");
        }
        fast.drain();
        let short = Duration::from_millis(20);
        let room = tokio::time::timeout(short, reporter.room());
        assert!(room.await.is_err(), "there is no room");
        drop(slow);
        reporter.room().await;
    }
}
