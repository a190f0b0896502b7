//! Attaching to a container that runs already.

use crate::engine::{
    AttachRequest, Awaited, ContainerDetails, ContainerState, Engine, EngineError, Reply,
    TerminalSize,
};
use crate::stdio::{End, Local, Process, StdioError, pass};
use std::io;

/// Why a container could not be attached to.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Our own streams cannot be read or written.
    #[error(transparent)]
    Local(#[from] io::Error),
    #[error(transparent)]
    Stdio(#[from] StdioError),
    #[error("cannot attach to a {state} container, {advice}")]
    State {
        state: &'static str,
        advice: &'static str,
    },
    /// The user has left it alone; it goes on.
    #[error("read escape sequence")]
    Detached,
}

/// A container that is about to be attached to.
pub struct Attaching {
    container: ContainerDetails,
    stdin: bool,
    end: Reply<'static, i64>,
}

impl Attaching {
    /// Looks at it. Its end is waited for from here on.
    ///
    /// # Errors
    /// If the engine fails, or it does not run.
    pub async fn prepare(engine: &dyn Engine, id: &str, stdin: bool) -> Result<Self, AttachError> {
        let end = engine.await_container(id, Awaited::NotRunning).await?;
        let container = engine.inspect_container(id).await?;
        let refuse = |state, advice| Err(AttachError::State { state, advice });
        match container.state {
            ContainerState::Running => Ok(Attaching {
                stdin: stdin && container.raw["Config"]["OpenStdin"].as_bool() == Some(true),
                container,
                end,
            }),
            ContainerState::Paused => refuse("paused", "unpause it first"),
            ContainerState::Restarting => refuse("restarting", "wait until it is running"),
            _ => refuse("stopped", "start it first"),
        }
    }

    /// Whether it has a terminal.
    pub fn has_terminal(&self) -> bool {
        self.container.tty
    }
}

/// Attaches, until the container ends; gives its exit code. `local` gives our side.
///
/// # Errors
/// If the engine or our own streams fail, or the user leaves it alone.
pub async fn run<'l>(
    engine: &dyn Engine,
    attaching: Attaching,
    detach_keys: Option<String>,
    local: impl FnOnce() -> io::Result<Local<'l>>,
) -> Result<i64, AttachError> {
    let Attaching {
        container,
        stdin,
        end,
    } = attaching;
    let request = AttachRequest {
        stdin,
        tty: container.tty,
        detach_keys,
    };
    let local = local()?;
    let streams = engine.attach_container(&container.id, &request).await?;
    if let Some(size) = (local.size)().filter(|_| container.tty) {
        redraw(engine, &container.id, size).await;
    }
    match pass(engine, Process::Container(&container.id), streams, local).await? {
        End::Detached => Err(AttachError::Detached),
        End::Closed => Ok(end.await?),
    }
}

/// Lets a program draw its screen again, which it does when the size changes: it is told another one
/// first, as Docker does.
async fn redraw(engine: &dyn Engine, id: &str, size: TerminalSize) {
    let other = TerminalSize {
        rows: size.rows.saturating_add(1),
        columns: size.columns.saturating_add(1),
    };
    if let Err(error) = engine.resize_container(id, other).await {
        tracing::debug!(%error, "the terminal was not told another size");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ContainerRequest;
    use crate::engine::fake::Fake;
    use crate::stdio::Kept;
    use futures::StreamExt;
    use serde_json::json;

    async fn container(fake: &Fake) -> String {
        let request = ContainerRequest {
            name: "web".into(),
            platform: None,
            body: json!({ "Image": "busybox", "Tty": true }),
        };
        fake.create_container(request).await.unwrap()
    }

    #[tokio::test]
    async fn only_what_runs_is_attached_to() {
        let fake = Fake::new();
        let id = container(&fake).await;
        let said = |result: Result<Attaching, AttachError>| match result {
            Ok(_) => "attached".to_owned(),
            Err(error) => error.to_string(),
        };
        let stopped = Attaching::prepare(&fake, &id, true).await;
        assert_eq!(
            said(stopped),
            "cannot attach to a stopped container, start it first"
        );
        fake.start_container(&id).await.unwrap();
        fake.pause(&id);
        let paused = Attaching::prepare(&fake, &id, true).await;
        assert_eq!(
            said(paused),
            "cannot attach to a paused container, unpause it first"
        );
    }

    #[tokio::test]
    async fn its_exit_code_is_ours_and_its_screen_is_drawn_again() {
        let fake = Fake::new();
        let id = container(&fake).await;
        fake.start_container(&id).await.unwrap();
        let attaching = Attaching::prepare(&fake, &id, true).await.unwrap();
        assert!(attaching.has_terminal());
        let mut sink = Kept::default();
        let local = Local {
            input: None,
            detector: None,
            signals: futures::stream::pending().boxed(),
            forwards: false,
            has_terminal: true,
            keyboard: None,
            stop: || (),
            size: || {
                Some(TerminalSize {
                    rows: 24,
                    columns: 80,
                })
            },
            sink: &mut sink,
        };
        let (code, ()) = tokio::join!(run(&fake, attaching, None, || Ok(local)), async {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            fake.exit(&id, 3);
        });
        assert_eq!(code.unwrap(), 3);
        let resizes = fake.calls().into_iter();
        let resizes = resizes.filter(|call| call.method == "resize_container");
        assert_eq!(resizes.count(), 2);
    }
}
