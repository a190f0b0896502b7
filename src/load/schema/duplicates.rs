//! Equal items of lists that are sets, found in one pass: the lists may be long, and their items mappings.

use crate::tree::{Node, Value};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Lists of no more items are compared item by item in Docker Compose, and longer ones in another way.
const COMPARED_ONE_BY_ONE: usize = 20;

/// Each item that repeats an earlier one: its index, and that of the earlier one.
pub fn of(items: &[Node]) -> Vec<(usize, usize)> {
    let mut repeated = Vec::new();
    if items.len() <= COMPARED_ONE_BY_ONE {
        for (index, item) in items.iter().enumerate() {
            let repeats = |earlier: &Node| same(earlier, item) || reads_like(earlier, item);
            if let Some(first) = items[..index].iter().position(repeats) {
                repeated.push((index, first));
            }
        }
        return repeated;
    }
    // Equal items have one fingerprint: only of those that share theirs the items are compared.
    let mut order: Vec<(u64, usize)> = items
        .iter()
        .enumerate()
        .map(|(index, item)| (fingerprint(item), index))
        .collect();
    order.sort_unstable();
    for alike in order.chunk_by(|(a, _), (b, _)| a == b) {
        let mut firsts: Vec<usize> = Vec::new();
        for (_, index) in alike {
            let is_same = |first: &&usize| same(&items[**first], &items[*index]);
            match firsts.iter().find(is_same) {
                Some(first) => repeated.push((*index, *first)),
                None => firsts.push(*index),
            }
        }
    }
    repeated.sort_unstable();
    repeated
}

/// Whether a number repeats an earlier text that reads like it; a text after the number does not.
fn reads_like(earlier: &Node, number: &Node) -> bool {
    let text = |earlier: &Node| earlier.as_str().and_then(|text| text.parse::<f64>().ok());
    match number.value {
        Value::Int(i) => text(earlier) == Some(i as f64),
        Value::Float(x) => text(earlier) == Some(x),
        _ => false,
    }
}

/// Equal, `1` and `1.0` too.
fn same(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Value::Int(i), Value::Float(x)) | (Value::Float(x), Value::Int(i)) => *i as f64 == *x,
        _ => a == b,
    }
}

fn fingerprint(node: &Node) -> u64 {
    let mut state = DefaultHasher::new();
    match &node.value {
        Value::Null => {}
        Value::Bool(b) => b.hash(&mut state),
        Value::Int(i) => (*i as f64).to_bits().hash(&mut state),
        // The two zeros are equal.
        Value::Float(x) => (x + 0.0).to_bits().hash(&mut state),
        Value::Str(text) => text.as_str().hash(&mut state),
        Value::Verbatim(text) => text.as_str().hash(&mut state),
        Value::Seq(items) => {
            for item in items {
                fingerprint(item).hash(&mut state);
            }
        }
        // The order of keys does not count.
        Value::Map(map) => {
            let entries = map.iter().map(|(key, value)| {
                let mut entry = DefaultHasher::new();
                (key, fingerprint(value)).hash(&mut entry);
                entry.finish()
            });
            entries.fold(0, u64::wrapping_add).hash(&mut state);
        }
    }
    state.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Findings;
    use crate::load::yaml;
    use crate::tree::SourceId;

    #[test]
    fn what_repeats_an_earlier_item() {
        let many: Vec<String> = (2..30).map(|n| n.to_string()).collect();
        for (list, expected) in [
            ("[a, b]", vec![]),
            ("[a, b, a, a]", vec![(2, 0), (3, 0)]),
            ("[1, 1.0]", vec![(1, 0)]),
            ("[0.0, -0.0]", vec![(1, 0)]),
            ("['1', 1]", vec![(1, 0)]),
            ("[1, x, '1']", vec![]),
            ("['1.0', 1]", vec![(1, 0)]),
            (&format!("['1', 1, {}]", many.join(", ")), vec![]),
            ("[{a: 1, b: 2}, {b: 2, a: 1}, {a: 1}]", vec![(1, 0)]),
            ("[[a, b], [b, a], [a, b]]", vec![(2, 0)]),
        ] {
            let mut findings = Findings::default();
            let root = yaml::parse(SourceId(0), list, &mut findings).remove(0).root;
            assert_eq!(of(root.as_seq().expect("a list")), expected, "{list}");
        }
    }
}
