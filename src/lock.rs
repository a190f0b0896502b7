//! One writer per project: two changing commands of one project come one after the other, on one
//! machine as on several that share an engine.
//!
//! On one machine a locked file keeps them apart ([`mod@file`]): free at once when its holder dies.
//! Between machines it is a claim in the engine ([`claim`], by the rules of [`contest`]), which
//! its holder renews ([`Lock::keep`]). Before each step a holder that has slept makes sure that
//! the project is still its own ([`Lock::check`]).

pub mod claim;
pub mod contest;
pub mod file;
mod tenancy;

pub use contest::Terms;
pub use tenancy::Lock;

use crate::engine::{Engine, EngineError};
use crate::event::{Kind, Reporter};
use crate::interrupt::{Cause, Interrupts, Stage};
use claim::{Claim, Generation, Holder, volume_name};
use contest::{Contest, Tenure, Turn};
use file::{FileLock, Taking};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{Instant, sleep};

/// How often a waiting command looks for the file lock.
const FILE_LOOK: Duration = Duration::from_millis(50);

/// Looks after which a holder that has not written its name will not do so.
const NAMELESS: usize = 10;

/// Calls whose answer was lost are made again this often.
const AGAIN: usize = 3;

/// How a command calls itself before others, and where those of its user and machine meet it.
#[derive(Debug, Clone)]
pub struct Place {
    /// Where lock files are; `None` leaves only the claim in the engine.
    pub directory: Option<PathBuf>,
    pub host: String,
    pub process: u32,
    /// `regatta up`.
    pub command: String,
    /// The wall clock: for what is shown, and for names of volumes that nobody used lately.
    pub clock: fn() -> SystemTime,
    /// Numbers that nobody else has: what tokens are made of.
    pub chance: fn() -> u64,
}

/// What a lock is asked for with.
#[derive(Clone, Copy)]
pub struct Bid<'a> {
    pub engine: &'a dyn Engine,
    pub project: &'a str,
    pub place: &'a Place,
    pub terms: Terms,
    /// Is told which command we wait for.
    pub reporter: &'a Reporter,
    /// Ends the wait.
    pub interrupts: &'a Interrupts,
}

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("interrupted")]
    Interrupted(Cause),
    #[error("the project's lock: {0}")]
    Engine(#[from] EngineError),
}

/// Waits until no other command changes the project, and keeps others waiting from then on, as
/// long as the lock is kept ([`Lock::keep`]) and until it is [released](Lock::release).
///
/// # Errors
/// Where the engine gives no answer, or the wait was interrupted.
pub async fn acquire<'a>(bid: Bid<'a>) -> Result<Lock<'a>, LockError> {
    let mut waiting = Waiting { bid, shown: None };
    let mut holder = bid.place.holder();
    let file = waiting.take_file(&mut holder).await?;
    let lock = waiting.claim(holder, file).await?;
    waiting.end();
    Ok(lock)
}

impl Place {
    fn holder(&self) -> Holder {
        let since = jiff::Timestamp::try_from((self.clock)()).unwrap_or_default();
        let since = since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        Holder {
            // A word that no other command has: 128 bits of chance.
            token: format!("{:016x}{:016x}", (self.chance)(), (self.chance)()),
            host: self.host.clone(),
            process: self.process,
            command: self.command.clone(),
            since,
            file: None,
        }
    }

    fn seconds(&self) -> u64 {
        (self.clock)()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs()
    }
}

/// The system's chance, which std's hasher is seeded with.
pub fn system_chance() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(())
}

/// A wait, and what the user was told of it.
struct Waiting<'a> {
    bid: Bid<'a>,
    /// The token of the holder that we said we wait for.
    shown: Option<String>,
}

impl<'a> Waiting<'a> {
    fn tell(&mut self, holder: &Holder) {
        if self.shown.as_ref() != Some(&holder.token) {
            self.shown = Some(holder.token.clone());
            self.bid.reporter.send(Kind::LockAwaited {
                project: self.bid.project.to_owned(),
                holder: holder.in_words(),
            });
        }
    }

    fn end(&self) {
        if self.shown.is_some() {
            let project = self.bid.project.to_owned();
            self.bid.reporter.send(Kind::LockAcquired { project });
        }
    }

    fn interrupted(&self) -> Option<LockError> {
        let interrupts = self.bid.interrupts;
        (interrupts.stage() >= Stage::Stopping)
            .then(|| LockError::Interrupted(interrupts.cause().unwrap_or(Cause::Interrupt)))
    }

    /// Sleeps, but for no longer than the user lets us.
    async fn rest(&self, time: Duration) -> Result<(), LockError> {
        if !time.is_zero() {
            tokio::select! {
                () = sleep(time) => {}
                () = self.bid.interrupts.reached(Stage::Stopping) => {}
            }
        }
        self.interrupted().map_or(Ok(()), Err)
    }

    async fn take_file(&mut self, holder: &mut Holder) -> Result<Option<FileLock>, LockError> {
        let Some(directory) = &self.bid.place.directory else {
            return Ok(None);
        };
        let path = file::path(directory, &self.bid.engine.endpoint(), self.bid.project);
        let mut nameless = 0;
        loop {
            match FileLock::take(&path, holder) {
                Ok(Taking::Taken(lock)) => return Ok(Some(lock)),
                Ok(Taking::Held(Some(other))) => self.tell(&other),
                // One that has just taken it writes its name in a moment.
                Ok(Taking::Held(None)) if nameless < NAMELESS => nameless += 1,
                Ok(Taking::Held(None)) => self.tell(&Holder::nameless(&path.display())),
                Err(error) => {
                    // The system's own errors are ordinary: a home that cannot be written.
                    if error.raw_os_error().is_none() {
                        self.bid.reporter.warning(format!(
                            "the lock file {} is not used: {error}",
                            path.display()
                        ));
                    }
                    // The engine's claim keeps us apart, too; only a dead holder is waited for.
                    tracing::debug!(path = %path.display(), %error, "no lock file");
                    return Ok(None);
                }
            }
            self.rest(FILE_LOOK).await?;
        }
    }

    async fn claim(
        &mut self,
        mut holder: Holder,
        file: Option<FileLock>,
    ) -> Result<Lock<'a>, LockError> {
        let bid = self.bid;
        let claims = Claims {
            engine: bid.engine,
            project: bid.project,
        };
        let mut contest = Contest::new(bid.terms, &holder.token, holder.file.clone());
        match self.contest(claims, &mut contest, &mut holder).await {
            Ok((tenure, sent)) => Ok(Lock::new(bid, holder, Some(tenure), sent, file)),
            Err(LockError::Engine(error)) if is_forbidden(&error) => {
                bid.reporter.warning(format!(
                    "the engine lets us make no volume, so that commands of other machines and \
                     users are not kept from changing {} at the same time: {error}",
                    bid.project
                ));
                Ok(Lock::new(bid, holder, None, Instant::now(), file))
            }
            Err(error) => {
                claims.delete(&contest.mine()).await;
                Err(error)
            }
        }
    }

    /// Gives what was won, and when the claim that proves it was sent.
    async fn contest(
        &mut self,
        claims: Claims<'a>,
        contest: &mut Contest,
        holder: &mut Holder,
    ) -> Result<(Tenure, Instant), LockError> {
        let bid = self.bid;
        let begun = Instant::now();
        let mut sent = begun;
        let mut turn = contest.begin(bid.place.seconds());
        loop {
            turn = match turn {
                Turn::Create(generation) => {
                    if let Some(error) = self.interrupted() {
                        return Err(error);
                    }
                    holder.token = contest.token().to_owned();
                    sent = Instant::now();
                    match claims.create(generation, holder).await {
                        Ok(claim) => contest.created(&claim),
                        // Somebody else is just making it: Podman says so.
                        Err(error) if error.is_conflict() => Turn::Look {
                            after: bid.terms.look,
                        },
                        Err(error) => return Err(error.into()),
                    }
                }
                Turn::Look { after } => {
                    self.rest(after).await?;
                    let list = claims.list().await?;
                    let turn = contest.listed(begun.elapsed(), bid.place.seconds(), &list);
                    if let Some(claim) = contest.waits_for() {
                        self.tell(&claim.holder);
                    }
                    turn
                }
                Turn::Withdraw(mine) => {
                    claims.delete(&mine).await;
                    contest.withdrawn()
                }
                Turn::Won { tenure, left } => {
                    claims.delete(&left).await;
                    return Ok((tenure, sent));
                }
            };
        }
    }
}

/// Whether the engine (or a proxy before it) has volumes not for us.
fn is_forbidden(error: &EngineError) -> bool {
    matches!(
        error,
        EngineError::Refused {
            status: 401 | 403 | 405 | 501,
            ..
        }
    )
}

/// The volumes of one project's lock.
#[derive(Clone, Copy)]
struct Claims<'a> {
    engine: &'a dyn Engine,
    project: &'a str,
}

impl Claims<'_> {
    /// Makes a claim, or shows its holder.
    async fn create(&self, generation: Generation, holder: &Holder) -> Result<Claim, EngineError> {
        let claim = Claim {
            generation,
            holder: holder.clone(),
        };
        let mut tries = 0;
        let volume = loop {
            tries += 1;
            match self.engine.create_volume(claim.request(self.project)).await {
                // A second creation tells what came of the first.
                Err(EngineError::Broken { .. }) if tries < AGAIN => {}
                result => break result?,
            }
        };
        Claim::of(self.project, &volume).ok_or_else(|| EngineError::Protocol {
            message: format!("{} is no volume of ours", volume.name),
        })
    }

    async fn list(&self) -> Result<Vec<Claim>, EngineError> {
        let label = format!("{}={}", crate::labels::LOCK, self.project);
        let volumes = self.engine.list_volumes(vec![label]).await?;
        let claims = volumes.iter().filter_map(|v| Claim::of(self.project, v));
        Ok(claims.collect())
    }

    /// Deletes claims. What cannot be deleted is taken over by others in time.
    async fn delete(&self, generations: &[Generation]) {
        for generation in generations {
            let name = volume_name(self.project, *generation);
            for _ in 0..AGAIN {
                match self.engine.remove_volume(&name, false).await {
                    Err(EngineError::Broken { .. }) => {}
                    Err(error) if !error.is_not_found() => {
                        tracing::debug!(%name, %error, "a claim could not be deleted");
                        break;
                    }
                    _ => break,
                }
            }
        }
    }
}
