//! What the user's signals ask for: each asks for more than the one before.
//!
//! One place turns signals into a [`Stage`]; the work watches it. Work that has nothing to
//! put in order ends with the first signal; work that [asked for it](Interrupts::in_stages) is
//! asked to stop first, then to kill, and only then left. As long as nothing was
//! [changed](Interrupts::begin), the second signal leaves.

mod signal;

pub use signal::Signal;

use tokio::sync::watch;

/// How much has been asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Running,
    /// Begin nothing more, finish or undo what was begun, stop gracefully.
    Stopping,
    /// Wait for nothing that can be killed.
    Killing,
    /// The program ends now, whatever it was doing.
    Leaving,
}

/// The first signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP: the terminal has gone.
    Hangup,
}

impl Cause {
    /// What a program leaves with that was ended by this.
    pub fn exit_code(self) -> u8 {
        match self {
            Cause::Interrupt => 130,
            Cause::Terminate => 143,
            Cause::Hangup => 129,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    stage: Stage,
    cause: Option<Cause>,
    /// How many have asked for stages.
    has_stages: u32,
    /// Something was changed, or may have been.
    has_begun: bool,
}

impl State {
    /// One signal more.
    fn after(self, cause: Cause) -> State {
        let stage = match self.stage {
            _ if self.has_stages == 0 => Stage::Leaving,
            Stage::Running => Stage::Stopping,
            // There is nothing to kill yet, and nothing to put in order.
            Stage::Stopping if !self.has_begun => Stage::Leaving,
            Stage::Stopping => Stage::Killing,
            Stage::Killing | Stage::Leaving => Stage::Leaving,
        };
        State {
            stage,
            cause: self.cause.or(Some(cause)),
            ..self
        }
    }
}

/// The stage as everybody sees it. Clones share it.
#[derive(Debug, Clone)]
pub struct Interrupts(watch::Sender<State>);

impl Default for Interrupts {
    fn default() -> Self {
        Interrupts(watch::Sender::new(State {
            stage: Stage::Running,
            cause: None,
            has_stages: 0,
            has_begun: false,
        }))
    }
}

/// As long as this lives, signals are taken in stages.
#[derive(Debug)]
pub struct InStages(Interrupts);

impl Drop for InStages {
    fn drop(&mut self) {
        self.0.0.send_modify(|state| state.has_stages -= 1);
    }
}

impl Interrupts {
    /// A signal has come, or what counts as one.
    pub fn signal(&self, cause: Cause) {
        self.0.send_modify(|state| *state = state.after(cause));
    }

    /// From now on the first signal does not end the program.
    #[must_use = "it ends when this is dropped"]
    pub fn in_stages(&self) -> InStages {
        self.0.send_modify(|state| state.has_stages += 1);
        InStages(self.clone())
    }

    /// From now on something is changed: a second signal asks to kill, not to leave.
    pub fn begin(&self) {
        self.0.send_modify(|state| state.has_begun = true);
    }

    /// Whether something was changed, or may have been.
    pub fn has_begun(&self) -> bool {
        self.0.borrow().has_begun
    }

    pub fn stage(&self) -> Stage {
        self.0.borrow().stage
    }

    /// The first signal; `None` while there is none.
    pub fn cause(&self) -> Option<Cause> {
        self.0.borrow().cause
    }

    /// Waits until so much has been asked for.
    pub async fn reached(&self, stage: Stage) {
        // The sender is ours, so the channel never closes.
        let _ = self.0.subscribe().wait_for(|s| s.stage >= stage).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Cause::{Interrupt, Terminate};
    use Stage::{Killing, Leaving, Running, Stopping};

    #[test]
    fn each_signal_asks_for_more() {
        let interrupts = Interrupts::default();
        let staged = interrupts.in_stages();
        interrupts.begin();
        assert_eq!(interrupts.stage(), Running);
        for stage in [Stopping, Killing, Leaving, Leaving] {
            interrupts.signal(Terminate);
            assert_eq!(interrupts.stage(), stage);
        }
        drop(staged);
        assert_eq!(interrupts.cause(), Some(Terminate));
    }

    #[test]
    fn before_anything_was_changed_the_second_signal_leaves() {
        let interrupts = Interrupts::default();
        let _staged = interrupts.in_stages();
        for stage in [Stopping, Leaving] {
            interrupts.signal(Interrupt);
            assert_eq!(interrupts.stage(), stage);
        }
    }

    #[test]
    fn work_inside_of_work_does_not_end_the_stages() {
        let interrupts = Interrupts::default();
        let _outer = interrupts.in_stages();
        drop(interrupts.in_stages());
        interrupts.signal(Interrupt);
        assert_eq!(interrupts.stage(), Stopping);
    }

    #[test]
    fn without_stages_the_first_signal_ends_it() {
        let interrupts = Interrupts::default();
        drop(interrupts.in_stages());
        interrupts.signal(Interrupt);
        assert_eq!(interrupts.stage(), Leaving);
        interrupts.signal(Terminate);
        assert_eq!(interrupts.cause(), Some(Interrupt));
    }

    #[tokio::test]
    async fn a_stage_is_reached_by_going_past_it() {
        let interrupts = Interrupts::default();
        let watcher = interrupts.clone();
        let waiting = tokio::spawn(async move { watcher.reached(Stopping).await });
        tokio::task::yield_now().await;
        interrupts.signal(Interrupt);
        waiting.await.unwrap();
        assert_eq!(interrupts.stage(), Leaving);
    }
}
