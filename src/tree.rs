//! The tree that loading works on: YAML values that remember where they were written.
//!
//! Every stage of [`crate::load`] takes and gives this tree, so that a finding in the last
//! stage can still point at the byte of the file that caused it.

mod de;
pub mod float;
mod map;

pub use de::DecodeError;
pub use map::Map;

use thin_vec::ThinVec;

/// The text of keys and values: two words, most texts stand in them; a copy of a longer one costs
/// nothing.
pub type Text = lean_string::LeanStr;

/// The items of a sequence: one word, because trees are large and go through many hands.
pub type Items = ThinVec<Node>;

/// The entries of a mapping, each with its key.
pub type Entries = ThinVec<(Text, Entry)>;

/// The number of a source text (a project file, an env file) in the list of sources of one load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SourceId(pub u32);

/// A byte range of one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    pub source: SourceId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// A value and the place it was written at. A value that a stage made up (a default)
/// carries the span of what made it necessary.
#[derive(Debug, Clone, Default)]
pub struct Node {
    pub value: Value,
    pub span: Span,
}

/// What a YAML node holds, typed by the rules of the YAML reader that Docker Compose uses.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Value {
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Text),
    /// What is printed as this very text, without quotes in YAML: a point in time in RFC 3339, or
    /// the digits of a whole number from 2⁶³ to 2⁶⁴−1.
    Verbatim(Text),
    Seq(Items),
    Map(Map),
}

/// A mapping's value with the place of its key.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    pub key: Span,
    pub node: Node,
}

/// Spans do not count: two trees are equal when they say the same.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Node {
    pub fn new(value: impl Into<Value>, span: Span) -> Self {
        Node {
            value: value.into(),
            span,
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Str(s) => Some(s),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(b) => Some(b),
            _ => None,
        }
    }

    pub fn as_int(&self) -> Option<i64> {
        match self.value {
            Value::Int(i) => Some(i),
            _ => None,
        }
    }

    pub fn as_seq(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Seq(s) => Some(s),
            _ => None,
        }
    }

    pub fn as_seq_mut(&mut self) -> Option<&mut Items> {
        match &mut self.value {
            Value::Seq(s) => Some(s),
            _ => None,
        }
    }

    pub fn as_map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(m) => Some(m),
            _ => None,
        }
    }

    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        match &mut self.value {
            Value::Map(m) => Some(m),
            _ => None,
        }
    }

    /// The value of a mapping's key; `None` where this is no mapping or has no such key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.get(key)
    }

    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.as_map_mut()?.get_mut(key)
    }

    /// Walks down mapping keys.
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }
}

impl From<&str> for Value {
    fn from(s: &str) -> Self {
        Value::Str(s.into())
    }
}
impl From<String> for Value {
    fn from(s: String) -> Self {
        Value::Str(s.into())
    }
}
impl From<Text> for Value {
    fn from(s: Text) -> Self {
        Value::Str(s)
    }
}
impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Value::Bool(b)
    }
}
impl From<i64> for Value {
    fn from(i: i64) -> Self {
        Value::Int(i)
    }
}
impl From<f64> for Value {
    fn from(f: f64) -> Self {
        Value::Float(f)
    }
}
impl From<Items> for Value {
    fn from(s: Items) -> Self {
        Value::Seq(s)
    }
}
impl From<Vec<Node>> for Value {
    fn from(s: Vec<Node>) -> Self {
        Value::Seq(s.into())
    }
}
impl From<Map> for Value {
    fn from(m: Map) -> Self {
        Value::Map(m)
    }
}
