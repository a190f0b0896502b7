//! Whether a file can be put at a place in a container before it starts.

use crate::service::Service;
use crate::service::mount::MountKind;

/// What a path in a container lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// The container's own files, or a volume.
    Writable,
    /// Something is mounted at the very path.
    Taken,
    /// Mounted only when the container starts, and empty then.
    Tmpfs(&'a str),
    ReadOnly(&'a str),
}

/// The place of a path by the service's own mounts; those of images and of other services are not
/// known before.
pub(super) fn place<'a>(service: &'a Service, path: &str) -> Place<'a> {
    let mounts = service.volumes.iter().map(|mount| {
        let target = mount.target.as_str();
        let place = match mount.kind {
            MountKind::Tmpfs => Place::Tmpfs(target),
            _ if is_same(target, path) => Place::Taken,
            MountKind::Image => Place::ReadOnly(target),
            _ if mount.read_only => Place::ReadOnly(target),
            _ => Place::Writable,
        };
        (target, place)
    });
    let tmpfs = service.tmpfs.iter().map(|text| {
        let target = text.split(':').next().unwrap_or(text);
        (target, Place::Tmpfs(target))
    });
    let around = mounts
        .chain(tmpfs)
        .filter(|(target, _)| is_in(path, target));
    around
        .max_by_key(|(target, _)| target.trim_end_matches('/').len())
        .map_or(Place::Writable, |(_, place)| place)
}

fn is_same(a: &str, b: &str) -> bool {
    a.trim_end_matches('/') == b.trim_end_matches('/')
}

fn is_in(path: &str, directory: &str) -> bool {
    let rest = path.strip_prefix(directory.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
