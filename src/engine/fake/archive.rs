//! Copying files into a container, and out of it: their names, since it keeps no contents.

use super::refuse;
use super::world::Container;
use crate::engine::{Archive, EngineError, PathStat};
use futures::StreamExt;

/// What is mounted at a path.
struct Mounted {
    at: String,
    kind: Kind,
}

#[derive(PartialEq, Eq)]
enum Kind {
    Writable,
    ReadOnly,
    /// Comes over what is there when the container starts.
    Tmpfs,
}

impl Container {
    /// Unpacks files (paths relative to `path`), as the engine does it: below the mounts, of which a
    /// tmpfs is not there before the start, and not into a read-only container.
    pub fn unpack(&mut self, path: &str, files: &[String]) -> Result<(), EngineError> {
        // The only directories that it knows are those that it made.
        let is_there = path == "/" || self.files.iter().any(|f| f.starts_with(path));
        if !is_there {
            let name = &self.name;
            return Err(refuse(
                404,
                format!("Could not find the file {path} in container {name}"),
            ));
        }
        if self.host_config("ReadonlyRootfs").as_bool() == Some(true) {
            return Err(refuse(400, "container rootfs is marked read-only"));
        }
        let mounts = self.mounted();
        for file in files {
            let full = format!("{}/{file}", path.trim_end_matches('/'));
            let around = mounts.iter().filter(|m| is_in(&full, &m.at));
            match around.max_by_key(|m| m.at.len()) {
                Some(mount) if mount.at == full && mount.kind != Kind::Tmpfs => {
                    return Err(refuse(
                        500,
                        format!("RemoveAll {file}: device or resource busy"),
                    ));
                }
                Some(mount) if mount.kind == Kind::ReadOnly => {
                    return Err(refuse(500, format!("openat {file}: read-only file system")));
                }
                Some(mount) if mount.kind == Kind::Tmpfs => {}
                _ => self.files.push(full),
            }
        }
        Ok(())
    }

    /// What is at a path: the only files that it knows are those that it was given.
    pub fn stat(&self, path: &str) -> Result<PathStat, EngineError> {
        let path = path.trim_end_matches('/');
        let mode = match self.files.iter().any(|f| f == path) {
            true => 0o644,
            false if self.files.iter().any(|f| is_in(f, path)) => PathStat::DIRECTORY | 0o755,
            false if path.is_empty() => PathStat::DIRECTORY | 0o755,
            false => {
                let name = &self.name;
                return Err(refuse(
                    404,
                    format!("Could not find the file {path} in container {name}"),
                ));
            }
        };
        Ok(PathStat {
            name: path.rsplit('/').next().unwrap_or_default().to_owned(),
            mode,
            ..PathStat::default()
        })
    }

    /// A path as a tar.
    pub fn pack(&self, path: &str) -> Result<Archive, EngineError> {
        let stat = self.stat(path)?;
        let path = path.trim_end_matches('/');
        let around = path.len() - stat.name.len();
        let mut tar = tar::Builder::new(Vec::new());
        for file in self.files.iter().filter(|f| is_in(f, path)) {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o644);
            header.set_size(0);
            tar.append_data(&mut header, &file[around..], std::io::empty())
                .map_err(|e| refuse(500, e.to_string()))?;
        }
        let tar = tar.into_inner().map_err(|e| refuse(500, e.to_string()))?;
        let tar = futures::stream::iter([Ok(tar.into())]).boxed();
        Ok(Archive { stat, tar })
    }

    fn mounted(&self) -> Vec<Mounted> {
        let list = |key: &str| {
            self.host_config(key)
                .as_array()
                .cloned()
                .unwrap_or_default()
        };
        let mut all = Vec::new();
        for bind in list("Binds") {
            let mut parts = bind.as_str().unwrap_or_default().split(':').skip(1);
            let (Some(at), options) = (parts.next(), parts.next().unwrap_or_default()) else {
                continue;
            };
            let kind = match options.split(',').any(|option| option == "ro") {
                true => Kind::ReadOnly,
                false => Kind::Writable,
            };
            all.push(Mounted {
                at: at.into(),
                kind,
            });
        }
        for mount in list("Mounts") {
            let kind = match mount["Type"].as_str() {
                Some("tmpfs") => Kind::Tmpfs,
                Some("image") => Kind::ReadOnly,
                _ if mount["ReadOnly"].as_bool() == Some(true) => Kind::ReadOnly,
                _ => Kind::Writable,
            };
            let at = mount["Target"].as_str().unwrap_or_default().into();
            all.push(Mounted { at, kind });
        }
        let tmpfs = self.host_config("Tmpfs").as_object().into_iter().flatten();
        all.extend(tmpfs.map(|(at, _)| Mounted {
            at: at.clone(),
            kind: Kind::Tmpfs,
        }));
        all
    }
}

fn is_in(path: &str, directory: &str) -> bool {
    let rest = path.strip_prefix(directory.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
