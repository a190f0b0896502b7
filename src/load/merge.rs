//! Merging: a later file (or an extending service) over what is there.
//!
//! In: two trees, moved. Out: one; a value that won keeps its own place. Mappings merge key by
//! key, lists are appended, anything else is replaced; [`TABLE`] names the exceptions. Entries
//! of a list that mean the same thing are then reduced to one by [`unique`].

pub mod unique;

use super::path::Path;
use super::rules::Rules;
use crate::diagnostic::{Diagnostic, Findings};
use crate::tree::{Items, Map, Node, Span, Text, Value};
use crate::value::number;
use std::collections::HashSet;
use std::sync::LazyLock;

/// A way of merging that differs from the usual one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// The later value stands, even if it is empty.
    Replace,
    /// Both become lists of `K=V`, appended.
    KeyValues,
    /// As [`Merge::KeyValues`], without exact repetitions.
    Hosts,
    /// Text means `{context: …}`.
    Build,
    /// A list means a mapping to default dependencies.
    Dependencies,
    /// A list means a mapping to nothing.
    Names,
    /// Options merge only under the same driver.
    Logging,
    /// The later limit stands.
    Limit,
    /// Address pools merge by subnet.
    Pools,
}

use Merge::*;

pub(super) const TABLE: &[(&str, Merge)] = &[
    ("networks.*.ipam.config", Pools),
    ("networks.*.labels", KeyValues),
    ("services.*.annotations", KeyValues),
    ("services.*.build", Build),
    ("services.*.build.additional_contexts", KeyValues),
    ("services.*.build.args", KeyValues),
    ("services.*.build.extra_hosts", Hosts),
    ("services.*.build.labels", KeyValues),
    ("services.*.command", Replace),
    ("services.*.depends_on", Dependencies),
    ("services.*.deploy.labels", KeyValues),
    ("services.*.dns", KeyValues),
    ("services.*.dns_opt", KeyValues),
    ("services.*.dns_search", KeyValues),
    ("services.*.entrypoint", Replace),
    ("services.*.env_file", KeyValues),
    ("services.*.environment", KeyValues),
    ("services.*.extra_hosts", Hosts),
    ("services.*.healthcheck.test", Replace),
    ("services.*.label_file", KeyValues),
    ("services.*.labels", KeyValues),
    ("services.*.logging", Logging),
    ("services.*.models", Names),
    ("services.*.networks", Names),
    ("services.*.sysctls", KeyValues),
    ("services.*.tmpfs", KeyValues),
    ("services.*.ulimits.*", Limit),
    ("volumes.*.labels", KeyValues),
];

static RULES: LazyLock<Rules<Merge>> = LazyLock::new(|| Rules::new(TABLE));

/// Merges a whole model over another.
pub fn models(base: Node, over: Node, findings: &mut Findings) -> Node {
    Merger { findings }.value(base, over, Some(&RULES), &Path::ROOT)
}

/// Merges the value at a path of the model, e.g. one service over the one it extends.
pub fn at(path: [&str; 2], base: Node, over: Node, findings: &mut Findings) -> Node {
    let section = Path::ROOT.key(path[0]);
    Merger { findings }.value(base, over, RULES.at(&path), &section.key(path[1]))
}

/// Two lists of address pools whose lengths multiply to more are not merged.
const MAX_POOL_PAIRS: usize = 10_000;

struct Merger<'f> {
    findings: &'f mut Findings,
}

type Below<'r> = Option<&'r Rules<Merge>>;

impl Merger<'_> {
    fn value(&mut self, base: Node, over: Node, rules: Below, path: &Path) -> Node {
        if let Some(rule) = rules.and_then(Rules::here) {
            return self.special(rule, base, over, rules, path);
        }
        if over.is_null() {
            return base;
        }
        let (base_span, over_span) = (base.span, over.span);
        match (base.value, over.value) {
            (Value::Map(base), Value::Map(over)) => {
                Node::new(self.maps(base, over, rules, path), base_span)
            }
            (Value::Seq(mut base), Value::Seq(over)) => {
                base.extend(over);
                Node::new(base, base_span)
            }
            (base @ (Value::Map(_) | Value::Seq(_)), over) => {
                let is = match base {
                    Value::Map(_) => "a mapping",
                    _ => "a list",
                };
                let here = match over {
                    Value::Map(_) => "a mapping",
                    Value::Seq(_) => "a list",
                    _ => "a single value",
                };
                self.findings.push(
                    Diagnostic::error(
                        "cannot-override",
                        path.to_string(),
                        format!("cannot be merged: this is {here}, and {is} in what it overrides"),
                    )
                    .at(over_span)
                    .related(base_span, "overrides this")
                    .help("use the same form in both, or `!override` to replace it"),
                );
                Node::new(base, base_span)
            }
            (_, over) => Node::new(over, over_span),
        }
    }

    fn maps(&mut self, mut base: Map, over: Map, rules: Below, path: &Path) -> Map {
        for (key, entry) in over.into_entries() {
            let below = rules.and_then(|r| r.key(&key));
            match base.get_mut(&key) {
                Some(node) => {
                    let merged =
                        self.value(std::mem::take(node), entry.node, below, &path.key(&key));
                    *node = merged;
                }
                None => {
                    base.insert(key, entry.key, entry.node);
                }
            }
        }
        base
    }

    fn special(&mut self, rule: Merge, base: Node, over: Node, rules: Below, path: &Path) -> Node {
        match rule {
            Replace => over,
            Limit if over.is_null() => base,
            Limit => over,
            KeyValues => {
                let span = base.span;
                let mut list = key_values(base);
                list.extend(key_values(over));
                Node::new(list, span)
            }
            Hosts => {
                let span = base.span;
                let mut list = key_values(base);
                let mut known: HashSet<Text> = list.iter().map(number::text).collect();
                for host in key_values(over) {
                    if known.insert(number::text(&host)) {
                        list.push(host);
                    }
                }
                Node::new(list, span)
            }
            Logging => match (base.get("driver"), over.get("driver")) {
                (Some(a), Some(b)) if a != b => over,
                _ => self.as_maps(base, over, rules, path),
            },
            Build => self.as_maps(context(base), context(over), rules, path),
            Dependencies => self.as_maps(
                names(base, default_dependency),
                names(over, default_dependency),
                rules,
                path,
            ),
            Names => self.as_maps(
                names(base, |s| Node::new(Value::Null, s)),
                names(over, |s| Node::new(Value::Null, s)),
                rules,
                path,
            ),
            Pools => self.pools(base, over, path),
        }
    }

    /// Merges two mappings; where one is something else, the other stands.
    fn as_maps(&mut self, base: Node, over: Node, rules: Below, path: &Path) -> Node {
        let (base_span, over_span) = (base.span, over.span);
        match (base.value, over.value) {
            (Value::Map(base), Value::Map(over)) => {
                Node::new(self.maps(base, over, rules, path), base_span)
            }
            (base, Value::Null) => Node::new(base, base_span),
            (_, over) => Node::new(over, over_span),
        }
    }

    /// A pool whose subnet is there is merged into it, others are put before the rest; a pool
    /// that only the base has stays only where the later list repeats its subnet, as Docker
    /// Compose does it.
    fn pools(&mut self, base: Node, over: Node, path: &Path) -> Node {
        let span = base.span;
        let (Some(originals), Some(overrides)) = (base.as_seq(), over.as_seq()) else {
            return match over.is_null() {
                true => base,
                false => over,
            };
        };
        // With one of the two empty Docker Compose has nothing left, and refuses that.
        if originals.is_empty() || overrides.is_empty() {
            self.findings.push(
                Diagnostic::error(
                    "cannot-override",
                    path.to_string(),
                    "address pools merge by their subnet, and one of the two lists is empty",
                )
                .at(over.span)
                .related(span, "the other one")
                .help("leave the empty one out, or write `!override` to replace the earlier list"),
            );
            return base;
        }
        // Each is compared with each.
        if originals.len().saturating_mul(overrides.len()) > MAX_POOL_PAIRS {
            self.findings.push(
                Diagnostic::error(
                    "cannot-override",
                    path.to_string(),
                    "so many address pools cannot be merged",
                )
                .at(over.span)
                .related(span, "with these")
                .help("write `!override` to replace the earlier list"),
            );
            return base;
        }
        let mut pools: Vec<Node> = Vec::new();
        for original in originals {
            let mut original = original.clone();
            for pool in overrides {
                let is_listed = pools.iter().any(|p| subnet(p) == subnet(pool));
                if subnet(pool) != subnet(&original) && !is_listed {
                    pools.push(pool.clone());
                    continue;
                }
                original = self.as_maps(original, pool.clone(), None, path);
                match pools.iter_mut().find(|p| subnet(p) == subnet(&original)) {
                    Some(listed) => *listed = original.clone(),
                    None => pools.push(original.clone()),
                }
            }
        }
        Node::new(pools, span)
    }
}

fn subnet(pool: &Node) -> Option<&Node> {
    pool.get("subnet")
}

/// `build: dir` means `build: {context: dir}`.
fn context(node: Node) -> Node {
    match node.value {
        Value::Str(_) => {
            let span = node.span;
            let mut map = Map::new();
            map.insert("context", span, node);
            Node::new(map, span)
        }
        _ => node,
    }
}

/// A list of names as a mapping.
fn names(node: Node, value: fn(Span) -> Node) -> Node {
    let span = node.span;
    match node.value {
        Value::Seq(items) => {
            let mut map = Map::new();
            for item in items {
                if let Value::Str(name) = item.value {
                    map.insert(name, item.span, value(item.span));
                }
            }
            Node::new(map, span)
        }
        value => Node { value, span },
    }
}

/// What a dependency in a list means.
pub fn default_dependency(span: Span) -> Node {
    let mut map = Map::new();
    map.insert("condition", span, Node::new("service_started", span));
    map.insert("required", span, Node::new(true, span));
    Node::new(map, span)
}

/// A mapping as a list of `K=V`, sorted; a text as a list of one.
fn key_values(node: Node) -> Items {
    let span = node.span;
    match node.value {
        Value::Seq(items) => items,
        Value::Str(_) => Items::from([node]),
        Value::Map(map) => {
            let mut items = Items::with_capacity(map.len());
            for (key, entry) in map.into_entries() {
                let span = if entry.node.is_null() {
                    entry.key
                } else {
                    entry.node.span
                };
                match entry.node.value {
                    Value::Null => items.push(Node::new(key, span)),
                    Value::Seq(values) => items.extend(
                        values
                            .iter()
                            .map(|v| Node::new(format!("{key}={}", number::text(v)), v.span)),
                    ),
                    _ => {
                        let text = format!("{key}={}", number::text(&entry.node));
                        items.push(Node::new(text, span));
                    }
                }
            }
            items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
            items
        }
        Value::Null => Items::new(),
        value => Items::from([Node { value, span }]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::yaml;
    use crate::tree::SourceId;

    fn tree(text: &str) -> Node {
        let mut findings = Findings::default();
        let mut documents = yaml::parse(SourceId(0), text, &mut findings);
        assert!(findings.is_empty(), "{findings:?}");
        documents.remove(0).root
    }

    fn service(text: &str) -> Node {
        tree(&format!("services: {{a: {text}}}"))
    }

    #[test]
    fn values_merge_by_their_kind() {
        for (base, over, merged) in [
            ("{image: x}", "{image: y}", "{image: y}"),
            ("{image: x}", "{image: }", "{image: x}"),
            ("{cap_add: [A]}", "{cap_add: [B]}", "{cap_add: [A, B]}"),
            ("{command: [a, b]}", "{command: c}", "{command: c}"),
            ("{command: a}", "{command: }", "{command: }"),
            (
                "{environment: {B: 1, A: }}",
                "{environment: [B=2]}",
                "{environment: [A, B=1, B=2]}",
            ),
            (
                "{build: dir}",
                "{build: {target: t}}",
                "{build: {context: dir, target: t}}",
            ),
            (
                "{networks: [n]}",
                "{networks: {m: {aliases: [x]}}}",
                "{networks: {n: , m: {aliases: [x]}}}",
            ),
            (
                "{depends_on: [b]}",
                "{depends_on: {b: {condition: service_healthy}}}",
                "{depends_on: {b: {condition: service_healthy, required: true}}}",
            ),
            (
                "{logging: {driver: a, options: {x: 1}}}",
                "{logging: {options: {y: 2}}}",
                "{logging: {driver: a, options: {x: 1, y: 2}}}",
            ),
            (
                "{logging: {driver: a, options: {x: 1}}}",
                "{logging: {driver: b}}",
                "{logging: {driver: b}}",
            ),
            (
                "{ulimits: {nofile: {soft: 1, hard: 2}}}",
                "{ulimits: {nofile: 3}}",
                "{ulimits: {nofile: 3}}",
            ),
            (
                "{extra_hosts: [a=1]}",
                "{extra_hosts: {a: ['1', '2']}}",
                "{extra_hosts: [a=1, a=2]}",
            ),
        ] {
            let mut findings = Findings::default();
            let got = models(service(base), service(over), &mut findings);
            assert_eq!(got, service(merged), "{base} + {over}");
            assert!(findings.is_empty());
        }
    }

    #[test]
    fn different_kinds_are_refused() {
        let mut findings = Findings::default();
        models(
            service("{ports: [1]}"),
            service("{ports: x}"),
            &mut findings,
        );
        assert_eq!(findings[0].code, "cannot-override");
        assert_eq!(findings[0].path, "services.a.ports");
    }
}
