//! Short syntaxes to canonical nodes: one text, one long form. Every value of the result carries
//! the place of the text.

pub mod device;
pub mod port;
pub mod volume;

use crate::tree::{Map, Node, Span, Value};
use std::ops::Range;

/// What is wrong with a text, and with which bytes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub what: String,
    pub part: Range<usize>,
}

impl Fault {
    /// About a part of the text.
    fn of(text: &str, part: &str, what: String) -> Self {
        let start = (part.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
        let part = match start.checked_add(part.len()) {
            Some(end) if end <= text.len() => start..end,
            _ => 0..text.len(),
        };
        Fault { what, part }
    }
}

/// A mapping whose parts all come from one text.
struct Fields {
    map: Map,
    span: Span,
}

impl Fields {
    fn new(span: Span) -> Self {
        Fields {
            map: Map::new(),
            span,
        }
    }

    fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.map.insert(key, self.span, Node::new(value, self.span));
    }

    fn node(mut self) -> Node {
        self.map.shrink();
        Node::new(self.map, self.span)
    }
}
