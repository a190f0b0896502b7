//! Volumes, and files given as secrets and configs.
//!
//! The engine has two ways: `Binds` (short words, creates a missing host path) and `Mounts`
//! (every option). What both can say goes to `Binds`, as Compose does it, so that an inspect
//! shows the same for both tools.

use super::fields::{Fields, words};
use super::{Refusal, Task};
use crate::service::mount::{
    BindOptions, ImageOptions, Mount, MountKind, TmpfsOptions, VolumeOptions,
};
use serde_json::Value;
use std::collections::BTreeSet;

/// The engine's socket, for `use_api_socket`.
const API_SOCKET: &str = "/var/run/docker.sock";

impl Task<'_> {
    pub(super) fn mounts(&self, host: &mut Fields) -> Result<(), Refusal> {
        let mut binds = Vec::new();
        let mut mounts = Vec::new();
        let mut targets = BTreeSet::new();
        for (index, mount) in self.service.volumes.iter().enumerate() {
            targets.insert(mount.target.clone());
            self.check_target(index, mount)?;
            self.check_source(index, mount)?;
            match self.short_form(mount) {
                Some(bind) => binds.push(bind),
                None => mounts.push(self.long_form(index, mount)?),
            }
        }
        if self.service.use_api_socket && targets.insert(API_SOCKET.into()) {
            binds.push(format!("{API_SOCKET}:{API_SOCKET}:rw"));
        }
        let tmpfs = self.service.tmpfs.iter();
        targets.extend(tmpfs.map(|t| t.split(':').next().unwrap_or(t).to_string()));
        // A predecessor's volume under a path that the image declares.
        for (target, name) in &self.resolved.inherited_volumes {
            if targets.insert(target.clone()) {
                mounts.push(plain("volume", Some(name), target, false).finish());
            }
        }
        for (target, file) in self.bound_files()? {
            if targets.insert(target.clone()) {
                mounts.push(plain("bind", Some(&file), &target, true).finish());
            }
        }
        host.texts("Binds", &binds);
        host.list("Mounts", mounts);
        Ok(())
    }

    /// JSON is text: a path with other bytes would mount another directory, an empty one.
    fn check_source(&self, index: usize, mount: &Mount) -> Result<(), Refusal> {
        let source = mount.source.as_deref().unwrap_or_default();
        if mount.kind != MountKind::Bind || !source.contains(char::REPLACEMENT_CHARACTER) {
            return Ok(());
        }
        let index = index.to_string();
        let message = format!(
            "{source} has a name in it that is no UTF-8 (shown as \u{fffd}), which no request to an engine can say"
        );
        let path = ["volumes", index.as_str(), "source"];
        let refusal = self.refuse("path-not-utf8", &path, message);
        Err(Box::new(refusal.help(
            "rename the directory, or mount it by a link whose path is UTF-8",
        )))
    }

    /// No Linux engine mounts at a path that begins with no `/`.
    fn check_target(&self, index: usize, mount: &Mount) -> Result<(), Refusal> {
        let target = &mount.target;
        let is_absolute = target.starts_with('/') || mount.kind == MountKind::Npipe;
        if is_absolute || target.is_empty() {
            return Ok(());
        }
        let index = index.to_string();
        let (code, path) = ("mount-target", ["volumes", index.as_str(), "target"]);
        let is_drive = target.as_bytes().get(1) == Some(&b':') && mount.source.is_none();
        let (message, help) = match is_drive {
            true => (
                format!(
                    "`{target}` is read as a path on a Windows drive, which is not absolute here"
                ),
                "give the volume a name of two letters or more, or write this mount in long form",
            ),
            false => (
                format!("`{target}`, the path in the container, is not absolute"),
                "a path in the container begins with `/`",
            ),
        };
        let refusal = self.refuse(code, &path, message);
        Err(Box::new(refusal.help(help)))
    }

    /// `source:target:options`, where that says it all. It is the only form that takes `selinux`:
    /// beside it, propagation and `nocopy` go in short form, too.
    fn short_form(&self, mount: &Mount) -> Option<String> {
        let source = mount.source.as_ref().filter(|s| !s.is_empty())?;
        let bind = mount.bind.as_ref();
        let selinux = bind.and_then(|b| given(&b.selinux));
        let propagation = bind.and_then(|b| given(&b.propagation));
        let nocopy = mount.volume.as_ref().is_some_and(|v| v.nocopy);
        let is_relabelled = selinux.is_some();
        let source = match mount.kind {
            MountKind::Bind => {
                let is_long =
                    bind.is_some_and(|b| !b.create_host_path || given(&b.recursive).is_some());
                if is_long || (propagation.is_some() && !is_relabelled) {
                    return None;
                }
                source
            }
            MountKind::Volume => {
                let is_long = mount
                    .volume
                    .as_ref()
                    .is_some_and(|v| v.subpath.is_some() || !v.labels.is_empty());
                if is_long || (nocopy && !is_relabelled) {
                    return None;
                }
                &self.project.volumes.get(source)?.name
            }
            _ => return None,
        };
        if source.contains(':') || mount.target.contains(':') {
            return None;
        }
        // The engine refuses `nocopy` on a bind and propagation on a volume; a warning tells where.
        let mut options = vec![if mount.read_only { "ro" } else { "rw" }];
        options.extend(selinux);
        options.extend(propagation);
        options.extend(nocopy.then_some("nocopy"));
        Some(format!("{source}:{}:{}", mount.target, options.join(",")))
    }

    fn long_form(&self, index: usize, mount: &Mount) -> Result<Value, Refusal> {
        let Mount {
            kind,
            source,
            target,
            read_only,
            consistency,
            bind,
            volume,
            tmpfs,
            image,
        } = mount;
        let index = index.to_string();
        let word = match kind {
            MountKind::Bind => "bind",
            MountKind::Volume => "volume",
            MountKind::Tmpfs => "tmpfs",
            MountKind::Image => "image",
            MountKind::Npipe => "npipe",
            MountKind::Cluster => "cluster",
        };
        let declared = source.as_deref().filter(|s| !s.is_empty());
        let source = match kind {
            MountKind::Volume => match declared {
                Some(key) => Some(self.volume_name(key, &index)?),
                // Taken over from the predecessor, where there is one.
                None => self.resolved.inherited_volumes.get(target).cloned(),
            },
            MountKind::Image => declared.map(|source| self.project.mounted_image(source)),
            _ => declared.map(str::to_string),
        };
        if source.is_none() && matches!(kind, MountKind::Bind | MountKind::Image) {
            return Err(self.refuse(
                "mount-source",
                &["volumes", &index],
                format!("a mount of type {word:?} needs a source"),
            ));
        }
        let mut f = plain(word, source.as_ref(), target, *read_only);
        f.text("Consistency", consistency.as_ref());
        match kind {
            MountKind::Bind => {
                let default = BindOptions::default();
                let bind = bind.as_ref().unwrap_or(&default);
                f.value("BindOptions", bind_options(bind));
            }
            MountKind::Volume => {
                if let Some(volume) = volume {
                    let VolumeOptions {
                        labels,
                        nocopy,
                        subpath,
                    } = volume;
                    let mut options = Fields::default();
                    options.flag("NoCopy", *nocopy);
                    options.text("Subpath", subpath.as_ref());
                    options.value("Labels", words(labels));
                    f.value("VolumeOptions", options.finish());
                }
            }
            MountKind::Tmpfs => {
                if let Some(TmpfsOptions { size, mode }) = tmpfs {
                    let mut options = Fields::default();
                    options.number("SizeBytes", size.map_or(0, |b| b.0));
                    options.number("Mode", i64::from(mode.unwrap_or(0)));
                    f.value("TmpfsOptions", options.finish());
                }
            }
            MountKind::Image => {
                if let Some(ImageOptions { subpath }) = image {
                    let mut options = Fields::default();
                    options.text("Subpath", subpath.as_ref());
                    f.value("ImageOptions", options.finish());
                }
            }
            MountKind::Npipe | MountKind::Cluster => {}
        }
        Ok(f.finish())
    }

    fn volume_name(&self, key: &str, index: &str) -> Result<String, Refusal> {
        match self.project.volumes.get(key) {
            Some(volume) => Ok(volume.name.clone()),
            // A one-off may mount what the project does not declare (`run -v`).
            None if self.resolved.number.is_none() => Ok(key.to_owned()),
            None => Err(self.refuse(
                "undefined-volume",
                &["volumes", index, "source"],
                format!("volume {key:?} is not defined"),
            )),
        }
    }
}

fn plain(kind: &str, source: Option<&String>, target: &str, read_only: bool) -> Fields {
    let mut f = Fields::default();
    f.exactly("Type", kind);
    f.text("Source", source);
    f.exactly("Target", target);
    f.flag("ReadOnly", read_only);
    f
}

/// An option that says something.
fn given(word: &Option<String>) -> Option<&str> {
    word.as_deref().filter(|w| !w.is_empty())
}

fn bind_options(bind: &BindOptions) -> Value {
    let BindOptions {
        // The short form's alone.
        selinux: _,
        propagation,
        create_host_path,
        recursive,
    } = bind;
    let mut f = Fields::default();
    f.text("Propagation", propagation.as_ref());
    f.flag("CreateMountpoint", *create_host_path);
    match recursive.as_deref() {
        Some("disabled") => f.flag("NonRecursive", true),
        Some("writable") => f.flag("ReadOnlyNonRecursive", true),
        Some("readonly") => f.flag("ReadOnlyForceRecursive", true),
        _ => {}
    }
    f.finish()
}
