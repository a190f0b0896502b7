//! What came to the draws later: from a second stream of chance, so that the cases of known seeds stay
//! as they were. Every second seed has none of it.

use super::case::{At, Case, Trouble};
use super::chance::Chance;
use super::command::Command;
use super::draft::{Draft, Policy};

/// The chance of what is drawn here.
fn stream(seed: u64) -> Chance {
    let mut chance = Chance(seed.wrapping_mul(0xd6e8_feb8_6659_fd93) | 1);
    for _ in 0..4 {
        chance.below(2);
    }
    chance
}

/// Adds to a case what its seed says.
pub fn extend(seed: u64, case: &mut Case) {
    let mut chance = stream(seed);
    if chance.below(2) == 0 {
        return;
    }
    let chance = &mut chance;
    trouble(chance, case);
    command(chance, case);
    drafts(chance, case);
    case.rough = percent(chance, 60);
    if percent(chance, 10) {
        case.taken = Some(PORTS[chance.below(2)]);
    }
    if percent(chance, 10) {
        move_port(chance, case);
    }
    case.before.mend();
    case.after.mend();
    let one = |name: &String| {
        let drafts = case.after.services.iter();
        let mut ones = drafts.filter(|d| d.named || d.port.is_some());
        ones.any(|d| d.name == *name)
    };
    if let Command::Up(up) = &mut case.command {
        for (name, number) in &mut up.scale {
            *number = if one(name) { (*number).min(1) } else { *number };
            // Nobody can share with a service that has no container.
            let mut drafts = case.after.services.iter();
            if drafts.any(|d| d.shares_with.as_ref() == Some(name)) {
                *number = (*number).max(1);
            }
        }
    }
}

/// One service gives its port to another.
fn move_port(chance: &mut Chance, case: &mut Case) {
    let drafts = &mut case.after.services;
    let Some(giver) = drafts.iter().position(|d| d.port.is_some()) else {
        return;
    };
    let getter = chance.below(drafts.len());
    if getter != giver && drafts[getter].port.is_none() {
        drafts[getter].port = drafts[giver].port.take();
    }
}

fn percent(chance: &mut Chance, percent: usize) -> bool {
    chance.below(100) < percent
}

fn trouble(chance: &mut Chance, case: &mut Case) {
    let at = At::Part(chance.below(1_000_000));
    let later = [0, 0, 30, 150, 400, 3000][chance.below(6)];
    let times = [1, 1, 1, 1, 2, 3][chance.below(6)];
    let done = percent(chance, 50);
    match chance.below(10) {
        0..4 => case.trouble = Some((at, Trouble::CtrlC { later, times })),
        4 => case.trouble = Some((at, Trouble::Hang { done })),
        _ => {}
    }
    let at = At::Part(chance.below(1_000_000));
    let again = [
        Trouble::Error,
        Trouble::Lost,
        Trouble::Kill,
        Trouble::KillAfter,
        Trouble::CtrlC { later, times },
    ];
    let again = again[chance.below(again.len())];
    if percent(chance, 30) && case.trouble.is_some() {
        case.again = Some((at, again));
    }
}

/// What is published, so few that they meet.
const PORTS: [u16; 2] = [8000, 8001];

fn drafts(chance: &mut Chance, case: &mut Case) {
    let before = case.before.services.iter();
    let names: Vec<String> = before.map(|d| d.name.clone()).collect();
    for name in names {
        let mut both = |change: &dyn Fn(&mut Draft), only_after: bool| {
            let before = case.before.services.iter_mut().filter(|_| !only_after);
            for draft in before.chain(&mut case.after.services) {
                if draft.name == name {
                    change(draft);
                }
            }
        };
        let only_after = percent(chance, 25);
        if percent(chance, 15) {
            both(&|d| d.named = true, only_after);
        }
        let port = PORTS[chance.below(2)];
        if percent(chance, 25) {
            both(&|d| d.port = Some(port), only_after);
        }
        let policies = [Policy::OnFailure, Policy::Always, Policy::UnlessStopped];
        let policy = policies[chance.below(3)];
        if percent(chance, 20) {
            both(&|d| d.policy = policy, only_after);
        }
        if percent(chance, 12) {
            both(&|d| d.hooks = true, only_after);
        }
        if percent(chance, 12) {
            both(&|d| d.config = true, only_after);
        }
        if percent(chance, 10) && !case.command.names(&name) {
            both(&|d| d.off = true, true);
        }
    }
}

fn command(chance: &mut Chance, case: &mut Case) {
    let limit = [0, 1, 3][chance.below(3)];
    if percent(chance, 25)
        && let Some(timeout) = case.command.timeout_mut()
    {
        *timeout = Some(limit);
    }
    let names: Vec<String> = case.after.services.iter().map(|d| d.name.clone()).collect();
    let Some(name) = names.get(chance.below(names.len())) else {
        return;
    };
    let number = chance.below(4) as u32;
    match (&mut case.command, chance.below(100)) {
        (Command::Up(up), 0..15) if up.services.is_empty() || up.services.contains(name) => {
            up.scale = vec![(name.clone(), number)];
        }
        // `scale`
        (Command::Up(up), 15..25) => {
            up.services = vec![name.clone()];
            up.scale = vec![(name.clone(), number)];
        }
        (command, 25..30) => {
            *command = Command::Kill {
                services: match number {
                    0 => Vec::new(),
                    _ => vec![name.clone()],
                },
                signal: ["SIGKILL", "SIGTERM", "SIGHUP"][chance.below(3)],
            };
        }
        _ => {}
    }
}
