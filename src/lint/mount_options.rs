//! Options of a mount that its type does not have.

use super::{Report, Rule, Subject};
use crate::tree::{Map, Node};

pub const RULES: &[Rule] = &[
    Rule::always("ignored-attribute", ignored),
    Rule::always("refused-mount-option", refused),
];

/// A mount, as these rules read it.
struct Mount<'a> {
    node: &'a Node,
    path: String,
}

impl<'a> Mount<'a> {
    fn text(&self, path: &[&str]) -> &'a str {
        let node = self.node.at(path).and_then(Node::as_str);
        node.unwrap_or_default()
    }

    fn says(&self, path: &[&str], value: bool) -> bool {
        self.node.at(path).and_then(Node::as_bool) == Some(value)
    }

    fn kind(&self) -> &'a str {
        self.text(&["type"])
    }

    /// What this mount is to its reader.
    fn in_words(&self) -> String {
        let source = self.text(&["source"]);
        match self.kind() {
            "volume" if source.is_empty() => "this is a volume without a name".to_owned(),
            "volume" => format!("`{source}` is a volume"),
            kind => format!("this is a mount of type {kind}"),
        }
    }

    /// The option that keeps a mount from the engine's short form, which alone takes `selinux`.
    fn long_form(&self) -> Option<&'static str> {
        match self.kind() {
            "bind" if self.says(&["bind", "create_host_path"], false) => {
                Some("`create_host_path: false`")
            }
            "bind" if !self.text(&["bind", "recursive"]).is_empty() => Some("`recursive`"),
            "volume" if self.text(&["source"]).is_empty() => Some("no name"),
            "volume" if !self.text(&["volume", "subpath"]).is_empty() => Some("`subpath`"),
            "volume" if self.entries(&["volume", "labels"]).next().is_some() => Some("`labels`"),
            _ => None,
        }
    }

    fn entries(&self, path: &[&str]) -> impl Iterator<Item = (&'a str, &'a Node)> + use<'a> {
        let map = self.node.at(path).and_then(Node::as_map);
        map.into_iter()
            .flat_map(Map::entries)
            .map(|(key, entry)| (key, &entry.node))
            .filter(|(_, node)| says_something(node))
    }
}

/// Whether a value is more than its default.
fn says_something(node: &Node) -> bool {
    !node.is_null() && node.as_bool() != Some(false) && node.as_str() != Some("")
}

fn mounts<'a>(subject: &Subject<'a>) -> Vec<Mount<'a>> {
    let services = subject.services.iter();
    let all = services.flat_map(|service| {
        let list = service.list(&["volumes"]).iter().enumerate();
        list.map(move |(index, node)| Mount {
            node,
            path: format!("services.{}.volumes[{index}]", service.key),
        })
    });
    all.collect()
}

fn ignored(subject: &Subject<'_>, report: &mut Report<'_>) {
    for mount in mounts(subject) {
        for group in ["bind", "volume", "tmpfs", "image"] {
            for (option, node) in mount.entries(&[group]) {
                // True is what every mount is like.
                if is_refused(&mount, option) || option == "create_host_path" {
                    continue;
                }
                let path = format!("{}.{group}.{option}", mount.path);
                let is_relabelling =
                    option == "selinux" && matches!(mount.kind(), "bind" | "volume");
                if !is_relabelling && group != mount.kind() {
                    report.warn(
                        path,
                        node.span,
                        format!("`{option}` does nothing here: {}", mount.in_words()),
                        &format!("remove it, or make this a mount of type {group}"),
                    );
                } else if let Some(other) = mount.long_form().filter(|_| is_relabelling) {
                    report.warn(
                        path,
                        node.span,
                        format!("`selinux` does nothing beside {other}: the engine takes only one of them"),
                        match other {
                            "no name" => "give the volume a name under `volumes`",
                            _ => "drop one of the two",
                        },
                    );
                }
            }
        }
    }
}

/// Whether the option goes to the engine although the mount's type does not have it: without
/// others, which another form takes, it stands there as in Docker Compose's requests.
fn is_refused(mount: &Mount<'_>, option: &str) -> bool {
    let says = |path: &[&str]| !mount.text(path).is_empty();
    match (mount.kind(), option) {
        ("volume", "propagation") => {
            let nocopy_alone =
                mount.says(&["volume", "nocopy"], true) && !says(&["bind", "selinux"]);
            mount.long_form().is_none() && !nocopy_alone
        }
        ("bind", "nocopy") => {
            let propagation_alone = says(&["bind", "propagation"]) && !says(&["bind", "selinux"]);
            mount.long_form().is_none() && !propagation_alone
        }
        _ => false,
    }
}

fn refused(subject: &Subject<'_>, report: &mut Report<'_>) {
    for mount in mounts(subject) {
        for (group, option, help) in [
            (
                "bind",
                "propagation",
                "propagation is for bind mounts: remove it",
            ),
            (
                "volume",
                "nocopy",
                "nocopy is for volumes, which a bind mount never fills: remove it",
            ),
        ] {
            let found = mount.entries(&[group]).find(|(key, _)| *key == option);
            if let Some((_, node)) = found.filter(|_| is_refused(&mount, option)) {
                let what = match mount.kind() {
                    "bind" => "this is a bind mount".to_owned(),
                    _ => mount.in_words(),
                };
                report.warn(
                    format!("{}.{group}.{option}", mount.path),
                    node.span,
                    format!("the engine will refuse `{option}` here: {what}"),
                    help,
                );
            }
        }
    }
}
