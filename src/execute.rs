//! Carrying a plan out on the engine: [`walk`](walk::walk) says when a step's turn is, this module
//! and its children what the step does, and what becomes of the rest when one fails.
//!
//! ```text
//!   Plan ─▶ walk ─▶ perform(step) ─▶ act ─▶ Engine
//!             │          └─▶ events: step started, finished, failed
//!             ▼
//!   all done ──────────────────────────▶ Report
//!   a step failed    ─▶ restore ───────▶ Report   what was stopped in vain runs again
//!   interrupted      ─▶ put in order ──▶ Report   what was taken away comes back, or is finished
//!   lock lost        ─▶ leave alone ───▶ Report   the project is another command's now
//! ```
//!
//! No decision is made here that the plan could have made. A failed step takes along only what waits
//! for it; the rest goes on, and the [`Report`] names everything: done, failed and why, not tried
//! because of what.
//!
//! # What may be cancelled, and when
//!
//! Each signal asks for more ([`Stage`](crate::interrupt::Stage)). From the first on no step begins any more. A step that is
//! under way goes on until the stage at which it may be given up ([`given_up_at`](cancel)):
//!
//! | stage | given up | why |
//! |---|---|---|
//! | stopping (1st) | pulls, builds, waits for health, providers, models, `pre_start` | long, and nothing was taken away for them |
//! | killing (2nd) | stops and restarts (the container is killed), hooks, first moments | the user does not want to wait for them |
//! | leaving (3rd) | everything | the program ends |
//!
//! A lost lock gives up what the first signal does.
//!
//! # To add an action
//!
//! 1. A variant of [`Action`](crate::plan::Action): its `operation`, `resource`, `service`, and
//!    whether it only waits (`is_wait`).
//! 2. An [`Operation`](crate::event::Operation), with its words in `output/words.rs` and its verb in
//!    `plan/text.rs`.
//! 3. Here: what it does (`actions.rs`), at which stage it may be given up (`cancel.rs`), and what
//!    was being done when it failed (`failure.rs`).
//! 4. What it may hang on to when a change fails: `interrupted.rs`, `rollback.rs`.
//!
//! The compiler asks for 1 to 3.

mod actions;
mod addresses;
mod attachment;
mod bounds;
mod cancel;
mod creation;
mod death;
mod failure;
mod hooks;
mod interrupted;
mod latecomer;
mod leftover;
mod models;
mod names;
mod one_off;
mod ports;
mod pre_start;
mod provider;
mod report;
mod rollback;
pub mod walk;
mod watch;

pub use failure::{AFTER_A_BREAK, Failure};
pub use report::Report;

use crate::engine::{Engine, ImageSummary};
use crate::event::{Ending, Kind, Reporter, Resource};
use crate::image::build::BuildOptions;
use crate::interrupt::Interrupts;
use crate::load::Files;
use crate::lock::Lock;
use crate::observe::Observed;
use crate::plan::{Plan, StepId, Takeover, Target, takeovers};
use crate::project::Project;
use bounds::Bounds;
use futures::future::{Either, select};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;
use walk::walk;
use watch::Watch;

/// How many engine calls are under way at a time unless said otherwise: past about twice the
/// engine's cores more neither help nor hurt, but every one holds a connection.
pub const DEFAULT_LIMIT: usize = 16;

/// What a change is carried out with.
pub struct Means<'a> {
    pub engine: &'a dyn Engine,
    pub reporter: &'a Reporter,
    /// Reads files that requests need the content of (seccomp profiles).
    pub files: &'a dyn Files,
    /// `proxies` of Docker's `config.json`, as variables.
    pub proxy_environment: BTreeMap<String, String>,
    /// Docker's `config.json`, for services that use the engine's socket.
    pub docker_config: Option<Vec<u8>>,
    /// Most steps at a time (`--parallel`).
    pub limit: usize,
    /// Pulls show no layers.
    pub quiet_pull: bool,
    /// Most time that waits for health take together, from the first on (`--wait-timeout`).
    pub wait_limit: Option<Duration>,
    /// How images are built.
    pub build: BuildOptions,
    /// Asks the walk to end early.
    pub interrupts: Interrupts,
    /// What keeps other commands from the project meanwhile. A walk that loses it stops where it
    /// is; without one it is asked for nothing.
    pub lock: Option<&'a Lock<'a>>,
}

/// What steps learn that later steps need.
#[derive(Default)]
struct Made {
    /// The step that created a container → its id.
    containers: BTreeMap<StepId, String>,
    /// Images that steps brought, by familiar name.
    images: BTreeMap<String, ImageSummary>,
    /// Where models are served.
    models_at: Option<String>,
    /// What providers have given, by service.
    provided: BTreeMap<String, provider::Provided>,
    /// Familiar names of images that were pulled.
    pulled: BTreeSet<String>,
    /// Addresses that containers were given beside fixed ones, and the containers' names.
    addresses: BTreeMap<IpAddr, String>,
}

/// A plan on its way: what its actions need, and what they have done.
struct Walk<'a> {
    plan: &'a Plan,
    means: &'a Means<'a>,
    project: &'a Project,
    observed: &'a Observed,
    made: RefCell<Made>,
    watch: Watch<'a>,
    takeovers: BTreeMap<&'a str, Takeover>,
    /// Steps that were tried, whatever came of them.
    begun: RefCell<BTreeSet<StepId>>,
    /// Old containers whose takeovers were called off.
    called_off: RefCell<BTreeSet<String>>,
    /// Steps that were done.
    done: RefCell<BTreeSet<StepId>>,
    /// Steps that failed.
    failed: RefCell<BTreeSet<StepId>>,
    /// How steps ended that were done, but not as planned.
    endings: RefCell<BTreeMap<StepId, Ending>>,
    /// No step is under way any more, nor will be tried.
    is_over: Cell<bool>,
    /// Containers that came back while a network of theirs was made anew.
    to_join: RefCell<BTreeSet<String>>,
    /// Containers and the keys of networks that they were put back on, or could not be.
    rejoined: RefCell<BTreeSet<(String, String)>>,
}

/// Executes the plan and tells what became of it.
pub async fn execute(
    plan: &Plan,
    means: &Means<'_>,
    project: &Project,
    observed: &Observed,
) -> Report {
    if plan.changes_anything() {
        means.interrupts.begin();
    }
    let walk = Walk {
        plan,
        means,
        project,
        observed,
        made: RefCell::default(),
        watch: Watch::new(means.engine, &project.name, means.wait_limit),
        takeovers: takeovers(plan),
        begun: RefCell::default(),
        called_off: RefCell::default(),
        done: RefCell::default(),
        failed: RefCell::default(),
        endings: RefCell::default(),
        is_over: Cell::default(),
        to_join: RefCell::default(),
        rejoined: RefCell::default(),
    };
    let waits = plan.steps().any(|(_, step)| step.action.follows_events());
    let reporter = means.reporter;
    if reporter.wants_everything() {
        let steps = plan.infos();
        reporter.send(Kind::RunStarted { steps });
    }
    for container in &plan.unchanged {
        reporter.send(Kind::Unchanged {
            resource: Resource::container(&container.name),
            state: container.state,
        });
    }
    let steps = std::pin::pin!(async {
        let report = walk.run().await;
        let summary = report.summary();
        reporter.send(Kind::RunEnded { summary });
        report
    });
    if !waits {
        return steps.await;
    }
    // The engine's events are read as long as there are steps, so that a wait misses none.
    let pump = std::pin::pin!(walk.watch.pump());
    match select(steps, pump).await {
        Either::Left((report, _)) => report,
        Either::Right(((), steps)) => steps.await,
    }
}

impl Walk<'_> {
    async fn run(&self) -> Report {
        let mut bounds = Bounds::new(self.means);
        let walked = walk(self.plan, &mut bounds, async |id| self.perform(id).await).await;
        let is_stopped = walked.is_stopped;
        let (mut report, begun) = Report::of(walked);
        if self.has_lost() {
            self.leave_alone(&begun, &mut report);
        } else if is_stopped {
            self.put_in_order(begun, &mut report).await;
        } else if !report.failures.is_empty() {
            self.restore().await;
            self.remove_never_started(&mut report).await;
        }
        report
    }

    /// Does one step and shows it. `false` means that it was given up.
    async fn perform(&self, id: StepId) -> Result<bool, Failure> {
        let step = self.plan.step(id);
        let reporter = self.means.reporter;
        if !self.is_ours().await {
            return Ok(false);
        }
        let info = self.plan.info(id);
        reporter.send(Kind::StepStarted { step: info.clone() });
        self.begun.borrow_mut().insert(id);
        let begun = std::time::Instant::now();
        let result = self.act_unless_interrupted(id, &step.action).await;
        let took = begun.elapsed();
        tracing::debug!(
            step = id.0,
            action = info.operation.as_str(),
            resource = %info.resource,
            cause = %step.cause,
            ?took,
            "step"
        );
        let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let finished = |step, ending| Kind::StepFinished { step, ending, took };
        match result {
            Ok(true) => {
                self.done.borrow_mut().insert(id);
                let ending = self.endings.borrow().get(&id).copied();
                reporter.send(finished(info, ending.unwrap_or(Ending::Done)));
                Ok(true)
            }
            Ok(false) => {
                reporter.send(finished(info, Ending::GivenUp));
                Ok(false)
            }
            // What failed may have failed because the project is somebody else's now. A call without
            // an answer is told of in any case.
            Err(trouble) if !trouble.is_unanswered && !self.is_ours().await => Ok(false),
            Err(mut trouble) => {
                self.failed.borrow_mut().insert(id);
                let takeover = step.group.as_deref().and_then(|g| self.takeovers.get(g));
                // Joint ones are called off together, when nothing of them is under way any more.
                if let Some(takeover) = takeover.filter(|t| t.joint.is_empty())
                    && !self.has_lost()
                    && let Some(word) = self.call_off(takeover).await
                {
                    trouble = trouble.help(word);
                }
                let failure = trouble.of(id, step);
                reporter.send(Kind::StepFailed {
                    step: info,
                    message: failure.message.clone(),
                    took,
                });
                Err(failure)
            }
        }
    }

    /// Makes sure that nobody else changes the project, before something is done to it.
    async fn is_ours(&self) -> bool {
        match self.means.lock {
            Some(lock) => lock.check().await,
            None => true,
        }
    }

    /// Whether the project is somebody else's now: what is not finished stays as it is.
    fn has_lost(&self) -> bool {
        self.means.lock.is_some_and(|lock| lock.lost().is_some())
    }

    /// Notes what was not done, and does nothing about it.
    fn leave_alone(&self, begun: &BTreeSet<StepId>, report: &mut Report) {
        let skipped: BTreeSet<StepId> = report.skipped.iter().map(|(step, _)| *step).collect();
        let never = self.plan.steps().map(|(id, _)| id);
        report
            .given_up
            .extend(never.filter(|id| !begun.contains(id) && !skipped.contains(id)));
        report.lost = self.means.lock.and_then(Lock::lost);
    }

    /// The id of a target's container.
    fn id_of(&self, target: &Target) -> String {
        match target {
            Target::Existing { id, .. } => id.clone(),
            Target::Made { by, .. } => self
                .made
                .borrow()
                .containers
                .get(by)
                .cloned()
                .unwrap_or_default(),
        }
    }
}
