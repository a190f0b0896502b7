//! What lies on this machine, where the engine is on another one.
//!
//! A path that is written relative to the project, or to the user's home, means a file here. The
//! engine looks for it on its own machine: there it binds something else, or an empty directory.

use super::{Report, Rule, Subject};
use crate::tree::{Node, Span};
use std::path::Path;

pub const RULES: &[Rule] = &[Rule::always("remote-bind", paths)];

fn paths(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(machine) = subject.engine else {
        return;
    };
    let mut tell = |path: String, node: &Node, instead: &str| {
        let Some(source) = node
            .as_str()
            .filter(|source| is_here(subject, node.span, source))
        else {
            return;
        };
        report.warn(
            path,
            node.span,
            format!("{source} is a path of this machine, and the engine is on {machine}, where it looks for it"),
            instead,
        );
    };
    for service in &subject.services {
        for (index, mount) in service.list(&["volumes"]).iter().enumerate() {
            let kind = mount.get("type").and_then(Node::as_str);
            if let (Some("bind"), Some(source)) = (kind, mount.get("source")) {
                tell(
                    format!("services.{}.volumes[{index}]", service.key),
                    source,
                    "put the files into the image (`build`, COPY) or into a named volume, or write the path that they have on the engine's machine",
                );
            }
        }
    }
    for volume in &subject.volumes {
        let options = volume.spec.get("driver_opts");
        let kind = options.and_then(|o| o.get("o")).and_then(Node::as_str);
        let is_bind = kind.is_some_and(|text| text.split(',').any(|word| word == "bind"));
        if let (true, Some(device)) = (is_bind, options.and_then(|o| o.get("device"))) {
            tell(
                format!("volumes.{}.driver_opts.device", volume.key),
                device,
                "write the path that it has on the engine's machine, or leave the options out: the engine then keeps the volume by itself",
            );
        }
    }
    for section in ["secrets", "configs"] {
        for object in subject.section(section) {
            if let Some(file) = object.spec.get("file") {
                tell(
                    format!("{section}.{}.file", object.key),
                    file,
                    match section {
                        "secrets" => {
                            "give the secret by `environment`: then it is copied into the container"
                        }
                        _ => {
                            "give the config by `content` or `environment`: then it is copied into the container"
                        }
                    },
                );
            }
        }
    }
}

/// Whether a path means a file of this machine: it is written relative, or lies in the project.
fn is_here(subject: &Subject<'_>, written: Span, source: &str) -> bool {
    let text = subject.sources.slice(written).unwrap_or_default();
    let text = text.trim_start_matches(['"', '\'']);
    let is_relative = !text.is_empty() && !text.starts_with(['/', '$']);
    let directory = subject.project.map(|project| &*project.working_dir);
    let is_inside = directory
        .filter(|directory| *directory != Path::new("/"))
        .is_some_and(|directory| Path::new(source).starts_with(directory));
    source.starts_with('/') && (is_relative || is_inside)
}
