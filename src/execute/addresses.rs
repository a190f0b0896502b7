//! Which addresses containers are given beside those that the files fix, and who has one that is
//! taken.

use super::Walk;
use super::failure::Trouble;
use crate::engine::ContainerFilter;
use crate::service::Service;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

impl Walk<'_> {
    /// The addresses that the container of this name is to ask for, by the key of the network. An old
    /// container and its replacement have the same.
    pub(super) fn addresses_for(
        &self,
        service: &Service,
        name: &str,
    ) -> BTreeMap<String, Vec<IpAddr>> {
        let (mut own, mut taken) = (BTreeSet::new(), BTreeSet::new());
        let observed = self.observed.replicas().chain(&self.observed.oneoffs);
        for container in observed {
            match container.final_name() == name {
                true => own.extend(&container.summary.addresses),
                false => taken.extend(&container.summary.addresses),
            }
        }
        let mut made = self.made.borrow_mut();
        for (address, other) in &made.addresses {
            match other == name {
                true => own.insert(*address),
                false => taken.insert(*address),
            };
        }
        let given = self.project.addresses_beside_fixed(service, &own, &taken);
        for address in given.values().flatten() {
            made.addresses.insert(*address, name.to_owned());
        }
        given
    }

    /// An address that a service asks for has been given to another container: names that, where it
    /// can be seen.
    pub(super) async fn explain_taken_address(
        &self,
        service: &Service,
        trouble: Trouble,
    ) -> Trouble {
        let filter = ContainerFilter::default();
        let all = self.means.engine.list_containers(filter).await;
        let all = all.unwrap_or_default();
        let asked = service.networks.iter().flat_map(|(key, attachment)| {
            let attachment = attachment.iter();
            let both = attachment.flat_map(|a| {
                let four = a.ipv4_address.iter().map(|text| ("ipv4_address", text));
                four.chain(a.ipv6_address.iter().map(|text| ("ipv6_address", text)))
            });
            both.map(move |(attribute, text)| (key, attribute, text))
        });
        for (key, attribute, text) in asked {
            let address = text.parse::<IpAddr>().ok();
            let has_it =
                |addresses: &BTreeSet<IpAddr>| address.is_some_and(|a| addresses.contains(&a));
            if let Some(holder) = all.iter().find(|c| has_it(&c.addresses)) {
                let path = format!("services.{}.networks.{key}.{attribute}", service.name);
                return Trouble::new(format!(
                    "address {text} is taken: container {} has it on network {key}",
                    holder.name
                ))
                .at(path)
                .help(
                    "recreate that container (`up --force-recreate SERVICE`), which gives it another \
                     one, or choose another address here",
                );
            }
        }
        trouble.at(format!("services.{}.networks", service.name))
    }
}
