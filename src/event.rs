//! What is going on, told while it happens. Work sends events; one task draws them ([`crate::output`]).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

/// How far something has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    Working,
    Done,
    Warning,
    Error,
}

/// A change of one thing's progress, with the fields of Compose's own progress lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// `Container shop-web-1`, `Network shop_default`, `Image nginx`, or a layer.
    pub id: String,
    /// The event's thing this one is a part of (a layer's image).
    pub parent: Option<String>,
    pub progress: Progress,
    /// `Creating`, `Created`, `Pulling`…
    pub text: String,
    /// A cause, an error, what is waited for; empty where there is nothing to say.
    pub details: String,
    pub current: Option<i64>,
    pub total: Option<i64>,
}

/// Something to tell the user besides progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    Event(Event),
    Warning(String),
    /// Lines about the whole, such as findings; they stand below what was drawn so far.
    Text(String),
    /// Something is stopping; after this long it will be killed.
    Countdown(std::time::Duration),
    /// A line of a builder's own output, with its end (goes to stdout, as Compose does it).
    Build(String),
}

/// Where work sends what happens. Cheap to clone; sending never waits, but who has much to send
/// waits for [room](Reporter::room).
#[derive(Debug, Clone)]
pub struct Reporter(Option<Way>);

#[derive(Debug, Clone)]
struct Way {
    sender: tokio::sync::mpsc::UnboundedSender<Notice>,
    backlog: Option<Arc<Backlog>>,
}

/// How many notices nobody has looked at yet.
#[derive(Debug, Default)]
pub struct Backlog {
    waiting: AtomicUsize,
    fewer: Notify,
}

impl Backlog {
    /// More are not heaped up by those who can wait.
    const ENOUGH: usize = 4096;

    /// So many were taken.
    pub fn taken(&self, count: usize) {
        self.waiting.fetch_sub(count, Ordering::Relaxed);
        self.fewer.notify_waiters();
    }
}

impl Reporter {
    pub fn new(sender: tokio::sync::mpsc::UnboundedSender<Notice>) -> Self {
        Reporter(Some(Way {
            sender,
            backlog: None,
        }))
    }

    /// The same to somebody who says how many he has taken.
    #[must_use]
    pub fn with_backlog(mut self, backlog: Arc<Backlog>) -> Self {
        if let Some(way) = &mut self.0 {
            way.backlog = Some(backlog);
        }
        self
    }

    /// Waits until not too much is waiting to be shown.
    pub async fn room(&self) {
        let Some(backlog) = self.0.as_ref().and_then(|way| way.backlog.as_ref()) else {
            return;
        };
        loop {
            let mut fewer = std::pin::pin!(backlog.fewer.notified());
            // From here on no notice is missed.
            fewer.as_mut().enable();
            if backlog.waiting.load(Ordering::Relaxed) < Backlog::ENOUGH {
                return;
            }
            fewer.await;
        }
    }

    /// One that drops everything.
    pub fn silent() -> Self {
        Reporter(None)
    }

    fn send(&self, notice: Notice) {
        if let Some(way) = &self.0 {
            if let Some(backlog) = &way.backlog {
                backlog.waiting.fetch_add(1, Ordering::Relaxed);
            }
            // The drawing task is gone only when the program ends.
            let _ = way.sender.send(notice);
        }
    }

    pub fn event(&self, event: Event) {
        self.send(Notice::Event(event));
    }

    pub fn working(&self, id: &str, text: &str) {
        self.event(Event::new(id, Progress::Working, text));
    }

    pub fn done(&self, id: &str, text: &str) {
        self.event(Event::new(id, Progress::Done, text));
    }

    pub fn error(&self, id: &str, text: &str, details: &str) {
        self.event(Event {
            details: details.into(),
            ..Event::new(id, Progress::Error, text)
        });
    }

    pub fn warning(&self, message: impl Into<String>) {
        self.send(Notice::Warning(message.into()));
    }

    /// Says lines about the whole. `false` where nobody draws, so that the caller has to show them.
    #[must_use]
    pub fn text(&self, text: &str) -> bool {
        self.send(Notice::Text(text.into()));
        self.0.is_some()
    }

    pub fn countdown(&self, left: std::time::Duration) {
        self.send(Notice::Countdown(left));
    }

    pub fn build(&self, text: impl Into<String>) {
        self.send(Notice::Build(text.into()));
    }
}

impl Event {
    pub fn new(id: &str, progress: Progress, text: &str) -> Self {
        Event {
            id: id.into(),
            parent: None,
            progress,
            text: text.into(),
            details: String::new(),
            current: None,
            total: None,
        }
    }
}
