//! Where a run has led: everything that is the same whichever way it was reached.

use super::law::{Slot, final_name, is_homeless, is_ours, slot};
use super::stage::PROJECT;
use regatta::engine::fake::{Census, Fake};
use regatta::engine::{ContainerState, Health};
use std::collections::{BTreeMap, BTreeSet};

/// Of one that is down, and whose namespace is gone.
const HOMELESS_AND_DOWN: &str = "homeless and down";

/// The same of one that dies whenever it is started.
const HOMELESS_AND_DEAD: &str = "homeless and dead";

/// Names of what was there before.
pub struct Before {
    volumes: BTreeSet<String>,
}

impl Before {
    pub fn of(fake: &Fake) -> Before {
        fake.census(|census| {
            // An anonymous one that nobody has used yet is as good as new.
            let kept = census.volumes().filter(|v| v.has_data || !v.anonymous);
            Before {
                volumes: kept.map(|v| v.name.to_owned()).collect(),
            }
        })
    }
}

/// In what two ends may differ that are as good as each other.
#[derive(Clone, Default)]
pub struct Leeway {
    /// Volumes that each attempt makes afresh, and leaves.
    pub volumes: bool,
    /// With `-V` a new container has empty anonymous volumes, and one that is completed those that
    /// it was made with: also where the service does not ask for any there any more.
    pub renewed: bool,
    /// Where nothing is to be started, a container that was stopped for its network is as good as
    /// the new one that takes its place when the command was killed before it was back on it.
    pub idle: bool,
    /// Where a change fails and what was there before never ran, there is nothing to come back to:
    /// what stays in that place, the old one or the new, does not count.
    pub fails: bool,
    /// Hashes of services as they are to be. Where a change fails, how far it gets with services that
    /// do not fail themselves is a matter of moments: one that runs as it should be is no harm where
    /// an undisturbed run has left the one before it.
    pub wanted: BTreeSet<String>,
    /// That counts in both directions: of two at once nobody is undisturbed.
    pub both_ways: bool,
    /// It counts in both directions for these services, and whether the change fails or not.
    pub hesitant: Vec<String>,
    /// A change was killed before. Where one fails then, what it has stopped may be up again or not.
    pub killed: bool,
    /// Services of which where a change fails neither the old nor the new one may be able to run.
    pub entangled: Vec<String>,
}

impl Leeway {
    fn is_bereft(&self, line: &str) -> bool {
        self.fails && is_of(line, &self.entangled)
    }

    /// Whether a container may be so where an undisturbed run leaves it otherwise.
    fn excuses(&self, line: &str, undisturbed: &str) -> bool {
        let hesitant = is_of(line, &self.hesitant);
        let comes_back = |up: &str, other: &str| {
            let down = up.replace(", running,", ", exited,");
            down != up && unversioned(&down) == unversioned(other)
        };
        // In the hash of who lives in a namespace stands an id: which of two it is does not show.
        let lodges = |line: &str| line.contains(", hash ,");
        self.fails && hesitant && lodges(line) && lodges(undisturbed)
            || (self.fails || hesitant) && self.gets_further(line, undisturbed)
            || (self.fails && self.both_ways || hesitant) && self.gets_further(undisturbed, line)
            || self.fails && self.killed && comes_back(line, undisturbed)
            || self.fails && self.killed && hesitant && comes_back(undisturbed, line)
    }

    /// Whether a container is as it should be, in the same state as another that is not.
    fn gets_further(&self, line: &str, than: &str) -> bool {
        let told = |line: &str, part: &str| {
            let mut parts = line.split(", ").map(str::to_owned);
            parts.find_map(|p| p.strip_prefix(part).map(str::to_owned))
        };
        let is_wanted = |line: &str| {
            let hash = told(line, "hash ");
            hash.is_some_and(|hash| self.wanted.contains(&hash))
        };
        let lives = |state: &str| ["running", "exited"].contains(&state);
        let state = |line: &str| line.split(", ").nth(1).map(str::to_owned);
        !line.starts_with("container <id>_")
            && is_wanted(line)
            && !is_wanted(than)
            && state(line) == state(than)
            && state(line).is_some_and(|state| lives(&state))
    }

    fn simplified(&self, line: &str) -> String {
        let mut parts: Vec<String> = line.split(", ").map(str::to_owned).collect();
        if !line.starts_with("container ") {
            return line.to_owned();
        }
        for part in &mut parts {
            if self.renewed && part.starts_with("mounts ") {
                let is_anonymous = |word: &&str| {
                    let volume = word.split_once('=').map(|(_, volume)| volume);
                    volume.is_some_and(|volume| volume.len() == 12 || volume == "new")
                };
                let words = part.split(' ').filter(|word| !is_anonymous(word));
                *part = words.collect::<Vec<_>>().join(" ").trim_end().to_owned();
            }
            // The failed host of one that died stays, stopped, where it may have data, or goes.
            // And what its engine starts again and again is no better than what has died once.
            if self.fails && [HOMELESS_AND_DEAD, "up"].contains(&part.as_str()) {
                *part = "exited".to_owned();
            }
            if [HOMELESS_AND_DOWN, HOMELESS_AND_DEAD].contains(&part.as_str()) {
                *part = "homeless".to_owned();
            }
            if self.idle && ["exited", "has run", "created", "never ran"].contains(&part.as_str()) {
                *part = "idle".to_owned();
            }
            // Which network it is shows only once it was started.
            if self.idle && part.starts_with("on ") {
                *part = unversioned(part);
            }
        }
        parts.join(", ")
    }
}

/// The end of a run, in words that can be compared.
#[derive(PartialEq, Eq, Debug)]
pub struct Outcome {
    pub lines: Vec<String>,
    pub slots: BTreeSet<Slot>,
    /// Numbers that run, in namespaces that are there.
    pub running: BTreeSet<Slot>,
}

impl Outcome {
    pub fn of(fake: &Fake, before: &Before) -> Outcome {
        let networks: BTreeMap<String, String> = fake
            .networks()
            .into_iter()
            .map(|n| {
                let version = n.labels.get("v").cloned().unwrap_or_default();
                (n.id, format!("{}({version})", n.name))
            })
            .collect();
        fake.census(|census| {
            let mut lines = containers(census, before, &networks);
            lines.extend(networks.values().map(|name| format!("network {name}")));
            lines.extend(volumes(census, before));
            lines.sort();
            let slots = census.containers().filter(is_ours);
            let running = census.containers().filter(is_ours);
            let running = running.filter(|c| c.state == ContainerState::Running);
            let running = running.filter(|c| !is_homeless(census, c));
            Outcome {
                lines,
                slots: slots.filter_map(|c| slot(&c)).collect(),
                running: running.filter_map(|c| slot(&c)).collect(),
            }
        })
    }

    /// How this end differs from that of an undisturbed run.
    pub fn difference(&self, undisturbed: &Outcome, leeway: &Leeway) -> Option<String> {
        let simplified = |outcome: &Outcome| -> Vec<String> {
            let lines = outcome.lines.iter().filter(|line| !leeway.is_bereft(line));
            lines.map(|line| leeway.simplified(line)).collect()
        };
        let (mut here, mut there) = (simplified(self), simplified(undisturbed));
        let mut void: Vec<String> = Vec::new();
        if leeway.fails {
            void.extend(undisturbed.lines.iter().filter_map(|l| never_ran(l)));
            // Or what a killed run had created, where this one fails in replacing that (`--force`),
            // and an undisturbed one in adding it.
            let dead = |name: &String| {
                let lines = undisturbed.lines.iter();
                let mut there = lines.filter(|l| container_name(l) == Some(name.as_str()));
                there.all(|l| !l.contains(", running,"))
            };
            void.extend(self.lines.iter().filter_map(|l| never_ran(l)).filter(dead));
        }
        for line in &self.lines {
            let mut others = undisturbed.lines.iter();
            let name = container_name(line);
            let than = others.find(|other| name.is_some() && container_name(other) == name);
            if than.is_some_and(|than| leeway.excuses(line, than)) {
                void.extend(name.map(str::to_owned));
            }
        }
        let kept: Vec<String> = self
            .lines
            .iter()
            .filter(|line| is_kept_for_data(line))
            .map(|line| leeway.simplified(line))
            .collect();
        for line in here.iter_mut().chain(&mut there) {
            if let Some(name) = container_name(line)
                && void.iter().any(|other| other == name)
            {
                *line = format!("container {name}");
            }
        }
        // Where what was there before never ran, also one that did and failed may be left beside it.
        let runs = |name: &String| {
            let mut lines = self.lines.iter();
            lines.any(|l| container_name(l) == Some(name.as_str()) && l.contains(", running,"))
        };
        let beside: Vec<String> = void.iter().filter(|name| !runs(name)).cloned().collect();
        let is_second = |line: &String| {
            leeway.killed
                && beside
                    .iter()
                    .any(|name| *line == format!("container {name}"))
        };
        let mut text = String::new();
        for line in &there {
            // To leave fewer that nobody ever used is no fault, nor of successors that failed.
            let is_rubbish = line.starts_with("new volume, never used")
                || leeway.fails && line.starts_with("new volume, with data");
            if is_rubbish || (leeway.volumes && line.starts_with("volume ")) {
                continue;
            }
            if count(&here, line) < count(&there, line) {
                text.push_str(&format!("    only undisturbed: {line}\n"));
            }
        }
        for line in &here {
            // Of a change that fails the new container's own volumes go with it; but one that an
            // earlier run has started may have been used for days: it stays for them, stopped.
            let has_data = line.starts_with("new volume, with data") || kept.contains(line);
            let is_of_the_failed = leeway.fails && (has_data || is_second(line));
            if is_of_the_failed || (leeway.volumes && line.contains("volume,")) {
                continue;
            }
            if count(&there, line) < count(&here, line) {
                text.push_str(&format!("    only disturbed:   {line}\n"));
            }
        }
        (!text.is_empty()).then_some(text)
    }
}

/// Without the versions of networks.
fn unversioned(line: &str) -> String {
    let words = line.split(' ').map(|w| w.split('(').next().unwrap_or(w));
    words.collect::<Vec<_>>().join(" ")
}

/// The name of a line's container, without the prefix of a successor.
fn container_name(line: &str) -> Option<&str> {
    let (name, _) = line.strip_prefix("container ")?.split_once(',')?;
    Some(name.strip_prefix("<id>_").unwrap_or(name))
}

/// Whether a line's container is one of these services'.
fn is_of(line: &str, services: &[String]) -> bool {
    let name = container_name(line);
    let is_one = |service: &String| {
        let stem = format!("{PROJECT}-{service}-");
        name.is_some_and(|name| name.starts_with(&stem))
    };
    services.iter().any(is_one)
}

fn never_ran(line: &str) -> Option<String> {
    let name = container_name(line)?;
    line.contains(", never ran,").then(|| name.to_owned())
}

/// Whether it is a successor that has ended, and has an anonymous volume.
fn is_kept_for_data(line: &str) -> bool {
    let Some((_, mounts)) = line.split_once(", mounts ") else {
        return false;
    };
    let mounts = mounts.split(", on ").next().unwrap_or_default();
    let volumes = mounts.split(' ').filter_map(|m| m.split_once('='));
    let mut volumes = volumes.map(|(_, volume)| volume);
    let down = [", exited, has run,", HOMELESS_AND_DOWN, HOMELESS_AND_DEAD];
    line.starts_with("container <id>_")
        && down.iter().any(|words| line.contains(words))
        && volumes.any(|volume| ["new", "any"].contains(&volume) || volume.len() == 12)
}

fn count(lines: &[String], line: &str) -> usize {
    lines.iter().filter(|l| *l == line).count()
}

fn containers(
    census: &Census<'_>,
    before: &Before,
    networks: &BTreeMap<String, String>,
) -> Vec<String> {
    let ours = census.containers().filter(is_ours);
    ours.map(|c| {
        let label = |key: &str| c.labels.get(&format!("com.docker.compose.{key}"));
        let mut mounts: Vec<String> = c
            .mounts
            .iter()
            .map(
                |m| match m.name.len() == 64 && !before.volumes.contains(&m.name) {
                    true => format!("{}=new", m.destination),
                    false => format!("{}={:.12}", m.destination, m.name),
                },
            )
            .collect();
        mounts.sort();
        // Who was not started since it joined a network finds the one that has the name then.
        let present = |name: &str| {
            let mut all = networks.values();
            all.find(|n| n.split('(').next() == Some(name))
        };
        let attached: Vec<&str> = c
            .networks
            .iter()
            .map(|(name, id)| match id.is_empty() {
                true => present(name).unwrap_or(name).as_str(),
                false => networks.get(id).unwrap_or(name).as_str(),
            })
            .collect();
        // An exit status tells how it was stopped, which may be by an earlier attempt.
        format!(
            "container {}, {}, {}, hash {:.8}, image {:.15}, mounts {}, on {}",
            match final_name(c.name) {
                name if name == c.name => name.to_owned(),
                name => format!("<id>_{name}"),
            },
            // Who dies and is started again and again is found in this state or that.
            match c.state.is_up() {
                false if c.has_run && is_homeless(census, &c) => match c.says("KIND=dies") {
                    true => HOMELESS_AND_DEAD,
                    false => HOMELESS_AND_DOWN,
                },
                true if c.has_run && is_homeless(census, &c) => "homeless",
                true if c.says("KIND=dies") => "up",
                true if c.health == Some(Health::Unhealthy) => "unhealthy",
                _ => c.state.as_str(),
            },
            if c.has_run { "has run" } else { "never ran" },
            // In the hash of who shares a namespace stands the id of the other.
            match c.networks.is_empty() {
                true => "",
                false => label("config-hash").map_or("", String::as_str),
            },
            label("image").map_or("", String::as_str),
            mounts.join(" "),
            attached.join(" ")
        )
    })
    .collect()
}

fn volumes(census: &Census<'_>, before: &Before) -> Vec<String> {
    let used: BTreeSet<&str> = census
        .containers()
        .flat_map(|c| c.mounts.iter().map(|m| m.name.as_str()))
        .collect();
    let mut lines = Vec::new();
    // Claims of the project's lock are judged for themselves.
    let is_claim = |name: &str| name.contains("_regatta-lock.");
    for volume in census.volumes().filter(|v| !is_claim(v.name)) {
        if !volume.anonymous || before.volumes.contains(volume.name) {
            lines.push(format!("volume {:.12}", volume.name));
        } else if !used.contains(volume.name) {
            let data = if volume.has_data {
                "with data"
            } else {
                "never used"
            };
            lines.push(format!("new volume, {data}, that nobody mounts"));
        }
    }
    lines
}
