//! The foreground `up`: a change, the logs of what it brings up beside it, and the stop at the end.

mod attachment;
mod stop;
mod verdict;

use self::attachment::attachment;
use self::stop::Stop;
use self::verdict::Verdict;
use super::changing::{Changing, conclude, lost};
use super::desired::Desired;
use super::locked::bid;
use super::trust;
use super::watch::Watching;
use crate::change::{Agree, Prepared, carry_out, prepare, prepare_again};
use crate::context::Context;
use crate::engine::Engine;
use crate::error::CliError;
use crate::event::{Kind, StopReason};
use crate::execute::Means;
use crate::interrupt::{Cause, Interrupts, Stage};
use crate::lock::{Lock, acquire};
use crate::logs::LogsError;
use crate::logs::attach::{Exit, Phase, Ties, attach};
use crate::logs::printer::Printer;
use crate::output;
use crate::reconcile::Options;
use std::collections::BTreeSet;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// After the last container has ended, its last lines are on their way for no longer.
const LAST_WORDS: Duration = Duration::from_millis(500);

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
    mut options: Options,
    changing: &Changing,
    view: View,
) -> Result<ExitCode, CliError> {
    let engine = ctx.engine()?;
    let mut agree = changing.agree(ctx);
    let project = &desired.project;
    let watch = match view.watch {
        true => Some(Watching::begin(ctx, &*engine, &desired, changing)?),
        false => None,
    };
    let prepared = prepare(&*engine, project, &mut options, &mut agree).await?;
    changing.adoption.check(&desired, &prepared.observed)?;
    trust::programs(ctx, project, &prepared.outcome.plan, changing.yes).await?;
    let _stages = ctx.interrupts.in_stages();
    let place = ctx.place();
    let mut lock = None;
    if prepared.wants_change() {
        let bid = bid(ctx, &*engine, &project.name, &place, &ctx.interrupts);
        lock = Some(acquire(bid).await?);
    }
    let up = Up {
        ctx,
        engine: engine.clone(),
        desired: &desired,
        changing,
        view: &view,
        watch,
    };
    let result = up.run(prepared, &mut options, &mut agree, &mut lock).await;
    if let Some(lock) = lock {
        lock.release().await;
    }
    result
}

struct Up<'a> {
    ctx: &'a Context,
    engine: Arc<dyn Engine>,
    desired: &'a Desired,
    changing: &'a Changing,
    view: &'a View,
    watch: Option<Watching<'a>>,
}

impl Up<'_> {
    /// What is done while the lock is held, and beyond: it is let go once others may come in.
    async fn run(
        self,
        mut prepared: Prepared,
        options: &mut Options,
        agree: &mut Agree<'_>,
        lock: &mut Option<Lock<'_>>,
    ) -> Result<ExitCode, CliError> {
        let Up {
            ctx,
            engine,
            desired,
            changing,
            view,
            watch,
        } = self;
        let project = &desired.project;
        if lock.is_some() {
            prepared = prepare_again(prepared, &*engine, project, options, agree).await?;
            changing.adoption.check(desired, &prepared.observed)?;
        }
        changing.adoption.warn(ctx, desired, &prepared.observed);
        if !prepared.outcome.obstacles.is_empty() {
            return Err(desired.obstacles(ctx, &prepared.outcome.obstacles));
        }
        for warning in &prepared.outcome.warnings {
            ctx.reporter.warning(warning.clone());
        }
        let ran_before: BTreeSet<(String, Option<u32>)> = prepared
            .observed
            .replicas()
            .filter(|c| c.state.is_up())
            .map(|c| (c.service.clone(), c.number))
            .collect();
        let (attachment, heading) =
            attachment(project, &prepared.observed, &prepared.outcome.plan, view);
        let [out, errors] = output::above(ctx.screen.as_ref());
        let mut printer = Printer::new(out, view.has_prefix, view.has_colour)
            .with_errors(errors)
            .reporting_to(&ctx.reporter)
            .beside_work()
            .with_heading(heading);
        let (phase, in_phase) = watch::channel(Phase::Changing);
        let (told, exits) = mpsc::unbounded_channel();
        let (ready, is_ready) = oneshot::channel();
        let ties = Ties {
            phase: in_phase,
            exits: told,
            ready,
        };
        let logs = attach(
            engine.clone(),
            attachment,
            &mut printer,
            &ctx.reporter,
            ties,
        );
        let mut beside = Beside {
            logs: std::pin::pin!(logs),
            end: None,
            exits,
            verdict: Verdict::new(view),
        };
        // Where the logs have ended before they were ready, the change hears of it.
        let _ = beside.during(is_ready).await;

        ctx.interrupts.begin();
        let halt = Interrupts::default();
        let _halt_stages = halt.in_stages();
        let mut asked = Stage::Running;
        let result = {
            let means = Means {
                interrupts: halt.clone(),
                lock: lock.as_ref(),
                ..changing.means(ctx, &*engine, project).await
            };
            let work = carry_out(&means, project, prepared, options, agree);
            let mut change = std::pin::pin!(async {
                match means.lock {
                    Some(lock) => lock.keep(work).await,
                    None => work.await,
                }
            });
            if beside.end.is_some() {
                halt.signal(Cause::Interrupt);
            }
            loop {
                let next = match asked {
                    Stage::Running => Stage::Stopping,
                    _ => Stage::Killing,
                };
                tokio::select! {
                    biased;
                    result = &mut change => break result,
                    () = ctx.interrupts.reached(next), if asked < Stage::Killing => {
                        asked = next;
                        halt.signal(ctx.interrupts.cause().unwrap_or(Cause::Interrupt));
                    }
                    // The logs end early where whoever reads our output is gone: nobody is left
                    // to show anything to.
                    () = beside.end_of_all() => halt.signal(Cause::Interrupt),
                }
            }
        };
        let mut is_ending = asked > Stage::Running || beside.is_ending();
        // Nobody comes in between the change and a stop that follows at once.
        if !(is_ending && result.is_ok())
            && let Some(lock) = lock.take()
        {
            lock.release().await;
        }
        let (prepared, done) = result?;
        let Some(done) = done else {
            return Err(desired.obstacles(ctx, &prepared.outcome.obstacles));
        };
        if let Some(error) = lost(ctx, &project.name, &done.report) {
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
            let watched = async {
                if let Some(watch) = watch {
                    let moves = |is_moving| {
                        let _ = phase.send(match is_moving {
                            true => Phase::Changing,
                            false => Phase::Attached,
                        });
                    };
                    watch.run(&moves).await;
                }
                ctx.interrupts.reached(Stage::Stopping).await;
            };
            tokio::select! {
                biased;
                () = watched => {}
                () = beside.end_of_all() => {}
            }
            is_ending = !matches!(beside.end, Some(Ok(()))) || beside.verdict.is_abort;
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
            project,
            timeout: options.timeout,
            services: &view.stopped,
            // A change that was cut short leaves alone what ran before it.
            spared: if is_up { BTreeSet::new() } else { ran_before },
        };
        let stopped = beside.during(stop.run(lock.as_ref())).await;
        let _ = phase.send(Phase::Ending);
        beside.last_words().await;
        stopped?;
        if let Some(Err(error)) = beside.end {
            return Err(error.into());
        }
        match ctx.interrupts.cause() {
            Some(_) if !is_up => conclude(ctx, desired, &done),
            Some(cause) => Err(CliError::interrupted(cause)),
            None => Ok(beside.verdict.code()),
        }
    }
}

/// The logs beside the change, and what they tell.
struct Beside<'a, F> {
    logs: Pin<&'a mut F>,
    /// How they ended.
    end: Option<Result<(), LogsError>>,
    exits: mpsc::UnboundedReceiver<Exit>,
    verdict: Verdict<'a>,
}

impl<F: Future<Output = Result<(), LogsError>>> Beside<'_, F> {
    /// Waits until the logs tell something that ends everything: the end of a container, or their
    /// own, which is nothing to wait for a second time.
    async fn end_of_all(&mut self) {
        loop {
            tokio::select! {
                biased;
                Some(exit) = self.exits.recv() => {
                    if self.verdict.note(&exit) {
                        return;
                    }
                }
                result = &mut self.logs, if self.end.is_none() => {
                    self.end = Some(result);
                    self.drain();
                    return;
                }
                else => std::future::pending().await,
            }
        }
    }

    /// Notes the ends that were told already.
    fn drain(&mut self) {
        while let Ok(exit) = self.exits.try_recv() {
            self.verdict.note(&exit);
        }
    }

    /// Shows logs until the work is done.
    async fn during<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = self.end_of_all() => {}
            }
        }
    }

    /// Shows what containers wrote before they ended.
    async fn last_words(&mut self) {
        if self.end.is_none()
            && let Ok(result) = tokio::time::timeout(LAST_WORDS, &mut self.logs).await
        {
            self.end = Some(result);
        }
        self.drain();
    }

    fn is_ending(&self) -> bool {
        self.verdict.is_abort || self.end.is_some()
    }
}
