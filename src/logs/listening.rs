//! The engine's events for as long as somebody follows: the stream is opened again where it ends,
//! and it says when to look for what no event told of.

use crate::engine::{Engine, EngineError, EngineEvent, Parts};
use crate::value::time;
use futures::StreamExt;
use std::time::Duration;
use tokio::time::Instant;

/// A start between a list and the beginning of the event stream would go unseen, so the list is
/// read once more when the stream surely stands.
const SECOND_LOOK: Duration = Duration::from_millis(300);
/// An event stream that ends so often without an event is no stream.
const DEAF: u32 = 3;

pub(super) enum Heard {
    Event(EngineEvent),
    /// Time to list the containers again.
    SecondLook,
}

pub(super) struct Listening<'a> {
    engine: &'a dyn Engine,
    labels: Vec<String>,
    events: Parts<'a, EngineEvent>,
    /// When the newest event happened, in nanoseconds since the epoch.
    newest: Option<i64>,
    silent_ends: u32,
    second_look: Option<Instant>,
}

impl<'a> Listening<'a> {
    /// Opens the stream of events that carry all the labels.
    pub(super) fn new(engine: &'a dyn Engine, labels: Vec<String>) -> Self {
        Listening {
            engine,
            events: engine.events(labels.clone(), None),
            labels,
            newest: None,
            silent_ends: 0,
            second_look: None,
        }
    }

    /// There has just been a list, which may have missed a start.
    pub(super) fn has_listed(&mut self) {
        self.second_look = Some(Instant::now() + SECOND_LOOK);
    }

    /// What comes next. Nothing is lost where the future is dropped.
    ///
    /// # Errors
    /// If the engine reports one, or ends its streams at once, again and again.
    pub(super) async fn next(&mut self) -> Result<Heard, EngineError> {
        loop {
            tokio::select! {
                event = self.events.next() => match event {
                    Some(event) => {
                        let event = event?;
                        self.silent_ends = 0;
                        self.newest = Some(event.time_nano);
                        return Ok(Heard::Event(event));
                    }
                    None => self.open_again()?,
                },
                () = at(self.second_look) => {
                    self.second_look = None;
                    return Ok(Heard::SecondLook);
                }
            }
        }
    }

    fn open_again(&mut self) -> Result<(), EngineError> {
        self.silent_ends += 1;
        if self.silent_ends > DEAF {
            let message = "the engine ends its event stream".into();
            return Err(EngineError::Broken { message });
        }
        let since = self.newest.map(|nanos| time::nanos(nanos + 1));
        self.events = self.engine.events(self.labels.clone(), since);
        self.has_listed();
        Ok(())
    }
}

/// Never, where there is no time.
pub(super) async fn at(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}
