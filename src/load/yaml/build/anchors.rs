//! Anchors: the steps that make up each anchored node, kept for the aliases that name it.

use crate::load::yaml::event::Step;
use std::ops::Range;

struct Anchor {
    number: usize,
    /// The node's steps in the log; the end is unset while the node is open.
    start: usize,
    end: Option<usize>,
    /// Collections that were open when it began.
    depth: usize,
}

#[derive(Default)]
pub(super) struct Anchors<'t> {
    found: Vec<Anchor>,
    /// Open anchors, innermost last, as indices of `found`.
    open: Vec<usize>,
    log: Vec<Step<'t>>,
}

impl<'t> Anchors<'t> {
    pub(super) fn clear(&mut self) {
        self.found.clear();
        self.open.clear();
        self.log.clear();
    }

    /// An anchored node begins, inside so many open collections.
    pub(super) fn begin(&mut self, number: usize, depth: usize) {
        self.open.push(self.found.len());
        self.found.push(Anchor {
            number,
            start: self.log.len(),
            end: None,
            depth,
        });
    }

    /// Keeps a step that belongs to an anchored node.
    pub(super) fn record(&mut self, step: &Step<'t>) {
        if !self.open.is_empty() {
            self.log.push(step.clone());
        }
    }

    /// An anchored node is complete once as many collections are open as when it began.
    pub(super) fn complete(&mut self, depth: usize) {
        while let Some(&last) = self.open.last() {
            let anchor = &mut self.found[last];
            if anchor.depth != depth {
                break;
            }
            anchor.end = Some(self.log.len());
            self.open.pop();
        }
    }

    /// The steps of a complete anchored node.
    ///
    /// # Errors
    /// Why there are none, in words.
    pub(super) fn steps(&self, number: usize) -> Result<Range<usize>, &'static str> {
        match self.found.iter().rev().find(|a| a.number == number) {
            Some(Anchor {
                start,
                end: Some(end),
                ..
            }) => Ok(*start..*end),
            Some(_) => Err("the alias is inside the node that it names"),
            None => Err("the alias names an anchor that is not defined above it"),
        }
    }

    pub(super) fn step(&self, at: usize) -> Step<'t> {
        self.log[at].clone()
    }
}
