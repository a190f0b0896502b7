//! The life of a container's process.

use super::world::{Container, World};
use super::{LogLine, refuse};
use crate::engine::{ContainerState, EngineError, Health, OutputStream, PublishedPort};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// The first port the engine hands out by itself.
const FIRST_EPHEMERAL: u16 = 32768;

impl World {
    /// Starts a container: `Ok(false)` if it runs already. `again` is a restart by policy.
    pub fn start(&mut self, reference: &str, again: bool) -> Result<bool, EngineError> {
        let container = self.get(reference)?;
        let id = container.id.clone();
        match container.state {
            ContainerState::Running => return Ok(false),
            ContainerState::Paused => {
                return Err(refuse(
                    409,
                    "cannot start a paused container, try unpause instead",
                ));
            }
            _ => {}
        }
        match self.prepare(&id) {
            Ok(ports) => {
                let now = self.now();
                let image_probes = self.probes(&self.containers[&id]);
                let container = self.get(&id)?;
                container.state = ContainerState::Running;
                container.exit_code = 0;
                container.error.clear();
                container.started_at = now;
                container.generation += 1;
                container.ports = ports;
                container.health = image_probes.then_some(Health::Starting);
                if !again {
                    container.restart_count = 0;
                    container.stopped_by_hand = false;
                }
                let mounted = self.containers[&id].mounts.iter();
                for name in mounted.map(|m| &m.name) {
                    if let Some(volume) = self.volumes.get_mut(name) {
                        volume.has_data = true;
                    }
                }
                self.emit(&id, "start", &[]);
                Ok(true)
            }
            Err(error) => {
                let container = self.get(&id)?;
                container.error = error.message().to_string();
                container.exit_code = if container.script.start_error.is_some() {
                    127
                } else {
                    128
                };
                if container.state == ContainerState::Restarting {
                    container.state = ContainerState::Exited;
                }
                self.remove_automatically(&id);
                Err(error)
            }
        }
    }

    /// Whether a container has a healthcheck, its own or its image's.
    fn probes(&self, container: &Container) -> bool {
        match container.body["Healthcheck"]["Test"]
            .as_array()
            .map(Vec::as_slice)
        {
            Some([first, ..]) => first.as_str() != Some("NONE"),
            _ => self
                .image(&container.image_id)
                .or_else(|_| self.image(container.image()))
                .is_ok_and(|image| image.has_healthcheck),
        }
    }

    /// Everything that a start needs from elsewhere. Gives the ports it takes.
    fn prepare(&mut self, id: &str) -> Result<Vec<PublishedPort>, EngineError> {
        let container = &self.containers[id];
        let mode = |key: &str| {
            container
                .host_config(key)
                .as_str()
                .unwrap_or_default()
                .to_string()
        };
        for key in ["NetworkMode", "PidMode", "IpcMode"] {
            let mode = mode(key);
            let Some(other) = mode.strip_prefix("container:") else {
                continue;
            };
            let other = self.find(other).map_err(|e| match key {
                "NetworkMode" => refuse(
                    500,
                    format!("joining network namespace of container: {}", e.message()),
                ),
                "PidMode" => refuse(
                    500,
                    format!("failed to join PID namespace: {}", e.message()),
                ),
                _ => e,
            })?;
            if other == id && key == "NetworkMode" {
                return Err(refuse(500, "cannot join own network namespace"));
            }
            let other = &self.containers[&other];
            if other.state == ContainerState::Running || other.state == ContainerState::Paused {
                continue;
            }
            return Err(match key {
                "NetworkMode" => refuse(
                    409,
                    format!(
                        "cannot join network namespace of a non running container: container {} is {}",
                        other.name,
                        other.state.as_str()
                    ),
                ),
                "PidMode" => refuse(
                    500,
                    format!(
                        "failed to join PID namespace: container {} is not running",
                        other.id
                    ),
                ),
                _ => refuse(
                    409,
                    format!(
                        "failed to join IPC namespace: container {} is not running",
                        other.id
                    ),
                ),
            });
        }
        let before = container.networks.clone();
        self.join(id)?;
        let ports = self.take_ports(id)?;
        if let Some((status, message)) = self.containers[id].script.start_error.clone() {
            // The engine cleans up after a process that could not be started.
            let container = self.get(id)?;
            container.networks = before;
            container.addresses.clear();
            return Err(refuse(status, message));
        }
        Ok(ports)
    }

    /// Joins a container's networks, the one of its mode first. Those before a missing one stay
    /// joined.
    fn join(&mut self, id: &str) -> Result<(), EngineError> {
        let container = &self.containers[id];
        let mode = container.host_config("NetworkMode").clone();
        let mut names: Vec<String> = container.networks.keys().cloned().collect();
        names.sort_by_key(|name| mode.as_str() != Some(name));
        for name in names {
            let known = self.containers[id].networks[&name].clone();
            let found = match known.is_empty() {
                true => self
                    .networks
                    .get(&name)
                    .or_else(|| self.networks.values().find(|n| n.id == name)),
                // Once joined, the network is known by its id.
                false => self.networks.values().find(|n| n.id == known),
            };
            let Some(network) = found else {
                let missing = if known.is_empty() { &name } else { &known };
                return Err(refuse(
                    404,
                    format!("failed to set up container networking: network {missing} not found"),
                ));
            };
            let joined = network.id.clone();
            let address = self.address(id, &name).map_err(|error| match error {
                EngineError::Refused { status, message } => refuse(
                    status,
                    format!("failed to set up container networking: {message}"),
                ),
                error => error,
            });
            if address.is_err() {
                self.get(id)?.addresses.clear();
            }
            let address = address?;
            let container = self.get(id)?;
            container.networks.insert(name.clone(), joined);
            container.addresses.extend(address.map(|a| (name, a)));
        }
        Ok(())
    }

    fn take_ports(&self, id: &str) -> Result<Vec<PublishedPort>, EngineError> {
        let container = &self.containers[id];
        let taken: BTreeSet<(u16, String)> = self
            .containers
            .values()
            .filter(|c| c.is_up() && c.id != id)
            .flat_map(|c| c.ports.iter())
            .filter_map(|p| Some((p.public?, p.protocol.clone())))
            .collect();
        let free = |port: u16, protocol: &str, own: &[PublishedPort]| {
            !self.occupied.contains(&port)
                && !taken.contains(&(port, protocol.to_string()))
                && own
                    .iter()
                    .all(|p| p.public != Some(port) || p.protocol != protocol)
        };
        let mut ports = Vec::new();
        let exposed = container.body["ExposedPorts"].as_object();
        let bindings = container.host_config("PortBindings");
        for key in exposed.into_iter().flat_map(|map| map.keys()) {
            let (private, protocol) = key.split_once('/').unwrap_or((key, "tcp"));
            let private = private.parse().unwrap_or(0);
            let wanted = bindings[key].as_array().cloned().unwrap_or_default();
            if wanted.is_empty() {
                ports.push(PublishedPort {
                    ip: None,
                    private,
                    public: None,
                    protocol: protocol.into(),
                });
            }
            for binding in wanted {
                let host_port = binding["HostPort"].as_str().unwrap_or_default();
                let range = match host_port.split_once('-') {
                    _ if host_port.is_empty() || host_port == "0" => FIRST_EPHEMERAL..=u16::MAX,
                    Some((from, to)) => from.parse().unwrap_or(0)..=to.parse().unwrap_or(0),
                    None => {
                        let port = host_port.parse().unwrap_or(0);
                        port..=port
                    }
                };
                let ip = binding["HostIp"]
                    .as_str()
                    .filter(|ip| !ip.is_empty())
                    .unwrap_or("0.0.0.0");
                let Some(public) = range.clone().find(|p| free(*p, protocol, &ports)) else {
                    return Err(refuse(
                        500,
                        format!(
                            "failed to set up container networking: driver failed programming external connectivity on endpoint {} ({}): Bind for {ip}:{} failed: port is already allocated",
                            container.name,
                            container.id,
                            range.end()
                        ),
                    ));
                };
                ports.push(PublishedPort {
                    ip: Some(ip.into()),
                    private,
                    public: Some(public),
                    protocol: protocol.into(),
                });
            }
        }
        Ok(ports)
    }

    /// Ends a process. `by_hand` is a call's doing.
    pub fn end(&mut self, id: &str, code: i64, by_hand: bool) {
        let now = self.now();
        let Some(container) = self.containers.get_mut(id) else {
            return;
        };
        container.state = ContainerState::Exited;
        container.exit_code = code;
        container.finished_at = now;
        container.generation += 1;
        container.ports.clear();
        container.addresses.clear();
        container.stopped_by_hand |= by_hand;
        self.emit(id, "die", &[("exitCode", &code.to_string())]);
        self.ends.insert(id.to_owned(), code);
        self.remove_automatically(id);
    }

    /// A container that is to be removed at its end goes, with its anonymous volumes.
    fn remove_automatically(&mut self, id: &str) {
        let container = self.containers.get(id);
        let is_asked_for = container
            .is_some_and(|c| !c.is_up() && c.host_config("AutoRemove").as_bool() == Some(true));
        if is_asked_for {
            // It does not run, so nothing refuses that.
            let _ = self.remove(id, true, true);
        }
    }

    /// A process ends by itself. Gives the delay before its restart policy starts it again.
    pub fn exit(&mut self, id: &str, code: i64, by_hand: bool) -> Option<(Duration, u64)> {
        let container = self.containers.get(id)?;
        if !matches!(
            container.state,
            ContainerState::Running | ContainerState::Paused
        ) {
            return None;
        }
        self.end(id, code, by_hand);
        let container = self.containers.get_mut(id)?;
        let policy = container.host_config("RestartPolicy").clone();
        let most = policy["MaximumRetryCount"].as_i64().unwrap_or(0);
        let again = match policy["Name"].as_str().unwrap_or_default() {
            "always" | "unless-stopped" => true,
            "on-failure" => code != 0 && (most == 0 || container.restart_count < most),
            _ => false,
        };
        if !again || container.stopped_by_hand {
            return None;
        }
        let delay = Duration::from_millis(100 << container.restart_count.min(9));
        container.restart_count += 1;
        container.state = ContainerState::Restarting;
        Some((delay, container.generation))
    }

    pub fn set_health(&mut self, id: &str, health: Health) {
        let Some(container) = self.containers.get_mut(id) else {
            return;
        };
        if !container.is_up() || container.health.is_none() || container.health == Some(health) {
            return;
        }
        container.health = Some(health);
        let word = match health {
            Health::Starting => "starting",
            Health::Healthy => "healthy",
            Health::Unhealthy => "unhealthy",
        };
        self.emit(id, &format!("health_status: {word}"), &[]);
    }

    pub fn print(&mut self, id: &str, stream: OutputStream, text: &str) {
        let time = self.now();
        if let Some(container) = self.containers.get_mut(id).filter(|c| c.is_up()) {
            container.log.push(LogLine {
                time,
                stream,
                text: text.to_string(),
            });
        }
    }

    pub fn rename(&mut self, reference: &str, name: &str) -> Result<(), EngineError> {
        let id = self.find(reference)?;
        if name.is_empty() {
            return Err(refuse(400, "Neither old nor new names may be empty"));
        }
        if self.containers[&id].name == name {
            return Err(refuse(
                400,
                "Renaming a container with the same name as its current name",
            ));
        }
        self.check_name(name, &format!("/{name}")).map_err(|e| {
            let message = format!("Error when allocating new name: {}", e.message());
            refuse(if e.is_conflict() { 409 } else { 400 }, message)
        })?;
        let container = self.get(&id)?;
        let old = std::mem::replace(&mut container.name, name.to_string());
        self.emit(&id, "rename", &[("oldName", &format!("/{old}"))]);
        Ok(())
    }

    /// How long a stop takes and how the process ends: by itself, or killed after the timeout.
    pub fn stop_of(&self, container: &Container, timeout: Option<i64>) -> (Duration, i64) {
        let own = container.body["StopTimeout"].as_i64();
        let seconds = timeout.or(own).unwrap_or(10);
        let limit = match u64::try_from(seconds) {
            Ok(seconds) => Duration::from_secs(seconds),
            Err(_) => Duration::MAX,
        };
        let signal = container.body["StopSignal"].as_str().unwrap_or("SIGTERM");
        if matches!(signal, "SIGKILL" | "KILL" | "9") {
            return (Duration::ZERO, 137);
        }
        match container.script.on_stop {
            Some((delay, code)) if delay <= limit => (delay, code),
            // Nothing would ever end this wait; a long time stands for it.
            _ if limit == Duration::MAX => (Duration::from_secs(u64::from(u32::MAX)), 137),
            _ => (limit, 137),
        }
    }
}

/// The number of a signal's name, where it is one.
pub(super) fn signal_number(signal: &str) -> Option<u8> {
    const NAMES: [(&str, u8); 13] = [
        ("HUP", 1),
        ("INT", 2),
        ("QUIT", 3),
        ("KILL", 9),
        ("USR1", 10),
        ("USR2", 12),
        ("ALRM", 14),
        ("TERM", 15),
        ("CHLD", 17),
        ("CONT", 18),
        ("STOP", 19),
        ("TSTP", 20),
        ("WINCH", 28),
    ];
    if let Ok(number) = signal.parse() {
        return (1..=64).contains(&number).then_some(number);
    }
    let upper = signal.to_ascii_uppercase();
    let bare = upper.strip_prefix("SIG").unwrap_or(&upper);
    NAMES
        .iter()
        .find(|(name, _)| *name == bare)
        .map(|(_, n)| *n)
}

/// Whether a signal ends a process that does nothing about it.
pub(super) fn ends_process(number: u8) -> bool {
    !matches!(number, 17..=20 | 28)
}

/// The value under a key as text.
pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}
