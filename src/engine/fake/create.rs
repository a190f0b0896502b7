//! Creating and removing containers.

use super::refuse;
use super::world::{Container, Volume, World, labels};
use crate::engine::{ContainerRequest, ContainerState, EngineError, MountPoint};
use serde_json::Value;
use std::collections::BTreeMap;

/// Whether the engine accepts a name for a container or a volume.
pub(super) fn is_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    name.len() >= 2 && name.as_bytes()[0].is_ascii_alphanumeric() && name.bytes().all(fits)
}

/// The runtimes that the engine has by name.
pub(super) const RUNTIMES: [&str; 2] = ["io.containerd.runc.v2", "runc"];

impl World {
    /// Refuses a name that another container has.
    pub fn check_name(&self, name: &str, shown: &str) -> Result<(), EngineError> {
        if !is_name(name) {
            return Err(refuse(
                400,
                format!(
                    "Invalid container name ({shown}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
                ),
            ));
        }
        match self.containers.values().find(|c| c.name == name) {
            Some(other) => Err(refuse(
                409,
                format!(
                    "Conflict. The container name \"/{name}\" is already in use by container \"{}\". You have to remove (or rename) that container to be able to reuse that name.",
                    other.id
                ),
            )),
            None => Ok(()),
        }
    }

    pub fn create(&mut self, request: ContainerRequest) -> Result<String, EngineError> {
        let body = request.body;
        // In the engine's order: settings, image, name, and what takes other containers.
        check_host_config(&body["HostConfig"])?;
        self.check_bind_sources(&body["HostConfig"])?;
        let host = &body["HostConfig"];
        if let Some(other) = host["PidMode"]
            .as_str()
            .and_then(|m| m.strip_prefix("container:"))
        {
            self.find(other).map_err(|e| refuse(400, e.message()))?;
        }
        let reference = body["Image"].as_str().unwrap_or_default();
        let image = self.image(reference)?.clone();
        if let Some(platform) = &request.platform
            && !image.serves(platform)
        {
            let own = image.platform.as_deref().unwrap_or_default();
            return Err(refuse(
                404,
                format!(
                    "image with reference {reference} was found but its platform ({own}) does not match the specified platform ({platform})"
                ),
            ));
        }
        let name = match request.name.as_str() {
            "" => format!("nameless_{}", self.containers.len()),
            name => name.to_string(),
        };
        self.check_name(&name, &name)?;
        let mut inherited = Vec::new();
        for from in host["VolumesFrom"].as_array().into_iter().flatten() {
            let from = from.as_str().unwrap_or_default();
            let name = from.split(':').next().unwrap_or(from);
            let id = self.find(name).map_err(|e| refuse(400, e.message()))?;
            inherited.extend(self.containers[&id].mounts.clone());
        }

        let id = self.new_id();
        let mut mounts = self.requested_mounts(&body)?;
        let image_volumes = image.volumes.iter().map(|target| anonymous(target));
        for mount in inherited.into_iter().chain(image_volumes) {
            if mounts.iter().all(|m| m.destination != mount.destination) {
                mounts.push(mount);
            }
        }
        for mount in mounts.iter_mut().filter(|m| m.kind == "volume") {
            let unnamed = mount.name.is_empty();
            if unnamed {
                mount.name = self.new_id();
            }
            self.volumes
                .entry(mount.name.clone())
                .or_insert_with(|| Volume {
                    driver: "local".into(),
                    labels: match unnamed {
                        true => {
                            BTreeMap::from([("com.docker.volume.anonymous".into(), String::new())])
                        }
                        false => BTreeMap::new(),
                    },
                    anonymous: unnamed,
                    has_data: false,
                });
            mount.source = format!("/volumes/{}", mount.name);
            mount.driver = "local".into();
        }
        let script = (self.casting.clone())(&name, &body);
        let container = Container {
            id: id.clone(),
            name,
            image_id: image.id.clone(),
            networks: requested_networks(&body),
            labels: labels(&body),
            body,
            created: self.now(),
            state: ContainerState::Created,
            exit_code: 0,
            error: String::new(),
            health: None,
            started_at: 0,
            finished_at: 0,
            restart_count: 0,
            stopped_by_hand: false,
            generation: 0,
            gone: None,
            mounts,
            addresses: BTreeMap::new(),
            ports: Vec::new(),
            log: Vec::new(),
            files: Vec::new(),
            script,
        };
        self.containers.insert(id.clone(), container);
        self.emit(&id, "create", &[]);
        Ok(id)
    }

    /// Long mounts do not make a missing host path, unless told to.
    fn check_bind_sources(&self, host: &Value) -> Result<(), EngineError> {
        for mount in host["Mounts"].as_array().into_iter().flatten() {
            let source = mount["Source"].as_str().unwrap_or_default();
            let creates = mount["BindOptions"]["CreateMountpoint"].as_bool() == Some(true);
            let is_bind = mount["Type"].as_str() == Some("bind");
            if is_bind && !creates && self.missing_paths.contains(source) {
                return Err(refuse(
                    400,
                    format!(
                        "invalid mount config for type \"bind\": bind source path does not exist: {source}"
                    ),
                ));
            }
        }
        Ok(())
    }

    fn requested_mounts(&self, body: &Value) -> Result<Vec<MountPoint>, EngineError> {
        let host = &body["HostConfig"];
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
        let mut mounts = Vec::new();
        for bind in list(&host["Binds"]) {
            let bind = text(&bind);
            let parts: Vec<&str> = bind.split(':').collect();
            mounts.push(match parts.as_slice() {
                [target] => anonymous(target),
                [source, target, ..] if source.starts_with('/') => MountPoint {
                    kind: "bind".into(),
                    source: (*source).into(),
                    destination: (*target).into(),
                    ..MountPoint::default()
                },
                [name, target, ..] => MountPoint {
                    kind: "volume".into(),
                    name: (*name).into(),
                    destination: (*target).into(),
                    ..MountPoint::default()
                },
                [] => continue,
            });
        }
        for mount in list(&host["Mounts"]) {
            let (kind, source) = (text(&mount["Type"]), text(&mount["Source"]));
            let named = kind == "volume";
            mounts.push(MountPoint {
                name: if named { source.clone() } else { String::new() },
                source: if named { String::new() } else { source },
                destination: text(&mount["Target"]),
                kind,
                driver: String::new(),
            });
        }
        for target in body["Volumes"].as_object().into_iter().flatten() {
            mounts.push(anonymous(target.0));
        }
        for (at, mount) in mounts.iter().enumerate() {
            if !mount.destination.starts_with('/') {
                let message = format!(
                    "invalid mount config for type \"{}\": invalid mount path: '{}' mount path must be absolute",
                    mount.kind, mount.destination
                );
                return Err(refuse(400, message));
            }
            if mounts[..at]
                .iter()
                .any(|m| m.destination == mount.destination)
            {
                return Err(refuse(
                    400,
                    format!("Duplicate mount point: {}", mount.destination),
                ));
            }
        }
        Ok(mounts)
    }

    pub fn remove(
        &mut self,
        reference: &str,
        force: bool,
        volumes: bool,
    ) -> Result<(), EngineError> {
        let container = self.get(reference)?;
        let (id, name, state) = (
            container.id.clone(),
            container.name.clone(),
            container.state,
        );
        if !force && state.is_up() {
            let why = match state {
                ContainerState::Paused => "container is paused and must be unpaused first",
                ContainerState::Restarting => {
                    "container is restarting: stop the container before removing or force remove"
                }
                _ => "container is running: stop the container before removing or force remove",
            };
            return Err(refuse(
                409,
                format!("cannot remove container \"{name}\": {why}"),
            ));
        }
        if state.is_up() {
            self.emit(&id, "kill", &[("signal", "9")]);
            self.end(&id, 137, true);
        }
        // Its end may have taken it away.
        self.emit(&id, "destroy", &[]);
        let Some(gone) = self.containers.remove(&id) else {
            return Ok(());
        };
        if volumes {
            for mount in gone.mounts {
                let free = self
                    .containers
                    .values()
                    .all(|c| c.mounts.iter().all(|m| m.name != mount.name));
                let unnamed = self.volumes.get(&mount.name).is_some_and(|v| v.anonymous);
                if free && unnamed {
                    self.volumes.remove(&mount.name);
                }
            }
        }
        Ok(())
    }
}

fn anonymous(target: &str) -> MountPoint {
    MountPoint {
        kind: "volume".into(),
        destination: target.into(),
        ..MountPoint::default()
    }
}

/// The networks a container is to join when it starts.
fn requested_networks(body: &Value) -> BTreeMap<String, String> {
    let mode = body["HostConfig"]["NetworkMode"]
        .as_str()
        .unwrap_or("default");
    let mut networks: BTreeMap<String, String> = body["NetworkingConfig"]["EndpointsConfig"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| (name.clone(), String::new()))
        .collect();
    match mode {
        "" | "default" | "bridge" if networks.is_empty() => {
            networks.insert("bridge".into(), String::new());
        }
        "" | "default" => {}
        _ if mode.starts_with("container:") => networks.clear(),
        name => {
            networks.entry(name.into()).or_default();
        }
    }
    networks
}

fn check_host_config(host: &Value) -> Result<(), EngineError> {
    let runtime = host["Runtime"].as_str().unwrap_or_default();
    // What has a dot or a slash is a shim, which the engine looks for by itself.
    if !runtime.is_empty() && !RUNTIMES.contains(&runtime) && !runtime.contains(['.', '/']) {
        let message = format!("unknown or invalid runtime name: {runtime}");
        return Err(refuse(400, message));
    }
    let policy = host["RestartPolicy"]["Name"].as_str().unwrap_or_default();
    if !["", "no", "always", "on-failure", "unless-stopped"].contains(&policy) {
        return Err(refuse(
            400,
            format!(
                "invalid restart policy: unknown policy '{policy}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'"
            ),
        ));
    }
    if host["AutoRemove"].as_bool() == Some(true) && !["", "no"].contains(&policy) {
        return Err(refuse(
            400,
            "can't create 'AutoRemove' container with restart policy",
        ));
    }
    for (_, bindings) in host["PortBindings"].as_object().into_iter().flatten() {
        for binding in bindings.as_array().into_iter().flatten() {
            let port = binding["HostPort"].as_str().unwrap_or_default();
            let valid = port
                .split('-')
                .all(|p| p.is_empty() || p.parse::<u16>().is_ok());
            if !valid {
                return Err(refuse(
                    400,
                    format!("invalid port specification: \"{port}\""),
                ));
            }
        }
    }
    Ok(())
}
