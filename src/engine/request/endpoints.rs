//! The networks a container joins.

use super::fields::Fields;
use super::{Refusal, Task};
use crate::service::Attachment;
use serde_json::Value;
use std::net::IpAddr;

/// The driver option that names the interface inside the container.
const INTERFACE_NAME: &str = "com.docker.network.endpoint.ifname";

impl Task<'_> {
    /// Sets the network mode and gives the endpoints, all in one: engines before API 1.44 get
    /// them one by one from the adapter.
    pub(super) fn networking(&self, host: &mut Fields, links: &[String]) -> Result<Value, Refusal> {
        let service = self.service;
        if let Some(mode) = self.mode("network_mode", service.network_mode.as_ref())? {
            host.text("NetworkMode", Some(&mode));
            return self.given_mode(&mode);
        }
        let mut endpoints = Fields::default();
        let networks = service.networks_by_priority();
        if networks.is_empty() {
            host.exactly("NetworkMode", "none");
        }
        for (index, (key, attachment)) in networks.into_iter().enumerate() {
            let name = self.network_name(key)?;
            let primary = index == 0;
            if primary {
                host.exactly("NetworkMode", name);
            }
            endpoints.exactly(name, self.endpoint(key, attachment, primary, links)?);
        }
        Ok(config(endpoints))
    }

    fn network_name(&self, key: &str) -> Result<&str, Refusal> {
        match self.project.networks.get(key) {
            Some(network) => Ok(&network.name),
            None => Err(self.refuse(
                "undefined-network",
                &["networks", key],
                format!("network {key:?} is not defined"),
            )),
        }
    }

    /// With a mode of its own a container has no endpoints to configure, but on the engine's
    /// bridge its MAC address can be.
    fn given_mode(&self, mode: &str) -> Result<Value, Refusal> {
        let Some(mac) = self.service.mac_address.as_ref().filter(|m| !m.is_empty()) else {
            return Ok(Value::Null);
        };
        if matches!(mode, "host" | "none" | "disabled") || mode.starts_with("container:") {
            return Err(self.refuse(
                "mac-address",
                &["mac_address"],
                format!("a container with network_mode {mode:?} has no network interface of its own to give an address"),
            ));
        }
        let name = if mode == "default" { "bridge" } else { mode };
        let mut endpoint = Fields::default();
        endpoint.text("MacAddress", Some(mac));
        let mut endpoints = Fields::default();
        endpoints.exactly(name, endpoint.finish());
        Ok(config(endpoints))
    }

    pub(super) fn endpoint(
        &self,
        key: &str,
        attachment: Option<&Attachment>,
        primary: bool,
        links: &[String],
    ) -> Result<Value, Refusal> {
        let none = Attachment::default();
        let Attachment {
            aliases: others,
            driver_opts,
            gw_priority,
            interface_name,
            ipv4_address,
            ipv6_address,
            link_local_ips,
            mac_address,
            // Decides which network comes first.
            priority: _,
        } = attachment.unwrap_or(&none);
        let mut f = Fields::default();
        let mut aliases = vec![self.name.to_string()];
        if !self.resolved.without_aliases {
            aliases.push(self.service.name.clone());
            aliases.extend(others.iter().cloned());
        }
        f.texts("Aliases", &aliases);
        f.texts("Links", links);

        let mut ipam = Fields::default();
        let given = |wanted: fn(&IpAddr) -> bool| {
            let mut given = self.resolved.addresses.get(key).into_iter().flatten();
            given.find(|address| wanted(address)).map(IpAddr::to_string)
        };
        let ipv4_address = ipv4_address.clone().or_else(|| given(IpAddr::is_ipv4));
        let ipv6_address = ipv6_address.clone().or_else(|| given(IpAddr::is_ipv6));
        ipam.text("IPv4Address", ipv4_address.as_ref());
        ipam.text("IPv6Address", ipv6_address.as_ref());
        let local: Vec<&String> = link_local_ips.iter().filter(|ip| !ip.is_empty()).collect();
        ipam.texts("LinkLocalIPs", &local);
        f.value("IPAMConfig", ipam.finish());

        let own = mac_address.as_ref().filter(|m| !m.is_empty());
        let general = self
            .service
            .mac_address
            .as_ref()
            .filter(|m| primary && !m.is_empty());
        if let (Some(own), Some(general)) = (own, general)
            && own != general
        {
            return Err(self.refuse(
                "mac-address",
                &["networks", key, "mac_address"],
                format!("{own} differs from the service's own mac_address {general}, which is meant for this network"),
            ));
        }
        f.text("MacAddress", own.or(general));

        let mut options = driver_opts.clone();
        if let Some(name) = interface_name.clone().filter(|n| !n.is_empty()) {
            let before = options.insert(INTERFACE_NAME.into(), name.clone());
            if let Some(before) = before.filter(|b| *b != name) {
                return Err(self.refuse(
                    "interface-name",
                    &["networks", key, "interface_name"],
                    format!(
                        "{name} differs from {before}, which driver_opts gives as {INTERFACE_NAME}"
                    ),
                ));
            }
        }
        f.map("DriverOpts", &options);
        f.number("GwPriority", *gw_priority);
        Ok(f.finish())
    }
}

fn config(endpoints: Fields) -> Value {
    let mut f = Fields::default();
    f.value("EndpointsConfig", endpoints.finish());
    f.finish()
}
