//! What containers get from the host's file system.

use super::{Report, Rule, Subject};
use crate::tree::Node;
use std::path::Path;

pub const RULES: &[Rule] = &[
    Rule::always("missing-bind-file", binds),
    Rule::always("relative-target", targets),
    Rule::checking("missing-file-source", sources),
    Rule::checking("missing-build-context", contexts),
    Rule::checking("docker-socket", socket).on_request(),
];

/// Whether a path looks like that of a file: `site.conf`, but not `conf.d` or `.cache`.
fn looks_like_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.') {
        Some((stem, ext)) => {
            let letters = ext.chars().all(|c| c.is_ascii_alphanumeric());
            let is_version = ext.chars().all(|c| c.is_ascii_digit());
            !stem.is_empty() && letters && !is_version && (2..=8).contains(&ext.len())
        }
        None => matches!(name, "Caddyfile" | "Dockerfile" | "Makefile" | "Procfile"),
    }
}

/// What the host makes while it runs; it may be there when the container starts.
const OF_THE_SYSTEM: [&str; 5] = ["/run/", "/var/run/", "/dev/", "/proc/", "/sys/"];

fn binds(subject: &Subject<'_>, report: &mut Report<'_>) {
    for service in &subject.services {
        for (index, mount) in service.list(&["volumes"]).iter().enumerate() {
            let text = |key: &str| mount.get(key).and_then(Node::as_str).unwrap_or_default();
            let (source, target) = (text("source"), text("target"));
            let is_of_system = OF_THE_SYSTEM.iter().any(|dir| source.starts_with(dir));
            if text("type") != "bind" || !source.starts_with('/') || is_of_system {
                continue;
            }
            if subject.files.kind(Path::new(source)).is_some() {
                continue;
            }
            let creates = mount
                .at(&["bind", "create_host_path"])
                .and_then(Node::as_bool);
            let path = format!("services.{}.volumes[{index}]", service.key);
            let at = mount.get("source").map_or(mount.span, |n| n.span);
            if creates == Some(false) {
                report.warn(
                    path,
                    at,
                    format!("the engine will refuse this: {source} is not there"),
                    "make it, or let `create_host_path` be true",
                );
            } else if looks_like_file(source) && looks_like_file(target) {
                report.warn(
                    path,
                    at,
                    format!("{source} is not there: the engine makes a directory of this name"),
                    "make the file before the first start; a directory that was made in its place must go first",
                );
            }
        }
    }
}

/// A drive's letter begins an absolute path of another system.
fn is_absolute(target: &str) -> bool {
    let mut chars = target.chars();
    let first = chars.next();
    matches!(first, None | Some('/' | '\\'))
        || first.is_some_and(char::is_alphabetic) && chars.next() == Some(':')
}

fn targets(subject: &Subject<'_>, report: &mut Report<'_>) {
    for service in &subject.services {
        for (index, mount) in service.list(&["volumes"]).iter().enumerate() {
            let Some(target) = mount.get("target") else {
                continue;
            };
            let text = target.as_str().unwrap_or_default();
            if !is_absolute(text) {
                report.warn(
                    format!("services.{}.volumes[{index}]", service.key),
                    target.span,
                    format!("the engine will refuse this: `{text}`, the path in the container, is not absolute"),
                    &format!("write `/{text}`"),
                );
                continue;
            }
            // `v:/data` is read as a path on a drive, whatever volumes there are.
            let drive = text.split_once(':').map_or("", |(letter, _)| letter);
            if mount.get("source").is_none() && subject.volumes.iter().any(|v| v.key == drive) {
                report.warn(
                    format!("services.{}.volumes[{index}]", service.key),
                    target.span,
                    format!("`{text}` is one path on a drive, as on Windows: the volume `{drive}` is not mounted"),
                    "give the volume a name of two letters or more, or write this mount in long form",
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

fn socket(subject: &Subject<'_>, report: &mut Report<'_>) {
    for service in &subject.services {
        for (index, mount) in service.list(&["volumes"]).iter().enumerate() {
            let source = mount
                .get("source")
                .and_then(Node::as_str)
                .unwrap_or_default();
            if source.ends_with("/docker.sock") {
                report.warn(
                    format!("services.{}.volumes[{index}]", service.key),
                    mount.span,
                    "who speaks to the engine's socket owns the machine, read-only or not",
                    "put a proxy in between that lets only the needed requests through",
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::looks_like_file;

    #[test]
    fn files_have_endings() {
        for (path, is_file) in [
            ("/a/nginx.conf", true),
            ("/a/my.cnf", true),
            ("/a/conf.d", false),
            ("/a/.cache", false),
            ("/a/Caddyfile", true),
            ("/a/data", false),
            ("/a/v1.20", false),
        ] {
            assert_eq!(looks_like_file(path), is_file, "{path}");
        }
    }
}
