//! What must hold after every change that the engine makes.

use super::stage::PROJECT;
use regatta::engine::fake::{Census, Fake, Resident};
use regatta::engine::{ContainerState, Health};
use regatta::project::Project;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// A service and a number.
pub type Slot = (String, u32);

/// What is known of a run.
#[derive(Default)]
struct Book {
    /// Containers of the project before.
    ours: BTreeSet<String>,
    /// Slots whose container was up before.
    alive: BTreeSet<Slot>,
    /// The containers that were, and the names of their networks.
    running: BTreeMap<String, BTreeSet<String>>,
    /// Slots of which a container was up whose host somebody had taken away.
    homeless: BTreeSet<Slot>,
    /// Containers of others: id → name.
    foreign: BTreeMap<String, String>,
    foreign_network: String,
    /// Slot → anonymous volume of its container, by where it is mounted.
    data: BTreeMap<(Slot, String), String>,
    /// Volumes that hold data, or were declared.
    volumes: Vec<String>,
    /// Containers of the project that have been there at some time.
    known: BTreeSet<String>,
    /// What was created when another had been stopped for its successor already.
    late: Option<String>,
    /// Containers that were ready at some time.
    ready: BTreeSet<String>,
    /// Slots that at some time had neither an old nor a ready container.
    abandoned: BTreeSet<Slot>,
    /// The first thing that was wrong.
    wrong: Option<String>,
}

impl Book {
    /// Whether it is no longer on one of the networks that it was on, which is there, or was made anew.
    fn is_cut_off(&self, census: &Census<'_>, resident: &Resident<'_>) -> bool {
        let mut before = self.running.get(resident.id).into_iter().flatten();
        before.any(|name| {
            let now = census.network(name);
            now.is_some() && resident.networks.get(name).map(String::as_str) != now
        })
    }
}

/// Looks on while a command runs.
#[derive(Clone)]
pub struct Oversight {
    book: Arc<Mutex<Book>>,
}

pub fn is_ours(resident: &Resident<'_>) -> bool {
    let project = resident.labels.get("com.docker.compose.project");
    project.map(String::as_str) == Some(PROJECT)
}

pub fn slot(resident: &Resident<'_>) -> Option<Slot> {
    let label = |key: &str| resident.labels.get(&format!("com.docker.compose.{key}"));
    let number = label("container-number")?.parse().ok()?;
    Some((label("service")?.clone(), number))
}

/// Whether it was made to live in a namespace of a container that is gone: it may run still, without
/// any network, but nothing can start it again.
pub fn is_homeless(census: &Census<'_>, resident: &Resident<'_>) -> bool {
    let mode = resident.request["HostConfig"]["NetworkMode"].as_str();
    let host = mode.and_then(|mode| mode.strip_prefix("container:"));
    host.is_some_and(|host| census.container(host).is_none())
}

/// The name without the prefix of a successor.
pub fn final_name(name: &str) -> &str {
    match name.split_once('_') {
        Some((prefix, rest)) if prefix.len() == 12 => rest,
        _ => name,
    }
}

/// What a command may do.
#[derive(Clone, Copy)]
pub struct Licence {
    pub removes_volumes: bool,
    /// New containers are started, and count only then.
    pub starts: bool,
    /// New containers with a healthcheck count when it is content.
    pub healthy: bool,
}

impl Oversight {
    /// Begins to look on.
    pub fn begin(fake: &Fake, project: &Project, licence: Licence) -> Oversight {
        let mut book = Book::default();
        fake.census(|census| {
            for resident in census.containers() {
                if !is_ours(&resident) {
                    book.foreign
                        .insert(resident.id.to_owned(), resident.name.to_owned());
                    continue;
                }
                book.ours.insert(resident.id.to_owned());
                book.known.insert(resident.id.to_owned());
                let Some(slot) = slot(&resident) else {
                    continue;
                };
                if resident.state == ContainerState::Running {
                    if is_homeless(census, &resident) {
                        book.homeless.insert(slot.clone());
                    }
                    for mount in resident.mounts.iter().filter(|m| m.name.len() == 64) {
                        let at = (slot.clone(), mount.destination.clone());
                        book.data.insert(at, mount.name.clone());
                    }
                    book.alive.insert(slot);
                    let networks = resident.networks.keys().cloned().collect();
                    book.running.insert(resident.id.to_owned(), networks);
                }
            }
            book.foreign_network = census.network("other_default").unwrap_or("").to_owned();
            let kept = census.volumes().filter(|v| v.has_data || !v.anonymous);
            book.volumes = kept.map(|v| v.name.to_owned()).collect();
        });
        let names: BTreeMap<String, String> = project
            .services
            .values()
            .map(|service| {
                let stem = format!("{PROJECT}-{}-", service.name);
                (service.name.clone(), stem)
            })
            .collect();
        let oversight = Oversight {
            book: Arc::new(Mutex::new(book)),
        };
        let shared = oversight.clone();
        fake.oversee(move |census| shared.look(census, &names, licence));
        oversight
    }

    fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        let book = self.book.lock();
        book.unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn look(&self, census: &Census<'_>, names: &BTreeMap<String, String>, licence: Licence) {
        let book = &mut *self.book();
        if book.wrong.is_some() {
            return;
        }
        let mut wrong = None;
        let mut covered: BTreeSet<Slot> = BTreeSet::new();
        for resident in census.containers().filter(is_ours) {
            let Some((service, number)) = slot(&resident) else {
                wrong = Some(format!("{} has no number", resident.name));
                continue;
            };
            let own = format!("own-{service}");
            if let Some(stem) = names.get(&service)
                && final_name(resident.name) != own
                && final_name(resident.name).strip_prefix(stem.as_str())
                    != Some(&number.to_string())
            {
                wrong = Some(format!("number {number} of {service} is {}", resident.name));
            }
            let says_config = resident.says("CONFIG=c");
            let is_up = resident.state == ContainerState::Running;
            if says_config && is_up && resident.files.is_empty() {
                wrong = Some(format!("{} runs without its config", resident.name));
            }
            let is_ready = match resident.health {
                _ if !licence.starts => true,
                _ if resident.state != ContainerState::Running => false,
                None | Some(Health::Healthy) => true,
                Some(Health::Starting) => !licence.healthy,
                Some(Health::Unhealthy) => false,
            };
            let is_new = book.known.insert(resident.id.to_owned());
            if is_new && let Some(old) = stopped_for_a_successor(census, book) {
                let new = resident.name;
                book.late = Some(format!("{new} was created after {old} was stopped"));
            }
            if is_ready {
                book.ready.insert(resident.id.to_owned());
            }
            if book.ours.contains(resident.id) || book.ready.contains(resident.id) {
                covered.insert((service, number));
            }
        }
        for slot in &book.alive {
            if !covered.contains(slot) {
                book.abandoned.insert(slot.clone());
            }
        }
        for (id, name) in &book.foreign {
            let resident = census.container(id);
            let same =
                resident.is_some_and(|r| r.name == name && r.state == ContainerState::Running);
            if !same {
                wrong = Some(format!("{name}, which is not ours, was touched"));
            }
        }
        if census.network("other_default") != Some(&book.foreign_network) {
            wrong = Some("a network that is not ours was touched".to_owned());
        }
        if let Some(gone) = book.volumes.iter().find(|name| !census.has_volume(name)) {
            let theirs = gone.starts_with("other") || gone.starts_with("lonely");
            if theirs || !licence.removes_volumes {
                wrong = Some(format!("volume {gone} with its data was removed"));
            }
        }
        book.wrong = wrong;
    }

    /// Whether every container has the anonymous volumes of the one before it.
    pub fn data_is_kept(&self, fake: &Fake) -> Result<(), String> {
        let book = self.book();
        fake.census(|census| {
            for resident in census.containers().filter(is_ours) {
                let Some(slot) = slot(&resident) else {
                    continue;
                };
                for mount in resident.mounts.iter().filter(|m| m.name.len() == 64) {
                    let at = (slot.clone(), mount.destination.clone());
                    if book.data.get(&at).is_some_and(|name| *name != mount.name) {
                        return Err(format!("{} lost its anonymous volume", resident.name));
                    }
                }
            }
            Ok(())
        })
    }

    /// Whether of what was up before, and is to stay, everything is up again, on its networks, where a
    /// change failed; but for those whose host was gone, which nothing can start again.
    /// `entangled` are services that may not be able to ([`super::case::Case::entangled`]).
    pub fn still_serves(
        &self,
        fake: &Fake,
        lasting: &BTreeSet<Slot>,
        entangled: &[String],
    ) -> Result<(), String> {
        let book = self.book();
        fake.census(|census| {
            let running = census.containers().filter(|c| {
                let is_up = c.state == ContainerState::Running;
                // Who had a temporary name before is back under that one, or was let alone.
                let is_itself = final_name(c.name) == c.name || book.running.contains_key(c.id);
                is_ours(c) && is_up && is_itself && !book.is_cut_off(census, c)
            });
            let serving: BTreeSet<Slot> = running.filter_map(|c| slot(&c)).collect();
            let owed = book.alive.intersection(lasting);
            let mut missing = owed.filter(|slot| !book.homeless.contains(slot));
            match missing.find(|slot| !serving.contains(slot) && !entangled.contains(&slot.0)) {
                Some((service, number)) => Err(format!(
                    "it fails and leaves number {number} of {service} down"
                )),
                None => Ok(()),
            }
        })
    }

    /// What was created only after something had been stopped for a successor: it might have failed
    /// before. Of a run that no other was killed before.
    pub fn created_late(&self) -> Option<String> {
        self.book().late.clone()
    }

    /// Whether nothing else was wrong than that there was neither an old nor a ready one.
    pub fn has_only_abandoned(&self) -> bool {
        self.book().wrong.is_none()
    }

    /// What was wrong. `lasting` are the slots that an undisturbed run leaves; what was homeless served
    /// nobody before.
    pub fn verdict(&self, lasting: &BTreeSet<Slot>) -> Result<(), String> {
        let book = self.book();
        if let Some(wrong) = &book.wrong {
            return Err(wrong.clone());
        }
        let mut abandoned = book.abandoned.intersection(lasting);
        match abandoned.find(|slot| !book.homeless.contains(slot)) {
            Some((service, number)) => Err(format!(
                "number {number} of {service} had neither an old nor a ready container"
            )),
            None => Ok(()),
        }
    }
}

/// A server that was up before and has been stopped although its successor, made in this run, has
/// not even been started: what could fail early had been done by then.
fn stopped_for_a_successor<'c>(census: &Census<'c>, book: &Book) -> Option<&'c str> {
    let of_servers = census.containers().filter(|c| c.says("KIND=server"));
    let mut stopped = of_servers.filter(|c| {
        let is_itself = book.running.contains_key(c.id) && final_name(c.name) == c.name;
        is_itself && c.state == ContainerState::Exited
    });
    let old = stopped.find(|old| {
        let mut others = census.containers().filter(is_ours);
        others.any(|other| {
            other.state == ContainerState::Created
                && slot(&other) == slot(old)
                && !book.ours.contains(other.id)
        })
    });
    old.map(|old| old.name)
}
