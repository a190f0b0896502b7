//! Values that are gone: items of lists and keys of mappings that a file says and the project has
//! not.

use super::layers::{Layers, Said};
use super::path::{self, Step};
use super::{Explanation, Fate, Origin, Subject, Way, masked, variables};
use crate::load::merge::unique;
use crate::tree::{Node, Span, Value};

/// The items that were said to be in the list at some steps, in the order in which they count.
pub fn items(
    subject: &Subject<'_>,
    layers: &Layers<'_>,
    tree: &Node,
    steps: &[Step],
) -> Explanation {
    let trail = path::trail(tree, steps);
    let value = trail.last().copied();
    let standing = value.and_then(Node::as_seq).unwrap_or_default();
    let said = layers.said(steps, &trail);
    let mut origins: Vec<Origin> = Vec::new();
    for layer in &said {
        for item in items_of(layer) {
            let again = |origin: &Origin| origin.span == Some(item.span);
            if origins.last().is_some_and(again) {
                // A range of ports, or the words of a line: one text, many items.
                continue;
            }
            let stands = standing.iter().any(|s| s.span == item.span);
            let said_item = layers.item(layer, item);
            let mut ways = said_item.ways.clone();
            let fate = match layer.removed {
                Some(by) => Fate::Removed(by),
                None if stands => Fate::Wins,
                None => {
                    let by = replaced_by(item, standing, steps).or_else(|| {
                        let last = said.iter().rfind(|s| s.removed.is_none())?;
                        (last.span != layer.span).then_some(last.span)
                    });
                    let by = by.and_then(|span| subject.sources.position(span));
                    ways.extend(by.map(|by| Way::Because(format!("replaced by {by}"))));
                    Fate::Overridden
                }
            };
            origins.push(Origin {
                fate,
                span: Some(item.span),
                variables: variables::of(subject, &said_item, steps, None),
                text: said_item.text,
                ways,
            });
        }
    }
    Explanation {
        path: path::text(steps),
        value: value.cloned(),
        origins,
        of_items: true,
        is_secret: masked::is_secret(steps),
    }
}

fn items_of(said: &Said) -> &[Node] {
    match said.value.as_ref().map(|node| (node, &node.value)) {
        Some((_, Value::Seq(items))) => items,
        // One where a list may stand.
        Some((node, Value::Str(_) | Value::Int(_))) => std::slice::from_ref(node),
        _ => &[],
    }
}

/// The item that took the place of another.
fn replaced_by(item: &Node, standing: &[Node], steps: &[Step]) -> Option<Span> {
    let list: Vec<&str> = steps
        .iter()
        .map(|step| match step {
            Step::Key(key) => key.as_str(),
            Step::Index(_) => "",
        })
        .collect();
    let identity = unique::identity(&list, item)?;
    let same = |other: &&Node| unique::identity(&list, other).as_ref() == Some(&identity);
    standing.iter().find(same).map(|other| other.span)
}

/// What is asked for below a place: the values that are there, and behind those of each collection
/// what was taken out of it.
pub enum Below {
    Value(Vec<Step>),
    /// A key that is not there.
    Key(Vec<Step>),
    /// A list that items are missing in.
    List(Vec<Step>),
}

/// All values at and below a place.
pub fn below(layers: &Layers<'_>, tree: &Node, steps: &[Step], out: &mut Vec<Below>) {
    let trail = path::trail(tree, steps);
    let node = trail.last().copied().unwrap_or(tree);
    let mut inside = |step: Step| {
        let steps = [steps, &[step]].concat();
        below(layers, tree, &steps, out);
    };
    match &node.value {
        Value::Map(map) if !map.is_empty() => {
            map.keys().for_each(|key| inside(Step::Key(key.into())));
            let is_item = |step: &Step| matches!(step, Step::Index(_));
            if steps.iter().any(is_item) {
                return;
            }
            for key in taken_out(layers, steps, &trail) {
                if !map.contains_key(&key) {
                    out.push(Below::Key([steps, &[Step::Key(key)]].concat()));
                }
            }
        }
        Value::Seq(items) if !items.is_empty() => {
            (0..items.len()).for_each(|at| inside(Step::Index(at)));
            out.push(Below::List(steps.to_vec()));
        }
        _ => out.push(Below::Value(steps.to_vec())),
    }
}

/// The keys that tags took out of a mapping, or out of what becomes one.
fn taken_out(layers: &Layers<'_>, steps: &[Step], trail: &[&Node]) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    let mut add = |key: &str| {
        if !keys.iter().any(|known| known == key) {
            keys.push(key.to_owned());
        }
    };
    for said in layers.said(steps, trail) {
        match said.value.map(|node| node.value) {
            Some(Value::Map(map)) => map.keys().for_each(&mut add),
            Some(Value::Seq(items)) => {
                let texts = items.iter().filter_map(Node::as_str);
                texts.for_each(|t| add(t.split_once('=').map_or(t, |(name, _)| name)));
            }
            _ => {}
        }
    }
    keys.sort();
    keys
}
