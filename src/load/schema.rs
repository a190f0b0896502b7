//! The schema stage: which attributes there are and what kind of value each takes.
//!
//! In: the model as merged so far, short and long forms mixed. Out: one finding for every value
//! that does not fit, each at its place. The rules stand in [`tables`].

mod advice;
#[cfg(test)]
mod agreement;
mod duplicates;
pub mod tables;

use super::path::Path;
use super::touched::Touched;
use crate::diagnostic::{Diagnostic, Findings};
use crate::tree::{Entry, Map, Node, Value};
use crate::value::{number, similar};
use std::ops::Range;

/// Of so many unknown attributes it is guessed what was meant: that is dear, and nobody reads more.
const MAX_ADVICE: usize = 1000;

/// Of so many in one object each is told of; the rest is counted, as telling of it takes more memory than the file.
const MAX_UNKNOWN: usize = 10_000;

/// What a value may be. A value has one YAML type, so the alternatives of the specification
/// (short form, long form) are alternatives by type.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    null: bool,
    boolean: bool,
    /// Whole numbers within these bounds.
    integer: Option<(i64, i64)>,
    /// Numbers with a fraction.
    fraction: bool,
    string: Option<Text>,
    list: Option<List>,
    map: Option<Mapping>,
}

/// What a text must look like.
#[derive(Debug, Clone, Copy)]
pub enum Text {
    Any,
    OneOf(&'static [&'static str]),
    /// A test that gives the part at fault, and what it asks for in words.
    Like(fn(&str) -> Option<Range<usize>>, &'static str),
}

#[derive(Debug, Clone, Copy)]
pub struct List {
    items: &'static Schema,
    unique: bool,
}

#[derive(Debug, Clone, Copy)]
pub enum Mapping {
    Object(&'static Object),
    /// User-chosen keys with values of one kind.
    Named(Names, &'static Schema),
}

/// Which keys a mapping with user-chosen keys may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// Anything but nothing.
    Any,
    /// Anything, nothing too.
    OrNone,
    /// Letters, digits, `.`, `_` and `-`.
    Resource,
    /// As [`Names::Resource`]; entries with other keys are ignored instead of refused.
    ResourceOrIgnored,
    /// Lower-case letters; entries with other keys are not checked.
    LowerCase,
}

/// An object with known attributes.
#[derive(Debug)]
pub struct Object {
    /// What it is called in messages, e.g. `a service`.
    pub name: &'static str,
    /// Sorted by name.
    pub attributes: &'static [(&'static str, &'static Schema)],
    pub required: &'static [&'static str],
    pub others: Others,
}

/// What an object allows besides its attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    Nothing,
    /// Keys that begin with `x-`.
    Extensions,
    Anything,
}

impl Schema {
    const NOTHING: Schema = Schema {
        null: false,
        boolean: false,
        integer: None,
        fraction: false,
        string: None,
        list: None,
        map: None,
    };

    const fn or_null(self) -> Self {
        Schema { null: true, ..self }
    }

    const fn or_boolean(self) -> Self {
        Schema {
            boolean: true,
            ..self
        }
    }

    const fn or_integer(self) -> Self {
        self.or_between(i64::MIN, i64::MAX)
    }

    const fn or_between(self, min: i64, max: i64) -> Self {
        Schema {
            integer: Some((min, max)),
            ..self
        }
    }

    const fn or_number(self) -> Self {
        Schema {
            fraction: true,
            ..self.or_integer()
        }
    }

    const fn or_string(self) -> Self {
        self.or_text(Text::Any)
    }

    const fn or_text(self, text: Text) -> Self {
        Schema {
            string: Some(text),
            ..self
        }
    }

    const fn or_list(self, items: &'static Schema) -> Self {
        Schema {
            list: Some(List {
                items,
                unique: false,
            }),
            ..self
        }
    }

    const fn or_set(self, items: &'static Schema) -> Self {
        Schema {
            list: Some(List {
                items,
                unique: true,
            }),
            ..self
        }
    }

    const fn or_object(self, object: &'static Object) -> Self {
        Schema {
            map: Some(Mapping::Object(object)),
            ..self
        }
    }

    const fn or_named(self, names: Names, values: &'static Schema) -> Self {
        Schema {
            map: Some(Mapping::Named(names, values)),
            ..self
        }
    }

    /// The accepted types in words: `a string or a list`.
    fn types(&self) -> String {
        let mut types = Vec::new();
        if self.boolean {
            types.push("true or false");
        }
        match (self.integer, self.fraction) {
            (_, true) => types.push("a number"),
            (Some(_), false) => types.push("a whole number"),
            _ => {}
        }
        // Where a switch alone may be a string, it is for the sake of variables.
        if self.string.is_some() && (!self.boolean || self.fraction) {
            types.push("a string");
        }
        if self.list.is_some() {
            types.push("a list");
        }
        if self.map.is_some() {
            types.push("a mapping");
        }
        if self.null {
            types.push("empty");
        }
        match types.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
            None => "nothing".to_owned(),
        }
    }
}

/// Checks a model; of its sections the touched entries.
pub fn validate(model: &Node, touched: &Touched, findings: &mut Findings) {
    let mut check = Check {
        touched,
        findings,
        advised: 0,
    };
    check.value(&tables::PROJECT, model, &Path::ROOT);
}

struct Check<'f> {
    touched: &'f Touched,
    findings: &'f mut Findings,
    /// How often it was guessed what was meant.
    advised: usize,
}

impl Check<'_> {
    fn value(&mut self, schema: &Schema, node: &Node, path: &Path) {
        match &node.value {
            Value::Null if schema.null => {}
            Value::Bool(_) if schema.boolean => {}
            Value::Float(x) if !x.is_finite() => self.not_finite(node, path),
            Value::Int(i) if schema.integer.is_some() => self.bounds(schema, *i, node, path),
            Value::Float(_) if schema.fraction => {}
            Value::Float(x) if schema.integer.is_some() && x.fract() == 0.0 => {
                self.bounds(schema, *x as i64, node, path);
            }
            Value::Verbatim(text) => match number::big(text) {
                Some(_) if schema.fraction => {}
                // Compose cannot read them where only whole numbers may stand beside texts.
                Some(_) if schema.integer.is_some() && schema.string.is_none() => {
                    self.bounds(schema, i64::MAX, node, path);
                }
                // Where a text may be a number, it may be a point in time as well.
                None if schema.string.is_some() && schema.fraction => {}
                _ => self.wrong_type(schema, node, path),
            },
            Value::Str(text) if schema.string.is_some() => self.text(schema, text, node, path),
            Value::Seq(items) => match schema.list {
                Some(list) => self.list(list, items, path),
                None => self.wrong_type(schema, node, path),
            },
            Value::Map(map) => match schema.map {
                Some(Mapping::Object(object)) => self.object(object, map, node, path),
                Some(Mapping::Named(names, values)) => self.named(names, values, map, path),
                None => self.wrong_type(schema, node, path),
            },
            _ => self.wrong_type(schema, node, path),
        }
    }

    /// Values of no known form may be anything but infinite or not a number: Compose checks a
    /// model as JSON, which has no words for those.
    fn finite(&mut self, node: &Node, path: &Path) {
        match &node.value {
            Value::Float(x) if !x.is_finite() => self.not_finite(node, path),
            Value::Seq(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.finite(item, &path.index(index));
                }
            }
            Value::Map(map) => {
                for (key, value) in map.iter() {
                    self.finite(value, &path.key(key));
                }
            }
            _ => {}
        }
    }

    fn not_finite(&mut self, node: &Node, path: &Path) {
        let what = "this is infinite or not a number; a Compose file has no place for either";
        self.findings.push(
            Diagnostic::error("not-finite", path.to_string(), what)
                .at(node.span)
                .help("put it in quotes to make it a string"),
        );
    }

    fn wrong_type(&mut self, schema: &Schema, node: &Node, path: &Path) {
        let is = match &node.value {
            Value::Null => "is empty",
            Value::Bool(_) => "is true or false",
            Value::Int(_) | Value::Float(_) => "is a number",
            Value::Str(_) => "is a string",
            Value::Verbatim(text) if number::big(text).is_some() => "is a number",
            Value::Verbatim(_) => "is a point in time",
            Value::Seq(_) => "is a list",
            Value::Map(_) => "is a mapping",
        };
        let mut finding = Diagnostic::error(
            "wrong-type",
            path.to_string(),
            format!("must be {}, but {is}", schema.types()),
        )
        .at(node.span);
        finding.help = advice::about_type(schema, node, path);
        self.findings.push(finding);
    }

    fn bounds(&mut self, schema: &Schema, value: i64, node: &Node, path: &Path) {
        let Some((min, max)) = schema.integer else {
            return;
        };
        if (min..=max).contains(&value) {
            return;
        }
        let allowed = match (min, max) {
            (i64::MIN, _) => format!("at most {max}"),
            (_, i64::MAX) => format!("at least {min}"),
            _ => format!("from {min} to {max}"),
        };
        self.findings.push(
            Diagnostic::error(
                "out-of-range",
                path.to_string(),
                format!("{value} is out of range: it must be {allowed}"),
            )
            .at(node.span),
        );
    }

    fn text(&mut self, schema: &Schema, text: &str, node: &Node, path: &Path) {
        let finding = match schema.string {
            Some(Text::OneOf(words)) if !words.contains(&text) => {
                let mut finding = Diagnostic::error(
                    "unknown-value",
                    path.to_string(),
                    format!("`{text}` is not one of {}", quoted(words)),
                );
                if let Some(meant) = similar::nearest(text, words.iter().copied()) {
                    finding = finding.help(format!("did you mean `{meant}`?"));
                }
                finding
            }
            Some(Text::Like(test, words)) => {
                let Some(part) = test(text) else { return };
                let message = format!("`{text}` is not {words}");
                Diagnostic::error("bad-value", path.to_string(), message).part(text, part)
            }
            _ => return,
        };
        self.findings.push(finding.at(node.span));
    }

    fn list(&mut self, list: List, items: &[Node], path: &Path) {
        for (index, item) in items.iter().enumerate() {
            self.value(list.items, item, &path.index(index));
        }
        if list.unique {
            self.duplicates(items, path);
        }
    }

    fn duplicates(&mut self, items: &[Node], path: &Path) {
        for (index, first) in duplicates::of(items) {
            self.findings.push(
                Diagnostic::error(
                    "duplicate-item",
                    path.index(index).to_string(),
                    format!("the same as item {first} of this list"),
                )
                .at(items[index].span)
                .related(items[first].span, "the first one")
                .help("remove one of the two"),
            );
        }
    }

    fn object(&mut self, object: &Object, map: &Map, node: &Node, path: &Path) {
        let mut unknown_keys = 0;
        for (key, entry) in map.entries() {
            let known = object
                .attributes
                .binary_search_by_key(&key, |(name, _)| name)
                .ok();
            match known {
                Some(at) => self.value(object.attributes[at].1, &entry.node, &path.key(key)),
                None if object.others == Others::Anything
                    || object.others == Others::Extensions && key.starts_with("x-") =>
                {
                    self.finite(&entry.node, &path.key(key));
                }
                None => {
                    unknown_keys += 1;
                    if unknown_keys > MAX_UNKNOWN {
                        continue;
                    }
                    let mut finding = unknown(object, key, entry, path);
                    if self.advised == MAX_ADVICE {
                        self.findings.push(finding);
                        continue;
                    }
                    self.advised += 1;
                    finding.help = advice::instead_of(object, key, &entry.node);
                    self.findings.push(finding);
                    // What stands below a misspelt key may have mistakes of its own.
                    if entry.node.as_map().is_some()
                        && let Some(meant) = advice::meant(object, key, &entry.node)
                    {
                        self.value(meant, &entry.node, &path.key(key));
                    }
                }
            }
        }
        if unknown_keys > MAX_UNKNOWN {
            let more = unknown_keys - MAX_UNKNOWN;
            let message = format!(
                "{} has {more} more attributes that it cannot have",
                object.name
            );
            let finding = Diagnostic::error("unknown-attribute", path.to_string(), message);
            self.findings.push(finding.at(node.span));
        }
        for name in object.required {
            if !map.contains_key(name) {
                self.findings.push(
                    Diagnostic::error(
                        "missing-attribute",
                        path.to_string(),
                        format!("{} needs `{name}`", object.name),
                    )
                    .at(node.span),
                );
            }
        }
    }

    fn named(&mut self, names: Names, values: &Schema, map: &Map, path: &Path) {
        let section = path.last_key().filter(|_| path.depth() == 1);
        for (key, entry) in map.entries() {
            if section.is_some_and(|section| !self.touched.has(section, key)) {
                continue;
            }
            let fits = match names {
                Names::Any => !key.is_empty(),
                Names::OrNone => true,
                Names::Resource | Names::ResourceOrIgnored => is_resource_name(key),
                Names::LowerCase => !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase()),
            };
            if fits {
                self.value(values, &entry.node, &path.key(key));
            } else if matches!(names, Names::Any | Names::Resource) {
                self.findings.push(
                    Diagnostic::error(
                        "bad-name",
                        path.to_string(),
                        format!("`{key}` cannot be a name here"),
                    )
                    .at(entry.key)
                    .help("a name is made of letters, digits, `.`, `_` and `-`"),
                );
            }
        }
    }
}

fn is_resource_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

fn unknown(object: &Object, key: &str, entry: &Entry, path: &Path) -> Diagnostic {
    Diagnostic::error(
        "unknown-attribute",
        path.to_string(),
        format!("`{key}` is not an attribute of {}", object.name),
    )
    .at(entry.key)
}

fn quoted(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|w| format!("`{w}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls `each` with every object below a schema.
    pub(super) fn walk(schema: &'static Schema, each: &mut impl FnMut(&'static Object)) {
        if let Some(list) = schema.list {
            walk(list.items, each);
        }
        match schema.map {
            Some(Mapping::Object(object)) => {
                each(object);
                for (_, schema) in object.attributes {
                    walk(schema, each);
                }
            }
            Some(Mapping::Named(_, values)) => walk(values, each),
            _ => {}
        }
    }

    #[test]
    fn attributes_are_sorted_so_that_they_are_found() {
        walk(&tables::PROJECT, &mut |object| {
            assert!(
                object.attributes.is_sorted_by(|a, b| a.0 < b.0),
                "{}",
                object.name
            );
            for name in object.required {
                assert!(object.attributes.iter().any(|(n, _)| n == name), "{name}");
            }
        });
    }
}
