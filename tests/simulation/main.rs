//! Changes on the engine in memory with a clock that leaps: random projects in random states, random
//! commands, and a call that goes wrong or a kill somewhere on the way. What must hold is checked
//! after every change that the engine makes (`simulation/law.rs`); in the end, after the same
//! command again, all is as after an undisturbed run.
//!
//! A failing case prints its seed and the simplest case that fails alike. `REGATTA_SEED=n` runs
//! just that one, `REGATTA_SEEDS=n` as many (`from..to` a range); `REGATTA_SURVEY=1` goes on after
//! a failing one and names them all.

mod case;
#[path = "../support/chance.rs"]
mod chance;
mod command;
mod draft;
mod extra;
mod law;
#[path = "../support/on_fake.rs"]
mod on_fake;
mod order;
mod outcome;
mod rivals;
mod stage;
mod trial;
mod wire;

use case::Case;
use rivals::try_rivals;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use trial::{Wrong, attempt, caught, shrink};

/// Seeds run unless the environment says otherwise.
const SEEDS: u64 = 300;

/// Simpler cases tried for one that fails.
const TRIES: usize = 1000;

/// Bytes of stack for a thread that tries cases.
const ROOM: usize = 32 << 20;

fn seeds() -> Range<u64> {
    let number = |text: &str| text.parse::<u64>().expect("a number");
    if let Ok(seed) = std::env::var("REGATTA_SEED") {
        return number(&seed)..number(&seed) + 1;
    }
    match std::env::var("REGATTA_SEEDS") {
        Ok(range) => match range.split_once("..") {
            Some((from, to)) => number(from)..number(to),
            None => 0..number(&range),
        },
        Err(_) => 0..SEEDS,
    }
}

/// Tries all seeds on all cores; gives the first failing one.
fn run(seeds: Range<u64>, fails: impl Fn(u64) -> bool + Sync) -> Option<u64> {
    let next = AtomicU64::new(seeds.start);
    let failed: Mutex<Option<u64>> = Mutex::new(None);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let thread = std::thread::Builder::new().stack_size(ROOM);
            let spawned = thread.spawn_scoped(scope, || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    if fails(seed) {
                        let mut failed = failed.lock().expect("no panics");
                        let first = failed.map_or(seed, |known| known.min(seed));
                        *failed = Some(first);
                        next.store(seeds.end, Ordering::Relaxed);
                    }
                }
            });
            spawned.expect("a thread");
        }
    });
    failed.into_inner().expect("no panics")
}

/// Whether the trial of a seed ends the run; with `REGATTA_SURVEY` each that fails is only named.
fn fails(seed: u64, tried: Result<(), Wrong>) -> bool {
    match tried {
        Ok(()) => false,
        Err(wrong) if std::env::var_os("REGATTA_SURVEY").is_some() => {
            println!("{seed}: {}", wrong.text);
            false
        }
        Err(_) => true,
    }
}

#[test]
fn a_change_is_safe() {
    all_are_safe(seeds(), Case::from_seed);
}

/// The same on the engine's own machine, where processes are seen and the engine is late.
#[test]
fn a_change_is_safe_beside_its_engine() {
    let seeds = seeds();
    let seeds = seeds.start..seeds.start + (seeds.end - seeds.start).div_ceil(4);
    all_are_safe(seeds, |seed| Case {
        shown: Some(seed % 3 * 600),
        ..Case::from_seed(seed)
    });
}

fn all_are_safe(seeds: Range<u64>, case_of: impl Fn(u64) -> Case + Sync) {
    let Some(seed) = run(seeds, |seed| fails(seed, attempt(&case_of(seed)))) else {
        return;
    };
    let tries = std::env::var("REGATTA_TRIES")
        .ok()
        .and_then(|n| n.parse().ok());
    let told = with_room(|| {
        let case = case_of(seed);
        let wrong = attempt(&case).expect_err("the same again");
        println!("{}", told(seed, &case, &wrong));
        let (case, wrong) = shrink(case, wrong, tries.unwrap_or(TRIES));
        told(seed, &case, &wrong)
    });
    panic!("{told}");
}

/// What waits for what is deep in a build without optimisation: deeper than a test's stack.
fn with_room<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(ROOM);
        let worker = thread.spawn_scoped(scope, work).expect("a thread");
        worker.join().expect("no panics")
    })
}

fn told(seed: u64, case: &Case, wrong: &Wrong) -> String {
    format!(
        "REGATTA_SEED={seed}: {}\n--- before\n{}--- meanwhile: {:?}\n--- after\n{}--- command: {:?}\n\
         --- trouble: {:?}, then {:?}, port taken: {:?}, at once: {}, processes shown: {:?}, luck {:#x}\n--- calls\n{}\n",
        wrong.text,
        case.before.yaml(),
        case.acts,
        case.after.yaml(),
        case.command,
        case.trouble,
        case.again,
        case.taken,
        case.at_once,
        case.shown,
        case.luck,
        wrong.calls.join("\n")
    )
}

/// The second of two at once, and how much later it begins.
fn rival(seed: u64) -> (Case, command::Command, Duration) {
    let case = Case::from_seed(seed);
    let mut chance = chance::Chance(case.luck ^ 0xabcd | 1);
    let second = match chance.below(2) {
        0 => case.command.clone(),
        _ => case::command(&mut chance, &case.after),
    };
    let delay = Duration::from_millis(chance.below(400) as u64);
    (case, second, delay)
}

#[test]
fn two_at_once_come_one_after_the_other() {
    let seeds = seeds();
    // One in four: they take three times as long.
    let seeds = seeds.start..seeds.start + (seeds.end - seeds.start).div_ceil(4);
    let trial = |seed| {
        let (case, second, delay) = rival(seed);
        caught(|| try_rivals(&case, &second, delay))
    };
    let Some(seed) = run(seeds, |seed| fails(seed, trial(seed))) else {
        return;
    };
    let (case, second, delay) = rival(seed);
    let wrong = with_room(|| trial(seed)).expect_err("the same again");
    panic!(
        "{}--- second, {delay:?} later: {second:?}",
        told(seed, &case, &wrong)
    );
}
