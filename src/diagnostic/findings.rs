//! What a load finds: a list that does not grow without end.

use super::Diagnostic;
use crate::tree::Span;
use std::ops::{Deref, DerefMut};

/// Of more findings of one kind nobody reads all, and each takes more memory than what it is about.
pub const MOST: usize = 10_000;

/// Of so many findings nobody reads the advice, which is dear.
const MAX_ADVISED: usize = 100;

/// Among so many names none is looked for.
const MAX_NAMES: usize = 10_000;

/// Findings in the order they were made. Warnings are kept up to [`MOST`] findings, errors up to
/// twice as many: so where there is an error, one is kept.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    kept: Vec<Diagnostic>,
    /// How many were not kept, and where the last of them stands.
    dropped: usize,
    last: Option<Span>,
    /// Takes what is still added to a finding that is not kept.
    spare: Option<Box<Diagnostic>>,
}

impl Findings {
    pub fn push(&mut self, finding: Diagnostic) {
        self.add(finding);
    }

    /// Adds a finding, and gives it back for what is still to be said.
    pub fn add(&mut self, finding: Diagnostic) -> &mut Diagnostic {
        if self.is_full(finding.is_error()) {
            self.dropped += 1;
            self.last = finding.span.or(self.last);
            return self.spare.insert(Box::new(finding));
        }
        self.kept.push(finding);
        let at = self.kept.len() - 1;
        &mut self.kept[at]
    }

    pub fn extend(&mut self, findings: impl IntoIterator<Item = Diagnostic>) {
        findings.into_iter().for_each(|finding| self.push(finding));
    }

    /// Takes those of another list.
    pub fn append(&mut self, other: &mut Findings) {
        self.dropped += std::mem::take(&mut other.dropped);
        self.last = other.last.take().or(self.last);
        self.extend(std::mem::take(&mut other.kept));
    }

    /// Whether one more of its kind would not be kept.
    fn is_full(&self, is_error: bool) -> bool {
        self.kept.len() >= if is_error { 2 * MOST } else { MOST }
    }

    /// Whether it is worth looking among some names for what was meant.
    pub fn merit_advice(&self, names: usize) -> bool {
        names <= MAX_NAMES && self.kept.len() <= MAX_ADVISED
    }

    /// The list, with a word on those that were not kept.
    pub fn into_list(mut self) -> Vec<Diagnostic> {
        if self.dropped > 0 {
            let message = format!(
                "there are {} more findings, which are not listed",
                self.dropped
            );
            let mut more = Diagnostic::warning("more-findings", "", message);
            more.span = self.last;
            self.kept.push(more);
        }
        self.kept
    }
}

impl Deref for Findings {
    type Target = Vec<Diagnostic>;

    fn deref(&self) -> &Vec<Diagnostic> {
        &self.kept
    }
}

impl DerefMut for Findings {
    fn deref_mut(&mut self) -> &mut Vec<Diagnostic> {
        &mut self.kept
    }
}

impl From<Vec<Diagnostic>> for Findings {
    fn from(list: Vec<Diagnostic>) -> Self {
        let mut findings = Findings::default();
        findings.extend(list);
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_endless_findings_some_are_kept_and_the_rest_is_counted() {
        let mut findings = Findings::default();
        for _ in 0..MOST + 3 {
            findings.push(Diagnostic::warning("w", "", "w"));
        }
        assert_eq!(findings.len(), MOST);
        for n in 0..MOST + 2 {
            findings.add(Diagnostic::error("e", "", "e")).help = Some(n.to_string());
        }
        assert_eq!(findings.len(), 2 * MOST);
        let list = findings.into_list();
        assert_eq!(list[2 * MOST - 1].help, Some((MOST - 1).to_string()));
        assert_eq!(
            list[2 * MOST].message,
            "there are 5 more findings, which are not listed"
        );
    }
}
