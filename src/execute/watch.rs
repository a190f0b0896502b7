//! Waiting for containers: driven by the engine's events, never by a ticker.
//!
//! An event only says that it is worth looking again; what counts is the inspect that follows.
//! So a replayed or doubled event does no harm. What was just started is watched in [`moments`].

mod moments;

use crate::engine::{ContainerDetails, ContainerState, Engine, EngineError, EngineEvent, Health};
use crate::event::{Found, Probe};
use crate::labels;
use crate::plan::Until;
use crate::service::Condition;
use futures::StreamExt;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// An event can be lost with its connection; after this long a wait looks again by itself.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// Where events come before what they tell of, a wait looks once more after this long.
const SOON: Duration = Duration::from_millis(300);

/// Who is paused becomes nothing that is waited for. It may be paused for a copy of its files, though,
/// so it has this long.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What its engine has started again so often while it was waited for will not come up. The engine's
/// pauses in between double from 0.1 s, so that these take 25 s: a program that waits for its
/// database by ending and being started again has that long.
const MOST_RESTARTS: i64 = 9;

/// How long to wait before asking for events again when the stream broke.
const RECONNECT: Duration = Duration::from_millis(500);

pub(super) struct Watch<'a> {
    engine: &'a dyn Engine,
    project: &'a str,
    /// `--wait-timeout`: from the first wait on.
    limit: Option<Duration>,
    deadline: Cell<Option<Instant>>,
    seen: RefCell<HashMap<String, Seen>>,
    /// How long the engine took to start a container.
    starting: RefCell<HashMap<String, Duration>>,
    /// How often the engine had restarted what was up before.
    restarts: RefCell<HashMap<String, i64>>,
    /// Processes cannot be seen from here.
    is_blind: Cell<bool>,
    /// Counts connections of the stream, each of which may have lost something.
    connections: Cell<u64>,
    news: Notify,
}

/// What the stream told of a container.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    events: u64,
    starts: u64,
    /// Somebody has sent it a signal since its last start: it may end.
    asked_to_end: bool,
    /// Ends that nobody asked for.
    deaths: u64,
    /// Status of the last of them, where the stream told it.
    exit_code: Option<i64>,
}

/// Why a wait ends without what it waited for.
pub(super) enum Fall {
    Engine(EngineError),
    /// It ended, or its engine starts it again and again.
    Ended(Box<ContainerDetails>),
    Unhealthy(Box<ContainerDetails>),
    Removing,
    /// Somebody has paused it, and it stays so.
    Paused,
    /// Nobody has started it: who waits has waited for that first.
    NeverStarted,
    NoHealthcheck,
    /// The time that `--wait-timeout` gives is over.
    Late(Duration),
}

impl From<EngineError> for Fall {
    fn from(error: EngineError) -> Self {
        Fall::Engine(error)
    }
}

/// What an inspect says about a wait.
enum Verdict {
    Pending,
    Met(Found),
    Failed(Fall),
}

impl<'a> Watch<'a> {
    pub fn new(engine: &'a dyn Engine, project: &'a str, limit: Option<Duration>) -> Self {
        Watch {
            engine,
            project,
            limit,
            deadline: Cell::new(None),
            seen: RefCell::default(),
            starting: RefCell::default(),
            restarts: RefCell::default(),
            is_blind: Cell::new(!engine.sees_processes()),
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
                if self.note(&event) {
                    self.news.notify_waiters();
                }
            }
            self.news.notify_waiters();
            tokio::time::sleep(RECONNECT).await;
        }
    }

    /// A start was answered after this long.
    pub fn started(&self, id: &str, took: Duration) {
        self.starting.borrow_mut().insert(id.to_owned(), took);
    }

    /// Notes how often the engine has restarted a container that an earlier run has started, and that
    /// a start leaves as it is: who knows in how many days that was.
    pub async fn runs_already(&self, id: &str) {
        if let Ok(details) = self.engine.inspect_container(id).await
            && details.state.is_up()
        {
            let mut restarts = self.restarts.borrow_mut();
            restarts.insert(id.to_owned(), details.restart_count);
        }
    }

    /// Whether its engine has restarted it since this run has started it.
    pub fn was_restarted(&self, details: &ContainerDetails) -> bool {
        let before = self.restarts.borrow().get(&details.id).copied();
        details.restart_count > before.unwrap_or_default()
    }

    /// Writes an event down; gives whether it can change what somebody waits for.
    fn note(&self, event: &EngineEvent) -> bool {
        let action = event.action.as_str();
        if !matters(action) {
            return false;
        }
        let mut all = self.seen.borrow_mut();
        let seen = all.entry(event.id.clone()).or_default();
        seen.events += 1;
        match action {
            "start" => {
                seen.starts += 1;
                seen.asked_to_end = false;
            }
            "kill" => seen.asked_to_end = true,
            "die" if !seen.asked_to_end => {
                seen.deaths += 1;
                let code = event.attributes.get("exitCode");
                seen.exit_code = code.and_then(|code| code.parse().ok());
            }
            _ => {}
        }
        true
    }

    /// Waits until the container meets the condition; tells `probed` of every look that was not
    /// the last.
    pub async fn until(
        &self,
        id: &str,
        until: Until,
        probed: &dyn Fn(Probe),
    ) -> Result<Found, Fall> {
        self.look(id, until, self.deadline(), probed).await
    }

    /// Waits until the container ends with 0, however long that takes.
    pub async fn end(&self, id: &str) -> Result<(), Fall> {
        let until = Until::Condition(Condition::CompletedSuccessfully);
        self.look(id, until, None, &drop).await.map(drop)
    }

    async fn look(
        &self,
        id: &str,
        until: Until,
        deadline: Option<Instant>,
        probed: &dyn Fn(Probe),
    ) -> Result<Found, Fall> {
        let (mut paused_since, mut restarts_before) = (None, None);
        let mut was_told = false;
        loop {
            let before = self.mark(id);
            let mut details = self.engine.inspect_container(id).await?;
            let paused = details.state == ContainerState::Paused;
            paused_since = paused_since
                .filter(|_| paused)
                .or(paused.then(Instant::now));
            if paused_since.is_some_and(|since| since.elapsed() >= LONGEST_PAUSE) {
                return Err(Fall::Paused);
            }
            let restarts = *restarts_before.get_or_insert(details.restart_count);
            if details.restart_count - restarts >= MOST_RESTARTS {
                details.exit_code = self.seen(id).exit_code.unwrap_or(details.exit_code);
                return Err(Fall::Ended(Box::new(details)));
            }
            let probe = probe(&details);
            match judge(details, until) {
                Verdict::Met(found) => return Ok(found),
                Verdict::Failed(fall) => return Err(fall),
                Verdict::Pending => probed(probe),
            }
            if let (Some(limit), Some(deadline)) = (self.limit, deadline)
                && Instant::now() >= deadline
            {
                return Err(Fall::Late(limit));
            }
            let changed = self.changed(id, before);
            // Passing the time limit is no failure: it means to look again.
            let pause = match was_told && self.engine.announces_early() {
                true => SOON,
                false => LOOK_AGAIN,
            };
            let again = Instant::now() + pause;
            let again = deadline.map_or(again, |deadline| again.min(deadline));
            was_told = tokio::time::timeout_at(again, changed).await.is_ok();
        }
    }

    /// Waits until the stream tells something of the container, or begins anew.
    async fn changed(&self, id: &str, before: (u64, u64)) {
        loop {
            let news = self.news.notified();
            if self.mark(id) != before {
                return;
            }
            news.await;
        }
    }

    fn deadline(&self) -> Option<Instant> {
        if self.deadline.get().is_none() {
            self.deadline
                .set(self.limit.map(|limit| Instant::now() + limit));
        }
        self.deadline.get()
    }

    fn seen(&self, id: &str) -> Seen {
        self.seen.borrow().get(id).copied().unwrap_or_default()
    }

    fn mark(&self, id: &str) -> (u64, u64) {
        (self.connections.get(), self.seen(id).events)
    }
}

/// Whether an event can change what a wait sees.
fn matters(action: &str) -> bool {
    action.starts_with("health_status")
        || matches!(action, "start" | "kill" | "die" | "destroy" | "unpause")
}

/// What a look has seen.
fn probe(details: &ContainerDetails) -> Probe {
    Probe {
        state: details.state.as_str().to_owned(),
        health: details.health.map(|health| {
            let word = match health {
                Health::Starting => "starting",
                Health::Healthy => "healthy",
                Health::Unhealthy => "unhealthy",
            };
            word.to_owned()
        }),
        check: details.health_log.clone(),
        restarts: details.restart_count,
    }
}

fn judge(details: ContainerDetails, until: Until) -> Verdict {
    match until {
        Until::Condition(Condition::CompletedSuccessfully) => completed(details),
        Until::Condition(_) => healthy(details, true),
        Until::RunningOrHealthy => healthy(details, false),
    }
}

fn completed(details: ContainerDetails) -> Verdict {
    match details.state {
        ContainerState::Exited | ContainerState::Dead if details.exit_code == 0 => {
            Verdict::Met(Found::Exited)
        }
        ContainerState::Exited | ContainerState::Dead => {
            Verdict::Failed(Fall::Ended(Box::new(details)))
        }
        ContainerState::Created => Verdict::Failed(Fall::NeverStarted),
        _ => Verdict::Pending,
    }
}

/// `needs_check`: a container without a healthcheck can never become healthy.
fn healthy(details: ContainerDetails, needs_check: bool) -> Verdict {
    match details.state {
        // A one-shot that has done its work is up as far as it ever will be.
        ContainerState::Exited | ContainerState::Dead if !needs_check && details.exit_code == 0 => {
            Verdict::Met(Found::Exited)
        }
        ContainerState::Exited | ContainerState::Dead => {
            Verdict::Failed(Fall::Ended(Box::new(details)))
        }
        ContainerState::Removing => Verdict::Failed(Fall::Removing),
        ContainerState::Created => Verdict::Failed(Fall::NeverStarted),
        ContainerState::Running => match details.health {
            Some(Health::Healthy) => Verdict::Met(Found::Healthy),
            Some(Health::Starting) => Verdict::Pending,
            Some(Health::Unhealthy) => Verdict::Failed(Fall::Unhealthy(Box::new(details))),
            None if needs_check => Verdict::Failed(Fall::NoHealthcheck),
            None => Verdict::Met(Found::Healthy),
        },
        _ => Verdict::Pending,
    }
}
