//! Numbers that the canonical form may hold as text.

use crate::tree::{Node, Text, Value};
use crate::value::float;
use serde::{Deserialize, Deserializer, de};

#[derive(Deserialize)]
#[serde(untagged)]
enum Form {
    Number(f64),
    Words(String),
}

/// Reads a float from a number or from its text.
pub fn float<'de, D: Deserializer<'de>>(d: D) -> Result<f64, D::Error> {
    match Form::deserialize(d)? {
        Form::Number(n) => Ok(n),
        Form::Words(t) => t.trim().parse().map_err(de::Error::custom),
    }
}

/// A scalar as text, the way Go prints it: what a number or a switch becomes where a text is
/// wanted. Lists and mappings have no such text.
pub fn text(node: &Node) -> Text {
    match &node.value {
        Value::Str(text) | Value::Verbatim(text) => text.clone(),
        Value::Bool(b) => if *b { "true" } else { "false" }.into(),
        Value::Int(i) => i.to_string().into(),
        Value::Float(x) => float::plain(*x).into(),
        Value::Null | Value::Seq(_) | Value::Map(_) => Text::new(),
    }
}
