//! Where a value comes from: everything that was said about it, in the order in which it counts,
//! and what won.
//!
//! In: a project in canonical form and the [`History`] of its load. Out: an [`Explanation`] for
//! each value at or below a path. Nothing is merged again: the documents are looked at one by
//! one, and what won is what stands at the place that the project's value has.

mod layers;
mod lists;
mod masked;
mod path;
mod reasons;
mod render;
mod variables;

pub use masked::mask;
pub use path::Unknown;
pub use render::{json, text};
pub use variables::{From, Use};

use crate::load::environment::CONTENT;
use crate::load::history::History;
use crate::load::{CanonicalProject, Sources};
use crate::tree::{Map, Node, Span, Value};
use layers::{Layers, Said};
use lists::Below;
use path::Step;

/// What is known about one value.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// E.g. `services.web.ports[0].target`.
    pub path: String,
    /// `None` where the project has nothing there: it was taken out, or says nothing.
    pub value: Option<Node>,
    /// In the order in which they count, the last one most.
    pub origins: Vec<Origin>,
    /// The origins are those of the items of a list.
    pub of_items: bool,
    /// By its name or its place.
    pub is_secret: bool,
}

/// One place that said something about a value.
#[derive(Debug, Clone)]
pub struct Origin {
    pub fate: Fate,
    /// Where it stands; `None` for what no file says.
    pub span: Option<Span>,
    /// As it is written there, or what was added.
    pub text: String,
    /// By which way it got here: an anchor, `extends`, an env file.
    pub ways: Vec<Way>,
    /// The variables that went into it.
    pub variables: Vec<Use>,
}

/// What became of something that was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Wins,
    Overridden,
    /// By a `!reset` or `!override` at this place.
    Removed(Span),
    /// No file says it.
    Added,
}

/// Between the place where a value is written and the service it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Written elsewhere in the file, and brought here by an alias or `<<`.
    Anchor(String),
    /// Of another service that this one extends, and where it says so.
    Extends(String, Span),
    /// Of an included file.
    Include,
    /// Of an env or label file, and where that is named.
    File(&'static str, Span),
    /// In words.
    Because(String),
}

/// A load with all that is needed to explain it.
pub struct Subject<'p> {
    pub project: &'p CanonicalProject,
    pub history: &'p History,
    pub sources: &'p Sources,
    /// The name given with `-p`.
    pub name_flag: Option<&'p str>,
}

/// Explains the value at a path, or every value below it.
///
/// # Errors
/// Where nothing is there, and never was.
pub fn explain(subject: &Subject<'_>, query: &str) -> Result<Vec<Explanation>, Unknown> {
    let tree = tree(subject.project);
    let layers = Layers::new(subject.history, subject.sources);
    match path::resolve(&tree, query) {
        Ok(steps) => {
            let mut below = Vec::new();
            lists::below(&layers, &tree, &steps, &mut below);
            let is_list = matches!(below.last(), Some(Below::List(list)) if *list == steps);
            let mut explained = Vec::new();
            if is_list {
                below.pop();
                explained.push(lists::items(subject, &layers, &tree, &steps));
            }
            for place in &below {
                match place {
                    Below::Value(steps) => explained.push(one(subject, &layers, &tree, steps)),
                    Below::Key(steps) => {
                        let gone = one(subject, &layers, &tree, steps);
                        // What says what holds anyway was not taken out.
                        let removed = |o: &Origin| matches!(o.fate, Fate::Removed(_));
                        if gone.origins.iter().any(removed) {
                            explained.push(gone);
                        }
                    }
                    Below::List(steps) => {
                        let mut list = lists::items(subject, &layers, &tree, steps);
                        list.origins.retain(|origin| origin.fate != Fate::Wins);
                        if !list.origins.is_empty() {
                            explained.push(list);
                        }
                    }
                }
            }
            Ok(explained)
        }
        Err(unknown) => {
            // Taken out again, or dropped because it says what holds anyway.
            let gone = layers.find(query);
            let steps = gone.ok_or(unknown)?;
            Ok(vec![one(subject, &layers, &tree, &steps)])
        }
    }
}

/// The project as one tree, the services that take no part included.
fn tree(project: &CanonicalProject) -> Node {
    let at = Span::default();
    let mut root = Map::new();
    root.insert("name", at, Node::new(project.name.as_str(), at));
    let mut services = project.services.clone();
    for (name, entry) in project.disabled.entries() {
        services.insert(name, entry.key, entry.node.clone());
    }
    root.insert("services", at, Node::new(services, at));
    root.insert("networks", at, Node::new(project.networks.clone(), at));
    root.insert("volumes", at, Node::new(project.volumes.clone(), at));
    for (key, entry) in project.rest.as_map().into_iter().flat_map(Map::entries) {
        let mut node = entry.node.clone();
        if matches!(key, "secrets" | "configs") {
            let objects = node.as_map_mut().into_iter().flat_map(Map::iter_mut);
            for object in objects.filter_map(|(_, object)| object.as_map_mut()) {
                object.remove(CONTENT);
            }
        }
        root.insert(key, entry.key, node);
    }
    root.retain(|_, node| node.as_map().is_none_or(|map| !map.is_empty()));
    Node::new(root, at)
}

fn one(subject: &Subject<'_>, layers: &Layers<'_>, tree: &Node, steps: &[Step]) -> Explanation {
    let trail = path::trail(tree, steps);
    let value = match trail.len() == steps.len() {
        true => trail.last().map(|node| (*node).clone()),
        false => None,
    };
    let path = path::text(steps);
    let origins = match path.as_str() {
        "name" => variables::of_name(subject),
        _ => origins(subject, layers, steps, &trail, value.as_ref()),
    };
    Explanation {
        path,
        value,
        origins,
        of_items: false,
        is_secret: masked::is_secret(steps),
    }
}

fn origins(
    subject: &Subject<'_>,
    layers: &Layers<'_>,
    steps: &[Step],
    trail: &[&Node],
    value: Option<&Node>,
) -> Vec<Origin> {
    let mut said = layers.said(steps, trail);
    for said in &mut said {
        // A tag reaches no item of a list.
        if value.is_some_and(|v| said.is_at(v.span)) {
            said.removed = None;
        }
    }
    let standing = |said: &Said| said.removed.is_none();
    let winner = said
        .iter()
        .rposition(|s| standing(s) && value.is_some_and(|v| s.is_at(v.span)))
        .or_else(|| said.iter().rposition(standing));
    let is_added = winner.is_none() && value.is_some();
    let mut origins: Vec<Origin> = said
        .iter()
        .enumerate()
        .map(|(at, said)| Origin {
            fate: match said.removed {
                Some(by) => Fate::Removed(by),
                None if Some(at) == winner => Fate::Wins,
                None => Fate::Overridden,
            },
            span: Some(said.span),
            text: said.text.clone(),
            ways: said.ways.clone(),
            variables: variables::of(subject, said, steps, value),
        })
        .collect();
    if let (true, Some(value)) = (is_added, value) {
        let written = subject
            .sources
            .slice(value.span)
            .is_some_and(|t| !t.is_empty());
        let has_place = written && reasons::follows_from_a_place(steps);
        origins.push(Origin {
            fate: Fate::Added,
            span: has_place.then_some(value.span),
            text: shown(value),
            ways: vec![Way::Because(reasons::why(steps).to_owned())],
            variables: Vec::new(),
        });
    }
    origins
}

/// A value in a line.
fn shown(node: &Node) -> String {
    match &node.value {
        Value::Null => "(empty)".to_owned(),
        Value::Map(map) if map.is_empty() => "{}".to_owned(),
        Value::Seq(items) if items.is_empty() => "[]".to_owned(),
        Value::Str(text) if text.is_empty() => "\"\"".to_owned(),
        Value::Map(_) | Value::Seq(_) => {
            let mut json = crate::form::json::Writer::new(crate::form::json::Layout::Compact);
            json.value(node);
            json.out
        }
        _ => crate::value::number::text(node).into(),
    }
}
