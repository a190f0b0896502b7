//! From the project's nouns to the engine's request bodies; pure.
//!
//! Every attribute has one line that names the field it reaches. A field that would hold
//! nothing is left out, so that the image's and the engine's defaults apply. What no field can
//! hold is refused with its path and place.

mod attributes;
mod container;
mod endpoints;
mod exec;
mod fields;
mod files;
mod host;
mod mounts;
mod network;
mod one_off;
mod placement;
mod pre_start;
mod refused;
mod resources;
mod volume;

pub use exec::hook_request;
pub use files::{FileContent, Origin, archive, file_contents};
pub use network::network_request;
pub use one_off::one_off_request;
pub use pre_start::pre_start_request;
pub use refused::refused;
pub use volume::volume_request;

use super::ContainerRequest;
use crate::diagnostic::Diagnostic;
use crate::project::Project;
use crate::service::Service;
use crate::tree::Node;
use fields::Fields;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

/// A service cannot be asked of an engine as it stands; says which attribute, where and why.
pub type Refusal = Box<Diagnostic>;

/// A container that another one refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerRef {
    pub id: String,
    pub name: String,
}

/// Gives the content of a file of this machine.
pub type ReadFile<'a> = dyn Fn(&Path) -> std::io::Result<Vec<u8>> + 'a;

/// What is only known at run time.
#[derive(Default)]
pub struct Resolved<'a> {
    /// The replica's number; `None` for a one-off.
    pub number: Option<u32>,
    /// Containers of the services that this one shares namespaces or volumes with, or links
    /// to, by service and in order of their numbers.
    pub containers: BTreeMap<String, Vec<ContainerRef>>,
    /// Anonymous volumes taken over from the predecessor: target → volume name.
    pub inherited_volumes: BTreeMap<String, String>,
    /// Addresses to ask for where the service says none, by the key of the network.
    pub addresses: BTreeMap<String, Vec<IpAddr>>,
    /// `proxies` of Docker's `config.json`, as variables.
    pub proxy_environment: BTreeMap<String, String>,
    /// On its networks the container answers to its own name only, as a one-off does.
    pub without_aliases: bool,
    /// Reads a file of this machine (a seccomp profile); relative paths are relative to the
    /// project's directory.
    pub read: Option<&'a ReadFile<'a>>,
}

/// The request for a container of a service.
///
/// `name` is the name it ends up with, which is also its first alias; one that is created under
/// a temporary name gets that put into the result. `labels` are all its labels.
///
/// # Errors
/// Attributes that no engine, or not this one, can honour.
pub fn container_request(
    project: &Project,
    service: &Service,
    name: &str,
    labels: BTreeMap<String, String>,
    resolved: &Resolved<'_>,
) -> Result<ContainerRequest, Refusal> {
    let task = Task {
        project,
        service,
        name,
        resolved,
    };
    task.check_supported()?;
    let links = task.links()?;
    let mut body = task.container_config(&labels)?;
    let mut host = task.host_config()?;
    task.mounts(&mut host)?;
    host.texts("Links", &links);
    let networking = task.networking(&mut host, &links)?;
    body.value("HostConfig", host.finish());
    body.value("NetworkingConfig", networking);
    Ok(ContainerRequest {
        name: name.to_string(),
        platform: project.platform_of(service).map(str::to_owned),
        body: body.finish(),
    })
}

/// One container's request in the making.
struct Task<'a> {
    project: &'a Project,
    service: &'a Service,
    name: &'a str,
    resolved: &'a Resolved<'a>,
}

impl<'a> Task<'a> {
    /// A refusal at an attribute of the service.
    fn refuse(&self, code: &'static str, path: &[&str], message: impl Into<String>) -> Refusal {
        refusal(self.service, code, path, message)
    }

    /// The first container of a service that this one refers to.
    fn first_container(&self, of: &str, path: &[&str]) -> Result<&'a ContainerRef, Refusal> {
        self.resolved
            .containers
            .get(of)
            .and_then(|all| all.first())
            .ok_or_else(|| {
                self.refuse(
                    "no-container",
                    path,
                    format!("service {of:?} has no container to refer to"),
                )
            })
    }

    /// A namespace mode with `service:x` replaced by the container's id.
    fn mode(&self, key: &str, mode: Option<&String>) -> Result<Option<String>, Refusal> {
        let Some(mode) = mode.filter(|m| !m.is_empty()) else {
            return Ok(None);
        };
        match mode.strip_prefix("service:") {
            Some(service) => {
                let container = self.first_container(service, &[key])?;
                Ok(Some(format!("container:{}", container.id)))
            }
            None => Ok(Some(mode.clone())),
        }
    }

    /// Attributes that are read, but that no request can express.
    fn check_supported(&self) -> Result<(), Refusal> {
        const REFUSED: [(&str, &str); 1] = [(
            "credential_spec",
            "is for Windows containers, which this engine does not run",
        )];
        for (key, why) in REFUSED {
            if self
                .service
                .spec
                .get(key)
                .is_some_and(|node| !node.is_null())
            {
                return Err(self.refuse("unsupported", &[key], format!("{key} {why}")));
            }
        }
        Ok(())
    }

    /// `links` and `external_links` as the engine wants them: container and alias.
    fn links(&self) -> Result<Vec<String>, Refusal> {
        let mut links = Vec::new();
        for link in &self.service.links {
            let (target, alias) = link.split_once(':').unwrap_or((link, link));
            self.first_container(target, &["links"])?;
            let separator = self.project.separator();
            let number = self.resolved.number.unwrap_or(1);
            for container in &self.resolved.containers[target] {
                let name = &container.name;
                links.push(format!("{name}:{alias}"));
                links.push(format!("{name}:{target}{separator}{number}"));
                links.push(format!(
                    "{name}:{}{separator}{target}{separator}{number}",
                    self.project.name
                ));
            }
        }
        for link in &self.service.external_links {
            let (target, alias) = link.split_once(':').unwrap_or((link, link));
            links.push(format!("{target}:{alias}"));
        }
        Ok(links)
    }
}

/// A refusal at an attribute of a service: `path` is relative to the service, numbers index lists.
fn refusal(
    service: &Service,
    code: &'static str,
    path: &[&str],
    message: impl Into<String>,
) -> Refusal {
    let (text, node) = locate(service, path);
    let span = node.map_or(service.span, |n| n.span);
    Box::new(Diagnostic::error(code, text, message).at(span))
}

/// The path as people write it (`services.web.ports[0]`), and the deepest node of it there is.
fn locate<'s>(service: &'s Service, path: &[&str]) -> (String, Option<&'s Node>) {
    let mut text = format!("services.{}", service.name);
    let mut node = Some(&service.spec).filter(|n| !n.is_null());
    for part in path {
        let next = match part.parse::<usize>() {
            Ok(index) => {
                text += &format!("[{index}]");
                node.and_then(|n| n.as_seq()?.get(index))
            }
            Err(_) => {
                text += &format!(".{part}");
                node.and_then(|n| n.get(part))
            }
        };
        node = next.or(node);
    }
    (text, node)
}

/// An empty object where there is nothing, for fields that must be there.
fn object(fields: Fields) -> Value {
    fields.finish()
}

#[cfg(test)]
mod tests;
