//! `<<`: mappings that a mapping takes in.

use super::{Builder, Frame};
use crate::diagnostic::Diagnostic;
use crate::tree::{Node, Value};

impl Builder<'_> {
    /// Applies the value of `<<`: what the mapping has itself wins, then the earlier of several.
    pub(super) fn merge(&mut self, frame: &mut Frame, value: Node) {
        let span = value.span;
        let maps = match value.value {
            Value::Map(map) => vec![Ok(map)],
            Value::Seq(items) => items
                .into_iter()
                .map(|item| match item.value {
                    Value::Map(map) => Ok(map),
                    _ => Err(item.span),
                })
                .collect(),
            _ => vec![Err(span)],
        };
        for map in maps {
            match map {
                Ok(map) => {
                    for (key, entry) in map.into_entries() {
                        if !frame.entries.contains_key(&key) {
                            frame.entries.insert(key, entry.key, entry.node);
                        }
                    }
                }
                Err(span) => {
                    let finding = Diagnostic::error(
                        "yaml-merge-key",
                        self.path(),
                        "`<<` takes a mapping or a sequence of mappings",
                    );
                    let finding = match frame.merge_key {
                        // An alias: the value stands elsewhere.
                        Some(key) if span.start < key.start => {
                            finding.at(key).related(span, "this is neither")
                        }
                        _ => finding.at(span),
                    };
                    self.findings.push(
                        finding
                            .help("a list of `NAME=value` cannot be merged: write `NAME: value`"),
                    );
                }
            }
        }
    }
}
