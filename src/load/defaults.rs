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
];

static RULES: LazyLock<Rules<Filling>> = LazyLock::new(|| Rules::new(TABLE));

/// Fills a model in.
pub fn fill(model: &mut Node) {
    walk(model, &RULES);
}

/// Says of every mount with `bind` that the engine makes a missing source, where it does not say
/// so itself: for a model that is shown as it was merged. Elsewhere what was written counts, since
/// hashes of earlier versions of Docker Compose depend on it.
pub fn fill_host_paths(model: &mut Node) {
    let services = model.get_mut("services").and_then(Node::as_map_mut);
    for (_, service) in services.into_iter().flat_map(Map::iter_mut) {
        let mounts = service.get_mut("volumes").and_then(Node::as_seq_mut);
        for mount in mounts.into_iter().flatten() {
            if let Some(bind) = mount.get_mut("bind") {
                let span = bind.span;
                if let Some(bind) = bind.as_map_mut() {
                    set(bind, span, "create_host_path", true);
                }
            }
        }
    }
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
