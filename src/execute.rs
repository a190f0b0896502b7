//! Walking a plan: every step as soon as what it waits for is done, many at a time.
//!
//! No decision is made here. A failed step takes along only what waits for it; the rest goes on,
//! and the [`Report`] names everything: done, failed and why, not tried because of what.

mod actions;
mod addresses;
mod attachment;
mod creation;
mod death;
mod failure;
mod hooks;
mod interrupted;
mod latecomer;
mod leftover;
mod models;
mod names;
mod ports;
mod pre_start;
mod provider;
mod rollback;
mod watch;

pub use failure::Failure;

use crate::engine::{Engine, ImageSummary};
use crate::event::{Ending, Kind, Reporter, Resource, Summary};
use crate::image::build::BuildOptions;
use crate::interrupt::{Interrupts, Stage};
use crate::load::Files;
use crate::lock::Lock;
use crate::observe::Observed;
use crate::plan::{Action, Plan, StepId, Takeover, Target, takeovers};
use crate::project::Project;
use futures::StreamExt;
use futures::future::{Either, select};
use futures::stream::FuturesUnordered;
use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::net::IpAddr;
use std::time::Duration;
use watch::Watch;

/// How many engine calls are under way at a time unless said otherwise: past about twice the
/// engine's cores more neither help nor hurt, but every one holds a connection.
pub const DEFAULT_LIMIT: usize = 16;

/// How many networks are made or removed at a time. The engine does so one after another, under
/// a lock that a start needs as well: more would only queue up before the starts that could go on.
const NETWORKS_AT_A_TIME: usize = 2;

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

/// What became of a plan.
#[derive(Debug, Default)]
pub struct Report {
    /// Steps that were done, in the order they ended.
    pub done: Vec<StepId>,
    pub failures: Vec<Failure>,
    /// Steps that were not tried, each with the failed step they waited for.
    pub skipped: Vec<(StepId, StepId)>,
    /// Steps that were given up or never begun because somebody asked to stop, or the project's
    /// lock was lost.
    pub given_up: Vec<StepId>,
    /// Why the project's lock was lost, where that ended the walk.
    pub lost: Option<String>,
}

impl Report {
    pub fn is_success(&self) -> bool {
        self.failures.is_empty() && self.given_up.is_empty()
    }

    /// Whether a call was left that the engine had not answered.
    pub fn is_left(&self) -> bool {
        self.unanswered().next().is_some()
    }

    /// What is not known of such calls, in words.
    pub fn unanswered(&self) -> impl Iterator<Item = &str> {
        let left = self.failures.iter().filter(|f| f.is_unanswered);
        left.map(|f| f.message.as_str())
    }

    /// How far each service came that an interrupted walk was to bring up: all done, done but
    /// for a wait that was given up, not or not completely done.
    pub fn interrupted_services(&self, plan: &Plan) -> [BTreeSet<String>; 3] {
        // A watch of first moments that was given up leaves nothing to do: it is neither.
        let of = |ids: &[StepId], is_wait: bool| -> BTreeSet<String> {
            ids.iter()
                .map(|id| &plan.step(*id).action)
                .filter(|action| !matches!(action, Action::Verify { healthy: false, .. }))
                .filter(|action| action.is_wait() == is_wait)
                .filter_map(Action::service)
                .map(str::to_owned)
                .collect()
        };
        let mut done = of(&self.done, false);
        let mut awaited = of(&self.given_up, true);
        let given_up = of(&self.given_up, false);
        awaited.retain(|name| !given_up.contains(name));
        done.retain(|name| !given_up.contains(name) && !awaited.contains(name));
        [done, awaited, given_up]
    }

    /// How many steps came to which end.
    pub fn summary(&self) -> Summary {
        Summary {
            done: self.done.len(),
            failed: self.failures.len(),
            skipped: self.skipped.len(),
            given_up: self.given_up.len(),
        }
    }

    /// Services of which something was done, and nothing failed or was left out.
    pub fn changed_services(&self, plan: &Plan) -> BTreeSet<String> {
        let skipped = self.skipped_services(plan);
        self.done
            .iter()
            .map(|step| &plan.step(*step).action)
            .filter(|action| action.is_change())
            .filter_map(|action| action.service())
            .filter(|s| !skipped.contains_key(*s))
            .filter(|s| {
                self.failures
                    .iter()
                    .all(|f| f.service.as_deref() != Some(s))
            })
            .map(str::to_owned)
            .collect()
    }

    /// Services of which something was not tried, with the resource whose failure kept it.
    pub fn skipped_services(&self, plan: &Plan) -> BTreeMap<String, Resource> {
        self.skipped
            .iter()
            .filter_map(|(step, because)| {
                let service = plan.step(*step).action.service()?;
                Some((service.to_owned(), plan.step(*because).action.resource()))
            })
            .collect()
    }
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

/// The steps under way that count against a limit.
#[derive(Debug, Default)]
struct UnderWay {
    calls: usize,
    networks: usize,
}

impl UnderWay {
    /// Counts a step in, unless that has to wait. One that only waits holds no connection, so it
    /// may always begin.
    fn take(&mut self, action: &Action, limit: usize) -> bool {
        let networks = usize::from(action.is_of_network());
        if action.is_wait() {
            return true;
        }
        if self.calls >= limit.max(1) || self.networks + networks > NETWORKS_AT_A_TIME {
            return false;
        }
        self.calls += 1;
        self.networks += networks;
        true
    }

    fn give_back(&mut self, action: &Action) {
        if !action.is_wait() {
            self.calls -= 1;
            self.networks -= usize::from(action.is_of_network());
        }
    }
}

/// One walk.
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
        let mut report = Report::default();
        let mut open: Vec<usize> = Vec::with_capacity(self.plan.len());
        let mut ready = BinaryHeap::new();
        for (id, _) in self.plan.steps() {
            let count = self.plan.dependencies(id).len();
            if count == 0 {
                ready.push(Reverse(id));
            }
            open.push(count);
        }
        let mut failed: BTreeMap<StepId, StepId> = BTreeMap::new();
        let mut running = FuturesUnordered::new();
        let mut under_way = UnderWay::default();
        let mut begun = BTreeSet::new();
        let mut is_interrupted = false;
        loop {
            is_interrupted |= self.means.interrupts.stage() >= Stage::Stopping || self.has_lost();
            let mut held = Vec::new();
            while !is_interrupted && let Some(Reverse(id)) = ready.pop() {
                if !under_way.take(&self.plan.step(id).action, self.means.limit) {
                    held.push(Reverse(id));
                    continue;
                }
                begun.insert(id);
                running.push(async move { (id, self.perform(id).await) });
            }
            ready.extend(held);
            let ended = tokio::select! {
                biased;
                ended = running.next() => ended,
                () = self.means.interrupts.reached(Stage::Stopping), if !is_interrupted => {
                    is_interrupted = true;
                    continue;
                }
            };
            let Some((id, result)) = ended else {
                if self.has_lost() {
                    self.leave_alone(&begun, &mut report);
                } else if is_interrupted {
                    self.put_in_order(begun, &mut report).await;
                } else if !report.failures.is_empty() {
                    self.restore().await;
                    self.remove_never_started(&mut report).await;
                }
                return report;
            };
            under_way.give_back(&self.plan.step(id).action);
            match result {
                Ok(true) => report.done.push(id),
                Ok(false) => report.given_up.push(id),
                Err(failure) => {
                    tracing::debug!(step = id.0, error = %failure.message, "failed");
                    failed.insert(id, id);
                    // Of one container's end several steps may learn.
                    let known = failure.container.is_some()
                        && report
                            .failures
                            .iter()
                            .any(|f| f.container == failure.container);
                    if !known {
                        report.failures.push(failure);
                    }
                }
            }
            // Settle all that hangs on it: what is free now, and what will never be.
            let mut settled = vec![id];
            while let Some(id) = settled.pop() {
                for dependent in self.plan.dependents(id) {
                    if let Some(&root) = failed.get(&id)
                        && let Entry::Vacant(entry) = failed.entry(dependent)
                    {
                        entry.insert(root);
                        report.skipped.push((dependent, root));
                    }
                    open[dependent.0] -= 1;
                    if open[dependent.0] == 0 {
                        if failed.contains_key(&dependent) {
                            settled.push(dependent);
                        } else {
                            ready.push(Reverse(dependent));
                        }
                    }
                }
            }
        }
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
