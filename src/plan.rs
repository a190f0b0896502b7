//! The plan: what will be done, step by step, why, and after what.
//!
//! A step is one engine call or one wait. Steps may only depend on older ones, so the graph is
//! acyclic by construction and its ids are a valid order. What `regatta plan` prints is the very
//! value that [`crate::execute`] walks.

mod change;
mod edits;
mod takeover;
mod text;

pub use change::Change;
pub use edits::{Edit, edits};
pub use takeover::{Takeover, takeovers};
pub use text::{SCHEMA_VERSION, render_json, render_text};

pub use crate::event::ProviderVerb;

use crate::event::{
    Awaited, Operation, Part, PlannedStep, Resource, ResourceKind, Steady, StepInfo,
};
use crate::service::Condition;
use crate::service::develop::Hook;
use crate::service::one_off::OneOff;
use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::BTreeSet;

/// A step's number in its plan, in a valid order of execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(pub usize);

/// A container that a step works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// One that was observed.
    Existing { id: String, name: String },
    /// One that an earlier step creates.
    Made { by: StepId, name: String },
}

impl Target {
    /// Its name as the user knows it.
    pub fn name(&self) -> &str {
        match self {
            Target::Existing { name, .. } | Target::Made { name, .. } => name,
        }
    }

    /// The id of one that was there before.
    pub fn id(&self) -> Option<&str> {
        match self {
            Target::Existing { id, .. } => Some(id),
            Target::Made { .. } => None,
        }
    }
}

/// What a wait waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// A condition of `depends_on`.
    Condition(Condition),
    /// Running, or healthy where there is a healthcheck (`--wait`).
    RunningOrHealthy,
}

impl From<Until> for Awaited {
    fn from(until: Until) -> Self {
        match until {
            Until::Condition(Condition::Started) => Awaited::Started,
            Until::Condition(Condition::Healthy) => Awaited::Healthy,
            Until::Condition(Condition::CompletedSuccessfully) => Awaited::CompletedSuccessfully,
            Until::RunningOrHealthy => Awaited::RunningOrHealthy,
        }
    }
}

/// One engine call or one wait.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    PullImage {
        reference: String,
        platform: Option<String>,
        /// Services that run it.
        services: Vec<String>,
        /// A failure is no obstacle: the image can be built, or is there already.
        optional: bool,
    },
    BuildImage {
        service: String,
        reference: String,
    },
    CreateNetwork {
        key: String,
        name: String,
    },
    RemoveNetwork {
        id: String,
        name: String,
    },
    ConnectNetwork {
        service: String,
        key: String,
        network: String,
        container: Target,
    },
    DisconnectNetwork {
        network: String,
        container: Target,
    },
    CreateVolume {
        key: String,
        name: String,
    },
    RemoveVolume {
        name: String,
    },
    CreateContainer {
        service: String,
        number: u32,
        /// The name it will end up with.
        name: String,
        /// The name it is created under, until its predecessor is gone.
        temporary_name: Option<String>,
        /// The observed container whose place it takes.
        replaces: Option<String>,
        /// Whether it takes over its predecessor's anonymous volumes.
        inherit_volumes: bool,
    },
    /// Creates a container of `run`, which is no replica.
    CreateOneOff(Box<OneOff>),
    RenameContainer {
        container: Target,
        name: String,
    },
    /// Copies secrets and configs that have no file on this machine into a container.
    CopyFiles {
        service: String,
        container: Target,
    },
    StartContainer {
        service: String,
        container: Target,
    },
    /// Watches a container that has just been started until it has lived through its first
    /// moments; with `healthy`, until its healthcheck (where it has one) says that it is well.
    /// A failure within a takeover brings the predecessor back.
    Verify {
        service: String,
        container: Target,
        healthy: bool,
    },
    StopContainer {
        container: Target,
        timeout: Option<i64>,
    },
    RestartContainer {
        container: Target,
        timeout: Option<i64>,
    },
    KillContainer {
        container: Target,
        signal: String,
    },
    PauseContainer {
        container: Target,
    },
    UnpauseContainer {
        container: Target,
    },
    RemoveContainer {
        container: Target,
        force: bool,
        volumes: bool,
    },
    RemoveImage {
        reference: String,
    },
    /// Runs a `post_start` or `pre_stop` command in a container.
    RunHook {
        service: String,
        container: Target,
        hook: Hook,
    },
    /// Runs a `pre_start` hook to its end, in a container of its own that shares the volumes of
    /// another, and removes that again if all went well.
    RunPreStart {
        service: String,
        /// Of the service's hooks.
        index: usize,
        container: Target,
    },
    /// Pulls and configures a model for the services that use it.
    PrepareModel {
        /// The first of them.
        service: String,
        key: String,
    },
    /// Runs the program of a service with a `provider`.
    RunProvider {
        service: String,
        verb: ProviderVerb,
    },
    Wait {
        service: String,
        until: Until,
        containers: Vec<Target>,
        /// A failure only warns (`required: false`).
        optional: bool,
    },
    /// Does nothing: what waits for it waits for all that it waits for. It stands where many steps
    /// wait for the same many, in place of an edge for each pair.
    Join,
}

/// One step with its reason. What it does is an [`Action`] of ours, or whatever another program's
/// plans are made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Step<A = Action> {
    pub action: A,
    /// In the user's words: `image changed: web:1.4 → web:1.5`.
    pub cause: String,
    /// The differences behind the cause, where they are known.
    pub changes: Vec<Change>,
    /// What the user sees of it.
    pub part: Part,
    /// Steps of one group are one change to the user (a recreation).
    pub group: Option<String>,
    /// `up` does it every time, whether anything differs from the files or not: it runs a one-shot
    /// again, asks a provider, prepares a model.
    pub recurs: bool,
}

/// A container that a plan leaves in the state that it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unchanged {
    pub name: String,
    pub state: Steady,
}

/// A directed acyclic graph of steps.
#[derive(Debug, Clone)]
pub struct Plan<A = Action> {
    graph: DiGraph<Step<A>, ()>,
    /// What it leaves as it is, to be told of as Docker Compose does.
    pub unchanged: Vec<Unchanged>,
    /// Whether its changes hold secrets that are to be shown (`--show-secrets`).
    pub shows_secrets: bool,
}

impl<A> Default for Plan<A> {
    fn default() -> Self {
        Plan {
            graph: DiGraph::default(),
            unchanged: Vec::new(),
            shows_secrets: false,
        }
    }
}

/// How many steps are waited for one by one. Of more there is a [`Action::Join`].
const FEW: usize = 32;

/// The cause of hooks that run before a container is stopped.
pub const PRE_STOP: &str = "pre_stop";

impl<A> Plan<A> {
    /// Adds a step that waits for `after`.
    ///
    /// # Panics
    /// If `after` names a step that is not in this plan: a fault of the planner.
    pub fn add(&mut self, step: Step<A>, after: impl IntoIterator<Item = StepId>) -> StepId {
        let node = self.graph.add_node(step);
        // Deduplicated here: asking the graph for the edge would walk all that leave the dependency,
        // which for a network is one for each container.
        for StepId(dependency) in after.into_iter().collect::<BTreeSet<_>>() {
            assert!(dependency < node.index(), "a step waits for an older one");
            self.graph.add_edge(NodeIndex::new(dependency), node, ());
        }
        StepId(node.index())
    }

    /// Lets `step` also wait for `dependency`, which must be older.
    ///
    /// # Panics
    /// If it is not: a fault of the planner.
    pub fn after(&mut self, step: StepId, dependency: StepId) {
        assert!(dependency < step, "a step waits for an older one");
        let (dependency, step) = (NodeIndex::new(dependency.0), NodeIndex::new(step.0));
        let mut known = self.graph.neighbors_directed(step, Direction::Incoming);
        if !known.any(|node| node == dependency) {
            self.graph.add_edge(dependency, step, ());
        }
    }

    pub fn len(&self) -> usize {
        self.graph.node_count()
    }

    pub fn is_empty(&self) -> bool {
        self.graph.node_count() == 0
    }

    pub fn step(&self, id: StepId) -> &Step<A> {
        &self.graph[NodeIndex::new(id.0)]
    }

    pub fn step_mut(&mut self, id: StepId) -> &mut Step<A> {
        &mut self.graph[NodeIndex::new(id.0)]
    }

    /// All steps in a valid order.
    pub fn steps(&self) -> impl Iterator<Item = (StepId, &Step<A>)> {
        self.graph
            .node_indices()
            .map(|node| (StepId(node.index()), &self.graph[node]))
    }

    /// What a step waits for, ascending.
    pub fn dependencies(&self, id: StepId) -> Vec<StepId> {
        self.neighbours(id, Direction::Incoming)
    }

    /// What waits for a step, ascending.
    pub fn dependents(&self, id: StepId) -> Vec<StepId> {
        self.neighbours(id, Direction::Outgoing)
    }

    fn neighbours(&self, id: StepId, direction: Direction) -> Vec<StepId> {
        let mut ids: Vec<StepId> = self
            .graph
            .neighbors_directed(NodeIndex::new(id.0), direction)
            .map(|n| StepId(n.index()))
            .collect();
        ids.sort_unstable();
        ids
    }
}

impl Plan {
    /// What to wait for in place of these steps, where several others wait for all of them: the
    /// steps themselves where they are few, else one that joins them. So a plan grows with the
    /// number of its steps, not with that of their pairs.
    pub fn join(&mut self, mut steps: Vec<StepId>) -> Vec<StepId> {
        steps.sort_unstable();
        steps.dedup();
        if steps.len() <= FEW {
            return steps;
        }
        let cause = format!("{} steps come before", steps.len());
        vec![self.add(Step::silent(Action::Join, cause), steps)]
    }

    /// Adds a container's hooks, one after the other; gives what to wait for after the last of
    /// them, which is `after` where there are none.
    pub fn add_hooks(
        &mut self,
        service: &str,
        container: &Target,
        hooks: &[Hook],
        cause: &str,
        mut after: Vec<StepId>,
    ) -> Vec<StepId> {
        for hook in hooks {
            let step = Step::silent(
                Action::RunHook {
                    service: service.to_owned(),
                    container: container.clone(),
                    hook: hook.clone(),
                },
                cause,
            );
            after = vec![self.add(step, after)];
        }
        after
    }

    /// Whether any step writes to the engine (a wait does not).
    pub fn changes_anything(&self) -> bool {
        self.steps().any(|(_, step)| step.action.is_change())
    }

    /// Whether any step writes to the engine because something differs from what the files ask for;
    /// what [recurs](Step::recurs) does not count.
    pub fn has_drift(&self) -> bool {
        self.steps()
            .any(|(_, step)| step.action.is_change() && !step.recurs)
    }

    /// A step as events name it.
    pub fn info(&self, id: StepId) -> StepInfo {
        let step = self.step(id);
        let action = &step.action;
        let number = match action {
            Action::CreateContainer { number, .. } => Some(*number),
            _ => None,
        };
        let network = match action {
            Action::ConnectNetwork { network, .. } | Action::DisconnectNetwork { network, .. } => {
                Some(network.clone())
            }
            _ => None,
        };
        let old_name = match action {
            Action::RenameContainer {
                container: Target::Existing { name, .. },
                ..
            } => Some(name.clone()),
            _ => None,
        };
        StepInfo {
            id: id.0,
            operation: action.operation(),
            part: step.part,
            resource: action.resource(),
            service: action.service().map(str::to_owned),
            number,
            network,
            old_name,
        }
    }

    /// All steps as events name them, with why and after what they are done.
    pub fn infos(&self) -> Vec<PlannedStep> {
        let planned = self.steps().map(|(id, step)| PlannedStep {
            step: self.info(id),
            cause: step.cause.clone(),
            after: self.dependencies(id).into_iter().map(|s| s.0).collect(),
        });
        planned.collect()
    }
}

impl Action {
    /// Whether it writes to the engine.
    pub fn is_change(&self) -> bool {
        !self.is_wait()
    }

    /// Whether it only waits, and so holds no connection while it does.
    pub fn is_wait(&self) -> bool {
        matches!(
            self,
            Action::Wait { .. } | Action::Verify { .. } | Action::Join
        )
    }

    /// Whether it makes or removes a network.
    pub fn is_of_network(&self) -> bool {
        matches!(
            self,
            Action::CreateNetwork { .. } | Action::RemoveNetwork { .. }
        )
    }

    /// Whether it needs to be told what happens to containers.
    pub fn follows_events(&self) -> bool {
        matches!(
            self,
            Action::Wait { .. } | Action::Verify { .. } | Action::RunPreStart { .. }
        )
    }

    /// What it does, without its particulars.
    pub fn operation(&self) -> Operation {
        match self {
            Action::PullImage { .. } => Operation::PullImage,
            Action::BuildImage { .. } => Operation::BuildImage,
            Action::CreateNetwork { .. } => Operation::CreateNetwork,
            Action::RemoveNetwork { .. } => Operation::RemoveNetwork,
            Action::ConnectNetwork { .. } => Operation::ConnectNetwork,
            Action::DisconnectNetwork { .. } => Operation::DisconnectNetwork,
            Action::CreateVolume { .. } => Operation::CreateVolume,
            Action::RemoveVolume { .. } => Operation::RemoveVolume,
            Action::CreateContainer { .. } | Action::CreateOneOff(_) => Operation::CreateContainer,
            Action::RenameContainer { .. } => Operation::RenameContainer,
            Action::CopyFiles { .. } => Operation::CopyFiles,
            Action::StartContainer { .. } => Operation::StartContainer,
            Action::StopContainer { .. } => Operation::StopContainer,
            Action::RestartContainer { .. } => Operation::RestartContainer,
            Action::KillContainer { .. } => Operation::KillContainer,
            Action::PauseContainer { .. } => Operation::PauseContainer,
            Action::UnpauseContainer { .. } => Operation::UnpauseContainer,
            Action::RemoveContainer { .. } => Operation::RemoveContainer,
            Action::RemoveImage { .. } => Operation::RemoveImage,
            Action::RunHook { .. } => Operation::RunHook,
            Action::RunPreStart { .. } => Operation::RunPreStart,
            Action::PrepareModel { .. } => Operation::PrepareModel,
            Action::RunProvider { .. } => Operation::RunProvider,
            Action::Verify { .. } => Operation::Verify,
            Action::Wait { .. } => Operation::Wait,
            Action::Join => Operation::Join,
        }
    }

    /// Snake-case name of the operation, as `plan --format json` gives it.
    pub fn kind(&self) -> &'static str {
        self.operation().as_str()
    }

    /// What it works on.
    pub fn resource(&self) -> Resource {
        match self {
            Action::PullImage { reference, .. }
            | Action::BuildImage { reference, .. }
            | Action::RemoveImage { reference } => Resource::new(ResourceKind::Image, reference),
            Action::CreateNetwork { name, .. } | Action::RemoveNetwork { name, .. } => {
                Resource::new(ResourceKind::Network, name)
            }
            Action::CreateVolume { name, .. } | Action::RemoveVolume { name } => {
                Resource::new(ResourceKind::Volume, name)
            }
            Action::CreateContainer { name, .. } | Action::RenameContainer { name, .. } => {
                Resource::container(name)
            }
            Action::CreateOneOff(one_off) => Resource::container(&one_off.name),
            Action::ConnectNetwork { container, .. }
            | Action::DisconnectNetwork { container, .. }
            | Action::CopyFiles { container, .. }
            | Action::StartContainer { container, .. }
            | Action::StopContainer { container, .. }
            | Action::RestartContainer { container, .. }
            | Action::KillContainer { container, .. }
            | Action::PauseContainer { container }
            | Action::UnpauseContainer { container }
            | Action::RunHook { container, .. }
            | Action::Verify { container, .. }
            | Action::RemoveContainer { container, .. } => Resource::container(container.name()),
            Action::RunPreStart { service, index, .. } => {
                Resource::new(ResourceKind::Hook, format!("{service} pre_start[{index}]"))
            }
            Action::PrepareModel { key, .. } => Resource::new(ResourceKind::Model, key),
            Action::Wait { service, .. } | Action::RunProvider { service, .. } => {
                Resource::new(ResourceKind::Service, service)
            }
            Action::Join => Resource::new(ResourceKind::Steps, ""),
        }
    }

    /// The one container that it works on.
    pub fn container(&self) -> Option<&Target> {
        match self {
            Action::RenameContainer { container, .. }
            | Action::ConnectNetwork { container, .. }
            | Action::DisconnectNetwork { container, .. }
            | Action::CopyFiles { container, .. }
            | Action::StartContainer { container, .. }
            | Action::Verify { container, .. }
            | Action::StopContainer { container, .. }
            | Action::RestartContainer { container, .. }
            | Action::KillContainer { container, .. }
            | Action::PauseContainer { container }
            | Action::UnpauseContainer { container }
            | Action::RemoveContainer { container, .. }
            | Action::RunHook { container, .. }
            | Action::RunPreStart { container, .. } => Some(container),
            _ => None,
        }
    }

    /// The service it is done for, where it is done for one.
    pub fn service(&self) -> Option<&str> {
        match self {
            Action::BuildImage { service, .. }
            | Action::ConnectNetwork { service, .. }
            | Action::CreateContainer { service, .. }
            | Action::CopyFiles { service, .. }
            | Action::StartContainer { service, .. }
            | Action::RunHook { service, .. }
            | Action::RunPreStart { service, .. }
            | Action::PrepareModel { service, .. }
            | Action::RunProvider { service, .. }
            | Action::Verify { service, .. }
            | Action::Wait { service, .. } => Some(service),
            Action::CreateOneOff(one_off) => Some(&one_off.service),
            Action::PullImage { services, .. } => services.first().map(String::as_str),
            _ => None,
        }
    }
}

impl<A> Step<A> {
    /// A change of its own.
    pub fn new(action: A, cause: impl Into<String>) -> Self {
        Step {
            action,
            cause: cause.into(),
            changes: Vec::new(),
            part: Part::Whole,
            group: None,
            recurs: false,
        }
    }

    /// A step that shows nothing unless it fails.
    pub fn silent(action: A, cause: impl Into<String>) -> Self {
        Step {
            part: Part::Hidden,
            ..Step::new(action, cause)
        }
    }

    /// Gives it another part in what the user sees.
    #[must_use]
    pub fn with_part(mut self, part: Part) -> Self {
        self.part = part;
        self
    }

    #[must_use]
    pub fn in_group(mut self, group: &str) -> Self {
        self.group = Some(group.to_owned());
        self
    }

    /// Marks it as one that [recurs](Step::recurs).
    #[must_use]
    pub fn at_every_up(mut self) -> Self {
        self.recurs = true;
        self
    }

    #[must_use]
    pub fn with_changes(mut self, changes: Vec<Change>) -> Self {
        self.changes = changes;
        self
    }
}
