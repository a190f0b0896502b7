//! A project or a raw model as text, and lists of what is in it.

use super::Format;
use crate::form::json::{Layout, Writer};
use crate::form::{tables, yaml as order};
use crate::load::environment::CONTENT;
use crate::load::{CanonicalProject, yaml};
use crate::project::Project;
use crate::tree::{Map, Node, Span, Value};
use std::collections::BTreeSet;

/// The project in canonical form; every `$` doubled, so that it can be loaded again.
pub fn project(project: CanonicalProject, format: Format) -> String {
    let text = match format {
        Format::Yaml => {
            let tree = tree(project);
            let text = yaml::emit(&tree);
            // The program ends here: to take a large tree apart first would only cost time.
            std::mem::forget(tree);
            text
        }
        Format::Json => json(&project),
    };
    match text.contains('$') {
        true => text.replace('$', "$$"),
        false => text,
    }
}

/// The project in canonical form, with what its secrets and configs hold, for a program that puts
/// nothing in for variables any more.
pub fn resolved(project: CanonicalProject) -> String {
    yaml::emit(&tree(project))
}

/// A raw model: keys sorted, nothing else changed.
pub fn model(mut model: Node, format: Format) -> String {
    match format {
        Format::Yaml => {
            order::untyped(&mut model);
            yaml::emit(&model)
        }
        Format::Json => {
            let mut json = Writer::new(Layout::Indented);
            json.value(&model);
            json.out
        }
    }
}

/// An empty list of variables or build arguments is written `null` by Docker Compose's JSON.
pub fn empty_lists(model: &mut Node) {
    let services = model.get_mut("services").and_then(Node::as_map_mut);
    for (_, service) in services.into_iter().flat_map(Map::iter_mut) {
        for path in [&["environment"][..], &["build", "args"]] {
            let list = path
                .iter()
                .try_fold(&mut *service, |node, key| node.get_mut(key));
            if let Some(list) = list.filter(|l| l.as_seq().is_some_and(<[_]>::is_empty)) {
                list.value = Value::Null;
            }
        }
    }
}

/// The project as one tree in the order of YAML output.
fn tree(project: CanonicalProject) -> Node {
    let at = Span::default();
    let mut root = match project.rest.value {
        Value::Map(map) => map,
        _ => Map::new(),
    };
    for section in ["secrets", "configs"] {
        hide_contents(root.get_mut(section));
    }
    // A file of images alone has none.
    if !project.name.is_empty() {
        root.insert("name", at, Node::new(project.name, at));
    }
    root.insert("services", at, Node::new(project.services, at));
    for (section, map) in [("networks", project.networks), ("volumes", project.volumes)] {
        if !map.is_empty() {
            root.insert(section, at, Node::new(map, at));
        }
    }
    let mut root = Node::new(root, at);
    order::object(&tables::PROJECT, &mut root);
    root
}

/// What secrets and configs hold is never shown.
fn hide_contents(section: Option<&mut Node>) {
    let objects = section.and_then(Node::as_map_mut);
    for (_, object) in objects.into_iter().flat_map(Map::iter_mut) {
        if let Some(object) = object.as_map_mut() {
            object.remove(CONTENT);
        }
    }
}

/// JSON has the sections sorted, `x-*` among them, and no models.
fn json(project: &CanonicalProject) -> String {
    let mut json = Writer::new(Layout::Indented);
    let rest = project.rest.as_map();
    let mut keys: BTreeSet<&str> = rest.into_iter().flat_map(Map::keys).collect();
    keys.remove("models");
    keys.extend(["name", "services"]);
    for (key, map) in [
        ("networks", &project.networks),
        ("volumes", &project.volumes),
    ] {
        if !map.is_empty() {
            keys.insert(key);
        }
    }
    let mut first = true;
    json.open('{');
    for key in keys {
        json.key(key, &mut first);
        match (key, project.rest.get(key)) {
            ("name", _) => json.string(&project.name),
            ("services", _) => json.object_map(&tables::SERVICE, project.services.iter()),
            ("networks", _) => json.object_map(&tables::NETWORK, project.networks.iter()),
            ("volumes", _) => json.object_map(&tables::VOLUME, project.volumes.iter()),
            ("secrets" | "configs", Some(node)) => {
                let objects = node.as_map().into_iter().flat_map(Map::iter);
                json.object_map(&tables::FILE_OBJECT, objects);
            }
            (_, Some(node)) => json.value(node),
            (_, None) => {}
        }
    }
    json.close('}', first);
    json.out
}

/// The keys of a section of a raw model, sorted.
pub fn keys(model: &Node, section: &str) -> BTreeSet<String> {
    model
        .get(section)
        .and_then(Node::as_map)
        .into_iter()
        .flat_map(Map::keys)
        .map(str::to_owned)
        .collect()
}

/// The names of services, each after what it depends on.
///
/// # Errors
/// The name of one that is needed, but not there (which `--no-consistency` lets pass).
pub fn in_order(project: &Project) -> Result<Vec<&str>, &str> {
    let mut order = Vec::new();
    let mut seen = BTreeSet::new();
    for start in project.services.keys() {
        let mut stack = vec![(start.as_str(), false)];
        while let Some((name, done)) = stack.pop() {
            if done {
                order.push(name);
                continue;
            }
            let Some(service) = project.services.get(name) else {
                continue;
            };
            if seen.insert(name) {
                let missing = service.depends_on.iter().find(|(name, dependency)| {
                    dependency.required && !project.services.contains_key(*name)
                });
                if let Some((missing, _)) = missing {
                    return Err(missing);
                }
                stack.push((name, true));
                stack.extend(service.depends_on.keys().rev().map(|d| (d.as_str(), false)));
            }
        }
    }
    Ok(order)
}

/// What the models are, each by its reference.
pub fn models(project: &Project) -> Vec<String> {
    let models = project.spec.get("models").and_then(Node::as_map);
    models
        .into_iter()
        .flat_map(Map::iter)
        .filter_map(|(_, model)| Some(model.get("model")?.as_str()?.to_owned()))
        .collect()
}

/// The images of the services, and those of their hooks where they are others.
pub fn images(project: &Project) -> Vec<String> {
    let mut images = Vec::new();
    for service in project.services.values() {
        let own = project.image_name(service);
        let hooks = service
            .pre_start
            .iter()
            .filter_map(|hook| hook.image.clone());
        let hooks: Vec<String> = hooks.filter(|image| *image != own).collect();
        images.push(own);
        images.extend(hooks);
    }
    images
}
