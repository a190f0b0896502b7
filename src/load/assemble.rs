//! From the canonical form to the [`Project`]: everything typed.

use super::environment::CONTENT;
use super::selection::CanonicalProject;
use crate::diagnostic::{Diagnostic, Findings};
use crate::network::Network;
use crate::project::Project;
use crate::secret::FileObject;
use crate::service::Service;
use crate::tree::DecodeError;
use crate::tree::{Entry, Map, Node, Span, Value};
use crate::volume::Volume;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Types a project.
pub fn assemble(canonical: CanonicalProject, findings: &mut Findings) -> Project {
    let mut project = Project {
        name: canonical.name,
        is_name_implied: canonical.is_name_implied,
        working_dir: canonical.working_dir,
        environment: canonical.environment,
        ..Project::default()
    };
    for (name, entry) in canonical.services.into_entries() {
        let service = self::service(&name, entry, findings);
        project.services.insert(name.into(), service);
    }
    for (name, entry) in canonical.disabled.into_entries() {
        let service = self::service(&name, entry, findings);
        project.disabled.insert(name.into(), service);
    }
    for (key, entry) in canonical.networks.into_entries() {
        let mut network: Network = typed(&format!("networks.{key}"), &entry.node, findings);
        network.key = key.to_string();
        network.span = entry.key;
        network.spec = entry.node;
        project.networks.insert(key.into(), network);
    }
    for (key, entry) in canonical.volumes.into_entries() {
        let mut volume: Volume = typed(&format!("volumes.{key}"), &entry.node, findings);
        volume.key = key.to_string();
        volume.span = entry.key;
        volume.spec = entry.node;
        project.volumes.insert(key.into(), volume);
    }
    project.spec = canonical.rest;
    for (section, files) in [
        ("secrets", &mut project.secrets),
        ("configs", &mut project.configs),
    ] {
        let objects = project.spec.get_mut(section).and_then(Node::as_map_mut);
        if let Some(objects) = objects {
            *files = file_objects(section, objects, findings);
        }
    }
    project
}

fn service(name: &str, entry: Entry, findings: &mut Findings) -> Service {
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
    findings: &mut Findings,
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

fn file_objects(
    section: &str,
    objects: &mut Map,
    findings: &mut Findings,
) -> BTreeMap<String, FileObject> {
    let places: Vec<Span> = objects.entries().map(|(_, entry)| entry.key).collect();
    let mut files = BTreeMap::new();
    for ((key, node), span) in objects.iter_mut().zip(places) {
        let content = node.as_map_mut().and_then(|m| m.remove(CONTENT));
        let mut object: FileObject = typed(&format!("{section}.{key}"), node, findings);
        if let Some(Value::Str(content)) = content.map(|c| c.value) {
            object.content = Some(content.into());
        }
        object.key = key.to_owned();
        object.span = span;
        files.insert(key.to_owned(), object);
    }
    files
}
