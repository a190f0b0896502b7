//! Running a command in a container that runs already.

use crate::engine::{ContainerFilter, ContainerSummary, Engine, EngineError, ExecRequest};
use crate::labels;
use crate::stdio::{End, Local, Process, StdioError, pass};
use std::io;
use std::time::Duration;

/// Why a command could not be run.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Our own streams cannot be read or written.
    #[error(transparent)]
    Local(#[from] io::Error),
    #[error(transparent)]
    Stdio(#[from] StdioError),
    /// The user has left it alone; it goes on.
    #[error("read escape sequence")]
    Detached,
    #[error("service \"{service}\" is not running{}", replica.map(|n| format!(" container #{n}")).unwrap_or_default())]
    NotRunning {
        service: String,
        replica: Option<u32>,
    },
}

/// The container to run in: that of the replica, or the one with the lowest number; those of
/// `run` come last.
pub async fn find(
    engine: &dyn Engine,
    project: &str,
    service: &str,
    replica: Option<u32>,
) -> Result<ContainerSummary, ExecError> {
    let mut labels = vec![
        format!("{}={project}", labels::PROJECT),
        format!("{}={service}", labels::SERVICE),
        labels::CONFIG_HASH.into(),
    ];
    labels.extend(replica.map(|n| format!("{}={n}", labels::CONTAINER_NUMBER)));
    let filter = ContainerFilter { labels, all: false };
    let containers = engine.list_containers(filter).await?;
    let rank = |c: &ContainerSummary| {
        let label = |key: &str| c.labels.get(key).map_or("", String::as_str);
        let number: u32 = label(labels::CONTAINER_NUMBER).parse().unwrap_or(u32::MAX);
        (label(labels::ONEOFF) == "True", number)
    };
    let service = service.to_owned();
    containers
        .into_iter()
        .min_by_key(rank)
        .ok_or(ExecError::NotRunning { service, replica })
}

/// Runs the command and passes its streams through, until it ends. Gives its exit code; 0 at
/// once where the request says to detach. `local` gives our side, once the command is prepared.
///
/// # Errors
/// If the engine fails. That the command is not there is no error: the engine says so in the
/// output, and the exit code is 126 or 127.
pub async fn run<'l>(
    engine: &dyn Engine,
    container: &str,
    request: &ExecRequest,
    local: impl FnOnce() -> io::Result<Local<'l>>,
) -> Result<i64, ExecError> {
    let id = engine.create_exec(container, request.clone()).await?;
    if request.detach {
        engine.start_exec(&id, request).await?;
        return Ok(0);
    }
    let local = local()?;
    let streams = engine.start_exec(&id, request).await?;
    match pass(engine, Process::Exec(&id), streams, local).await? {
        End::Detached => Err(ExecError::Detached),
        End::Closed => Ok(exit_code(engine, &id).await?),
    }
}

/// The exit code of a command that has closed its streams. The engine notes it down a moment later;
/// one that goes on without its streams is left alone.
///
/// # Errors
/// If the engine cannot be asked.
pub async fn exit_code(engine: &dyn Engine, id: &str) -> Result<i64, EngineError> {
    const LOOKS: u32 = 8;
    for look in 0..LOOKS {
        if let Some(code) = engine.exec_exit_code(id).await? {
            return Ok(code);
        }
        tokio::time::sleep(Duration::from_millis(2 << look)).await;
    }
    Ok(0)
}
