//! The logs beside a change, and what they tell.

use super::verdict::Verdict;
use crate::interrupt::{Cause, Interrupts, Stage};
use crate::logs::LogsError;
use crate::logs::attach::Exit;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::mpsc;

/// After the last container has ended, its last lines are on their way for no longer.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// The logs beside the change, and what they tell.
pub struct Beside<'a, F> {
    logs: Pin<&'a mut F>,
    /// How they ended.
    end: Option<Result<(), LogsError>>,
    exits: mpsc::UnboundedReceiver<Exit>,
    pub verdict: Verdict<'a>,
}

impl<'a, F: Future<Output = Result<(), LogsError>>> Beside<'a, F> {
    pub fn new(
        logs: Pin<&'a mut F>,
        exits: mpsc::UnboundedReceiver<Exit>,
        verdict: Verdict<'a>,
    ) -> Self {
        Beside {
            logs,
            end: None,
            exits,
            verdict,
        }
    }

    /// Shows logs while the project is changed. What the user asks for is passed on to the change by
    /// `halt`, and so is an end that ends everything. Gives also whether the user asked to stop.
    pub async fn during_change<T>(
        &mut self,
        change: impl Future<Output = T>,
        asked: &Interrupts,
        halt: &Interrupts,
    ) -> (T, bool) {
        let mut change = std::pin::pin!(change);
        let mut stage = Stage::Running;
        if self.end.is_some() {
            halt.signal(Cause::Interrupt);
        }
        loop {
            let next = match stage {
                Stage::Running => Stage::Stopping,
                _ => Stage::Killing,
            };
            tokio::select! {
                biased;
                result = &mut change => return (result, stage > Stage::Running),
                () = asked.reached(next), if stage < Stage::Killing => {
                    stage = next;
                    halt.signal(asked.cause().unwrap_or(Cause::Interrupt));
                }
                // The logs end early where the reader of our output is gone: nobody is left to show
                // anything to.
                () = self.end_of_all() => halt.signal(Cause::Interrupt),
            }
        }
    }

    /// Waits until the logs tell something that ends everything: the end of a container, or their
    /// own, which is nothing to wait for a second time.
    pub async fn end_of_all(&mut self) {
        loop {
            tokio::select! {
                biased;
                Some(exit) = self.exits.recv() => {
                    if self.verdict.note(&exit) {
                        return;
                    }
                }
                result = &mut self.logs, if self.end.is_none() => {
                    self.end = Some(result);
                    self.drain();
                    return;
                }
                else => std::future::pending().await,
            }
        }
    }

    /// Notes the ends that were told already.
    fn drain(&mut self) {
        while let Ok(exit) = self.exits.try_recv() {
            self.verdict.note(&exit);
        }
    }

    /// Shows logs until the work is done.
    pub async fn during<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = self.end_of_all() => {}
            }
        }
    }

    /// Shows what containers wrote before they ended.
    pub async fn last_words(&mut self) {
        if self.end.is_none()
            && let Ok(result) = tokio::time::timeout(LAST_WORDS, &mut self.logs).await
        {
            self.end = Some(result);
        }
        self.drain();
    }

    /// Whether everything is to end.
    pub fn is_ending(&self) -> bool {
        self.verdict.is_abort || self.end.is_some()
    }

    /// Whether it did not end by itself, with the last container.
    pub fn is_cut_short(&self) -> bool {
        !matches!(self.end, Some(Ok(()))) || self.verdict.is_abort
    }

    /// What the logs failed with.
    pub fn failure(&mut self) -> Option<LogsError> {
        self.end.take()?.err()
    }
}
