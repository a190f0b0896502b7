//! Numbers that the canonical form may hold as text.

use crate::tree::{Node, Value};
use crate::value::float;
use serde::{Deserialize, Deserializer, de};

#[derive(Deserialize)]
#[serde(untagged)]
enum Form {
    Number(f64),
    Text(String),
}

/// Reads a float from a number or from its text.
pub fn float<'de, D: Deserializer<'de>>(d: D) -> Result<f64, D::Error> {
    match Form::deserialize(d)? {
        Form::Number(n) => Ok(n),
        Form::Text(t) => t.trim().parse().map_err(de::Error::custom),
    }
}

/// A scalar as text, the way Go prints it: what a number or a switch becomes where a text is
/// wanted. Lists and mappings have no such text.
pub fn text(node: &Node) -> String {
    match &node.value {
        Value::Str(text) => text.clone(),
        Value::Bool(b) => b.to_string(),
        Value::Int(i) => i.to_string(),
        Value::Float(x) => float::plain(*x),
        Value::Verbatim(text) => text.to_string(),
        Value::Null | Value::Seq(_) | Value::Map(_) => String::new(),
    }
}
