//! What to do about an attribute that there is not, and about a value of the wrong type: the
//! mistakes that people make, in tables.

use super::{Mapping, Object, Others, Schema, tables};
use crate::load::path::Path;
use crate::tree::{Map, Node, Value};
use crate::value::{number, similar};

/// What to write instead of an attribute: in which object, which one, what.
static INSTEAD: &[(&str, &str, &str)] = &[
    ("a Compose file", "network", "did you mean `networks`?"),
    ("a Compose file", "service", "did you mean `services`?"),
    ("a build", "file", "did you mean `dockerfile`?"),
    ("a build", "path", "did you mean `context`?"),
    ("a healthcheck", "command", "did you mean `test`?"),
    ("a mount", "destination", "did you mean `target`?"),
    ("a mount", "dst", "did you mean `target`?"),
    ("a mount", "from", "did you mean `source`?"),
    ("a mount", "ro", "did you mean `read_only`?"),
    ("a mount", "src", "did you mean `source`?"),
    ("a mount", "to", "did you mean `target`?"),
    (
        "a network",
        "gateway",
        "put it below `ipam`: `ipam: {config: [{gateway: …}]}`",
    ),
    ("a network", "options", "did you mean `driver_opts`?"),
    ("a network", "opts", "did you mean `driver_opts`?"),
    (
        "a network",
        "subnet",
        "put it below `ipam`: `ipam: {config: [{subnet: …}]}`",
    ),
    ("a port", "container", "did you mean `target`?"),
    ("a port", "container_port", "did you mean `target`?"),
    ("a port", "host", "did you mean `published`?"),
    ("a port", "host_port", "did you mean `published`?"),
    ("a port", "ip", "did you mean `host_ip`?"),
    ("a port", "port", "did you mean `target`?"),
    ("a port", "proto", "did you mean `protocol`?"),
    ("a port", "source", "did you mean `published`?"),
    (
        "a service",
        "args",
        "what the container runs is `command`; arguments of a build go below `build`",
    ),
    ("a service", "cmd", "did you mean `command`?"),
    ("a service", "cpu", "did you mean `cpus`?"),
    (
        "a service",
        "dockerfile",
        "write it below `build`: `build: {context: ., dockerfile: …}`",
    ),
    ("a service", "env", "did you mean `environment`?"),
    ("a service", "environments", "did you mean `environment`?"),
    ("a service", "envs", "did you mean `environment`?"),
    ("a service", "health_check", "did you mean `healthcheck`?"),
    (
        "a service",
        "include",
        "`include` belongs at the top level, beside `services`",
    ),
    (
        "a service",
        "limits",
        "put it below `deploy`: `deploy: {resources: {limits: …}}`",
    ),
    ("a service", "log_driver", "use `logging: {driver: …}`"),
    ("a service", "log_opt", "use `logging: {options: …}`"),
    (
        "a service",
        "memory",
        "use `mem_limit`, or `deploy: {resources: {limits: {memory: …}}}`",
    ),
    ("a service", "mounts", "did you mean `volumes`?"),
    (
        "a service",
        "name",
        "did you mean `container_name`? A service's name is the key above",
    ),
    ("a service", "net", "use `network_mode`, or `networks`"),
    ("a service", "network", "did you mean `networks`?"),
    ("a service", "port", "did you mean `ports`?"),
    (
        "a service",
        "replicas",
        "use `scale`, or `deploy: {replicas: …}`",
    ),
    (
        "a service",
        "reservations",
        "put it below `deploy`: `deploy: {resources: {reservations: …}}`",
    ),
    (
        "a service",
        "services",
        "services stand side by side below the one `services` at the top",
    ),
    (
        "a service",
        "version",
        "the name after the colon in `image` is the version: `image: name:1.2`",
    ),
    ("a service", "volume", "did you mean `volumes`?"),
    (
        "a service",
        "volume_driver",
        "set `driver` on the volume below the top-level `volumes`",
    ),
    ("a volume", "options", "did you mean `driver_opts`?"),
    ("a volume", "opts", "did you mean `driver_opts`?"),
    ("a volume", "type", "put it below `driver_opts`"),
    (
        "deploy",
        "cpus",
        "put it below `resources`: `resources: {limits: {cpus: …}}`",
    ),
    (
        "deploy",
        "limits",
        "put it below `resources`: `resources: {limits: …}`",
    ),
    (
        "deploy",
        "memory",
        "put it below `resources`: `resources: {limits: {memory: …}}`",
    ),
    (
        "deploy",
        "reservations",
        "put it below `resources`: `resources: {reservations: …}`",
    ),
    (
        "deploy",
        "restart",
        "did you mean `restart_policy`? `restart` belongs beside `deploy`",
    ),
    ("deploy", "scale", "did you mean `replicas`?"),
    ("limits", "cpu", "did you mean `cpus`?"),
    ("limits", "mem_limit", "did you mean `memory`?"),
    ("logging", "max-file", "put it below `options`"),
    ("logging", "max-size", "put it below `options`"),
];

/// Objects that stand in a service, with the name under which they do.
static IN_A_SERVICE: &[(&str, &str)] = &[
    ("a build", "build"),
    ("a healthcheck", "healthcheck"),
    ("deploy", "deploy"),
    ("logging", "logging"),
];

/// What to do about an attribute that an object does not have.
pub fn instead_of(object: &Object, key: &str, value: &Node) -> Option<String> {
    let meant = |(o, k, _): &&(&str, &str, &str)| *o == object.name && *k == key;
    if let Some((_, _, help)) = INSTEAD.iter().find(meant) {
        return Some((*help).to_owned());
    }
    if let Some(help) = elsewhere(object, key, value) {
        return Some(help);
    }
    if let Some((meant, _)) = nearest(object, key) {
        return Some(format!("did you mean `{meant}`?"));
    }
    match object.others {
        Others::Extensions => Some("keys of your own begin with `x-`".to_owned()),
        _ => None,
    }
}

/// The form of the attribute that a misspelt one was probably meant to be.
pub fn meant(object: &Object, key: &str, value: &Node) -> Option<&'static Schema> {
    let (name, schema) = nearest(object, key)?;
    let help = format!("did you mean `{name}`?");
    (instead_of(object, key, value)? == help).then_some(schema)
}

/// The attribute with the same letters, or else the nearest one.
fn nearest(object: &Object, key: &str) -> Option<(&'static str, &'static Schema)> {
    let letters = |text: &'_ str| -> Vec<u8> {
        let letters = text.bytes().filter(|b| !matches!(b, b'_' | b'-'));
        letters.map(|b| b.to_ascii_lowercase()).collect()
    };
    // A text far longer than any attribute is none of them.
    let wanted = match key.len() {
        0..=40 => letters(key),
        _ => return None,
    };
    let same = object.attributes.iter().find(|(name, _)| {
        let first = name.as_bytes().first();
        first == wanted.first() && letters(name) == wanted
    });
    let found = same.or_else(|| {
        let names = object.attributes.iter().map(|(name, _)| *name);
        let near = similar::nearest(key, names)?;
        object.attributes.iter().find(|(name, _)| *name == near)
    });
    found.map(|(name, schema)| (*name, *schema))
}

/// Where an attribute belongs that stands in the wrong place.
fn elsewhere(object: &Object, key: &str, value: &Node) -> Option<String> {
    let service = tables::a_service();
    if object.name == "a Compose file" {
        if has(service, key) {
            return Some(format!(
                "`{key}` belongs to a service: put it below the service's name, in `services`"
            ));
        }
        return looks_like_a_service(value)
            .then(|| format!("is `{key}` a service? Then indent it below `services:`"));
    }
    if let Some((_, name)) = IN_A_SERVICE.iter().find(|(o, _)| *o == object.name)
        && has(service, key)
    {
        return Some(format!(
            "`{key}` is an attribute of the service: put it beside `{name}`"
        ));
    }
    if object.name == "a service" && looks_like_a_service(value) {
        return Some(format!(
            "is `{key}` a service? Then it must be indented as this one's name is, not deeper"
        ));
    }
    let below = object
        .attributes
        .iter()
        .find(|(_, schema)| match schema.map {
            Some(Mapping::Object(inner)) => has(inner, key),
            _ => false,
        });
    below.map(|(name, _)| format!("`{key}` is an attribute of `{name}`: put it below that"))
}

fn has(object: &Object, key: &str) -> bool {
    let found = object
        .attributes
        .binary_search_by_key(&key, |(name, _)| name);
    found.is_ok()
}

fn looks_like_a_service(value: &Node) -> bool {
    let Some(map) = value.as_map() else {
        return false;
    };
    let service = tables::a_service();
    map.contains_key("image")
        || map.contains_key("build")
        || map.len() > 1 && map.keys().all(|key| has(service, key))
}

/// Attributes that are times.
const TIMES: [&str; 8] = [
    "delay",
    "interval",
    "monitor",
    "start_interval",
    "start_period",
    "stop_grace_period",
    "timeout",
    "window",
];

/// Attributes with lists of `K=V`.
const PAIRS: [&str; 8] = [
    "additional_contexts",
    "annotations",
    "args",
    "driver_opts",
    "environment",
    "extra_hosts",
    "labels",
    "sysctls",
];

/// What to do about a value of a type that its attribute does not take.
pub fn about_type(schema: &Schema, node: &Node, path: &Path) -> Option<String> {
    let path = path.to_string();
    let (list, is_item) = match path.rsplit_once('[') {
        Some((list, index)) if index.ends_with(']') => (list, true),
        _ => (path.as_str(), false),
    };
    let name = list.rsplit('.').next().unwrap_or_default();
    let above = list.rsplit('.').nth(1).unwrap_or_default();
    let help = match (&node.value, name) {
        (_, "version") => "remove it: nothing reads `version` any more".to_owned(),
        (Value::Int(number), name) if TIMES.contains(&name) => {
            format!("say the unit: `{number}s`")
        }
        (Value::Bool(_) | Value::Int(_), "restart") => {
            "one of \"no\" (in quotes), always, unless-stopped, on-failure, on-failure:3".to_owned()
        }
        (Value::Int(0), _) if schema.boolean => "write `false`".to_owned(),
        (Value::Int(1), _) if schema.boolean => "write `true`".to_owned(),
        (Value::Str(text), "healthcheck") => match text.len() < 60 {
            true => format!("write `test: {text}` below it"),
            false => "write `test: …` below it".to_owned(),
        },
        (Value::Str(_), _) if list.matches('.').count() == 1 && list.starts_with("services.") => {
            "a service is a mapping: write `image: …` or `build: …` below its name".to_owned()
        }
        (Value::Str(text), name) if list.matches('.').count() == 1 && !is_item => {
            match (list.split('.').next(), text.len() < 40) {
                (Some("secrets" | "configs"), _) => {
                    "write `file: ./…` or `environment: NAME` below its name".to_owned()
                }
                (Some("networks" | "volumes"), true) => format!("write `driver: {text}` below `{name}`"),
                _ => return None,
            }
        }
        (Value::Null, _) if list.matches('.').count() == 1 && list.starts_with("services.") => {
            "write `image: …` or `build: …` below it, indented deeper than the name".to_owned()
        }
        (Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Verbatim(_), _)
            if schema.string.is_some() =>
        {
            "put it in quotes to make it a string".to_owned()
        }
        (Value::Str(text), _) if schema.list.is_some() => {
            let short = text.len() < 60 && !text.contains('\n');
            let text = if short { text } else { "…" };
            format!("write it as a list: `- {text}` on a line of its own, or [ … ]")
        }
        (Value::Map(map), _) if is_item && PAIRS.contains(&name) => pair(map, name)?,
        (Value::Map(map), _) if above == "environment" => {
            let key = map.keys().next().unwrap_or("NAME");
            format!("a variable holds one text: write e.g. `{name}_{key}: …` beside it")
        }
        (Value::Map(_), "volumes") => {
            "name the volume here as in `- data:/var/lib/data`; its options go below the top-level `volumes`"
                .to_owned()
        }
        (Value::Map(map), "ports") => match map.iter().next() {
            Some((host, container)) if container.as_map().is_none() => {
                format!("write a list: `- \"{host}:{}\"`", number::text(container))
            }
            _ => "write a list: `- \"8080:80\"`".to_owned(),
        },
        (Value::Map(_), "command" | "entrypoint") => {
            "write it as one text, or as a list of words; a text with `: ` in it needs quotes"
                .to_owned()
        }
        (Value::Map(_), _) if schema.list.is_some() => {
            "write a list: each item on a line of its own, with `- ` in front".to_owned()
        }
        (Value::Seq(items), _) if schema.map.is_some() => match items.first() {
            Some(Node {
                value: Value::Map(map),
                ..
            }) if map.get("name").and_then(Node::as_str).is_some() => {
                let name = map.get("name").map(number::text).unwrap_or_default();
                format!("leave out the dashes: the name is the key, `{name}:`")
            }
            Some(Node {
                value: Value::Str(text),
                ..
            }) if schema.string.is_some() && items.len() == 1 => {
                format!("leave out the brackets or dashes: `{name}: {text}`")
            }
            _ => "leave out the brackets or dashes: this is a mapping".to_owned(),
        },
        _ => return None,
    };
    Some(help)
}

/// `- NAME: value` where `- NAME=value` is meant.
fn pair(map: &Map, list: &str) -> Option<String> {
    let (key, value) = map.iter().next()?;
    let value = match &value.value {
        Value::Map(_) | Value::Seq(_) => "…".to_owned(),
        _ => number::text(value).to_string(),
    };
    Some(format!(
        "write `- {key}={value}`, or leave out the dashes in the whole of `{list}`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_advised_exists() {
        let mut names = Vec::new();
        super::super::tests::walk(&tables::PROJECT, &mut |object| {
            names.push(object.name);
            for (o, key, help) in INSTEAD {
                assert!(
                    o != &object.name || !has(object, key),
                    "{o} has {key}: {help}"
                );
            }
        });
        for (object, key, _) in INSTEAD {
            assert!(names.contains(object), "{object}: {key}");
        }
        assert!(INSTEAD.is_sorted_by_key(|(object, key, _)| (*object, *key)));
    }
}
