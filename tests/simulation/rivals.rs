//! Two commands at once, from two machines: they come one after the other, and where the first is
//! killed, the second takes over.

use super::case::{At, Case};
use super::chance::Chance;
use super::command::{Command, ENDLESS, bid};
use super::law::{Licence, Oversight};
use super::on_fake::on_virtual_time;
use super::outcome::{Before, Outcome};
use super::stage::{PROJECT, Projects, REST, set};
use super::trial::{SLOWNESS, Wrong, wanted};
use super::wire::{Spot, Wire};
use regatta::event::Reporter;
use regatta::interrupt::Interrupts;
use regatta::lock::{Place, acquire};
use regatta::project::Project;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

thread_local! {
    /// What tokens of locks are made from: a trial runs on one thread.
    static LUCK: Cell<u64> = const { Cell::new(1) };
}

fn chance() -> u64 {
    let mut chance = Chance(LUCK.get());
    chance.below(1);
    LUCK.set(chance.0);
    chance.0
}

/// Their clocks differ.
fn place(host: &str, clock: fn() -> SystemTime) -> Place {
    Place {
        directory: None,
        host: host.into(),
        process: 7,
        command: "regatta".into(),
        clock,
        chance,
    }
}

/// Where commands lead that come one after the other, so long after each, and whether all go well.
async fn in_turn(
    case: &Case,
    projects: &Projects,
    commands: &[Command],
    pause: Duration,
) -> (Outcome, bool) {
    let fake = set(case, projects).await;
    let before = Before::of(&fake);
    let mut went_well = true;
    for command in commands {
        went_well &= command.run(&fake, &projects.after, None).await.is_ok();
        tokio::time::sleep(pause).await;
    }
    tokio::time::sleep(REST).await;
    (Outcome::of(&fake, &before), went_well)
}

/// The changes that a command consists of, each with the lock for itself: `rm --stop` asks in
/// between.
fn changes(command: &Command) -> Vec<Command> {
    match command {
        Command::Remove {
            services,
            stop: true,
            volumes,
        } => vec![
            Command::Stop {
                services: services.clone(),
                dependents: false,
                timeout: None,
            },
            Command::Remove {
                services: services.clone(),
                stop: false,
                volumes: *volumes,
            },
        ],
        other => vec![other.clone()],
    }
}

/// All ways to do two lists of commands, each in its order.
fn interleaved(one: &[Command], other: &[Command]) -> Vec<Vec<Command>> {
    let ([first, rest @ ..], [second, others @ ..]) = (one, other) else {
        return vec![[one, other].concat()];
    };
    let mut orders = Vec::new();
    for (next, left) in [
        (first, interleaved(rest, other)),
        (second, interleaved(one, others)),
    ] {
        for order in left {
            orders.push(std::iter::once(next.clone()).chain(order).collect());
        }
    }
    orders
}

pub fn try_rivals(case: &Case, second: &Command, delay: Duration) -> Result<(), Wrong> {
    // It waits for nobody, so no order is promised.
    if matches!(case.command, Command::Kill { .. }) {
        return Ok(());
    }
    let projects = Projects::of(case);
    LUCK.set(case.luck | 1);
    on_virtual_time(async {
        let first = &case.command;
        let (ours, theirs) = (changes(first), changes(second));
        let mut orders = interleaved(&ours, &theirs);
        // What has not ended yet `rm` finds running, and leaves.
        let removes = |command: &Command| matches!(command, Command::Remove { .. });
        if removes(second) {
            orders.push(ours.clone());
        }
        if removes(first) {
            orders.push(theirs.clone());
        }
        let mut ends = Vec::new();
        for order in &orders {
            ends.push(in_turn(case, &projects, order, REST).await);
        }
        let project: &Project = &projects.after;
        let fake = set(case, &projects).await;
        let before = Before::of(&fake);
        let starts = |command: &Command| !matches!(command, Command::Up(up) if !up.start);
        let licence = Licence {
            removes_volumes: first.removes_volumes() || second.removes_volumes(),
            starts: starts(first) && starts(second),
            healthy: false,
        };
        let oversight = Oversight::begin(&fake, project, licence);
        let trouble = case
            .trouble
            .filter(|(_, trouble)| trouble.kills() || case.rough);
        let spot = |at| match at {
            At::Part(part) => Spot::Call(part * 60 / 1_000_000),
            At::Call(call) => Spot::Call(call),
        };
        let one = Wire::new(&fake, case.luck, SLOWNESS)
            .with_trouble(trouble.map(|(at, trouble)| (spot(at), trouble)));
        let other = one.beside(case.luck ^ 0x7777);
        let (here, there) = (
            place("here", || {
                SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
            }),
            place("there", || {
                SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_001_000)
            }),
        );
        let work = first.run_until(one.interrupts(), &one, project, Some(&here));
        let (ended, also) = tokio::join!(one.live(work), async {
            tokio::time::sleep(delay).await;
            second.run(&other, project, Some(&there)).await
        });
        let mut calls = one.calls();
        let turns = one.turns();
        let endless = |end: &Result<(), String>| end.as_ref().is_err_and(|e| e == ENDLESS);
        calls.push(format!("-- {ended:?}, {also:?}"));
        let say = |text: String, calls| Err(Wrong { text, calls });
        if endless(&also) || ended.as_ref().is_some_and(endless) {
            return say(ENDLESS.to_owned(), calls);
        }
        if turns > ours.len() + theirs.len() {
            return say(format!("they took {turns} turns in changing things"), calls);
        }
        let other_way = Case {
            command: second.clone(),
            ..case.clone()
        };
        // One may take away what the other needs (`down SERVICE` the networks).
        let well = ends.iter().all(|(_, went_well)| *went_well);
        let sound = well && case.must_go_well() && other_way.must_go_well();
        let is_troubled = trouble.is_some_and(|(_, trouble)| !trouble.kills());
        let fails = ended.as_ref().is_some_and(Result::is_err) && !is_troubled;
        // Known: what changes nothing and only waits (`--wait`) takes no lock: the other may take away
        // what it waits for.
        let only_waited = |end: &Result<(), String>, indent: &str| {
            let takes = format!("{indent}create_volume {PROJECT}_regatta-lock");
            end.as_ref().is_err_and(|e| e.contains("during: \"wait\""))
                && !calls.iter().any(|call| call.starts_with(&takes))
        };
        let fails_so = fails && !ended.as_ref().is_some_and(|end| only_waited(end, ""));
        if sound && (fails_so || also.is_err() && !only_waited(&also, "    ")) {
            return say("one of them fails".to_owned(), calls);
        }
        tokio::time::sleep(REST).await;
        // Whatever it had done by then.
        let is_unfinished = ended.is_none() || (is_troubled && ended != Some(Ok(())));
        let mut is_failed = also.is_err() || fails;
        if is_unfinished {
            for order in &mut orders {
                order.push(first.clone());
                ends.push(in_turn(case, &projects, order, REST).await);
            }
            let again = first
                .run(&one.beside(case.luck ^ 0x1234), project, Some(&here))
                .await;
            is_failed = also.is_err() || again.is_err();
            calls = one.calls();
            calls.push(format!("-- {again:?}"));
            tokio::time::sleep(REST).await;
        }
        let end = Outcome::of(&fake, &before);
        // One may take away what the other adds again (`--scale`).
        let ups = |command: &Command| matches!(command, Command::Up(up) if up.scale.is_empty());
        let both_up = ups(first) && ups(second);
        let lasting = match both_up {
            true => end.slots.clone(),
            false => BTreeSet::new(),
        };
        if let Err(wrong) = oversight.verdict(&lasting) {
            return say(wrong, calls);
        }
        let mut leeway = case.leeway();
        leeway.volumes |= second.renews();
        leeway.renewed |= second.renews();
        leeway.fails = is_failed;
        leeway.wanted = wanted(project);
        leeway.both_ways = true;
        // Of the containers that a change cut short has removed the volumes stay, of others they go, or
        // are taken over.
        let is_down = |command: &Command| matches!(command, Command::Down { .. });
        let removes_some = second.removes_volumes() || is_down(first) || is_down(second);
        leeway.volumes |= is_unfinished && removes_some;
        // What a killed change has stopped and not started again, `rm` takes: no order leads there.
        // Nor to the numbers that one of them takes away from a scaling cut short by the other.
        let scales = |command: &Command| matches!(command, Command::Up(up) if !up.scale.is_empty());
        let is_scaled = case.rough && (scales(first) || scales(second));
        // Nor to what is started between halves of a change: old and new where nothing was to start, and
        // numbers above one that was not created.
        let as_they_are = matches!(second, Command::Start { .. } | Command::Restart { .. });
        let ups_second = matches!(second, Command::Up(up) if up.start);
        let is_mixed = as_they_are || !starts(first) && ups_second;
        // Nor does who takes down some services start others that the killed change had stopped.
        let is_part = matches!(second, Command::Down { services, .. } if !services.is_empty());
        let is_torn = is_unfinished && (removes(second) || is_scaled || is_mixed || is_part);
        let differs = |(possible, _): &(Outcome, bool)| end.difference(possible, &leeway);
        if !is_torn && ends.iter().all(|end| differs(end).is_some()) {
            // What ends by itself may not have ended yet when the next one looks.
            let mut leads_there = false;
            for order in &orders {
                let close = in_turn(case, &projects, order, Duration::ZERO).await;
                leads_there |= differs(&close).is_none();
            }
            if !leads_there {
                let differences: Vec<String> = ends.iter().filter_map(differs).collect();
                let differences = differences.join("or from\n");
                return say(
                    format!("it ends where no order leads:\n{differences}"),
                    calls,
                );
            }
        }
        let claims = || {
            let mut volumes = fake.volumes().into_iter();
            volumes.any(|v| v.labels.contains_key("dev.regatta.lock"))
        };
        // Where nothing is left to do nobody looks at locks; whoever takes one next clears away what
        // a killed one has left.
        if claims() && (is_unfinished || is_troubled) {
            let next = one.beside(case.luck ^ 0x4321);
            let (reporter, interrupts) = (Reporter::silent(), Interrupts::default());
            match acquire(bid(&next, &here, &reporter, &interrupts)).await {
                Ok(lock) => lock.release().await,
                Err(error) => return say(format!("nobody gets the lock: {error}"), calls),
            }
        }
        if claims() {
            return say("a claim is left".to_owned(), calls);
        }
        Ok(())
    })
}
