//! Checks of what one set of files says, before it is completed.
//!
//! In: a model in long syntax. Out: findings. What services say about each other and about
//! resources is checked later, by [`consistency`].

pub mod consistency;
pub mod cycle;

use super::path;
use super::rules::Rules;
use crate::diagnostic::{Diagnostic, Findings};
use crate::tree::{Map, Node, Value};
use std::net::IpAddr;
use std::sync::LazyLock;

/// A check of one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// A volume that is external says nothing but its name.
    External,
    /// The content comes from one of these.
    OneSource(&'static [&'static str]),
    /// Devices are counted or named, not both.
    Devices,
    /// The host address is one.
    Address,
    /// There is a path.
    Path,
    /// A bind has a source.
    Bind,
}

use Check::*;

pub(super) const TABLE: &[(&str, Check)] = &[
    ("configs.*", OneSource(&["file", "environment", "content"])),
    ("secrets.*", OneSource(&["file", "environment"])),
    (
        "services.*.deploy.resources.reservations.devices.*",
        Devices,
    ),
    ("services.*.develop.watch.*", Path),
    ("services.*.gpus.*", Devices),
    ("services.*.ports.*", Address),
    ("services.*.volumes.*", Bind),
    ("volumes.*", External),
];

static RULES: LazyLock<Rules<Check>> = LazyLock::new(|| Rules::new(TABLE));

/// Checks a model.
pub fn check(model: &Node, findings: &mut Findings) {
    walk(model, &RULES, &path::Path::ROOT, findings);
}

fn walk(node: &Node, rules: &Rules<Check>, path: &path::Path, findings: &mut Findings) {
    match &node.value {
        Value::Map(map) => {
            if let Some(check) = rules.here() {
                findings.extend(check.run(map, node, path));
            }
            for (key, value) in map.iter() {
                if let Some(below) = rules.key(key) {
                    walk(value, below, &path.key(key), findings);
                }
            }
        }
        Value::Seq(items) => {
            if let Some(below) = rules.item() {
                for (index, item) in items.iter().enumerate() {
                    walk(item, below, &path.index(index), findings);
                }
            }
        }
        _ => {}
    }
}

impl Check {
    fn run(self, map: &Map, node: &Node, path: &path::Path) -> Option<Diagnostic> {
        match self {
            External => external(map, path),
            OneSource(names) => one_source(names, map, node, path),
            Devices => {
                let ids = map.entry("device_ids")?;
                let count = map.entry("count")?;
                Some(
                    Diagnostic::error(
                        "exclusive-attributes",
                        path.to_string(),
                        "\"count\" and \"device_ids\" attributes are exclusive",
                    )
                    .at(ids.key)
                    .related(count.key, "the count"),
                )
            }
            Address => {
                let ip = map.get("host_ip")?;
                let text = ip.as_str()?;
                text.parse::<IpAddr>().is_err().then(|| {
                    Diagnostic::error(
                        "bad-address",
                        path.key("host_ip").to_string(),
                        format!("invalid ip address: {text}"),
                    )
                    .at(ip.span)
                })
            }
            Path => {
                let node = map.get("path")?;
                (node.as_str() == Some("")).then(|| {
                    Diagnostic::error(
                        "bad-value",
                        path.key("path").to_string(),
                        "value can't be blank",
                    )
                    .at(node.span)
                })
            }
            Bind => {
                let is_bind = map.get("type").and_then(Node::as_str) == Some("bind");
                (is_bind && !map.contains_key("source")).then(|| {
                    Diagnostic::error(
                        "missing-attribute",
                        path.to_string(),
                        "a bind mount needs `source`, the path on the host",
                    )
                    .at(node.span)
                })
            }
        }
    }
}

fn external(map: &Map, path: &path::Path) -> Option<Diagnostic> {
    let external = map.entry("external")?;
    if external.node.as_bool() != Some(true) {
        return None;
    }
    let (key, entry) = map
        .entries()
        .find(|(key, _)| !matches!(*key, "name" | "external") && !key.starts_with("x-"))?;
    Some(
        Diagnostic::error(
            "exclusive-attributes",
            path.to_string(),
            format!("conflicting parameters \"external\" and \"{key}\" specified"),
        )
        .at(entry.key)
        .related(external.key, "external here")
        .help("what is external is made by someone else; only `name` goes with it"),
    )
}

fn one_source(names: &[&str], map: &Map, node: &Node, path: &path::Path) -> Option<Diagnostic> {
    let mut given = names.iter().filter_map(|name| map.entry(name));
    let list = names.join("|");
    match (given.next(), given.next()) {
        (Some(first), Some(second)) => Some(
            Diagnostic::error(
                "exclusive-attributes",
                path.to_string(),
                format!("{list} attributes are mutually exclusive"),
            )
            .at(second.key)
            .related(first.key, "the other one"),
        ),
        (None, _) if !map.contains_key("driver") && !map.contains_key("external") => Some(
            Diagnostic::error(
                "missing-attribute",
                path.to_string(),
                format!("one of {list} must be set"),
            )
            .at(node.span)
            .help("or `external: true`, where somebody else makes it"),
        ),
        _ => None,
    }
}
