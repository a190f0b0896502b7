//! Why a container that was waited for did not get there: what it ended with, and its last words.

use super::Walk;
use super::failure::Trouble;
use super::watch::Fall;
use crate::engine::{ContainerDetails, ContainerState, LogOptions};
use crate::plan::{Target, Until};
use crate::service::Condition;
use crate::value::time;
use futures::StreamExt;

/// How many of its last log lines are shown.
const LAST_LINES: u64 = 10;

/// The most bytes of them.
const LAST_BYTES: usize = 8 << 10;

/// Podman notes a start when it is through, and the first lines may be that much older; in
/// nanoseconds.
const LATE_NOTE: i64 = 500_000_000;

impl Walk<'_> {
    /// Puts the end of a wait into words, with the line of the files that has to do with it.
    pub(super) async fn explain_fall(
        &self,
        service: &str,
        container: &Target,
        until: Until,
        fall: Fall,
    ) -> Trouble {
        let name = container.name();
        let subject = match until {
            Until::Condition(Condition::CompletedSuccessfully) => {
                format!("service {service:?} didn't complete successfully: container {name}")
            }
            Until::Condition(_) => format!("dependency failed to start: container {name}"),
            Until::RunningOrHealthy => format!("container {name}"),
        };
        let at = |attribute: &str| format!("services.{service}{attribute}");
        let trouble = match fall {
            Fall::Engine(error) => return Trouble::from(error).at(at("")),
            Fall::Ended(details) => {
                let attribute = self.attribute_behind(service, &details);
                let end = how_it_ended(&details);
                let mut said = self.log_of(&details, began(&details)).await;
                if said.trim().is_empty() && details.state == ContainerState::Running {
                    // It was started again since, and has written nothing yet.
                    said = self.log_of(&details, None).await;
                }
                let last = last_words(&said);
                Trouble::new(format!("{subject} {end}{last}")).at(at(attribute))
            }
            Fall::Unhealthy(details) => {
                let said = details.health_log.as_deref().map(str::trim).unwrap_or("");
                let said = match said {
                    "" => String::new(),
                    said => format!(": its check says: {said}"),
                };
                let last = self.last_lines(&details).await;
                Trouble::new(format!("{subject} is unhealthy{said}{last}")).at(at(".healthcheck"))
            }
            Fall::Removing => Trouble::new(format!("{subject} is being removed")).at(at("")),
            Fall::Paused => Trouble::new(format!("{subject} is paused"))
                .at(at(""))
                .help(format!("`docker unpause {name}` lets it go on")),
            Fall::NeverStarted => Trouble::new(format!("{subject} was never started"))
                .at(at(""))
                .help(format!("start it with `up` or `start {service}`")),
            Fall::NoHealthcheck => {
                Trouble::new(format!("{subject} has no healthcheck configured")).at(at(""))
            }
            Fall::Late(limit) => Trouble::new(format!(
                "{subject} is not healthy after {}s (--wait-timeout)",
                limit.as_secs()
            ))
            .at(at(".healthcheck")),
        };
        trouble.in_container(self.id_of(container))
    }

    /// What of the service an end has most likely to do with.
    fn attribute_behind(&self, service: &str, details: &ContainerDetails) -> &'static str {
        let Ok(service) = self.service(service) else {
            return "";
        };
        match details.oom_killed {
            true if service.mem_limit.is_some() => ".mem_limit",
            true if service.deploy.is_some() => ".deploy.resources.limits.memory",
            _ if service.command.is_some() => ".command",
            _ if service.entrypoint.is_some() => ".entrypoint",
            _ => "",
        }
    }

    /// The last lines of the run that the details tell of, and none of an earlier one.
    pub(super) async fn last_lines(&self, details: &ContainerDetails) -> String {
        last_words(&self.log_of(details, began(details)).await)
    }

    /// The end of its log, of what was written since then.
    async fn log_of(&self, details: &ContainerDetails, since: Option<i64>) -> String {
        let early = match self.means.engine.announces_early() {
            true => LATE_NOTE,
            false => 0,
        };
        let options = LogOptions {
            since: since.map(|nanos| time::nanos(nanos.saturating_sub(early))),
            tail: Some(LAST_LINES),
            tty: details.tty,
            ..LogOptions::default()
        };
        let mut lines = self.means.engine.logs(&details.id, options);
        let mut said = Vec::new();
        while let Some(Ok(chunk)) = lines.next().await {
            said.extend_from_slice(&chunk.bytes);
            if said.len() > 2 * LAST_BYTES {
                said.drain(..said.len() - LAST_BYTES);
            }
        }
        String::from_utf8_lossy(&said).into_owned()
    }
}

/// When the run began that the details tell of, in nanoseconds since the epoch.
fn began(details: &ContainerDetails) -> Option<i64> {
    let began: jiff::Timestamp = details.started_at.parse().ok()?;
    // An engine that has never started it says the year 1.
    let nanos = i64::try_from(began.as_nanosecond()).ok()?;
    (nanos > 0).then_some(nanos)
}

fn last_words(said: &str) -> String {
    match said.trim() {
        "" => "; it wrote nothing".to_owned(),
        text => {
            let lines: Vec<String> = text.lines().map(|l| format!("\n    {l}")).collect();
            format!("; its last lines:{}", lines.concat())
        }
    }
}

/// `exited (137): killed at its memory limit`.
pub(super) fn how_it_ended(details: &ContainerDetails) -> String {
    let code = details.exit_code;
    let why = match code {
        _ if details.oom_killed => ": killed at its memory limit",
        126 => ": its command cannot be executed",
        127 => ": its command was not found",
        _ => "",
    };
    let again = matches!(
        details.state,
        ContainerState::Restarting | ContainerState::Running
    );
    match again {
        true => format!("ends and is started again, over and over: last exited ({code}){why}"),
        false => format!("exited ({code}){why}"),
    }
}
