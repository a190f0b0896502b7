//! Entries of a list that mean the same thing: the later one takes the earlier one's place.

use crate::diagnostic::Diagnostic;
use crate::load::path::Path;
use crate::load::rules::Rules;
use crate::tree::{Node, Value};
use crate::value::number;
use std::collections::HashMap;
use std::sync::LazyLock;

/// What makes two entries of a list the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// The text before `=`.
    Name,
    /// The whole text or number.
    Text,
    /// The path in the container.
    Mount,
    /// The device in the container.
    Device,
    /// The path in the container, by default below this one.
    File(&'static str),
    /// Address, host port, container port and protocol.
    Port,
    /// The path of an env file.
    EnvFile,
}

use Key::*;

const TABLE: &[(&str, Key)] = &[
    ("networks.*.ipam.options", Name),
    ("networks.*.labels", Name),
    ("services.*.annotations", Name),
    ("services.*.build.additional_contexts", Name),
    ("services.*.build.args", Name),
    ("services.*.build.labels", Name),
    ("services.*.build.tags", Name),
    ("services.*.cap_add", Name),
    ("services.*.cap_drop", Name),
    ("services.*.configs", File("")),
    ("services.*.deploy.labels", Name),
    ("services.*.devices", Device),
    ("services.*.dns", Name),
    ("services.*.dns_opt", Name),
    ("services.*.dns_search", Name),
    ("services.*.env_file", EnvFile),
    ("services.*.environment", Name),
    ("services.*.expose", Text),
    ("services.*.labels", Name),
    ("services.*.links", Name),
    ("services.*.networks.*.aliases", Name),
    ("services.*.networks.*.link_local_ips", Name),
    ("services.*.ports", Port),
    ("services.*.profiles", Name),
    ("services.*.secrets", File("/run/secrets")),
    ("services.*.sysctls", Name),
    ("services.*.tmpfs", Name),
    ("services.*.volumes", Mount),
];

static RULES: LazyLock<Rules<Key>> = LazyLock::new(|| Rules::new(TABLE));

/// Reduces every list of a model.
pub fn enforce(model: &mut Node, findings: &mut Vec<Diagnostic>) {
    walk(model, &RULES, &Path::ROOT, findings);
}

/// What an entry of the list at a path stands for; `None` where nothing makes two of them the same.
pub fn identity(list: &[&str], item: &Node) -> Option<String> {
    RULES.at(list)?.here()?.of(item).ok().flatten()
}

fn walk(node: &mut Node, rules: &Rules<Key>, path: &Path, findings: &mut Vec<Diagnostic>) {
    match &mut node.value {
        Value::Map(map) => {
            for (key, value) in map.iter_mut() {
                if let Some(below) = rules.key(key) {
                    walk(value, below, &path.key(key), findings);
                }
            }
        }
        Value::Seq(items) => {
            if let Some(key) = rules.here() {
                reduce(items, key, path, findings);
            }
        }
        _ => {}
    }
}

fn reduce(items: &mut Vec<Node>, key: Key, path: &Path, findings: &mut Vec<Diagnostic>) {
    if let [item] = &items[..]
        && key.of(item).is_ok()
    {
        return;
    }
    let mut first = Seen::for_items(items.len());
    let mut kept: Vec<Node> = Vec::with_capacity(items.len());
    for (index, item) in std::mem::take(items).into_iter().enumerate() {
        match key.of(&item) {
            Ok(Some(name)) => match first.get(&name) {
                Some(at) => {
                    kept[at] = item;
                    continue;
                }
                None => {
                    first.put(name, kept.len());
                }
            },
            Ok(None) => {}
            Err(what) => findings.push(
                Diagnostic::error("missing-attribute", path.index(index).to_string(), what)
                    .at(item.span),
            ),
        }
        kept.push(item);
    }
    *items = kept;
}

/// Where names were first seen: searched from end to end in the short lists that most are.
enum Seen {
    Few(Vec<(String, usize)>),
    Many(HashMap<String, usize>),
}

impl Seen {
    fn for_items(count: usize) -> Self {
        match count <= 16 {
            true => Seen::Few(Vec::with_capacity(count)),
            false => Seen::Many(HashMap::with_capacity(count)),
        }
    }

    fn get(&self, name: &str) -> Option<usize> {
        match self {
            Seen::Few(few) => few.iter().find(|(n, _)| n == name).map(|(_, at)| *at),
            Seen::Many(many) => many.get(name).copied(),
        }
    }

    fn put(&mut self, name: String, at: usize) {
        match self {
            Seen::Few(few) => few.push((name, at)),
            Seen::Many(many) => {
                many.insert(name, at);
            }
        }
    }
}

impl Key {
    /// What the entry stands for; `None` where it is of no kind that can be compared (the schema
    /// says so), an error where the part that counts is missing.
    fn of(self, item: &Node) -> Result<Option<String>, &'static str> {
        let text = item.as_str();
        if item.as_map().is_none() && text.is_none() && !matches!(self, Text | Port) {
            return Ok(None);
        }
        let attribute = |name: &str| item.get(name).and_then(Node::as_str).map(str::to_owned);
        let key =
            match (self, text) {
                (Name, Some(text)) => Some(text.split('=').next().unwrap_or(text).to_owned()),
                (Name, None) => None,
                (Text, _) => Some(number::text(item)),
                (Mount, Some(text)) => mount_target(text),
                (Mount, None) => Some(attribute("target").ok_or("a mount needs `target`")?),
                (Device, Some(text)) => {
                    let mut parts = text.split(':');
                    let source = parts.next();
                    parts.next().or(source).map(str::to_owned)
                }
                (Device, None) => Some(attribute("target").ok_or("a device needs `target`")?),
                (File(dir), Some(text)) => Some(format!("{dir}/{text}")),
                (File(dir), None) => Some(attribute("target").unwrap_or_else(|| {
                    format!("{dir}/{}", attribute("source").unwrap_or_default())
                })),
                (Port, Some(text)) => Some(text.to_owned()),
                (Port, None) => return port(item),
                (EnvFile, Some(text)) => Some(text.to_owned()),
                (EnvFile, None) => attribute("path"),
            };
        Ok(key)
    }
}

/// A port's identity. A host port as a number and one as text are not the same, as in Docker
/// Compose.
fn port(item: &Node) -> Result<Option<String>, &'static str> {
    if item.as_map().is_none() {
        return Ok(Some(number::text(item)));
    }
    let target = item.get("target").ok_or("a port needs `target`")?;
    let or = |name: &str, default: &str| {
        item.get(name)
            .map_or_else(|| default.to_owned(), number::text)
    };
    let published = match item.get("published") {
        Some(node) if node.as_int().is_some() => format!("#{}", number::text(node)),
        Some(node) => number::text(node),
        None => "-".to_owned(),
    };
    Ok(Some(format!(
        "{}:{published}:{}/{}",
        or("host_ip", "0.0.0.0"),
        number::text(target),
        or("protocol", "tcp"),
    )))
}

/// The container path of a mount in short form.
fn mount_target(text: &str) -> Option<String> {
    crate::load::short::volume::target(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::yaml;
    use crate::tree::SourceId;

    #[test]
    fn the_later_entry_takes_the_place_of_the_earlier() {
        for (list, reduced) in [
            (
                "environment: [A=1, B=2, A=3, C]",
                "environment: [A=3, B=2, C]",
            ),
            ("expose: [80, '80', 81]", "expose: ['80', 81]"),
            (
                "secrets: [a, {source: b, target: /run/secrets/a}]",
                "secrets: [{source: b, target: /run/secrets/a}]",
            ),
            (
                "ports: ['80:80', '81:80', '80:80']",
                "ports: ['80:80', '81:80']",
            ),
            (
                "ports: [{target: 80, published: '1'}, {target: 80, published: '1', protocol: tcp, mode: host}]",
                "ports: [{target: 80, published: '1', protocol: tcp, mode: host}]",
            ),
            ("devices: ['/dev/a:/dev/x', /dev/x]", "devices: [/dev/x]"),
            ("command: [a, a]", "command: [a, a]"),
        ] {
            let mut findings = Vec::new();
            let mut parsed = |text: &str| {
                yaml::parse(
                    SourceId(0),
                    &format!("services: {{s: {{{text}}}}}"),
                    &mut findings,
                )
                .remove(0)
                .root
            };
            let (mut got, want) = (parsed(list), parsed(reduced));
            enforce(&mut got, &mut findings);
            assert_eq!(got, want, "{list}");
            assert!(findings.is_empty(), "{findings:?}");
        }
    }
}
