//! What is declared and never used.

use super::{Item, Report, Rule, Subject};
use crate::load::interpolate;
use crate::load::selection::uses;
use crate::load::yaml;
use crate::tree::{Node, Value};
use crate::value::glob;
use std::collections::HashSet;

pub const RULES: &[Rule] = &[Rule::checking("unused-resource", unused)];

const SECTIONS: [&str; 4] = ["networks", "volumes", "secrets", "configs"];

/// How deep a definition nests at most that names a resource.
const MAX_DEPTH: usize = 64;

fn unused(subject: &Subject<'_>, report: &mut Report<'_>) {
    let services = subject.services.iter().chain(&subject.disabled);
    let used: HashSet<(&str, &str)> = services.flat_map(|service| uses(service.spec)).collect();
    let networks = subject.networks.iter().map(|n| ("networks", *n));
    let volumes = subject.volumes.iter().map(|v| ("volumes", *v));
    let files = ["secrets", "configs"]
        .into_iter()
        .flat_map(|section| subject.section(section).map(move |item| (section, item)));
    let candidates: Vec<(&'static str, Item<'_>)> = networks
        .chain(volumes)
        .chain(files)
        .filter(|(section, item)| {
            let is_default = *section == "networks" && item.key == "default";
            !is_default && !used.contains(&(*section, item.key))
        })
        .collect();
    if candidates.is_empty() {
        return;
    }
    let written = Written::of(subject);
    for (section, item) in candidates {
        if written.names(section, item.key) {
            continue;
        }
        let what = section.trim_end_matches('s');
        let made = if item.is_external() {
            ""
        } else {
            ": it is not made"
        };
        report.warn(
            format!("{section}.{}", item.key),
            item.place,
            format!("no service uses the {what} {}{made}", item.key),
            &format!("name it below a service's `{section}`, or remove it"),
        );
    }
}

/// What the files name as they are written: also what another file, a variable or a profile has
/// replaced today.
#[derive(Default)]
struct Written {
    names: HashSet<(&'static str, String)>,
    /// Names with variables, as globs.
    patterns: HashSet<(&'static str, String)>,
}

impl Written {
    fn of(subject: &Subject<'_>) -> Self {
        let mut written = Written::default();
        for (id, source) in subject.sources.iter() {
            for document in yaml::parse_unmerged(id, &source.text) {
                let Value::Map(root) = &document.root.value else {
                    continue;
                };
                for (key, node) in root.iter() {
                    // Below its own section a resource is defined, not used.
                    if !SECTIONS.contains(&key) {
                        written.read(node, MAX_DEPTH);
                    }
                }
            }
        }
        written
    }

    /// Looks for lists of resources anywhere: in services, and in extensions that become parts of
    /// them.
    fn read(&mut self, node: &Node, depth: usize) {
        if depth == 0 {
            return;
        }
        match &node.value {
            Value::Map(map) => {
                for (key, value) in map.iter() {
                    if let Some(section) = SECTIONS.into_iter().find(|section| *section == key) {
                        self.list(section, value);
                    }
                    // `credential_spec: {config: NAME}`.
                    if let ("credential_spec", Some(name)) =
                        (key, value.get("config").and_then(Node::as_str))
                    {
                        self.name("configs", name);
                    }
                    self.read(value, depth - 1);
                }
            }
            Value::Seq(items) => items.iter().for_each(|item| self.read(item, depth - 1)),
            _ => {}
        }
    }

    fn list(&mut self, section: &'static str, list: &Node) {
        match &list.value {
            Value::Map(map) => map.keys().for_each(|key| self.name(section, key)),
            Value::Seq(items) => {
                for item in items {
                    let short = item.as_str();
                    let source = item.get("source").and_then(Node::as_str);
                    // `NAME:/path`; a colon inside `${…}` is the variable's.
                    let short = short.map(|text| match section {
                        "volumes" => volume_of(text),
                        _ => text,
                    });
                    if let Some(name) = source.or(short) {
                        self.name(section, name);
                    }
                }
            }
            _ => {}
        }
    }

    fn name(&mut self, section: &'static str, text: &str) {
        // `${DATA:-./data}` is a path, whatever DATA may be.
        let usual = interpolate::substitute(text, &|_| None).text;
        if usual.starts_with(['.', '/', '~']) {
            return;
        }
        match text.contains('$') {
            true => self.patterns.insert((section, pattern(text))),
            false => self.names.insert((section, text.to_owned())),
        };
    }

    fn names(&self, section: &'static str, key: &str) -> bool {
        let mut patterns = self.patterns.iter();
        self.names.contains(&(section, key.to_owned()))
            || patterns.any(|(of, pattern)| *of == section && glob::matches(pattern, key))
    }
}

/// The source of a short mount: up to the first colon that is not in a variable.
fn volume_of(text: &str) -> &str {
    let parts = interpolate::parts(text);
    for part in parts
        .iter()
        .filter(|part| !text[(*part).clone()].starts_with('$'))
    {
        if let Some(colon) = text[part.clone()].find(':') {
            return &text[..part.start + colon];
        }
    }
    text
}

/// A text with `*` for each variable, and nothing else that a glob would take for a sign.
fn pattern(text: &str) -> String {
    let mut pattern = String::new();
    for part in interpolate::parts(text) {
        let part = &text[part];
        match part.starts_with('$') {
            true => pattern.push('*'),
            false => pattern.extend(part.chars().filter(|c| !"*?[]\\".contains(*c))),
        }
    }
    pattern
}
