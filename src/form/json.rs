//! The canonical form as JSON, byte for byte as Go's encoder writes Docker Compose's structures:
//! attributes in the order of the tables, user keys sorted by bytes, `<`, `>` and `&` escaped.

use super::{Form, Kind, Presence};
use crate::tree::float;
use crate::tree::{Map, Node, Value};
use std::fmt::Write;

/// How the text is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Without any space: what is hashed.
    Compact,
    /// Two spaces a level: what `config --format json` prints.
    Indented,
}

/// Writes JSON into a string it owns.
#[derive(Debug)]
pub struct Writer {
    pub out: String,
    layout: Layout,
    dialect: Dialect,
    depth: usize,
}

/// The program whose structures are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Docker Compose 5.5, and what we print.
    Five,
    /// Docker Compose 2.40: a switch that is on by default is written when it is on, not when it
    /// is off.
    Two,
}

impl Writer {
    pub fn new(layout: Layout) -> Self {
        Writer {
            out: String::new(),
            layout,
            dialect: Dialect::Five,
            depth: 0,
        }
    }

    #[must_use]
    pub fn in_dialect(self, dialect: Dialect) -> Self {
        Writer { dialect, ..self }
    }

    /// An object of a known form. `skip` names attributes to leave out at this level.
    pub fn object(&mut self, form: &Form, node: &Node, skip: &[&str]) {
        let map = node.as_map();
        let mut first = true;
        self.open('{');
        for field in form.fields.iter().filter(|f| !skip.contains(&f.name)) {
            let value = map.and_then(|m| m.get(field.name));
            if matches!(field.kind, Kind::OptOut)
                && value.and_then(Node::as_bool) == Some(self.dialect == Dialect::Five)
            {
                continue;
            }
            let absent = value.is_none() && field.presence == Presence::WhenSet;
            if absent && !matches!(field.kind, Kind::Struct(_)) {
                continue;
            }
            self.key(field.json, &mut first);
            match value {
                Some(value) => self.field(field.kind, value),
                None => self.empty(field.kind),
            }
        }
        self.close('}', first);
    }

    /// Objects by name, sorted.
    pub fn object_map<'a>(
        &mut self,
        form: &Form,
        entries: impl IntoIterator<Item = (&'a str, &'a Node)>,
    ) {
        let mut entries: Vec<_> = entries.into_iter().collect();
        entries.sort_unstable_by_key(|(key, _)| *key);
        let mut first = true;
        self.open('{');
        for (key, node) in entries {
            self.key(key, &mut first);
            match node.is_null() {
                true => self.out.push_str("null"),
                false => self.object(form, node, &[]),
            }
        }
        self.close('}', first);
    }

    /// One attribute's value.
    fn field(&mut self, kind: Kind, value: &Node) {
        match (kind, &value.value) {
            (Kind::Object(form) | Kind::Struct(form), Value::Map(_)) => {
                self.object(form, value, &[]);
            }
            (Kind::Objects(form), Value::Seq(items)) => {
                let mut first = true;
                self.open('[');
                for item in items {
                    self.separate(&mut first);
                    self.object(form, item, &[]);
                }
                self.close(']', first);
            }
            (Kind::ObjectMap(form), Value::Map(map)) => self.object_map(form, map.iter()),
            (Kind::Ulimits, Value::Map(map)) => self.ulimits(map),
            _ => self.value(value),
        }
    }

    /// A limit prints the parts that are not zero, soft before hard.
    fn ulimits(&mut self, map: &Map) {
        let mut entries: Vec<_> = map.iter().collect();
        entries.sort_unstable_by_key(|(key, _)| *key);
        let mut first = true;
        self.open('{');
        for (name, limit) in entries {
            self.key(name, &mut first);
            let Some(parts) = limit.as_map() else {
                self.value(limit);
                continue;
            };
            let mut first_part = true;
            self.open('{');
            for part in ["soft", "hard"] {
                if let Some(n) = parts.get(part).and_then(Node::as_int).filter(|n| *n != 0) {
                    self.key(part, &mut first_part);
                    let _ = write!(self.out, "{n}");
                }
            }
            self.close('}', first_part);
        }
        self.close('}', first);
    }

    /// What Go writes for an attribute that holds nothing.
    fn empty(&mut self, kind: Kind) {
        match kind {
            Kind::Struct(form) => self.object(form, &Node::default(), &[]),
            Kind::Str => self.out.push_str("\"\""),
            Kind::Bytes => self.out.push_str("\"0\""),
            Kind::Int | Kind::Uint | Kind::Uint32 | Kind::Weight | Kind::Float => {
                self.out.push('0')
            }
            Kind::Bool => self.out.push_str("false"),
            Kind::ObjectMap(_) => self.out.push_str("{}"),
            _ => self.out.push_str("null"),
        }
    }

    /// A value without a form: keys sorted.
    pub fn value(&mut self, node: &Node) {
        match &node.value {
            Value::Null => self.out.push_str("null"),
            Value::Bool(b) => {
                let _ = write!(self.out, "{b}");
            }
            Value::Int(i) => {
                let _ = write!(self.out, "{i}");
            }
            Value::Float(x) => self.out.push_str(&float::json(*x)),
            Value::Str(s) => self.string(s),
            Value::Verbatim(s) if s.bytes().all(|b| b.is_ascii_digit()) => self.out.push_str(s),
            Value::Verbatim(s) => self.string(s),
            Value::Seq(items) => {
                let mut first = true;
                self.open('[');
                for item in items {
                    self.separate(&mut first);
                    self.value(item);
                }
                self.close(']', first);
            }
            Value::Map(map) => {
                let mut entries: Vec<_> = map.iter().collect();
                entries.sort_unstable_by_key(|(key, _)| *key);
                let mut first = true;
                self.open('{');
                for (key, value) in entries {
                    self.key(key, &mut first);
                    self.value(value);
                }
                self.close('}', first);
            }
        }
    }

    /// A quoted string with Go's escapes.
    pub fn string(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                    let _ = write!(self.out, "\\u{:04x}", c as u32);
                }
                _ => self.out.push(c),
            }
        }
        self.out.push('"');
    }

    pub fn open(&mut self, bracket: char) {
        self.out.push(bracket);
        self.depth += 1;
    }

    pub fn close(&mut self, bracket: char, empty: bool) {
        self.depth -= 1;
        if !empty {
            self.newline();
        }
        self.out.push(bracket);
    }

    /// A key with what separates it from the entry before.
    pub fn key(&mut self, key: &str, first: &mut bool) {
        self.separate(first);
        self.string(key);
        self.out.push(':');
        if self.layout == Layout::Indented {
            self.out.push(' ');
        }
    }

    fn separate(&mut self, first: &mut bool) {
        if !std::mem::take(first) {
            self.out.push(',');
        }
        self.newline();
    }

    fn newline(&mut self) {
        if self.layout == Layout::Indented {
            self.out.push('\n');
            for _ in 0..self.depth {
                self.out.push_str("  ");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_and_control_characters_are_escaped() {
        let mut json = Writer::new(Layout::Compact);
        json.string("a<b>&\"\\\n\u{1}é\u{2028}");
        assert_eq!(json.out, r#""a\u003cb\u003e\u0026\"\\\n\u0001é\u2028""#);
    }
}
