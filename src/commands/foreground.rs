//! The foreground `up`: a change, the logs of what it brings up beside it, and the stop at the end.

use super::changing::{Changing, conclude, lost, means, networks_first};
use super::desired::Desired;
use super::locked::bid;
use crate::change::{carry_out, prepare, run as run_plan};
use crate::context::Context;
use crate::engine::Engine;
use crate::error::CliError;
use crate::event::{Event, Progress};
use crate::execute::Means;
use crate::graph::dependency_order;
use crate::interrupt::{Cause, Interrupts, Stage};
use crate::lock::{Bid, Lock, LockError, acquire};
use crate::logs::attach::{Attachment, Exit, Phase, Ties, attach};
use crate::logs::printer::Printer;
use crate::logs::{LogsError, short_name};
use crate::observe::{Observed, containers_of};
use crate::output;
use crate::plan::{Action, Plan, Target};
use crate::project::Project;
use crate::reconcile::{Options, lifecycle};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::process::ExitCode;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// A container has so long to stop where nothing else is said; the engine's own default.
const GRACE: Duration = Duration::from_secs(10);

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
}

/// What the ends of containers mean for us.
struct Verdict<'a> {
    view: &'a View,
    is_abort: bool,
    first: Option<u8>,
    chosen: Option<u8>,
}

impl Verdict<'_> {
    /// Whether this is the end that ends everything.
    fn note(&mut self, exit: &Exit) -> bool {
        if self.view.exit_code_from.as_ref() == Some(&exit.service) {
            self.chosen.get_or_insert(exit.code);
        }
        let ends_all = match self.view.on_exit {
            OnExit::GoOn => false,
            OnExit::Abort => true,
            OnExit::AbortOnFailure => exit.code != 0,
        };
        if !ends_all || self.is_abort {
            return false;
        }
        self.is_abort = true;
        self.first = Some(exit.code);
        true
    }

    fn code(&self) -> ExitCode {
        ExitCode::from(self.chosen.or(self.first).unwrap_or(0))
    }
}

/// Brings the project up and stays with it.
pub async fn run(
    ctx: &Context,
    desired: Desired,
    mut options: Options,
    changing: &Changing,
    view: View,
) -> Result<ExitCode, CliError> {
    let engine = ctx.engine()?;
    options.networks_first = networks_first(&*engine);
    let mut agree = changing.agree(ctx);
    let project = &desired.project;
    let mut prepared = prepare(&*engine, project, &mut options, &mut agree).await?;
    changing.adoption.check(&desired, &prepared.observed)?;
    let stages = ctx.interrupts.in_stages();
    let place = ctx.place();
    let lock = match prepared.wants_change() {
        false => None,
        true => {
            let bid = bid(ctx, &*engine, &project.name, &place, &ctx.interrupts);
            let lock = acquire(bid).await?;
            // Whoever had it before has changed what we saw.
            match prepare(&*engine, project, &mut options, &mut agree).await {
                Ok(again) => prepared = again,
                Err(error) => {
                    lock.release().await;
                    return Err(error.into());
                }
            }
            Some(lock)
        }
    };
    if let Err(error) = changing.adoption.check(&desired, &prepared.observed) {
        release(lock).await;
        return Err(error);
    }
    changing.adoption.warn(ctx, &desired, &prepared.observed);
    if !prepared.outcome.obstacles.is_empty() {
        release(lock).await;
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
        attachment(project, &prepared.observed, &prepared.outcome.plan, &view);
    let [out, errors] = output::above(ctx.screen.as_ref());
    let mut printer = Printer::new(out, view.has_prefix, view.has_colour)
        .with_errors(errors)
        .with_heading(heading);
    let (phase, in_phase) = watch::channel(Phase::Changing);
    let (exits, mut exit) = mpsc::unbounded_channel();
    let (ready, is_ready) = oneshot::channel();
    let ties = Ties {
        phase: in_phase,
        exits,
        ready,
    };
    let _stages = stages;
    let halt = Interrupts::default();
    let _halt_stages = halt.in_stages();
    let means = Means {
        interrupts: halt.clone(),
        lock: lock.as_ref(),
        ..changing.means(ctx, &*engine, project).await
    };
    let mut verdict = Verdict {
        view: &view,
        is_abort: false,
        first: None,
        chosen: None,
    };
    let mut logs = std::pin::pin!(attach(
        engine.clone(),
        attachment,
        &mut printer,
        &ctx.reporter,
        ties
    ));
    let mut logs_end: Option<Result<(), LogsError>> = None;
    tokio::select! {
        result = &mut logs => logs_end = Some(result),
        _ = is_ready => {}
    }
    let mut asked = Stage::Running;
    let result = {
        let work = carry_out(&means, project, prepared, &mut options, &mut agree);
        let mut change = std::pin::pin!(async {
            match &lock {
                Some(lock) => lock.keep(work).await,
                None => work.await,
            }
        });
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
                Some(exit) = exit.recv() => {
                    if verdict.note(&exit) {
                        halt.signal(Cause::Interrupt);
                    }
                }
                result = &mut logs, if logs_end.is_none() => {
                    // Whoever reads our output is gone: nobody is left to show anything to.
                    logs_end = Some(result);
                    halt.signal(Cause::Interrupt);
                }
            }
        }
    };
    let mut is_ending = asked > Stage::Running || verdict.is_abort || logs_end.is_some();
    let lock = match lock {
        // Nobody comes in between the change and the stop that follows at once.
        Some(lock) if is_ending && result.is_ok() => Some(lock),
        lock => {
            release(lock).await;
            None
        }
    };
    let (prepared, done) = result?;
    let Some(done) = done else {
        release(lock).await;
        return Err(desired.obstacles(ctx, &prepared.outcome.obstacles));
    };
    if let Some(why) = &done.report.lost {
        return Err(lost(&project.name, why));
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
        while !is_ending {
            tokio::select! {
                biased;
                () = ctx.interrupts.reached(Stage::Stopping) => is_ending = true,
                result = &mut logs => {
                    while let Ok(exit) = exit.try_recv() {
                        verdict.note(&exit);
                    }
                    if let Err(error) = result {
                        logs_end = Some(Err(error));
                        is_ending = true;
                    } else if verdict.is_abort {
                        logs_end = Some(Ok(()));
                        is_ending = true;
                    } else {
                        return Ok(verdict.code());
                    }
                }
                Some(exit) = exit.recv() => is_ending = verdict.note(&exit),
            }
        }
    }
    let why = match verdict.is_abort {
        true => "Aborting on container exit...",
        false => "Gracefully Stopping... press Ctrl-C again to kill",
    };
    ctx.reporter.event(Event {
        details: why.to_owned(),
        ..Event::new("Compose", Progress::Working, "Stopping")
    });
    let stop = stop(
        ctx,
        &*engine,
        project,
        &options,
        |replica| {
            // A change that was cut short leaves alone what ran before it.
            is_up || !ran_before.contains(replica)
        },
        &view.stopped,
        lock,
    );
    let mut stop = std::pin::pin!(stop);
    let stopped = loop {
        tokio::select! {
            biased;
            stopped = &mut stop => break stopped,
            Some(exit) = exit.recv() => {
                verdict.note(&exit);
            }
            result = &mut logs, if logs_end.is_none() => logs_end = Some(result),
        }
    };
    let _ = phase.send(Phase::Ending);
    if logs_end.is_none()
        && let Ok(result) = tokio::time::timeout(LAST_WORDS, &mut logs).await
    {
        logs_end = Some(result);
    }
    while let Ok(exit) = exit.try_recv() {
        verdict.note(&exit);
    }
    stopped?;
    if let Some(Err(error)) = logs_end {
        return Err(error.into());
    }
    match ctx.interrupts.cause() {
        Some(_) if !is_up => conclude(ctx, &desired, &done),
        Some(cause) => Err(CliError::interrupted(cause)),
        None => Ok(verdict.code()),
    }
}

/// What to attach to, and the line that says so.
fn attachment(
    project: &Project,
    observed: &Observed,
    plan: &Plan,
    view: &View,
) -> (Attachment, String) {
    let is_shown = |service: &String| view.attached.is_empty() || view.attached.contains(service);
    let mut leaving = HashSet::new();
    let mut names = BTreeSet::new();
    let short = |name: &str| {
        let rest = name.strip_prefix(&project.name);
        let rest = rest.and_then(|r| r.strip_prefix(['-', '_']));
        rest.unwrap_or(name).to_owned()
    };
    for (_, step) in plan.steps() {
        match &step.action {
            Action::RemoveContainer {
                container: Target::Existing { id, .. },
                ..
            } => {
                leaving.insert(id.clone());
            }
            Action::CreateContainer { service, name, .. } if is_shown(service) => {
                names.insert(match project.services.get(service) {
                    Some(s) if s.container_name.is_some() => name.clone(),
                    _ => short(name),
                });
            }
            _ => {}
        }
    }
    let present: Vec<_> = observed
        .replicas()
        .filter(|c| project.services.contains_key(&c.service) && !leaving.contains(&c.id))
        .map(|c| c.summary.clone())
        .collect();
    for container in &present {
        let service = container.labels.get(crate::labels::SERVICE);
        if service.is_some_and(is_shown) {
            names.insert(short_name(&container.name, &container.labels));
        }
    }
    let names: Vec<String> = names.into_iter().collect();
    let attachment = Attachment {
        project: project.name.clone(),
        services: view.attached.clone(),
        watched: view.watched.clone(),
        present,
        leaving,
        timestamps: view.timestamps,
    };
    (attachment, format!("Attaching to {}", names.join(", ")))
}

/// Stops what is meant, dependents first; kills it when a second signal comes.
async fn stop(
    ctx: &Context,
    engine: &dyn Engine,
    project: &Project,
    options: &Options,
    is_meant: impl Fn(&(String, Option<u32>)) -> bool,
    services: &BTreeSet<String>,
    lock: Option<Lock<'_>>,
) -> Result<(), CliError> {
    let (place, patience) = (ctx.place(), Interrupts::default());
    let bid = bid(ctx, engine, &project.name, &place, &patience);
    let lock = match lock {
        None => own(ctx, bid).await?,
        lock => lock,
    };
    let stopping = stop_alone(ctx, engine, project, options, is_meant, services, &lock);
    let stopped = match &lock {
        Some(lock) => lock.keep(stopping).await,
        None => stopping.await,
    };
    release(lock).await;
    stopped
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

async fn release(lock: Option<Lock<'_>>) {
    if let Some(lock) = lock {
        lock.release().await;
    }
}

async fn stop_alone(
    ctx: &Context,
    engine: &dyn Engine,
    project: &Project,
    options: &Options,
    is_meant: impl Fn(&(String, Option<u32>)) -> bool,
    services: &BTreeSet<String>,
    lock: &Option<Lock<'_>>,
) -> Result<(), CliError> {
    let look = async || {
        let mut containers =
            Observed::from_containers(containers_of(engine, &project.name, true).await?);
        for replicas in containers.services.values_mut() {
            replicas.retain(|c| {
                is_meant(&(c.service.clone(), c.number))
                    && (services.is_empty() || services.contains(&c.service))
            });
        }
        containers
            .services
            .retain(|name, _| project.services.contains_key(name));
        Ok::<_, CliError>(containers)
    };
    let means = Means {
        interrupts: Interrupts::default(),
        lock: lock.as_ref(),
        ..means(ctx, engine, project).await
    };
    if ctx.interrupts.stage() < Stage::Killing {
        let observed = look().await?;
        let plan = lifecycle::stop(project, &observed, &BTreeSet::new(), false, options.timeout);
        if plan.is_empty() {
            return Ok(());
        }
        ctx.reporter.countdown(grace(project, options.timeout));
        tokio::select! {
            biased;
            // Failures have been drawn; nothing is left to be done about them.
            _ = run_plan(&means, plan, project, &observed) => return Ok(()),
            () = ctx.interrupts.reached(Stage::Killing) => {}
        }
    }
    let observed = look().await?;
    let plan = lifecycle::kill(observed.replicas(), "SIGKILL");
    let means = Means {
        lock: None,
        ..means
    };
    run_plan(&means, plan, project, &observed).await;
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_end_that_counts_gives_the_code() {
        let exit = |service: &str, code| Exit {
            service: service.into(),
            code,
        };
        for (on_exit, from, ends, is_abort, code) in [
            (OnExit::GoOn, None, vec![exit("a", 3)], false, 0),
            (
                OnExit::Abort,
                None,
                vec![exit("a", 0), exit("b", 3)],
                true,
                0,
            ),
            (
                OnExit::AbortOnFailure,
                None,
                vec![exit("a", 0), exit("b", 3)],
                true,
                3,
            ),
            (
                OnExit::Abort,
                Some("b"),
                vec![exit("a", 1), exit("b", 137)],
                true,
                137,
            ),
            (
                OnExit::Abort,
                Some("b"),
                vec![exit("b", 0), exit("a", 5)],
                true,
                0,
            ),
        ] {
            let view = View {
                on_exit,
                exit_code_from: from.map(str::to_owned),
                ..View::default()
            };
            let mut verdict = Verdict {
                view: &view,
                is_abort: false,
                first: None,
                chosen: None,
            };
            let aborts = ends.iter().filter(|e| verdict.note(e)).count();
            assert_eq!(aborts, usize::from(is_abort), "{ends:?}");
            assert_eq!(verdict.code(), ExitCode::from(code), "{ends:?}");
        }
    }
}
