//! Addresses for containers that share a network with one whose address is fixed.
//!
//! An engine gives an address when a container starts: the lowest that is free, which may be the one
//! that another service of the project asks for and has not got yet (`ipv4_address`). So beside a
//! fixed address none is left to chance.

use super::Project;
use crate::network::{IpamPool, Network};
use crate::service::{Attachment, Service};
use crate::value::subnet::Subnet;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

impl Project {
    /// The addresses to ask for where a service says none, by the key of the network. `own` are those
    /// that its container has had, which it keeps where it can, `taken` those of others.
    ///
    /// Nothing for networks of others (`external`): what else is on them nobody knows here.
    pub fn addresses_beside_fixed(
        &self,
        service: &Service,
        own: &BTreeSet<IpAddr>,
        taken: &BTreeSet<IpAddr>,
    ) -> BTreeMap<String, Vec<IpAddr>> {
        let mut found = BTreeMap::new();
        for (key, attachment) in &service.networks {
            let network = self.networks.get(key).filter(|network| !network.external);
            let Some(network) = network else { continue };
            let fixed = self.fixed_addresses(key);
            let said = Vec::from_iter(attachment.iter().flat_map(Attachment::fixed_addresses));
            let mut chosen: Vec<IpAddr> = Vec::new();
            for (pool, range) in ranges(network) {
                // The engine gives one address of each family, out of the first pool.
                let other = said.iter().chain(&chosen);
                let has_one = other.into_iter().any(|a| a.is_ipv6() == range.is_v6());
                if has_one || !fixed.iter().any(|address| range.contains(*address)) {
                    continue;
                }
                let is_free = |address: &IpAddr| {
                    range.contains(*address)
                        && !fixed.contains(address)
                        && !taken.contains(address)
                        && !is_kept_free(pool, &range, *address)
                };
                let before = own.iter().copied().find(is_free);
                chosen.extend(before.or_else(|| match shares_its_subnet(network) {
                    true => range.hosts().find(is_free),
                    false => range.hosts().rev().find(is_free),
                }));
            }
            if !chosen.is_empty() {
                found.insert(key.clone(), chosen);
            }
        }
        found
    }

    /// The addresses that other services ask for on the networks of a service, those of others
    /// (`external`) left out, with the services and the keys of the networks.
    pub fn addresses_of_others<'a>(
        &'a self,
        service: &'a Service,
    ) -> impl Iterator<Item = (IpAddr, &'a Service, &'a str)> {
        let own: Vec<IpAddr> = service.fixed_addresses().collect();
        let others = self
            .services
            .values()
            .filter(|other| other.name != service.name);
        let attachments =
            others.flat_map(|other| other.networks.iter().map(move |(k, a)| (other, k, a)));
        attachments
            .filter(|(_, key, _)| {
                let network = self.networks.get(*key);
                service.networks.contains_key(*key) && network.is_some_and(|n| !n.external)
            })
            .flat_map(|(other, key, attachment)| {
                let fixed = attachment.iter().flat_map(Attachment::fixed_addresses);
                fixed.map(move |address| (address, other, key.as_str()))
            })
            .filter(move |(address, _, _)| !own.contains(address))
    }

    /// The addresses on a network that services ask for, whether the command is about them or not.
    fn fixed_addresses(&self, key: &str) -> BTreeSet<IpAddr> {
        let services = self.services.values().chain(self.disabled.values());
        let attachments = services.filter_map(|service| service.networks.get(key)?.as_ref());
        attachments.flat_map(Attachment::fixed_addresses).collect()
    }
}

/// What the engine gives addresses out of.
fn ranges(network: &Network) -> impl Iterator<Item = (&IpamPool, Subnet)> {
    network.ipam.config.iter().filter_map(|pool| {
        let range = pool.ip_range.as_ref().or(pool.subnet.as_ref())?;
        Some((pool, Subnet::parse(range)?))
    })
}

/// Whether the address has a use of its own: the gateway, which is the lowest one where the files name
/// none, or an auxiliary address.
fn is_kept_free(pool: &IpamPool, range: &Subnet, address: IpAddr) -> bool {
    let named = pool.gateway.iter().chain(pool.aux_addresses.values());
    let mut named = named.filter_map(|text| text.parse::<IpAddr>().ok());
    named.any(|other| other == address)
        || (pool.gateway.is_none() && range.hosts().next() == Some(address))
}

/// Whether machines that the engine knows nothing of are in the subnet: as few addresses as can be are
/// taken, and the ones that the engine would take. On a bridge those at the other end are the ones that
/// nobody is given by chance.
fn shares_its_subnet(network: &Network) -> bool {
    matches!(network.driver.as_deref(), Some("macvlan" | "ipvlan"))
}

#[cfg(test)]
mod tests;
