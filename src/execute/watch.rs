//! Waiting for containers: driven by the engine's events, never by a ticker.
//!
//! An event only says that it is worth looking again; what counts is the inspect that follows.
//! So a replayed or doubled event does no harm.

use super::failure::Trouble;
use crate::engine::{ContainerDetails, ContainerState, Engine, Health};
use crate::labels;
use crate::plan::Until;
use crate::service::Condition;
use futures::StreamExt;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::Notify;

/// An event can be lost with its connection; after this long a wait looks again by itself.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// How long to wait before asking for events again when the stream broke.
const RECONNECT: Duration = Duration::from_millis(500);

pub(super) struct Watch<'a> {
    engine: &'a dyn Engine,
    project: &'a str,
    /// Container id → number of events seen.
    seen: RefCell<HashMap<String, u64>>,
    /// Counts connections of the stream, each of which may have lost something.
    connections: Cell<u64>,
    news: Notify,
}

/// What an inspect says about a wait.
enum Verdict {
    Pending,
    /// Good, with the word to show.
    Met(&'static str),
    Failed(Trouble),
}

impl<'a> Watch<'a> {
    pub fn new(engine: &'a dyn Engine, project: &'a str) -> Self {
        Watch {
            engine,
            project,
            seen: RefCell::default(),
            connections: Cell::new(0),
            news: Notify::new(),
        }
    }

    /// Reads the project's events for ever.
    pub async fn pump(&self) {
        loop {
            let labels = vec![format!("{}={}", labels::PROJECT, self.project)];
            let mut events = self.engine.events(labels, None);
            self.connections.set(self.connections.get() + 1);
            while let Some(Ok(event)) = events.next().await {
                if matters(&event.action) {
                    *self.seen.borrow_mut().entry(event.id).or_default() += 1;
                    self.news.notify_waiters();
                }
            }
            self.news.notify_waiters();
            tokio::time::sleep(RECONNECT).await;
        }
    }

    /// Waits until the container meets the condition; gives the word to show.
    pub async fn until(
        &self,
        id: &str,
        name: &str,
        service: &str,
        until: Until,
    ) -> Result<&'static str, Trouble> {
        loop {
            let before = self.mark(id);
            let details = self.engine.inspect_container(id).await?;
            match judge(&details, name, service, until) {
                Verdict::Met(word) => return Ok(word),
                Verdict::Failed(trouble) => return Err(trouble),
                Verdict::Pending => {}
            }
            let changed = async {
                loop {
                    let news = self.news.notified();
                    if self.mark(id) != before {
                        return;
                    }
                    news.await;
                }
            };
            // Passing the time limit is no failure: it means to look again.
            let _ = tokio::time::timeout(LOOK_AGAIN, changed).await;
        }
    }

    fn mark(&self, id: &str) -> (u64, u64) {
        let seen = self.seen.borrow().get(id).copied().unwrap_or_default();
        (self.connections.get(), seen)
    }
}

/// Whether an event can change what a wait sees.
fn matters(action: &str) -> bool {
    action.starts_with("health_status") || matches!(action, "start" | "die" | "destroy" | "unpause")
}

fn judge(details: &ContainerDetails, name: &str, service: &str, until: Until) -> Verdict {
    match until {
        Until::Condition(Condition::CompletedSuccessfully) => completed(details, service),
        Until::Condition(_) => healthy(details, name, true),
        Until::RunningOrHealthy => healthy(details, name, false),
    }
}

fn completed(details: &ContainerDetails, service: &str) -> Verdict {
    match details.state {
        ContainerState::Exited | ContainerState::Dead if details.exit_code == 0 => {
            Verdict::Met("Exited")
        }
        ContainerState::Exited | ContainerState::Dead => Verdict::Failed(Trouble::new(format!(
            "service {service:?} didn't complete successfully: exit {}{}",
            details.exit_code,
            memory(details)
        ))),
        _ => Verdict::Pending,
    }
}

/// `needs_check`: a container without a healthcheck can never become healthy.
fn healthy(details: &ContainerDetails, name: &str, needs_check: bool) -> Verdict {
    let failed = |what: String| {
        let message = if needs_check {
            format!("dependency failed to start: container {name} {what}")
        } else {
            format!("container {name} {what}")
        };
        Verdict::Failed(Trouble::new(message))
    };
    match details.state {
        ContainerState::Exited | ContainerState::Dead => {
            // A one-shot that has done its work is up as far as it ever will be.
            if !needs_check && details.exit_code == 0 {
                return Verdict::Met("Exited");
            }
            failed(format!("exited ({}){}", details.exit_code, memory(details)))
        }
        ContainerState::Removing => failed("is being removed".to_owned()),
        ContainerState::Running => match details.health {
            Some(Health::Healthy) => Verdict::Met("Healthy"),
            Some(Health::Starting) => Verdict::Pending,
            Some(Health::Unhealthy) => {
                let said = details.health_log.as_deref().map(str::trim).unwrap_or("");
                failed(match said {
                    "" => "is unhealthy".to_owned(),
                    said => format!("is unhealthy: its check says: {said}"),
                })
            }
            None if needs_check => failed("has no healthcheck configured".to_owned()),
            None => Verdict::Met("Healthy"),
        },
        _ => Verdict::Pending,
    }
}

fn memory(details: &ContainerDetails) -> &'static str {
    if details.oom_killed {
        ", killed at its memory limit"
    } else {
        ""
    }
}
