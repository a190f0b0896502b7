//! A lock that is held: renewed as long as its holder works, and checked before each step.

use super::claim::{Claim, Holder};
use super::contest::Tenure;
use super::file::FileLock;
use super::{Bid, Claims};
use std::cell::{Cell, RefCell};
use std::time::{Duration, SystemTime};
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep, sleep_until};

/// A moment by both clocks: the one stands still while the machine sleeps, the other may jump.
#[derive(Debug, Clone, Copy)]
struct Moment {
    steady: Instant,
    wall: SystemTime,
}

impl Moment {
    fn now() -> Self {
        Moment {
            steady: Instant::now(),
            wall: SystemTime::now(),
        }
    }

    /// How long it is ago at most.
    fn age(self) -> Duration {
        let wall = self.wall.elapsed().unwrap_or_default();
        self.steady.elapsed().max(wall)
    }
}

/// The right to change a project. To be [released](Lock::release) at the end; one that is only
/// dropped is taken over by others as a dead holder's is.
pub struct Lock<'a> {
    bid: Bid<'a>,
    holder: Holder,
    /// `None` where the engine wants no claim.
    tenure: Mutex<Option<Tenure>>,
    /// When the claim that proves our right was sent.
    proven: Cell<Moment>,
    /// Why it is not ours any more.
    lost: watch::Sender<Option<String>>,
    file: RefCell<Option<FileLock>>,
    is_released: Cell<bool>,
}

impl std::fmt::Debug for Lock<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lock({}, {})", self.bid.project, self.holder.token)
    }
}

impl<'a> Lock<'a> {
    pub(super) fn new(
        bid: Bid<'a>,
        holder: Holder,
        tenure: Option<Tenure>,
        sent: Instant,
        file: Option<FileLock>,
    ) -> Self {
        let now = Moment::now();
        let wall = now.wall.checked_sub(sent.elapsed()).unwrap_or(now.wall);
        Lock {
            bid,
            holder,
            tenure: Mutex::new(tenure),
            proven: Cell::new(Moment { steady: sent, wall }),
            lost: watch::Sender::new(None),
            file: RefCell::new(file),
            is_released: Cell::new(false),
        }
    }

    fn claims(&self) -> Claims<'a> {
        Claims {
            engine: self.bid.engine,
            project: self.bid.project,
        }
    }

    /// Why the lock was lost, if it was. The holder then stops, and leaves everything as it is.
    pub fn lost(&self) -> Option<String> {
        self.lost.borrow().clone()
    }

    /// Waits until it is lost.
    pub async fn until_lost(&self) {
        // The sender is ours, so the channel never closes.
        let _ = self.lost.subscribe().wait_for(Option::is_some).await;
    }

    /// Makes sure, before a step, that the project is still ours. Costs nothing unless the last
    /// renewal is half a lease ago: then it is renewed first. `false`: it was lost.
    pub async fn check(&self) -> bool {
        let terms = self.bid.terms;
        while self.lost.borrow().is_none() && !self.is_released.get() {
            if self.proven.get().age() < terms.trust() {
                return true;
            }
            match &mut *self.tenure.lock().await {
                None => return true,
                Some(_) if self.lost.borrow().is_some() => return false,
                // It may have been renewed while we waited for our turn.
                Some(_) if self.proven.get().age() < terms.trust() => return true,
                Some(tenure) => self.renew(tenure).await,
            }
            if self.proven.get().age() >= terms.trust() {
                sleep(terms.look).await;
            }
        }
        false
    }

    /// Does the work, and renews the claim beside it.
    pub async fn keep<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        let mut renewals = std::pin::pin!(self.renewals());
        tokio::select! {
            biased;
            result = &mut work => {
                // A renewal that is under way is finished, or nobody would know what it made.
                tokio::select! {
                    biased;
                    _ = self.tenure.lock() => {}
                    () = &mut renewals => {}
                }
                return result;
            }
            () = &mut renewals => {}
        }
        work.await
    }

    /// Renews as long as it is ours.
    async fn renewals(&self) {
        let renewal = self.bid.terms.renewal;
        while self.lost.borrow().is_none() {
            let due = self.proven.get().steady + renewal;
            match due > Instant::now() {
                true => sleep_until(due).await,
                // The last one failed: not at once again.
                false => sleep(renewal / 4).await,
            }
            match &mut *self.tenure.lock().await {
                None => return,
                Some(_) if self.lost.borrow().is_some() => return,
                Some(tenure) if self.proven.get().age() >= renewal => self.renew(tenure).await,
                Some(_) => {}
            }
        }
    }

    /// One renewal. What the engine does not answer is tried again, until nobody may trust the
    /// claim any more.
    async fn renew(&self, tenure: &mut Tenure) {
        let sent = Moment::now();
        let claims = self.claims();
        let renewed = async {
            let made = claims.create(tenure.next(), &self.holder).await?;
            Ok((made, claims.list().await?))
        };
        let (made, list) = match renewed.await {
            Ok(answer) => answer,
            Err(error) => {
                let error: crate::engine::EngineError = error;
                tracing::debug!(%error, "the lock was not renewed");
                if self.proven.get().age() >= self.bid.terms.lease {
                    self.lose(format!("it could not be renewed: {error}"));
                }
                return;
            }
        };
        match tenure.renewed(&made, &list) {
            Ok(obsolete) => {
                self.proven.set(sent);
                claims.delete(&obsolete).await;
            }
            Err(rival) => {
                self.lose(match &rival {
                    Some(claim) => format!("{} has taken over", claim.holder.in_words()),
                    None => {
                        "another command had it in the meantime, or somebody deleted it".to_owned()
                    }
                });
                let mine = |c: &&Claim| c.holder.token == self.holder.token;
                let mine: Vec<_> = list.iter().filter(mine).map(|c| c.generation).collect();
                claims.delete(&mine).await;
            }
        }
    }

    fn lose(&self, why: String) {
        tracing::debug!(%why, "the lock is lost");
        self.lost.send_replace(Some(why));
    }

    /// Lets others in: nothing must be done any more.
    pub async fn release(&self) {
        self.is_released.set(true);
        let tenure = self.tenure.lock().await.take();
        if self.lost.borrow().is_none()
            && let Some(tenure) = tenure
        {
            self.claims().delete(&tenure.all()).await;
        }
        // Only now: the next holder of the file must not find a claim of ours.
        self.file.take();
    }
}
