//! Running a command in a container that runs already.

use crate::engine::{
    ContainerFilter, ContainerSummary, Engine, EngineError, ExecRequest, OutputStream,
};
use crate::labels;
use crate::threads;
use futures::StreamExt;
use std::io::{self, Read, Write};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

/// Why a command could not be run.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Our own output cannot be written.
    #[error(transparent)]
    Output(#[from] io::Error),
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
/// once where the request says to detach. Standard input is ours, where the request asks for it.
///
/// # Errors
/// If the engine fails. That the command is not there is no error: the engine says so in the
/// output, and the exit code is 126 or 127.
pub async fn run(
    engine: &dyn Engine,
    container: &str,
    request: &ExecRequest,
    out: &mut impl Write,
    err: &mut impl Write,
) -> Result<i64, ExecError> {
    // Before anything runs that would wait for it in vain.
    let chunks = match request.stdin && !request.detach {
        true => Some(stdin()?),
        false => None,
    };
    let id = engine.create_exec(container, request.clone()).await?;
    let mut session = engine.start_exec(&id, request).await?;
    if request.detach {
        return Ok(0);
    }
    let input = session.input.take();
    let feeding = tokio::spawn(async move {
        let (Some(mut to), Some(mut chunks)) = (input, chunks) else {
            return;
        };
        while let Some(chunk) = chunks.recv().await {
            // A command that does not listen any more is about to end.
            if to.write_all(&chunk).await.is_err() || to.flush().await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    });
    while let Some(chunk) = session.output.next().await {
        let chunk = chunk?;
        match chunk.stream {
            OutputStream::Stdout => pass(out, &chunk.bytes)?,
            OutputStream::Stderr => pass(err, &chunk.bytes)?,
        }
    }
    feeding.abort();
    Ok(engine.exec_exit_code(&id).await?)
}

fn pass(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes)?;
    to.flush()
}

/// Standard input in pieces. Read by a thread of its own, which may still wait for input when
/// the program ends; the runtime would wait for one of its own threads.
fn stdin() -> io::Result<mpsc::Receiver<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel(4);
    threads::spawn("standard input", move || {
        let mut buffer = vec![0; 16 << 10];
        loop {
            match io::stdin().read(&mut buffer) {
                Ok(0) | Err(_) => return,
                Ok(n) => {
                    if sender.blocking_send(buffer[..n].to_vec()).is_err() {
                        return;
                    }
                }
            }
        }
    })?;
    Ok(receiver)
}
