//! A client's connection to the engine: requests take their time, go wrong where they are told to,
//! and go on in the engine when the client has died.

use super::case::Trouble;
use super::chance::Chance;
use futures::StreamExt;
use futures::TryStreamExt;
use futures::stream;
use regatta::engine::fake::Fake;
use regatta::engine::*;
use regatta::interrupt::{Cause, Interrupts, Stage};
use serde_json::Value;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

/// Between one Ctrl-C and the next.
const PAUSE: Duration = Duration::from_millis(500);

/// So long a user waits for what hangs.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub struct Wire {
    fake: Fake,
    line: Arc<Line>,
}

/// Clients of one trial write into one log.
type Log = Arc<Mutex<Vec<(usize, String)>>>;

struct Line {
    client: usize,
    interrupts: Interrupts,
    log: Log,
    state: Mutex<State>,
    death: Notify,
}

struct State {
    chance: Chance,
    /// Longest time that a request or an answer is under way, in milliseconds.
    slowness: usize,
    trouble: Option<(Spot, Trouble)>,
    calls: usize,
    dead: bool,
    /// Requests under way, and whether the engine has read them.
    pending: Vec<(AbortHandle, Arc<AtomicBool>)>,
}

/// The call that something happens to.
#[derive(Clone, Copy)]
pub enum Spot {
    /// The nth of all.
    Call(usize),
    /// The first of a kind that takes something away or starts something.
    FirstChange,
}

impl Wire {
    pub fn new(fake: &Fake, luck: u64, slowness: usize) -> Wire {
        Wire::on(fake, luck, slowness, 0, Log::default())
    }

    /// Another client, whose calls are written into the same log.
    pub fn beside(&self, luck: u64) -> Wire {
        let slowness = self.state().slowness;
        let (client, log) = (self.line.client + 1, self.line.log.clone());
        Wire::on(&self.fake, luck, slowness, client, log)
    }

    fn on(fake: &Fake, luck: u64, slowness: usize, client: usize, log: Log) -> Wire {
        Wire {
            fake: fake.clone(),
            line: Arc::new(Line {
                client,
                interrupts: Interrupts::default(),
                log,
                state: Mutex::new(State {
                    chance: Chance(luck | 1),
                    slowness,
                    trouble: None,
                    calls: 0,
                    dead: false,
                    pending: Vec::new(),
                }),
                death: Notify::new(),
            }),
        }
    }

    pub fn with_trouble(self, trouble: Option<(Spot, Trouble)>) -> Wire {
        self.state().trouble = trouble;
        self
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let state = self.line.state.lock();
        state.unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// What its user asks for.
    pub fn interrupts(&self) -> &Interrupts {
        &self.line.interrupts
    }

    /// The calls so far.
    pub fn calls(&self) -> Vec<String> {
        let log = self.line.log.lock().expect("the log");
        let shown = log.iter().map(|(client, call)| match client {
            0 => call.clone(),
            other => format!("{}{call}", "    ".repeat(*other)),
        });
        shown.collect()
    }

    /// How many calls it has made itself.
    pub fn count(&self) -> usize {
        self.state().calls
    }

    /// How often another client began to change things, the locks' volumes left out.
    pub fn turns(&self) -> usize {
        let log = self.line.log.lock().expect("the log");
        let reads = ["list", "inspect", "version", "exec_exit_code"];
        let mut changes: Vec<usize> = log
            .iter()
            .filter(|(_, call)| !reads.iter().any(|word| call.starts_with(word)))
            .filter(|(_, call)| !call.contains("_regatta-lock."))
            .map(|(client, _)| *client)
            .collect();
        changes.dedup();
        changes.len()
    }

    /// Ends when the client has been killed.
    pub async fn death(&self) {
        let death = self.line.death.notified();
        if !self.state().dead {
            death.await;
        }
    }

    /// Does the client's work until it is done or the client is killed.
    pub async fn live<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.death() => None,
            () = self.line.interrupts.reached(Stage::Leaving) => {
                self.die();
                None
            }
            done = work => Some(done),
        }
    }

    /// What the engine has not read yet may never arrive.
    fn die(&self) {
        let mut state = self.state();
        state.dead = true;
        for (task, arrived) in std::mem::take(&mut state.pending) {
            if !arrived.load(Ordering::Relaxed) && state.chance.below(2) == 0 {
                task.abort();
            }
        }
        self.line.death.notify_waiters();
    }

    /// Writes a call down; gives how long its request and its answer take, and what happens to it.
    fn enter(&self, call: &str) -> (Duration, Duration, Option<Trouble>) {
        let mut state = self.state();
        let nth = state.calls;
        state.calls += 1;
        let changes = ["stop", "start", "remove", "rename"];
        let due = match state.trouble {
            Some((Spot::Call(spot), _)) => spot == nth,
            Some((Spot::FirstChange, _)) => changes.iter().any(|word| call.starts_with(word)),
            None => false,
        };
        let trouble = match due {
            true => state.trouble.take().map(|(_, trouble)| trouble),
            false => None,
        };
        let shown = match trouble {
            Some(trouble) => format!("{call} <- {trouble:?}"),
            None => call.to_owned(),
        };
        let mut log = self.line.log.lock().expect("the log");
        log.push((self.line.client, shown));
        let slowness = state.slowness;
        let mut time = || match state.chance.below(3) {
            0 => Duration::ZERO,
            _ => Duration::from_millis(state.chance.below(slowness + 1) as u64),
        };
        (time(), time(), trouble)
    }

    /// Waits for a death that comes.
    async fn forever<T>(&self) -> T {
        self.die();
        std::future::pending().await
    }

    async fn send<T: Send + 'static>(
        &self,
        call: String,
        act: impl Future<Output = Result<T, EngineError>> + Send + 'static,
    ) -> Result<T, EngineError> {
        let (there, back, trouble) = self.enter(&call);
        match trouble {
            Some(Trouble::Kill) => return self.forever().await,
            Some(Trouble::CtrlC { later, times }) => {
                self.press_ctrl_c(Duration::from_millis(later), PAUSE, times);
            }
            Some(Trouble::Hang { done }) => {
                self.press_ctrl_c(PATIENCE, PATIENCE, 3);
                if !done {
                    return std::future::pending().await;
                }
            }
            Some(Trouble::Error) => {
                pass(there).await;
                return Err(EngineError::Refused {
                    status: 500,
                    message: "simulated".into(),
                });
            }
            Some(Trouble::Broken) => {
                pass(there).await;
                return Err(EngineError::Broken {
                    message: "simulated".into(),
                });
            }
            _ => {}
        }
        let arrived = Arc::new(AtomicBool::new(false));
        let read = arrived.clone();
        let task = tokio::spawn(async move {
            pass(there).await;
            read.store(true, Ordering::Relaxed);
            let result = act.await;
            pass(back).await;
            result
        });
        {
            let mut state = self.state();
            state.pending.retain(|(task, _)| !task.is_finished());
            state.pending.push((task.abort_handle(), arrived));
        }
        if trouble == Some(Trouble::KillAfter) {
            return self.forever().await;
        }
        if trouble == Some(Trouble::Hang { done: true }) {
            return std::future::pending().await;
        }
        let result = match task.await {
            Ok(result) => result,
            // The client has died.
            Err(_) => std::future::pending().await,
        };
        if trouble == Some(Trouble::Lost) {
            return Err(EngineError::Broken {
                message: "simulated: the answer got lost".into(),
            });
        }
        result
    }

    fn press_ctrl_c(&self, later: Duration, pause: Duration, times: usize) {
        let interrupts = self.line.interrupts.clone();
        tokio::spawn(async move {
            tokio::time::sleep(later).await;
            for _ in 0..times {
                interrupts.signal(Cause::Interrupt);
                tokio::time::sleep(pause).await;
            }
        });
    }

    /// The same for what is answered in parts, which ends with the client.
    async fn open(&self, call: String) -> Result<(), EngineError> {
        self.send(call, async { Ok(()) }).await
    }
}

async fn pass(time: Duration) {
    match time.is_zero() {
        true => tokio::task::yield_now().await,
        false => tokio::time::sleep(time).await,
    }
}

/// Sends a call with its arguments on; those that are lent are cloned.
macro_rules! send {
    ($self:ident, $method:ident, $shown:expr, |$fake:ident| $act:expr) => {{
        let $fake = $self.fake.clone();
        Box::pin(
            $self.send(format!("{} {}", stringify!($method), $shown), async move {
                $act.await
            }),
        )
    }};
}

fn short(id: &str) -> &str {
    match id.len() {
        64 => &id[..12],
        _ => id,
    }
}

impl Engine for Wire {
    fn endpoint(&self) -> String {
        self.fake.endpoint()
    }
    fn announces_early(&self) -> bool {
        self.fake.announces_early()
    }
    fn resolves_short_names(&self) -> bool {
        self.fake.resolves_short_names()
    }
    fn is_on_this_machine(&self) -> bool {
        self.fake.is_on_this_machine()
    }
    fn runtimes(&self) -> Reply<'_, Option<Vec<String>>> {
        send!(self, runtimes, "", |fake| fake.runtimes())
    }
    fn version(&self) -> Reply<'_, (String, String)> {
        send!(self, version, "", |fake| fake.version())
    }
    fn list_containers(&self, filter: ContainerFilter) -> Reply<'_, Vec<ContainerSummary>> {
        send!(self, list_containers, "", |fake| fake
            .list_containers(filter))
    }
    fn inspect_container<'a>(&'a self, id: &'a str) -> Reply<'a, ContainerDetails> {
        let id = id.to_owned();
        send!(self, inspect_container, short(&id), |fake| fake
            .inspect_container(&id))
    }
    fn create_container(&self, request: ContainerRequest) -> Reply<'_, String> {
        send!(self, create_container, request.name, |fake| fake
            .create_container(request))
    }
    fn start_container<'a>(&'a self, id: &'a str) -> Reply<'a, ()> {
        let id = id.to_owned();
        send!(self, start_container, short(&id), |fake| fake
            .start_container(&id))
    }
    fn stop_container<'a>(&'a self, id: &'a str, timeout: Option<i64>) -> Reply<'a, ()> {
        let id = id.to_owned();
        send!(self, stop_container, short(&id), |fake| fake
            .stop_container(&id, timeout))
    }
    fn restart_container<'a>(&'a self, id: &'a str, timeout: Option<i64>) -> Reply<'a, ()> {
        let id = id.to_owned();
        send!(self, restart_container, short(&id), |fake| fake
            .restart_container(&id, timeout))
    }
    fn kill_container<'a>(&'a self, id: &'a str, signal: &'a str) -> Reply<'a, ()> {
        let (id, signal) = (id.to_owned(), signal.to_owned());
        send!(self, kill_container, short(&id), |fake| fake
            .kill_container(&id, &signal))
    }
    fn rename_container<'a>(&'a self, id: &'a str, name: &'a str) -> Reply<'a, ()> {
        let (id, name) = (id.to_owned(), name.to_owned());
        send!(
            self,
            rename_container,
            format!("{} {name}", short(&id)),
            |fake| fake.rename_container(&id, &name)
        )
    }
    fn remove_container<'a>(&'a self, id: &'a str, force: bool, volumes: bool) -> Reply<'a, ()> {
        let id = id.to_owned();
        send!(
            self,
            remove_container,
            format!("{} volumes: {volumes}", short(&id)),
            |fake| fake.remove_container(&id, force, volumes)
        )
    }
    fn put_archive<'a>(&'a self, id: &'a str, path: &'a str, tar: Vec<u8>) -> Reply<'a, ()> {
        let (id, path) = (id.to_owned(), path.to_owned());
        send!(self, put_archive, short(&id), |fake| fake
            .put_archive(&id, &path, tar))
    }
    fn upload<'a>(&'a self, id: &'a str, upload: Upload) -> Reply<'a, ()> {
        self.fake.upload(id, upload)
    }
    fn stat_path<'a>(&'a self, id: &'a str, path: &'a str) -> Reply<'a, PathStat> {
        self.fake.stat_path(id, path)
    }
    fn download<'a>(&'a self, id: &'a str, path: &'a str) -> Reply<'a, Archive> {
        self.fake.download(id, path)
    }
    fn logs<'a>(&'a self, id: &'a str, options: LogOptions) -> Parts<'a, OutputChunk> {
        self.fake.logs(id, options)
    }
    fn sees_processes(&self) -> bool {
        self.fake.sees_processes()
    }
    fn life(&self, container: &ContainerDetails) -> Life {
        self.fake.life(container)
    }
    fn create_exec<'a>(&'a self, id: &'a str, request: ExecRequest) -> Reply<'a, String> {
        let id = id.to_owned();
        send!(self, create_exec, short(&id), |fake| fake
            .create_exec(&id, request))
    }
    fn start_exec<'a>(&'a self, exec: &'a str, request: &'a ExecRequest) -> Reply<'a, Streams> {
        let (exec, request) = (exec.to_owned(), request.clone());
        send!(self, start_exec, "", |fake| fake
            .start_exec(&exec, &request))
    }
    fn exec_exit_code<'a>(&'a self, exec: &'a str) -> Reply<'a, Option<i64>> {
        let exec = exec.to_owned();
        send!(self, exec_exit_code, "", |fake| fake.exec_exit_code(&exec))
    }
    fn resize_exec<'a>(&'a self, exec: &'a str, size: TerminalSize) -> Reply<'a, ()> {
        let exec = exec.to_owned();
        send!(self, resize_exec, "", |fake| fake.resize_exec(&exec, size))
    }
    fn attach_container<'a>(
        &'a self,
        id: &'a str,
        request: &'a AttachRequest,
    ) -> Reply<'a, Streams> {
        let (id, request) = (id.to_owned(), request.clone());
        send!(self, attach_container, short(&id), |fake| fake
            .attach_container(&id, &request))
    }
    fn resize_container<'a>(&'a self, id: &'a str, size: TerminalSize) -> Reply<'a, ()> {
        let id = id.to_owned();
        send!(self, resize_container, short(&id), |fake| fake
            .resize_container(&id, size))
    }
    fn await_container<'a>(
        &'a self,
        id: &'a str,
        awaited: Awaited,
    ) -> Reply<'a, Reply<'static, i64>> {
        let id = id.to_owned();
        send!(self, await_container, short(&id), |fake| fake
            .await_container(&id, awaited))
    }
    fn list_networks(&self) -> Reply<'_, Vec<NetworkSummary>> {
        send!(self, list_networks, "", |fake| fake.list_networks())
    }
    fn create_network(&self, request: ResourceRequest) -> Reply<'_, String> {
        send!(self, create_network, request.name, |fake| fake
            .create_network(request))
    }
    fn remove_network<'a>(&'a self, id: &'a str) -> Reply<'a, ()> {
        let id = id.to_owned();
        send!(self, remove_network, short(&id), |fake| fake
            .remove_network(&id))
    }
    fn connect_network<'a>(
        &'a self,
        network: &'a str,
        container: &'a str,
        endpoint: Value,
    ) -> Reply<'a, ()> {
        let (network, container) = (network.to_owned(), container.to_owned());
        send!(
            self,
            connect_network,
            format!("{network} {}", short(&container)),
            |fake| fake.connect_network(&network, &container, endpoint)
        )
    }
    fn disconnect_network<'a>(
        &'a self,
        network: &'a str,
        container: &'a str,
        force: bool,
    ) -> Reply<'a, ()> {
        let (network, container) = (network.to_owned(), container.to_owned());
        let shown = format!("{} {}", short(&network), short(&container));
        send!(self, disconnect_network, shown, |fake| fake
            .disconnect_network(&network, &container, force))
    }
    fn inspect_network<'a>(&'a self, id: &'a str) -> Reply<'a, Value> {
        let id = id.to_owned();
        send!(self, inspect_network, short(&id), |fake| fake
            .inspect_network(&id))
    }
    fn list_volumes(&self, labels: Vec<String>) -> Reply<'_, Vec<VolumeSummary>> {
        send!(self, list_volumes, "", |fake| fake.list_volumes(labels))
    }
    fn create_volume(&self, request: ResourceRequest) -> Reply<'_, VolumeSummary> {
        send!(self, create_volume, request.name, |fake| fake
            .create_volume(request))
    }
    fn remove_volume<'a>(&'a self, name: &'a str, force: bool) -> Reply<'a, ()> {
        let name = name.to_owned();
        send!(self, remove_volume, name, |fake| fake
            .remove_volume(&name, force))
    }
    fn list_images(&self, references: Vec<String>) -> Reply<'_, Vec<ImageSummary>> {
        send!(self, list_images, "", |fake| fake.list_images(references))
    }
    fn inspect_image<'a>(&'a self, reference: &'a str) -> Reply<'a, ImageSummary> {
        let reference = reference.to_owned();
        send!(self, inspect_image, reference, |fake| fake
            .inspect_image(&reference))
    }
    fn pull_image<'a>(
        &'a self,
        reference: &'a str,
        platform: Option<&'a str>,
    ) -> Parts<'a, PullProgress> {
        let opened = async move {
            self.open(format!("pull_image {reference}")).await?;
            Ok(self.fake.pull_image(reference, platform))
        };
        stream::once(opened).try_flatten().boxed()
    }
    fn push_image<'a>(&'a self, reference: &'a str) -> Parts<'a, PullProgress> {
        self.fake.push_image(reference)
    }
    fn remove_image<'a>(&'a self, reference: &'a str) -> Reply<'a, ()> {
        let reference = reference.to_owned();
        send!(self, remove_image, reference, |fake| fake
            .remove_image(&reference))
    }
    fn registry_digest<'a>(&'a self, reference: &'a str) -> Reply<'a, String> {
        self.fake.registry_digest(reference)
    }
    fn build_image(&self, request: BuildRequest) -> Parts<'_, BuildMessage> {
        self.fake.build_image(request)
    }
    fn events(&self, labels: Vec<String>, since: Option<String>) -> Parts<'_, EngineEvent> {
        self.fake.events(labels, since)
    }
}

impl ContainerCalls for Wire {
    fn pause_container<'a>(&'a self, id: &'a str) -> Reply<'a, ()> {
        let id = id.to_owned();
        send!(self, pause_container, short(&id), |fake| fake
            .pause_container(&id))
    }
    fn unpause_container<'a>(&'a self, id: &'a str) -> Reply<'a, ()> {
        let id = id.to_owned();
        send!(self, unpause_container, short(&id), |fake| fake
            .unpause_container(&id))
    }
    fn wait_container<'a>(&'a self, id: &'a str) -> Reply<'a, i64> {
        self.fake.wait_container(id)
    }
    fn processes<'a>(&'a self, id: &'a str) -> Reply<'a, Processes> {
        let id = id.to_owned();
        send!(self, processes, short(&id), |fake| fake.processes(&id))
    }
    fn usage(&self, id: String, follow: bool) -> Parts<'_, Usage> {
        self.fake.usage(id, follow)
    }
    fn export_container<'a>(&'a self, id: &'a str) -> Parts<'a, Vec<u8>> {
        self.fake.export_container(id)
    }
    fn commit_container(&self, request: CommitRequest) -> Reply<'_, String> {
        send!(self, commit_container, request.container, |fake| fake
            .commit_container(request))
    }
    fn events_within(&self, labels: Vec<String>, period: Period) -> Parts<'_, EngineEvent> {
        self.fake.events_within(labels, period)
    }
    fn image_record<'a>(
        &'a self,
        reference: &'a str,
        platform: Option<&'a str>,
    ) -> Reply<'a, ImageRecord> {
        let (reference, platform) = (reference.to_owned(), platform.map(str::to_owned));
        send!(self, image_record, reference, |fake| fake
            .image_record(&reference, platform.as_deref()))
    }
}
