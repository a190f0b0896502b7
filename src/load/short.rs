//! Short syntaxes to canonical nodes: one text, one long form. Every value of the result carries
//! the place of the text.

pub mod device;
pub mod port;
pub mod volume;

use crate::tree::{Map, Node, Span, Value};

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

    fn node(self) -> Node {
        Node::new(self.map, self.span)
    }
}
