//! What the files name, and no service can be made without. Before anything is changed the
//! command stops there (`change/preflight.rs`); here it is told when the files are checked.

use super::{Report, Rule, Subject};
use crate::diagnostic::{Diagnostic, Severity};
use crate::engine::request::{ContainerRef, refused as refusal_of};
use crate::load::FileKind;
use crate::value::program;
use std::collections::BTreeMap;
use std::path::Path;

pub const RULES: &[Rule] = &[
    Rule::checking("missing-build-context", contexts),
    Rule::checking("missing-file-source", sources),
    Rule::checking("missing-provider", providers),
    Rule::checking("refused-service", refused),
];

fn sources(subject: &Subject<'_>, report: &mut Report<'_>) {
    for section in ["secrets", "configs"] {
        for object in subject.section(section) {
            let Some((file, at)) = object.text(&["file"]) else {
                continue;
            };
            if file.starts_with('/') && subject.files.kind(Path::new(file)).is_none() {
                report.warn(
                    format!("{section}.{}.file", object.key),
                    at,
                    format!("{file} does not exist: no service that uses it can start"),
                    "make the file, or give the content by `environment`",
                );
            }
        }
    }
}

fn contexts(subject: &Subject<'_>, report: &mut Report<'_>) {
    for service in &subject.services {
        let Some((context, at)) = service.text(&["build", "context"]) else {
            continue;
        };
        if !context.starts_with('/') {
            continue;
        }
        let path = format!("services.{}.build", service.key);
        if subject.files.kind(Path::new(context)).is_none() {
            report.warn(
                format!("{path}.context"),
                at,
                format!("nothing can be built: {context} does not exist"),
                "a relative context starts from the directory of the file that names it",
            );
            continue;
        }
        if let Some((file, at)) = service.text(&["build", "dockerfile"])
            && service.spec.at(&["build", "dockerfile_inline"]).is_none()
            && !file.contains("://")
            && subject.files.kind(&Path::new(context).join(file)).is_none()
        {
            report.warn(
                format!("{path}.dockerfile"),
                at,
                format!("nothing can be built: there is no {file} in {context}"),
                "`dockerfile` is looked for in the context",
            );
        }
    }
}

/// Programs of `provider.type`.
fn providers(subject: &Subject<'_>, report: &mut Report<'_>) {
    for service in &subject.services {
        let Some((kind, at)) = service.text(&["provider", "type"]) else {
            continue;
        };
        let mut places = program::provider(subject.environment, kind);
        if !places.any(|place| subject.files.kind(&place) == Some(FileKind::File)) {
            report.warn(
                format!("services.{}.provider.type", service.key),
                at,
                format!("the provider's program {kind:?} does not exist"),
                &program::advice(kind),
            );
        }
    }
}

/// The codes of refusals that another rule explains.
const EXPLAINED: [&str; 2] = ["invalid-port", "mount-target"];

/// What no request to an engine can say: an external secret, a profile of seccomp that cannot be
/// read… The very requests are made that would be sent.
fn refused(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(project) = subject.project else {
        return;
    };
    let containers = project.services.values().map(|service| {
        let name = project.container_name(service, 1);
        let container = ContainerRef {
            id: name.clone(),
            name,
        };
        (service.name.clone(), vec![container])
    });
    let containers: BTreeMap<_, _> = containers.collect();
    let read = |path: &Path| subject.files.read(path);
    for service in project.services.values().filter(|s| s.provider.is_none()) {
        let name = project.container_name(service, 1);
        let refusal = refusal_of(project, service, &name, Some(1), &containers, &read);
        if let Some(refusal) = refusal.filter(|r| !EXPLAINED.contains(&r.code)) {
            report.push(Diagnostic {
                code: report.code,
                severity: Severity::Warning,
                message: format!("{}: the service cannot be created", refusal.message),
                ..refusal
            });
        }
    }
}
