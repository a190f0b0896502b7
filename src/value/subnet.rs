//! Address ranges in CIDR notation.

use std::net::IpAddr;

/// A range of addresses of one family, e.g. `172.28.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subnet {
    first: u128,
    last: u128,
    is_v6: bool,
}

impl Subnet {
    /// Reads `ADDRESS/LENGTH`; the address need not be the first of the range.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, length) = text.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let length: u32 = length.parse().ok()?;
        let (bits, number) = number_of(address);
        let size = 1_u128.checked_shl(bits.checked_sub(length)?).unwrap_or(0);
        let mask = size.wrapping_sub(1);
        Some(Subnet {
            first: number & !mask,
            last: number | mask,
            is_v6: address.is_ipv6(),
        })
    }

    pub fn is_v6(&self) -> bool {
        self.is_v6
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        let (_, number) = number_of(address);
        address.is_ipv6() == self.is_v6 && (self.first..=self.last).contains(&number)
    }

    /// Its addresses from the lowest to the highest, without its own (the first) and, of IPv4, the
    /// one for broadcasts (the last).
    pub fn hosts(&self) -> impl DoubleEndedIterator<Item = IpAddr> + use<> {
        let last = match self.is_v6 {
            true => self.last,
            false => self.last.saturating_sub(1),
        };
        let is_v6 = self.is_v6;
        (self.first.saturating_add(1)..=last).map(move |number| match is_v6 {
            true => IpAddr::V6(number.into()),
            false => IpAddr::V4(u32::try_from(number).unwrap_or(u32::MAX).into()),
        })
    }
}

/// How many bits an address of its family has, and its bits as a number.
fn number_of(address: IpAddr) -> (u32, u128) {
    match address {
        IpAddr::V4(address) => (32, u32::from(address).into()),
        IpAddr::V6(address) => (128, address.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subnet_knows_its_addresses() {
        for (text, count, first, last) in [
            ("10.0.0.8/29", 6, "10.0.0.9", "10.0.0.14"),
            ("10.0.0.13/29", 6, "10.0.0.9", "10.0.0.14"),
            ("10.0.0.0/31", 0, "", ""),
            ("fd00::/125", 7, "fd00::1", "fd00::7"),
        ] {
            let subnet = Subnet::parse(text).unwrap();
            let hosts: Vec<String> = subnet.hosts().map(|a| a.to_string()).collect();
            assert_eq!(hosts.len(), count, "{text}");
            assert_eq!(hosts.first().map_or("", |a| a), first);
            assert_eq!(hosts.last().map_or("", |a| a), last);
            assert!(hosts.iter().all(|a| subnet.contains(a.parse().unwrap())));
        }
        for whole in ["0.0.0.0/0", "::/0"] {
            assert!(Subnet::parse(whole).unwrap().hosts().next().is_some());
        }
        for wrong in ["10.0.0.0", "10.0.0.0/33", "x/8", "fd00::/129"] {
            assert_eq!(Subnet::parse(wrong), None, "{wrong}");
        }
    }
}
