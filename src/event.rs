//! What happens, told while it happens: typed, timed, and broadcast to any number of consumers.
//!
//! Work sends a [`Kind`] to its [`Reporter`]; every consumer that has
//! [subscribed](Reporter::subscribe) gets the same [`Event`]. An event says what happened and to
//! what. How that reads ("Container shop-web-1 Started") is the consumer's business: the screen's
//! words stand in [`crate::output::words`].
//!
//! An event serialises to one JSON object, so that a stream of them can be recorded, and replayed
//! to the same screen ([`crate::output::replay()`]).
//!
//! | kind | consumers |
//! |---|---|
//! | steps, waits, pulls, builds, messages | everybody |
//! | the plan, the probes of a wait, log lines, the end of a run | consumers of [everything](Interest::Everything) |
//!
//! To add a kind: a variant of [`Kind`], its words in [`crate::output::words`] (the compiler asks
//! for them), and a `send` where it happens.

mod reporter;
mod step;

pub use reporter::{Clock, Events, Interest, Reporter};
pub use step::{
    Ending, Operation, Part, PlannedStep, ProviderVerb, Resource, ResourceKind, StepInfo,
};

use serde::{Deserialize, Serialize};

/// Something that happened, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Milliseconds since 1970.
    pub time: i64,
    /// Milliseconds since the command began.
    pub elapsed: u64,
    #[serde(flatten)]
    pub kind: Kind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Kind {
    /// The first event of every consumer: which command it hears of, e.g. `up`.
    CommandStarted {
        command: String,
    },
    /// A plan is about to be walked.
    RunStarted {
        steps: Vec<PlannedStep>,
    },
    StepStarted {
        step: StepInfo,
    },
    StepFinished {
        step: StepInfo,
        ending: Ending,
        /// Milliseconds.
        took: u64,
    },
    StepFailed {
        step: StepInfo,
        message: String,
        /// Milliseconds.
        took: u64,
    },
    /// The walk is over.
    RunEnded {
        summary: Summary,
    },
    /// A container already is as it should be.
    Unchanged {
        resource: Resource,
        state: Steady,
    },
    /// A step that failed has left a resource that nobody needs: it was removed again.
    Discarded {
        resource: Resource,
    },

    /// A container's health, or its end, is waited for.
    WaitStarted {
        resource: Resource,
        service: String,
        until: Awaited,
    },
    /// A wait has looked, and goes on.
    WaitProbed {
        resource: Resource,
        probe: Probe,
    },
    WaitMet {
        resource: Resource,
        found: Found,
    },
    /// A dependency that is not required did not come up.
    WaitSkipped {
        resource: Resource,
        service: String,
    },

    PullStarted {
        image: String,
    },
    PullProgress {
        image: String,
        layer: String,
        status: String,
        current: Option<i64>,
        total: Option<i64>,
    },
    PullFinished {
        image: String,
    },
    PullFailed {
        image: String,
        message: String,
        /// The image can be built, or is there already.
        optional: bool,
    },
    PullSkipped {
        resource: Resource,
        reason: Skipped,
    },

    BuildStarted {
        image: String,
    },
    /// Lines of a builder's own output.
    BuildOutput {
        text: String,
    },
    BuildFinished {
        image: String,
    },
    /// A dry run builds nothing.
    BuildSkipped {
        image: String,
    },

    ModelPullStarted {
        model: String,
    },
    ModelPullFinished {
        model: String,
    },
    ModelConfigStarted {
        model: String,
    },
    ModelConfigFinished {
        model: String,
    },

    /// The program of a service with a `provider` was asked for something.
    ProviderStarted {
        service: String,
        verb: ProviderVerb,
    },
    ProviderFinished {
        service: String,
        verb: ProviderVerb,
    },

    /// Another command changes the project; this one waits for it.
    LockAwaited {
        project: String,
        holder: String,
    },
    LockAcquired {
        project: String,
    },

    /// A line that a container wrote, or a piece of a long one.
    LogLine {
        /// As the screen names it, e.g. `web-1`.
        container: String,
        stream: LogStream,
        text: String,
        /// An earlier piece of the line came before.
        continues: bool,
        /// The line ends here.
        ends: bool,
    },
    /// A container ended.
    ContainerExited {
        container: String,
        code: i64,
        /// Its restart policy starts it again.
        restarting: bool,
    },
    /// A container was replaced while its logs were shown.
    ContainerRecreated {
        container: String,
    },

    /// A foreground `up` stops what it started.
    Stopping {
        reason: StopReason,
    },
    /// What is stopping will be killed after so many milliseconds.
    Countdown {
        left: u64,
    },
    Warning {
        message: String,
    },
    /// Lines about the whole, such as findings; they stand below what was shown so far.
    Text {
        text: String,
    },
    /// The words of a program beside ours (a provider) about a resource, or of what has no kind of
    /// its own.
    Progress {
        resource: String,
        status: Status,
        text: String,
        details: String,
    },
}

/// How far something has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Working,
    Done,
    Warning,
    Error,
}

/// The state of a container that a command leaves as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Steady {
    Running,
    Stopped,
}

/// What a wait waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Awaited {
    Started,
    Healthy,
    CompletedSuccessfully,
    RunningOrHealthy,
}

/// What a wait found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    Healthy,
    Exited,
}

/// What a wait saw that goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// The engine's word: `running`, `restarting`.
    pub state: String,
    /// `starting`, where there is a healthcheck.
    pub health: Option<String>,
    /// What the last run of the healthcheck wrote.
    pub check: Option<String>,
    /// How often the engine has restarted the container.
    pub restarts: i64,
}

/// Why an image is not pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skipped {
    /// Its policy is never to pull.
    Policy,
    /// It is there already.
    Present,
    /// It can be built, and `--ignore-buildable` was given.
    Buildable,
    DryRun,
    /// The service has none.
    NoImage,
}

/// One of a container's output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogStream {
    Stdout,
    Stderr,
}

/// Why a foreground `up` stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// A signal came, or nobody reads the output any more.
    Interrupted,
    /// A container ended, and that ends everything.
    ContainerExited,
}

/// How many steps of a plan came to which end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Summary {
    pub done: usize,
    pub failed: usize,
    /// Not tried, because of one that failed.
    pub skipped: usize,
    /// Given up, or never begun: the command was interrupted, or lost the project's lock.
    pub given_up: usize,
}

impl Kind {
    /// Whether only consumers of [everything](Interest::Everything) are told.
    fn is_detail(&self) -> bool {
        matches!(
            self,
            Kind::RunStarted { .. }
                | Kind::RunEnded { .. }
                | Kind::WaitProbed { .. }
                | Kind::LogLine { .. }
                | Kind::ContainerExited { .. }
                | Kind::ContainerRecreated { .. }
        )
    }
}
