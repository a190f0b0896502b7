//! Subnets and addresses.

use super::{Item, Report, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::tree::{Node, Span};
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

pub const RULES: &[Rule] = &[
    Rule::always("bad-subnet", subnets),
    Rule::always("address-outside-subnet", outside),
    Rule::always("overlapping-subnets", overlapping),
    Rule::always("duplicate-address", duplicates),
];

/// A range of addresses, as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Subnet {
    is_v4: bool,
    first: u128,
    last: u128,
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

impl Subnet {
    /// Reads `10.0.0.0/24`.
    ///
    /// # Errors
    /// What is wrong with it.
    fn parse(text: &str) -> Result<Self, String> {
        let (address, bits) = text.split_once('/').ok_or_else(|| {
            format!("`{text}` is no subnet: it has no prefix length, as in {text}/24")
        })?;
        let address: IpAddr = address
            .parse()
            .map_err(|_| format!("`{text}` is no subnet: `{address}` is no address"))?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits: u32 = bits
            .parse()
            .ok()
            .filter(|bits| *bits <= width)
            .ok_or_else(|| format!("`{text}` is no subnet: the prefix length is 0 to {width}"))?;
        let host = match width - bits {
            128 => u128::MAX,
            free => (1 << free) - 1,
        };
        let number = number(address);
        Ok(Subnet {
            is_v4: address.is_ipv4(),
            first: number & !host,
            last: number | host,
        })
    }

    fn holds(&self, address: IpAddr) -> bool {
        self.is_v4 == address.is_ipv4() && (self.first..=self.last).contains(&number(address))
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.is_v4 == other.is_v4 && self.first <= other.last && other.first <= self.last
    }
}

/// The subnets that a network declares, those that are none left out.
fn pools<'a>(network: &Item<'a>) -> Vec<(usize, &'a Node, Subnet, Span)> {
    let pools = network.list(&["ipam", "config"]).iter().enumerate();
    let subnets = pools.filter_map(|(index, pool)| {
        let node = pool.get("subnet")?;
        Some((index, pool, Subnet::parse(node.as_str()?).ok()?, node.span))
    });
    subnets.collect()
}

fn subnets(subject: &Subject<'_>, report: &mut Report<'_>) {
    for network in subject.networks.iter().filter(|n| !n.is_external()) {
        for (index, pool) in network.list(&["ipam", "config"]).iter().enumerate() {
            for key in ["subnet", "ip_range"] {
                let node = pool.get(key);
                let Some((node, text)) = node.and_then(|n| Some((n, n.as_str()?))) else {
                    continue;
                };
                if let Err(what) = Subnet::parse(text) {
                    report.warn(
                        format!("networks.{}.ipam.config[{index}].{key}", network.key),
                        node.span,
                        format!("the engine will refuse this: {what}"),
                        "write e.g. 172.28.0.0/16",
                    );
                }
            }
        }
    }
}

fn outside(subject: &Subject<'_>, report: &mut Report<'_>) {
    for network in subject.networks.iter().filter(|n| !n.is_external()) {
        for (index, pool, subnet, place) in pools(network) {
            let addresses = [("gateway".to_owned(), pool.get("gateway"))]
                .into_iter()
                .chain(
                    pool.get("aux_addresses")
                        .and_then(Node::as_map)
                        .into_iter()
                        .flat_map(|m| m.iter())
                        .map(|(key, node)| (format!("aux_addresses.{key}"), Some(node))),
                );
            for (key, node) in addresses {
                let address =
                    node.and_then(|n| Some((n.span, n.as_str()?.parse::<IpAddr>().ok()?)));
                if let Some((at, address)) = address
                    && !subnet.holds(address)
                {
                    let path = format!("networks.{}.ipam.config[{index}].{key}", network.key);
                    let message =
                        format!("the engine will refuse {address}: it is not in the subnet");
                    let finding = Diagnostic::warning(report.code, path, message).at(at);
                    report.push(finding.related(place, "the subnet"));
                }
            }
        }
    }
    for (service, attachment, key, address, at) in fixed(subject) {
        let network = subject.networks.iter().find(|n| n.key == attachment);
        let Some(network) = network.filter(|n| !n.is_external()) else {
            continue;
        };
        let pools = pools(network);
        let path = format!("services.{service}.networks.{attachment}.{key}");
        if network.list(&["ipam", "config"]).is_empty() {
            report.push(
                Diagnostic::warning(
                    report.code,
                    path,
                    format!("the engine will refuse a fixed address: network {attachment} declares no subnet"),
                )
                .at(at)
                .related(network.place, "the network")
                .help(format!("add `ipam: {{config: [{{subnet: …}}]}}` with a subnet around {address}")),
            );
        } else if !pools.is_empty() && !pools.iter().any(|(_, _, subnet, _)| subnet.holds(address))
        {
            let message = format!(
                "the engine will refuse {address}: it is in no subnet of network {attachment}"
            );
            let mut finding = Diagnostic::warning(report.code, path, message).at(at);
            finding
                .related
                .extend(pools.iter().map(|(_, _, _, s)| (*s, "a subnet".to_owned())));
            report.push(finding);
        }
    }
}

type Fixed<'a> = (&'a str, &'a str, &'static str, IpAddr, Span);

/// The addresses that services ask for: service, network, attribute, address, place.
fn fixed<'a>(subject: &Subject<'a>) -> Vec<Fixed<'a>> {
    let mut found = Vec::new();
    for service in &subject.services {
        for attachment in service.map(&["networks"]) {
            for key in ["ipv4_address", "ipv6_address"] {
                if let Some((text, at)) = attachment.text(&[key])
                    && let Ok(address) = text.parse()
                {
                    found.push((service.key, attachment.key, key, address, at));
                }
            }
        }
    }
    found
}

fn duplicates(subject: &Subject<'_>, report: &mut Report<'_>) {
    let mut taken: HashMap<(&str, IpAddr), (&str, Span)> = HashMap::new();
    for (service, network, key, address, at) in fixed(subject) {
        if let Some((other, place)) = taken.insert((network, address), (service, at)) {
            let message = format!("{address} is {other}'s already: only one of them can start");
            let path = format!("services.{service}.networks.{network}.{key}");
            let finding = Diagnostic::warning(report.code, path, message).at(at);
            report.push(finding.related(place, "taken here"));
        }
    }
}

fn overlapping(subject: &Subject<'_>, report: &mut Report<'_>) {
    // By their first addresses; what overlaps with one of them is not among them.
    let mut seen: BTreeMap<(bool, u128), (&str, Subnet, Span)> = BTreeMap::new();
    let own =
        |n: &&Item<'_>| !n.is_external() && n.text(&["driver"]).is_none_or(|(d, _)| d == "bridge");
    for network in subject.networks.iter().filter(own) {
        for (index, _, subnet, at) in pools(network) {
            let nearest = seen.range(..=(subnet.is_v4, subnet.last)).next_back();
            if let Some((_, (other, _, place))) =
                nearest.filter(|(_, (_, s, _))| s.overlaps(&subnet))
            {
                let path = format!("networks.{}.ipam.config[{index}].subnet", network.key);
                let message = format!(
                    "the engine will refuse this: it overlaps with that of network {other}"
                );
                let finding = Diagnostic::warning(report.code, path, message).at(at);
                report.push(finding.related(*place, "the other subnet"));
            } else {
                seen.insert((subnet.is_v4, subnet.first), (network.key, subnet, at));
            }
        }
    }
}
