//! From inspects, events and bollard's models to ours: only what is needed stays.

use super::lists::{labels, nullable};
use crate::engine::{
    ContainerDetails, ContainerState, EngineEvent, Health, ImageSummary, MountPoint, VolumeSummary,
};
use bollard::models;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

fn sorted(map: Option<HashMap<String, String>>) -> BTreeMap<String, String> {
    map.unwrap_or_default().into_iter().collect()
}

/// The name without its leading slash.
pub fn bare_name(name: &str) -> String {
    name.strip_prefix('/').unwrap_or(name).to_string()
}

/// What a word of an engine's means; `None` for one that is not known.
pub fn state(word: &str) -> Option<ContainerState> {
    match word {
        // A stop is under way (Docker 29): its process is still there.
        "stopping" => Some(ContainerState::Running),
        // Podman's own words.
        "configured" | "initialized" => Some(ContainerState::Created),
        "stopped" => Some(ContainerState::Exited),
        _ => ContainerState::parse(word),
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
        state: state(&text("/State/Status")).unwrap_or(match flag("/State/Running") {
            true => ContainerState::Running,
            false => ContainerState::Exited,
        }),
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

/// The answer to a creation; Podman leaves out what Docker's model requires.
pub fn created_volume(answer: &Value) -> Option<VolumeSummary> {
    let labels = answer["Labels"].as_object();
    Some(VolumeSummary {
        name: answer["Name"].as_str()?.to_owned(),
        driver: answer["Driver"].as_str().unwrap_or_default().to_owned(),
        mountpoint: answer["Mountpoint"].as_str().unwrap_or_default().to_owned(),
        scope: answer["Scope"].as_str().unwrap_or_default().to_owned(),
        labels: labels
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect(),
    })
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
    #[serde(deserialize_with = "nullable")]
    action: String,
    #[serde(deserialize_with = "nullable")]
    actor: Actor,
    #[serde(rename = "timeNano", deserialize_with = "nullable")]
    time_nano: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Actor {
    #[serde(rename = "ID", deserialize_with = "nullable")]
    id: String,
    #[serde(deserialize_with = "labels")]
    attributes: BTreeMap<String, String>,
}

/// Whether a container's event carries all the labels (`key` or `key=value` each).
pub fn carries(event: &EngineEvent, labels: &[String]) -> bool {
    labels.iter().all(|label| match label.split_once('=') {
        Some((key, value)) => event.attributes.get(key).is_some_and(|v| v == value),
        None => event.attributes.contains_key(label),
    })
}

pub fn event(message: EventMessage) -> EngineEvent {
    EngineEvent {
        // Podman's word for a removal.
        action: match message.action.as_str() {
            "remove" => "destroy".into(),
            _ => message.action,
        },
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
    fn events_of_both_engines() {
        for (word, expected) in [
            ("destroy", "destroy"),
            ("remove", "destroy"),
            ("die", "die"),
        ] {
            let message = EventMessage {
                action: word.into(),
                ..EventMessage::default()
            };
            assert_eq!(event(message).action, expected);
        }
    }

    #[test]
    fn an_event_is_meant_by_all_its_labels() {
        let attributes = [("project", "shop"), ("oneoff", "False")];
        let event = EngineEvent {
            attributes: attributes.map(|(k, v)| (k.into(), v.into())).into(),
            ..EngineEvent::default()
        };
        for (labels, expected) in [
            (&["project=shop", "oneoff=False"][..], true),
            (&["project=shop", "oneoff"], true),
            (&["project=blog", "oneoff=False"], false),
            (&["hash"], false),
        ] {
            let labels: Vec<String> = labels.iter().map(|l| (*l).to_owned()).collect();
            assert_eq!(carries(&event, &labels), expected, "{labels:?}");
        }
    }
}
