//! Ports, as Docker's programs show them.

use crate::engine::PublishedPort;
use crate::output::template::Value;
use std::net::IpAddr;

/// `127.0.0.1:32768->80/tcp, 81-82/tcp`: neighbours that are published under their own number
/// are drawn together.
pub fn shown(ports: &[PublishedPort]) -> String {
    let mut ports: Vec<&PublishedPort> = ports.iter().collect();
    ports.sort_by_key(|p| (p.private, address(p), p.public, p.protocol.clone()));
    let mut done: Vec<String> = Vec::new();
    let mut groups: Vec<Group> = Vec::new();
    let mut mapped: Vec<String> = Vec::new();
    for port in ports {
        let ip = port.ip.as_deref();
        if let (Some(ip), Some(public)) = (ip, port.public)
            && public != port.private
        {
            let (host, private) = (host_port(ip, &public.to_string()), port.private);
            mapped.push(format!("{host}->{private}/{}", port.protocol));
            continue;
        }
        let found = groups
            .iter_mut()
            .find(|g| g.ip == ip && g.protocol == port.protocol);
        let Some(group) = found else {
            let (first, last) = (port.private, port.private);
            groups.push(Group {
                ip,
                protocol: &port.protocol,
                first,
                last,
            });
            continue;
        };
        if port.private != group.last.wrapping_add(1) {
            done.push(group.shown());
            group.first = port.private;
        }
        group.last = port.private;
    }
    done.extend(groups.iter().map(Group::shown));
    done.extend(mapped);
    done.join(", ")
}

/// Consecutive ports of one address and protocol.
struct Group<'a> {
    ip: Option<&'a str>,
    protocol: &'a str,
    first: u16,
    last: u16,
}

impl Group<'_> {
    fn shown(&self) -> String {
        let range = match self.first == self.last {
            true => self.first.to_string(),
            false => format!("{}-{}", self.first, self.last),
        };
        match self.ip {
            Some(ip) => format!("{}->{range}/{}", host_port(ip, &range), self.protocol),
            None => format!("{range}/{}", self.protocol),
        }
    }
}

/// `0.0.0.0:80`, `[::]:80`.
fn host_port(ip: &str, port: &str) -> String {
    match ip.contains(':') {
        true => format!("[{ip}]:{port}"),
        false => format!("{ip}:{port}"),
    }
}

fn address(port: &PublishedPort) -> Option<IpAddr> {
    port.ip.as_deref()?.parse().ok()
}

/// The same for JSON.
pub fn publishers(ports: &[PublishedPort]) -> Vec<Value> {
    let mut ports: Vec<&PublishedPort> = ports.iter().collect();
    ports.sort_by_key(|p| (p.private, address(p), p.public));
    let record = |p: &&PublishedPort| {
        Value::Record(
            "api.PortPublisher",
            vec![
                ("URL", p.ip.clone().unwrap_or_default().into()),
                ("TargetPort", i64::from(p.private).into()),
                ("PublishedPort", i64::from(p.public.unwrap_or(0)).into()),
                ("Protocol", p.protocol.clone().into()),
            ],
        )
    };
    ports.iter().map(record).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(text: &str) -> PublishedPort {
        let (left, protocol) = text.split_once('/').unwrap();
        let (host, private) = match left.split_once('>') {
            Some((host, private)) => (host.rsplit_once(':'), private),
            None => (None, left),
        };
        PublishedPort {
            ip: host.map(|(ip, _)| ip.to_owned()),
            public: host.map(|(_, port)| port.parse().unwrap()),
            private: private.parse().unwrap(),
            protocol: protocol.to_owned(),
        }
    }

    #[test]
    fn neighbours_are_drawn_together() {
        for (given, expected) in [
            ("", ""),
            ("80/tcp", "80/tcp"),
            ("81/tcp 80/tcp 83/tcp 80/udp", "80-81/tcp, 83/tcp, 80/udp"),
            ("127.0.0.1:32768>80/tcp", "127.0.0.1:32768->80/tcp"),
            (
                ":::8080>80/tcp 0.0.0.0:8080>80/tcp 443/tcp",
                "443/tcp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp",
            ),
            (
                "0.0.0.0:80>80/tcp 0.0.0.0:81>81/tcp :::80>80/tcp :::81>81/tcp",
                "0.0.0.0:80-81->80-81/tcp, [::]:80-81->80-81/tcp",
            ),
        ] {
            let ports: Vec<_> = given.split_whitespace().map(port).collect();
            assert_eq!(shown(&ports), expected, "{given}");
        }
    }
}
