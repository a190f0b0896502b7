//! `post_start` and `pre_stop`: commands run in a container at a point of its life.

use super::Walk;
use super::failure::Trouble;
use crate::engine::EngineError;
use crate::engine::request::hook_request;
use crate::exec::exit_code;
use crate::plan::Target;
use crate::service::develop::Hook;
use futures::StreamExt;

/// How much of a failed hook's output is kept for the message, in lines.
const KEPT_LINES: usize = 10;

/// The most bytes of its output held in memory.
const KEPT_BYTES: usize = 16 << 10;

/// Why a hook has not been run to a good end.
pub(super) enum HookError {
    /// The engine did not run it.
    Engine(EngineError),
    Failed(Trouble),
}

impl From<EngineError> for HookError {
    fn from(error: EngineError) -> Self {
        HookError::Engine(error)
    }
}

impl Walk<'_> {
    pub(super) async fn run_hook(
        &self,
        service: &str,
        container: &Target,
        hook: &Hook,
    ) -> Result<(), HookError> {
        let request = hook_request(hook);
        let engine = self.means.engine;
        let exec = engine
            .create_exec(&self.id_of(container), request.clone())
            .await?;
        let mut session = engine.start_exec(&exec, &request).await?;
        let mut said = Vec::new();
        while let Some(chunk) = session.output.next().await {
            said.extend_from_slice(&chunk?.bytes);
            if said.len() > 2 * KEPT_BYTES {
                said.drain(..said.len() - KEPT_BYTES);
            }
        }
        let code = exit_code(engine, &exec).await?;
        if code == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&said);
        let lines: Vec<&str> = text.lines().collect();
        let last = lines[lines.len().saturating_sub(KEPT_LINES)..].join("\n");
        Err(HookError::Failed(Trouble::new(format!(
            "{service} hook exited with status {code}: {last}"
        ))))
    }
}
