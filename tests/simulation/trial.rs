//! A case tried: once undisturbed, once with its trouble and again until it is done.

use super::case::{At, Case};
use super::command::{Command, ENDLESS};
use super::law::{Licence, Oversight, is_ours};
use super::on_fake::on_virtual_time;
use super::order::Standing;
use super::outcome::{Before, Leeway, Outcome};
use super::stage::{PROJECT, Projects, REST, set};
use super::wire::{Spot, Wire};
use regatta::engine::fake::Fake;
use regatta::hash::{AsCreated, service_hashes};
use regatta::plan::{Action, Plan, render_text};
use regatta::project::Project;
use regatta::service::Condition;
use std::collections::BTreeSet;

/// How slow requests and answers are at most, in milliseconds.
pub const SLOWNESS: usize = 20;

/// What a failing trial tells.
#[derive(Debug)]
pub struct Wrong {
    pub text: String,
    /// The calls of the undisturbed run, and of the attempts.
    pub calls: Vec<String>,
}

fn licence(case: &Case, project: &Project) -> Licence {
    let starts = !matches!(&case.command, Command::Up(up) if !up.start);
    let waits = matches!(&case.command, Command::Up(up) if up.wait);
    // Simpler than the rule: where everybody's health is waited for.
    let healthy = waits
        && project.services.values().all(|s| {
            s.depends_on
                .values()
                .all(|d| d.condition != Condition::CompletedSuccessfully)
        });
    Licence {
        removes_volumes: case.command.removes_volumes(),
        starts,
        healthy,
    }
}

pub fn try_case(case: &Case) -> Result<(), Wrong> {
    let projects = Projects::of(case);
    on_virtual_time(async {
        let project = &projects.after;
        let licence = licence(case, project);
        let say = |text: String, calls: Vec<String>| Err(Wrong { text, calls });

        let fake = set(case, &projects).await;
        let before = Before::of(&fake);
        let oversight = Oversight::begin(&fake, project, licence);
        let wire = Wire::new(&fake, case.luck, SLOWNESS);
        let went_well = case.command.run(&wire, project, None).await;
        tokio::time::sleep(REST).await;
        let undisturbed = Outcome::of(&fake, &before);
        let calls = wire.calls();
        if went_well.as_ref().is_err_and(|error| error == ENDLESS) {
            return say(format!("undisturbed, {ENDLESS}"), calls);
        }
        if let Err(wrong) = oversight.verdict(&undisturbed.slots) {
            return say(format!("undisturbed: {wrong}"), calls);
        }
        if let Some(wrong) = oversight.created_late() {
            return say(format!("undisturbed: {wrong}"), calls);
        }
        if let Err(error) = &went_well
            && case.must_go_well()
        {
            return say(format!("undisturbed, it fails: {error}"), calls);
        }
        if case.command.keeps_data()
            && let Err(wrong) = oversight.data_is_kept(&fake)
        {
            return say(format!("undisturbed: {wrong}"), calls);
        }
        if went_well.is_err()
            && case.command.watches()
            && let Err(wrong) = oversight.still_serves(&fake, &undisturbed.slots, &case.entangled())
        {
            return say(format!("undisturbed: {wrong}"), calls);
        }
        if went_well.is_ok()
            && case.command.is_idempotent()
            && let Some(plan) = case.command.plan(&fake, project).await
            && let Some(rest) = remainder(&case.command, project, &plan)
        {
            return say(format!("undisturbed: there is more to do:\n{rest}"), calls);
        }
        // Known: the next attempt finds a port free that another service has given away by then.
        if went_well.is_err() && case.moves_ports_unordered() {
            return Ok(());
        }
        let Some((at, trouble)) = case.trouble else {
            return Ok(());
        };
        let undisturbed_calls = [calls, vec![format!("-- {went_well:?}; disturbed:")]].concat();
        let say = |text: String, calls: Vec<String>| {
            let calls = [undisturbed_calls.clone(), calls].concat();
            Err(Wrong { text, calls })
        };
        let count = wire.count();
        let spot = |at| match at {
            At::Part(part) => Spot::Call(part * count / 1_000_000),
            At::Call(call) => Spot::Call(call),
        };

        let fake = set(case, &projects).await;
        let before = Before::of(&fake);
        let oversight = Oversight::begin(&fake, project, licence);
        let mut calls = Vec::new();
        let mut ends = Vec::new();
        let attempts = [Some((at, trouble)), case.again];
        for (nth, (at, trouble)) in attempts.into_iter().flatten().enumerate() {
            // What a killed run has asked for may still be done meanwhile.
            let is_alone = nth == 0 || !case.at_once;
            let standing = (trouble.is_graceful() && is_alone).then(|| Standing::of(&fake));
            let wire = Wire::new(&fake, case.luck ^ (nth as u64 * 0x3333), SLOWNESS)
                .with_trouble(Some((spot(at), trouble)));
            let work = case
                .command
                .run_until(wire.interrupts(), &wire, project, None);
            let end = wire.live(work).await;
            calls.extend(wire.calls());
            calls.push(format!("-- {end:?}; again:"));
            if let Some(standing) = standing
                && let Err(wrong) = standing.is_kept(case, &fake, &undisturbed)
            {
                return say(wrong, calls);
            }
            ends.push(end);
            if !case.at_once {
                tokio::time::sleep(REST).await;
            }
        }
        // Nobody starts, and so nobody watches, what is up: what is about to die at that moment, what has
        // died unnoticed, or what its engine starts again and again.
        let is_unnoticed = case.at_once && (has_doomed(&fake) || is_started_late(&fake, &calls))
            || case.has_crash_loops();
        let wire = Wire::new(&fake, case.luck ^ 0x5555, SLOWNESS);
        let again = case.command.run(&wire, project, None).await;
        tokio::time::sleep(REST).await;
        calls.extend(wire.calls());
        calls.push(format!("-- {again:?}"));
        ends.push(Some(again.clone()));
        // A removal that a killed run asked for came through only now.
        let is_gone = |error: &String| error.contains("No such container");
        let was_gone = went_well.as_ref().is_err_and(is_gone);
        let removed_late = case.at_once && !was_gone && again.as_ref().is_err_and(is_gone);
        let again = match removed_late {
            true => {
                let wire = Wire::new(&fake, case.luck ^ 0x9999, SLOWNESS);
                let again = case.command.run(&wire, project, None).await;
                tokio::time::sleep(REST).await;
                calls.extend(wire.calls());
                calls.push(format!("-- {again:?}"));
                again
            }
            false => again,
        };
        if ends
            .iter()
            .flatten()
            .any(|end| end.as_ref().is_err_and(|error| error == ENDLESS))
        {
            return say(ENDLESS.to_owned(), calls);
        }
        let disturbed = Outcome::of(&fake, &before);
        if let Err(wrong) = oversight.verdict(&undisturbed.slots)
            && !(removed_late && oversight.has_only_abandoned())
        {
            return say(wrong, calls);
        }
        if case.command.keeps_data()
            && let Err(wrong) = oversight.data_is_kept(&fake)
        {
            return say(wrong, calls);
        }
        let may_fail = || {
            case.moves_ports()
                || case.may_start_late()
                || case.may_hook_late()
                || case.may_have_lost_its_lodgers()
        };
        if again.is_err() && may_fail() {
            return Ok(());
        }
        // Without anybody to watch, whether what dies is found dead is a matter of moments.
        let by_chance = went_well.is_ok() != again.is_ok() && case.may_die_unseen();
        if went_well.is_ok() && again.is_err() && !by_chance {
            return say(
                "it fails where an undisturbed run goes well".to_owned(),
                calls,
            );
        }
        let may_go_well = is_unnoticed || by_chance || case.completes_once();
        if went_well.is_err() && again.is_ok() && !may_go_well {
            return say(
                format!("it goes well where an undisturbed run fails: {went_well:?}"),
                calls,
            );
        }
        let leeway = Leeway {
            fails: went_well.is_err(),
            wanted: wanted(project),
            ..case.leeway()
        };
        if let Some(difference) = disturbed.difference(&undisturbed, &leeway) {
            // Who finds it dead calls the change off: all is up again that was up before.
            let entangled = case.entangled();
            let served = || oversight.still_serves(&fake, &undisturbed.slots, &entangled);
            if by_chance && (again.is_ok() || served().is_ok()) {
                return Ok(());
            }
            if case.may_stand_for_each_other() && disturbed.running == undisturbed.running {
                return Ok(());
            }
            return say(format!("it ends elsewhere:\n{difference}"), calls);
        }
        Ok(())
    })
}

/// Whether something of ours is up, or is to the engine's knowledge, that dies in its first moments.
fn has_doomed(fake: &Fake) -> bool {
    fake.census(|census| {
        let mut ours = census.containers().filter(is_ours);
        ours.any(|c| c.says("KIND=dies") && c.state.is_up())
    })
}

/// Whether an earlier run was killed after it had asked for the start of something that dies: it may
/// come up only when the next run looks, which takes it for something that lives.
fn is_started_late(fake: &Fake, calls: &[String]) -> bool {
    let is_asked_for = |id: &str| {
        let mut starts = ["start", "restart"].iter();
        starts.any(|word| {
            let call = format!("{word}_container {id:.12}");
            calls.iter().any(|c| c.starts_with(&call))
        })
    };
    fake.census(|census| {
        let mut ours = census.containers().filter(is_ours);
        ours.any(|c| c.says("KIND=dies") && is_asked_for(c.id))
    })
}

/// The hashes of services as they are to be, but for those that share namespaces, in whose hashes
/// stand ids.
pub fn wanted(project: &Project) -> BTreeSet<String> {
    let created = AsCreated {
        default_platform: project.default_platform(),
        ..AsCreated::default()
    };
    let services = project.services.values();
    let hashes = services.map(|s| service_hashes(&s.spec, &created).own);
    hashes.map(|hash| format!("{hash:.8}")).collect()
}

/// What a plan still holds, but for one-shots, which every `up` runs again, what waits for them,
/// and, where nobody was to see whether it lives (`--no-verify`), what died.
fn remainder(command: &Command, project: &Project, plan: &Plan) -> Option<String> {
    let unverified = matches!(command, Command::Up(up) if up.unverified);
    let ends = |service: &str| {
        let kind = project
            .services
            .get(service)
            .and_then(|s| s.environment.get("KIND"));
        match kind.and_then(Option::as_deref) {
            Some("once") => true,
            Some("dies") => unverified,
            _ => false,
        }
    };
    let left = plan.steps().any(|(_, step)| match &step.action {
        Action::Wait { .. } | Action::Verify { .. } | Action::Join => false,
        Action::StartContainer { service, .. }
        | Action::CopyFiles { service, .. }
        | Action::RunHook { service, .. } => !ends(service),
        _ => true,
    });
    left.then(|| render_text(plan, PROJECT, &|_| None))
}

/// Makes a failing case simpler as long as it fails, by so many tries.
pub fn shrink(mut case: Case, mut wrong: Wrong, limit: usize) -> (Case, Wrong) {
    let mut tries = 0;
    'simpler: loop {
        for simpler in case.simpler() {
            let Some((_, trouble)) = simpler.trouble else {
                if let Err(found) = attempt(&simpler)
                    && alike(&found, &wrong)
                {
                    (case, wrong) = (simpler, found);
                    continue 'simpler;
                }
                continue;
            };
            let moved = (0..60).map(|call| Some((At::Call(call), trouble)));
            for trouble in std::iter::once(simpler.trouble).chain(moved) {
                let simpler = Case {
                    trouble,
                    ..simpler.clone()
                };
                tries += 1;
                if tries > limit {
                    return (case, wrong);
                }
                if let Err(found) = attempt(&simpler)
                    && alike(&found, &wrong)
                {
                    (case, wrong) = (simpler, found);
                    continue 'simpler;
                }
            }
        }
        return (case, wrong);
    }
}

/// Another fault must not take the first one's place.
fn alike(one: &Wrong, other: &Wrong) -> bool {
    let words = |wrong: &Wrong| -> Vec<String> {
        let words = wrong.text.split_whitespace().filter(|word| word.len() > 3);
        words
            .filter(|w| w.is_ascii() && !w.contains(char::is_numeric))
            .take(4)
            .map(str::to_owned)
            .collect()
    };
    words(one) == words(other)
}

/// Tries a case; a panic is wrong, too.
pub fn attempt(case: &Case) -> Result<(), Wrong> {
    caught(|| try_case(case))
}

/// The same of any trial.
pub fn caught(
    trial: impl FnOnce() -> Result<(), Wrong> + std::panic::UnwindSafe,
) -> Result<(), Wrong> {
    std::panic::catch_unwind(trial).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
        Err(Wrong {
            text: format!("panic: {}", text.unwrap_or_default()),
            calls: Vec::new(),
        })
    })
}
