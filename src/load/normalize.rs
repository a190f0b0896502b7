//! What the files leave unsaid: the default network, names, dependencies that follow from other
//! attributes, build defaults, values of variables named without one.
//!
//! In: the whole model in long syntax. Out: the same, complete.

use crate::tree::{Map, Node, Span, Value};
use std::collections::BTreeMap;

/// The sections of a project whose entries may be left empty.
const RESOURCES: [&str; 4] = ["networks", "volumes", "configs", "secrets"];

/// Resources that are named and no more are those with nothing in them; all there is to do where
/// a model is not to be completed.
pub fn fill_resources(model: &mut Node) {
    for section in RESOURCES {
        let resources = model.get_mut(section).and_then(Node::as_map_mut);
        for (_, resource) in resources.into_iter().flat_map(Map::iter_mut) {
            if resource.is_null() {
                resource.value = Map::new().into();
            }
        }
    }
}

/// How many values completing a model adds at most, roughly, the words of commands included.
pub fn growth(model: &Node) -> usize {
    let section = |name: &str| model.get(name).and_then(Node::as_map);
    let of_service = |service: &Node| {
        let long = ["links", "volumes_from"].map(|list| {
            let items = service.get(list).and_then(Node::as_seq);
            4 * items.map_or(0, <[Node]>::len)
        });
        let words = ["command", "entrypoint"].map(|line| {
            let line = service.get(line).and_then(Node::as_str).unwrap_or_default();
            line.bytes().filter(|b| b.is_ascii_whitespace()).count()
        });
        8 + long.into_iter().chain(words).sum::<usize>()
    };
    let services = section("services").into_iter().flat_map(Map::iter);
    let resources = RESOURCES.map(|name| 3 * section(name).map_or(0, Map::len));
    services
        .map(|(_, service)| of_service(service))
        .chain(resources)
        .sum()
}

/// Completes a model.
pub fn normalize(model: &mut Node, project: &str, environment: &BTreeMap<String, String>) {
    let mut uses_default = None;
    if let Some(services) = model.get_mut("services").and_then(Node::as_map_mut) {
        for (_, service) in services.iter_mut() {
            let span = service.span;
            let Some(service) = service.as_map_mut() else {
                continue;
            };
            if joins_default(service, span) {
                uses_default.get_or_insert(span);
            }
            normalize_service(service, span, environment);
        }
    }
    if let Some(span) = uses_default {
        declare_default(model, span);
    }
    fill_resources(model);
    for section in RESOURCES {
        if let Some(resources) = model.get_mut(section).and_then(Node::as_map_mut) {
            for (key, resource) in resources.iter_mut() {
                name(resource, key, project);
            }
        }
    }
}

/// Puts a service on the default network, unless it says where else it belongs; whether it is on
/// it then.
fn joins_default(service: &mut Map, span: Span) -> bool {
    if service.contains_key("provider") || service.contains_key("network_mode") {
        return false;
    }
    match service.get("networks").and_then(Node::as_map) {
        Some(networks) if !networks.is_empty() => networks.contains_key("default"),
        _ => {
            let mut networks = Map::new();
            networks.insert("default", span, Node::new(Value::Null, span));
            service.insert("networks", span, Node::new(networks, span));
            true
        }
    }
}

fn declare_default(model: &mut Node, span: Span) {
    let Some(model) = model.as_map_mut() else {
        return;
    };
    if model.get("networks").is_none_or(Node::is_null) {
        model.insert("networks", span, Node::new(Map::new(), span));
    }
    if let Some(networks) = model.get_mut("networks").and_then(Node::as_map_mut)
        && !networks.contains_key("default")
    {
        networks.insert("default", span, Node::new(Value::Null, span));
    }
}

fn normalize_service(service: &mut Map, span: Span, environment: &BTreeMap<String, String>) {
    if let Some(policy) = service.get_mut("pull_policy")
        && policy.as_str() == Some("if_not_present")
    {
        policy.value = "missing".into();
    }
    if let Some(build) = service.get_mut("build").and_then(Node::as_map_mut) {
        if build.get("context").is_none_or(Node::is_null) {
            build.insert("context", span, Node::new(".", span));
        }
        let has = |key: &str| build.get(key).is_some_and(|n| !n.is_null());
        if !has("dockerfile") && !has("dockerfile_inline") {
            build.insert("dockerfile", span, Node::new("Dockerfile", span));
        }
        if let Some(args) = build.get_mut("args") {
            fill_in(args, environment, false);
        }
    }
    if let Some(variables) = service.get_mut("environment") {
        fill_in(variables, environment, true);
    }
    if let Some(mounts) = service.get_mut("volumes").and_then(Node::as_seq_mut) {
        for mount in mounts {
            if let Some(Value::Str(target)) = mount.get_mut("target").map(|t| &mut t.value) {
                *target = clean_target(target).into();
            }
        }
    }
    inherit_image(service);
    depend(service);
}

/// A path in a container, without `.`, `..` and doubled slashes.
fn clean_target(target: &str) -> String {
    super::paths::clean(std::path::Path::new(target))
}

/// Gives variables without a value that of the environment; without one there, they stay or go.
fn fill_in(node: &mut Node, environment: &BTreeMap<String, String>, keep: bool) {
    match &mut node.value {
        Value::Map(map) => map.retain(|key, value| {
            if !value.is_null() {
                return true;
            }
            match environment.get(key) {
                Some(found) => {
                    value.value = found.as_str().into();
                    true
                }
                None => keep,
            }
        }),
        Value::Seq(items) => items.retain_mut(|item| {
            let Some(name) = item.as_str().filter(|t| !t.contains('=')) else {
                return item.as_str().is_some();
            };
            match environment.get(name) {
                Some(found) => {
                    item.value = format!("{name}={found}").into();
                    true
                }
                None => keep,
            }
        }),
        _ => {}
    }
}

/// A hook before the start runs in the service's image, unless it names another.
fn inherit_image(service: &mut Map) {
    let Some(image) = service.get("image").cloned() else {
        return;
    };
    if image.as_str().is_none_or(str::is_empty) {
        return;
    }
    if let Some(hooks) = service.get_mut("pre_start").and_then(Node::as_seq_mut) {
        for hook in hooks.iter_mut().filter_map(Node::as_map_mut) {
            if !hook.contains_key("image") {
                hook.insert("image", image.span, image.clone());
            }
        }
    }
}

/// Adds the dependencies that links and shared namespaces and volumes bring along.
fn depend(service: &mut Map) {
    let mut implied: Vec<(String, Span, bool)> = Vec::new();
    let items = |key: &str| service.get(key).and_then(Node::as_seq).unwrap_or_default();
    for link in items("links") {
        let text = link.as_str().unwrap_or_default();
        let name = match text.split_once(':') {
            Some((name, alias)) if !alias.contains(':') => name,
            _ => text,
        };
        implied.push((name.to_owned(), link.span, true));
    }
    for namespace in ["network_mode", "ipc", "pid", "uts", "cgroup"] {
        if let Some(mode) = service.get(namespace)
            && let Some(name) = mode.as_str().and_then(|m| m.strip_prefix("service:"))
        {
            implied.push((name.to_owned(), mode.span, true));
        }
    }
    for source in items("volumes_from") {
        let text = source.as_str().unwrap_or_default();
        if !text.starts_with("container:") {
            let name = text.split(':').next().unwrap_or(text);
            implied.push((name.to_owned(), source.span, false));
        }
    }
    let Some((_, first, _)) = implied.first() else {
        return;
    };
    if service.get("depends_on").is_none_or(Node::is_null) {
        service.insert("depends_on", *first, Node::new(Map::new(), *first));
    }
    let Some(dependencies) = service.get_mut("depends_on").and_then(Node::as_map_mut) else {
        return;
    };
    for (name, span, restart) in implied {
        if !dependencies.contains_key(&name) {
            let mut dependency = super::merge::default_dependency(span);
            if let Some(map) = dependency.as_map_mut() {
                map.insert("restart", span, Node::new(restart, span));
            }
            dependencies.insert(name, span, dependency);
        }
    }
}

/// A resource without a name is named after the project and its key, an external one after its
/// key alone.
fn name(resource: &mut Node, key: &str, project: &str) {
    let span = resource.span;
    let Some(map) = resource.as_map_mut() else {
        return;
    };
    if map.get("name").is_some_and(|n| !n.is_null()) {
        return;
    }
    let is_external = map.get("external").and_then(Node::as_bool) == Some(true);
    let name = match is_external {
        true => key.to_owned(),
        false => format!("{project}_{key}"),
    };
    map.insert("name", span, Node::new(name, span));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Findings;
    use crate::load::yaml;
    use crate::tree::SourceId;

    fn tree(text: &str) -> Node {
        yaml::parse(SourceId(0), text, &mut Findings::default())
            .remove(0)
            .root
    }

    #[test]
    fn what_is_unsaid_is_filled_in() {
        let environment = BTreeMap::from([("SET".to_owned(), "1".to_owned())]);
        for (model, normal) in [
            (
                "services: {a: {image: i}}",
                "{services: {a: {image: i, networks: {default: }}}, networks: {default: {name: p_default}}}",
            ),
            (
                "services: {a: {image: i, network_mode: 'service:b'}, b: {image: i, network_mode: none}}",
                "services: {a: {image: i, network_mode: 'service:b', depends_on: {b: {condition: service_started, required: true, restart: true}}}, b: {image: i, network_mode: none}}",
            ),
            (
                "services: {a: {network_mode: none, environment: {SET: , GONE: }, build: {context: x, args: [SET, GONE, A=1]}}}",
                "services: {a: {network_mode: none, environment: {SET: '1', GONE: }, build: {context: x, args: [SET=1, A=1], dockerfile: Dockerfile}}}",
            ),
            (
                "volumes: {a: , b: {external: true}, c: {name: x}}",
                "volumes: {a: {name: p_a}, b: {external: true, name: b}, c: {name: x}}",
            ),
        ] {
            let mut got = tree(model);
            normalize(&mut got, "p", &environment);
            assert_eq!(got, tree(normal), "{model}");
        }
    }
}
