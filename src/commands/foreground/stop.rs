//! The end of a foreground `up`: what is meant is stopped, dependents first, and killed when a
//! second signal comes.

use crate::change::run as run_plan;
use crate::commands::locked::bid;
use crate::commands::session::{Manner, means};
use crate::context::Context;
use crate::engine::Engine;
use crate::error::CliError;
use crate::execute::Means;
use crate::graph::dependency_order;
use crate::interrupt::{Cause, Interrupts, Stage};
use crate::lock::{Bid, Lock, LockError, acquire};
use crate::observe::{Observed, containers_of};
use crate::project::Project;
use crate::reconcile::lifecycle;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A container has so long to stop where nothing else is said; the engine's own default.
const GRACE: Duration = Duration::from_secs(10);

/// Whom to stop, and how.
pub struct Stop<'a> {
    pub ctx: &'a Context,
    pub engine: &'a dyn Engine,
    pub project: &'a Project,
    /// `--timeout`, in seconds; negative is for ever.
    pub timeout: Option<i64>,
    /// Services that are meant; empty means all.
    pub services: &'a BTreeSet<String>,
    /// Service and number of what stays as it is.
    pub spared: BTreeSet<(String, Option<u32>)>,
}

impl Stop<'_> {
    /// Stops it under the project's lock: the one that is there, or one of its own.
    ///
    /// # Errors
    /// If the engine cannot be asked. What cannot be stopped is told on the way.
    pub async fn run(self, lock: Option<&Lock<'_>>) -> Result<(), CliError> {
        if let Some(lock) = lock {
            return lock.keep(self.stop(Some(lock))).await;
        }
        let (place, patience) = (self.ctx.place(), Interrupts::default());
        let bid = bid(self.ctx, self.engine, &self.project.name, &place, &patience);
        match own(self.ctx, bid).await? {
            None => self.stop(None).await,
            Some(lock) => {
                let stopped = lock.keep(self.stop(Some(&lock))).await;
                lock.release().await;
                stopped
            }
        }
    }

    async fn stop(&self, lock: Option<&Lock<'_>>) -> Result<(), CliError> {
        let &Stop {
            ctx,
            project,
            timeout,
            ..
        } = self;
        let means = Means {
            interrupts: Interrupts::default(),
            lock,
            ..means(ctx, self.engine, project, Manner::default()).await
        };
        if ctx.interrupts.stage() < Stage::Killing {
            let observed = self.look().await?;
            let plan = lifecycle::stop(project, &observed, &BTreeSet::new(), false, timeout);
            if !plan.is_empty() {
                ctx.reporter.countdown(grace(project, timeout));
            }
            tokio::select! {
                biased;
                // Failures have been drawn; nothing is left to be done about them.
                _ = run_plan(&means, plan, project, &observed) => return Ok(()),
                () = ctx.interrupts.reached(Stage::Killing) => {}
            }
        }
        let observed = self.look().await?;
        let plan = lifecycle::kill(observed.replicas(), "SIGKILL");
        let means = Means {
            lock: None,
            ..means
        };
        run_plan(&means, plan, project, &observed).await;
        Ok(())
    }

    /// What there is of those that are meant.
    async fn look(&self) -> Result<Observed, CliError> {
        let containers = containers_of(self.engine, &self.project.name, true).await?;
        let mut observed = Observed::from_containers(containers);
        observed.services.retain(|name, _| {
            self.project.services.contains_key(name)
                && (self.services.is_empty() || self.services.contains(name))
        });
        for replicas in observed.services.values_mut() {
            replicas.retain(|c| !self.spared.contains(&(c.service.clone(), c.number)));
        }
        Ok(observed)
    }
}

/// The project's lock; `None` once the user wants everything killed, for which nobody is waited.
async fn own<'a>(ctx: &Context, bid: Bid<'a>) -> Result<Option<Lock<'a>>, CliError> {
    let _stages = bid.interrupts.in_stages();
    let mut lock = std::pin::pin!(acquire(bid));
    let mut is_waiting = true;
    loop {
        tokio::select! {
            biased;
            lock = &mut lock => return match lock {
                Ok(lock) => Ok(Some(lock)),
                Err(LockError::Interrupted(_)) => Ok(None),
                Err(error) => Err(error.into()),
            },
            () = ctx.interrupts.reached(Stage::Killing), if is_waiting => {
                is_waiting = false;
                bid.interrupts.signal(Cause::Interrupt);
            }
        }
    }
}

/// How long stopping can take: along the longest chain of dependents.
fn grace(project: &Project, timeout: Option<i64>) -> Duration {
    let mut until: BTreeMap<&str, Duration> = BTreeMap::new();
    for name in dependency_order(project).into_iter().rev() {
        let before = project
            .dependents(name)
            .filter_map(|s| until.get(s.name.as_str()))
            .max()
            .copied()
            .unwrap_or_default();
        let own = match timeout.map(u64::try_from) {
            Some(seconds) => Duration::from_secs(seconds.unwrap_or(0)),
            None => project.services[name]
                .stop_grace_period
                .map_or(GRACE, |grace| {
                    Duration::from_nanos(u64::try_from(grace.0).unwrap_or(0))
                }),
        };
        until.insert(name, before + own);
    }
    until.into_values().max().unwrap_or_default()
}
