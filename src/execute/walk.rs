//! Walking a plan: every step as soon as what it waits for is done, many at a time.
//!
//! ```text
//!  plan       waiting ─(all it waits for is done)▶ ready ─(admitted)▶ under way ─▶ done
//!                │                                   │                    ├──────▶ given up
//!                │ something it waits for has failed │ stopped            └──────▶ failed
//!                ▼                                   ▼
//!             skipped, with the first failure     given up, never begun
//! ```
//!
//! What a step does is none of this file's business: it hands the step's number to `perform`, and
//! hears how that ended. So it is tested without an engine, and walks the plan of any program.
//!
//! - *Order*: of several ready steps the one with the lowest number begins first.
//! - *Limits*: [`Control::admit`] says whether one more of a kind may begin now. One that may not
//!   keeps back no other.
//! - *Failure*: a failed step takes along only what waits for it, over however many steps; each is
//!   skipped because of the failure that came first. All else goes on.
//! - *Stopping*: once [`Control::is_stopped`], no step begins any more. Those under way are awaited:
//!   whether one of them is given up or goes on to its end is for `perform` to say. A step that was
//!   given up takes nothing along, since nothing begins any more.

use crate::plan::{Plan, StepId};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::cmp::Reverse;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// What bounds a walk from outside.
pub trait Control<A> {
    /// Counts a step in that is about to begin; `false` where it has to wait.
    fn admit(&mut self, action: &A) -> bool;

    /// The step has ended.
    fn release(&mut self, action: &A);

    /// Whether no more steps are to begin.
    fn is_stopped(&self) -> bool;

    /// Waits until somebody asks to stop. It is asked for again and again, and dropped meanwhile.
    fn stopped(&self) -> impl Future<Output = ()>;
}

/// What became of a plan.
#[derive(Debug)]
pub struct Walked<E> {
    /// Steps that were begun, whatever came of them.
    pub begun: BTreeSet<StepId>,
    /// Steps that were done, in the order in which they ended.
    pub done: Vec<StepId>,
    /// Steps that were begun and given up.
    pub given_up: Vec<StepId>,
    /// Steps that failed, in the order in which they did.
    pub failures: Vec<(StepId, E)>,
    /// Steps that were not tried, each with the failed step that it waited for.
    pub skipped: Vec<(StepId, StepId)>,
    /// Somebody asked to stop.
    pub is_stopped: bool,
}

impl<E> Default for Walked<E> {
    fn default() -> Self {
        Walked {
            begun: BTreeSet::new(),
            done: Vec::new(),
            given_up: Vec::new(),
            failures: Vec::new(),
            skipped: Vec::new(),
            is_stopped: false,
        }
    }
}

/// Walks the plan. `perform` does one step; `Ok(false)` means that it was given up.
pub async fn walk<A, E>(
    plan: &Plan<A>,
    control: &mut impl Control<A>,
    perform: impl AsyncFn(StepId) -> Result<bool, E>,
) -> Walked<E> {
    let mut walked = Walked::default();
    let mut queue = Queue::new(plan);
    let perform = &perform;
    let mut running = FuturesUnordered::new();
    loop {
        walked.is_stopped |= control.is_stopped();
        let mut held = Vec::new();
        while !walked.is_stopped
            && let Some(id) = queue.next()
        {
            if !control.admit(&plan.step(id).action) {
                held.push(id);
                continue;
            }
            walked.begun.insert(id);
            running.push(async move { (id, perform(id).await) });
        }
        queue.put_back(held);
        let ended = tokio::select! {
            biased;
            ended = running.next() => ended,
            () = control.stopped(), if !walked.is_stopped => {
                walked.is_stopped = true;
                continue;
            }
        };
        let Some((id, result)) = ended else {
            return walked;
        };
        control.release(&plan.step(id).action);
        match result {
            Ok(true) => walked.done.push(id),
            Ok(false) => walked.given_up.push(id),
            Err(failure) => {
                queue.note_failure(id);
                walked.failures.push((id, failure));
            }
        }
        walked.skipped.extend(queue.settle(id));
    }
}

/// The steps that have not begun.
struct Queue<'p, A> {
    plan: &'p Plan<A>,
    /// Of how many steps each still waits for the end.
    open: Vec<usize>,
    ready: BinaryHeap<Reverse<StepId>>,
    /// Steps that failed or will never be tried → the failure behind it.
    failed: BTreeMap<StepId, StepId>,
}

impl<'p, A> Queue<'p, A> {
    fn new(plan: &'p Plan<A>) -> Self {
        let ids = plan.steps().map(|(id, _)| id);
        let open: Vec<usize> = ids.map(|id| plan.dependencies(id).len()).collect();
        let free = open.iter().enumerate().filter(|(_, count)| **count == 0);
        Queue {
            plan,
            ready: free.map(|(at, _)| Reverse(StepId(at))).collect(),
            open,
            failed: BTreeMap::new(),
        }
    }

    fn next(&mut self) -> Option<StepId> {
        self.ready.pop().map(|Reverse(id)| id)
    }

    fn put_back(&mut self, ids: Vec<StepId>) {
        self.ready.extend(ids.into_iter().map(Reverse));
    }

    fn note_failure(&mut self, id: StepId) {
        self.failed.insert(id, id);
    }

    /// Settles all that hangs on a step that has ended: what is free now, and what will never be.
    /// Gives the latter, with the failures behind it.
    fn settle(&mut self, id: StepId) -> Vec<(StepId, StepId)> {
        let mut skipped = Vec::new();
        let mut settled = vec![id];
        while let Some(id) = settled.pop() {
            for dependent in self.plan.dependents(id) {
                if let Some(&root) = self.failed.get(&id)
                    && let Entry::Vacant(entry) = self.failed.entry(dependent)
                {
                    entry.insert(root);
                    skipped.push((dependent, root));
                }
                self.open[dependent.0] -= 1;
                if self.open[dependent.0] == 0 {
                    match self.failed.contains_key(&dependent) {
                        true => settled.push(dependent),
                        false => self.ready.push(Reverse(dependent)),
                    }
                }
            }
        }
        skipped
    }
}

#[cfg(test)]
mod tests;
