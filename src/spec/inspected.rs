//! Differences to a container that another program made, and that carries no record of ours:
//! the request we would send is held against what the engine tells of it, as far as that goes.

use crate::plan::Change;
use crate::tree::Node;
use crate::value::secret::Masking;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Fields of the request's top level and the attribute they come from.
const CONFIG: [(&str, &str); 12] = [
    ("Image", "image"),
    ("Cmd", "command"),
    ("Entrypoint", "entrypoint"),
    ("User", "user"),
    ("WorkingDir", "working_dir"),
    ("Hostname", "hostname"),
    ("Domainname", "domainname"),
    ("Tty", "tty"),
    ("OpenStdin", "stdin_open"),
    ("StopSignal", "stop_signal"),
    ("StopTimeout", "stop_grace_period"),
    ("Healthcheck", "healthcheck"),
];

/// The same for `HostConfig`.
const HOST: [(&str, &str); 27] = [
    ("Binds", "volumes"),
    ("PortBindings", "ports"),
    ("RestartPolicy", "restart"),
    ("NetworkMode", "networks"),
    ("Memory", "mem_limit"),
    ("MemoryReservation", "mem_reservation"),
    ("MemorySwap", "memswap_limit"),
    ("NanoCpus", "cpus"),
    ("CpuShares", "cpu_shares"),
    ("CpusetCpus", "cpuset"),
    ("PidsLimit", "pids_limit"),
    ("Privileged", "privileged"),
    ("ReadonlyRootfs", "read_only"),
    ("CapAdd", "cap_add"),
    ("CapDrop", "cap_drop"),
    ("SecurityOpt", "security_opt"),
    ("GroupAdd", "group_add"),
    ("PidMode", "pid"),
    ("IpcMode", "ipc"),
    ("UTSMode", "uts"),
    ("Dns", "dns"),
    ("DnsSearch", "dns_search"),
    ("ExtraHosts", "extra_hosts"),
    ("Tmpfs", "tmpfs"),
    ("Sysctls", "sysctls"),
    ("Init", "init"),
    ("LogConfig", "logging"),
];

/// Attributes whose items have no order; Docker Compose sends some in another one each time.
const UNORDERED: [&str; 5] = ["volumes", "cap_add", "cap_drop", "extra_hosts", "group_add"];

/// Holds a create request against an inspected container. `spec` gives the places in the files.
pub fn differences_to(
    request: &Json,
    inspected: &Json,
    spec: &Node,
    shown: &Masking,
) -> Vec<Change> {
    let mut changes = Vec::new();
    let config = &inspected["Config"];
    for (field, attribute) in CONFIG {
        compare(
            &request[field],
            &config[field],
            attribute,
            spec,
            &mut changes,
        );
    }
    environment(&request["Env"], &config["Env"], spec, &mut changes);
    labels(&request["Labels"], &config["Labels"], spec, &mut changes);
    for (field, attribute) in HOST {
        compare(
            &request["HostConfig"][field],
            &inspected["HostConfig"][field],
            attribute,
            spec,
            &mut changes,
        );
    }
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    for change in &mut changes {
        let named = change.path.split_once('.');
        let name = named.map_or(change.path.as_str(), |(_, name)| name);
        for value in [&mut change.old, &mut change.new].into_iter().flatten() {
            *value = shown.named(name, value);
        }
    }
    changes
}

/// What we leave out, the engine or the image fills in: only what we say counts.
fn compare(wanted: &Json, present: &Json, attribute: &str, spec: &Node, changes: &mut Vec<Change>) {
    if is_empty(wanted) || covers(wanted, present) {
        return;
    }
    if UNORDERED.contains(&attribute) && is_same_set(wanted, present) {
        return;
    }
    push(
        attribute.to_owned(),
        (!is_empty(present)).then(|| present.clone()),
        Some(wanted.clone()),
        spec,
        changes,
    );
}

/// Whether `present` says all that `wanted` says.
fn covers(wanted: &Json, present: &Json) -> bool {
    match (wanted, present) {
        (Json::Object(a), Json::Object(b)) => a
            .iter()
            .all(|(key, value)| is_empty(value) || b.get(key).is_some_and(|p| covers(value, p))),
        (Json::Array(a), Json::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(x, y)| covers(x, y))
        }
        (a, b) => a == b,
    }
}

fn is_same_set(wanted: &Json, present: &Json) -> bool {
    let sorted = |list: &Json| {
        let items = list.as_array().into_iter().flatten();
        let mut items: Vec<String> = items.map(Json::to_string).collect();
        items.sort();
        items
    };
    sorted(wanted) == sorted(present)
}

fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null | Json::Bool(false) => true,
        Json::String(s) => s.is_empty(),
        Json::Array(a) => a.is_empty(),
        Json::Object(o) => o.is_empty(),
        Json::Number(n) => n.as_f64() == Some(0.0),
        Json::Bool(true) => false,
    }
}

fn environment(wanted: &Json, present: &Json, spec: &Node, changes: &mut Vec<Change>) {
    let table = |list: &Json| -> BTreeMap<String, String> {
        let entries = list.as_array().into_iter().flatten();
        entries
            .filter_map(Json::as_str)
            .filter_map(|e| e.split_once('='))
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect()
    };
    let present = table(present);
    for (name, value) in table(wanted) {
        let old = present.get(&name);
        if old == Some(&value) {
            continue;
        }
        let path = format!("environment.{name}");
        let old = old.map(|old| old.as_str().into());
        push(path, old, Some(value.into()), spec, changes);
    }
}

fn labels(wanted: &Json, present: &Json, spec: &Node, changes: &mut Vec<Change>) {
    for (name, value) in wanted.as_object().into_iter().flatten() {
        let ours = name.starts_with("com.docker.compose.") || name.starts_with("dev.regatta.");
        let old = present.get(name);
        if !ours && old != Some(value) {
            let path = format!("labels.{name}");
            push(path, old.cloned(), Some(value.clone()), spec, changes);
        }
    }
}

fn push(
    path: String,
    old: Option<Json>,
    new: Option<Json>,
    spec: &Node,
    changes: &mut Vec<Change>,
) {
    let (attribute, key) = match path.split_once('.') {
        Some((attribute, key)) => (attribute, Some(key)),
        None => (path.as_str(), None),
    };
    let node = spec
        .get(attribute)
        .map(|node| key.and_then(|key| node.get(key)).unwrap_or(node));
    let span = node.unwrap_or(spec).span;
    changes.push(Change::of(path, old, new).at(Some(span)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_we_would_say_counts() {
        let request = json!({
            "Image": "web:2", "Env": ["LEVEL=debug", "SAME=1", "API_KEY=b"],
            "Labels": {"mine": "new", "com.docker.compose.project": "x"},
            "HostConfig": {"RestartPolicy": {"Name": "always"}, "Memory": 0,
                "PortBindings": {"80/tcp": [{"HostPort": "8080"}]},
                "Binds": ["/a:/a:rw", "v:/v:rw"], "CapAdd": ["X"]}
        });
        let inspected = json!({
            "Config": {"Image": "web:1", "Env": ["LEVEL=info", "SAME=1", "PATH=/bin", "API_KEY=a"],
                "Cmd": ["from", "image"], "Labels": {"mine": "old"}},
            "HostConfig": {"RestartPolicy": {"Name": "always", "MaximumRetryCount": 0}, "Memory": 5,
                "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]},
                "Binds": ["v:/v:rw", "/a:/a:rw"], "CapAdd": ["Y", "X"]}
        });
        let words: Vec<String> =
            differences_to(&request, &inspected, &Node::default(), &Masking::default())
                .iter()
                .map(Change::in_words)
                .collect();
        assert_eq!(
            words,
            [
                "cap_add: - Y",
                "environment.API_KEY: (secret ca9781) → (secret 3e23e8)",
                "environment.LEVEL: info → debug",
                "image: web:1 → web:2",
                "labels.mine: old → new",
            ]
        );
    }
}
