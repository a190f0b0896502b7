//! Published ports.

use super::{Item, Report, Rule, Subject, development};
use crate::diagnostic::Diagnostic;
use crate::tree::{Node, Span};
use crate::value::image::Reference;
use std::net::IpAddr;

pub const RULES: &[Rule] = &[
    Rule::always("bad-expose", expose),
    Rule::always("duplicate-host-port", duplicates),
    Rule::always("port-of-replicas", replicas),
    Rule::always("ignored-ports", ignored),
    Rule::checking("published-database", databases),
];

/// `80`, `80-90`, `80/udp`; from 1 to 65535.
fn is_expose(text: &str) -> bool {
    let (range, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let port = |text: &str| text.trim().parse::<u16>().ok().filter(|port| *port > 0);
    let is_range = matches!((port(first), port(last)), (Some(a), Some(b)) if a <= b);
    is_range && ["tcp", "udp", "sctp"].contains(&protocol.to_ascii_lowercase().as_str())
}

fn expose(subject: &Subject<'_>, report: &mut Report<'_>) {
    for service in &subject.services {
        for (index, item) in service.list(&["expose"]).iter().enumerate() {
            let text = crate::value::number::text(item);
            if !is_expose(&text) {
                report.warn(
                    format!("services.{}.expose[{index}]", service.key),
                    item.span,
                    format!("the engine will refuse this: `{text}` is no port"),
                    "write e.g. 80, 8000-8010 or 53/udp; 1 to 65535, the lower end of a range first",
                );
            }
        }
    }
}

/// A port that is fixed on the host.
struct Published<'a> {
    service: &'a str,
    index: usize,
    at: Span,
    /// `None` means all addresses.
    address: Option<IpAddr>,
    protocol: &'a str,
    port: u16,
    target: i64,
}

impl Published<'_> {
    fn path(&self) -> String {
        format!("services.{}.ports[{}]", self.service, self.index)
    }

    fn clashes(&self, other: &Self) -> bool {
        let same_address = match (self.address, other.address) {
            (Some(a), Some(b)) => a == b,
            _ => true,
        };
        self.port == other.port && self.protocol == other.protocol && same_address
    }
}

fn published<'a>(service: &Item<'a>) -> Vec<Published<'a>> {
    let mut ports = Vec::new();
    for (index, node) in service.list(&["ports"]).iter().enumerate() {
        let text = |key: &str| node.get(key).and_then(Node::as_str);
        let Some(port) = text("published")
            .and_then(|p| p.parse().ok())
            .filter(|p| *p != 0)
        else {
            continue;
        };
        let address = text("host_ip").and_then(|a| a.parse::<IpAddr>().ok());
        ports.push(Published {
            service: service.key,
            index,
            at: node.span,
            address: address.filter(|a| !a.is_unspecified()),
            protocol: text("protocol").unwrap_or("tcp"),
            port,
            target: node.get("target").and_then(Node::as_int).unwrap_or(0),
        });
    }
    ports
}

fn has_host_ports(service: &Item<'_>) -> bool {
    service
        .text(&["network_mode"])
        .is_none_or(|(mode, _)| mode == "bridge" || mode == "default")
}

fn duplicates(subject: &Subject<'_>, report: &mut Report<'_>) {
    let services = subject.services.iter().filter(|s| has_host_ports(s));
    let mut all: Vec<Published<'_>> = services.flat_map(published).collect();
    all.sort_by(|a, b| (a.port, a.protocol).cmp(&(b.port, b.protocol)));
    for group in all.chunk_by(|a, b| (a.port, a.protocol) == (b.port, b.protocol)) {
        for (at, port) in group.iter().enumerate() {
            // One and the same line may stand for the addresses of both protocols; that of an
            // anchor, for several services.
            let is_other = |e: &&Published<'_>| e.at != port.at || e.service != port.service;
            let mut earlier = group[..at].iter().filter(is_other);
            let earlier = earlier.find(|e| e.clashes(port));
            let Some(earlier) = earlier else { continue };
            let message = format!(
                "host port {}/{} is taken by {} already: only one of them can start",
                port.port, port.protocol, earlier.service
            );
            report.push(
                Diagnostic::warning(report.code, port.path(), message)
                    .at(port.at)
                    .related(earlier.at, "taken here")
                    .help("give one of them another host port or address"),
            );
        }
    }
}

fn replicas(subject: &Subject<'_>, report: &mut Report<'_>) {
    for service in subject.services.iter().filter(|s| has_host_ports(s)) {
        let count = service.spec.get("scale");
        let count = count.or_else(|| service.spec.at(&["deploy", "replicas"]));
        let Some((node, count)) = count.and_then(|n| Some((n, n.as_int()?))) else {
            continue;
        };
        if count < 2 {
            continue;
        }
        for port in published(service) {
            let message = format!(
                "{count} replicas cannot share host port {}: one starts, the others fail",
                port.port
            );
            report.push(
                Diagnostic::warning(report.code, port.path(), message)
                    .at(port.at)
                    .related(node.span, "so many are asked for")
                    .help("publish a range such as 8080-8089, leave the host port to the engine, or put a proxy in front"),
            );
        }
    }
}

fn ignored(subject: &Subject<'_>, report: &mut Report<'_>) {
    for service in &subject.services {
        let mode = service.text(&["network_mode"]);
        let Some((mode, at)) = mode.filter(|(m, _)| *m == "host" || *m == "none") else {
            continue;
        };
        if let Some(first) = service.list(&["ports"]).first() {
            let message = format!("with network_mode: {mode} no port is published");
            let path = format!("services.{}.ports", service.key);
            report.push(
                Diagnostic::warning(report.code, path, message)
                    .at(first.span)
                    .related(at, "the mode")
                    .help(match mode {
                        "host" => "drop `ports`: the container's ports are the host's",
                        _ => "drop `ports`, or the mode",
                    }),
            );
        }
    }
}

/// Images that keep data behind a port that often has no password, with that port.
const DATABASES: &[(&str, i64)] = &[
    ("cassandra", 9042),
    ("clickhouse", 8123),
    ("cockroach", 26257),
    ("couchdb", 5984),
    ("elasticsearch", 9200),
    ("etcd", 2379),
    ("influxdb", 8086),
    ("mariadb", 3306),
    ("memcached", 11211),
    ("mongo", 27017),
    ("mssql", 1433),
    ("mysql", 3306),
    ("neo4j", 7687),
    ("percona", 3306),
    ("postgis", 5432),
    ("postgres", 5432),
    ("redis", 6379),
    ("timescaledb", 5432),
    ("valkey", 6379),
];

/// Whether the file that a place is in is not meant for production.
fn is_for_development(subject: &Subject<'_>, at: Span) -> bool {
    let source = subject.sources.get(at.source);
    source.is_some_and(|s| development::is_for_development(subject.files, &s.name))
}

fn databases(subject: &Subject<'_>, report: &mut Report<'_>) {
    for service in subject.services.iter().filter(|s| has_host_ports(s)) {
        let Some((image, _)) = service.text(&["image"]) else {
            continue;
        };
        let name = Reference::parse(image).name;
        let last = name.rsplit('/').next().unwrap_or_default();
        for port in published(service) {
            let known = DATABASES
                .iter()
                .find(|(name, target)| *target == port.target && last.contains(name));
            let is_open = known.is_some() && port.address.is_none();
            if is_open && !is_for_development(subject, port.at) {
                report.warn(
                    port.path(),
                    port.at,
                    format!(
                        "this opens the database on port {} of every address of the host, past most firewalls",
                        port.port
                    ),
                    &format!(
                        "other services reach it without; for tools on this machine write 127.0.0.1:{}:{}",
                        port.port, port.target
                    ),
                );
            }
        }
    }
}
