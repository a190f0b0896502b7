//! What a command leaves that was asked to stop once: nothing half-way.

use super::case::Case;
use super::command::Command;
use super::law::{Slot, final_name, is_homeless, is_ours, slot};
use super::outcome::Outcome;
use regatta::engine::ContainerState;
use regatta::engine::fake::Fake;
use std::collections::BTreeSet;

/// What was there before.
pub struct Standing {
    /// Numbers of servers that were up, but for those whose host somebody had taken away.
    up: BTreeSet<Slot>,
    /// Containers with temporary names.
    temporary: BTreeSet<String>,
}

impl Standing {
    pub fn of(fake: &Fake) -> Standing {
        fake.census(|census| {
            let ours = census.containers().filter(is_ours);
            let up = ours.filter(|c| c.state == ContainerState::Running);
            let up = up.filter(|c| !is_homeless(census, c));
            let ours = census.containers().filter(is_ours);
            let temporary = ours.filter(|c| final_name(c.name) != c.name);
            Standing {
                up: up.filter_map(|c| slot(&c)).collect(),
                temporary: temporary.map(|c| c.id.to_owned()).collect(),
            }
        })
    }

    /// Whether all that was up, and is up after an undisturbed run, is up now, and nothing is left
    /// under a temporary name.
    pub fn is_kept(&self, case: &Case, fake: &Fake, undisturbed: &Outcome) -> Result<(), String> {
        if !matches!(&case.command, Command::Up(up) if up.start) || !case.must_go_well() {
            return Ok(());
        }
        let now = Standing::of(fake);
        if let Some(id) = now.temporary.difference(&self.temporary).next() {
            return Err(format!(
                "asked to stop, it leaves a temporary name: {id:.12}"
            ));
        }
        let lasting = &undisturbed.running;
        let entangled = case.entangled();
        let mut owed = self.up.intersection(lasting);
        match owed.find(|slot| !now.up.contains(slot) && !entangled.contains(&slot.0)) {
            Some((service, number)) => Err(format!(
                "asked to stop, it leaves number {number} of {service} down"
            )),
            None => Ok(()),
        }
    }
}
