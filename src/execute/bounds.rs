//! What bounds a change from outside: how many calls the engine gets at a time, signals, and the
//! project's lock.

use super::Means;
use super::walk::Control;
use crate::interrupt::Stage;
use crate::plan::Action;

/// How many networks are made or removed at a time. The engine does so one after another, under
/// a lock that a start needs as well: more would only queue up before the starts that could go on.
const NETWORKS_AT_A_TIME: usize = 2;

/// The bounds of one change.
pub(super) struct Bounds<'a> {
    means: &'a Means<'a>,
    /// Calls that are under way.
    calls: usize,
    /// Networks that are being made or removed.
    networks: usize,
}

impl<'a> Bounds<'a> {
    pub fn new(means: &'a Means<'a>) -> Self {
        Bounds {
            means,
            calls: 0,
            networks: 0,
        }
    }
}

impl Control<Action> for Bounds<'_> {
    /// One that only waits holds no connection, so it may always begin.
    fn admit(&mut self, action: &Action) -> bool {
        let networks = usize::from(action.is_of_network());
        if action.is_wait() {
            return true;
        }
        if self.calls >= self.means.limit.max(1) || self.networks + networks > NETWORKS_AT_A_TIME {
            return false;
        }
        self.calls += 1;
        self.networks += networks;
        true
    }

    fn release(&mut self, action: &Action) {
        if !action.is_wait() {
            self.calls -= 1;
            self.networks -= usize::from(action.is_of_network());
        }
    }

    fn is_stopped(&self) -> bool {
        let is_lost = self.means.lock.is_some_and(|lock| lock.lost().is_some());
        self.means.interrupts.stage() >= Stage::Stopping || is_lost
    }

    async fn stopped(&self) {
        self.means.interrupts.reached(Stage::Stopping).await;
    }
}
