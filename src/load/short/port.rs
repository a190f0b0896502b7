//! `ports`: `[[HOST_IP:]HOST_PORT[-END]:]CONTAINER_PORT[-END][/PROTOCOL]`.

use super::{Fault, Fields};
use crate::tree::{Node, Span};
use std::net::IpAddr;

/// One node per container port, in the order of their digits as text (`10` before `8`), which
/// is the order Compose prints them in.
///
/// # Errors
/// What is wrong, and with which bytes of the text.
pub fn parse(text: &str, span: Span) -> Result<Vec<Node>, Fault> {
    let wrong = |part: &str, what: String| Fault::of(text, part, what);
    let (ip, host, container) = split(text);
    let (container, protocol) = match container.split_once('/') {
        Some((port, "")) => (port, "tcp"),
        Some((port, protocol)) => (port, protocol),
        None => (container, "tcp"),
    };
    if container.is_empty() {
        return Err(wrong(text, format!("no port specified: {text}<empty>")));
    }
    let written = protocol;
    let protocol = protocol.to_ascii_lowercase();
    if !["tcp", "udp", "sctp"].contains(&protocol.as_str()) {
        let what = format!("Invalid proto: {protocol}; it is one of tcp, udp and sctp");
        return Err(wrong(written, what));
    }
    let ip = match ip.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').unwrap_or(rest),
        None => ip,
    };
    if !ip.is_empty() && ip.parse::<IpAddr>().is_err() {
        return Err(wrong(ip, format!("Invalid ip address: {ip}")));
    }
    let (first, last) = range(container).ok_or_else(|| {
        let what =
            format!("Invalid containerPort: {container}; a port is a number from 0 to 65535");
        wrong(container, what)
    })?;
    if first == 0 {
        let what = format!("Invalid containerPort: {container}; no container listens on port 0");
        return Err(wrong(container, what));
    }
    let published = match host {
        "" => None,
        _ => {
            let range = range(host).ok_or_else(|| {
                let what = format!("Invalid hostPort: {host}; a port is a number from 0 to 65535");
                wrong(host, what)
            })?;
            Some(range)
        }
    };
    if let Some((from, to)) = published
        && to - from != last - first
        && first != last
    {
        let what = format!(
            "Invalid ranges specified for container and host Ports: {container} and {host}"
        );
        return Err(wrong(text, what));
    }
    let mut ports: Vec<u16> = (first..=last).collect();
    ports.sort_by_cached_key(u16::to_string);
    let nodes = ports.into_iter().map(|port| {
        let mut fields = Fields::new(span);
        fields.set("mode", "ingress");
        if !ip.is_empty() {
            fields.set("host_ip", ip);
        }
        fields.set("target", i64::from(port));
        if let Some((from, to)) = published {
            fields.set(
                "published",
                match first == last && from != to {
                    true => format!("{from}-{to}"),
                    false => (from + (port - first)).to_string(),
                },
            );
        }
        fields.set("protocol", protocol.as_str());
        fields.node()
    });
    Ok(nodes.collect())
}

/// Address, host port and container port; an IPv6 address may hold colons itself.
fn split(text: &str) -> (&str, &str, &str) {
    let Some((rest, container)) = text.rsplit_once(':') else {
        return ("", "", text);
    };
    match rest.rsplit_once(':') {
        Some((ip, host)) => (ip, host, container),
        None => ("", rest, container),
    }
}

fn range(text: &str) -> Option<(u16, u16)> {
    // Docker Compose takes a `+` before the digits, and so does this.
    let number = |digits: &str| digits.parse::<u16>().ok();
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (number(first)?, number(last)?);
    (first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use crate::tree::{Node, Span};

    fn show(text: &str) -> String {
        match super::parse(text, Span::default()) {
            Err(error) => error.what,
            Ok(ports) => {
                let text = |node: &Node, key| {
                    node.get(key)
                        .and_then(Node::as_str)
                        .unwrap_or("-")
                        .to_owned()
                };
                let ports: Vec<String> = ports
                    .iter()
                    .map(|p| {
                        let target = p.get("target").and_then(Node::as_int).unwrap_or(-1);
                        format!(
                            "{} {} {target}/{}",
                            text(p, "host_ip"),
                            text(p, "published"),
                            text(p, "protocol")
                        )
                    })
                    .collect();
                ports.join(", ")
            }
        }
    }

    #[test]
    fn ports() {
        let table = [
            ("80", "- - 80/tcp"),
            ("80/udp", "- - 80/udp"),
            ("80/UDP", "- - 80/udp"),
            ("8080:80", "- 8080 80/tcp"),
            ("127.0.0.1:8080:80/sctp", "127.0.0.1 8080 80/sctp"),
            ("127.0.0.1::80", "127.0.0.1 - 80/tcp"),
            ("[::1]:8080:80", "::1 8080 80/tcp"),
            ("::1:8080:80", "::1 8080 80/tcp"),
            (":80", "- - 80/tcp"),
            ("8-10", "- - 10/tcp, - - 8/tcp, - - 9/tcp"),
            ("3000-3001:80-81", "- 3000 80/tcp, - 3001 81/tcp"),
            ("3000-3005:80", "- 3000-3005 80/tcp"),
            ("0:80", "- 0 80/tcp"),
            ("", "no port specified: <empty>"),
            ("80:", "no port specified: 80:<empty>"),
            (
                "80/icmp",
                "Invalid proto: icmp; it is one of tcp, udp and sctp",
            ),
            ("1.2.3:80:80", "Invalid ip address: 1.2.3"),
            (
                "99999:80",
                "Invalid hostPort: 99999; a port is a number from 0 to 65535",
            ),
            (
                "80:x",
                "Invalid containerPort: x; a port is a number from 0 to 65535",
            ),
            (
                "80:90-80",
                "Invalid containerPort: 90-80; a port is a number from 0 to 65535",
            ),
            ("+80", "- - 80/tcp"),
            ("+8080:+80", "- 8080 80/tcp"),
            ("80-+82", "- - 80/tcp, - - 81/tcp, - - 82/tcp"),
            (
                "++80",
                "Invalid containerPort: ++80; a port is a number from 0 to 65535",
            ),
            (
                "-80",
                "Invalid containerPort: -80; a port is a number from 0 to 65535",
            ),
            (
                "1-3:1-2",
                "Invalid ranges specified for container and host Ports: 1-2 and 1-3",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(show(text), expected, "{text}");
        }
    }
}
