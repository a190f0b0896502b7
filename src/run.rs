//! Starting the container of a `run` with our streams attached from its first byte on, and staying
//! until it ends.

use crate::engine::{AttachRequest, Awaited, Engine, EngineError, Reply, Streams};
use crate::stdio::{End, Local, Process, StdioError, pass};

/// Why a one-off could not be run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It is there, but the engine cannot start it.
    #[error("{0}")]
    Start(EngineError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Stdio(#[from] StdioError),
}

impl RunError {
    /// Podman prepares a container when it is attached to: what cannot be started fails there.
    fn of_attaching(error: EngineError) -> RunError {
        match error
            .message()
            .contains("unable to start container process")
        {
            true => RunError::Start(error),
            false => RunError::Engine(error),
        }
    }

    /// The exit code, by Docker's rules: what could not be started is 127 where its program is not
    /// there, 126 where that is no program, and 125 for any other reason.
    pub fn exit_code(&self) -> u8 {
        let RunError::Start(error) = self else {
            return 1;
        };
        let message = error.message();
        let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
        if says(&["executable file not found", "no such file or directory"]) {
            127
        } else if says(&["permission denied", "is a directory"]) {
            126
        } else {
            125
        }
    }
}

/// A container to start.
#[derive(Debug, Clone)]
pub struct Launch<'a> {
    /// Its name or id.
    pub container: &'a str,
    /// The engine removes it at its end.
    pub auto_remove: bool,
    /// What to attach to; `None` leaves it alone.
    pub attach: Option<AttachRequest>,
}

/// One that runs.
pub struct Launched {
    streams: Option<Streams>,
    end: Option<Reply<'static, i64>>,
}

/// Attaches, where that is asked for, and starts.
///
/// # Errors
/// If the engine fails; [`RunError::Start`] where it is the start that does.
pub async fn launch(engine: &dyn Engine, launch: &Launch<'_>) -> Result<Launched, RunError> {
    let id = launch.container;
    let awaited = match launch.auto_remove {
        true => Awaited::Removed,
        false => Awaited::NextExit,
    };
    let (streams, end) = match &launch.attach {
        Some(request) => {
            let attached = futures::future::try_join(
                engine.attach_container(id, request),
                engine.await_container(id, awaited),
            );
            match attached.await.map_err(RunError::of_attaching) {
                Ok((streams, end)) => (Some(streams), Some(end)),
                Err(error) => {
                    // What never started the engine does not remove.
                    if launch.auto_remove {
                        let _ = engine.remove_container(id, true, true).await;
                    }
                    return Err(error);
                }
            }
        }
        None => (None, None),
    };
    engine.start_container(id).await.map_err(RunError::Start)?;
    Ok(Launched { streams, end })
}

/// Stays with it until it ends; gives its exit code, 0 where the user has left it alone.
///
/// # Errors
/// If the engine or our own streams fail.
pub async fn attend(
    engine: &dyn Engine,
    container: &str,
    launched: Launched,
    local: Local<'_>,
) -> Result<i64, RunError> {
    let (Some(streams), Some(end)) = (launched.streams, launched.end) else {
        return Ok(0);
    };
    match pass(engine, Process::Container(container), streams, local).await? {
        End::Detached => Ok(0),
        End::Closed => Ok(end.await?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_started_has_dockers_exit_codes() {
        for (message, code) in [
            (
                "runc create failed: exec: \"x\": executable file not found in $PATH",
                127,
            ),
            ("exec: \"/x\": stat /x: no such file or directory", 127),
            ("exec: \"/etc\": is a directory: permission denied", 126),
            ("Bind for 0.0.0.0:80 failed: port is already allocated", 125),
        ] {
            let error = RunError::Start(EngineError::Refused {
                status: 500,
                message: message.into(),
            });
            assert_eq!(error.exit_code(), code, "{message}");
        }
        let error = RunError::Engine(EngineError::Conflict {
            message: "permission denied".into(),
        });
        assert_eq!(error.exit_code(), 1);
    }
}
