//! From the decoded model to the [`Project`]: which services take part, which resources they
//! need, and everything typed.

use super::env_files::EnvFiles;
use super::environment::{CONTENT, Environment};
use super::model::Builder;
use super::validate::consistency;
use super::{LoadOptions, profiles};
use crate::diagnostic::Diagnostic;
use crate::network::Network;
use crate::project::Project;
use crate::secret::FileObject;
use crate::service::Service;
use crate::tree::DecodeError;
use crate::tree::{Entry, Map, Node, Span, Value};
use crate::volume::Volume;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The services of a model by whether they take part.
struct Services {
    enabled: Map,
    disabled: Map,
}

/// Brings a decoded model into a project; as far as it goes, where there are errors.
pub fn assemble(
    builder: &mut Builder<'_>,
    options: &LoadOptions,
    environment: &Environment,
    mut model: Node,
) -> Project {
    let all = take_map(&mut model, "services");
    let mut active = profiles::active(options, environment);
    let mut services = split(all, &active);
    if !options.stages.no_consistency {
        check(builder, &mut services, &model);
    }
    active.extend(profiles::implied(
        &services.disabled,
        &options.named_services,
        &active,
    ));
    let joined = join(services);
    let services = split(joined, &active);
    let mut project = Project {
        environment: environment.clone(),
        compatibility: options.compatibility,
        ..Project::default()
    };
    let mut env_files = EnvFiles::default();
    let selected: BTreeSet<String> = profiles::selected(&services.enabled, &options.named_services)
        .into_iter()
        .map(str::to_owned)
        .collect();
    for (name, mut entry) in services.enabled.into_entries() {
        if selected.contains(&name) {
            let Builder {
                reader, findings, ..
            } = builder;
            if let Some(service) = entry.node.as_map_mut() {
                if !options.stages.no_env_resolution {
                    env_files.variables(&name, service, environment, reader, findings);
                }
                env_files.labels(&name, service, reader, findings);
            }
        }
        let service = self::service(&name, entry, &mut builder.findings);
        project.services.insert(name, service);
    }
    for (name, entry) in services.disabled.into_entries() {
        let service = self::service(&name, entry, &mut builder.findings);
        project.disabled.insert(name, service);
    }
    resources(&mut project, model, options, &mut builder.findings);
    project
}

fn split(all: Map, active: &[String]) -> Services {
    let mut services = Services {
        enabled: Map::new(),
        disabled: Map::new(),
    };
    for (name, entry) in all.into_entries() {
        let target = match profiles::is_enabled(&entry.node, active) {
            true => &mut services.enabled,
            false => &mut services.disabled,
        };
        target.insert(name, entry.key, entry.node);
    }
    services
}

fn join(services: Services) -> Map {
    let mut all = services.enabled;
    for (name, entry) in services.disabled.into_entries() {
        all.insert(name, entry.key, entry.node);
    }
    all
}

fn check(builder: &mut Builder<'_>, services: &mut Services, model: &Node) {
    let broken: Vec<String> = builder
        .findings
        .iter()
        .filter(|f| f.is_error())
        .map(|f| f.path.clone())
        .collect();
    let is_broken = |section: &str| {
        broken.iter().any(|path| {
            path.strip_prefix(section)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    };
    consistency::check(
        &consistency::Project {
            enabled: &services.enabled,
            disabled: &services.disabled,
            model,
            broken: &is_broken,
        },
        &mut builder.findings,
    );
    for (_, service) in services.enabled.iter_mut() {
        align_replicas(service);
    }
}

/// Where `scale` and `deploy` are both there, `deploy.replicas` says what `scale` says.
fn align_replicas(service: &mut Node) {
    let Some(scale) = service.get("scale").cloned() else {
        return;
    };
    if let Some(deploy) = service.get_mut("deploy").and_then(Node::as_map_mut) {
        deploy.insert("replicas", scale.span, scale);
    }
}

fn service(name: &str, entry: Entry, findings: &mut Vec<Diagnostic>) -> Service {
    let mut service: Service = typed(&format!("services.{name}"), &entry.node, findings);
    service.name = name.to_owned();
    service.span = entry.key;
    service.spec = entry.node;
    service
}

/// Decodes a part of the model into its type.
fn typed<'n, T: Default + Deserialize<'n>>(
    path: &str,
    node: &'n Node,
    findings: &mut Vec<Diagnostic>,
) -> T {
    T::deserialize(node).unwrap_or_else(|error: DecodeError| {
        let path = match error.path.is_empty() {
            true => path.to_owned(),
            false => format!("{path}.{}", error.path),
        };
        findings.push(
            Diagnostic::error("bad-value", path, error.message).at(error.span.unwrap_or(node.span)),
        );
        T::default()
    })
}

fn take_map(model: &mut Node, section: &str) -> Map {
    match model
        .as_map_mut()
        .and_then(|m| m.remove(section))
        .map(|n| n.value)
    {
        Some(Value::Map(map)) => map,
        _ => Map::new(),
    }
}

/// Fills in networks, volumes, secrets and configs; those that nothing uses are left out, unless
/// all are asked for.
fn resources(
    project: &mut Project,
    mut model: Node,
    options: &LoadOptions,
    findings: &mut Vec<Diagnostic>,
) {
    let used = match options.all_resources {
        true => None,
        false => Some(used(project)),
    };
    let is_used = |section: &str, key: &str| {
        used.as_ref()
            .is_none_or(|used| used.get(section).is_some_and(|keys| keys.contains(key)))
    };
    for (key, entry) in take_map(&mut model, "networks").into_entries() {
        if is_used("networks", &key) {
            let mut network: Network = typed(&format!("networks.{key}"), &entry.node, findings);
            network.key.clone_from(&key);
            network.span = entry.key;
            network.spec = entry.node;
            project.networks.insert(key, network);
        }
    }
    for (key, entry) in take_map(&mut model, "volumes").into_entries() {
        if is_used("volumes", &key) {
            let mut volume: Volume = typed(&format!("volumes.{key}"), &entry.node, findings);
            volume.key.clone_from(&key);
            volume.span = entry.key;
            volume.spec = entry.node;
            project.volumes.insert(key, volume);
        }
    }
    if let Some(model) = model.as_map_mut() {
        for section in ["secrets", "configs", "models"] {
            let Some(objects) = model.get_mut(section).and_then(Node::as_map_mut) else {
                continue;
            };
            objects.retain(|key, _| is_used(section, key));
            let files = match section {
                "secrets" => &mut project.secrets,
                "configs" => &mut project.configs,
                _ => continue,
            };
            *files = file_objects(section, objects, findings);
        }
        model.retain(|key, node| {
            key.starts_with("x-") || node.as_map().is_some_and(|m| !m.is_empty())
        });
    }
    project.spec = model;
}

fn file_objects(
    section: &str,
    objects: &mut Map,
    findings: &mut Vec<Diagnostic>,
) -> BTreeMap<String, FileObject> {
    let places: Vec<Span> = objects.entries().map(|(_, entry)| entry.key).collect();
    let mut files = BTreeMap::new();
    for ((key, node), span) in objects.iter_mut().zip(places) {
        let content = node.as_map_mut().and_then(|m| m.remove(CONTENT));
        let mut object: FileObject = typed(&format!("{section}.{key}"), node, findings);
        if let Some(Value::Str(content)) = content.map(|c| c.value) {
            object.content = Some(content);
        }
        object.key = key.to_owned();
        object.span = span;
        files.insert(key.to_owned(), object);
    }
    files
}

/// Keys of the resources that active services use, by section.
fn used(project: &Project) -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut used: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    for service in project.services.values() {
        let mut add = |section, key: &str| {
            let keys = used.entry(section).or_default();
            if !keys.contains(key) {
                keys.insert(key.to_owned());
            }
        };
        for key in service.networks.keys() {
            add("networks", key);
        }
        for key in service.volume_keys() {
            add("volumes", key);
        }
        let build = service.build.iter().flat_map(|b| &b.secrets);
        for secret in service.secrets.iter().chain(build) {
            add("secrets", &secret.source);
        }
        for config in &service.configs {
            add("configs", &config.source);
        }
        let models = service.spec.get("models").and_then(Node::as_map);
        for key in models.into_iter().flat_map(Map::keys) {
            add("models", key);
        }
    }
    used
}
