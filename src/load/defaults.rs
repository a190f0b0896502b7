//! Defaults of attributes that are there but say only a part.
//!
//! In: a model in long syntax. Out: the same with the parts filled in that [`TABLE`] names.

use super::rules::Rules;
use crate::tree::{Map, Node, Span, Value};
use std::sync::LazyLock;

/// What is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filling {
    /// The build context `.`.
    Context,
    /// `/run/secrets/<source>`.
    SecretTarget,
    /// TCP, through the ingress.
    Port,
    /// The engine makes a bind's source where it is missing; said of every mount with `bind`.
    HostPath,
    /// All devices, where neither a count nor ids are given.
    AllDevices,
}

use Filling::*;

pub(super) const TABLE: &[(&str, Filling)] = &[
    ("services.*.build", Context),
    (
        "services.*.deploy.resources.reservations.devices.*",
        AllDevices,
    ),
    ("services.*.gpus.*", AllDevices),
    ("services.*.ports.*", Port),
    ("services.*.secrets.*", SecretTarget),
    ("services.*.volumes.*.bind", HostPath),
];

static RULES: LazyLock<Rules<Filling>> = LazyLock::new(|| Rules::new(TABLE));

/// Fills a model in.
pub fn fill(model: &mut Node) {
    walk(model, &RULES);
}

fn walk(node: &mut Node, rules: &Rules<Filling>) {
    let span = node.span;
    match &mut node.value {
        Value::Map(map) => {
            if let Some(default) = rules.here() {
                default.fill(map, span);
            }
            for (key, value) in map.iter_mut() {
                if let Some(below) = rules.key(key) {
                    walk(value, below);
                }
            }
        }
        Value::Seq(items) => {
            if let Some(below) = rules.item() {
                for item in items {
                    walk(item, below);
                }
            }
        }
        _ => {}
    }
}

impl Filling {
    fn fill(self, map: &mut Map, span: Span) {
        match self {
            Context => set(map, span, "context", "."),
            Port => {
                set(map, span, "protocol", "tcp");
                set(map, span, "mode", "ingress");
            }
            HostPath => set(map, span, "create_host_path", true),
            AllDevices if map.contains_key("device_ids") => {}
            AllDevices => set(map, span, "count", "all"),
            SecretTarget => {
                let source = map.get("source").and_then(Node::as_str);
                let target = format!("/run/secrets/{}", source.unwrap_or_default());
                set(map, span, "target", target);
            }
        }
    }
}

fn set(map: &mut Map, span: Span, key: &str, value: impl Into<Value>) {
    if !map.contains_key(key) {
        map.insert(key, span, Node::new(value, span));
    }
}
