//! A change to a project, from the first look to the exit code. Every command that changes something
//! goes this one way, and says by a [`Planning`] what it wants:
//!
//! ```text
//!  look ─▶ check folder ─▶ plan ─┬─ nothing to change ─────────────────────────┐
//!                                └─ trust programs ─▶ lock ─▶ look, check, plan ┤
//!                                                                               ▼
//!            exit code ◀─ conclude ◀─ execute ◀─ tell warnings ◀────────── [`Ready`]
//! ```
//!
//! - What was seen before the lock was held may be another command's half-done work: it only tells
//!   whether there is something to do. What is executed is planned over what is seen then.
//! - A command with nothing to do waits for nobody. One that wants no lock (`kill`) neither.
//! - The lock is renewed while the plan is executed, and let go at the end, whatever came of it.
//! - `--dry-run` looks once, plans and shows.
//! - The foreground `up` is a session, too: it gets the [`Ready`] change, and executes it with the logs
//!   beside it ([`super::foreground`]).

mod conclude;
mod means;
mod planning;

pub use conclude::{conclude, lost};
pub use means::{Manner, means};
pub use planning::{Existing, Planning, ToProject, explain};

use super::desired::{Desired, observe_existing};
use super::foreign::Adoption;
use super::locked::bid;
use super::trust;
use crate::change::{Done, Prepared};
use crate::context::Context;
use crate::engine::Engine;
use crate::error::CliError;
use crate::execute::Means;
use crate::interrupt::Interrupts;
use crate::lock::{Lock, acquire};
use crate::observe::{Observed, Scope};
use crate::output;
use crate::plan::render_text;
use std::process::ExitCode;
use std::sync::Arc;

/// A command's work on one project.
pub struct Session<'c> {
    pub ctx: &'c Context,
    pub engine: Arc<dyn Engine>,
    pub desired: Desired,
    /// What is looked at.
    scope: Scope,
    adoption: Adoption,
    pub manner: Manner,
    /// The last snapshot, as long as nothing was changed since.
    seen: Option<Observed>,
}

impl<'c> Session<'c> {
    /// Over a project, of which `scope` says what is looked at.
    ///
    /// # Errors
    /// If no engine can be talked to.
    pub fn over(
        ctx: &'c Context,
        desired: Desired,
        scope: Scope,
        adoption: Adoption,
    ) -> Result<Self, CliError> {
        Ok(Session {
            ctx,
            engine: ctx.engine()?,
            desired,
            scope,
            adoption,
            manner: Manner::default(),
            seen: None,
        })
    }

    /// Over the containers that exist, and as far as `scope` asks for them networks and volumes; the
    /// first look is taken.
    ///
    /// # Errors
    /// If the files do not load, or the engine cannot be asked.
    pub async fn over_existing(
        ctx: &'c Context,
        services: &[String],
        scope: Scope,
        adoption: Adoption,
    ) -> Result<Self, CliError> {
        let engine = ctx.engine()?;
        let (desired, observed) = observe_existing(ctx, &*engine, services, scope).await?;
        Ok(Session {
            ctx,
            engine,
            desired,
            scope,
            adoption,
            manner: Manner::default(),
            seen: Some(observed),
        })
    }

    /// What there is: as seen last, unless something was changed since.
    ///
    /// # Errors
    /// If the engine cannot be asked.
    pub async fn look(&mut self) -> Result<(&Desired, &Observed), CliError> {
        let observed = self.take_look().await?;
        Ok((&self.desired, self.seen.insert(observed)))
    }

    async fn take_look(&mut self) -> Result<Observed, CliError> {
        match self.seen.take() {
            Some(observed) => Ok(observed),
            None => Ok(self
                .desired
                .observe_again(&*self.engine, self.scope)
                .await?),
        }
    }

    /// What a change is carried out with, before there is a lock.
    async fn means(&self) -> Means<'_> {
        let project = &self.desired.project;
        means(self.ctx, &*self.engine, project, self.manner).await
    }

    /// Looks and plans.
    async fn prepare(&mut self, planning: &mut impl Planning) -> Result<Prepared, CliError> {
        let observed = self.take_look().await?;
        self.adoption.check(&self.desired, &observed)?;
        planning.plan(&mut self.desired, observed).await
    }

    /// Makes the change; with `--dry-run` shows the plan instead.
    ///
    /// # Errors
    /// What stands in the way of the plan, or what failed of it.
    pub async fn run(&mut self, mut planning: impl Planning) -> Result<ExitCode, CliError> {
        if self.ctx.globals.dry_run {
            return self.show(planning).await;
        }
        self.change(&mut planning, async |mut ready| ready.execute().await)
            .await
    }

    /// Makes the change ready, and has `act` make it. The lock is let go afterwards.
    ///
    /// # Errors
    /// What the session or `act` fails with.
    pub async fn change<P: Planning, T>(
        &mut self,
        planning: &mut P,
        act: impl AsyncFnOnce(Ready<'_, '_, 'c, P>) -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        let ctx = self.ctx;
        let mut prepared = self.prepare(planning).await?;
        let needs_lock = planning.needs_lock(&prepared);
        if needs_lock {
            let plan = &prepared.outcome.plan;
            trust::programs(ctx, &self.desired.project, plan, self.manner.yes).await?;
        }
        let _stages = ctx.interrupts.in_stages();
        let (engine, place) = (self.engine.clone(), ctx.place());
        let name = self.desired.project.name.clone();
        let mut lock = None;
        let result = async {
            if needs_lock {
                // What was seen is dropped before it is seen again.
                drop(prepared);
                let bid = bid(ctx, &*engine, &name, &place, &ctx.interrupts);
                let held = lock.insert(acquire(bid).await?);
                prepared = held.keep(self.prepare(planning)).await?;
            }
            self.adoption.warn(ctx, &self.desired, &prepared.observed);
            for warning in &prepared.outcome.warnings {
                ctx.reporter.warning(warning.clone());
            }
            act(Ready {
                session: self,
                planning,
                prepared,
                lock: &mut lock,
            })
            .await
        }
        .await;
        if let Some(lock) = lock {
            lock.release().await;
        }
        result
    }

    /// Shows the plan.
    async fn show(&mut self, mut planning: impl Planning) -> Result<ExitCode, CliError> {
        let ctx = self.ctx;
        let mut prepared = self.prepare(&mut planning).await?;
        planning.explain(self, &mut prepared).await?;
        let desired = &self.desired;
        let outcome = &prepared.outcome;
        if !outcome.obstacles.is_empty() {
            return Err(desired.obstacles(ctx, &outcome.obstacles));
        }
        self.adoption.warn(ctx, desired, &prepared.observed);
        for warning in &outcome.warnings {
            ctx.reporter.warning(warning.clone());
        }
        if let Some(text) = nothing(&planning, &prepared) {
            return nothing_to_do(ctx, text);
        }
        let name = &desired.project.name;
        output::write(&render_text(&outcome.plan, name, &|s| desired.place(s)))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// A change that may be made now: planned over what there is, and nobody else changes the project.
pub struct Ready<'r, 'l, 'c, P> {
    pub session: &'r mut Session<'c>,
    planning: &'r mut P,
    pub prepared: Prepared,
    /// The project's lock, where there is something to do: to be let go early where others may come
    /// in.
    pub lock: &'r mut Option<Lock<'l>>,
}

impl<P: Planning> Ready<'_, '_, '_, P> {
    /// # Errors
    /// Where the plan must not be executed.
    pub fn refuse_obstacles(&self) -> Result<(), CliError> {
        let (session, obstacles) = (&*self.session, &self.prepared.outcome.obstacles);
        match obstacles.is_empty() {
            true => Ok(()),
            false => Err(session.desired.obstacles(session.ctx, obstacles)),
        }
    }

    /// Lets others change the project from now on.
    pub async fn let_go(&mut self) {
        if let Some(lock) = self.lock.take() {
            lock.release().await;
        }
    }

    /// Carries the plan out and gives what the command ends with.
    async fn execute(&mut self) -> Result<ExitCode, CliError> {
        if let Some(text) = nothing(&*self.planning, &self.prepared) {
            return nothing_to_do(self.session.ctx, text);
        }
        let interrupts = self.session.ctx.interrupts.clone();
        let (prepared, done) = self.carry_out(interrupts).await?;
        let Session { ctx, desired, .. } = &*self.session;
        let Some(done) = done else {
            return Err(desired.obstacles(ctx, &prepared.outcome.obstacles));
        };
        let code = conclude(ctx, desired, &done);
        if done.report.done.is_empty() {
            self.session.seen = Some(prepared.observed);
        }
        code
    }

    /// Carries the plan out, under the lock where there is one; `None` where obstacles stand in the
    /// way.
    ///
    /// # Errors
    /// If the engine cannot be asked. What failed of the plan stands in its report.
    pub async fn carry_out(
        &mut self,
        interrupts: Interrupts,
    ) -> Result<(Prepared, Option<Done>), CliError> {
        let session = &*self.session;
        let prepared = std::mem::take(&mut self.prepared);
        let means = Means {
            interrupts,
            lock: self.lock.as_ref(),
            ..session.means().await
        };
        let work = self.planning.carry_out(&means, &session.desired, prepared);
        match means.lock {
            Some(lock) => lock.keep(work).await,
            None => work.await,
        }
    }
}

/// What to say of a plan without a step.
fn nothing(planning: &impl Planning, prepared: &Prepared) -> Option<&'static str> {
    let outcome = &prepared.outcome;
    let is_empty = outcome.plan.is_empty() && outcome.obstacles.is_empty();
    planning.nothing().filter(|_| is_empty)
}

/// Says that no container is meant, where Compose says it: among the errors, or as data where
/// `COMPOSE_STATUS_STDOUT` asks for that.
///
/// # Errors
/// Where standard output cannot be written.
pub fn nothing_to_do(ctx: &Context, text: &str) -> Result<ExitCode, CliError> {
    match ctx.is_set("COMPOSE_STATUS_STDOUT") {
        true => output::tell(&format!("{text}\n"))?,
        false => output::complain(text),
    }
    Ok(ExitCode::SUCCESS)
}
