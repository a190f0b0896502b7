//! Entries of a list that mean the same thing: the later one takes the earlier one's place.

use crate::diagnostic::{Diagnostic, Findings};
use crate::load::path::Path;
use crate::load::rules::Rules;
use crate::load::touched::Touched;
use crate::tree::{Items, Node, Value};
use crate::value::number;
use foldhash::fast::RandomState;
use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::LazyLock;

/// What makes two entries of a list the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// The text before `=`.
    Name,
    /// The whole text or number.
    Whole,
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

pub(in crate::load) const TABLE: &[(&str, Key)] = &[
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
    ("services.*.expose", Whole),
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

/// Reduces every list in the touched parts of a model.
pub fn enforce(model: &mut Node, touched: &Touched, findings: &mut Findings) {
    touched.walk(model, &RULES, |node, rules, path| {
        walk(node, rules, path, findings);
    });
}

/// What an entry of the list at a path stands for; `None` where nothing makes two of them the same.
pub fn identity(list: &[&str], item: &Node) -> Option<String> {
    let name = RULES.at(list)?.here()?.of(item).ok().flatten();
    name.map(Cow::into_owned)
}

fn walk(node: &mut Node, rules: &Rules<Key>, path: &Path, findings: &mut Findings) {
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

fn reduce(items: &mut Items, key: Key, path: &Path, findings: &mut Findings) {
    if let [item] = &items[..]
        && key.is_whole(item)
    {
        return;
    }
    // Most lists repeat nothing, and then stay as they are.
    let mut places = Vec::with_capacity(items.len());
    let mut seen = Seen::for_items(items.len());
    let mut count = 0;
    for (index, item) in items.iter().enumerate() {
        let earlier = match key.of(item) {
            Ok(Some(name)) => seen.get_or_put(name, count),
            Ok(None) => None,
            Err(what) => {
                findings.push(
                    Diagnostic::error("missing-attribute", path.index(index).to_string(), what)
                        .at(item.span),
                );
                None
            }
        };
        places.push(earlier.unwrap_or(count));
        count += usize::from(earlier.is_none());
    }
    if count == items.len() {
        return;
    }
    let mut kept = Items::with_capacity(count);
    for (item, place) in std::mem::take(items).into_iter().zip(places) {
        match kept.get_mut(place) {
            Some(earlier) => *earlier = item,
            None => kept.push(item),
        }
    }
    *items = kept;
}

/// Where names were first seen: searched from end to end in the short lists that most are.
enum Seen<'n> {
    Few(Vec<(Cow<'n, str>, usize)>),
    Many(HashMap<Cow<'n, str>, usize, RandomState>),
}

impl<'n> Seen<'n> {
    fn for_items(count: usize) -> Self {
        match count <= 16 {
            true => Seen::Few(Vec::with_capacity(count)),
            false => Seen::Many(HashMap::with_capacity_and_hasher(
                count,
                RandomState::default(),
            )),
        }
    }

    /// Where a name was seen before; else it is seen now.
    fn get_or_put(&mut self, name: Cow<'n, str>, at: usize) -> Option<usize> {
        match self {
            Seen::Few(few) => {
                if let Some((_, earlier)) = few.iter().find(|(n, _)| *n == name) {
                    return Some(*earlier);
                }
                few.push((name, at));
                None
            }
            Seen::Many(many) => match many.entry(name) {
                Entry::Occupied(earlier) => Some(*earlier.get()),
                Entry::Vacant(free) => {
                    free.insert(at);
                    None
                }
            },
        }
    }
}

impl Key {
    /// Whether the only entry of a list is certain to need no finding.
    fn is_whole(self, item: &Node) -> bool {
        match self {
            Mount | Device | Port if item.as_map().is_some() => {
                let target = item.get("target");
                target.is_some_and(|target| self == Port || target.as_str().is_some())
            }
            _ => true,
        }
    }

    /// What the entry stands for; `None` where it is of no kind that can be compared (the schema
    /// says so), an error where the part that counts is missing.
    fn of(self, item: &Node) -> Result<Option<Cow<'_, str>>, &'static str> {
        let text = item.as_str();
        if item.as_map().is_none() && text.is_none() && !matches!(self, Whole | Port) {
            return Ok(None);
        }
        let attribute = |name: &str| item.get(name).and_then(Node::as_str).map(Cow::Borrowed);
        let key = match (self, text) {
            (Name, Some(text)) => Some(text.split_once('=').map_or(text, |(name, _)| name).into()),
            (Name, None) => None,
            (Whole, _) => Some(shown(item)),
            (Mount, Some(text)) => mount_target(text).map(Cow::Owned),
            (Mount, None) => Some(attribute("target").ok_or("a mount needs `target`")?),
            (Device, Some(text)) => {
                let mut parts = text.split(':');
                let source = parts.next();
                parts.next().or(source).map(Cow::Borrowed)
            }
            (Device, None) => Some(attribute("target").ok_or("a device needs `target`")?),
            (File(dir), Some(text)) => Some(format!("{dir}/{text}").into()),
            (File(dir), None) => Some(attribute("target").unwrap_or_else(|| {
                format!("{dir}/{}", attribute("source").unwrap_or_default()).into()
            })),
            (Port, Some(text)) => Some(text.into()),
            (Port, None) => return port(item),
            (EnvFile, Some(text)) => Some(text.into()),
            (EnvFile, None) => attribute("path"),
        };
        Ok(key)
    }
}

/// A scalar as text, without a copy where it is one.
fn shown(node: &Node) -> Cow<'_, str> {
    match node.as_str() {
        Some(text) => text.into(),
        None => String::from(number::text(node)).into(),
    }
}

/// A port's identity. A host port as a number and one as text are not the same, as in Docker
/// Compose.
fn port(item: &Node) -> Result<Option<Cow<'_, str>>, &'static str> {
    if item.as_map().is_none() {
        return Ok(Some(shown(item)));
    }
    let target = item.get("target").ok_or("a port needs `target`")?;
    let or = |name: &str, default: &'static str| item.get(name).map_or(default.into(), shown);
    let published = item.get("published");
    let sign = match published {
        Some(node) if node.as_int().is_some() => "#",
        _ => "",
    };
    Ok(Some(
        format!(
            "{}:{sign}{}:{}/{}",
            or("host_ip", "0.0.0.0"),
            published.map_or("-".into(), shown),
            shown(target),
            or("protocol", "tcp"),
        )
        .into(),
    ))
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
            let mut findings = Findings::default();
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
            enforce(&mut got, &Touched::All, &mut findings);
            assert_eq!(got, want, "{list}");
            assert!(findings.is_empty(), "{findings:?}");
        }
    }
}
