//! What services wait for.

use super::{Item, Report, Rule, Subject};
use crate::tree::Node;
use crate::value::image::Reference;

pub const RULES: &[Rule] = &[Rule::always("unhealthy-dependency", dependencies)];

/// Official images, which bring no healthcheck. Another name without a registry may be that of an
/// image that was built here, with one.
const OFFICIAL: [&str; 40] = [
    "alpine",
    "amazonlinux",
    "archlinux",
    "busybox",
    "caddy",
    "cassandra",
    "couchdb",
    "debian",
    "eclipse-mosquitto",
    "elasticsearch",
    "fedora",
    "ghost",
    "golang",
    "haproxy",
    "httpd",
    "influxdb",
    "kibana",
    "logstash",
    "mariadb",
    "memcached",
    "mongo",
    "mysql",
    "nats",
    "neo4j",
    "nextcloud",
    "nginx",
    "node",
    "percona",
    "php",
    "postgres",
    "python",
    "rabbitmq",
    "redis",
    "registry",
    "solr",
    "traefik",
    "ubuntu",
    "wordpress",
    "zookeeper",
    "valkey/valkey",
];

/// Whether a service certainly has no healthcheck; an image of somebody's own may bring one, but
/// Docker's official images never do.
fn is_never_healthy(service: &Item<'_>) -> Option<&'static str> {
    let check = service.spec.get("healthcheck");
    let is_disabled = |check: &Node| {
        let first = check
            .get("test")
            .and_then(Node::as_seq)
            .and_then(<[Node]>::first);
        check.get("disable").and_then(Node::as_bool) == Some(true)
            || first.and_then(Node::as_str) == Some("NONE")
    };
    match check {
        Some(check) if is_disabled(check) => Some("switches its healthcheck off"),
        Some(check) if check.get("test").is_some() => None,
        _ if service.spec.get("build").is_some() => None,
        _ => {
            let (image, _) = service.text(&["image"])?;
            let name = Reference::parse(image).name;
            let name = name.strip_prefix("docker.io/")?;
            let name = name.strip_prefix("library/").unwrap_or(name);
            OFFICIAL
                .contains(&name)
                .then_some("has no healthcheck, and neither has its image")
        }
    }
}

fn dependencies(subject: &Subject<'_>, report: &mut Report<'_>) {
    for service in &subject.services {
        for dependency in service.map(&["depends_on"]) {
            let condition = dependency.text(&["condition"]);
            let Some((_, at)) = condition.filter(|(c, _)| *c == "service_healthy") else {
                continue;
            };
            let target = subject.services.iter().find(|s| s.key == dependency.key);
            let Some(why) = target.and_then(is_never_healthy) else {
                continue;
            };
            report.warn(
                format!("services.{}.depends_on.{}", service.key, dependency.key),
                at,
                format!(
                    "this waits for {} to become healthy, but it {why}",
                    dependency.key
                ),
                &format!(
                    "give {} a healthcheck, or wait for service_started",
                    dependency.key
                ),
            );
        }
    }
}
