//! What containers get from the host's file system.

use super::{Item, Report, Rule, Subject};
use crate::tree::Node;
use std::path::Path;

pub const RULES: &[Rule] = &[
    Rule::always("missing-bind-file", binds),
    Rule::checking("missing-bind-source", sources),
    Rule::checking("relative-target", targets),
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

/// What a bind mount takes from the host, where it is not there: index, source and target, and
/// whether the engine makes a directory in its place.
fn missing_binds<'a>(
    subject: &Subject<'_>,
    service: &Item<'a>,
) -> Vec<(usize, &'a Node, &'a str, bool)> {
    let mounts = service.list(&["volumes"]).iter().enumerate();
    let missing = mounts.filter_map(|(index, mount)| {
        let text = |key: &str| mount.get(key).and_then(Node::as_str).unwrap_or_default();
        let source = text("source");
        let is_bind = text("type") == "bind" && source.starts_with('/');
        if !is_bind || subject.files.kind(Path::new(source)).is_some() {
            return None;
        }
        let creates = mount.at(&["bind", "create_host_path"]);
        let creates = creates.and_then(Node::as_bool) != Some(false);
        Some((index, mount.get("source")?, text("target"), creates))
    });
    missing.collect()
}

fn binds(subject: &Subject<'_>, report: &mut Report<'_>) {
    for service in &subject.services {
        for (index, node, target, creates) in missing_binds(subject, service) {
            let source = node.as_str().unwrap_or_default();
            let is_of_system = OF_THE_SYSTEM.iter().any(|dir| source.starts_with(dir));
            if creates && !is_of_system && looks_like_file(source) && looks_like_file(target) {
                report.warn(
                    format!("services.{}.volumes[{index}]", service.key),
                    node.span,
                    format!("{source} does not exist: the engine makes a directory of this name"),
                    "make the file before the first start; a directory that was made in its place must go first",
                );
            }
        }
    }
}

fn sources(subject: &Subject<'_>, report: &mut Report<'_>) {
    for service in &subject.services {
        for (index, node, _, creates) in missing_binds(subject, service) {
            let source = node.as_str().unwrap_or_default();
            if !creates && !OF_THE_SYSTEM.iter().any(|dir| source.starts_with(dir)) {
                report.warn(
                    format!("services.{}.volumes[{index}]", service.key),
                    node.span,
                    format!("the engine will refuse this: {source} does not exist"),
                    "make it, or let `create_host_path` be true",
                );
            }
        }
    }
}

/// Where a mount's path in the container begins with no `/`. A drive's letter begins an absolute
/// path of another system, and Compose takes `v:data` for one, whatever volumes there are.
fn targets(subject: &Subject<'_>, report: &mut Report<'_>) {
    for service in &subject.services {
        for (index, mount) in service.list(&["volumes"]).iter().enumerate() {
            let Some(target) = mount.get("target") else {
                continue;
            };
            let text = target.as_str().unwrap_or_default();
            let is_pipe = mount.get("type").and_then(Node::as_str) == Some("npipe");
            if text.is_empty() || text.starts_with('/') || is_pipe {
                continue;
            }
            let path = format!("services.{}.volumes[{index}]", service.key);
            let source = mount
                .get("source")
                .and_then(Node::as_str)
                .unwrap_or_default();
            match text.split_once(':') {
                // A source of its own, or none: `v:data` is one path.
                Some((drive, rest)) if drive.len() == 1 && source.is_empty() => report.warn(
                    path,
                    target.span,
                    format!("the engine will refuse this: `{text}` is read as a path on the Windows drive {drive}, not as the volume `{drive}`"),
                    &format!(
                        "give the volume a name of two letters or more, or write {{type: volume, source: {drive}, target: /{}}}",
                        rest.trim_start_matches('/')
                    ),
                ),
                _ => report.warn(
                    path,
                    target.span,
                    format!("the engine will refuse this: `{text}`, the path in the container, is not absolute"),
                    &match text.contains(['\\', ':']) {
                        true => "a path in the container begins with `/`".to_owned(),
                        false => format!("write `/{text}`"),
                    },
                ),
            }
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
                    "access to the engine's socket is full access to the machine, read-only or not",
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
