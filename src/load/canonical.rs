//! Short forms to long ones: after this stage every attribute has one shape.
//!
//! In: a merged model that fits the schema. Out: the same in long syntax; values are not yet
//! read (see [`super::decode`]). [`TABLE`] says which attribute has which short form.

use super::budget::Budget;
use super::merge::default_dependency;
use super::path::Path;
use super::rules::Rules;
use super::short;
use super::touched::Touched;
use crate::diagnostic::{Diagnostic, Findings};
use crate::tree::{Items, Map, Node, Span, Text, Value};
use crate::value::number;
use std::sync::LazyLock;

/// A short form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Short {
    /// Text means the one attribute of this name.
    Attribute(&'static str),
    /// `[a=b]` means `{a: b}`, with a value each.
    Pairs,
    /// A list of names means a mapping to default dependencies.
    Dependencies,
    /// A list of names means a mapping to nothing.
    Names,
    /// Text means a list of one; empty ones go.
    Addresses,
    /// Text means a list of one.
    Strings,
    /// Text or a list of it means objects with a path.
    EnvFiles,
    /// `all`.
    Gpus,
    /// Anything means its text.
    AsText,
    /// `default` or `id=path`.
    Ssh,
    /// `source:target:options`.
    Mount,
    /// `source:target:permissions`.
    Device,
    /// `address:host:container/protocol`, one or many.
    Ports,
    /// A limit is a number or an object.
    Limit,
    /// `external: {name: n}` is the old way of `name: n`.
    External,
}

use Short::*;

pub(super) const TABLE: &[(&str, Short)] = &[
    ("configs.*", External),
    ("networks.*", External),
    ("secrets.*", External),
    ("services.*.build", Attribute("context")),
    ("services.*.build.additional_contexts", Pairs),
    ("services.*.build.provenance", AsText),
    ("services.*.build.sbom", AsText),
    ("services.*.build.secrets.*", Attribute("source")),
    ("services.*.build.ssh", Ssh),
    ("services.*.build.ulimits.*", Limit),
    ("services.*.configs.*", Attribute("source")),
    ("services.*.depends_on", Dependencies),
    ("services.*.develop.watch.*.ignore", Strings),
    ("services.*.develop.watch.*.include", Strings),
    ("services.*.devices.*", Device),
    ("services.*.dns", Addresses),
    ("services.*.env_file", EnvFiles),
    ("services.*.extends", Attribute("service")),
    ("services.*.gpus", Gpus),
    ("services.*.label_file", Strings),
    ("services.*.models", Names),
    ("services.*.networks", Names),
    ("services.*.ports", Ports),
    ("services.*.secrets.*", Attribute("source")),
    ("services.*.ulimits.*", Limit),
    ("services.*.volumes.*", Mount),
    ("volumes.*", External),
];

static RULES: LazyLock<Rules<Short>> = LazyLock::new(|| Rules::new(TABLE));

/// Brings the touched parts of a model into long syntax. With `lenient` (variables are not filled in) a text that
/// cannot be read stays as it is.
pub fn expand(
    model: &mut Node,
    touched: &Touched,
    lenient: bool,
    budget: &mut Budget,
    findings: &mut Findings,
) {
    let mut expander = Expander {
        lenient,
        budget,
        ranges: 0,
        findings,
    };
    touched.walk(model, &RULES, |node, rules, path| {
        expander.walk(node, rules, path);
    });
}

/// The most ports that ranges of one model may name.
const MAX_RANGES: usize = 65_536;

struct Expander<'f> {
    lenient: bool,
    budget: &'f mut Budget,
    /// Ports that came out of ranges.
    ranges: usize,
    findings: &'f mut Findings,
}

impl Expander<'_> {
    fn walk(&mut self, node: &mut Node, rules: &Rules<Short>, path: &Path) {
        if let Some(short) = rules.here()
            && !self.makes_room(short, node, path)
        {
            return;
        }
        if let Some(short) = rules.here()
            && let Err((span, what)) = self.apply(short, node, path)
            && !self.lenient
        {
            self.findings
                .push(Diagnostic::error("bad-value", path.to_string(), what).at(span));
        }
        match &mut node.value {
            Value::Map(map) => {
                for (key, value) in map.iter_mut() {
                    if let Some(below) = rules.key(key) {
                        self.walk(value, below, &path.key(key));
                    }
                }
            }
            Value::Seq(items) => {
                if let Some(below) = rules.item() {
                    for (index, item) in items.iter_mut().enumerate() {
                        self.walk(item, below, &path.index(index));
                    }
                }
            }
            _ => {}
        }
    }

    /// Takes from the budget for the values that a short form stands for.
    fn makes_room(&mut self, short: Short, node: &Node, path: &Path) -> bool {
        let values = match (short, &node.value) {
            (Mount, Value::Str(_)) => 5,
            (Device, Value::Str(_)) => 3,
            (Ports, Value::Seq(items)) => 4 * items.len(),
            (Dependencies, Value::Seq(items)) => 3 * items.len(),
            (EnvFiles, Value::Seq(items)) => 2 * items.len(),
            _ => return true,
        };
        let place = || (path.to_string(), node.span);
        self.budget.take(values, self.findings, place)
    }

    fn apply(&mut self, short: Short, node: &mut Node, path: &Path) -> Result<(), Fault> {
        let span = node.span;
        match (short, &mut node.value) {
            (External, Value::Map(map)) => self.external(map, path)?,
            (Ports, Value::Seq(items)) => node.value = self.ports(std::mem::take(items), path),
            (Attribute(name), Value::Str(_)) => {
                let mut map = Map::new();
                map.insert(name, span, std::mem::take(node));
                *node = Node::new(map, span);
            }
            (Pairs, Value::Seq(items)) => node.value = pairs(items)?.into(),
            (Dependencies, Value::Seq(items)) => {
                node.value = names(items, default_dependency).into();
            }
            (Dependencies, Value::Map(map)) => {
                for (_, dependency) in map.iter_mut() {
                    complete(dependency);
                }
            }
            (Names, Value::Seq(items)) => {
                node.value = names(items, |s| Node::new(Value::Null, s)).into();
            }
            (Addresses | Strings, Value::Str(_)) => {
                *node = Node::new(vec![std::mem::take(node)], span);
                self.apply(short, node, path)?;
            }
            (Addresses, Value::Seq(items)) => items.retain(|i| i.as_str() != Some("")),
            (EnvFiles, Value::Str(_)) => {
                *node = Node::new(vec![env_file(std::mem::take(node))], span);
            }
            (EnvFiles, Value::Seq(items)) => {
                for item in items {
                    *item = env_file(std::mem::take(item));
                }
            }
            (Gpus, Value::Str(_)) => {
                let mut map = Map::new();
                map.insert("count", span, Node::new("all", span));
                node.value = vec![Node::new(map, span)].into();
            }
            (AsText, Value::Bool(_) | Value::Int(_) | Value::Float(_)) => {
                node.value = number::text(node).into();
            }
            (Ssh, Value::Seq(items)) => node.value = ssh(items)?.into(),
            (Mount, Value::Str(text)) => {
                if let Some(option) = short::volume::unknown_option(text).filter(|_| !self.lenient)
                {
                    self.findings.push(unknown_option(text, option, span, path));
                }
                match short::volume::parse(text, span) {
                    Ok(mount) => *node = mount,
                    Err(_) if self.lenient => {}
                    Err(fault) => {
                        let found = Diagnostic::error("bad-value", path.to_string(), fault.what);
                        let found = found.at(span);
                        self.findings.push(match fault.part.is_empty() {
                            true => found,
                            false => found.part(text.to_string(), fault.part),
                        });
                    }
                }
            }
            (Device, Value::Str(text)) => {
                *node = short::device::parse(text, span).map_err(|what| (span, what))?;
            }
            (Limit, Value::Int(_) | Value::Map(_)) => {}
            (Limit, _) => return Err((span, "must be a whole number".into())),
            _ => {}
        }
        Ok(())
    }

    fn ports(&mut self, items: Items, path: &Path) -> Value {
        // As in Compose, one that cannot be read leaves the whole list as it is.
        let is_port = |item: &Node| match item.as_str() {
            Some(text) => short::port::parse(text, item.span).is_ok(),
            None => true,
        };
        if self.lenient && !items.iter().all(is_port) {
            return Value::Seq(items);
        }
        let mut ports = Items::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let text = match &item.value {
                Value::Str(text) => text.clone(),
                Value::Int(number) => Text::from(number.to_string()),
                Value::Map(_) => {
                    ports.push(item);
                    continue;
                }
                _ => {
                    let path = path.index(index).to_string();
                    let what = format!("`{}` is not a port", number::text(&item));
                    self.findings
                        .push(Diagnostic::error("bad-port", path, what).at(item.span));
                    continue;
                }
            };
            match short::port::parse(&text, item.span) {
                Ok(parsed) if parsed.len() > 1 && self.ranges + parsed.len() > MAX_RANGES => {
                    let what =
                        format!("the ranges of ports up to here name more than {MAX_RANGES}");
                    self.findings.push(
                        Diagnostic::error("too-many-ports", path.index(index).to_string(), what)
                            .at(item.span),
                    );
                    break;
                }
                Ok(parsed) => {
                    let more = parsed.len() - 1;
                    let place = || (path.index(index).to_string(), item.span);
                    if !self.budget.take(5 * more, self.findings, place) {
                        break;
                    }
                    self.ranges += more;
                    ports.extend(parsed);
                }
                Err(fault) => self.findings.push(
                    Diagnostic::error("bad-port", path.index(index).to_string(), fault.what)
                        .at(item.span)
                        .part(text.to_string(), fault.part),
                ),
            }
        }
        Value::Seq(ports)
    }

    fn external(&mut self, map: &mut Map, path: &Path) -> Result<(), Fault> {
        let Some(external) = map.get("external").filter(|e| e.as_map().is_some()) else {
            return Ok(());
        };
        let span = external.span;
        let former = external.get("name").cloned();
        let key = map.key_span("external").unwrap_or(span);
        map.insert("external", key, Node::new(true, span));
        let Some(former) = former else { return Ok(()) };
        self.findings.push(
            Diagnostic::warning(
                "external-name",
                path.to_string(),
                "external.name is deprecated. Please set name and external: true",
            )
            .at(former.span),
        );
        match map.get("name") {
            Some(name) if *name != former => Err((
                name.span,
                "`name` and `external.name` say different things; only use `name`".into(),
            )),
            Some(_) => Ok(()),
            None => {
                map.insert("name", former.span, former);
                Ok(())
            }
        }
    }
}

/// Docker Compose passes over it without a word, and so the mount is not what it seems to be.
fn unknown_option(text: &str, option: &str, span: Span, path: &Path) -> Diagnostic {
    let message = format!("`{option}` is no option of a mount, and is ignored");
    let help = match option {
        "readonly" | "read_only" | "read-only" => "did you mean `ro`?",
        _ => "options are ro, rw, z, Z, nocopy and those of propagation",
    };
    let start = text.len() - text.len().min(text.rsplit(':').next().map_or(0, str::len));
    let start = start + text[start..].find(option).unwrap_or(0);
    Diagnostic::warning("unknown-mount-option", path.to_string(), message)
        .at(span)
        .part(text, start..(start + option.len()).min(text.len()))
        .help(help)
}

/// What is wrong, and where.
type Fault = (Span, String);

fn pairs(items: &[Node]) -> Result<Map, Fault> {
    let mut map = Map::new();
    for item in items {
        let text = item.as_str().unwrap_or_default();
        let (name, value) = text.split_once('=').ok_or_else(|| {
            (
                item.span,
                format!("`{text}` has no value; write `name=value`"),
            )
        })?;
        map.insert(name, item.span, Node::new(value, item.span));
    }
    Ok(map)
}

fn names(items: &mut Items, value: fn(Span) -> Node) -> Map {
    let mut map = Map::new();
    for item in items.drain(..) {
        if let Value::Str(name) = item.value {
            map.insert(name, item.span, value(item.span));
        }
    }
    map
}

fn complete(dependency: &mut Node) {
    let span = dependency.span;
    if let Some(map) = dependency.as_map_mut() {
        for (key, entry) in default_dependency(span)
            .as_map()
            .into_iter()
            .flat_map(Map::iter)
        {
            if !map.contains_key(key) {
                map.insert(key, span, entry.clone());
            }
        }
    }
}

fn env_file(node: Node) -> Node {
    let span = node.span;
    let mut map = match node.value {
        Value::Map(map) => map,
        Value::Str(_) => {
            let mut map = Map::new();
            map.insert("path", span, node);
            map
        }
        value => return Node { value, span },
    };
    if !map.contains_key("required") {
        map.insert("required", span, Node::new(true, span));
    }
    Node::new(map, span)
}

fn ssh(items: &[Node]) -> Result<Map, Fault> {
    let mut map = Map::new();
    for item in items {
        let text = item.as_str().unwrap_or_default();
        let value = match text.split_once('=') {
            Some((id, path)) => (id, Value::from(path)),
            None if text == "default" => (text, Value::Null),
            None => {
                let what = format!("`{text}` has no path; write `{text}=path`, or `default`");
                return Err((item.span, what));
            }
        };
        map.insert(value.0, item.span, Node::new(value.1, item.span));
    }
    Ok(map)
}
