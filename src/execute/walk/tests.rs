//! Scheduling, limits, failures and stopping, over plans of a program that there is not.

use super::*;
use crate::plan::Step;
use std::cell::RefCell;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// A job: its name, how long it takes, and how it ends.
#[derive(Debug, Clone, PartialEq)]
struct Job {
    name: &'static str,
    millis: u64,
    end: End,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Done,
    GivenUp,
    Failed,
}

/// No more than so many at a time, until somebody asks to stop.
#[derive(Default)]
struct Bounds {
    most: usize,
    under_way: usize,
    /// Jobs with this name never count.
    free: &'static str,
    is_stopped: bool,
    /// Somebody asks to stop after this long.
    stops_after: Option<Duration>,
    begin: Option<Instant>,
}

impl Control<Job> for Bounds {
    fn admit(&mut self, job: &Job) -> bool {
        if job.name == self.free {
            return true;
        }
        let has_room = self.under_way < self.most;
        self.under_way += usize::from(has_room);
        has_room
    }

    fn release(&mut self, job: &Job) {
        self.under_way -= usize::from(job.name != self.free);
    }

    fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    async fn stopped(&self) {
        match self.stops_after.zip(self.begin) {
            Some((after, begin)) => sleep_until(begin + after).await,
            None => std::future::pending().await,
        }
    }
}

fn bounds(most: usize) -> Bounds {
    Bounds {
        most,
        free: "-",
        begin: Some(Instant::now()),
        ..Bounds::default()
    }
}

/// A plan out of `name: what it waits for, milliseconds, end`.
fn plan(jobs: &[(&'static str, &str, u64, End)]) -> Plan<Job> {
    let mut plan = Plan::default();
    for (name, after, millis, end) in jobs {
        let named = |wanted: &str| jobs.iter().position(|(name, ..)| *name == wanted);
        let after: Vec<StepId> = after
            .split_whitespace()
            .map(|name| StepId(named(name).expect("a job")))
            .collect();
        let job = Job {
            name,
            millis: *millis,
            end: *end,
        };
        plan.add(Step::new(job, ""), after);
    }
    plan
}

/// Walks it; gives what was told as jobs began (`+a`) and ended (`-a`), and what became of it.
async fn walked(plan: &Plan<Job>, bounds: &mut Bounds) -> (String, Walked<String>) {
    let told = RefCell::new(Vec::new());
    let walked = walk(plan, bounds, async |id| {
        let job = &plan.step(id).action;
        told.borrow_mut().push(format!("+{}", job.name));
        sleep(Duration::from_millis(job.millis)).await;
        told.borrow_mut().push(format!("-{}", job.name));
        match job.end {
            End::Done => Ok(true),
            End::GivenUp => Ok(false),
            End::Failed => Err(format!("{} failed", job.name)),
        }
    })
    .await;
    (told.into_inner().join(" "), walked)
}

fn names(plan: &Plan<Job>, ids: impl IntoIterator<Item = StepId>) -> String {
    let names = ids.into_iter().map(|id| plan.step(id).action.name);
    names.collect::<Vec<_>>().join(" ")
}

#[tokio::test(start_paused = true)]
async fn a_step_begins_as_soon_as_what_it_waits_for_is_done() {
    use End::Done;
    let plan = plan(&[
        ("a", "", 10, Done),
        ("b", "", 30, Done),
        ("c", "a", 10, Done),
        ("d", "a b", 10, Done),
        ("e", "", 1, Done),
    ]);
    let (told, walked) = walked(&plan, &mut bounds(9)).await;
    assert_eq!(told, "+a +b +e -e -a +c -c -b +d -d");
    assert_eq!(names(&plan, walked.done), "e a c b d");
    assert!(walked.failures.is_empty() && walked.skipped.is_empty() && !walked.is_stopped);
}

#[tokio::test(start_paused = true)]
async fn one_that_has_to_wait_for_room_keeps_back_no_other() {
    use End::Done;
    let plan = plan(&[
        ("a", "", 10, Done),
        ("b", "", 15, Done),
        ("-", "", 1, Done),
        ("c", "", 10, Done),
    ]);
    let (told, _) = walked(&plan, &mut bounds(1)).await;
    assert_eq!(told, "+a +- -- -a +b -b +c -c");
    let (told, _) = walked(&plan, &mut bounds(2)).await;
    assert_eq!(told, "+a +b +- -- -a +c -b -c");
}

#[tokio::test(start_paused = true)]
async fn a_failure_takes_along_only_what_waits_for_it() {
    use End::{Done, Failed};
    let plan = plan(&[
        ("a", "", 20, Failed),
        ("b", "", 10, Failed),
        ("c", "a", 1, Done),
        ("d", "a b", 1, Done),
        ("e", "d", 1, Done),
        ("f", "", 30, Done),
        ("g", "f", 1, Done),
        ("h", "c g", 1, Done),
    ]);
    let (told, walked) = walked(&plan, &mut bounds(9)).await;
    assert_eq!(told, "+a +b +f -b -a -f +g -g");
    // In the order in which they came, each of the skipped with the first that kept it.
    let failures: Vec<&str> = walked.failures.iter().map(|(_, e)| e.as_str()).collect();
    assert_eq!(failures, ["b failed", "a failed"]);
    let because: BTreeMap<&str, &str> = walked
        .skipped
        .iter()
        .map(|(step, root)| (plan.step(*step).action.name, plan.step(*root).action.name))
        .collect();
    let expected = [("c", "a"), ("d", "b"), ("e", "b"), ("h", "a")];
    assert_eq!(because, BTreeMap::from(expected));
    assert_eq!(walked.skipped.len(), 4, "each once");
    assert_eq!(names(&plan, walked.done), "f g");
}

#[tokio::test(start_paused = true)]
async fn once_stopped_nothing_begins_and_what_is_under_way_is_awaited() {
    use End::{Done, GivenUp};
    let plan = plan(&[
        ("a", "", 10, Done),
        ("b", "", 30, GivenUp),
        ("c", "a", 10, Done),
        ("d", "c", 10, Done),
    ]);
    let mut bounds = bounds(9);
    bounds.is_stopped = true;
    let (told, result) = walked(&plan, &mut bounds).await;
    assert_eq!((told.as_str(), result.begun.len()), ("", 0));
    assert!(result.is_stopped);
    // Asked meanwhile: by then `c` is under way and `d` is not.
    let mut bounds = Bounds {
        stops_after: Some(Duration::from_millis(15)),
        ..self::bounds(9)
    };
    let (told, result) = walked(&plan, &mut bounds).await;
    assert_eq!(told, "+a +b -a +c -c -b");
    assert_eq!(names(&plan, result.begun), "a b c");
    assert_eq!(names(&plan, result.done), "a c");
    assert_eq!(names(&plan, result.given_up), "b");
    assert!(result.is_stopped && result.skipped.is_empty());
}
