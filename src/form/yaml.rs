//! The canonical form as a tree in the order that YAML output has: attributes in the order of
//! the tables, then `x-*`; user keys in the natural order of Go's YAML encoder.

use super::{Field, Form, Kind, Presence};
use crate::tree::{Entry, Items, Map, Node, Span, Text, Value};
use std::cmp::Ordering;
use thin_vec::ThinVec;

/// Puts an object into the order of its form.
pub fn object(form: &Form, node: Node) -> Node {
    let span = node.span;
    let Value::Map(map) = node.value else {
        return node;
    };
    let mut known: Vec<(usize, Text, Entry)> = Vec::with_capacity(map.len());
    let mut others = ThinVec::new();
    for (key, mut entry) in map.into_entries() {
        let Some(at) = form.position(&key) else {
            others.push((key, entry));
            continue;
        };
        let field = &form.fields[at];
        entry.node = value(field.kind, entry.node);
        if is_shown(field, &entry.node) {
            known.push((at, key, entry));
        }
    }
    for (at, field) in form.fields.iter().enumerate() {
        if field.presence == Presence::Always && known.iter().all(|(other, ..)| *other != at) {
            let node = empty(field.kind, span);
            known.push((at, field.name.into(), Entry { key: span, node }));
        }
    }
    known.sort_unstable_by_key(|(at, ..)| *at);
    let mut ordered: ThinVec<(Text, Entry)> = known
        .into_iter()
        .map(|(_, key, entry)| (key, entry))
        .collect();
    if form.extensions {
        for (key, mut entry) in sorted(Map::of_distinct(others)).into_entries() {
            entry.node = untyped(entry.node);
            ordered.push((key, entry));
        }
    }
    Node::new(Map::of_distinct(ordered), span)
}

/// Objects by name, in natural order.
pub fn object_map(form: &Form, map: Map) -> Map {
    let mut map = sorted(map);
    for (_, node) in map.iter_mut() {
        *node = object(form, std::mem::take(node));
    }
    map
}

/// Empty structures, unset commands and switches that are on by default are left out.
fn is_shown(field: &Field, node: &Node) -> bool {
    match field.kind {
        Kind::Struct(_) => node.as_map().is_some_and(|m| !m.is_empty()),
        Kind::Command => !node.is_null(),
        Kind::OptOut => node.as_bool() != Some(true),
        _ => true,
    }
}

fn value(kind: Kind, node: Node) -> Node {
    let span = node.span;
    match (kind, node.value) {
        (Kind::Object(form) | Kind::Struct(form), Value::Map(map)) => {
            object(form, Node::new(map, span))
        }
        (Kind::Objects(form), Value::Seq(items)) => Node::new(
            items
                .into_iter()
                .map(|item| object(form, item))
                .collect::<Items>(),
            span,
        ),
        (Kind::ObjectMap(form), Value::Map(map)) => Node::new(object_map(form, map), span),
        (Kind::Ulimits, Value::Map(map)) => {
            let mut map = sorted(map);
            for (_, limit) in map.iter_mut() {
                if let Value::Map(parts) = &limit.value {
                    limit.value = Value::Map(both_limits(parts, limit.span));
                }
            }
            Node::new(map, span)
        }
        (_, value) => untyped(Node { value, span }),
    }
}

fn both_limits(parts: &Map, span: Span) -> Map {
    let mut both = Map::new();
    for part in ["soft", "hard"] {
        let n = parts.get(part).and_then(Node::as_int).unwrap_or(0);
        both.insert(part, span, Node::new(n, span));
    }
    both
}

fn empty(kind: Kind, span: Span) -> Node {
    match kind {
        Kind::Str => Node::new("", span),
        Kind::Bytes => Node::new("0", span),
        Kind::Int | Kind::Uint | Kind::Float => Node::new(0i64, span),
        Kind::Bool => Node::new(false, span),
        Kind::ObjectMap(_) => Node::new(Map::new(), span),
        _ => Node::new(Value::Null, span),
    }
}

/// A tree without a form: keys in natural order.
pub fn untyped(node: Node) -> Node {
    let span = node.span;
    match node.value {
        Value::Map(map) => {
            let mut map = sorted(map);
            for (_, node) in map.iter_mut() {
                *node = untyped(std::mem::take(node));
            }
            Node::new(map, span)
        }
        Value::Seq(items) => Node::new(items.into_iter().map(untyped).collect::<Items>(), span),
        value => Node { value, span },
    }
}

/// Sorts keys naturally. The order of Go's encoder is not a total one for every mix of letters,
/// digits and signs, so this is an insertion that copes with that.
fn sorted(map: Map) -> Map {
    let is_before = |pair: [&str; 2]| natural(pair[0], pair[1]) != Ordering::Greater;
    if map
        .keys()
        .zip(map.keys().skip(1))
        .all(|(a, b)| is_before([a, b]))
    {
        return map;
    }
    let mut entries: ThinVec<(Text, Entry)> = ThinVec::with_capacity(map.len());
    for entry in map.into_entries() {
        let at = match entries.last() {
            Some(last) if natural(&last.0, &entry.0) == Ordering::Greater => {
                entries.partition_point(|e| natural(&e.0, &entry.0) != Ordering::Greater)
            }
            _ => entries.len(),
        };
        entries.insert(at, entry);
    }
    Map::of_distinct(entries)
}

/// The order of keys in Go's YAML encoder: runs of digits compare as numbers, letters come after
/// everything else, but before it inside a run of digits.
pub fn natural(a: &str, b: &str) -> Ordering {
    let mut digits = false;
    for (i, (x, y)) in a.chars().zip(b.chars()).enumerate() {
        if x == y {
            digits = x.is_numeric();
            continue;
        }
        return match (x.is_alphabetic(), y.is_alphabetic()) {
            (true, true) => x.cmp(&y),
            (true, false) if digits => Ordering::Less,
            (false, true) if digits => Ordering::Greater,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => {
                let a: Vec<char> = a.chars().collect();
                let b: Vec<char> = b.chars().collect();
                numbers(&a, &b, i)
            }
        };
    }
    a.chars().count().cmp(&b.chars().count())
}

/// Compares the numbers that start at `i`, where the texts differ.
fn numbers(a: &[char], b: &[char], i: usize) -> Ordering {
    let mut lead = 0i64;
    if a[i] == '0' || b[i] == '0' {
        let run = a[..i].iter().rev().take_while(|c| c.is_ascii_digit());
        if run.into_iter().any(|c| *c != '0') {
            lead = 1;
        }
    }
    let number = |text: &[char]| {
        let digits: Vec<i64> = text[i..]
            .iter()
            .map_while(|c| c.to_digit(10))
            .map(i64::from)
            .collect();
        let value = digits
            .iter()
            .fold(lead, |n, d| n.wrapping_mul(10).wrapping_add(*d));
        (value, digits.len())
    };
    number(a).cmp(&number(b)).then(a[i].cmp(&b[i]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_go_sorts_them() {
        let mut keys = vec![
            "b",
            "a10",
            "a2",
            "A",
            "_x",
            "a",
            "com.example.b",
            "com.example-a",
            "1",
            "10",
            "2",
            "svc0010",
            "svc0009",
            "a1b",
            "a1",
        ];
        keys.sort_by(|a, b| natural(a, b));
        assert_eq!(
            keys,
            [
                "_x",
                "1",
                "2",
                "10",
                "A",
                "a",
                "a1",
                "a1b",
                "a2",
                "a10",
                "b",
                "com.example-a",
                "com.example.b",
                "svc0009",
                "svc0010"
            ]
        );
    }
}
