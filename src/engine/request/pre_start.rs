//! The container that runs a `pre_start` hook, beside one of the service.

use super::fields::{Fields, words};
use super::{Refusal, Resolved, Task};
use crate::engine::ContainerRequest;
use crate::project::Project;
use crate::service::Service;
use crate::service::develop::Hook;

/// The request for a hook's container. It shares the volumes of `beside`, a container's id, and is
/// on the service's networks under the name of a replica 0; nothing else of the service holds
/// for it but its environment. The engine names it.
///
/// # Errors
/// Attributes of the service's networks that no engine can honour.
pub fn pre_start_request(
    project: &Project,
    service: &Service,
    hook: &Hook,
    beside: &str,
    resolved: &Resolved<'_>,
) -> Result<ContainerRequest, Refusal> {
    let name = project.container_name(service, 0);
    let task = Task {
        project,
        service,
        name: &name,
        resolved,
    };
    let mut body = Fields::default();
    let own = hook.image.clone().filter(|image| !image.is_empty());
    let platform = match own {
        Some(_) => project.default_platform(),
        None => project.platform_of(service),
    };
    body.exactly("Image", own.unwrap_or_else(|| project.image_name(service)));
    body.texts("Cmd", &hook.command);
    body.text("User", hook.user.as_ref());
    body.text("WorkingDir", hook.working_dir.as_ref());
    // Of two values for one name the engine takes the last: the hook's.
    let both = service.environment.iter().chain(&hook.environment);
    let environment: Vec<String> = both
        .map(|(key, value)| match value {
            Some(value) => format!("{key}={value}"),
            None => key.clone(),
        })
        .collect();
    body.texts("Env", &environment);
    body.exactly("Labels", words(&project.pre_start_labels(service)));
    let mut host = Fields::default();
    host.flag("Privileged", hook.privileged);
    host.texts("VolumesFrom", &[beside]);
    let networking = task.networking(&mut host, &[])?;
    body.value("HostConfig", host.finish());
    body.value("NetworkingConfig", networking);
    Ok(ContainerRequest {
        name: String::new(),
        platform: platform.map(str::to_owned),
        body: body.finish(),
    })
}
