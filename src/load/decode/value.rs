//! One scalar or list of an attribute, by its kind.

use crate::form::Kind;
use crate::tree::{Items, Map, Node, Span, Value};
use crate::value::bytes::Bytes;
use crate::value::duration::Duration;
use crate::value::number;
use crate::value::words;

/// Reads a value of a kind. `None` where it says nothing.
///
/// # Errors
/// What is wrong, without the place.
pub fn decode(kind: Kind, node: Node) -> Result<Option<Node>, String> {
    let span = node.span;
    let new = |value: Value| Ok(Some(Node { value, span }));
    match kind {
        Kind::Str => text(node).map(Some),
        Kind::Bool | Kind::OptBool | Kind::OptOut => new(Value::Bool(switch(&node)?)),
        Kind::Int | Kind::OptInt => new(Value::Int(integer(&node)?)),
        Kind::Uint | Kind::OptUint => match integer(&node)? {
            n if n < 0 => Err(format!("{n} is negative")),
            n => new(Value::Int(n)),
        },
        Kind::Uint32 => new(Value::Int(within(integer(&node)?, u32::MAX.into())?)),
        Kind::Weight => match &node.value {
            Value::Str(text) => Err(format!(
                "must be a number: neither `{text}` in quotes nor a variable is read here"
            )),
            _ => new(Value::Int(within(integer(&node)?, u16::MAX.into())?)),
        },
        Kind::Float => new(Value::Float(single(&node)?)),
        Kind::Bytes => match &node.value {
            Value::Int(n) => new(n.to_string().into()),
            Value::Str(text) => new(Bytes::parse(text)?.to_string().into()),
            _ => Ok(None),
        },
        Kind::Duration | Kind::OptDuration => {
            new(Duration::parse(&number::text(&node))?.to_string().into())
        }
        Kind::StringList => match node.value {
            Value::Str(_) => new(vec![node].into()),
            Value::Seq(items) => new(Value::Seq(texts(items)?)),
            _ => Err("must be a string or a list of strings".into()),
        },
        Kind::Strings => match node.value {
            Value::Seq(items) => new(Value::Seq(texts(items)?)),
            _ => Err("must be a list of strings".into()),
        },
        Kind::Loose => match node.value {
            Value::Seq(items) => new(Value::Seq(items.iter().map(loose).collect())),
            _ => Ok(Some(Node::new(vec![loose(&node)], span))),
        },
        Kind::Command => match node.value {
            Value::Str(line) => {
                let words = words::split(&line).map_err(|e| e.to_string())?;
                let words: Items = words.into_iter().map(|w| Node::new(w, span)).collect();
                new(Value::Seq(words))
            }
            Value::Seq(items) => new(Value::Seq(texts(items)?)),
            _ => Ok(None),
        },
        Kind::Test => match node.value {
            Value::Str(_) => new(vec![Node::new("CMD-SHELL", span), node].into()),
            Value::Seq(items) => new(Value::Seq(texts(items)?)),
            _ => Ok(None),
        },
        Kind::Mode => {
            let mode = mode(&node)?;
            let sign = if mode < 0 { "-" } else { "" };
            new(format!("0{sign}{:o}", mode.unsigned_abs()).into())
        }
        Kind::Count => match &node.value {
            Value::Str(text) if text.eq_ignore_ascii_case("all") => new(Value::Int(-1)),
            Value::Str(text) => match text.parse() {
                Ok(n) => new(Value::Int(n)),
                Err(_) => Err(format!("`{text}` is neither `all` nor a number")),
            },
            Value::Float(_) => Err("must be `all` or a whole number".into()),
            _ => new(Value::Int(integer(&node)?)),
        },
        _ => Ok(Some(node)),
    }
}

/// A text; a whole number is taken as its digits.
pub fn text(node: Node) -> Result<Node, String> {
    match node.value {
        Value::Str(_) => Ok(node),
        Value::Int(i) => Ok(Node::new(i.to_string(), node.span)),
        Value::Null => Ok(Node::new("", node.span)),
        Value::Bool(_) | Value::Float(_) | Value::Verbatim(_) => Err(format!(
            "must be a string; put {} in quotes",
            number::text(&node)
        )),
        Value::Seq(_) | Value::Map(_) => Err("must be a string".into()),
    }
}

fn texts(items: Items) -> Result<Items, String> {
    items.into_iter().map(text).collect()
}

fn loose(node: &Node) -> Node {
    Node::new(number::text(node), node.span)
}

fn switch(node: &Node) -> Result<bool, String> {
    match &node.value {
        Value::Bool(b) => Ok(*b),
        Value::Str(text) => match text.to_lowercase().as_str() {
            "true" | "y" | "yes" | "on" => Ok(true),
            "false" | "n" | "no" | "off" => Ok(false),
            _ => Err(format!("`{text}` is neither `true` nor `false`")),
        },
        _ => Err("must be `true` or `false`".into()),
    }
}

/// Docker Compose keeps the lower bits of a larger number; nobody means what comes out then.
fn within(number: i64, max: i64) -> Result<i64, String> {
    match number {
        n if n < 0 => Err(format!("{n} is negative")),
        n if n > max => Err(format!("{n} is too large: it must be at most {max}")),
        n => Ok(n),
    }
}

fn integer(node: &Node) -> Result<i64, String> {
    match &node.value {
        Value::Int(i) => Ok(*i),
        Value::Float(x) => Ok(*x as i64),
        Value::Verbatim(text) if number::big(text).is_some() => Ok(i64::MAX),
        Value::Str(text) => text
            .parse()
            .map_err(|_| format!("`{text}` is not a whole number")),
        _ => Err("must be a whole number".into()),
    }
}

/// A number in single precision, which is what Docker Compose keeps and prints.
fn single(node: &Node) -> Result<f64, String> {
    let number = match &node.value {
        Value::Int(i) => *i as f32,
        Value::Float(x) => *x as f32,
        Value::Verbatim(text) => number::big(text).ok_or("must be a number")? as f32,
        Value::Str(text) => text
            .parse()
            .map_err(|_| format!("`{text}` is not a number"))?,
        _ => return Err("must be a number".into()),
    };
    Ok(number.to_string().parse().unwrap_or(f64::from(number)))
}

fn mode(node: &Node) -> Result<i64, String> {
    match &node.value {
        Value::Int(i) => Ok(*i),
        Value::Str(text) => i64::from_str_radix(text, 8)
            .map_err(|_| format!("`{text}` is not a file mode; write e.g. \"0440\"")),
        _ => Err("must be a file mode, e.g. 0440".into()),
    }
}

/// One limit: a number, or a soft and a hard one. Zero for both is the same as two zeros.
///
/// # Errors
/// What is wrong, and where.
pub fn limit(node: Node) -> Result<Node, (Span, String)> {
    let span = node.span;
    let number = |node: &Node| match &node.value {
        // Docker Compose falls over one; the limits are counted.
        Value::Float(_) => Err((node.span, "must be a whole number".to_owned())),
        _ => integer(node).map_err(|what| (node.span, what)),
    };
    let Value::Map(map) = &node.value else {
        return Ok(match number(&node)? {
            0 => Node::new(Map::new(), span),
            n => Node::new(n, span),
        });
    };
    let mut parts = Map::new();
    for part in ["soft", "hard"] {
        if let Some(node) = map.get(part) {
            parts.insert(part, node.span, Node::new(number(node)?, node.span));
        }
    }
    Ok(Node::new(parts, span))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(kind: Kind, value: impl Into<Value>) -> Result<Option<Value>, String> {
        decode(kind, Node::new(value, Span::default())).map(|n| n.map(|n| n.value))
    }

    #[test]
    fn scalars_become_what_their_kind_says() {
        for (kind, from, to) in [
            (Kind::Bytes, Value::from("64m"), Value::from("67108864")),
            (Kind::Bytes, Value::Int(10), Value::from("10")),
            (Kind::OptDuration, Value::from("90s"), Value::from("1m30s")),
            (Kind::Float, Value::from("0.1"), Value::Float(0.1)),
            (Kind::Float, Value::Int(2), Value::Float(2.0)),
            (Kind::Mode, Value::Int(0o440), Value::from("0440")),
            (Kind::Mode, Value::from("0400"), Value::from("0400")),
            (Kind::Mode, Value::Int(-1), Value::from("0-1")),
            (Kind::Weight, Value::Float(1.0), Value::Int(1)),
            (Kind::Uint32, Value::from("80"), Value::Int(80)),
            (Kind::Count, Value::from("all"), Value::Int(-1)),
            (Kind::Bool, Value::from("yes"), Value::Bool(true)),
            (Kind::Str, Value::Int(8080), Value::from("8080")),
        ] {
            assert_eq!(
                decoded(kind, from.clone()),
                Ok(Some(to)),
                "{kind:?} {from:?}"
            );
        }
        for (kind, from) in [
            (Kind::Bytes, Value::from("10zz")),
            (Kind::OptDuration, Value::from("10")),
            (Kind::Bool, Value::from("maybe")),
            (Kind::Uint, Value::Int(-1)),
            (Kind::Uint32, Value::Int(1 << 32)),
            (Kind::Weight, Value::Int(1 << 16)),
            (Kind::Weight, Value::from("5")),
            (Kind::Str, Value::Bool(true)),
            (Kind::Count, Value::from("some")),
        ] {
            assert!(decoded(kind, from.clone()).is_err(), "{kind:?} {from:?}");
        }
    }
}
