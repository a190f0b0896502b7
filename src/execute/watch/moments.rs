//! The first moments of what was just started: whether it lives through them.
//!
//! That is seen from its process where that is on this machine ([`crate::engine::Engine::life`]): the kernel
//! tells the truth however busy the engine is. Elsewhere it is read from the events: from a
//! stream that told of the start.

use super::{Fall, Watch};
use crate::engine::{ContainerDetails, ContainerState, EngineError, Life};
use std::time::Duration;
use tokio::time::Instant;

/// What has lived this long after its start counts as started.
const FIRST_MOMENTS: Duration = Duration::from_millis(200);

/// An engine tells of an end only when it has cleared up behind it, which takes up to as long as
/// the start did. Where the process cannot be seen, news is waited for that much longer, but no
/// longer than this: many starts at once make each of them slow, and no end.
const LONGEST_NEWS: Duration = Duration::from_millis(200);

/// A process that is gone is certain to have ended: the engine has so long to say how.
const LATEST_NEWS: Duration = Duration::from_secs(5);

/// A process that has hardly run by itself is looked at for no longer.
const LONGEST_LOOK: Duration = Duration::from_secs(1);

/// How often that is asked for, should the stream not tell.
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// The kernel's word on memory may reach the engine after that on the end.
const WORD_ON_MEMORY: Duration = Duration::from_millis(200);

/// What an end means that is none, or a good one.
enum Sentence {
    Well,
    /// It has died, and runs again without the engine's having restarted it by itself.
    Revived,
}

impl Watch<'_> {
    /// Watches a container whose start was answered just now until it has lived through its first
    /// moments. One inspect where its process can be seen; else no request, unless it ends or the
    /// stream does not tell of its start. `true`: its health remains to be waited for.
    pub(in crate::execute) async fn first_moments(
        &self,
        id: &str,
        healthy: bool,
    ) -> Result<bool, Fall> {
        let took = self.starting.borrow().get(id).copied().unwrap_or_default();
        let mut known = 0;
        let mut is_second_life = false;
        loop {
            let connection = self.connections.get();
            let until = Instant::now() + FIRST_MOMENTS + took.min(LONGEST_NEWS);
            let mut details = None;
            if healthy {
                // A check that is content says more than a moment's life.
                let found = self.engine.inspect_container(id).await?;
                if found.health.is_some() {
                    return Ok(true);
                }
                details = Some(found);
            }
            let life = tokio::select! {
                biased;
                () = self.death(id, known) => Life::Gone,
                life = self.outlive(id, details) => life,
            };
            tracing::debug!(id, ?life, known, "first moments");
            match life {
                Life::Alive { .. } | Life::Unborn => return Ok(false),
                Life::Gone => {}
                Life::Unseen => {
                    self.is_blind.set(true);
                    let died = tokio::time::timeout_at(until, self.death(id, known))
                        .await
                        .is_ok();
                    let told = self.seen(id).starts > 0 && self.connections.get() == connection;
                    if !died && told {
                        return Ok(false);
                    }
                }
            }
            let deaths = self.seen(id).deaths;
            match self.judge_end(id, known).await {
                // That life has its first moments, too.
                Ok(Sentence::Revived) if known == 0 => known = deaths.max(1),
                Ok(_) => return Ok(false),
                Err(Fall::Ended(ended)) if !is_second_life => {
                    self.restarted_once(ended).await?;
                    is_second_life = true;
                    known = self.seen(id).deaths.max(1);
                }
                Err(fall) => return Err(fall),
            }
        }
    }

    /// Its engine starts again what has ended: waits until it runs, so that its second life can be
    /// watched. One restart is no loop; gives the end where there is no such life, or more than one
    /// already.
    async fn restarted_once(&self, ended: Box<ContainerDetails>) -> Result<(), Fall> {
        let id = ended.id.clone();
        let before = self.restarts.borrow().get(&id).copied();
        if !ended.state.is_up() || ended.restart_count - before.unwrap_or_default() != 1 {
            return Err(Fall::Ended(ended));
        }
        self.restarts
            .borrow_mut()
            .insert(id.clone(), ended.restart_count);
        let latest = Instant::now() + LATEST_NEWS;
        while Instant::now() < latest {
            let before = self.mark(&id);
            let details = self.engine.inspect_container(&id).await?;
            if details.state != ContainerState::Restarting {
                return Ok(());
            }
            let _ = tokio::time::timeout(ASK_AGAIN, self.changed(&id, before)).await;
        }
        Err(Fall::Ended(ended))
    }

    /// Waits until the stream tells of one more end that nobody asked for.
    async fn death(&self, id: &str, known: u64) {
        loop {
            let news = self.news.notified();
            if self.seen(id).deaths > known {
                return;
            }
            news.await;
        }
    }

    /// Looks on until the process has lived through its first moments, or it is clear that this
    /// will not come to pass, or cannot be seen. They count from the answer: the engine's word on
    /// when it started is from before there was a process.
    async fn outlive(&self, id: &str, known: Option<ContainerDetails>) -> Life {
        let mut begun = Instant::now();
        if self.is_blind.get() {
            return Life::Unseen;
        }
        let details = match known {
            Some(details) => details,
            // An answer may be lost; twice in a row, whatever is wrong is not the container.
            None => match self.inspect_or_again(id).await {
                Ok(details) => details,
                Err(_) => return Life::Unseen,
            },
        };
        if self.was_restarted(&details) {
            return Life::Gone;
        }
        if details.state != ContainerState::Running {
            return match details.state {
                ContainerState::Paused | ContainerState::Created => Life::Unseen,
                _ => Life::Gone,
            };
        }
        let longest = begun + LONGEST_LOOK;
        let mut before = None;
        loop {
            let life = self.engine.life(&details);
            let lived = match life {
                // Where there is no moment to spare it has lived for a while and hardly run.
                Life::Alive { is_busy, waited } => {
                    let before = *before.get_or_insert(waited);
                    let lost = waited.saturating_sub(before);
                    begun.elapsed().saturating_sub(lost * u32::from(is_busy))
                }
                Life::Unborn => {
                    begun = Instant::now();
                    Duration::ZERO
                }
                Life::Gone | Life::Unseen => return life,
            };
            if lived >= FIRST_MOMENTS || Instant::now() >= longest {
                return life;
            }
            tokio::time::sleep(FIRST_MOMENTS - lived).await;
        }
    }

    async fn inspect_or_again(&self, id: &str) -> Result<ContainerDetails, EngineError> {
        match self.engine.inspect_container(id).await {
            Err(error) if !error.is_not_found() => {
                tracing::debug!(id, %error, "asked again");
                self.engine.inspect_container(id).await
            }
            answer => answer,
        }
    }

    /// Something has ended: waits until the engine knows of it, and says what it means.
    async fn judge_end(&self, id: &str, known: u64) -> Result<Sentence, Fall> {
        let latest = Instant::now() + LATEST_NEWS;
        let mut details = loop {
            let before = self.mark(id);
            let details = self.engine.inspect_container(id).await?;
            let is_told = details.state != ContainerState::Running
                || self.was_restarted(&details)
                || self.engine.life(&details) != Life::Gone;
            if is_told || self.seen(id).deaths > known || Instant::now() >= latest {
                break details;
            }
            let _ = tokio::time::timeout(ASK_AGAIN, self.changed(id, before)).await;
        };
        let up = matches!(
            details.state,
            ContainerState::Running | ContainerState::Paused | ContainerState::Created
        );
        let ended_well = matches!(details.state, ContainerState::Exited | ContainerState::Dead)
            && details.exit_code == 0;
        if up && !self.was_restarted(&details) {
            // Somebody has started it again, as a run that was killed may have asked for.
            return Ok(match self.seen(id).deaths > known {
                true => Sentence::Revived,
                false => Sentence::Well,
            });
        }
        if ended_well || self.seen(id).asked_to_end {
            return Ok(Sentence::Well);
        }
        if is_killed(&details) && !details.oom_killed {
            tokio::time::sleep(WORD_ON_MEMORY).await;
            if let Ok(again) = self.engine.inspect_container(id).await {
                details = again;
            }
        }
        if details.state.is_up() {
            let _ = tokio::time::timeout(ASK_AGAIN, self.death(id, known)).await;
            // It runs again by now, and the status is that of this life.
            details.exit_code = self.seen(id).exit_code.unwrap_or(details.exit_code);
        }
        Err(Fall::Ended(Box::new(details)))
    }
}

/// Whether it ended by SIGKILL, whoever sent it.
fn is_killed(details: &ContainerDetails) -> bool {
    details.state == ContainerState::Exited && details.exit_code == 137
}

#[cfg(test)]
mod tests;
