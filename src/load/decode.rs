//! Values in canonical form: sizes as bytes, durations as Go writes them, lists of `K=V` as
//! mappings, texts as switches and numbers.
//!
//! In: the normalised model in long syntax. Out: the form that [`crate::form`] describes, with
//! nothing in it that means nothing; one finding for each value that cannot be read.

mod mapping;
mod value;

use super::path::Path;
use crate::diagnostic::{Diagnostic, Findings};
use crate::form::{Field, Form, Kind, Presence};
use crate::tree::{Map, Node, Value};

/// Brings an object into its form.
pub fn object(form: &Form, node: Node, path: &Path, findings: &mut Findings) -> Node {
    let span = node.span;
    let Value::Map(mut map) = node.value else {
        return node;
    };
    map.retain(|key, node| {
        let Some(field) = form.field(key) else {
            return form.extensions && key.starts_with("x-");
        };
        let decoded = self::field(field, std::mem::take(node), &path.key(key), findings);
        decoded.is_some_and(|decoded| {
            *node = decoded;
            true
        })
    });
    Node::new(map, span)
}

/// One attribute; `None` where it holds nothing.
fn field(field: &Field, node: Node, path: &Path, findings: &mut Findings) -> Option<Node> {
    if node.is_null() {
        return None;
    }
    let span = node.span;
    let report = |what: String, findings: &mut Findings| {
        findings.push(Diagnostic::error("bad-value", path.to_string(), what).at(span));
        None
    };
    match field.kind {
        Kind::Object(form) => Some(object(form, node, path, findings)),
        Kind::Struct(form) => {
            let node = object(form, node, path, findings);
            node.as_map().is_some_and(|m| !m.is_empty()).then_some(node)
        }
        Kind::Objects(form) => objects(form, node, path, findings),
        Kind::ObjectMap(form) => object_map(form, node, path, findings),
        Kind::Ulimits => Some(limits(node, path, findings)).filter(is_filled),
        Kind::Environment
        | Kind::Labels
        | Kind::Options
        | Kind::Texts
        | Kind::MultiOptions
        | Kind::Hosts
        | Kind::Ssh => match mapping::decode(field.kind, node) {
            Ok(node) => Some(node).filter(is_filled),
            Err(what) => report(what, findings),
        },
        kind => match value::decode(kind, node) {
            Ok(node) => node.filter(|node| is_something(field, node)),
            Err(what) => report(what, findings),
        },
    }
}

/// Zero, false and the empty text are nothing, unless the attribute is one that says them.
fn is_something(field: &Field, node: &Node) -> bool {
    if field.presence != Presence::WhenSet {
        return true;
    }
    match (field.kind, &node.value) {
        (Kind::OptBool | Kind::OptOut | Kind::OptInt | Kind::OptUint | Kind::OptDuration, _) => {
            true
        }
        (Kind::Command | Kind::Mode | Kind::Any, _) => true,
        (_, Value::Bool(b)) => *b,
        (_, Value::Int(i)) => *i != 0,
        (_, Value::Float(x)) => *x != 0.0,
        (Kind::Bytes, Value::Str(text)) => text != "0",
        (Kind::Duration, Value::Str(text)) => text != "0s",
        (_, Value::Str(text)) => !text.is_empty(),
        (_, Value::Seq(items)) => !items.is_empty(),
        _ => true,
    }
}

fn is_filled(node: &Node) -> bool {
    match &node.value {
        Value::Map(map) => !map.is_empty(),
        Value::Seq(items) => !items.is_empty(),
        _ => false,
    }
}

fn objects(form: &Form, node: Node, path: &Path, findings: &mut Findings) -> Option<Node> {
    let span = node.span;
    let Value::Seq(items) = node.value else {
        return None;
    };
    let items: Vec<Node> = items
        .into_iter()
        .enumerate()
        .map(|(index, item)| object(form, item, &path.index(index), findings))
        .collect();
    (!items.is_empty()).then(|| Node::new(items, span))
}

fn object_map(form: &Form, node: Node, path: &Path, findings: &mut Findings) -> Option<Node> {
    let span = node.span;
    let Value::Map(mut map) = node.value else {
        return None;
    };
    for (key, node) in map.iter_mut() {
        *node = object(form, std::mem::take(node), &path.key(key), findings);
    }
    (!map.is_empty()).then(|| Node::new(map, span))
}

fn limits(node: Node, path: &Path, findings: &mut Findings) -> Node {
    let span = node.span;
    let Value::Map(mut map) = node.value else {
        return Node::new(Map::new(), span);
    };
    map.retain(|name, limit| match value::limit(std::mem::take(limit)) {
        Ok(node) => {
            *limit = node;
            true
        }
        Err((span, what)) => {
            let path = path.key(name).to_string();
            findings.push(Diagnostic::error("bad-value", path, what).at(span));
            false
        }
    });
    Node::new(map, span)
}
