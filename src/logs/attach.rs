//! The logs of a foreground `up`: of each container from the first line of the life that `up`
//! gave it, or from now on where it ran before.

use super::follow::{Follower, LINGER};
use super::listening::{Heard, Listening, at};
use super::printer::Printer;
use super::{LogRequest, LogsError};
use crate::engine::{ContainerSummary, Engine, EngineEvent};
use crate::event::Reporter;
use crate::labels;
use std::collections::{BTreeSet, HashSet};
use std::io::Write;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

/// What is attached to.
#[derive(Debug, Clone, Default)]
pub struct Attachment {
    pub project: String,
    /// Services whose lines are shown; empty means all.
    pub services: Vec<String>,
    /// Services whose ends are told; empty means all.
    pub watched: BTreeSet<String>,
    /// Containers that were there before and stay.
    pub present: Vec<ContainerSummary>,
    /// Ids of those that are about to go: nothing is told of them.
    pub leaving: HashSet<String>,
    /// Show each line's time.
    pub timestamps: bool,
}

/// How far the change has come that brings the containers up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// More containers will start.
    Changing,
    /// All are up: it is over with the last of them.
    Attached,
    /// All are down: it is over when what they wrote is read.
    Ending,
}

/// A container has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    pub service: String,
    pub code: u8,
}

/// The ways between the logs and the change that goes on beside them.
pub struct Ties {
    pub phase: watch::Receiver<Phase>,
    pub exits: mpsc::UnboundedSender<Exit>,
    /// Told when containers may be started.
    pub ready: oneshot::Sender<()>,
}

struct Attached<'a, W: Write> {
    follower: Follower<'a, W>,
    attachment: Attachment,
    ties: Ties,
    /// Somebody signalled a container: it may be a restart.
    is_killed: bool,
}

/// Shows lines and ends until the last container has ended.
///
/// # Errors
/// If the engine fails, or the output cannot be written.
pub async fn attach<W: Write>(
    engine: Arc<dyn Engine>,
    mut attachment: Attachment,
    printer: &mut Printer<W>,
    reporter: &Reporter,
    ties: Ties,
) -> Result<(), LogsError> {
    let request = LogRequest {
        project: attachment.project.clone(),
        services: attachment.services.clone(),
        follow: true,
        // None of what was written before.
        tail: Some(0),
        timestamps: attachment.timestamps,
        ..LogRequest::default()
    };
    let mut listening = Listening::new(engine.as_ref(), request.labels());
    let mut follower = Follower::new(engine.clone(), request, printer, reporter);
    for container in std::mem::take(&mut attachment.present) {
        let service = container.labels.get(labels::SERVICE).cloned();
        if container.state.is_up() && is_among(&attachment.watched, service.as_ref()) {
            follower.awaited.insert(container.id.clone());
        }
        if follower.wants(&container.labels) {
            if container.state.is_up() {
                follower.printer.head()?;
            }
            follower.begin(&container);
        }
    }
    let mut attached = Attached {
        follower,
        attachment,
        ties,
        is_killed: false,
    };
    let result = attached.run(&mut listening).await;
    attached.follower.conclude(result).await
}

fn is_among(services: &BTreeSet<String>, service: Option<&String>) -> bool {
    services.is_empty() || service.is_some_and(|s| services.contains(s))
}

impl<W: Write> Attached<'_, W> {
    async fn run(&mut self, listening: &mut Listening<'_>) -> Result<(), LogsError> {
        // What a stopped container has written is known before it may be started again.
        while self.follower.followed.iter().any(|f| f.is_probe) {
            let (number, part) = self.follower.pool.next().await;
            self.follower.take(number, part)?;
        }
        let (ready, unused) = oneshot::channel();
        drop(unused);
        // Nobody waits any more only when everything ends.
        let _ = std::mem::replace(&mut self.ties.ready, ready).send(());
        let mut ends_at: Option<Instant> = None;
        loop {
            // Where nobody reads the lines, no more are taken; all else goes on.
            let has_room = self.follower.printer.has_room();
            match has_room {
                true => self.follower.break_overdue()?,
                false => self.follower.pool.rests(),
            }
            if has_room && let Some((number, part)) = self.follower.pool.try_next() {
                self.follower.take(number, part)?;
                continue;
            }
            self.follower.printer.flush()?;
            ends_at = match self.is_over() {
                false => None,
                true if !self.is_killed => return Ok(()),
                true => ends_at.or_else(|| Some(Instant::now() + LINGER)),
            };
            let patience = self.follower.pool.patience();
            tokio::select! {
                (number, part) = self.follower.pool.next(), if has_room => {
                    self.follower.take(number, part)?;
                }
                () = self.follower.printer.room(), if !has_room => {}
                error = self.follower.printer.failed() => return Err(error.into()),
                heard = listening.next() => match heard? {
                    Heard::Event(event) => self.hear(event).await?,
                    Heard::SecondLook => self.look().await?,
                },
                Ok(()) = self.ties.phase.changed() => match self.phase() {
                    Phase::Attached => {
                        self.follower.printer.head()?;
                        self.look().await?;
                    }
                    // Whatever was signalled has ended for good.
                    Phase::Ending => self.is_killed = false,
                    Phase::Changing => {}
                },
                () = at(patience), if has_room => {}
                () = at(ends_at) => return Ok(()),
            }
        }
    }

    fn phase(&self) -> Phase {
        *self.ties.phase.borrow()
    }

    fn is_over(&self) -> bool {
        let is_read = self.follower.followed.iter().all(|f| !f.is_attached);
        match self.phase() {
            Phase::Changing => false,
            // What is not watched may go on writing.
            Phase::Attached => self.follower.awaited.is_empty() && self.is_watched_read(),
            Phase::Ending => is_read && self.follower.awaited.is_empty(),
        }
    }

    fn is_watched_read(&self) -> bool {
        let watched = &self.attachment.watched;
        self.follower
            .followed
            .iter()
            .all(|f| !f.is_attached || !is_among(watched, Some(&f.service)))
    }

    /// Finds what started without an event.
    async fn look(&mut self) -> Result<(), LogsError> {
        self.follower.look_again().await?;
        let leaving = &self.attachment.leaving;
        self.follower.awaited.retain(|id| !leaving.contains(id));
        Ok(())
    }

    async fn hear(&mut self, event: EngineEvent) -> Result<(), LogsError> {
        if self.attachment.leaving.contains(&event.id) {
            return Ok(());
        }
        let service = event.attributes.get(labels::SERVICE).cloned();
        let is_watched = is_among(&self.attachment.watched, service.as_ref());
        let is_shown = self.follower.wants(&event.attributes);
        let known = self.follower.by_id.get(&event.id).copied();
        match event.action.as_str() {
            "create" if is_watched => {
                self.follower.awaited.insert(event.id);
                if let (Phase::Attached, Some(replaced)) =
                    (self.phase(), event.attributes.get(labels::REPLACE))
                {
                    self.follower.printer.recreated(replaced)?;
                }
            }
            "start" => {
                self.is_killed = false;
                if is_watched {
                    self.follower.awaited.insert(event.id.clone());
                }
                if is_shown {
                    self.follower.printer.head()?;
                    self.follower.started(known, &event);
                }
            }
            "kill" => self.is_killed = true,
            "die" if is_watched || is_shown => {
                let is_ending = self.phase() == Phase::Ending;
                let is_back = !is_ending && self.follower.comes_back(&event.id).await;
                if !is_back {
                    self.follower.awaited.remove(&event.id);
                }
                if is_ending {
                    self.is_killed = false;
                }
                self.follower.died(known, &event, is_back)?;
                let code = event.attributes.get("exitCode");
                let exit = Exit {
                    service: service.unwrap_or_default(),
                    code: code.and_then(|c| c.parse().ok()).unwrap_or(1),
                };
                if is_watched {
                    // Nobody listens any more only when everything ends.
                    let _ = self.ties.exits.send(exit);
                }
            }
            "destroy" => {
                self.follower.awaited.remove(&event.id);
            }
            _ => {}
        }
        Ok(())
    }
}
