//! The request for a container of `run`.

use super::{Refusal, Resolved, container_request};
use crate::engine::ContainerRequest;
use crate::project::Project;
use crate::service::Service;
use crate::service::one_off::OneOff;
use std::collections::BTreeMap;

/// The request for a one-off of a service, which has [become](Service::turn_into_one_off) what it is
/// to be.
///
/// # Errors
/// Attributes that no engine, or not this one, can honour.
pub fn one_off_request(
    project: &Project,
    service: &Service,
    one_off: &OneOff,
    labels: BTreeMap<String, String>,
    resolved: &Resolved<'_>,
) -> Result<ContainerRequest, Refusal> {
    let mut request = container_request(project, service, &one_off.name, labels, resolved)?;
    if one_off.stdin {
        for key in ["AttachStdin", "OpenStdin", "StdinOnce"] {
            request.body[key] = true.into();
        }
    }
    let host = &mut request.body["HostConfig"];
    if one_off.auto_remove {
        host["AutoRemove"] = true.into();
    }
    if let Some((rows, columns)) = one_off.size.filter(|_| service.tty) {
        host["ConsoleSize"] = serde_json::json!([rows, columns]);
    }
    Ok(request)
}
