//! What a command wants, as a session asks for it: a plan, and how to carry it out.

use super::Session;
use super::means::for_running;
use crate::change::{self, Agree, Done, Preflight, Prepared, explain_unrecorded};
use crate::commands::desired::Desired;
use crate::context::Context;
use crate::engine::{Engine, EngineError};
use crate::error::CliError;
use crate::execute::Means;
use crate::load::Files;
use crate::load::disk::DiskFiles;
use crate::observe::Observed;
use crate::project::Project;
use crate::reconcile::{Options, Outcome};
use std::path::Path;

/// What a command wants.
#[expect(
    async_fn_in_trait,
    reason = "commands run on one thread, and nobody else implements it"
)]
pub trait Planning {
    /// Plans over what was seen. It is asked twice where there is something to do: what was seen
    /// first may have been another command's half-done work.
    async fn plan(
        &mut self,
        desired: &mut Desired,
        observed: Observed,
    ) -> Result<Prepared, CliError>;

    /// Whether nobody else may change the project meanwhile.
    fn needs_lock(&self, prepared: &Prepared) -> bool {
        prepared.wants_change()
    }

    /// What is said where there is nothing to do, in place of nothing.
    fn nothing(&self) -> Option<&'static str> {
        None
    }

    /// Completes a plan that is only shown.
    async fn explain(
        &mut self,
        _session: &Session<'_>,
        _prepared: &mut Prepared,
    ) -> Result<(), CliError> {
        Ok(())
    }

    /// Carries the plan out; `None` where obstacles stand in the way.
    async fn carry_out(
        &mut self,
        means: &Means<'_>,
        desired: &Desired,
        prepared: Prepared,
    ) -> Result<(Prepared, Option<Done>), CliError>;
}

/// The project is to be as its files ask for it: `up`, `create`, `scale`.
pub struct ToProject {
    pub options: Options,
    /// Answers questions about lost data.
    pub agree: Box<Agree<'static>>,
    /// Shows the secrets in a plan that is only shown.
    pub show_secrets: bool,
}

impl Planning for ToProject {
    async fn plan(
        &mut self,
        desired: &mut Desired,
        observed: Observed,
    ) -> Result<Prepared, CliError> {
        let (options, agree) = (&mut self.options, &mut *self.agree);
        Ok(change::plan(&desired.project, observed, options, agree).await)
    }

    async fn explain(
        &mut self,
        session: &Session<'_>,
        prepared: &mut Prepared,
    ) -> Result<(), CliError> {
        let (engine, project) = (&*session.engine, &session.desired.project);
        explain(session.ctx, engine, project, prepared, self.show_secrets).await?;
        Ok(())
    }

    async fn carry_out(
        &mut self,
        means: &Means<'_>,
        desired: &Desired,
        prepared: Prepared,
    ) -> Result<(Prepared, Option<Done>), CliError> {
        let (options, agree) = (&mut self.options, &mut *self.agree);
        Ok(change::carry_out(means, &desired.project, prepared, options, agree).await?)
    }
}

/// Completes a plan that is shown: what carrying it out would stop at, and the differences of
/// containers that another program made.
///
/// # Errors
/// If the engine cannot be asked.
pub async fn explain(
    ctx: &Context,
    engine: &dyn Engine,
    project: &Project,
    prepared: &mut Prepared,
    show_secrets: bool,
) -> Result<(), EngineError> {
    let preflight = Preflight {
        engine,
        files: &DiskFiles,
        build: &for_running(ctx),
    };
    preflight.check(project, prepared).await?;
    let read = |path: &Path| DiskFiles.read(&project.working_dir.join(path));
    explain_unrecorded(engine, project, prepared, &read, show_secrets).await?;
    prepared.outcome.plan.shows_secrets = show_secrets;
    Ok(())
}

/// Something is to be done to what exists: `stop`, `down`, `restart`, `rm`… What it is, a function
/// plans.
pub struct Existing<F> {
    plan: F,
    needs_lock: bool,
    nothing: Option<&'static str>,
}

impl<F: FnMut(&mut Desired, &Observed) -> Result<Outcome, CliError>> Existing<F> {
    /// Done by nobody else at the same time.
    pub fn new(plan: F) -> Self {
        Existing {
            plan,
            needs_lock: true,
            nothing: None,
        }
    }

    /// For emergencies: whatever else changes the project is not waited for.
    pub fn at_once(plan: F) -> Self {
        Existing {
            needs_lock: false,
            ..Existing::new(plan)
        }
    }

    /// Says this where there is nothing to do.
    #[must_use]
    pub fn or_say(mut self, text: &'static str) -> Self {
        self.nothing = Some(text);
        self
    }
}

impl<F: FnMut(&mut Desired, &Observed) -> Result<Outcome, CliError>> Planning for Existing<F> {
    async fn plan(
        &mut self,
        desired: &mut Desired,
        observed: Observed,
    ) -> Result<Prepared, CliError> {
        let outcome = (self.plan)(desired, &observed)?;
        Ok(Prepared { observed, outcome })
    }

    fn needs_lock(&self, prepared: &Prepared) -> bool {
        self.needs_lock && prepared.outcome.plan.changes_anything()
    }

    fn nothing(&self) -> Option<&'static str> {
        self.nothing
    }

    async fn carry_out(
        &mut self,
        means: &Means<'_>,
        desired: &Desired,
        mut prepared: Prepared,
    ) -> Result<(Prepared, Option<Done>), CliError> {
        if !prepared.outcome.obstacles.is_empty() {
            return Ok((prepared, None));
        }
        let plan = std::mem::take(&mut prepared.outcome.plan);
        let done = change::run(means, plan, &desired.project, &prepared.observed).await;
        Ok((prepared, Some(done)))
    }
}
