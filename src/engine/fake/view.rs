//! How containers are shown: rows of the list, and the whole of an inspect.

use super::containers::text;
use super::world::{Container, World};
use crate::engine::{ContainerDetails, ContainerState, ContainerSummary, Health};
use serde_json::{Value, json};

/// A time as the engine writes it; a container that never ran has the year 1.
pub(super) fn rfc3339(time: i64) -> String {
    if time == 0 {
        return "0001-01-01T00:00:00Z".into();
    }
    let stamp = jiff::Timestamp::from_nanosecond(i128::from(time)).unwrap_or_default();
    stamp.to_string()
}

impl World {
    pub fn summary(&self, container: &Container) -> ContainerSummary {
        ContainerSummary {
            id: container.id.clone(),
            name: container.name.clone(),
            image: container.image().to_string(),
            image_id: container.image_id.clone(),
            image_platform: None,
            command: container.body["Cmd"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join(" "),
            created: container.created / 1_000_000_000,
            ports: container.ports.clone(),
            labels: container.labels.clone(),
            state: container.state,
            other_state: None,
            status: self.status(container),
            networks: container.networks.clone(),
            addresses: container
                .asked_addresses()
                .map(|(_, address)| address)
                .chain(container.addresses.values().copied())
                .collect(),
            mounts: container.mounts.clone(),
        }
    }

    /// The engine's sentence about a container's state.
    fn status(&self, container: &Container) -> String {
        let ago = |time: i64| format!("{} seconds", (self.now() - time) / 1_000_000_000);
        let health = match container.health {
            Some(Health::Starting) => " (health: starting)",
            Some(Health::Healthy) => " (healthy)",
            Some(Health::Unhealthy) => " (unhealthy)",
            None => "",
        };
        match container.state {
            ContainerState::Running => format!("Up {}{health}", ago(container.started_at)),
            ContainerState::Paused => format!("Up {} (Paused)", ago(container.started_at)),
            ContainerState::Restarting => {
                format!(
                    "Restarting ({}) {} ago",
                    container.exit_code,
                    ago(container.finished_at)
                )
            }
            ContainerState::Exited => {
                format!(
                    "Exited ({}) {} ago",
                    container.exit_code,
                    ago(container.finished_at)
                )
            }
            ContainerState::Created => "Created".into(),
            ContainerState::Removing => "Removal In Progress".into(),
            ContainerState::Dead => "Dead".into(),
        }
    }

    pub fn details(&self, container: &Container) -> ContainerDetails {
        ContainerDetails {
            id: container.id.clone(),
            name: container.name.clone(),
            image_id: container.image_id.clone(),
            state: container.state,
            exit_code: container.exit_code,
            oom_killed: false,
            error: container.error.clone(),
            health: container.health.filter(|_| container.is_up()),
            health_log: (container.health == Some(Health::Unhealthy))
                .then(|| "fake: the probe failed".to_string()),
            started_at: rfc3339(container.started_at),
            finished_at: rfc3339(container.finished_at),
            restart_count: container.restart_count,
            pid: container.pid().unwrap_or_default(),
            tty: container.body["Tty"].as_bool() == Some(true),
            labels: container.labels.clone(),
            mounts: container.mounts.clone(),
            networks: container.networks.clone(),
            raw: raw(container),
        }
    }
}

/// As far as anybody compares it: the request's own parts where an inspect shows them.
fn raw(container: &Container) -> Value {
    let mut config = container.body.clone();
    let mut host = Value::Null;
    let mut endpoints = Value::Null;
    if let Some(map) = config.as_object_mut() {
        host = map.remove("HostConfig").unwrap_or_default();
        let mut networking = map.remove("NetworkingConfig").unwrap_or_default();
        endpoints = networking["EndpointsConfig"].take();
    }
    let mut networks = serde_json::Map::new();
    for (name, id) in &container.networks {
        let mut endpoint = match endpoints[name].is_object() {
            true => endpoints[name].clone(),
            false => json!({}),
        };
        endpoint["NetworkID"] = id.clone().into();
        networks.insert(name.clone(), endpoint);
    }
    json!({
        "Id": container.id,
        "Name": format!("/{}", container.name),
        "Image": container.image_id,
        "RestartCount": container.restart_count,
        "State": {
            "Status": container.state.as_str(),
            "Running": container.is_up(),
            "ExitCode": container.exit_code,
            "Error": container.error,
            "StartedAt": rfc3339(container.started_at),
            "FinishedAt": rfc3339(container.finished_at),
        },
        "Config": config,
        "HostConfig": host,
        "NetworkSettings": { "Networks": networks },
        "Mounts": container.mounts.iter().map(|m| json!({
            "Type": m.kind, "Name": m.name, "Source": m.source, "Destination": m.destination,
        })).collect::<Vec<_>>(),
        "Platform": text(&container.body["Platform"]),
    })
}
