//! What changed paths ask for, by the rules.

use super::rules::{Action, Rule};
use super::sync::Change;
use super::tree::Changed;
use std::collections::{BTreeMap, BTreeSet};

/// What is to be done at once.
#[derive(Debug, Default)]
pub struct Batch {
    pub rebuild: BTreeSet<String>,
    pub sync: BTreeMap<String, Vec<Change>>,
    pub restart: BTreeSet<String>,
    /// Of each service the rules, by number, whose commands are run.
    pub exec: BTreeMap<String, BTreeSet<usize>>,
}

impl Batch {
    /// Sorts changes by rules, as far as these count. Of a path that several rules take to one place,
    /// one is enough.
    pub fn of(found: &[Changed], rules: &[Rule], counts: impl Fn(&Rule) -> bool) -> Self {
        let mut batch = Batch::default();
        let mut synced: BTreeMap<&str, BTreeMap<String, Change>> = BTreeMap::new();
        let counting = rules.iter().enumerate().filter(|(_, rule)| counts(rule));
        for (number, rule) in counting {
            for changed in found {
                let Some(target) = rule.target_of(&changed.path) else {
                    continue;
                };
                // Without its directory a rule is about nothing; what is in the container stays.
                let is_root = changed.path == rule.path;
                if is_root && changed.is_gone && changed.was_directory {
                    continue;
                }
                if rule.action == Action::Rebuild {
                    batch.rebuild.insert(rule.service.clone());
                }
                if rule.action.restarts() {
                    batch.restart.insert(rule.service.clone());
                }
                if rule.action == Action::SyncExec {
                    let rules = batch.exec.entry(rule.service.clone()).or_default();
                    rules.insert(number);
                }
                if rule.action.syncs() {
                    let change = Change {
                        host: changed.path.clone(),
                        target: target.clone(),
                        is_gone: changed.is_gone,
                    };
                    synced
                        .entry(&rule.service)
                        .or_default()
                        .insert(target, change);
                }
            }
        }
        batch.sync = synced
            .into_iter()
            .map(|(service, changes)| (service.to_owned(), changes.into_values().collect()))
            .collect();
        batch
    }
}
