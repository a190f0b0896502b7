//! Numbers that the canonical form may hold as text.

use crate::tree::{Node, Text, Value, float};
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
/// wanted. A mapping becomes `map[key:value]`, which is of no use to anybody, but what Docker
/// Compose makes of one where it merges labels or variables.
pub fn text(node: &Node) -> Text {
    match &node.value {
        Value::Str(text) => text.clone(),
        Value::Verbatim(text) => time(text).map_or_else(|| text.clone(), Text::from),
        Value::Bool(b) => if *b { "true" } else { "false" }.into(),
        Value::Int(i) => i.to_string().into(),
        Value::Float(x) => float::plain(*x).into(),
        Value::Null => Text::new(),
        Value::Seq(_) | Value::Map(_) => {
            let mut out = String::new();
            print(node, &mut out);
            out.into()
        }
    }
}

/// A value inside another as Go prints it.
fn print(node: &Node, out: &mut String) {
    match &node.value {
        Value::Null => out.push_str("<nil>"),
        Value::Seq(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { " " });
                print(item, out);
            }
            out.push(']');
        }
        Value::Map(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            out.push_str("map[");
            for (index, (key, value)) in entries.into_iter().enumerate() {
                out.push_str(if index == 0 { "" } else { " " });
                out.push_str(key);
                out.push(':');
                print(value, out);
            }
            out.push(']');
        }
        _ => out.push_str(&text(node)),
    }
}

/// What a [`Value::Verbatim`] counts, if it is a number.
pub fn big(verbatim: &str) -> Option<f64> {
    let is_number = verbatim.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| verbatim.parse().ok()).flatten()
}

/// A point in time of RFC 3339 as Go prints it: `2024-01-02T00:00:00Z` becomes
/// `2024-01-02 00:00:00 +0000 UTC`.
fn time(verbatim: &str) -> Option<String> {
    let (date, rest) = verbatim.split_once('T')?;
    let (clock, zone) = match rest.find(['+', '-']) {
        Some(at) => (&rest[..at], rest[at..].replace(':', "")),
        None => (rest.strip_suffix('Z')?, "+0000".to_owned()),
    };
    let name = if zone == "+0000" { "UTC" } else { &zone };
    Some(format!("{date} {clock} {zone} {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Span;

    #[test]
    fn scalars_become_texts_as_go_writes_them() {
        for (value, expected) in [
            (Value::Int(-1), "-1"),
            (Value::Float(1e21), "1e+21"),
            (Value::Bool(true), "true"),
            (
                Value::Verbatim("2001-12-14T00:00:00Z".into()),
                "2001-12-14 00:00:00 +0000 UTC",
            ),
            (
                Value::Verbatim("2001-12-14T21:59:43.1-05:00".into()),
                "2001-12-14 21:59:43.1 -0500 -0500",
            ),
            (
                Value::Verbatim("9223372036854775808".into()),
                "9223372036854775808",
            ),
        ] {
            assert_eq!(text(&Node::new(value, Span::default())), expected);
        }
    }
}
