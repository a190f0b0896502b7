//! Whether a service can be asked of an engine at all, before it is.

use super::{ContainerRef, ReadFile, Resolved, container_request, file_contents};
use crate::diagnostic::Diagnostic;
use crate::project::Project;
use crate::service::Service;
use std::collections::BTreeMap;

/// The first thing that the requests for a container of a service cannot say. `containers` are
/// those that it may refer to, by service; `number` as in [`Resolved`].
pub fn refused(
    project: &Project,
    service: &Service,
    name: &str,
    number: Option<u32>,
    containers: &BTreeMap<String, Vec<ContainerRef>>,
    read: &ReadFile<'_>,
) -> Option<Diagnostic> {
    let resolved = Resolved {
        number,
        containers: containers.clone(),
        read: Some(read),
        ..Resolved::default()
    };
    let labels = service.labels.clone();
    let request = container_request(project, service, name, labels, &resolved).map(|_| ());
    let files = || file_contents(project, service, None, &[]).map(|_| ());
    request.and_then(|()| files()).err().map(|refusal| *refusal)
}
