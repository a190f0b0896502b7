//! Our requests against those that Docker Compose 5.5 sends for the same files.
//!
//! `tests/requests/<attribute>.yaml` is a project, `<attribute>.json` what Compose asked of the engine
//! for it, as `dev/requests` recorded it (of docker-buildx, for attributes of `build`); `project/` holds the files they name.

use regatta::engine::request::{
    ContainerRef, Resolved, container_request, file_contents, hook_request, network_request,
    pre_start_request, volume_request,
};
use regatta::form::{Form, Kind, tables};
use regatta::image::build::{BuildOptions, Way, bake, choose, direct};
use regatta::load::{self, FileKind, Files, LoadOptions};
use regatta::project::Project;
use regatta::service::Service;
use regatta::tree::{Node, Value as Tree};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

/// The project's directory as the recordings name it.
const DIRECTORY: &str = "/project";

/// Where we send something else on purpose: case, place in the recording, and the reason. The
/// value is what we send; `null` is nothing.
const DIFFERENCES: &str = include_str!("../requests/differences.json");

/// Attributes that reach no create request, each with the reason.
const NOT_SENT: &str = include_str!("../requests/not-sent.txt");

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
    const ANY_ORDER: [&str; 10] = [
        "CapAdd",
        "CapDrop",
        "Mounts",
        "Ulimits",
        "Binds",
        "ExtraHosts",
        "Links",
        "DeviceRequests",
        "Env",
        // The group of a bake file.
        "targets",
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
        // Those of pre_stop go the same way, when it is stopped.
        for hook in service.post_start.iter().chain(&service.pre_stop) {
            let exec = hook_request(hook);
            // As the adapter names them; tests/engines/docker_adapter.rs runs one.
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
        let files = file_contents(project, service, Some(b"{}"), &[]).expect("files to copy");
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

fn recording(case: &Case) -> Value {
    let text = std::fs::read_to_string(case.0.with_extension("json")).expect("a recording");
    let mut all: Value = serde_json::from_str(&text).expect("JSON");
    let targets = all
        .pointer_mut("/bake/target")
        .and_then(Value::as_object_mut);
    targets
        .into_iter()
        .flatten()
        .for_each(|(_, t)| plain_target(t));
    all
}

/// Brings a target's shorter ways of saying the same to one.
fn plain_target(target: &mut Value) {
    let each = |list: &mut Value, plain: &dyn Fn(&str) -> String| {
        for entry in list.as_array_mut().into_iter().flatten() {
            *entry = plain(entry.as_str().unwrap_or_default()).into();
        }
    };
    // An agent without a path is the user's.
    each(&mut target["ssh"], &|text| {
        text.trim_end_matches('=').into()
    });
    each(&mut target["ulimits"], &|text| match text.split_once('=') {
        Some((name, limit)) if !limit.contains(':') => format!("{name}={limit}:{limit}"),
        _ => text.into(),
    });
    if let Some(limits) = target["ulimits"].as_array_mut() {
        limits.sort_by_key(Value::to_string);
    }
    if let Some(tags) = target["tags"].as_array_mut() {
        let mut seen = BTreeSet::new();
        tags.retain(|tag| seen.insert(tag.to_string()));
    }
}

/// What docker-buildx gets of us, as `build --print` shows it.
fn bake_file(project: &Project) -> Value {
    let all: Vec<&Service> = project.services.values().collect();
    let with_program = BuildOptions {
        buildx: Some("docker-buildx".into()),
        ..BuildOptions::default()
    };
    let mut there = project.clone();
    for secret in there.secrets.values_mut() {
        secret.file = secret.file.as_deref().map(real);
    }
    for service in project.services.values().map(on_disk) {
        let build = service.build.as_ref().expect("a build");
        // What no builder can do.
        if let Err(error) = choose(&there, &service, build, &with_program) {
            return json!({"refused": error.to_string()});
        }
    }
    let file = bake::definition(project, &all, &BuildOptions::default());
    let mut file = file.expect("a definition").0;
    for target in file["target"].as_object_mut().into_iter().flatten() {
        plain_target(target.1);
    }
    file
}

/// The same with the contexts where they are.
fn on_disk(service: &Service) -> Service {
    let mut service = service.clone();
    if let Some(build) = &mut service.build {
        build.context = real(&build.context);
        for context in build.additional_contexts.values_mut() {
            *context = real(context);
        }
    }
    service
}

/// Where a file of the project is.
fn real(path: &str) -> String {
    let real = directory().join("project");
    path.replacen(DIRECTORY, &real.display().to_string(), 1)
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
        let mut theirs = recording(&case);
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
        let project = project(&case);
        let ours = match theirs.get("bake") {
            Some(_) => normal(&json!({"bake": bake_file(&project)})),
            None => normal(&ours(&case, &project)),
        };
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

/// The engine's own builder is asked for what Compose asks docker-buildx for, attribute by attribute.
#[test]
fn the_engines_builder_gets_the_same() {
    /// What does not concern the call: where the files are, and what is pulled before it.
    const ELSEWHERE: [&str; 5] = [
        "context",
        "dockerfile",
        "dockerfile-inline",
        "output",
        "pull",
    ];
    let (mut seen, mut compared) = (BTreeSet::new(), 0);
    for (name, case) in cases() {
        if !name.starts_with("services.build") {
            continue;
        }
        let project = project(&case);
        let service = on_disk(&project.services["s"]);
        let build = service.build.clone().expect("a build");
        let options = BuildOptions::default();
        let Ok(Way::Direct(plan)) = choose(&project, &service, &build, &options) else {
            continue;
        };
        let request = direct::request(&project, &service, &build, *plan, &options);
        let hosts: BTreeMap<&str, String> = request.extra_hosts.iter().fold(
            BTreeMap::new(),
            |mut all: BTreeMap<&str, String>, host| {
                let (name, address) = host.split_once(':').expect("NAME:ADDRESS");
                all.entry(name)
                    .and_modify(|known| *known += &format!(",{address}"))
                    .or_insert(address.into());
                all
            },
        );
        let limits: Vec<String> = request
            .ulimits
            .iter()
            .map(|(name, soft, hard)| format!("{name}={soft}:{hard}"))
            .collect();
        let args: BTreeMap<_, _> = request
            .args
            .iter()
            .map(|(name, value)| (name, value.replace("${", "$${")))
            .collect();
        // Entries of images come as `type=registry,ref=IMAGE` or the image alone.
        let caches: Vec<&str> = request.cache_from.iter().map(String::as_str).collect();
        let mut ours = json!({
            "args": args, "cache-from": caches, "extra-hosts": hosts, "labels": request.labels,
            "network": request.network, "no-cache": request.no_cache, "platforms": request.platform.iter().collect::<Vec<_>>(),
            "shm-size": request.shm_size.map(|b| b.to_string()), "tags": request.tags,
            "target": request.target, "ulimits": limits,
        });
        let said = |value: &Value| value.as_array().is_none_or(|list| !list.is_empty());
        ours.as_object_mut()
            .expect("an object")
            .retain(|_, value| said(value));
        plain_target(&mut ours);
        let mut theirs = recording(&case)["bake"]["target"]["s"].clone();
        let all = theirs.as_object_mut().expect("a target");
        all.retain(|key, _| !ELSEWHERE.contains(&key.as_str()));
        for entry in all
            .get_mut("cache-from")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            let text = entry.as_str().unwrap_or_default();
            *entry = text.trim_start_matches("type=registry,ref=").into();
        }
        seen.extend(all.keys().cloned());
        assert_eq!(normal(&ours), normal(&theirs), "{name}");
        compared += 1;
    }
    assert!(compared > 15, "{compared}: {seen:?}");
    for key in [
        "args",
        "cache-from",
        "extra-hosts",
        "labels",
        "network",
        "no-cache",
        "platforms",
        "shm-size",
        "tags",
        "target",
        "ulimits",
    ] {
        assert!(seen.contains(key), "no case of {key} goes this way");
    }
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
