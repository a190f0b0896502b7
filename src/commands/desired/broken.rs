//! What a change ends with whose connection to the engine broke off: one line with what was done and
//! what was not, instead of the same cause once for every step that was under way.

use crate::change::Done;
use crate::error::CliError;
use crate::execute::AFTER_A_BREAK;
use std::collections::BTreeSet;

/// The error; `None` where something else failed as well.
pub(super) fn error(done: &Done) -> Option<CliError> {
    let (report, plan) = (&done.report, &done.plan);
    let first = report.failures.first()?;
    if !report.failures.iter().all(|failure| failure.is_broken) {
        return None;
    }
    let under_way: BTreeSet<String> = report
        .failures
        .iter()
        .map(|failure| format!("{} ({})", failure.resource, failure.during))
        .collect();
    let failed = |name: &str| {
        let mut failures = report.failures.iter();
        failures.any(|f| f.service.as_deref() == Some(name))
    };
    let skipped = report.skipped_services(plan).into_keys();
    let skipped: Vec<String> = skipped.filter(|name| !failed(name)).collect();
    let changed: Vec<String> = report.changed_services(plan).into_iter().collect();
    let parts = [
        ("done", changed),
        (
            "under way, and perhaps done",
            under_way.into_iter().collect(),
        ),
        ("not done", skipped),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(words, names)| format!("{words}: {}", names.join(", ")))
        .collect();
    let line = format!("{}; {}", first.message, parts.join("; "));
    Some(CliError::new(line).hint(AFTER_A_BREAK))
}
