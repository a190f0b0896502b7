//! What leads from one list to another, item by item.

use serde_json::Value;
use std::collections::{BTreeSet, HashMap, VecDeque};

/// One step from the old list to the new one, by the items' places in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// Of the old list.
    Removed(usize),
    /// Of the old list and of the new one.
    Changed(usize, usize),
    /// Of the new list.
    Added(usize),
}

/// What tells the items of a list of mappings apart, the first that an item has.
const IDENTITY: [&str; 5] = ["target", "path", "source", "name", "command"];

/// The edits, in the order of places. None although the lists differ: only their order does.
pub fn edits(old: &[Value], new: &[Value]) -> Vec<Edit> {
    let common = |a: &[Value], b: &[Value]| a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let start = common(old, new);
    let (a, b) = (&old[start..], &new[start..]);
    let end = a.iter().rev().zip(b.iter().rev());
    let end = end.take_while(|(x, y)| x == y).count();
    let mut removed: BTreeSet<usize> = (start..old.len() - end).collect();
    let mut added: BTreeSet<usize> = (start..new.len() - end).collect();

    // What is in both stays, wherever it stands.
    take_pairs(old, new, &mut removed, &mut added, |item| {
        Some(item.to_string())
    });
    let by_name = take_pairs(old, new, &mut removed, &mut added, |item| {
        let key = IDENTITY.iter().find_map(|key| item.get(key))?;
        Some(key.to_string())
    });
    let mut all: Vec<Edit> = by_name
        .into_iter()
        .map(|(i, j)| Edit::Changed(i, j))
        .collect();
    // What is left at one place was changed there, where nothing has moved.
    let is_in_step = removed.len() == added.len();
    let at_one_place: Vec<usize> = removed.intersection(&added).copied().collect();
    for at in at_one_place {
        if is_in_step || !(old[at].is_object() || new[at].is_object()) {
            removed.remove(&at);
            added.remove(&at);
            all.push(Edit::Changed(at, at));
        }
    }
    all.extend(removed.into_iter().map(Edit::Removed));
    all.extend(added.into_iter().map(Edit::Added));
    all.sort_by_key(|edit| match edit {
        Edit::Removed(at) => (*at, 0),
        Edit::Changed(_, at) => (*at, 1),
        Edit::Added(at) => (*at, 2),
    });
    all
}

/// Takes out of both sets what has the same key, in the order of places.
fn take_pairs(
    old: &[Value],
    new: &[Value],
    removed: &mut BTreeSet<usize>,
    added: &mut BTreeSet<usize>,
    key: impl Fn(&Value) -> Option<String>,
) -> Vec<(usize, usize)> {
    let mut places: HashMap<String, VecDeque<usize>> = HashMap::new();
    for at in added.iter() {
        if let Some(key) = key(&new[*at]) {
            places.entry(key).or_default().push_back(*at);
        }
    }
    let mut pairs = Vec::new();
    for at in removed.iter() {
        let place = key(&old[*at]).and_then(|key| places.get_mut(&key)?.pop_front());
        pairs.extend(place.map(|place| (*at, place)));
    }
    for (i, j) in &pairs {
        removed.remove(i);
        added.remove(j);
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::Edit::{Added, Changed, Removed};
    use super::*;
    use serde_json::json;

    #[test]
    fn items_are_found_where_they_went() {
        let table: [(Value, Value, &[Edit]); 9] = [
            (json!(["a", "b"]), json!(["a", "b"]), &[]),
            (json!(["a", "b"]), json!(["b", "a"]), &[]),
            (json!(["a", "b"]), json!(["x", "a", "b"]), &[Added(0)]),
            (json!(["a", "b", "c"]), json!(["a", "c"]), &[Removed(1)]),
            (
                json!(["a", "b", "c"]),
                json!(["a", "x", "c"]),
                &[Changed(1, 1)],
            ),
            (
                json!(["a", "b"]),
                json!(["x", "b", "c"]),
                &[Changed(0, 0), Added(2)],
            ),
            (json!(["a", "a"]), json!(["a"]), &[Removed(1)]),
            // A port before another one.
            (
                json!([{"target": 80, "published": "1"}, {"target": 81}]),
                json!([{"target": 79}, {"target": 80, "published": "2"}, {"target": 81}]),
                &[Added(0), Changed(0, 1)],
            ),
            // Another port in place of one is a changed one, two more are not.
            (
                json!([{"target": 80}]),
                json!([{"target": 81}, {"target": 82}]),
                &[Removed(0), Added(0), Added(1)],
            ),
        ];
        for (old, new, expected) in table {
            let (a, b) = (old.as_array().unwrap(), new.as_array().unwrap());
            assert_eq!(edits(a, b), expected, "{old} → {new}");
        }
    }
}
