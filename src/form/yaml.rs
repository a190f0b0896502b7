//! The canonical form as a tree in the order that YAML output has: attributes in the order of
//! the tables, then `x-*`; user keys in the natural order of Go's YAML encoder.

use super::{Field, Form, Kind, Presence};
use crate::tree::{Entries, Entry, Map, Node, Span, Value};
use std::cmp::Ordering;

/// Puts an object into the order of its form.
pub fn object(form: &Form, node: &mut Node) {
    let span = node.span;
    let Value::Map(map) = &mut node.value else {
        return;
    };
    let mut entries = map.take_entries();
    let mut others = Entries::new();
    let mut places = Vec::with_capacity(entries.len());
    entries.retain_mut(|(key, entry)| {
        let Some(at) = form.position(key) else {
            if form.extensions {
                others.push((std::mem::take(key), std::mem::take(entry)));
            }
            return false;
        };
        let field = &form.fields[at];
        value(field.kind, &mut entry.node);
        let is_shown = is_shown(field, &entry.node);
        if is_shown {
            places.push(at);
        }
        is_shown
    });
    for (at, field) in form.fields.iter().enumerate() {
        if field.presence == Presence::Always && !places.contains(&at) {
            let node = empty(field.kind, span);
            places.push(at);
            entries.push((field.name.into(), Entry { key: span, node }));
        }
    }
    order(&mut entries, &mut places);
    sort(&mut others);
    for (_, entry) in &mut others {
        untyped(&mut entry.node);
    }
    entries.append(&mut others);
    *map = Map::of_distinct(entries);
}

/// Sorts entries by their places, which are few and often in order.
fn order(entries: &mut Entries, places: &mut [usize]) {
    for end in 1..places.len() {
        let place = places[end];
        let at = places[..end].partition_point(|p| *p <= place);
        if at < end {
            places[at..=end].rotate_right(1);
            entries[at..=end].rotate_right(1);
        }
    }
}

/// Objects by name, in natural order.
pub fn object_map(form: &Form, map: &mut Map) {
    sort_map(map);
    for (_, node) in map.iter_mut() {
        object(form, node);
    }
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

fn value(kind: Kind, node: &mut Node) {
    match (kind, &mut node.value) {
        (Kind::Object(form) | Kind::Struct(form), Value::Map(_)) => object(form, node),
        (Kind::Objects(form), Value::Seq(items)) => {
            items.iter_mut().for_each(|item| object(form, item));
        }
        (Kind::ObjectMap(form), Value::Map(map)) => object_map(form, map),
        (Kind::Ulimits, Value::Map(map)) => {
            sort_map(map);
            for (_, limit) in map.iter_mut() {
                if let Value::Map(parts) = &limit.value {
                    limit.value = Value::Map(both_limits(parts, limit.span));
                }
            }
        }
        _ => untyped(node),
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
        Kind::Int | Kind::Uint | Kind::Uint32 | Kind::Weight | Kind::Float => Node::new(0i64, span),
        Kind::Bool => Node::new(false, span),
        Kind::ObjectMap(_) => Node::new(Map::new(), span),
        _ => Node::new(Value::Null, span),
    }
}

/// A tree without a form: keys in natural order.
pub fn untyped(node: &mut Node) {
    match &mut node.value {
        Value::Map(map) => {
            sort_map(map);
            for (_, node) in map.iter_mut() {
                untyped(node);
            }
        }
        Value::Seq(items) => items.iter_mut().for_each(untyped),
        _ => {}
    }
}

fn is_before(a: &str, b: &str) -> bool {
    natural(a, b) != Ordering::Greater
}

/// Sorts a mapping's keys naturally.
fn sort_map(map: &mut Map) {
    if map.keys().is_sorted_by(|a, b| is_before(a, b)) {
        return;
    }
    let mut entries = map.take_entries();
    sort(&mut entries);
    *map = Map::of_distinct(entries);
}

/// Sorts keys naturally. The order of Go's encoder is not a total one for every mix of letters,
/// digits and signs, so this is an insertion that copes with that.
fn sort(entries: &mut Entries) {
    for end in 1..entries.len() {
        let (sorted, rest) = entries.split_at(end);
        let key = &rest[0].0;
        if is_before(&sorted[end - 1].0, key) {
            continue;
        }
        let at = sorted.partition_point(|(earlier, _)| is_before(earlier, key));
        entries[at..=end].rotate_right(1);
    }
}

/// The order of keys in Go's YAML encoder: runs of digits compare as numbers, letters come after
/// everything else, but before it inside a run of digits.
pub fn natural(a: &str, b: &str) -> Ordering {
    let alike = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    let at = a.floor_char_boundary(alike);
    let (Some(x), Some(y)) = (a[at..].chars().next(), b[at..].chars().next()) else {
        return a.len().cmp(&b.len());
    };
    let after_digit = || a[..at].chars().next_back().is_some_and(char::is_numeric);
    match (x.is_alphabetic(), y.is_alphabetic()) {
        (true, true) => x.cmp(&y),
        (true, false) if after_digit() => Ordering::Less,
        (false, true) if after_digit() => Ordering::Greater,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => numbers(a, b, at).then(x.cmp(&y)),
    }
}

/// Compares the numbers that start at a byte, where the texts differ.
fn numbers(a: &str, b: &str, at: usize) -> Ordering {
    let mut lead = 0i64;
    if a[at..].starts_with('0') || b[at..].starts_with('0') {
        let run = a[..at].bytes().rev().take_while(u8::is_ascii_digit);
        if run.into_iter().any(|c| c != b'0') {
            lead = 1;
        }
    }
    let number = |text: &str| {
        let digits = text.bytes().take_while(u8::is_ascii_digit);
        digits.fold((lead, 0), |(n, count), digit| {
            let n = n.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'));
            (n, count + 1)
        })
    };
    number(&a[at..]).cmp(&number(&b[at..]))
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
