//! An engine that may fall silent: its user is told what is waited for, and can leave.
//!
//! It stands before another [`Engine`] and passes every call on. A call without an answer is told
//! of after five seconds. Once somebody has asked to stop, no call is waited for for ever: one that
//! only asks is left soon, one that changes something after half a minute, with the words that it
//! may still be done. As long as nobody asks to stop there is no limit: a stop or a pull may rightly
//! take minutes.
//!
//! | waited for, once somebody asked to | stop | kill |
//! |---|---|---|
//! | a call that only asks, as long as nothing was changed; giving back the lock | 1 s | 1 s |
//! | any other call: a busy engine may take its time | 30 s | 10 s |
//! | a stop | 30 s and its own time | 10 s |
//!
//! After a call that was left the next one is waited for for five seconds, and after two in a row
//! none is sent any more, until the engine has answered one.

mod calls;
mod container_calls;
mod requests;

use super::{Engine, EngineError, Parts, Reply};
use crate::event::Reporter;
use crate::interrupt::{Cause, Interrupts, Stage};
use calls::{Ask, Calls, Kind};
use futures::{FutureExt, StreamExt, TryStreamExt};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long is waited.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// A silence of this length is told of.
    told: Duration,
    /// The same for a build, whose context is sent before the first word comes.
    upload: Duration,
    /// Calls that are told of one after the other within this are told of together.
    together: Duration,
}

const PATIENCE: Patience = Patience {
    told: Duration::from_secs(5),
    upload: Duration::from_secs(60),
    together: Duration::from_secs(2),
};

/// A container stops within this where nothing else is said.
const GRACE: Duration = Duration::from_secs(10);

/// What is known of no stop is taken to be over after this.
const LONGEST_GRACE: Duration = Duration::from_secs(10 * 60);

impl Patience {
    /// A call of this kind that is not answered for so long is told of.
    fn silence(&self, kind: Kind) -> Duration {
        match kind {
            Kind::Stop(None) => self.told + GRACE,
            Kind::Stop(Some(given)) => self.told + own_time(given).unwrap_or(LONGEST_GRACE),
            Kind::Build => self.upload,
            _ => self.told,
        }
    }

    /// A call of this kind is left after so long; `None` is never.
    fn limit(&self, kind: Kind, stage: Stage, has_begun: bool) -> Option<Duration> {
        let seconds = match (kind, stage) {
            (_, Stage::Running | Stage::Leaving) => return None,
            (Kind::GiveBack, _) => 1,
            (Kind::Read | Kind::Build, _) if !has_begun => 1,
            (_, Stage::Killing) => 10,
            (Kind::Read | Kind::Build | Kind::Change, Stage::Stopping) => 30,
            (Kind::Stop(None), Stage::Stopping) => 30 + LONGEST_GRACE.as_secs(),
            (Kind::Stop(Some(given)), Stage::Stopping) => 30 + own_time(given)?.as_secs(),
        };
        Some(Duration::from_secs(seconds))
    }
}

/// The time that a stop takes at most; `None` is for ever.
fn own_time(seconds: i64) -> Option<Duration> {
    u64::try_from(seconds).ok().map(Duration::from_secs)
}

/// An engine with patience before it.
pub struct Patient {
    engine: Arc<dyn Engine>,
    interrupts: Interrupts,
    reporter: Reporter,
    calls: Calls,
}

impl Patient {
    pub fn new(engine: Arc<dyn Engine>, interrupts: Interrupts, reporter: Reporter) -> Self {
        Patient {
            engine,
            interrupts,
            reporter,
            calls: Calls::default(),
        }
    }

    /// What is not known where the program ends now; empty where there is nothing to say.
    pub fn unanswered(&self) -> String {
        self.calls.unanswered(&PATIENCE)
    }

    fn left(&self, ask: &Ask) -> EngineError {
        EngineError::Unanswered {
            message: ask.left(),
            cause: self.interrupts.cause().unwrap_or(Cause::Interrupt),
        }
    }

    /// Passes a call on.
    fn ask<'a, T: Send + 'a>(&'a self, ask: Ask, reply: Reply<'a, T>) -> Reply<'a, T> {
        Box::pin(self.wait(ask, reply))
    }

    async fn wait<T>(&self, ask: Ask, mut reply: Reply<'_, T>) -> Result<T, EngineError> {
        const MISSED: u32 = 2;
        let is_asked_to_stop = self.interrupts.stage() >= Stage::Stopping;
        if is_asked_to_stop && self.calls.misses() >= MISSED {
            return Err(self.left(&ask));
        }
        let call = self.calls.begin(ask.clone());
        let answer = {
            let mut given_up = std::pin::pin!(self.gives_up(ask.kind));
            let mut silence = std::pin::pin!(self.tells(call.number(), ask.kind));
            tokio::select! {
                biased;
                result = &mut reply => Some(result),
                () = &mut given_up => None,
                () = &mut silence => None,
            }
        };
        match answer {
            Some(result) => {
                call.answered();
                result.map_err(|error| named(error, &ask))
            }
            None => {
                call.missed();
                Err(self.left(&ask))
            }
        }
    }

    /// Ends when a call is waited for no longer.
    async fn gives_up(&self, kind: Kind) {
        const AFTER_A_MISS: Duration = Duration::from_secs(5);
        self.interrupts.reached(Stage::Stopping).await;
        loop {
            let stage = self.interrupts.stage();
            let limit = PATIENCE.limit(kind, stage, self.interrupts.has_begun());
            let limit = match self.calls.misses() {
                0 => limit,
                _ => limit.map(|limit| limit.min(AFTER_A_MISS)),
            };
            let more = match stage {
                Stage::Running | Stage::Stopping => Stage::Killing,
                Stage::Killing | Stage::Leaving => Stage::Leaving,
            };
            let asked_for_more = self.interrupts.reached(more);
            match limit {
                _ if stage == Stage::Leaving => std::future::pending().await,
                Some(limit) => {
                    if timeout(limit, asked_for_more).await.is_err() {
                        return;
                    }
                }
                None => asked_for_more.await,
            }
        }
    }

    /// Tells that a call is waited for; it does not end.
    async fn tells(&self, call: u64, kind: Kind) {
        sleep(PATIENCE.silence(kind)).await;
        if let Some((since, what)) = self.calls.tell(call, &PATIENCE) {
            self.reporter.warning(format!(
                "waiting for the engine at {} ({} s): {what}",
                self.engine.endpoint(),
                since.as_secs()
            ));
        }
        std::future::pending().await
    }

    /// Passes a stream on, whose first part is waited for as an answer is.
    fn first<'a, T: Send + 'a>(&'a self, ask: Ask, mut parts: Parts<'a, T>) -> Parts<'a, T> {
        let begin = async move {
            let first = async { Ok((parts.next().await, parts)) }.boxed();
            match self.wait(ask.clone(), first).await {
                Ok((first, rest)) => futures::stream::iter(first).chain(rest).boxed(),
                Err(error) => futures::stream::iter([Err(error)]).boxed(),
            }
            .map_err(move |error| named(error, &ask))
        };
        futures::stream::once(begin).flatten().boxed()
    }

    /// About a container or a network.
    fn of(&self, kind: Kind, verb: &str, id: &str) -> Ask {
        Ask::new(kind, verb, &self.calls.name_of(id))
    }
}

/// An answer that was refused for its size is told by what it answers.
fn named(error: EngineError, ask: &Ask) -> EngineError {
    match error {
        EngineError::Endless { message } if !message.ends_with(&ask.words) => {
            EngineError::Endless {
                message: format!("{message}: {}", ask.words),
            }
        }
        other => other,
    }
}
