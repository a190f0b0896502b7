//! Giving up a step that is under way.

use super::Walk;
use super::failure::Trouble;
use crate::interrupt::Stage;
use crate::plan::{Action, StepId};
use futures::future::{Either, select};

/// The stage from which on nobody waits for an action that is under way.
fn given_up_at(action: &Action) -> Stage {
    match action {
        // Ends on its own terms, since its container has to go first.
        Action::RunPreStart { .. }
        | Action::PullImage { .. }
        | Action::BuildImage { .. }
        | Action::PrepareModel { .. }
        | Action::RunProvider { .. }
        | Action::Wait { .. }
        | Action::Verify { healthy: true, .. } => Stage::Stopping,
        // First moments are short, and without them the old one would have to come back.
        Action::Verify { healthy: false, .. }
        | Action::RunHook { .. }
        | Action::StopContainer { .. }
        | Action::RestartContainer { .. } => Stage::Killing,
        // Short, and nobody would know what became of them.
        Action::CreateNetwork { .. }
        | Action::RemoveNetwork { .. }
        | Action::ConnectNetwork { .. }
        | Action::DisconnectNetwork { .. }
        | Action::CreateVolume { .. }
        | Action::RemoveVolume { .. }
        | Action::CreateContainer { .. }
        | Action::CreateOneOff(_)
        | Action::RenameContainer { .. }
        | Action::CopyFiles { .. }
        | Action::StartContainer { .. }
        | Action::PauseContainer { .. }
        | Action::UnpauseContainer { .. }
        | Action::KillContainer { .. }
        | Action::RemoveContainer { .. }
        | Action::RemoveImage { .. }
        | Action::Join => Stage::Leaving,
    }
}

impl Walk<'_> {
    /// Does a step as long as nobody asks to give it up; `false` if it was.
    pub(super) async fn act_unless_interrupted(
        &self,
        id: StepId,
        action: &Action,
    ) -> Result<bool, Trouble> {
        if let Action::RunPreStart {
            service,
            index,
            container,
        } = action
        {
            return self.run_pre_start(service, *index, container).await;
        }
        let stage = given_up_at(action);
        let act = std::pin::pin!(self.act(id, action));
        let asked = std::pin::pin!(async {
            let lost = async {
                match self.means.lock.filter(|_| stage == Stage::Stopping) {
                    Some(lock) => lock.until_lost().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.means.interrupts.reached(stage) => {}
                () = lost => {}
            }
        });
        let act = match select(act, asked).await {
            Either::Left((result, _)) => return result.map(|()| true),
            Either::Right(((), act)) => act,
        };
        let (Action::StopContainer { container, .. } | Action::RestartContainer { container, .. }) =
            action
        else {
            return Ok(false);
        };
        // The stop that is under way ends with the kill.
        let id = self.id_of(container);
        if let Err(error) = self.means.engine.kill_container(&id, "SIGKILL").await {
            tracing::debug!(%error, "it could not be killed; it may have stopped by itself");
        }
        act.await.map(|()| true)
    }
}
