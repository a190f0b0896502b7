//! The documents of a load, looked at one by one: what each of them says about a value.

use super::Way;
use super::path::{self, Step};
use crate::diagnostic::Findings;
use crate::load::budget::Budget;
use crate::load::history::{History, Layer, Link};
use crate::load::merge::unique;
use crate::load::touched::Touched;
use crate::load::{Sources, canonical, yaml};
use crate::tree::{Map, Node, SourceId, Span, Value};
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

/// Something that a file says about a value.
#[derive(Debug, Clone)]
pub struct Said {
    pub span: Span,
    /// Where the key stands, for values that have no place of their own.
    key: Span,
    /// In long form; `None` for what a file of variables says.
    pub value: Option<Node>,
    /// As it is written.
    pub text: String,
    pub ways: Vec<Way>,
    /// The scope that its variables were looked up in.
    pub scope: usize,
    /// By a tag at this place.
    pub removed: Option<Span>,
}

impl Said {
    /// Whether it stands at a place.
    pub fn is_at(&self, place: Span) -> bool {
        self.span == place || self.key == place
    }
}

/// The documents of a load.
pub struct Layers<'h> {
    history: &'h History,
    sources: &'h Sources,
    written: RefCell<HashMap<SourceId, Rc<Written>>>,
}

/// A text as it is written, with `<<` left alone.
struct Written {
    roots: Vec<Node>,
    /// The first path at which each place stands: where an anchored value is written.
    homes: HashMap<Span, Vec<String>>,
}

/// What is asked for: the object that it belongs to, and the way from there.
struct Query<'q> {
    section: &'q str,
    /// The object's name in the project.
    name: &'q str,
    rest: &'q [Step],
    /// The project's nodes along `rest`.
    trail: &'q [&'q Node],
}

/// No chain of `extends` is longer.
const MAX_WAYS: usize = 100;

impl<'h> Layers<'h> {
    pub fn new(history: &'h History, sources: &'h Sources) -> Self {
        Layers {
            history,
            sources,
            written: RefCell::default(),
        }
    }

    /// All that is said about a value, in the order in which it counts. `trail` holds the
    /// project's nodes along the steps, as far as there are any.
    pub fn said(&self, steps: &[Step], trail: &[&Node]) -> Vec<Said> {
        let mut out = Vec::new();
        if let [Step::Key(section), Step::Key(name), rest @ ..] = steps
            && !section.starts_with("x-")
        {
            let query = Query {
                section,
                name,
                rest,
                trail: trail.get(2..).unwrap_or_default(),
            };
            self.of_files(&query, &mut out);
            self.of_documents(&self.history.documents, name, &query, &[], &mut out);
        } else {
            for layer in &self.history.documents {
                let found = path::trail(&layer.root, steps);
                if let (Some(node), true) = (found.last(), found.len() == steps.len()) {
                    out.push(self.read(node, node.span, layer.scope, Vec::new()));
                }
            }
        }
        out
    }

    /// The steps of a path that leads nowhere in the project, but did in a document.
    pub fn find(&self, query: &str) -> Option<Vec<Step>> {
        fn all<'l>(layers: &'l [Layer], out: &mut Vec<&'l Layer>) {
            for layer in layers {
                all(&layer.includes, out);
                out.push(layer);
            }
        }
        let mut layers = Vec::new();
        all(&self.history.documents, &mut layers);
        layers.iter().find_map(|layer| {
            let mut root = layer.root.clone();
            lengthen(&mut root);
            let steps = path::resolve(&root, query).ok()?;
            (steps.len() > 1).then_some(steps)
        })
    }

    /// What the env and label files of a service say.
    fn of_files(&self, query: &Query<'_>, out: &mut Vec<Said>) {
        let [Step::Key(attribute), Step::Key(name)] = query.rest else {
            return;
        };
        if query.section != "services" {
            return;
        }
        let kind = match attribute.as_str() {
            "environment" => "env_file",
            _ => "label_file",
        };
        let values = self.history.file_values.iter().filter(|value| {
            value.service == query.name && value.attribute == attribute && value.name == *name
        });
        for value in values {
            out.push(Said {
                span: value.span,
                key: value.span,
                value: None,
                text: self.line(value.span),
                ways: vec![Way::File(kind, value.named)],
                scope: value.scope,
                removed: None,
            });
        }
    }

    /// What documents say about the object that they call `name`.
    fn of_documents(
        &self,
        layers: &[Layer],
        name: &str,
        query: &Query<'_>,
        ways: &[Way],
        out: &mut Vec<Said>,
    ) {
        let start = out.len();
        for layer in layers {
            self.of_bases(layer, layers, name, query, ways, out);
            if !layer.includes.is_empty() {
                let ways = [ways, &[Way::Include]].concat();
                self.of_documents(&layer.includes, name, query, &ways, out);
            }
            for tag in &layer.tags {
                if covers(&tag.path, query, name) {
                    for said in &mut out[start..] {
                        said.removed.get_or_insert(tag.span);
                    }
                }
            }
            self.of_layer(layer, name, query, ways, out);
        }
    }

    /// What a service inherits by `extends` in one document.
    fn of_bases(
        &self,
        layer: &Layer,
        siblings: &[Layer],
        name: &str,
        query: &Query<'_>,
        ways: &[Way],
        out: &mut Vec<Said>,
    ) {
        let has_own = |l: &Layer| l.root.at(&["services", name, "extends"]).is_some();
        if query.section != "services" || ways.len() > MAX_WAYS || !has_own(layer) {
            return;
        }
        let is_of_layer = |link: &&Link| {
            link.scope == layer.scope
                && link.file == layer.file
                && link.service == name
                && layer.root.span.source == link.span.source
        };
        let Some(link) = self.history.links.iter().find(is_of_layer) else {
            return;
        };
        let ways = [ways, &[Way::Extends(link.target.clone(), link.span)]].concat();
        match &link.from {
            None if self.history.extended.iter().any(|l| std::ptr::eq(l, layer)) => {
                self.of_documents(siblings, &link.target, query, &ways, out);
            }
            None => {
                let here = std::slice::from_ref(layer);
                self.of_documents(here, &link.target, query, &ways, out);
            }
            Some(file) => {
                let others = self.extended(file, layer.scope);
                self.of_documents(&others, &link.target, query, &ways, out);
            }
        }
    }

    fn extended(&self, file: &Path, scope: usize) -> Vec<Layer> {
        let of_file = |layer: &&Layer| layer.file == file && layer.scope == scope;
        let layers = self.history.extended.iter().filter(of_file);
        layers.cloned().collect()
    }

    fn of_layer(
        &self,
        layer: &Layer,
        name: &str,
        query: &Query<'_>,
        ways: &[Way],
        out: &mut Vec<Said>,
    ) {
        let Some(section) = layer.root.get(query.section).and_then(Node::as_map) else {
            return;
        };
        let Some(entry) = section.entry(name) else {
            return;
        };
        let object = in_long_form(query.section, name, entry.node.clone());
        let object = object.at(&[query.section, name]);
        let mut found = Vec::new();
        if let Some(object) = object {
            let list = vec![query.section, query.name];
            look(object, entry.key, query.rest, query.trail, list, &mut found);
        }
        let written = self.written(layer.root.span.source);
        let mut lost = Vec::new();
        if let Some((node, key)) = found.last() {
            let root = written.roots.iter().find(|r| r.span == layer.root.span);
            let steps = [query.section, name].map(|key| Step::Key(key.to_owned()));
            let steps = [&steps[..], query.rest].concat();
            root.into_iter().for_each(|r| beneath(r, &steps, &mut lost));
            lost.retain(|n| n.span != node.span && n.span != *key && !n.is_null());
            lost.retain(|n| found.iter().all(|(f, _)| f.span != n.span));
        }
        for node in lost {
            let ways = self.by_anchor(&written, node.span, query.section, name, ways);
            out.push(self.read(node, node.span, layer.scope, ways));
        }
        for (node, key) in found {
            let ways = self.by_anchor(&written, node.span, query.section, name, ways);
            out.push(self.read(&node, key, layer.scope, ways));
        }
    }

    /// The ways, with the anchor at which a value is written if it is not written where it is
    /// used.
    fn by_anchor(
        &self,
        written: &Written,
        span: Span,
        section: &str,
        name: &str,
        ways: &[Way],
    ) -> Vec<Way> {
        let mut ways = ways.to_vec();
        if let Some(home) = written.homes.get(&span)
            && !matches!(&home[..], [s, n, ..] if s == section && n == name)
        {
            ways.push(Way::Anchor(home.join(".")));
        }
        ways
    }

    fn read(&self, node: &Node, key: Span, scope: usize, ways: Vec<Way>) -> Said {
        let text = match &node.value {
            Value::Map(_) | Value::Seq(_) => super::shown(node),
            _ => self.line(node.span),
        };
        let text = match text.as_str() {
            "" => super::shown(node),
            _ => text,
        };
        // A value that is not there has a place all the same: that of its key.
        let is_empty = node.is_null() && node.span.start == node.span.end;
        Said {
            span: if is_empty { key } else { node.span },
            key,
            value: Some(node.clone()),
            text,
            ways,
            scope,
            removed: None,
        }
    }

    /// An item of a list that was said.
    pub fn item(&self, list: &Said, item: &Node) -> Said {
        let written = self.written(item.span.source);
        let mut ways = list.ways.clone();
        if let (Some(home), Some(own)) =
            (written.homes.get(&list.span), written.homes.get(&item.span))
            && !own.starts_with(home)
        {
            ways.push(Way::Anchor(own.join(".")));
        }
        Said {
            span: item.span,
            key: item.span,
            value: Some(item.clone()),
            text: self.line(item.span),
            ways,
            scope: list.scope,
            removed: list.removed,
        }
    }

    /// The first line of what stands at a place.
    fn line(&self, span: Span) -> String {
        const MAX: usize = 100;
        let text = self.sources.slice(span).unwrap_or_default().trim_end();
        let line = text.lines().next().unwrap_or_default();
        let cut = line.floor_char_boundary(MAX);
        match line.len() > cut || text.contains('\n') {
            true => format!("{} …", &line[..cut]),
            false => line.to_owned(),
        }
    }

    fn written(&self, source: SourceId) -> Rc<Written> {
        let mut all = self.written.borrow_mut();
        let parsed = all.entry(source).or_insert_with(|| {
            let text = self.sources.get(source).map_or("", |s| &s.text);
            let documents = yaml::parse_unmerged(source, text);
            let roots: Vec<Node> = documents.into_iter().map(|d| d.root).collect();
            let mut homes = HashMap::new();
            for root in &roots {
                settle(root, &mut Vec::new(), &mut homes);
            }
            Rc::new(Written { roots, homes })
        });
        parsed.clone()
    }
}

/// Whether a tag takes out what is asked for, or a part of the way to it.
fn covers(tag: &[String], query: &Query<'_>, name: &str) -> bool {
    let [section, object, below @ ..] = tag else {
        return matches!(tag, [section] if section == query.section);
    };
    // A tag on an item of a list takes nothing out.
    let matches = |(part, step): (&String, &Step)| matches!(step, Step::Key(key) if key == part);
    section == query.section
        && object == name
        && below.len() <= query.rest.len()
        && below.iter().zip(query.rest).all(matches)
}

/// Brings a tree into long syntax, as far as it can be read: what is wrong with it was told before.
fn lengthen(root: &mut Node) {
    let (mut budget, mut findings) = (Budget::default(), Findings::default());
    canonical::expand(root, &Touched::All, true, &mut budget, &mut findings);
}

fn in_long_form(section: &str, name: &str, mut object: Node) -> Node {
    if let Some(map) = object.as_map_mut() {
        map.remove("extends");
    }
    let at = object.span;
    let mut objects = Map::new();
    objects.insert(name, at, object);
    let mut model = Map::new();
    model.insert(section, at, Node::new(objects, at));
    let mut model = Node::new(model, at);
    lengthen(&mut model);
    model
}

/// All values that the steps lead to, with the places of their keys. A list of `K=V` has keys,
/// and an item of a list is the one that means the same as the project's.
fn look<'q>(
    node: &Node,
    key: Span,
    steps: &'q [Step],
    trail: &[&Node],
    mut list: Vec<&'q str>,
    found: &mut Vec<(Node, Span)>,
) {
    let Some((step, rest)) = steps.split_first() else {
        found.push((node.clone(), key));
        return;
    };
    let below = trail.get(1..).unwrap_or_default();
    match (step, &node.value) {
        (Step::Key(name), Value::Map(map)) => {
            if let Some(entry) = map.entry(name) {
                list.push(name);
                look(&entry.node, entry.key, rest, below, list, found);
            }
        }
        (Step::Key(name), Value::Seq(items)) if rest.is_empty() => {
            for item in items {
                match item
                    .as_str()
                    .map(|text| text.split_once('=').unwrap_or((text, "")))
                {
                    Some((n, value)) if n == name => {
                        found.push((Node::new(value, item.span), item.span));
                    }
                    _ => {}
                }
            }
        }
        (Step::Index(index), Value::Seq(items)) => {
            let wanted = trail.first();
            let identity = wanted.and_then(|w| unique::identity(&list, w));
            for (at, item) in items.iter().enumerate() {
                let is_it = match wanted {
                    None => at == *index,
                    Some(wanted) => {
                        item.span == wanted.span
                            || identity.is_some() && unique::identity(&list, item) == identity
                    }
                };
                if is_it {
                    look(item, item.span, rest, below, list.clone(), found);
                }
            }
        }
        // A text where a list may stand.
        (Step::Index(_), Value::Str(_)) if rest.is_empty() => found.push((node.clone(), key)),
        _ => {}
    }
}

/// All values at some steps of a tree with `<<` in it, those that lose first.
fn beneath<'n>(node: &'n Node, steps: &[Step], out: &mut Vec<&'n Node>) {
    let Some((step, rest)) = steps.split_first() else {
        out.push(node);
        return;
    };
    let (Step::Key(key), Value::Map(map)) = (step, &node.value) else {
        return;
    };
    match map.get("<<") {
        Some(Node {
            value: Value::Seq(merged),
            ..
        }) => merged.iter().rev().for_each(|m| beneath(m, steps, out)),
        Some(merged) => beneath(merged, steps, out),
        None => {}
    }
    if let Some(below) = map.get(key) {
        beneath(below, rest, out);
    }
}

fn settle(node: &Node, path: &mut Vec<String>, homes: &mut HashMap<Span, Vec<String>>) {
    homes.entry(node.span).or_insert_with(|| path.clone());
    match &node.value {
        Value::Map(map) => {
            for (key, value) in map.iter() {
                path.push(key.to_owned());
                settle(value, path, homes);
                path.pop();
            }
        }
        Value::Seq(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(index.to_string());
                settle(item, path, homes);
                path.pop();
            }
        }
        _ => {}
    }
}
