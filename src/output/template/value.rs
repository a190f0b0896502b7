//! What a template computes with.

use serde::ser::{Serialize, SerializeMap, Serializer};
use std::fmt;

/// A value as Go would hold it; a record keeps its fields in their order.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Value {
    /// Go's `nil`, and what is not there.
    #[default]
    Nothing,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Value>),
    /// The name of its type, and its fields.
    Record(&'static str, Vec<(&'static str, Value)>),
    /// The row, or the head of its table, that the template is filled from.
    Root,
}

impl Value {
    /// Go's truth: empty things are false.
    pub fn is_true(&self) -> bool {
        match self {
            Value::Nothing => false,
            Value::Bool(b) => *b,
            Value::Int(n) => *n != 0,
            Value::Float(n) => *n != 0.0,
            Value::Text(s) => !s.is_empty(),
            Value::List(items) => !items.is_empty(),
            Value::Record(..) | Value::Root => true,
        }
    }

    /// The name of its type.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Nothing => "nil",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Float(_) => "float64",
            Value::Text(_) => "string",
            Value::List(items) => match items.first() {
                Some(Value::Record(..)) => "api.PortPublishers",
                _ => "[]string",
            },
            Value::Record(kind, _) => kind,
            Value::Root => "formatter.SubHeaderContext",
        }
    }
}

/// As Go prints it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, items: &mut dyn Iterator<Item = &Value>| {
            for (n, item) in items.enumerate() {
                write!(f, "{}{item}", if n > 0 { " " } else { "" })?;
            }
            Ok(())
        };
        match self {
            Value::Nothing => f.write_str("<no value>"),
            Value::Bool(b) => write!(f, "{b}"),
            Value::Int(n) => write!(f, "{n}"),
            Value::Float(n) => write!(f, "{n}"),
            Value::Text(s) => f.write_str(s),
            Value::List(items) => {
                f.write_str("[")?;
                list(f, &mut items.iter())?;
                f.write_str("]")
            }
            Value::Record(_, fields) => {
                f.write_str("{")?;
                list(f, &mut fields.iter().map(|(_, v)| v))?;
                f.write_str("}")
            }
            Value::Root => f.write_str("{}"),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Nothing => serializer.serialize_none(),
            Value::Bool(b) => serializer.serialize_bool(*b),
            Value::Int(n) => serializer.serialize_i64(*n),
            Value::Float(n) => serializer.serialize_f64(*n),
            Value::Text(s) => serializer.serialize_str(s),
            Value::List(items) => serializer.collect_seq(items),
            Value::Record(_, fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
            // A row writes itself.
            Value::Root => serializer.serialize_map(Some(0))?.end(),
        }
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Int(number)
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Value::Int(number as i64)
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Value::Bool(b)
    }
}
