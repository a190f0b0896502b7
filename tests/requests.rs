//! Our requests against those that Docker Compose 5.5 sends for the same files.
//!
//! `tests/requests/<attribute>.yaml` is a project, `<attribute>.json` what Compose asked of the engine
//! for it, as `dev/requests` recorded it; `project/` holds the files they name.

use regatta::engine::request::{
    ContainerRef, Resolved, container_request, file_contents, hook_request, network_request,
    pre_start_request, volume_request,
};
use regatta::form::{Form, Kind, tables};
use regatta::load::{self, FileKind, Files, LoadOptions};
use regatta::project::Project;
use regatta::tree::{Node, Value as Tree};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

/// The project's directory as the recordings name it.
const DIRECTORY: &str = "/project";

/// Where we send something else on purpose: case, place in the recording, and the reason. The
/// value is what we send; `null` is nothing.
const DIFFERENCES: &str = include_str!("requests/differences.json");

/// Attributes that reach no create request, each with the reason.
const NOT_SENT: &str = include_str!("requests/not-sent.txt");

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/requests")
}

/// The files of `project/`, with one case's file as the compose file.
struct Case(PathBuf);

impl Case {
    fn place(&self, path: &Path) -> PathBuf {
        match path.strip_prefix(DIRECTORY) {
            Ok(rest) if rest == Path::new("compose.yaml") => self.0.clone(),
            Ok(rest) => directory().join("project").join(rest),
            Err(_) => path.to_owned(),
        }
    }
}

impl Files for Case {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(self.place(path))
    }
    fn kind(&self, path: &Path) -> Option<FileKind> {
        let found = std::fs::metadata(self.place(path)).ok()?;
        Some(match found.is_dir() {
            true => FileKind::Directory,
            false => FileKind::File,
        })
    }
    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(path.to_owned())
    }
    fn stdin(&self) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

fn project(case: &Case) -> Project {
    let options = LoadOptions {
        files: vec!["compose.yaml".into()],
        project_name: Some("request".into()),
        environment: [("HOME", "/root"), ("WORD", "a word")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into(),
        cwd: DIRECTORY.into(),
        ..LoadOptions::default()
    };
    let loaded = load::load(case, &options);
    loaded
        .project
        .unwrap_or_else(|| panic!("{}: {:#?}", case.0.display(), loaded.findings))
}

/// Leaves out what says nothing, as the recorder does.
fn pruned(value: &Value, key: &str) -> Option<Value> {
    const SAID: [&str; 4] = ["Init", "EnableIPv4", "EnableIPv6", "OomKillDisable"];
    match value {
        Value::Object(map) => {
            let inner: serde_json::Map<String, Value> = map
                .iter()
                .filter(|(k, _)| !k.starts_with("com.docker.compose."))
                .filter_map(|(k, v)| Some((k.clone(), pruned(v, k)?)))
                .collect();
            let meant = key.contains('/') && key.starts_with(|c: char| c.is_ascii_digit());
            (!inner.is_empty() || meant).then_some(Value::Object(inner))
        }
        Value::Array(list) => Some(Value::Array(
            list.iter().filter_map(|v| pruned(v, "")).collect(),
        )),
        Value::Null => None,
        Value::Bool(false) if !SAID.contains(&key) => None,
        Value::String(text) if text.is_empty() => None,
        Value::Number(number) if number.as_f64() == Some(0.0) => None,
        other => Some(other.clone()),
    }
}

/// Sorts lists that the engine takes in any order.
fn ordered(mut value: Value) -> Value {
    const ANY_ORDER: [&str; 9] = [
        "CapAdd",
        "CapDrop",
        "Mounts",
        "Ulimits",
        "Binds",
        "ExtraHosts",
        "Links",
        "DeviceRequests",
        "Env",
    ];
    fn walk(value: &mut Value, key: &str) {
        match value {
            Value::Object(map) => map.iter_mut().for_each(|(k, v)| walk(v, k)),
            Value::Array(list) => {
                list.iter_mut().for_each(|v| walk(v, ""));
                if ANY_ORDER.contains(&key) {
                    list.sort_by_key(Value::to_string);
                }
            }
            _ => {}
        }
    }
    walk(&mut value, "");
    value
}

/// What we ask of the engine for a project, in the recording's form.
fn ours(case: &Case, project: &Project) -> Value {
    let read = |path: &Path| case.read(path);
    let containers: BTreeMap<String, Vec<ContainerRef>> = project
        .services
        .values()
        .map(|service| {
            let container = ContainerRef {
                id: format!("<{}>", service.name),
                name: project.container_name(service, 1),
            };
            (service.name.clone(), vec![container])
        })
        .collect();
    let mut all = json!({});
    for service in project.services.values().filter(|s| s.replicas() > 0) {
        let resolved = Resolved {
            number: Some(1),
            containers: containers.clone(),
            read: Some(&read),
            ..Resolved::default()
        };
        let name = project.container_name(service, 1);
        let labels = service.labels.clone();
        let request = container_request(project, service, &name, labels, &resolved);
        all["containers"][&service.name] = match request {
            Ok(request) => json!({
                "name": request.name, "platform": request.platform, "body": request.body,
            }),
            Err(refused) => json!({"refused": format!("{}: {}", refused.path, refused.message)}),
        };
        for hook in &service.pre_start {
            let beside = format!("<{}>", service.name);
            let request = pre_start_request(project, service, hook, &beside, &resolved);
            let body = request.expect("a hook's container").body;
            match all["hooks"].as_array_mut() {
                Some(list) => list.push(body),
                None => all["hooks"] = json!([body]),
            }
        }
        // Those of pre_stop go the same way, but only while it is stopped.
        for hook in &service.post_start {
            let exec = hook_request(hook);
            // As the adapter names them; tests/docker_adapter.rs runs one.
            let body = json!({
                "AttachStdout": !exec.detach, "AttachStderr": !exec.detach, "AttachStdin": exec.stdin,
                "Cmd": exec.command, "Env": exec.environment, "Privileged": exec.privileged,
                "Tty": exec.tty, "User": exec.user, "WorkingDir": exec.working_dir,
            });
            match all["execs"].as_array_mut() {
                Some(list) => list.push(body),
                None => all["execs"] = json!([body]),
            }
        }
        let files = file_contents(project, service, Some(b"{}")).expect("files to copy");
        for file in files {
            let entry = json!({
                "path": file.path.trim_start_matches('/'), "mode": format!("{:o}", file.mode),
                "uid": file.uid, "gid": file.gid, "content": String::from_utf8_lossy(&file.bytes),
            });
            let key = format!("<{}>", service.name);
            match all["archives"][&key].as_array_mut() {
                Some(list) => list.push(entry),
                None => all["archives"][&key] = json!([entry]),
            }
        }
    }
    for network in project.networks.values().filter(|n| !n.external) {
        let request = network_request(network, &network.labels);
        all["networks"][&network.name] = request.body;
    }
    for volume in project.volumes.values().filter(|v| !v.external) {
        all["volumes"][&volume.name] = volume_request(volume, &volume.labels).body;
    }
    all
}

fn cases() -> Vec<(String, Case)> {
    let mut cases: Vec<_> = std::fs::read_dir(directory())
        .expect("tests/requests")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into();
            (name, Case(path))
        })
        .collect();
    cases.sort_by(|a: &(String, Case), b| a.0.cmp(&b.0));
    assert!(cases.len() > 100, "the cases are there");
    cases
}

fn normal(value: &Value) -> Value {
    ordered(pruned(value, "").unwrap_or_default())
}

/// Names what differs, place by place.
fn compare(place: &str, theirs: &Value, ours: &Value, found: &mut BTreeMap<String, Value>) {
    match (theirs, ours) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys()).collect::<BTreeSet<_>>() {
                let (a, b) = (&theirs[key.as_str()], &ours[key.as_str()]);
                compare(&format!("{place}/{key}"), a, b, found);
            }
        }
        (a, b) if a == b => {}
        (_, b) => {
            found.insert(place.to_owned(), b.clone());
        }
    }
}

#[test]
fn requests_are_those_of_compose() {
    let intended: BTreeMap<String, BTreeMap<String, Value>> =
        serde_json::from_str(DIFFERENCES).expect("differences.json");
    let mut wrong = String::new();
    for (name, case) in cases() {
        let recorded = case.0.with_extension("json");
        let text = std::fs::read_to_string(&recorded).expect("a recording");
        let mut theirs: Value = serde_json::from_str(&text).expect("JSON");
        let theirs = theirs.as_object_mut().expect("an object");
        for entry in theirs
            .get_mut("archives")
            .and_then(Value::as_object_mut)
            .into_iter()
            .flat_map(|all| all.values_mut())
            .filter_map(Value::as_array_mut)
            .flatten()
        {
            let path = entry["path"].as_str().unwrap_or_default();
            entry["path"] = path.trim_start_matches('/').into();
        }
        let ours = normal(&ours(&case, &project(&case)));
        let mut found = BTreeMap::new();
        compare(
            "",
            &normal(&Value::Object(theirs.clone())),
            &ours,
            &mut found,
        );
        let mut expected = intended.get(&name).cloned().unwrap_or_default();
        expected.remove("reason");
        if found != expected {
            wrong += &format!("{name}: differs in {}\n", json!(found));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Paths of all attributes that a tree of this form may hold, with those it does hold taken out
/// one at a time.
fn attributes(form: &'static Form, at: &str, all: &mut BTreeSet<String>) {
    for field in form.fields {
        let path = format!("{at}.{}", field.name);
        match field.kind {
            Kind::Object(inner) | Kind::Struct(inner) => attributes(inner, &path, all),
            Kind::Objects(inner) => attributes(inner, &format!("{path}[]"), all),
            Kind::ObjectMap(inner) => attributes(inner, &format!("{path}.*"), all),
            _ => {
                all.insert(path);
            }
        }
    }
}

/// The attributes that a tree holds.
fn held(form: &'static Form, node: &Node, at: &str, all: &mut BTreeSet<String>) {
    for field in form.fields {
        let Some(node) = node.get(field.name) else {
            continue;
        };
        let path = format!("{at}.{}", field.name);
        match (field.kind, &node.value) {
            (Kind::Object(inner) | Kind::Struct(inner), _) => held(inner, node, &path, all),
            (Kind::Objects(inner), Tree::Seq(items)) => {
                for item in items {
                    held(inner, item, &format!("{path}[]"), all);
                }
            }
            (Kind::ObjectMap(inner), Tree::Map(map)) => {
                for (_, entry) in map.entries() {
                    held(inner, &entry.node, &format!("{path}.*"), all);
                }
            }
            _ => {
                all.insert(path);
            }
        }
    }
}

/// A new attribute of a table needs a case, or a line that says why nothing of it is sent.
#[test]
fn every_attribute_has_a_case() {
    let mut known = BTreeSet::new();
    for (section, form) in [
        ("services", &tables::SERVICE),
        ("networks", &tables::NETWORK),
        ("volumes", &tables::VOLUME),
    ] {
        attributes(form, section, &mut known);
    }
    let mut covered = BTreeSet::new();
    for (_, case) in cases() {
        let project = project(&case);
        for service in project.services.values() {
            held(&tables::SERVICE, &service.spec, "services", &mut covered);
        }
        for network in project.networks.values() {
            held(&tables::NETWORK, &network.spec, "networks", &mut covered);
        }
        for volume in project.volumes.values() {
            held(&tables::VOLUME, &volume.spec, "volumes", &mut covered);
        }
    }
    let mut reasons = BTreeMap::new();
    for line in NOT_SENT.lines().filter(|l| !l.starts_with('#')) {
        let (path, reason) = line.split_once(": ").expect("PATH: REASON");
        reasons.insert(path.to_owned(), reason);
    }
    let excused = |path: &str| {
        reasons.keys().any(|p| {
            path.strip_prefix(p.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    };
    let missing: Vec<&String> = known
        .iter()
        .filter(|path| !covered.contains(*path) && !excused(path))
        .collect();
    assert!(
        missing.is_empty(),
        "no case in tests/requests: {missing:#?}"
    );
    let void: Vec<&String> = reasons
        .keys()
        .filter(|p| !known.iter().any(|k| k.starts_with(p.as_str())))
        .collect();
    assert!(
        void.is_empty(),
        "not-sent.txt names what is no attribute: {void:#?}"
    );
}

#[test]
fn the_documentation_names_every_attribute() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/attributes.md");
    let text = std::fs::read_to_string(path).expect("docs/attributes.md");
    let missing: Vec<&str> = tables::SERVICE
        .fields
        .iter()
        .map(|field| field.name)
        .filter(|name| !text.contains(&format!("`{name}`")))
        .collect();
    assert!(missing.is_empty(), "docs/attributes.md lacks {missing:?}");
}
