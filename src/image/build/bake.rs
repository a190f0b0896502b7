//! Building with the program `docker-buildx`.

use super::{
    BuildError, BuildOptions, arguments, image_labels, is_remote, refuse, tags, with_dependencies,
};
use crate::engine::Engine;
use crate::event::Reporter;
use crate::programs::PLUGIN_MARKS;
use crate::project::Project;
use crate::service::Service;
use crate::service::build::Build;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

/// The bake file for services, with the variables that their secrets take. What their builds begin
/// with (`additional_contexts: service:x`) has a target beside them, as not every builder sees the
/// images of the engine.
///
/// # Errors
/// A secret or a service that is not there.
pub fn definition(
    project: &Project,
    services: &[&Service],
    options: &BuildOptions,
) -> Result<(Value, BTreeMap<String, String>), BuildError> {
    let (mut targets, mut variables) = (Map::new(), BTreeMap::new());
    let mut group: Vec<String> = Vec::new();
    let names = target_names(project);
    for service in services {
        let Some(build) = &service.build else {
            continue;
        };
        let (target, more) = target(project, service, build, options, &names)?;
        group.push(names[service.name.as_str()].clone());
        targets.insert(names[service.name.as_str()].clone(), target);
        variables.extend(more);
    }
    for (name, service) in with_dependencies(project, services.iter().map(|s| s.name.as_str())) {
        let (Some(build), None) = (&service.build, targets.get(&names[name])) else {
            continue;
        };
        // It has been built just before: nobody wants it anew.
        let seen = BuildOptions {
            no_cache: false,
            pull: false,
            ..options.clone()
        };
        let seen_build = Build {
            no_cache: false,
            no_cache_filter: Vec::new(),
            pull: false,
            ..build.clone()
        };
        let (target, more) = target(project, service, &seen_build, &seen, &names)?;
        targets.insert(names[name].clone(), target);
        variables.extend(more);
    }
    let file = json!({ "group": { "default": { "targets": group } }, "target": targets });
    Ok((file, variables))
}

fn target(
    project: &Project,
    service: &Service,
    build: &Build,
    options: &BuildOptions,
    names: &BTreeMap<&str, String>,
) -> Result<(Value, BTreeMap<String, String>), BuildError> {
    let mut t = Map::new();
    let mut set = |key: &str, value: Value| {
        let empty = match &value {
            Value::Null => true,
            Value::Bool(b) => !b,
            Value::String(s) => s.is_empty(),
            Value::Array(a) => a.is_empty(),
            Value::Object(o) => o.is_empty(),
            Value::Number(n) => n.as_i64() == Some(0),
        };
        if !empty {
            t.insert(key.into(), value);
        }
    };
    // Bake reads `${…}` in texts as its own.
    let literal = |text: &str| text.replace("${", "$${");
    set("context", build.context.clone().into());
    set("contexts", contexts(project, service, build, names)?);
    let dockerfile = build.dockerfile.as_deref().unwrap_or_default();
    if build.dockerfile_inline.is_none() && !dockerfile.is_empty() {
        let path = match is_remote(&build.context) {
            true => dockerfile.to_string(),
            false => Path::new(&build.context)
                .join(dockerfile)
                .display()
                .to_string(),
        };
        set("dockerfile", path.into());
    }
    let inline = build.dockerfile_inline.as_deref().map(literal);
    set("dockerfile-inline", inline.into());
    let args: BTreeMap<_, _> = arguments(project, build, options)
        .into_iter()
        .map(|(key, value)| (key, literal(&value)))
        .collect();
    set("args", json!(args));
    let labels: BTreeMap<_, _> = image_labels(project, service, build)
        .into_iter()
        .map(|(key, value)| (key, literal(&value)))
        .collect();
    set("labels", json!(labels));
    set("tags", json!(tags(project, service, build)));
    set("cache-from", json!(build.cache_from));
    set("cache-to", json!(build.cache_to));
    set("target", json!(build.target));
    let (secrets, variables) = secrets(project, service, build)?;
    set("secret", json!(secrets));
    // The canonical form of an agent with a path is `ID: PATH`.
    let own = build.ssh.iter().map(|agent| agent.replacen(": ", "=", 1));
    let ssh: Vec<String> = own.chain(options.ssh.iter().cloned()).collect();
    set("ssh", json!(ssh));
    set(
        "platforms",
        json!(platforms(project, service, build, options)),
    );
    set("pull", json!(build.pull || options.pull));
    set("no-cache", json!(build.no_cache || options.no_cache));
    set("no-cache-filter", json!(build.no_cache_filter));
    set("network", json!(build.network));
    set("shm-size", json!(build.shm_size.map(|b| b.0.to_string())));
    let limits: Vec<String> = build
        .ulimits
        .iter()
        .map(|(name, limit)| format!("{name}={}:{}", limit.soft, limit.hard))
        .collect();
    set("ulimits", json!(limits));
    let mut hosts: BTreeMap<&str, String> = BTreeMap::new();
    for (host, address) in build.extra_hosts.iter().filter_map(|h| h.split_once('=')) {
        hosts
            .entry(host)
            .and_modify(|all| *all += &format!(",{address}"))
            .or_insert(address.into());
    }
    set("extra-hosts", json!(hosts));
    set("entitlements", json!(entitlements(build)));
    let mut attestations = Vec::new();
    for (kind, value) in [("provenance", &build.provenance), ("sbom", &build.sbom)] {
        match value.as_deref() {
            None | Some("") => {}
            Some("true") => attestations.push(format!("type={kind}")),
            Some("false") => attestations.push(format!("type={kind},disabled=true")),
            Some(more) => attestations.push(format!("type={kind},{more}")),
        }
    }
    set("attest", json!(attestations));
    let push = options.push && service.image.is_some();
    match (
        options.check,
        platforms(project, service, build, options).len() > 1,
        push,
    ) {
        (true, ..) => set("call", "lint".into()),
        (_, true, _) => set("output", json!([format!("type=image,push={push}")])),
        (_, _, true) => set("output", json!(["type=registry"])),
        _ => set("output", json!(["type=docker"])),
    }
    Ok((Value::Object(t), variables))
}

/// The targets' names, by service: without dots, which they must not hold, and each its own.
fn target_names(project: &Project) -> BTreeMap<&str, String> {
    let mut used = BTreeSet::new();
    let enabled = project.services.keys();
    enabled
        .chain(project.disabled.keys())
        .map(|service| {
            let mut name = service.replace('.', "_");
            while !used.insert(name.clone()) {
                name.push('_');
            }
            (service.as_str(), name)
        })
        .collect()
}

fn platforms(
    project: &Project,
    service: &Service,
    build: &Build,
    options: &BuildOptions,
) -> Vec<String> {
    let own = project.platform_of(service).map(str::to_owned);
    match (build.platforms.len(), own) {
        (0, own) => own.into_iter().collect(),
        (n, Some(own)) if n > 1 && options.for_running => vec![own],
        // One that the builder itself runs, as nothing else could be run here.
        (n, None) if n > 1 && options.for_running => Vec::new(),
        _ => build.platforms.clone(),
    }
}

fn entitlements(build: &Build) -> Vec<String> {
    let mut all = build.entitlements.clone();
    if build.privileged && !all.iter().any(|e| e == "security.insecure") {
        all.push("security.insecure".into());
    }
    all
}

/// Further contexts; a service's image that is built is a target of the same file.
fn contexts(
    project: &Project,
    service: &Service,
    build: &Build,
    names: &BTreeMap<&str, String>,
) -> Result<Value, BuildError> {
    let mut all = Map::new();
    for (name, source) in &build.additional_contexts {
        let value = match source.strip_prefix("service:") {
            Some(other) => {
                let found = project.declared(other).ok_or_else(|| {
                    refuse(
                        service,
                        "additional_contexts",
                        format!("service {other:?}, whose image is a context, is not defined"),
                    )
                })?;
                match found.build {
                    Some(_) => format!("target:{}", names[other]),
                    None => format!("docker-image://{}", project.image_name(found)),
                }
            }
            None => source.clone(),
        };
        all.insert(name.clone(), value.into());
    }
    Ok(Value::Object(all))
}

/// `secret` entries. A secret out of the project's environment goes by a variable of the program,
/// as it must not stand in the file.
pub(super) fn secrets(
    project: &Project,
    service: &Service,
    build: &Build,
) -> Result<(Vec<String>, BTreeMap<String, String>), BuildError> {
    let (mut entries, mut variables) = (Vec::new(), BTreeMap::new());
    for reference in &build.secrets {
        let source = &reference.source;
        let id = reference
            .target
            .as_ref()
            .filter(|t| !t.is_empty())
            .unwrap_or(source);
        let fail = |why: &str| refuse(service, "secrets", format!("secret {source:?} {why}"));
        let object = project
            .secrets
            .get(source)
            .ok_or_else(|| fail("is not defined"))?;
        match (&object.file, &object.environment) {
            (Some(file), _) => entries.push(format!("id={id},type=file,src={file}")),
            (None, Some(variable)) => {
                let value = project.environment.get(variable);
                let value = value.ok_or_else(|| {
                    fail(&format!(
                        "takes the variable {variable:?}, which is not set"
                    ))
                })?;
                entries.push(format!("id={id},type=env,env={variable}"));
                variables.insert(variable.clone(), value.clone());
            }
            (None, None) => return Err(fail("has neither a file nor a variable to take it from")),
        }
    }
    Ok((entries, variables))
}

fn arguments_of_program(
    project: &Project,
    service: &Service,
    build: &Build,
    options: &BuildOptions,
) -> Vec<String> {
    let mut all: Vec<String> = ["bake", "--file", "-", "--progress"]
        .map(String::from)
        .into();
    all.push(if options.quiet { "quiet" } else { "plain" }.into());
    let involved = with_dependencies(project, [service.name.as_str()]);
    for build in involved.values().filter_map(|s| s.build.as_ref()) {
        all.extend(readable(build));
    }
    for entitlement in entitlements(build) {
        all.extend(["--allow".into(), entitlement]);
    }
    for (flag, value) in [
        ("--sbom", &options.sbom),
        ("--provenance", &options.provenance),
    ] {
        if let Some(value) = value {
            all.push(format!("{flag}={value}"));
        }
    }
    if let Some(builder) = &options.builder {
        all.extend(["--builder".into(), builder.clone()]);
    }
    tracing::debug!(service = service.name, ?all, "docker-buildx");
    all
}

/// What bake may read of this machine for a build.
fn readable(build: &Build) -> Vec<String> {
    let mut all = Vec::new();
    let further = build.additional_contexts.values();
    for path in std::iter::once(&build.context).chain(further) {
        if !is_remote(path) && !path.contains("://") && !path.starts_with("service:") {
            all.extend(["--allow".into(), format!("fs.read={path}")]);
        }
    }
    let dockerfile = build.dockerfile.as_deref();
    if let Some(dockerfile) = dockerfile.filter(|d| d.starts_with("..") || d.starts_with('/')) {
        let path = Path::new(&build.context).join(dockerfile);
        all.extend(["--allow".into(), format!("fs.read={}", path.display())]);
    }
    all
}

/// By this a plugin knows that Docker's client runs it.
const ORIGINAL_COMMAND: &str = PLUGIN_MARKS[0];

/// Runs the program and shows what it says.
pub async fn build(
    engine: &dyn Engine,
    project: &Project,
    service: &Service,
    program: &Path,
    options: &BuildOptions,
    reporter: &Reporter,
) -> Result<Option<String>, BuildError> {
    let Some(build) = &service.build else {
        return Ok(None);
    };
    let (file, variables) = definition(project, &[service], options)?;
    let unreadable = |e: std::io::Error| BuildError::Unreadable {
        service: service.name.clone(),
        message: format!("{}: {e}", program.display()),
    };
    let own =
        |(name, _): &(&String, &String)| *name != "PATH" && !PLUGIN_MARKS.contains(&name.as_str());
    let mut command = options.programs.command(program);
    let flags = engine.client_flags();
    if !flags.is_empty() {
        // By itself it has no such flags: `docker` would give them to it as its plugin.
        command
            .args(flags)
            .arg("buildx")
            .env(ORIGINAL_COMMAND, "docker");
    }
    let mut child = command
        .args(arguments_of_program(project, service, build, options))
        .envs(options.environment.iter().filter(own))
        .envs(&variables)
        .env("DOCKER_HOST", engine.endpoint())
        .env_remove("DOCKER_CONTEXT")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(unreadable)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin
            .write_all(file.to_string().as_bytes())
            .await
            .map_err(unreadable)?;
    }
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let show = async {
        if let Some(stdout) = stdout {
            let mut lines = BufReader::new(stdout).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                reporter.build_output(format!("{line}\n"));
                reporter.room().await;
            }
        }
    };
    // The last words tell why, where it fails.
    let listen = async {
        let mut last = String::new();
        if let Some(stderr) = stderr {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(error) = line.strip_prefix("ERROR: ") {
                    last = error.to_string();
                } else if !options.quiet {
                    reporter.build_output(format!("{line}\n"));
                    reporter.room().await;
                }
            }
        }
        last
    };
    let ((), message) = tokio::join!(show, listen);
    let status = child.wait().await.map_err(unreadable)?;
    if !status.success() {
        return Err(BuildError::Failed {
            service: service.name.clone(),
            message: if message.is_empty() {
                status.to_string()
            } else {
                message
            },
        });
    }
    Ok(None)
}
