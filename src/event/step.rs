//! The steps of a plan, as events tell of them.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A resource that something is done to; it displays as `Container shop-web-1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Resource {
    pub kind: ResourceKind,
    pub name: String,
}

/// The kinds of resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    Container,
    Hook,
    Image,
    Model,
    Network,
    Service,
    /// Several steps that are waited for together.
    Steps,
    Volume,
}

impl Resource {
    pub fn new(kind: ResourceKind, name: impl Into<String>) -> Self {
        Resource {
            kind,
            name: name.into(),
        }
    }

    pub fn container(name: impl Into<String>) -> Self {
        Resource::new(ResourceKind::Container, name)
    }

    /// As it stands within a sentence: `container shop-web-1`.
    pub fn in_sentence(&self) -> String {
        let mut text = self.to_string();
        text[..1].make_ascii_lowercase();
        text
    }
}

impl ResourceKind {
    /// Docker Compose's word for it.
    pub fn word(self) -> &'static str {
        match self {
            ResourceKind::Container => "Container",
            ResourceKind::Hook => "Hook",
            ResourceKind::Image => "Image",
            ResourceKind::Model => "Model",
            ResourceKind::Network => "Network",
            ResourceKind::Service => "Service",
            ResourceKind::Steps => "Steps",
            ResourceKind::Volume => "Volume",
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.as_str() {
            "" => f.write_str(self.kind.word()),
            name => write!(f, "{} {name}", self.kind.word()),
        }
    }
}

/// What a step does, without its particulars: the kinds of a plan's actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    PullImage,
    BuildImage,
    RemoveImage,
    CreateNetwork,
    RemoveNetwork,
    ConnectNetwork,
    DisconnectNetwork,
    CreateVolume,
    RemoveVolume,
    CreateContainer,
    RenameContainer,
    CopyFiles,
    StartContainer,
    StopContainer,
    RestartContainer,
    KillContainer,
    PauseContainer,
    UnpauseContainer,
    RemoveContainer,
    RunHook,
    RunPreStart,
    PrepareModel,
    RunProvider,
    Verify,
    Wait,
    Join,
}

impl Operation {
    /// The word for it in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Operation::PullImage => "pull_image",
            Operation::BuildImage => "build_image",
            Operation::RemoveImage => "remove_image",
            Operation::CreateNetwork => "create_network",
            Operation::RemoveNetwork => "remove_network",
            Operation::ConnectNetwork => "connect_network",
            Operation::DisconnectNetwork => "disconnect_network",
            Operation::CreateVolume => "create_volume",
            Operation::RemoveVolume => "remove_volume",
            Operation::CreateContainer => "create_container",
            Operation::RenameContainer => "rename_container",
            Operation::CopyFiles => "copy_files",
            Operation::StartContainer => "start_container",
            Operation::StopContainer => "stop_container",
            Operation::RestartContainer => "restart_container",
            Operation::KillContainer => "kill_container",
            Operation::PauseContainer => "pause_container",
            Operation::UnpauseContainer => "unpause_container",
            Operation::RemoveContainer => "remove_container",
            Operation::RunHook => "run_hook",
            Operation::RunPreStart => "run_pre_start",
            Operation::PrepareModel => "prepare_model",
            Operation::RunProvider => "run_provider",
            Operation::Verify => "verify",
            Operation::Wait => "wait",
            Operation::Join => "join",
        }
    }
}

/// The part that a step has in what the user sees. A replacement is many steps and two lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Told of only where it fails: it is part of another change, or tells of itself.
    #[default]
    Hidden,
    /// A change of its own: told of when it begins and when it is done.
    Whole,
    /// Told of only when it is done.
    Result,
    /// The replacement of a container begins with it.
    ReplacementStart,
    /// With it the replacement of a container is complete.
    ReplacementEnd,
}

/// A step, as every event about it names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepInfo {
    /// Its number in the plan.
    pub id: usize,
    pub operation: Operation,
    pub part: Part,
    pub resource: Resource,
    /// The service it is done for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The number of the service's replica that it makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// The network that a container is connected to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// The name that a container had before it was renamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_name: Option<String>,
}

/// A step of a plan that is about to be walked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStep {
    #[serde(flatten)]
    pub step: StepInfo,
    /// Why, in the user's words.
    pub cause: String,
    /// The numbers of the steps that it waits for.
    pub after: Vec<usize>,
}

/// How a step ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    Done,
    /// Something still uses what was to be removed, so it stays.
    StillInUse,
    /// What was to be removed is gone already.
    NotFound,
    /// The command was interrupted before it was done.
    GivenUp,
}

/// What a provider's program is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderVerb {
    Up,
    Down,
    Stop,
}

impl ProviderVerb {
    /// The program's command.
    pub fn as_str(self) -> &'static str {
        match self {
            ProviderVerb::Up => "up",
            ProviderVerb::Down => "down",
            ProviderVerb::Stop => "stop",
        }
    }

    /// What is being done to the service.
    pub fn deed(self) -> &'static str {
        match self {
            ProviderVerb::Up => "create",
            ProviderVerb::Down => "remove",
            ProviderVerb::Stop => "stop",
        }
    }
}
