//! The foreground `up`: a session as of any command, with the logs of what it brings up beside it, and
//! the stop at the end.
//!
//! ```text
//!  session ─▶ Ready ─▶ change ───────▶ stay ──────────▶ stop ─▶ exit code
//!                      logs: changing  logs: attached   logs: ending
//!                      lock ───────────┘(let go, unless the stop follows at once)
//! ```

mod attachment;
mod beside;
mod menu;
mod stop;
mod switch;
mod verdict;

use self::attachment::attachment;
use self::beside::Beside;
use self::menu::{Choice, Menu};
use self::stop::Stop;
use self::switch::Switch;
use self::verdict::Verdict;
use super::changing::Changing;
use super::desired::Desired;
use super::session::{Ready, ToProject, conclude, lost};
use super::watch::Watching;
use crate::context::Context;
use crate::error::CliError;
use crate::event::{Kind, StopReason};
use crate::interrupt::{Interrupts, Stage};
use crate::logs::attach::{Phase, Ties, attach};
use crate::logs::printer::Printer;
use crate::observe::Observed;
use crate::output;
use crate::reconcile::Options;
use std::collections::BTreeSet;
use std::process::ExitCode;
use tokio::sync::{mpsc, oneshot, watch};

/// Which ends end everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnExit {
    /// Only the last one.
    #[default]
    GoOn,
    /// The first one.
    Abort,
    /// The first with a status other than 0.
    AbortOnFailure,
}

/// How the logs are shown and when it is over.
#[derive(Debug, Default)]
pub struct View {
    /// Services whose lines are shown; empty means all.
    pub attached: Vec<String>,
    /// Services whose ends count.
    pub watched: BTreeSet<String>,
    pub on_exit: OnExit,
    /// The service whose exit code is ours.
    pub exit_code_from: Option<String>,
    pub has_prefix: bool,
    pub has_colour: bool,
    pub timestamps: bool,
    /// Keys are listened to, on a terminal.
    pub has_menu: bool,
    /// Services to stop at the end; empty means all.
    pub stopped: BTreeSet<String>,
    /// What changes here goes into the containers.
    pub watch: bool,
}

/// Brings the project up and stays with it.
///
/// # Errors
/// If the change fails, the engine or the output does, or a signal ended it.
pub async fn run(
    ctx: &Context,
    desired: Desired,
    options: Options,
    changing: &Changing,
    view: View,
) -> Result<ExitCode, CliError> {
    let timeout = options.timeout;
    let engine = ctx.engine()?;
    // What is refused here is refused before the change.
    let watched = view.watch.then(|| desired.clone());
    let watching = match &watched {
        Some(desired) => Some(Watching::begin(ctx, &*engine, desired, changing)?),
        None => None,
    };
    let mut session = changing.session(ctx, desired)?;
    let mut planning = changing.to_project(ctx, options);
    let attended = async |ready: Ready<'_, '_, '_, ToProject>| {
        attend(ready, &view, timeout, watching, changing).await
    };
    session.change(&mut planning, attended).await
}

/// Makes the change with the logs beside it, and stays until all is over. The project's lock is let
/// go as soon as others may come in.
async fn attend(
    mut ready: Ready<'_, '_, '_, ToProject>,
    view: &View,
    timeout: Option<i64>,
    watching: Option<Watching<'_>>,
    changing: &Changing,
) -> Result<ExitCode, CliError> {
    let ctx = ready.session.ctx;
    let engine = ready.session.engine.clone();
    ready.refuse_obstacles()?;
    let observed = &ready.prepared.observed;
    let ran_before = running(observed);
    let project = &ready.session.desired.project;
    let (attachment, heading) = attachment(project, observed, &ready.prepared.outcome.plan, view);
    let [out, errors] = output::above(ctx.screen.as_ref());
    let mut printer = Printer::new(out, view.has_prefix, view.has_colour)
        .with_errors(errors)
        .reporting_to(&ctx.reporter)
        .beside_work()
        .with_heading(heading);
    let (phase, in_phase) = watch::channel(Phase::Changing);
    let (told, exits) = mpsc::unbounded_channel();
    let (are_ready, is_ready) = oneshot::channel();
    let ties = Ties {
        phase: in_phase,
        exits: told,
        ready: are_ready,
    };
    let logs = attach(
        engine.clone(),
        attachment,
        &mut printer,
        &ctx.reporter,
        ties,
    );
    let logs = std::pin::pin!(logs);
    let mut beside = Beside::new(logs, exits, Verdict::new(view));
    // Where the logs have ended before they were ready, the change hears of it.
    let _ = beside.during(is_ready).await;

    ctx.interrupts.begin();
    let halt = Interrupts::default();
    let _halt_stages = halt.in_stages();
    let change = ready.carry_out(halt.clone());
    let (result, was_asked) = beside.during_change(change, &ctx.interrupts, &halt).await;
    let mut is_ending = was_asked || beside.is_ending();
    // Nobody comes in between the change and a stop that follows at once.
    if !(is_ending && result.is_ok()) {
        ready.let_go().await;
    }
    let desired = &ready.session.desired;
    let (prepared, done) = result?;
    let Some(done) = done else {
        return Err(desired.obstacles(ctx, &prepared.outcome.obstacles));
    };
    drop(prepared);
    if let Some(error) = lost(ctx, &desired.project.name, &done.report) {
        return Err(error);
    }
    let is_up = done.report.is_success();
    if !is_up && !is_ending {
        return Err(desired.failures(ctx, &done));
    }
    if !is_ending {
        // The last of the progress is drawn once more and left standing above the logs.
        let _ = ctx.reporter.text("");
        // Nobody listens any more only when the logs have ended.
        let _ = phase.send(Phase::Attached);
        ctx.reporter.taken().await;
        let moves = |is_moving| {
            let _ = phase.send(match is_moving {
                true => Phase::Changing,
                false => Phase::Attached,
            });
        };
        let mut menu = Menu::open(ctx, view, watching.is_some())?;
        let mut watch = Switch::new(&moves, watching);
        loop {
            tokio::select! {
                biased;
                () = ctx.interrupts.reached(Stage::Stopping) => break,
                () = watch.run() => menu.watching(false),
                choice = menu.choice() => match choice? {
                    Choice::Detach => {
                        beside.during(watch.end()).await;
                        return Ok(ExitCode::SUCCESS);
                    }
                    Choice::Watch if watch.is_on() => watch.turn_off(),
                    Choice::Watch => match Watching::begin(ctx, &*engine, desired, changing) {
                        Ok(watching) => {
                            watch.turn_on(watching);
                            menu.watching(true);
                        }
                        Err(error) => ctx.reporter.warning(error.to_string()),
                    },
                },
                () = beside.end_of_all() => break,
            }
        }
        beside.during(watch.end()).await;
        drop(menu);
        is_ending = beside.is_cut_short();
    }
    if !is_ending {
        return Ok(beside.verdict.code());
    }
    let reason = match beside.verdict.is_abort {
        true => StopReason::ContainerExited,
        false => StopReason::Interrupted,
    };
    ctx.reporter.send(Kind::Stopping { reason });
    let stop = Stop {
        ctx,
        engine: &*engine,
        project: &desired.project,
        timeout,
        services: &view.stopped,
        // A change that was cut short leaves alone what ran before it.
        spared: if is_up { BTreeSet::new() } else { ran_before },
    };
    let stopped = beside.during(stop.run(ready.lock.as_ref())).await;
    let _ = phase.send(Phase::Ending);
    beside.last_words().await;
    stopped?;
    if let Some(error) = beside.failure() {
        return Err(error.into());
    }
    match ctx.interrupts.cause() {
        Some(_) if !is_up => conclude(ctx, desired, &done),
        Some(cause) => Err(CliError::interrupted(cause)),
        None => Ok(beside.verdict.code()),
    }
}

/// Service and number of what runs.
fn running(observed: &Observed) -> BTreeSet<(String, Option<u32>)> {
    let up = observed.replicas().filter(|c| c.state.is_up());
    up.map(|c| (c.service.clone(), c.number)).collect()
}
