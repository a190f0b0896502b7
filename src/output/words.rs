//! The words for events: Docker Compose's, line for line, since people and scripts know them.

use crate::event::{
    Ending, Found, Kind, Operation, Part, ProviderVerb, Resource, ResourceKind, Skipped, Status,
    Steady, StepInfo, StopReason,
};
use crate::value::bytes::human_size;

/// A line about one thing, with the fields of Compose's own progress lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `Container shop-web-1`, `Network shop_default`, `Image nginx`, or a layer.
    pub id: String,
    /// The line's thing this one is a part of (a layer's image).
    pub parent: Option<String>,
    pub status: Status,
    /// `Creating`, `Created`, `Pulling`…
    pub text: String,
    /// A cause, an error, what is waited for; empty where there is nothing to say.
    pub details: String,
    pub current: Option<i64>,
    pub total: Option<i64>,
}

/// The id of lines about the command itself.
pub const COMMAND: &str = "Compose";

impl Line {
    pub fn new(id: impl Into<String>, status: Status, text: impl Into<String>) -> Self {
        Line {
            id: id.into(),
            parent: None,
            status,
            text: text.into(),
            details: String::new(),
            current: None,
            total: None,
        }
    }

    #[must_use]
    pub fn with_details(mut self, details: impl Into<String>) -> Self {
        self.details = details.into();
        self
    }

    fn working(id: impl Into<String>, text: impl Into<String>) -> Self {
        Line::new(id, Status::Working, text)
    }

    fn done(id: impl Into<String>, text: impl Into<String>) -> Self {
        Line::new(id, Status::Done, text)
    }

    fn warning(id: impl Into<String>, text: impl Into<String>) -> Self {
        Line::new(id, Status::Warning, text)
    }
}

/// The lines that an event shows; none for those that the user sees in another way, or not at all.
pub fn lines(kind: &Kind) -> Vec<Line> {
    let line = match kind {
        Kind::StepStarted { step } => step_started(step),
        Kind::StepFinished { step, ending, .. } => step_finished(step, *ending),
        Kind::StepFailed { step, message, .. } => {
            let first = message.lines().next().unwrap_or_default();
            let line = Line::new(subject(step), Status::Error, "Error");
            Some(line.with_details(first))
        }
        Kind::Unchanged { resource, state } => match state {
            Steady::Running => Some(Line::done(resource.to_string(), "Running")),
            // Compose stops what is stopped already, and says so.
            Steady::Stopped => {
                let id = resource.to_string();
                return vec![
                    Line::working(id.as_str(), "Stopping"),
                    Line::done(id, "Stopped"),
                ];
            }
        },
        Kind::Discarded { resource } => Some(Line::done(resource.to_string(), "Removed")),

        Kind::WaitStarted { resource, .. } => Some(Line::working(resource.to_string(), "Waiting")),
        Kind::WaitMet { resource, found } => {
            let word = match found {
                Found::Healthy => "Healthy",
                Found::Exited => "Exited",
            };
            Some(Line::done(resource.to_string(), word))
        }
        Kind::WaitSkipped { resource, service } => {
            let details = format!("optional dependency {service:?} failed to start");
            let line = Line::warning(resource.to_string(), "Skipped");
            Some(line.with_details(details))
        }

        Kind::PullStarted { image } => Some(Line::working(image_id(image), "Pulling")),
        Kind::PullProgress {
            image,
            layer,
            status,
            current,
            total,
        } => Some(layer_line(image, layer, status, *current, *total)),
        Kind::PullFinished { image } => Some(Line::done(image_id(image), "Pulled")),
        Kind::PullFailed {
            image,
            message,
            optional,
        } => {
            let id = image_id(image);
            Some(match optional {
                true => Line::warning(id, message.as_str()),
                false => Line::new(id, Status::Error, "Error").with_details(message.as_str()),
            })
        }
        Kind::PullSkipped { resource, reason } => {
            let id = match resource.kind {
                ResourceKind::Service => resource.name.clone(),
                _ => resource.to_string(),
            };
            let why = match reason {
                Skipped::Policy => "",
                Skipped::Present => "Image is already present locally",
                Skipped::Buildable => "Image can be built",
                Skipped::DryRun => "dry run: it would be pulled",
                Skipped::NoImage => "No image to be pulled",
            };
            Some(Line::done(id, "Skipped").with_details(why))
        }

        Kind::BuildStarted { image } => Some(Line::working(image_id(image), "Building")),
        Kind::BuildFinished { image } => Some(Line::done(image_id(image), "Built")),
        Kind::BuildSkipped { image } => Some(Line::done(
            image_id(image),
            "Skipped (dry run: it would be built)",
        )),

        Kind::ModelPullStarted { model } => Some(Line::working(model, "Pulling")),
        Kind::ModelPullFinished { model } => Some(Line::working(model, "Pulled")),
        Kind::ModelConfigStarted { model } => Some(Line::working(model, "Configuring")),
        Kind::ModelConfigFinished { model } => Some(Line::done(model, "Configured")),

        Kind::ProviderStarted { service, verb } => Some(Line::working(
            service,
            match verb {
                ProviderVerb::Up => "Creating",
                ProviderVerb::Down => "Removing",
                ProviderVerb::Stop => "Stopping",
            },
        )),
        Kind::ProviderFinished { service, verb } => Some(Line::done(
            service,
            match verb {
                ProviderVerb::Up => "Created",
                ProviderVerb::Down => "Removed",
                ProviderVerb::Stop => "Stopped",
            },
        )),

        Kind::LockAwaited { project, holder } => {
            let line = Line::working(format!("Project {project}"), "Waiting");
            Some(line.with_details(format!("for {holder}")))
        }
        Kind::LockAcquired { project } => Some(Line::done(format!("Project {project}"), "Waited")),

        Kind::Stopping { reason } => {
            let why = match reason {
                StopReason::ContainerExited => "Aborting on container exit...",
                StopReason::Interrupted => "Gracefully Stopping... press Ctrl-C again to kill",
            };
            Some(Line::working(COMMAND, "Stopping").with_details(why))
        }
        Kind::Progress {
            resource,
            status,
            text,
            details,
        } => Some(Line::new(resource, *status, text).with_details(details)),

        // Not lines about one thing, or not shown on a screen of progress.
        Kind::CommandStarted { .. }
        | Kind::RunStarted { .. }
        | Kind::RunEnded { .. }
        | Kind::WaitProbed { .. }
        | Kind::BuildOutput { .. }
        | Kind::LogLine { .. }
        | Kind::ContainerExited { .. }
        | Kind::ContainerRecreated { .. }
        | Kind::Countdown { .. }
        | Kind::Warning { .. }
        | Kind::Text { .. } => None,
    };
    line.into_iter().collect()
}

fn image_id(image: &str) -> String {
    Resource::new(ResourceKind::Image, image).to_string()
}

/// What a step's lines are about. Programs beside ours tell of a service or a model by its bare
/// name.
fn subject(step: &StepInfo) -> String {
    match step.operation {
        Operation::RunProvider | Operation::PrepareModel => step.resource.name.clone(),
        _ => step.resource.to_string(),
    }
}

fn step_started(step: &StepInfo) -> Option<Line> {
    let word = match step.part {
        Part::Whole => doing(step.operation),
        Part::ReplacementStart => "Recreate",
        Part::Hidden | Part::Result | Part::ReplacementEnd => return None,
    };
    Some(Line::working(subject(step), word))
}

fn step_finished(step: &StepInfo, ending: Ending) -> Option<Line> {
    let id = subject(step);
    match ending {
        Ending::Done => {}
        Ending::StillInUse => return Some(Line::warning(id, "Resource is still in use")),
        Ending::NotFound => {
            return Some(match step.operation {
                Operation::RemoveImage => Line::done(id, "Warning: No resource found to remove"),
                _ => Line::warning(id, "No resource found to remove"),
            });
        }
        Ending::GivenUp => {
            let was_begun = matches!(step.part, Part::Whole | Part::ReplacementStart)
                || step.operation == Operation::PullImage;
            return was_begun.then(|| Line::warning(id, "Interrupted"));
        }
    }
    let (word, details) = match (step.part, step.operation) {
        (Part::Hidden | Part::ReplacementStart, _) => return None,
        (Part::ReplacementEnd, _) => ("Recreated", String::new()),
        (_, Operation::ConnectNetwork) => {
            let network = step.network.as_deref().unwrap_or_default();
            ("Reconnected", format!("to network {network}"))
        }
        (Part::Whole, Operation::RenameContainer) => {
            let old = step.old_name.as_deref().unwrap_or_default();
            ("Renamed", format!("from {old}"))
        }
        (Part::Whole | Part::Result, operation) => (done(operation), String::new()),
    };
    Some(Line::done(id, word).with_details(details))
}

/// What is being done.
fn doing(operation: Operation) -> &'static str {
    match operation {
        Operation::PullImage => "Pulling",
        Operation::BuildImage => "Building",
        Operation::CreateNetwork | Operation::CreateVolume | Operation::CreateContainer => {
            "Creating"
        }
        Operation::RemoveImage
        | Operation::RemoveNetwork
        | Operation::RemoveVolume
        | Operation::RemoveContainer => "Removing",
        Operation::ConnectNetwork => "Connecting",
        Operation::DisconnectNetwork => "Disconnecting",
        Operation::RenameContainer => "Renaming",
        Operation::CopyFiles => "Copying",
        Operation::StartContainer | Operation::Verify => "Starting",
        Operation::StopContainer => "Stopping",
        Operation::RestartContainer => "Restarting",
        Operation::KillContainer => "Killing",
        Operation::PauseContainer => "Pausing",
        Operation::UnpauseContainer => "Unpausing",
        Operation::RunHook | Operation::RunPreStart | Operation::RunProvider => "Running",
        Operation::PrepareModel => "Configuring",
        Operation::Wait | Operation::Join => "Waiting",
    }
}

/// What was done.
fn done(operation: Operation) -> &'static str {
    match operation {
        Operation::PullImage => "Pulled",
        Operation::BuildImage => "Built",
        Operation::CreateNetwork | Operation::CreateVolume | Operation::CreateContainer => {
            "Created"
        }
        Operation::RemoveImage
        | Operation::RemoveNetwork
        | Operation::RemoveVolume
        | Operation::RemoveContainer => "Removed",
        Operation::ConnectNetwork => "Reconnected",
        Operation::DisconnectNetwork => "Disconnected",
        Operation::RenameContainer => "Renamed",
        Operation::CopyFiles => "Copied",
        Operation::StartContainer | Operation::RestartContainer | Operation::Verify => "Started",
        Operation::StopContainer => "Stopped",
        Operation::KillContainer => "Killed",
        Operation::PauseContainer => "Paused",
        Operation::UnpauseContainer => "Unpaused",
        Operation::RunHook | Operation::RunPreStart | Operation::RunProvider => "Exited",
        Operation::PrepareModel => "Configured",
        Operation::Wait | Operation::Join => "Waited",
    }
}

/// A layer's line, in the engine's own words.
fn layer_line(
    image: &str,
    layer: &str,
    status: &str,
    current: Option<i64>,
    total: Option<i64>,
) -> Line {
    let is_done = matches!(
        status,
        "Download complete" | "Already exists" | "Pull complete"
    );
    Line {
        parent: Some(image_id(image)),
        details: human_size(current.unwrap_or(0)),
        current,
        total,
        ..Line::new(
            layer,
            match is_done {
                true => Status::Done,
                false => Status::Working,
            },
            status,
        )
    }
}
