//! One case: what is there, what is asked for, and what goes wrong on the way.

use super::chance::Chance;
use super::command::{Command, Up};
use super::draft::{Condition, Draft, Drafts, Kind, Policy, draft, vary};
use super::extra::extend;
use super::outcome::Leeway;
use std::collections::BTreeSet;

/// Something that was done to the project's containers before.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    Stop(usize),
    Remove(usize),
    /// Its process ends with this code.
    Exit(usize, i64),
    /// A recreation by Docker Compose was killed: for each container that it was about, how far it
    /// came (created, stopped, removed, renamed).
    ComposeKilled(Vec<usize>),
    /// Our own `up` was killed after this part (of a million) of its calls.
    Killed(usize),
    /// Somebody builds another image under the same name.
    NewImage,
}

/// Where on the way something goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// After this part, of a million, of the calls that an undisturbed run makes.
    Part(usize),
    Call(usize),
}

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The engine refuses.
    Error,
    /// The connection breaks before the engine has read the request.
    Broken,
    /// It is done, but the answer gets lost.
    Lost,
    /// The program is killed just before the call.
    Kill,
    /// The program is killed just after the request was sent.
    KillAfter,
    /// The user presses Ctrl-C so many times, half a second apart; the first time so many
    /// milliseconds after the call began.
    CtrlC { later: u64, times: usize },
    /// It is never answered, whether it is done or not; after a while the user presses Ctrl-C
    /// until that ends the program.
    Hang { done: bool },
}

impl Trouble {
    /// Whether the program ends with it.
    pub fn kills(self) -> bool {
        matches!(self, Trouble::Kill | Trouble::KillAfter)
    }

    /// Whether the program ends in good order, before it has done everything.
    pub fn is_graceful(self) -> bool {
        matches!(self, Trouble::CtrlC { times: 1, .. })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Of everything that happens while it runs.
    pub luck: u64,
    pub before: Drafts,
    pub acts: Vec<Act>,
    pub after: Drafts,
    pub command: Command,
    pub trouble: Option<(At, Trouble)>,
    /// The same for the attempt after it.
    pub again: Option<(At, Trouble)>,
    /// A port that somebody else holds.
    pub taken: Option<u16>,
    /// Of two at once the first may meet any trouble, not only death.
    pub rough: bool,
    /// The next attempt does not wait until the engine has done what the first one asked for.
    pub at_once: bool,
    /// The engine shows its processes, and learns of their ends so many milliseconds late.
    pub shown: Option<u64>,
}

impl Case {
    pub fn from_seed(seed: u64) -> Case {
        // Neighbouring seeds begin alike: go on until they do not.
        let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..4 {
            chance.below(2);
        }
        let chance = &mut chance;
        let before = draft(chance);
        let after = match chance.below(8) {
            0 => before.clone(),
            _ => vary(chance, &before),
        };
        let acts = (0..[0, 0, 1, 1, 2, 3][chance.below(6)])
            .map(|_| act(chance))
            .collect();
        let command = command(chance, &after);
        let at = At::Part(chance.below(1_000_000));
        let trouble = match chance.below(20) {
            0 => None,
            1..4 => Some(Trouble::Error),
            4 => Some(Trouble::Broken),
            5..8 => Some(Trouble::Lost),
            8..14 => Some(Trouble::Kill),
            _ => Some(Trouble::KillAfter),
        };
        let mut case = Case {
            luck: chance.0,
            before,
            acts,
            after,
            command,
            trouble: trouble.map(|trouble| (at, trouble)),
            at_once: chance.below(2) == 0,
            again: None,
            taken: None,
            rough: false,
            shown: None,
        };
        extend(seed, &mut case);
        case
    }

    /// Nothing stands in the way of the command.
    pub fn must_go_well(&self) -> bool {
        let drafts = &self.after.services;
        let sound = drafts
            .iter()
            .all(|d| matches!(d.kind, Kind::Server | Kind::Once));
        // Who shares a namespace finds nobody to share with when that one was taken away, unless
        // the other is brought up and it is made anew; also who did so before, and stays outdated.
        let mut all = drafts.iter().chain(&self.before.services);
        let shares = all.any(|d| d.shares_with.is_some());
        sound
            && self.taken.is_none()
            && !self.moves_ports_unordered()
            && match &self.command {
                Command::Start { .. } => false,
                // What a killed `up` had just created may lack its network, which no restart makes.
                // Nor does it start what somebody has stopped, and others wait for.
                // And it waits for what a service needs, which nobody may have created.
                Command::Restart { .. } => {
                    let is_as_left = !self.was_killed() && !self.was_stopped();
                    !shares && is_as_left && !self.lacks_a_dependency()
                }
                Command::Up(up) => {
                    !shares || !(up.never || up.no_deps || up.scale.iter().any(|(_, n)| *n == 0))
                }
                _ => true,
            }
    }

    /// A service waits for another one that may have no container before the command: none was
    /// created, or somebody removed it.
    fn lacks_a_dependency(&self) -> bool {
        let was_removed = self.acts.iter().any(|act| matches!(act, Act::Remove(_)));
        let is_there = |name: &String| {
            let mut before = self.before.services.iter();
            !was_removed && before.any(|d| d.name == *name && d.scale > 0 && !d.off)
        };
        let mut edges = self.after.services.iter().flat_map(|d| &d.edges);
        edges.any(|e| e.required && e.condition != Condition::Started && !is_there(&e.to))
    }

    /// Known: after a change that was killed before, those who live in each other's namespaces may
    /// have no old ones left that fit together; where the next change fails, too, some stay down. Nor
    /// does anybody come back whose host has ended, where the command is not about that, or whose host
    /// port another has by then that it depends on.
    pub fn entangled(&self) -> Vec<String> {
        let ended = self.was_stopped();
        let alone = matches!(&self.command, Command::Up(up) if up.no_deps);
        let is_known = self.was_killed() || ended && alone;
        let drafts = self.before.services.iter().chain(&self.after.services);
        let sharing = drafts.filter(|d| d.shares_with.is_some() && is_known);
        let both = sharing.flat_map(|d| d.shares_with.iter().chain([&d.name]));
        let mut entangled: Vec<String> = both.cloned().collect();
        if self.moves_ports_unordered() {
            let givers = self.port_moves().into_iter().map(|(giver, _)| giver);
            entangled.extend(givers.map(|giver| giver.name.clone()));
        }
        entangled
    }

    fn dies(&self, service: &str) -> bool {
        let mut services = self.after.services.iter();
        services.any(|d| d.name == service && d.kind == Kind::Dies)
    }

    /// Services that die while nobody watches, and those who live with them: where the change fails for
    /// another reason, whether they were found dead is a matter of moments.
    fn dying_unseen(&self) -> Vec<String> {
        let services = &self.after.services;
        let dies = |name: &str| self.dies(name);
        let unseen = services.iter().filter(|_| self.may_die_unseen());
        let unseen = unseen.filter(|d| dies(&d.name) || d.shares_with.as_deref().is_some_and(dies));
        unseen.map(|d| d.name.clone()).collect()
    }

    /// Whether only what was cut short before tells which of two containers with one number runs: `start`
    /// and `restart` take the one that is up, else the one with the proper name.
    pub fn may_stand_for_each_other(&self) -> bool {
        let as_they_are = matches!(
            &self.command,
            Command::Start { .. } | Command::Restart { .. }
        );
        as_they_are && self.was_killed()
    }

    /// Whether the one that is up of two with a number may have become the other since, in whose
    /// namespaces those who share them do not live.
    pub fn may_have_lost_its_lodgers(&self) -> bool {
        let mut drafts = self.before.services.iter().chain(&self.after.services);
        self.may_stand_for_each_other() && drafts.any(|d| d.shares_with.is_some())
    }

    /// Whether only the first attempt has anything to complete: with `--no-recreate` what an earlier run
    /// has begun; where that is called off, the old one is back, and stays.
    pub fn completes_once(&self) -> bool {
        matches!(&self.command, Command::Up(up) if up.never) && self.was_killed()
    }

    /// Services whose old container may stay where an undisturbed run replaces it, or the other way
    /// round: where only the first attempt completes anything. And what needs something that dies gets
    /// its turn or not, as that is found dead a moment sooner or later. Whom something that dies lives
    /// with comes back with what an earlier attempt has left of that, where there is any.
    fn hesitant(&self) -> Vec<String> {
        let completes = self.completes_once();
        let services = &self.after.services;
        let needs_dying = |d: &Draft| {
            let mut names = services.iter().map(|d| &d.name);
            names.any(|name| self.dies(name) && self.after.needs(d, name))
        };
        let hosts_dying = |host: &Draft| {
            let mut lodgers = services.iter();
            let is_host = |d: &Draft| d.shares_with.as_ref() == Some(&host.name);
            !self.may_die_unseen() && lodgers.any(|d| is_host(d) && self.dies(&d.name))
        };
        let is_hesitant = |d: &&Draft| completes || needs_dying(d) || hosts_dying(d);
        let hesitant = services.iter().filter(is_hesitant);
        hesitant.map(|d| d.name.clone()).collect()
    }

    /// The host ports that one service publishes now, and another is to publish: giver and getter.
    fn port_moves(&self) -> Vec<(&Draft, &Draft)> {
        let mut moves = Vec::new();
        for getter in &self.after.services {
            let others = self.before.services.iter();
            let givers = others
                .filter(|d| d.name != getter.name && d.port.is_some() && d.port == getter.port);
            moves.extend(givers.map(|giver| (giver, getter)));
        }
        moves
    }

    /// Whether a service is to publish what another publishes now. Known: after a kill the giver may
    /// be stopped, and nobody knows what it published; it may start again, or be owed a start, when
    /// the getter has its port.
    pub fn moves_ports(&self) -> bool {
        !self.port_moves().is_empty()
    }

    /// Whether the getter may start before the giver has stopped, and fail: where the giver stays, or
    /// depends on the getter, or who lives with it does, or more than one port moves.
    pub fn moves_ports_unordered(&self) -> bool {
        let moves = self.port_moves();
        let Command::Up(up) = &self.command else {
            return !moves.is_empty();
        };
        let after = |name: &str| self.after.services.iter().find(|d| d.name == name);
        let gives = |giver: &Draft| match after(&giver.name) {
            Some(next) => {
                let all = up.services.is_empty() && !up.never;
                all && !next.off && next.port != giver.port
            }
            None => up.orphans,
        };
        let waits_for = |name: &str, getter: &Draft| {
            after(name).is_some_and(|d| self.after.needs(d, &getter.name))
        };
        moves.len() > 1
            || moves.iter().any(|(giver, getter)| {
                let mut others = self.before.services.iter();
                !gives(giver)
                    || waits_for(&giver.name, getter)
                    || others.any(|d| {
                        d.shares_with.as_ref() == Some(&giver.name) && waits_for(&d.name, getter)
                    })
            })
    }

    /// Whether a start that a killed run asked for may come through while the next run replaces what
    /// has not begun to run. Known: it holds its port then, and its successor fails; again, it goes well.
    pub fn may_start_late(&self) -> bool {
        let replaces =
            matches!(&self.command, Command::Up(up) if up.force || up.renew || up.always_deps);
        let publishes = self.after.services.iter().any(|d| d.port.is_some());
        self.at_once && replaces && publishes
    }

    /// Whether a hook may find a one-shot ended that a killed run has started just before: it fails, and
    /// the command with it. Given again, the command starts the one-shot anew, and goes well.
    pub fn may_hook_late(&self) -> bool {
        let mut services = self.after.services.iter();
        self.at_once && services.any(|d| d.hooks && d.kind == Kind::Once)
    }

    /// Whether the engine starts again what dies.
    pub fn has_crash_loops(&self) -> bool {
        let mut services = self.after.services.iter();
        services.any(|d| d.kind == Kind::Dies && d.policy != Policy::No)
    }

    /// Whether nobody watches what dies: only whoever finds it dead fails.
    pub fn may_die_unseen(&self) -> bool {
        let mut services = self.after.services.iter();
        matches!(&self.command, Command::Up(up) if up.unverified)
            && services.any(|d| d.kind == Kind::Dies)
    }

    /// Whether something has ended, or was stopped, before.
    fn was_stopped(&self) -> bool {
        let ends = |act: &Act| matches!(act, Act::Exit(..) | Act::Stop(..));
        self.acts.iter().any(ends)
    }

    /// Whether something was killed before.
    fn was_killed(&self) -> bool {
        let killed = |act: &Act| matches!(act, Act::Killed(_) | Act::ComposeKilled(_));
        self.acts.iter().any(killed)
    }

    /// In what ends may differ. Volumes that nobody mounts: with `-V` each attempt makes some; and
    /// of two kills in a row empty ones may stay, as what may hold data is never removed on a
    /// guess.
    pub fn leeway(&self) -> Leeway {
        let renewed = self.command.renews();
        Leeway {
            volumes: renewed || self.was_killed(),
            renewed,
            fails: false,
            wanted: BTreeSet::new(),
            both_ways: false,
            hesitant: self.hesitant(),
            killed: self.was_killed(),
            entangled: [self.entangled(), self.dying_unseen()].concat(),
            idle: matches!(&self.command, Command::Up(up) if !up.start),
        }
    }

    /// Cases that are a little simpler.
    pub fn simpler(&self) -> Vec<Case> {
        let mut found = Vec::new();
        let mut add = |change: &dyn Fn(&mut Case)| {
            let mut case = self.clone();
            change(&mut case);
            case.before.mend();
            case.after.mend();
            if case != *self {
                found.push(case);
            }
        };
        let names = self.before.services.iter().chain(&self.after.services);
        let names: Vec<&str> = names.map(|d| d.name.as_str()).collect();
        for name in names {
            add(&|case| {
                for drafts in [&mut case.before, &mut case.after] {
                    drafts.services.retain(|d| d.name != name);
                    drafts.forget(name);
                }
                case.command.forget(name);
            });
        }
        add(&|case| case.before = case.after.clone());
        for at in 0..self.acts.len() {
            add(&|case| {
                case.acts.remove(at);
            });
        }
        for command in self.command.simpler() {
            add(&|case| case.command = command.clone());
        }
        for at in 0..self.before.services.len().max(self.after.services.len()) {
            let on_both = |case: &mut Case, change: &dyn Fn(&mut Draft)| {
                for drafts in [&mut case.before, &mut case.after] {
                    if let Some(draft) = drafts.services.get_mut(at) {
                        change(draft);
                    }
                }
            };
            add(&|case| on_both(case, &|d| d.scale = d.scale.min(1)));
            add(&|case| on_both(case, &|d| d.scale = d.scale.min(2)));
            add(&|case| on_both(case, &|d| d.edges.clear()));
            add(&|case| on_both(case, &|d| drop(d.edges.pop())));
            add(&|case| {
                on_both(case, &|d| {
                    d.edges.iter_mut().for_each(|e| e.restart = false)
                })
            });
            add(&|case| on_both(case, &|d| d.networks.clear()));
            add(&|case| on_both(case, &|d| d.volume = false));
            add(&|case| on_both(case, &|d| d.anonymous = false));
            add(&|case| on_both(case, &|d| d.shares_with = None));
            add(&|case| on_both(case, &|d| d.far_image = false));
            add(&|case| on_both(case, &|d| d.stubborn = 0));
            add(&|case| on_both(case, &|d| d.level = 0));
            add(&|case| on_both(case, &|d| d.named = false));
            add(&|case| on_both(case, &|d| d.port = None));
            add(&|case| on_both(case, &|d| d.policy = Policy::No));
            add(&|case| on_both(case, &|d| d.hooks = false));
            add(&|case| on_both(case, &|d| d.config = false));
            add(&|case| on_both(case, &|d| d.off = false));
        }
        add(&|case| case.after.networks = case.before.networks);
        add(&|case| case.again = None);
        add(&|case| case.trouble = None);
        add(&|case| case.taken = None);
        add(&|case| case.at_once = false);
        add(&|case| case.shown = None);
        found
    }
}

fn act(chance: &mut Chance) -> Act {
    match chance.below(10) {
        0 => Act::Stop(chance.below(8)),
        1 => Act::Remove(chance.below(8)),
        2 => Act::Exit(chance.below(8), chance.below(2) as i64),
        3 => Act::NewImage,
        4..7 => Act::Killed(chance.below(1_000_000)),
        _ => Act::ComposeKilled((0..4).map(|_| chance.below(4)).collect()),
    }
}

pub fn command(chance: &mut Chance, project: &Drafts) -> Command {
    let some = |chance: &mut Chance| -> Vec<String> {
        let drafts = project.services.iter();
        match chance.below(3) {
            0 => drafts
                .filter(|d| chance.below(2) == 0 && !d.off)
                .map(|d| d.name.clone())
                .collect(),
            _ => Vec::new(),
        }
    };
    let mut flag = |percent: usize| chance.below(100) < percent;
    let up = Up {
        services: Vec::new(),
        no_deps: flag(20),
        force: flag(15),
        never: flag(5),
        always_deps: flag(5),
        renew: flag(6),
        start: !flag(6),
        wait: flag(20),
        orphans: flag(60),
        unverified: flag(15),
        pull: flag(8),
        timeout: None,
        scale: Vec::new(),
    };
    match chance.below(20) {
        0 | 1 => Command::Down {
            services: some(chance),
            volumes: chance.below(3) == 0,
            orphans: chance.below(2) == 0,
            timeout: None,
        },
        2 => Command::Restart {
            services: some(chance),
            dependents: chance.below(4) > 0,
            timeout: None,
        },
        3 => Command::Stop {
            services: some(chance),
            dependents: chance.below(4) > 0,
            timeout: None,
        },
        4 => Command::Start {
            services: some(chance),
        },
        5 => Command::Remove {
            services: some(chance),
            stop: chance.below(2) == 0,
            volumes: chance.below(2) == 0,
        },
        _ => Command::Up(Up {
            services: some(chance),
            ..up
        }),
    }
}
