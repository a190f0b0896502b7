//! An engine in memory, for tests and simulation.
//!
//! It follows what Docker Engine 28.5 was seen to do, refusals with their statuses and words
//! included: a plan that works here must not fail there. `tests/engines/fake_vs_real.rs` runs the same
//! random calls against both. Time is tokio's, so a paused clock makes it virtual; what the
//! "processes" do is told by a [`Script`]. [`Fake::fail`] injects faults, [`Fake::calls`] tells
//! what was asked.

mod archive;
mod calls;
mod census;
mod container_calls;
mod containers;
mod create;
mod events;
mod faults;
mod images;
mod networks;
mod script;
mod streams;
mod view;
mod volumes;
mod world;

pub use census::{Census, Holding, Overseer, Resident};
pub use faults::{Call, Fault, Way};
pub use images::FakeImage;
pub use script::{Act, Script};

use super::{
    ContainerDetails, ContainerState, EngineError, NetworkSummary, OutputStream, Reply,
    VolumeSummary,
};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::watch;
use world::World;

/// Decides how the process of a container behaves, from the container's name and request.
pub type Casting = dyn Fn(&str, &serde_json::Value) -> Script + Send + Sync;
/// Decides how long a call takes, from its kind.
pub type Latency = dyn Fn(&Call) -> Duration + Send + Sync;

/// The engine; clones are the same engine, as for a second client.
#[derive(Clone)]
pub struct Fake {
    shared: Arc<Shared>,
}

struct Shared {
    world: Mutex<World>,
    /// Counts changes, to wake the readers of logs and events.
    changes: watch::Sender<u64>,
}

impl Default for Fake {
    fn default() -> Self {
        Fake::new()
    }
}

impl Fake {
    /// One with the networks every engine has and the image `busybox:latest`.
    pub fn new() -> Self {
        Fake {
            shared: Arc::new(Shared {
                world: Mutex::new(World::new()),
                changes: watch::Sender::new(0),
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        // A panic elsewhere in a test must not hide behind a second one here.
        self.shared
            .world
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Changes the world and wakes its readers.
    fn change<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.lock();
        let result = act(&mut world);
        world.show();
        drop(world);
        self.shared.changes.send_modify(|n| *n += 1);
        result
    }

    // Settings.

    /// Sets how processes behave from now on.
    pub fn cast(
        &self,
        casting: impl Fn(&str, &serde_json::Value) -> Script + Send + Sync + 'static,
    ) {
        self.lock().casting = Arc::new(casting);
    }

    /// Sets how long calls take; no time at all otherwise.
    pub fn slow_down(&self, latency: impl Fn(&Call) -> Duration + Send + Sync + 'static) {
        self.lock().latency = Some(Arc::new(latency));
    }

    /// An image the engine has; it takes its tags from any other.
    pub fn add_image(&self, image: FakeImage) {
        self.lock().store_image(image);
    }

    /// An image that a pull finds; a pull of any other fails.
    pub fn add_remote_image(&self, image: FakeImage) {
        self.lock().remote.push(image);
    }

    /// A host port that some process outside holds.
    pub fn occupy_port(&self, port: u16) {
        self.lock().occupied.insert(port);
    }

    /// A host path that is not there, for mounts that must not create it.
    pub fn miss_path(&self, path: &str) {
        self.lock().missing_paths.insert(path.to_string());
    }

    /// Lets it be certain that the engine sees the files of this machine.
    pub fn share_files(&self) {
        self.lock().shares_files = true;
    }

    /// As it is at first: the engine may be on another machine.
    pub fn keep_files_apart(&self) {
        self.lock().shares_files = false;
    }

    /// Makes a call go wrong.
    pub fn fail(&self, fault: Fault) {
        self.lock().faults.push(fault);
    }

    /// Forgets all faults that have not struck.
    pub fn forgive(&self) {
        self.lock().faults.clear();
    }

    /// Shows the processes of its containers, as an engine on the same machine does; takes note
    /// of their ends only after a while.
    pub fn show_processes(&self, belated: Duration) {
        let mut world = self.lock();
        world.shows_processes = true;
        world.belated = belated;
    }

    /// The times of its log lines are whole seconds, as Podman's are.
    pub fn round_times(&self) {
        self.lock().rounds_times = true;
    }

    // Acts of others.

    /// Lets a running container's process end by itself.
    pub fn exit(&self, id_or_name: &str, code: i64) {
        self.act(id_or_name, Act::Exit(code));
    }

    /// Pauses a container.
    pub fn pause(&self, id_or_name: &str) {
        self.change(|world| {
            if let Ok(container) = world.get(id_or_name) {
                container.state = ContainerState::Paused;
            }
        });
    }

    /// Lets a container's process write a line, or its probe say something.
    pub fn act(&self, id_or_name: &str, act: Act) {
        let found = self.lock().find(id_or_name).ok();
        if let Some(id) = found {
            self.perform(&id, act);
        }
    }

    // Observation without a call.

    /// The calls so far.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    pub fn forget_calls(&self) {
        self.lock().calls.clear();
    }

    /// All containers by name.
    pub fn containers(&self) -> Vec<ContainerDetails> {
        let world = self.lock();
        let mut all: Vec<_> = world
            .containers
            .values()
            .map(|c| world.details(c))
            .collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// A container by id or name.
    pub fn container(&self, id_or_name: &str) -> Option<ContainerDetails> {
        let world = self.lock();
        let id = world.find(id_or_name).ok()?;
        Some(world.details(&world.containers[&id]))
    }

    /// All networks but the engine's own.
    pub fn networks(&self) -> Vec<NetworkSummary> {
        self.lock().own_networks()
    }

    pub fn volumes(&self) -> Vec<VolumeSummary> {
        self.lock().volume_rows()
    }

    /// Paths of the files copied into a container, in order.
    pub fn files(&self, id_or_name: &str) -> Vec<String> {
        let world = self.lock();
        world
            .find(id_or_name)
            .map(|id| world.containers[&id].files.clone())
            .unwrap_or_default()
    }

    // Calls.

    /// Writes a call down, lets it take its time and, where a fault is due, go wrong.
    fn call<'a, T: Send + 'a>(
        &'a self,
        method: &'static str,
        target: impl Into<String>,
        act: impl FnOnce(&Self) -> Result<T, EngineError> + Send + 'a,
    ) -> Reply<'a, T> {
        let call = Call {
            method,
            target: target.into(),
        };
        Box::pin(async move {
            let after = self.enter(call).await?;
            let result = act(self);
            self.leave(after).await?;
            result
        })
    }

    /// Lets a process of a container do something now, unless it has ended.
    fn perform(&self, id: &str, act: Act) {
        let (belated, has_ended) = {
            let world = self.lock();
            let container = world.containers.get(id);
            let has_ended = container.is_some_and(|c| c.gone == Some(c.generation));
            (world.belated, has_ended)
        };
        if has_ended {
            return;
        }
        if !matches!(act, Act::Exit(_)) || belated.is_zero() {
            return self.note(id, act);
        }
        let generation = self.change(|world| {
            let container = world.containers.get_mut(id)?;
            container.gone = Some(container.generation);
            container.gone
        });
        if let Some(generation) = generation {
            self.later(id, generation, belated, |fake, id| fake.note(id, act));
        }
    }

    /// What the engine learns of it.
    fn note(&self, id: &str, act: Act) {
        let restart = self.change(|world| match act {
            Act::Exit(code) => world.exit(id, code, false),
            Act::Health(health) => {
                world.set_health(id, health);
                None
            }
            Act::Print(stream, text) => {
                world.print(id, stream, &text);
                None
            }
        });
        if let Some((delay, generation)) = restart {
            self.later(id, generation, delay, |fake, id| {
                fake.revive(id);
            });
        }
    }

    /// Starts a container again by its restart policy.
    fn revive(&self, id: &str) {
        let started = self.change(|world| world.start(id, true));
        if started.is_ok() {
            self.play(id);
        }
    }

    /// Does something after a while, if the container's process is still the same.
    fn later(
        &self,
        id: &str,
        generation: u64,
        delay: Duration,
        act: impl FnOnce(&Fake, &str) + Send + 'static,
    ) {
        let shared = Arc::downgrade(&self.shared);
        let id = id.to_string();
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            let Some(shared) = shared.upgrade() else {
                return;
            };
            let fake = Fake { shared };
            let same = fake.lock().generation(&id) == Some(generation);
            if same {
                act(&fake, &id);
            }
        });
    }

    /// Plays the script of a container that has just started.
    fn play(&self, id: &str) {
        let (generation, acts) = {
            let world = self.lock();
            let Some(container) = world.containers.get(id) else {
                return;
            };
            (container.generation, container.acts())
        };
        for (delay, act) in acts {
            if delay.is_zero() {
                // At once, so that it is there when the start's answer is.
                self.perform(id, act);
            } else {
                self.later(id, generation, delay, move |fake, id| fake.perform(id, act));
            }
        }
    }
}

/// Refusals as the engine puts them.
fn refuse(status: u16, message: impl Into<String>) -> EngineError {
    let message = message.into();
    match status {
        404 => EngineError::NotFound { message },
        409 => EngineError::Conflict { message },
        _ => EngineError::Refused { status, message },
    }
}

/// A line of a log.
#[derive(Debug, Clone)]
struct LogLine {
    /// Nanoseconds since the epoch.
    time: i64,
    stream: OutputStream,
    text: String,
}
