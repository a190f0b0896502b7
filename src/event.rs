//! What is going on, told while it happens. Work sends events; one task draws them ([`crate::output`]).

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

/// Where work sends what happens. Cheap to clone; sending never waits.
#[derive(Debug, Clone)]
pub struct Reporter(Option<tokio::sync::mpsc::UnboundedSender<Notice>>);

impl Reporter {
    pub fn new(sender: tokio::sync::mpsc::UnboundedSender<Notice>) -> Self {
        Reporter(Some(sender))
    }

    /// One that drops everything.
    pub fn silent() -> Self {
        Reporter(None)
    }

    fn send(&self, notice: Notice) {
        if let Some(sender) = &self.0 {
            // The drawing task is gone only when the program ends.
            let _ = sender.send(notice);
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
