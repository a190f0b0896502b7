//! What went wrong with a step, in the user's terms.

use crate::engine::EngineError;
use crate::plan::{Action, Step, StepId};

/// What to do when the connection to the engine has broken off.
pub const AFTER_A_BREAK: &str = "see whether the engine still runs, then run the same command again: it goes on from what is there";

/// A step that failed.
#[derive(Debug, Clone)]
pub struct Failure {
    pub step: StepId,
    /// `Container shop-web-1`.
    pub resource: String,
    /// The service it was for.
    pub service: Option<String>,
    /// What was being done: `start`, `pull`.
    pub during: &'static str,
    pub message: String,
    /// Where in the project the cause stands, e.g. `services.web.ports[0]`.
    pub path: Option<String>,
    pub help: Option<String>,
    /// The container whose end it is, where it is one's.
    pub container: Option<String>,
    /// The engine did not answer when a signal asked to end.
    pub is_unanswered: bool,
    /// The connection to the engine broke off, or could not be made again.
    pub is_broken: bool,
}

/// A failure that does not know its step yet.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    pub message: String,
    pub path: Option<String>,
    pub help: Option<String>,
    pub container: Option<String>,
    pub is_unanswered: bool,
    pub is_broken: bool,
}

impl Trouble {
    pub fn new(message: impl Into<String>) -> Self {
        Trouble {
            message: message.into(),
            path: None,
            help: None,
            container: None,
            is_unanswered: false,
            is_broken: false,
        }
    }

    pub fn in_container(mut self, id: String) -> Self {
        self.container = Some(id);
        self
    }

    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Adds advice to what there is.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(match self.help {
            Some(before) => format!("{before}; {}", help.into()),
            None => help.into(),
        });
        self
    }

    /// The failure of a step.
    pub fn of(self, id: StepId, step: &Step) -> Failure {
        Failure {
            step: id,
            resource: step.action.resource().to_string(),
            service: step.action.service().map(str::to_owned),
            during: during(&step.action),
            message: self.message,
            path: self.path,
            help: self.help,
            container: self.container,
            is_unanswered: self.is_unanswered,
            is_broken: self.is_broken,
        }
    }
}

impl From<EngineError> for Trouble {
    fn from(error: EngineError) -> Self {
        let help = match &error {
            broken if broken.is_broken() => Some(AFTER_A_BREAK.to_owned()),
            other if other.message().contains("no space left on device") => {
                Some("the engine's disk is full: `docker system df` shows what holds it".to_owned())
            }
            other if other.message().contains("all predefined address pools") => Some(
                "no subnet is free for another network: `docker network prune` removes those \
                 that nobody uses"
                    .to_owned(),
            ),
            _ => None,
        };
        Trouble {
            is_broken: error.is_broken(),
            message: error.to_string(),
            path: None,
            help,
            container: None,
            is_unanswered: matches!(error, EngineError::Unanswered { .. }),
        }
    }
}

fn during(action: &Action) -> &'static str {
    match action {
        Action::PullImage { .. } => "pull",
        Action::BuildImage { .. } => "build",
        Action::CreateNetwork { .. }
        | Action::CreateVolume { .. }
        | Action::CreateContainer { .. }
        | Action::CreateOneOff(_) => "create",
        Action::RemoveNetwork { .. }
        | Action::RemoveVolume { .. }
        | Action::RemoveContainer { .. }
        | Action::RemoveImage { .. } => "remove",
        Action::ConnectNetwork { .. } => "connect",
        Action::DisconnectNetwork { .. } => "disconnect",
        Action::RenameContainer { .. } => "rename",
        Action::CopyFiles { .. } => "copy secrets and configs",
        Action::StartContainer { .. } => "start",
        Action::StopContainer { .. } => "stop",
        Action::RestartContainer { .. } => "restart",
        Action::KillContainer { .. } => "kill",
        Action::PauseContainer { .. } => "pause",
        Action::UnpauseContainer { .. } => "unpause",
        Action::RunHook { .. } => "run hook",
        Action::RunPreStart { .. } => "run",
        Action::PrepareModel { .. } => "prepare",
        Action::RunProvider { .. } => "run its provider",
        Action::Verify { .. } => "start",
        Action::Wait { .. } | Action::Join => "wait",
    }
}
