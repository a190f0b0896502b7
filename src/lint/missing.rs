//! What the files name, and no service can be made without. Before anything is changed the
//! command stops there (`change/preflight.rs`); here it is told when the files are checked.

use super::{Report, Rule, Subject};
use crate::load::FileKind;
use crate::tree::Node;
use crate::value::program;
use std::path::Path;

pub const RULES: &[Rule] = &[
    Rule::checking("external-secret", external),
    Rule::checking("missing-build-context", contexts),
    Rule::checking("missing-file-source", sources),
    Rule::checking("missing-provider", providers),
    Rule::checking("missing-seccomp-profile", profiles),
];

/// Secrets and configs that only a swarm has.
fn external(subject: &Subject<'_>, report: &mut Report<'_>) {
    for service in &subject.services {
        for section in ["secrets", "configs"] {
            for (index, reference) in service.list(&[section]).iter().enumerate() {
                let source = reference.get("source").and_then(Node::as_str);
                let mut objects = subject.section(section);
                let object = objects.find(|object| Some(object.key) == source);
                let Some(object) = object.filter(|object| object.is_external()) else {
                    continue;
                };
                let what = section.trim_end_matches('s');
                report.warn(
                    format!("services.{}.{section}[{index}]", service.key),
                    reference.span,
                    format!("{what} {} is external, and only a swarm has such: the service cannot be created", object.key),
                    "give it a `file`, `environment` or `content`",
                );
            }
        }
    }
}

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
                    format!("{file} is not there: no service that uses it can start"),
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
                format!("nothing can be built: {context} is not there"),
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
                format!("the provider's program {kind:?} is not there"),
                &program::advice(kind),
            );
        }
    }
}

/// Profiles of `security_opt: [seccomp=…]`, which are read here and sent along.
fn profiles(subject: &Subject<'_>, report: &mut Report<'_>) {
    for service in &subject.services {
        for (index, option) in service.list(&["security_opt"]).iter().enumerate() {
            let text = option.as_str().unwrap_or_default();
            let parts = text.split_once('=').or_else(|| text.split_once(':'));
            let Some(("seccomp", profile)) = parts else {
                continue;
            };
            let file = subject.directory.join(profile);
            let is_word = ["unconfined", "builtin"].contains(&profile);
            if !is_word && subject.files.kind(&file).is_none() {
                report.warn(
                    format!("services.{}.security_opt[{index}]", service.key),
                    option.span,
                    format!("{} is not there: the service cannot be created", file.display()),
                    "mend the path, which starts from the project's directory, or write seccomp=unconfined",
                );
            }
        }
    }
}
