//! From bollard's models to ours: only what is needed stays.

use crate::engine::{
    ContainerDetails, ContainerState, ContainerSummary, EngineEvent, Health, ImageSummary,
    MountPoint, NetworkSummary, PublishedPort, VolumeSummary,
};
use bollard::models;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

fn sorted(map: Option<HashMap<String, String>>) -> BTreeMap<String, String> {
    map.unwrap_or_default().into_iter().collect()
}

fn bare_name(name: &str) -> String {
    name.strip_prefix('/').unwrap_or(name).to_string()
}

fn state(word: &str) -> ContainerState {
    match word {
        // A stop is under way (Docker 29): its process is still there.
        "stopping" => ContainerState::Running,
        // Podman's own words.
        "configured" | "initialized" => ContainerState::Created,
        "stopped" => ContainerState::Exited,
        _ => ContainerState::parse(word).unwrap_or_default(),
    }
}

pub fn container(row: models::ContainerSummary) -> ContainerSummary {
    // A container has further names `/other/alias` for legacy links; its own has one slash.
    let names = row.names.unwrap_or_default();
    let name = names
        .iter()
        .find(|n| n.matches('/').count() <= 1)
        .or(names.first());
    ContainerSummary {
        id: row.id.unwrap_or_default(),
        name: name.map(|n| bare_name(n)).unwrap_or_default(),
        image: row.image.unwrap_or_default(),
        image_id: row.image_id.unwrap_or_default(),
        command: row.command.unwrap_or_default(),
        created: row.created.unwrap_or_default(),
        ports: row
            .ports
            .unwrap_or_default()
            .into_iter()
            .map(|port| PublishedPort {
                ip: port.ip.filter(|ip| !ip.is_empty()),
                private: port.private_port,
                public: port.public_port,
                protocol: port.typ.map(|t| t.to_string()).unwrap_or_default(),
            })
            .collect(),
        labels: sorted(row.labels),
        state: row.state.map(|s| state(s.as_ref())).unwrap_or_default(),
        status: row.status.unwrap_or_default(),
        networks: row
            .network_settings
            .and_then(|s| s.networks)
            .unwrap_or_default()
            .into_iter()
            .map(|(name, endpoint)| (name, endpoint.network_id.unwrap_or_default()))
            .collect(),
        mounts: row
            .mounts
            .unwrap_or_default()
            .into_iter()
            .map(mount)
            .collect(),
    }
}

fn mount(point: models::MountPoint) -> MountPoint {
    MountPoint {
        kind: point.typ.map(|t| t.to_string()).unwrap_or_default(),
        name: point.name.unwrap_or_default(),
        source: point.source.unwrap_or_default(),
        destination: point.destination.unwrap_or_default(),
        driver: point.driver.unwrap_or_default(),
    }
}

/// From the answer of an inspect. Read from the plain JSON, as the whole of it is kept.
pub fn details(raw: Value) -> ContainerDetails {
    let text = |pointer: &str| {
        raw.pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_string()
    };
    let number = |pointer: &str| {
        raw.pointer(pointer)
            .and_then(Value::as_i64)
            .unwrap_or_default()
    };
    let flag = |pointer: &str| {
        raw.pointer(pointer)
            .and_then(Value::as_bool)
            .unwrap_or_default()
    };
    let objects = |pointer: &str| raw.pointer(pointer).and_then(Value::as_object);
    let probes = raw.pointer("/State/Health/Log").and_then(Value::as_array);
    ContainerDetails {
        id: text("/Id"),
        name: bare_name(&text("/Name")),
        image_id: text("/Image"),
        state: state(&text("/State/Status")),
        exit_code: number("/State/ExitCode"),
        oom_killed: flag("/State/OOMKilled"),
        error: text("/State/Error"),
        health: match text("/State/Health/Status").as_str() {
            "starting" => Some(Health::Starting),
            "healthy" => Some(Health::Healthy),
            "unhealthy" => Some(Health::Unhealthy),
            _ => None,
        },
        health_log: probes
            .into_iter()
            .flatten()
            .rev()
            .find(|probe| probe["ExitCode"].as_i64() != Some(0))
            .and_then(|probe| probe["Output"].as_str())
            .map(str::to_string),
        started_at: text("/State/StartedAt"),
        finished_at: text("/State/FinishedAt"),
        restart_count: number("/RestartCount"),
        pid: u32::try_from(number("/State/Pid")).unwrap_or_default(),
        tty: flag("/Config/Tty"),
        labels: objects("/Config/Labels")
            .into_iter()
            .flatten()
            .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_string()))
            .collect(),
        mounts: raw
            .pointer("/Mounts")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|point| {
                let word = |key: &str| point[key].as_str().unwrap_or_default().to_string();
                MountPoint {
                    kind: word("Type"),
                    name: word("Name"),
                    source: word("Source"),
                    destination: word("Destination"),
                    driver: word("Driver"),
                }
            })
            .collect(),
        networks: objects("/NetworkSettings/Networks")
            .into_iter()
            .flatten()
            .map(|(name, endpoint)| {
                let id = endpoint["NetworkID"].as_str().unwrap_or_default();
                (name.clone(), id.to_string())
            })
            .collect(),
        raw,
    }
}

pub fn network(row: models::Network) -> NetworkSummary {
    NetworkSummary {
        id: row.id.unwrap_or_default(),
        name: row.name.unwrap_or_default(),
        driver: row.driver.unwrap_or_default(),
        labels: sorted(row.labels),
    }
}

pub fn volume(row: models::Volume) -> VolumeSummary {
    VolumeSummary {
        name: row.name,
        driver: row.driver,
        labels: row.labels.into_iter().collect(),
    }
}

/// The answer to a creation; Podman leaves out what Docker's model requires.
pub fn created_volume(answer: &Value) -> Option<VolumeSummary> {
    let labels = answer["Labels"].as_object();
    Some(VolumeSummary {
        name: answer["Name"].as_str()?.to_owned(),
        driver: answer["Driver"].as_str().unwrap_or_default().to_owned(),
        labels: labels
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect(),
    })
}

pub fn listed_image(row: models::ImageSummary) -> ImageSummary {
    ImageSummary {
        id: row.id,
        tags: row.repo_tags,
        digests: row.repo_digests,
        labels: row.labels.into_iter().collect(),
        ..ImageSummary::default()
    }
}

pub fn inspected_image(image: models::ImageInspect) -> ImageSummary {
    let config = image.config.unwrap_or_default();
    let word = |part: Option<String>| part.filter(|p| !p.is_empty());
    let platform = match (word(image.os), word(image.architecture)) {
        (Some(os), Some(architecture)) => Some(match word(image.variant) {
            Some(variant) => format!("{os}/{architecture}/{variant}"),
            None => format!("{os}/{architecture}"),
        }),
        _ => None,
    };
    let mut volumes = config.volumes.unwrap_or_default();
    volumes.sort();
    ImageSummary {
        id: image.id.unwrap_or_default(),
        tags: image.repo_tags.unwrap_or_default(),
        digests: image.repo_digests.unwrap_or_default(),
        labels: sorted(config.labels),
        platform,
        volumes,
        age: image
            .metadata
            .and_then(|m| m.last_tag_time)
            .and_then(|tagged| seconds_since(&tagged)),
        has_healthcheck: config.healthcheck.and_then(|h| h.test).is_some_and(|test| {
            test.first()
                .is_some_and(|word| !word.is_empty() && word != "NONE")
        }),
    }
}

/// A container event, as far as it is needed.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct EventMessage {
    action: String,
    actor: Actor,
    #[serde(rename = "timeNano")]
    time_nano: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Actor {
    #[serde(rename = "ID")]
    id: String,
    attributes: BTreeMap<String, String>,
}

pub fn event(message: EventMessage) -> EngineEvent {
    EngineEvent {
        action: message.action,
        id: message.actor.id,
        attributes: message.actor.attributes,
        time_nano: message.time_nano,
    }
}

/// Whole seconds between an RFC 3339 time and now.
fn seconds_since(time: &str) -> Option<i64> {
    let then: jiff::Timestamp = time.parse().ok()?;
    Some(jiff::Timestamp::now().as_second() - then.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_of_an_inspect() {
        let found = details(serde_json::json!({
            "Id": "1", "Name": "/shop-web-1", "Image": "sha256:2", "RestartCount": 3,
            "State": {"Status": "exited", "ExitCode": 137, "OOMKilled": true, "Error": "",
                "StartedAt": "a", "FinishedAt": "b",
                "Health": {"Status": "unhealthy", "Log": [
                    {"ExitCode": 1, "Output": "no"}, {"ExitCode": 0, "Output": "fine"}]}},
            "Config": {"Tty": true, "Labels": {"k": "v"}},
            "Mounts": [{"Type": "volume", "Name": "data", "Source": "/s", "Destination": "/d"}],
            "NetworkSettings": {"Networks": {"shop_default": {"NetworkID": "9"}}}
        }));
        assert_eq!(
            (found.name.as_str(), found.state),
            ("shop-web-1", ContainerState::Exited)
        );
        assert_eq!(
            (found.exit_code, found.oom_killed, found.restart_count),
            (137, true, 3)
        );
        assert_eq!(found.health, Some(Health::Unhealthy));
        assert_eq!(found.health_log.as_deref(), Some("no"));
        assert_eq!(found.networks["shop_default"], "9");
        assert_eq!(found.mounts[0].destination, "/d");
        assert!(found.tty);
    }

    #[test]
    fn the_own_name_is_not_a_link() {
        let row = models::ContainerSummary {
            names: Some(vec!["/web/db".into(), "/shop-db-1".into()]),
            ..Default::default()
        };
        assert_eq!(container(row).name, "shop-db-1");
    }
}
