//! The engine, as the rest of the program sees it: a small set of Compose-shaped calls.
//!
//! Two adapters stand behind it: [`docker`] (a Docker API server, through bollard) and
//! [`fake`] (in memory, with faults to inject), which must not be kinder than the real one.
//! Commands speak to it through [`patient`], which tells of an engine that does not answer.

mod container_calls;
pub mod docker;
pub mod endpoint;
pub mod fake;
pub mod patient;
pub mod request;

pub use container_calls::{CommitRequest, ContainerCalls, ImageRecord, Period, Processes, Usage};

use crate::interrupt::Cause;
use crate::value::platform::Platform;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

/// What a call gives back when it is awaited.
pub type Reply<'a, T> = BoxFuture<'a, Result<T, EngineError>>;
/// A stream of parts, each of which may be the error that ends it.
pub type Parts<'a, T> = BoxStream<'a, Result<T, EngineError>>;

/// Why a call did not work, by what the caller can do about it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// Nobody answers at the endpoint.
    #[error("{message}")]
    Unreachable { message: String },
    /// The object is not there (404).
    #[error("Error response from daemon: {message}")]
    NotFound { message: String },
    /// The state or a name does not allow it (409).
    #[error("Error response from daemon: {message}")]
    Conflict { message: String },
    /// Any other refusal.
    #[error("Error response from daemon: {message}")]
    Refused { status: u16, message: String },
    /// The connection broke off mid-call: whether it was done is unknown.
    #[error("the engine's connection broke off: {message}")]
    Broken { message: String },
    /// The engine's answer was not understood, or a request could not be formed.
    #[error("{message}")]
    Protocol { message: String },
    /// An answer that goes beyond all measure.
    #[error("{message}")]
    Endless { message: String },
    /// There was no answer when a signal asked to end: whether it was done is unknown.
    #[error("{message}")]
    Unanswered { message: String, cause: Cause },
}

impl EngineError {
    pub fn is_not_found(&self) -> bool {
        matches!(self, EngineError::NotFound { .. })
    }
    pub fn is_conflict(&self) -> bool {
        matches!(self, EngineError::Conflict { .. })
    }
    /// Whether there was no connection, or none any more.
    pub fn is_broken(&self) -> bool {
        matches!(
            self,
            EngineError::Broken { .. } | EngineError::Unreachable { .. }
        )
    }
    /// The engine's own words.
    pub fn message(&self) -> &str {
        match self {
            EngineError::Unreachable { message }
            | EngineError::NotFound { message }
            | EngineError::Conflict { message }
            | EngineError::Refused { message, .. }
            | EngineError::Broken { message }
            | EngineError::Protocol { message }
            | EngineError::Endless { message }
            | EngineError::Unanswered { message, .. } => message,
        }
    }
}

/// A container's state, the engine's word for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum ContainerState {
    #[default]
    Created,
    Running,
    Paused,
    Restarting,
    Removing,
    Exited,
    Dead,
}

impl ContainerState {
    pub const ALL: [ContainerState; 7] = [
        ContainerState::Created,
        ContainerState::Running,
        ContainerState::Paused,
        ContainerState::Restarting,
        ContainerState::Removing,
        ContainerState::Exited,
        ContainerState::Dead,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            ContainerState::Created => "created",
            ContainerState::Running => "running",
            ContainerState::Paused => "paused",
            ContainerState::Restarting => "restarting",
            ContainerState::Removing => "removing",
            ContainerState::Exited => "exited",
            ContainerState::Dead => "dead",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }

    /// Whether a process of it exists (also paused, or about to come back).
    pub fn is_up(self) -> bool {
        matches!(
            self,
            ContainerState::Running | ContainerState::Paused | ContainerState::Restarting
        )
    }
}

/// What a healthcheck says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    Starting,
    Healthy,
    Unhealthy,
}

/// Which containers to list. All given conditions must hold.
#[derive(Debug, Clone, Default)]
pub struct ContainerFilter {
    /// `key` or `key=value` each.
    pub labels: Vec<String>,
    /// Also those that are not running.
    pub all: bool,
}

/// A row of the container list.
#[derive(Debug, Clone, Default)]
pub struct ContainerSummary {
    pub id: String,
    /// Without the leading slash.
    pub name: String,
    /// The reference it was created from.
    pub image: String,
    pub image_id: String,
    /// Which of an image's platforms it runs, as the engine writes one; where it tells that.
    pub image_platform: Option<String>,
    pub command: String,
    /// Seconds since the epoch.
    pub created: i64,
    pub ports: Vec<PublishedPort>,
    pub labels: BTreeMap<String, String>,
    pub state: ContainerState,
    /// The engine's own word for the state, where that is none of [`ContainerState`]'s.
    pub other_state: Option<String>,
    /// The engine's sentence: `Up 3 minutes (healthy)`, `Exited (1) 2 hours ago`.
    pub status: String,
    /// Network name → network id.
    pub networks: BTreeMap<String, String>,
    /// The addresses that it has on them, or asks for when it starts.
    pub addresses: BTreeSet<IpAddr>,
    pub mounts: Vec<MountPoint>,
}

impl ContainerSummary {
    /// The engine's word for the state, as `ps` and `ls` show it.
    pub fn state_word(&self) -> &str {
        self.other_state.as_deref().unwrap_or(self.state.as_str())
    }
}

/// A container port, published or only exposed.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublishedPort {
    pub ip: Option<String>,
    pub private: u16,
    pub public: Option<u16>,
    pub protocol: String,
}

/// Something mounted in a container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MountPoint {
    /// `volume`, `bind`, `tmpfs`…
    pub kind: String,
    /// The volume's name; empty for others.
    pub name: String,
    pub source: String,
    pub destination: String,
    /// The volume's driver; empty for others.
    pub driver: String,
}

/// What an inspect tells beyond the list.
#[derive(Debug, Clone, Default)]
pub struct ContainerDetails {
    pub id: String,
    pub name: String,
    pub image_id: String,
    pub state: ContainerState,
    pub exit_code: i64,
    pub oom_killed: bool,
    /// The engine's own word on why a start failed.
    pub error: String,
    pub health: Option<Health>,
    /// Output of the last failed probe.
    pub health_log: Option<String>,
    /// RFC 3339.
    pub started_at: String,
    pub finished_at: String,
    pub restart_count: i64,
    /// Its main process, as the engine's machine counts; 0 while there is none.
    pub pid: u32,
    pub tty: bool,
    pub labels: BTreeMap<String, String>,
    pub mounts: Vec<MountPoint>,
    /// Network name → network id.
    pub networks: BTreeMap<String, String>,
    /// The whole answer.
    pub raw: serde_json::Value,
}

#[derive(Debug, Clone, Default)]
pub struct NetworkSummary {
    pub id: String,
    pub name: String,
    pub driver: String,
    pub labels: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default)]
pub struct VolumeSummary {
    pub name: String,
    pub driver: String,
    /// Where its files are on the engine's machine.
    pub mountpoint: String,
    /// `local`, or `global` where several machines share it.
    pub scope: String,
    pub labels: BTreeMap<String, String>,
}

/// An image the engine has.
#[derive(Debug, Clone, Default)]
pub struct ImageSummary {
    pub id: String,
    pub tags: Vec<String>,
    pub digests: Vec<String>,
    pub labels: BTreeMap<String, String>,
    /// `os/architecture[/variant]`; only an inspect tells it.
    pub platform: Option<String>,
    /// Targets of the image's `VOLUME` instructions; only an inspect tells them.
    pub volumes: Vec<String>,
    /// Seconds since it was last tagged here; only an inspect tells it.
    pub age: Option<i64>,
    /// Whether the image has a healthcheck; only an inspect tells it.
    pub has_healthcheck: bool,
}

impl ImageSummary {
    /// Whether `id` (of an image or a manifest) stands for this image.
    pub fn is_known_as(&self, id: &str) -> bool {
        self.id == id || self.digests.iter().any(|d| d.ends_with(id))
    }

    /// Whether it runs where `platform` is asked for; one whose own is not known counts as doing so.
    pub fn serves(&self, platform: &str) -> bool {
        let own = self.platform.as_deref();
        own.is_none_or(|own| Platform::fits(platform, own))
    }
}

/// A container to create: the body is the engine's own request, built by [`request`].
#[derive(Debug, Clone, PartialEq)]
pub struct ContainerRequest {
    pub name: String,
    pub platform: Option<String>,
    pub body: serde_json::Value,
}

/// A network or a volume to create: the engine's own request body.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceRequest {
    pub name: String,
    pub body: serde_json::Value,
}

/// Which log lines to read.
#[derive(Debug, Clone, Default)]
pub struct LogOptions {
    pub follow: bool,
    /// Seconds since the epoch with a fraction, e.g. `1700000000.000000001`.
    pub since: Option<String>,
    pub until: Option<String>,
    /// Number of last lines; `None` is all.
    pub tail: Option<u64>,
    pub timestamps: bool,
    /// A terminal's output is one stream without frames. Engines since API 1.42 tell by
    /// themselves; this is for the others.
    pub tty: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputStream {
    Stdout,
    Stderr,
}

/// Bytes a container wrote; one or more lines, or a part of one.
#[derive(Debug, Clone)]
pub struct OutputChunk {
    pub stream: OutputStream,
    pub bytes: Vec<u8>,
}

/// What this machine itself sees of a container's main process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It is there. It `is_busy` where it wants to run, and has so far `waited` for a processor.
    Alive { is_busy: bool, waited: Duration },
    /// What prepares for it is there: its own program has not begun.
    Unborn,
    /// It has ended, whether or not the engine has noticed.
    Gone,
    /// It cannot be seen from here: the engine is elsewhere, or keeps its processes apart.
    Unseen,
}

/// Something that happened to a container.
#[derive(Debug, Clone, Default)]
pub struct EngineEvent {
    /// `start`, `die`, `health_status: healthy`…
    pub action: String,
    /// The container's id.
    pub id: String,
    /// Its labels and what the event adds (`exitCode`, `signal`, `name`).
    pub attributes: BTreeMap<String, String>,
    /// Nanoseconds since the epoch.
    pub time_nano: i64,
}

/// A message of a running pull or push.
#[derive(Debug, Clone, Default)]
pub struct PullProgress {
    /// The layer, where it concerns one.
    pub layer: Option<String>,
    pub status: String,
    pub current: Option<i64>,
    pub total: Option<i64>,
}

/// An image to build from a tar of its context.
pub struct BuildRequest {
    /// Names to give it.
    pub tags: Vec<String>,
    /// Path of the Dockerfile inside the context.
    pub dockerfile: String,
    pub args: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
    pub target: Option<String>,
    pub network: Option<String>,
    pub platform: Option<String>,
    pub cache_from: Vec<String>,
    pub extra_hosts: Vec<String>,
    pub shm_size: Option<i64>,
    pub no_cache: bool,
    pub pull: bool,
    /// Bytes that a step may use; the classic builder only.
    pub memory: Option<i64>,
    /// Name, soft and hard limit.
    pub ulimits: Vec<(String, i64, i64)>,
    /// A context that the engine fetches itself (an URL); `context` is empty then.
    pub remote: Option<String>,
    /// Use the classic builder even where the engine has BuildKit.
    pub classic: bool,
    /// The context as a tar stream.
    pub context: BoxStream<'static, std::io::Result<Vec<u8>>>,
}

/// A message of a running build.
#[derive(Debug, Clone)]
pub enum BuildMessage {
    /// Text of the builder.
    Log(String),
    /// The id of the image made.
    Built(String),
}

/// Rows and columns of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalSize {
    pub rows: u16,
    pub columns: u16,
}

/// What is at a path of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathStat {
    pub name: String,
    pub size: u64,
    /// Go's `fs.FileMode`: the permissions, and bits of its own for the kind.
    pub mode: u32,
    /// Where a symbolic link leads to, resolved inside of the container.
    pub link_target: String,
}

impl PathStat {
    pub const DIRECTORY: u32 = 1 << 31;
    pub const SYMLINK: u32 = 1 << 27;
    pub const DEVICE: u32 = 1 << 26;
    pub const IRREGULAR: u32 = 1 << 19;

    pub fn is(&self, kind: u32) -> bool {
        self.mode & kind != 0
    }
}

/// A path of a container as a tar, while it comes.
pub struct Archive {
    pub stat: PathStat,
    pub tar: Parts<'static, bytes::Bytes>,
}

/// A tar to unpack in a container, made while it is sent.
pub struct Upload {
    /// Directory in the container.
    pub path: String,
    /// A directory is not replaced by something else, nor something else by a directory.
    pub keeps_kinds: bool,
    /// The files belong to the user that the container runs as.
    pub for_its_user: bool,
    pub tar: BoxStream<'static, std::io::Result<Vec<u8>>>,
}

/// A command to run in a container.
#[derive(Debug, Clone, Default)]
pub struct ExecRequest {
    pub command: Vec<String>,
    /// `K=V` each.
    pub environment: Vec<String>,
    pub user: Option<String>,
    pub working_dir: Option<String>,
    pub privileged: bool,
    pub tty: bool,
    pub stdin: bool,
    pub detach: bool,
    /// The size that its terminal begins with, where it gets one.
    pub size: Option<TerminalSize>,
    /// The keys that leave it; the engine watches for its own where none are given.
    pub detach_keys: Option<String>,
}

/// What to attach to of a container.
#[derive(Debug, Clone, Default)]
pub struct AttachRequest {
    /// Also its standard input.
    pub stdin: bool,
    /// It has a terminal: its output is one stream without frames.
    pub tty: bool,
    /// As [`ExecRequest::detach_keys`].
    pub detach_keys: Option<String>,
}

/// The connection to a process in a container: what it writes, and where to write to it.
pub struct Streams {
    pub output: Parts<'static, OutputChunk>,
    /// `None` where no input was asked for.
    pub input: Option<std::pin::Pin<Box<dyn tokio::io::AsyncWrite + Send>>>,
}

/// Which end of a container is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaited {
    /// It does not run: at once, where that is so already.
    NotRunning,
    /// The next end, also of one that has not started yet.
    NextExit,
    /// It is removed (`AutoRemove`).
    Removed,
}

impl Awaited {
    /// The engine's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Awaited::NotRunning => "not-running",
            Awaited::NextExit => "next-exit",
            Awaited::Removed => "removed",
        }
    }
}

/// What is asked of a Docker API server. One method is one request, unless its text says more.
pub trait Engine: ContainerCalls + Send + Sync {
    /// Where it is, for messages, e.g. `unix:///var/run/docker.sock`.
    fn endpoint(&self) -> String;

    /// The flags that tell a plugin of Docker's client of an engine that `DOCKER_HOST` alone does not
    /// lead to; none where it does.
    fn client_flags(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether its events may come a moment before an inspect shows what they tell of, as far as its
    /// answers have shown by now: Podman announces the result of a healthcheck, then notes it down.
    fn announces_early(&self) -> bool;

    /// Whether a name without a registry may stand for an image of another one than the public
    /// registry, as far as its answers have shown by now: Podman looks through several. Which one is
    /// meant, only an inspect tells.
    fn resolves_short_names(&self) -> bool;

    /// The server's `(version, API version)`.
    fn version(&self) -> Reply<'_, (String, String)>;

    fn list_containers(&self, filter: ContainerFilter) -> Reply<'_, Vec<ContainerSummary>>;
    fn inspect_container<'a>(&'a self, id: &'a str) -> Reply<'a, ContainerDetails>;
    /// Gives the new container's id.
    fn create_container(&self, request: ContainerRequest) -> Reply<'_, String>;
    fn start_container<'a>(&'a self, id: &'a str) -> Reply<'a, ()>;
    /// `timeout` in seconds; `None` leaves it to the container's own.
    fn stop_container<'a>(&'a self, id: &'a str, timeout: Option<i64>) -> Reply<'a, ()>;
    fn restart_container<'a>(&'a self, id: &'a str, timeout: Option<i64>) -> Reply<'a, ()>;
    fn kill_container<'a>(&'a self, id: &'a str, signal: &'a str) -> Reply<'a, ()>;
    fn rename_container<'a>(&'a self, id: &'a str, name: &'a str) -> Reply<'a, ()>;
    /// `force` kills a running one first, `volumes` takes its anonymous volumes along.
    fn remove_container<'a>(&'a self, id: &'a str, force: bool, volumes: bool) -> Reply<'a, ()>;
    /// Unpacks a tar at a path inside the container.
    fn put_archive<'a>(&'a self, id: &'a str, path: &'a str, tar: Vec<u8>) -> Reply<'a, ()>;
    /// The same for one of any length. It is sent once: another request must have settled the API
    /// version.
    fn upload<'a>(&'a self, id: &'a str, upload: Upload) -> Reply<'a, ()>;
    /// What is at a path inside the container; a link at its end is not followed.
    fn stat_path<'a>(&'a self, id: &'a str, path: &'a str) -> Reply<'a, PathStat>;
    /// What is at a path inside the container, as a tar.
    fn download<'a>(&'a self, id: &'a str, path: &'a str) -> Reply<'a, Archive>;
    fn logs<'a>(&'a self, id: &'a str, options: LogOptions) -> Parts<'a, OutputChunk>;

    /// Whether it is certain that the engine sees the files of this machine, as far as its answers
    /// have shown by now. No request.
    fn is_on_this_machine(&self) -> bool;
    /// The runtimes that it has by name; `None` where it does not tell.
    fn runtimes(&self) -> Reply<'_, Option<Vec<String>>>;

    /// Whether [`Engine::life`] may have something to say. No request.
    fn sees_processes(&self) -> bool;
    /// Looks at the process that an inspect named. No request.
    fn life(&self, container: &ContainerDetails) -> Life;

    fn create_exec<'a>(&'a self, id: &'a str, request: ExecRequest) -> Reply<'a, String>;
    fn start_exec<'a>(&'a self, exec: &'a str, request: &'a ExecRequest) -> Reply<'a, Streams>;
    /// The exit status of a command; `None` while it runs.
    fn exec_exit_code<'a>(&'a self, exec: &'a str) -> Reply<'a, Option<i64>>;
    /// Tells a command's terminal its size.
    fn resize_exec<'a>(&'a self, exec: &'a str, size: TerminalSize) -> Reply<'a, ()>;

    /// Connects to the streams of a container's main process, from now on. One that was only
    /// created may be attached to before its start.
    fn attach_container<'a>(
        &'a self,
        id: &'a str,
        request: &'a AttachRequest,
    ) -> Reply<'a, Streams>;
    /// Tells the container's terminal its size.
    fn resize_container<'a>(&'a self, id: &'a str, size: TerminalSize) -> Reply<'a, ()>;
    /// Waits for an end of the container. When this is answered the engine has taken note, so that
    /// no end is missed from then on; what it gives waits for the end itself, and gives the status.
    fn await_container<'a>(
        &'a self,
        id: &'a str,
        awaited: Awaited,
    ) -> Reply<'a, Reply<'static, i64>>;

    /// All networks, of every project.
    fn list_networks(&self) -> Reply<'_, Vec<NetworkSummary>>;
    /// Gives the new network's id.
    fn create_network(&self, request: ResourceRequest) -> Reply<'_, String>;
    fn remove_network<'a>(&'a self, id: &'a str) -> Reply<'a, ()>;
    /// `endpoint` is the engine's EndpointSettings.
    fn connect_network<'a>(
        &'a self,
        network: &'a str,
        container: &'a str,
        endpoint: serde_json::Value,
    ) -> Reply<'a, ()>;
    fn disconnect_network<'a>(
        &'a self,
        network: &'a str,
        container: &'a str,
        force: bool,
    ) -> Reply<'a, ()>;
    /// The whole answer of an inspect (for comparing what others made).
    fn inspect_network<'a>(&'a self, id: &'a str) -> Reply<'a, serde_json::Value>;

    /// Volumes that carry all the labels (`key` or `key=value`), of every project.
    fn list_volumes(&self, labels: Vec<String>) -> Reply<'_, Vec<VolumeSummary>>;
    /// Gives the new volume, or the one of this name that was there already, as it is: of several
    /// that ask for one name at once, exactly one makes it.
    fn create_volume(&self, request: ResourceRequest) -> Reply<'_, VolumeSummary>;
    fn remove_volume<'a>(&'a self, name: &'a str, force: bool) -> Reply<'a, ()>;

    /// Local images with one of the names, which must be
    /// [familiar](crate::value::image::Reference::familiar): that is how the engine compares. An
    /// empty list means all images.
    fn list_images(&self, references: Vec<String>) -> Reply<'_, Vec<ImageSummary>>;
    fn inspect_image<'a>(&'a self, reference: &'a str) -> Reply<'a, ImageSummary>;
    /// The digest of what a registry has under a reference; the engine asks the registry.
    fn registry_digest<'a>(&'a self, reference: &'a str) -> Reply<'a, String>;
    fn pull_image<'a>(
        &'a self,
        reference: &'a str,
        platform: Option<&'a str>,
    ) -> Parts<'a, PullProgress>;
    /// Sends an image to its registry.
    fn push_image<'a>(&'a self, reference: &'a str) -> Parts<'a, PullProgress>;
    fn remove_image<'a>(&'a self, reference: &'a str) -> Reply<'a, ()>;
    fn build_image(&self, request: BuildRequest) -> Parts<'_, BuildMessage>;

    /// Container events that carry all the labels (`key` or `key=value`), from now on, or from
    /// `since` (seconds since the epoch with a fraction).
    fn events(&self, labels: Vec<String>, since: Option<String>) -> Parts<'_, EngineEvent>;
}
