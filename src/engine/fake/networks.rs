//! Networks.

use super::refuse;
use super::world::{Network, PREDEFINED, World, labels};
use crate::engine::{EngineError, NetworkSummary, ResourceRequest};
use crate::value::subnet::Subnet;
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::IpAddr;

fn is_predefined(name: &str) -> bool {
    PREDEFINED.iter().any(|(n, _)| *n == name)
}

impl World {
    /// The name of a network by id, name or the beginning of an id.
    fn network_name(&self, reference: &str) -> Result<String, EngineError> {
        if self.networks.contains_key(reference) {
            return Ok(reference.to_string());
        }
        self.networks
            .iter()
            .find(|(_, n)| !reference.is_empty() && n.id.starts_with(reference))
            .map(|(name, _)| name.clone())
            .ok_or_else(|| refuse(404, format!("network {reference} not found")))
    }

    pub fn network_rows(&self) -> Vec<NetworkSummary> {
        self.networks
            .iter()
            .map(|(name, network)| NetworkSummary {
                id: network.id.clone(),
                name: name.clone(),
                driver: network.body["Driver"]
                    .as_str()
                    .unwrap_or("bridge")
                    .to_string(),
                labels: labels(&network.body),
            })
            .collect()
    }

    pub fn own_networks(&self) -> Vec<NetworkSummary> {
        let mut rows = self.network_rows();
        rows.retain(|row| !is_predefined(&row.name));
        rows
    }

    pub fn create_network(&mut self, request: ResourceRequest) -> Result<String, EngineError> {
        let name = request.name;
        if name.is_empty() {
            return Err(refuse(400, "invalid name: name is empty"));
        }
        if is_predefined(&name) {
            return Err(refuse(
                403,
                format!("operation is not permitted on predefined {name} network "),
            ));
        }
        if self.networks.contains_key(&name) {
            return Err(refuse(
                409,
                format!("network with name {name} already exists"),
            ));
        }
        let driver = request.body["Driver"].as_str().unwrap_or("bridge");
        if !["", "bridge", "macvlan", "ipvlan", "overlay", "host", "null"].contains(&driver) {
            return Err(refuse(404, format!("plugin \"{driver}\" not found")));
        }
        if pools(&request.body).any(|pool| {
            self.networks
                .values()
                .any(|other| pools(&other.body).any(|p| p == pool))
        }) {
            return Err(refuse(
                403,
                "invalid pool request: Pool overlaps with other one on this address space",
            ));
        }
        let id = self.new_id();
        let network = Network {
            id: id.clone(),
            body: request.body,
        };
        self.networks.insert(name, network);
        Ok(id)
    }

    pub fn remove_network(&mut self, reference: &str) -> Result<(), EngineError> {
        let name = self.network_name(reference)?;
        if is_predefined(&name) {
            return Err(refuse(
                403,
                format!("{name} is a pre-defined network and cannot be removed"),
            ));
        }
        let id = &self.networks[&name].id;
        let users: Vec<String> = self
            .containers
            .values()
            .filter(|c| c.is_up() && c.networks.values().any(|n| n == id))
            .map(|c| format!("name:\"{}\" id:\"{}\"", c.name, &c.id[..12]))
            .collect();
        if !users.is_empty() {
            return Err(refuse(
                403,
                format!(
                    "error while removing network: network {name} has active endpoints ({})",
                    users.join(", ")
                ),
            ));
        }
        self.networks.remove(&name);
        Ok(())
    }

    /// A container that does not run takes any name, and finds out at its start.
    pub fn connect(
        &mut self,
        network: &str,
        container: &str,
        endpoint: Value,
    ) -> Result<(), EngineError> {
        let found = self.network_name(network);
        let id = found
            .as_ref()
            .ok()
            .map(|name| self.networks[name].id.clone());
        let container = self.get(container)?;
        let up = container.is_up();
        let name = match found {
            Ok(name) => name,
            Err(error) if up => return Err(error),
            Err(_) => network.to_string(),
        };
        let mode = container
            .host_config("NetworkMode")
            .as_str()
            .unwrap_or_default();
        if id.is_some() && matches!(mode, "none" | "host") {
            return Err(refuse(
                400,
                "container cannot be connected to multiple networks with one of the networks in private (none) mode",
            ));
        }
        if id.is_none() && mode.starts_with("container:") {
            // Engine 28.5 falls over this and drops the connection.
            return Err(EngineError::Broken {
                message: "fake: connection closed before message completed".into(),
            });
        }
        if up && mode.starts_with("container:") {
            return Err(refuse(
                400,
                "container sharing network namespace with another container or host cannot be connected to any other network",
            ));
        }
        if up && container.networks.contains_key(&name) {
            return Err(refuse(
                403,
                format!(
                    "endpoint with name {} already exists in network {name}",
                    container.name
                ),
            ));
        }
        let id = id.filter(|_| up).unwrap_or_default();
        let own = container.id.clone();
        let endpoints = &mut container.body["NetworkingConfig"]["EndpointsConfig"];
        let before = std::mem::replace(&mut endpoints[&name], endpoint);
        let address = match up {
            true => self.address(&own, &name),
            false => Ok(None),
        };
        let container = self.get(&own)?;
        match address {
            Ok(address) => {
                container.networks.insert(name.clone(), id);
                container.addresses.extend(address.map(|a| (name, a)));
                Ok(())
            }
            Err(error) => {
                container.body["NetworkingConfig"]["EndpointsConfig"][&name] = before;
                Err(error)
            }
        }
    }

    pub fn disconnect(
        &mut self,
        network: &str,
        container: &str,
        force: bool,
    ) -> Result<(), EngineError> {
        let found = self.network_name(network);
        let id = match self.find(container) {
            Ok(id) => id,
            Err(_) if force => {
                found?;
                return Err(refuse(404, format!("endpoint {container} not found")));
            }
            Err(error) => return Err(error),
        };
        let container = self.get(&id)?;
        let up = container.is_up();
        let name = match found {
            Ok(name) => name,
            Err(error) if up && !force => return Err(error),
            Err(_) => network.to_string(),
        };
        container.addresses.remove(&name);
        if container.networks.remove(&name).is_none() {
            let the = if up { "" } else { "the " };
            return Err(refuse(
                500,
                format!("container {id} is not connected to {the}network {name}"),
            ));
        }
        if let Some(endpoints) = container
            .body
            .pointer_mut("/NetworkingConfig/EndpointsConfig")
            .and_then(Value::as_object_mut)
        {
            endpoints.remove(&name);
        }
        Ok(())
    }

    /// The address that a container gets on a network, where that has a subnet: the one it asks for, or
    /// the lowest that is free.
    pub(super) fn address(&self, id: &str, network: &str) -> Result<Option<IpAddr>, EngineError> {
        let Some(network_body) = self.networks.get(network).map(|n| &n.body) else {
            return Ok(None);
        };
        let pool = &network_body["IPAM"]["Config"][0];
        let text = |key: &str| pool[key].as_str().map(str::to_owned);
        let range = text("IPRange").or_else(|| text("Subnet"));
        let Some(range) = range.and_then(|range| Subnet::parse(&range)) else {
            return Ok(None);
        };
        let gateway = match text("Gateway") {
            Some(gateway) => gateway.parse().ok(),
            None => range.hosts().next(),
        };
        let others = self.containers.values().filter(|c| c.id != id);
        let taken: BTreeSet<IpAddr> = others
            .filter_map(|c| c.addresses.get(network).copied())
            .chain(gateway)
            .collect();
        let mut asked = self.containers[id].asked_addresses();
        if let Some((_, asked)) = asked.find(|(name, _)| name == network) {
            return match taken.contains(&asked) {
                true => Err(refuse(403, "Address already in use")),
                false => Ok(Some(asked)),
            };
        }
        let free = range.hosts().find(|address| !taken.contains(address));
        free.map(Some).ok_or_else(|| {
            refuse(
                403,
                "no available IPv4 addresses on this network's address pools",
            )
        })
    }

    pub fn network_details(&self, reference: &str) -> Result<Value, EngineError> {
        let name = self.network_name(reference)?;
        let network = &self.networks[&name];
        let mut details = network.body.clone();
        details["Id"] = network.id.clone().into();
        details["Name"] = name.into();
        if details["Driver"].is_null() {
            details["Driver"] = "bridge".into();
        }
        let members: serde_json::Map<String, Value> = self
            .containers
            .values()
            .filter(|c| c.is_up() && c.networks.values().any(|n| *n == network.id))
            .map(|c| (c.id.clone(), serde_json::json!({ "Name": c.name })))
            .collect();
        details["Containers"] = Value::Object(members);
        Ok(details)
    }
}

/// The subnets a network asks for.
fn pools(body: &Value) -> impl Iterator<Item = &str> {
    body["IPAM"]["Config"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|pool| pool["Subnet"].as_str())
}
