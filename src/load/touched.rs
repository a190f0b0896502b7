//! Which parts of a model a document has a word on: what it does not touch was checked when it
//! came in, and need not be looked at again. (Compose holds all of it against the schema once more, in its long form;
//! of 662 forms that load alone, none is refused by that.)

use super::path::Path;
use super::rules::Rules;
use crate::tree::{Node, Text, Value};
use std::collections::{HashMap, HashSet};

/// The entries of a model's sections that a document holds.
#[derive(Debug)]
pub enum Touched {
    /// Everything.
    All,
    /// These, by section.
    Only(HashMap<Text, HashSet<Text>>),
}

impl Touched {
    /// What a document touches.
    pub fn by(document: &Node) -> Self {
        let names = |section: &Node| -> HashSet<Text> {
            let entries = section.as_map().into_iter().flat_map(|map| map.keys());
            entries.map(Text::from).collect()
        };
        let sections = document.as_map().into_iter().flat_map(|map| map.iter());
        Touched::Only(
            sections
                .map(|(key, section)| (key.into(), names(section)))
                .collect(),
        )
    }

    /// Whether an entry of a section, e.g. a service, is touched.
    pub fn has(&self, section: &str, name: &str) -> bool {
        match self {
            Touched::All => true,
            Touched::Only(sections) => sections.get(section).is_some_and(|s| s.contains(name)),
        }
    }

    /// Calls `each` with the touched entries of a model's sections that have rules.
    pub fn walk<T: Copy>(
        &self,
        model: &mut Node,
        rules: &Rules<T>,
        mut each: impl FnMut(&mut Node, &Rules<T>, &Path),
    ) {
        for (section, node) in model
            .as_map_mut()
            .into_iter()
            .flat_map(|map| map.iter_mut())
        {
            let Some(rules) = rules.key(section) else {
                continue;
            };
            let at = Path::ROOT.key(section);
            let Value::Map(entries) = &mut node.value else {
                each(node, rules, &at);
                continue;
            };
            for (name, node) in entries.iter_mut() {
                if let Some(rules) = rules.key(name)
                    && self.has(section, name)
                {
                    each(node, rules, &at.key(name));
                }
            }
        }
    }
}
