//! Addresses that a service asks for on its networks.

use super::{Attachment, Service};
use std::net::IpAddr;

impl Attachment {
    /// `ipv4_address` and `ipv6_address`.
    pub fn fixed_addresses(&self) -> impl Iterator<Item = IpAddr> {
        let both = [&self.ipv4_address, &self.ipv6_address];
        let said = both.into_iter().flatten();
        said.filter_map(|address| address.parse().ok())
    }
}

impl Service {
    /// Those of all its networks.
    pub fn fixed_addresses(&self) -> impl Iterator<Item = IpAddr> {
        let attachments = self.networks.values().flatten();
        attachments.flat_map(Attachment::fixed_addresses)
    }
}
