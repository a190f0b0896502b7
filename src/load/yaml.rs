//! YAML: text to a tree with places, and back to the text that `config` prints.
//!
//! Only this module knows the YAML library. What a plain scalar means, what a merge key does and
//! which growth by aliases is too much is decided here, because it must be what Docker Compose
//! decides and no library agrees with it in all of that.

mod build;
mod emit;
mod event;
mod fast_path;
mod last_line;
#[cfg(test)]
mod laws;
mod parse;
mod scalar;
mod syntax;
mod under_indented;

pub use emit::emit;
pub use parse::{parse, parse_unmerged, parse_within, thoroughly as parse_thoroughly};

use crate::tree::{Node, Span};

/// One document of a file.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// Aliases and merge keys are resolved, nodes tagged `!reset` are left out.
    pub root: Node,
    /// Compose's own tags, in the order of the file. An anchored node's tags appear once for
    /// the node and once for every alias of it.
    pub tags: Vec<Tag>,
    /// How many values it holds, those that aliases add and those that are left out included.
    pub values: usize,
}

/// What one of Compose's own tags asks of the merge with earlier files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagKind {
    /// `!reset`: the earlier value goes away, and nothing takes its place.
    Reset,
    /// `!override`: the earlier value goes away, this one is taken as it is.
    Override,
}

/// A `!reset` or `!override` and the node it stands at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Keys from the document's root; an item of a sequence is its index as written, in decimal.
    pub path: Vec<String>,
    pub kind: TagKind,
    /// The tag itself.
    pub span: Span,
}
