//! The engine's lists, read field by field.
//!
//! A list names the containers of everybody, also those of other tools and newer engines. bollard's
//! closed enums refuse a whole list for one word they do not know; here such a word is carried.
//! `null` stands for an empty list or map, as Go writes it.

use super::rows;
use crate::engine::{
    ContainerState, ContainerSummary, EngineError, ImageSummary, MountPoint, NetworkSummary,
    PublishedPort, VolumeSummary,
};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;

/// Reads the answer to `target`, whose rows are `R`s.
///
/// # Errors
/// [`EngineError::Protocol`], where it is no list, or a field is of another kind than the API says.
pub fn read<R: for<'de> Deserialize<'de>>(
    target: &str,
    body: &[u8],
) -> Result<Vec<R>, EngineError> {
    let rows: Option<Vec<Option<Object<R>>>> = parse(target, body)?;
    Ok(rows.into_iter().flatten().flatten().map(|r| r.0).collect())
}

/// Reads the answer to `target`: the list of volumes comes inside an object.
///
/// # Errors
/// As [`read`].
pub fn read_volumes(target: &str, body: &[u8]) -> Result<Vec<VolumeRow>, EngineError> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default, rename = "Volumes", deserialize_with = "nullable")]
        volumes: Vec<Option<Object<VolumeRow>>>,
    }
    let Object(answer): Object<Answer> = parse(target, body)?;
    Ok(answer.volumes.into_iter().flatten().map(|v| v.0).collect())
}

/// A value written as an object. serde's derived readers take an array for an object, too, its
/// elements for the fields in the order of their declaration; an engine never means that.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = Object<T>;
            fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
                to.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(fields)).map(Object)
            }
        }
        from.deserialize_map(Fields(PhantomData))
    }
}

fn parse<T: for<'de> Deserialize<'de>>(target: &str, body: &[u8]) -> Result<T, EngineError> {
    if body.is_empty() {
        return Err(EngineError::Protocol {
            message: format!("the engine's answer to {target} is empty instead of a list"),
        });
    }
    serde_json::from_slice(body).map_err(|e| EngineError::Protocol {
        message: format!("the engine's answer to {target} cannot be read: {e}"),
    })
}

/// `null` is the empty value.
pub(super) fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// Labels with their values; a label without one has the empty value.
pub(super) fn labels<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let found: Option<BTreeMap<String, Option<String>>> = Option::deserialize(from)?;
    let pairs = found.into_iter().flatten();
    Ok(pairs.map(|(k, v)| (k, v.unwrap_or_default())).collect())
}

/// A row of `GET /containers/json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ContainerRow {
    #[serde(deserialize_with = "nullable")]
    id: String,
    #[serde(deserialize_with = "nullable")]
    names: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    image: String,
    #[serde(rename = "ImageID", deserialize_with = "nullable")]
    image_id: String,
    #[serde(rename = "ImageManifestDescriptor")]
    manifest: Option<ManifestRow>,
    #[serde(deserialize_with = "nullable")]
    command: String,
    #[serde(deserialize_with = "nullable")]
    created: i64,
    #[serde(deserialize_with = "nullable")]
    ports: Vec<PortRow>,
    #[serde(deserialize_with = "labels")]
    labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    state: String,
    #[serde(deserialize_with = "nullable")]
    status: String,
    #[serde(deserialize_with = "nullable")]
    network_settings: NetworkSettings,
    #[serde(deserialize_with = "nullable")]
    mounts: Vec<MountRow>,
}

/// The part of an image of several platforms that a container runs.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ManifestRow {
    platform: Option<serde_json::Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct PortRow {
    #[serde(rename = "IP", deserialize_with = "nullable")]
    ip: String,
    #[serde(deserialize_with = "nullable")]
    private_port: u16,
    public_port: Option<u16>,
    #[serde(deserialize_with = "nullable")]
    r#type: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct NetworkSettings {
    #[serde(deserialize_with = "nullable")]
    networks: BTreeMap<String, Option<EndpointRow>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct EndpointRow {
    #[serde(rename = "NetworkID", deserialize_with = "nullable")]
    network_id: String,
    #[serde(rename = "IPAddress", deserialize_with = "nullable")]
    ipv4: String,
    #[serde(rename = "GlobalIPv6Address", deserialize_with = "nullable")]
    ipv6: String,
    #[serde(rename = "IPAMConfig", deserialize_with = "nullable")]
    asked: AskedRow,
}

/// The addresses that were asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AskedRow {
    #[serde(rename = "IPv4Address", deserialize_with = "nullable")]
    ipv4: String,
    #[serde(rename = "IPv6Address", deserialize_with = "nullable")]
    ipv6: String,
}

impl EndpointRow {
    /// Its addresses, given and asked for.
    fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let all = [&self.ipv4, &self.ipv6, &self.asked.ipv4, &self.asked.ipv6];
        all.into_iter().filter_map(|address| address.parse().ok())
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct MountRow {
    #[serde(deserialize_with = "nullable")]
    r#type: String,
    #[serde(deserialize_with = "nullable")]
    name: String,
    #[serde(deserialize_with = "nullable")]
    source: String,
    #[serde(deserialize_with = "nullable")]
    destination: String,
    #[serde(deserialize_with = "nullable")]
    driver: String,
}

/// A row of `GET /images/json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ImageRow {
    #[serde(deserialize_with = "nullable")]
    id: String,
    #[serde(deserialize_with = "nullable")]
    repo_tags: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    repo_digests: Vec<String>,
    #[serde(deserialize_with = "labels")]
    labels: BTreeMap<String, String>,
}

/// A row of `GET /networks`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct NetworkRow {
    #[serde(deserialize_with = "nullable")]
    id: String,
    #[serde(deserialize_with = "nullable")]
    name: String,
    #[serde(deserialize_with = "nullable")]
    driver: String,
    #[serde(deserialize_with = "labels")]
    labels: BTreeMap<String, String>,
}

/// A row of `GET /volumes`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct VolumeRow {
    #[serde(deserialize_with = "nullable")]
    name: String,
    #[serde(deserialize_with = "nullable")]
    driver: String,
    #[serde(deserialize_with = "nullable")]
    mountpoint: String,
    #[serde(deserialize_with = "nullable")]
    scope: String,
    #[serde(deserialize_with = "labels")]
    labels: BTreeMap<String, String>,
}

impl From<ContainerRow> for ContainerSummary {
    fn from(row: ContainerRow) -> Self {
        // A container has further names `/other/alias` for legacy links; its own has one slash.
        let own = row.names.iter().find(|n| n.matches('/').count() <= 1);
        let name = own.or(row.names.first()).map(|name| rows::bare_name(name));
        let state = rows::state(&row.state).unwrap_or(match row.status.starts_with("Up ") {
            true => ContainerState::Running,
            false => ContainerState::Exited,
        });
        let endpoints = row.network_settings.networks;
        ContainerSummary {
            id: row.id,
            name: name.unwrap_or_default(),
            image: row.image,
            image_id: row.image_id,
            image_platform: row
                .manifest
                .and_then(|manifest| manifest.platform)
                .map(|platform| platform.to_string()),
            command: row.command,
            created: row.created,
            ports: row.ports.into_iter().map(PublishedPort::from).collect(),
            labels: row.labels,
            state,
            other_state: Some(row.state)
                .filter(|word| !word.is_empty() && rows::state(word).is_none()),
            status: row.status,
            addresses: endpoints
                .values()
                .flatten()
                .flat_map(EndpointRow::addresses)
                .collect(),
            networks: endpoints
                .into_iter()
                .map(|(name, endpoint)| (name, endpoint.unwrap_or_default().network_id))
                .collect(),
            mounts: row.mounts.into_iter().map(MountPoint::from).collect(),
        }
    }
}

impl From<PortRow> for PublishedPort {
    fn from(row: PortRow) -> Self {
        PublishedPort {
            ip: Some(row.ip).filter(|ip| !ip.is_empty()),
            private: row.private_port,
            public: row.public_port,
            protocol: row.r#type,
        }
    }
}

impl From<MountRow> for MountPoint {
    fn from(row: MountRow) -> Self {
        MountPoint {
            kind: row.r#type,
            name: row.name,
            source: row.source,
            destination: row.destination,
            driver: row.driver,
        }
    }
}

impl From<ImageRow> for ImageSummary {
    fn from(row: ImageRow) -> Self {
        ImageSummary {
            id: row.id,
            tags: row.repo_tags,
            digests: row.repo_digests,
            labels: row.labels,
            ..ImageSummary::default()
        }
    }
}

impl From<NetworkRow> for NetworkSummary {
    fn from(row: NetworkRow) -> Self {
        NetworkSummary {
            id: row.id,
            name: row.name,
            driver: row.driver,
            labels: row.labels,
        }
    }
}

impl From<VolumeRow> for VolumeSummary {
    fn from(row: VolumeRow) -> Self {
        VolumeSummary {
            name: row.name,
            driver: row.driver,
            mountpoint: row.mountpoint,
            scope: row.scope,
            labels: row.labels,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn containers(body: &str) -> Vec<ContainerSummary> {
        let rows: Vec<ContainerRow> = read("/containers/json", body.as_bytes()).unwrap();
        rows.into_iter().map(ContainerSummary::from).collect()
    }

    #[test]
    fn unknown_words_of_one_container_are_carried() {
        let found = containers(
            r#"[{"Id": "1", "Names": ["/web"], "State": "migrating", "Status": "Up 3 minutes",
                 "Ports": [{"IP": "", "PrivatePort": 80, "PublicPort": 8080, "Type": "quic"}],
                 "Mounts": [{"Type": "cluster", "Name": "data", "Destination": "/d"}],
                 "Health": {"Status": "drowsy"}},
                {"Id": "2", "Names": ["/db"], "State": "frozen", "Status": "Frozen"},
                {"Id": "3", "Names": ["/job"], "State": "exited", "Status": "Exited (0) 1 minute ago"}]"#,
        );
        let states: Vec<_> = found.iter().map(|c| (c.state, c.state_word())).collect();
        assert_eq!(
            states,
            [
                (ContainerState::Running, "migrating"),
                (ContainerState::Exited, "frozen"),
                (ContainerState::Exited, "exited"),
            ]
        );
        assert_eq!(found[0].ports[0].protocol, "quic");
        assert_eq!(found[0].ports[0].ip, None);
        assert_eq!(found[0].mounts[0].kind, "cluster");
    }

    #[test]
    fn states_of_both_engines() {
        let table = [
            ("running", ContainerState::Running),
            ("exited", ContainerState::Exited),
            ("stopping", ContainerState::Running),
            // Podman's.
            ("stopped", ContainerState::Exited),
            ("configured", ContainerState::Created),
        ];
        for (word, expected) in table {
            let body = format!(r#"[{{"State": "{word}", "Labels": null, "Mounts": null}}]"#);
            assert_eq!(containers(&body)[0].state, expected, "{word}");
        }
    }

    #[test]
    fn null_stands_for_what_is_empty() {
        assert!(containers("null").is_empty());
        let found = containers(
            r#"[null, {"Id": "1", "Names": null, "Ports": null, "Labels": {"a": null}, "State": null,
                 "NetworkSettings": {"Networks": {"n": null}}, "Mounts": null, "Created": null}]"#,
        );
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].name, "");
        assert_eq!(found[0].labels["a"], "");
        assert_eq!(found[0].networks["n"], "");
        let volumes = read_volumes("/volumes", br#"{"Volumes": null}"#).unwrap();
        assert!(volumes.is_empty());
        let volumes = read_volumes(
            "/volumes",
            br#"{"Volumes": [{"Name": "v", "Labels": null}]}"#,
        );
        assert_eq!(VolumeSummary::from(volumes.unwrap().remove(0)).name, "v");
    }

    #[test]
    fn an_array_is_no_object() {
        let refused = |error: EngineError| error.to_string().contains("expected an object");
        assert!(refused(read_volumes("/volumes", b"[[]]").unwrap_err()));
        for rows in [&b"[[]]"[..], br#"[["id", ["/name"]]]"#] {
            assert!(refused(read::<ContainerRow>("/x", rows).err().unwrap()));
            assert!(refused(read::<VolumeRow>("/x", rows).err().unwrap()));
        }
    }

    #[test]
    fn addresses_are_those_given_and_those_asked_for() {
        let found = containers(
            r#"[{"NetworkSettings": {"Networks": {
                "a": {"NetworkID": "1", "IPAddress": "10.0.0.2", "IPAMConfig": null},
                "b": {"IPAddress": "", "IPAMConfig": {"IPv4Address": "10.1.0.9"}}}}}]"#,
        );
        let addresses: Vec<String> = found[0].addresses.iter().map(ToString::to_string).collect();
        assert_eq!(addresses, ["10.0.0.2", "10.1.0.9"]);
    }

    #[test]
    fn the_own_name_is_not_a_link() {
        let found = containers(r#"[{"Names": ["/web/db", "/shop-db-1"]}]"#);
        assert_eq!(found[0].name, "shop-db-1");
    }

    #[test]
    fn what_is_no_list_is_told() {
        let table = [
            (
                "",
                "the engine's answer to /networks is empty instead of a list",
            ),
            (
                "{}",
                "the engine's answer to /networks cannot be read: invalid type: map",
            ),
            (
                "[{\"Id\": 3}]",
                "the engine's answer to /networks cannot be read: invalid type: integer `3`",
            ),
        ];
        for (body, expected) in table {
            let error = read::<NetworkRow>("/networks", body.as_bytes()).unwrap_err();
            assert!(error.to_string().starts_with(expected), "{error}");
        }
    }
}
