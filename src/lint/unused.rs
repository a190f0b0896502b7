//! What is declared and never used.

use super::{Item, Report, Rule, Subject};
use crate::tree::{Map, Node};
use std::collections::HashSet;

pub const RULES: &[Rule] = &[Rule::checking("unused-resource", unused)];

fn unused(subject: &Subject<'_>, report: &mut Report<'_>) {
    let users = || subject.services.iter().chain(&subject.disabled);
    let mut used: HashSet<(&str, &str)> = HashSet::new();
    for service in users() {
        // Services without profiles that are switched off are decoded as far as these lists.
        let networks = service.spec.get("networks").and_then(Node::as_map);
        used.extend(
            networks
                .into_iter()
                .flat_map(Map::keys)
                .map(|key| ("networks", key)),
        );
        for (path, section) in [
            (&["volumes"][..], "volumes"),
            (&["secrets"], "secrets"),
            (&["build", "secrets"], "secrets"),
            (&["configs"], "configs"),
        ] {
            let sources = service
                .list(path)
                .iter()
                .filter_map(|i| i.get("source")?.as_str());
            used.extend(sources.map(|source| (section, source)));
        }
    }
    let mut check = |section: &'static str, what: &str, item: Item<'_>| {
        let is_default = section == "networks" && item.key == "default";
        if used.contains(&(section, item.key)) || is_default {
            return;
        }
        report.warn(
            format!("{section}.{}", item.key),
            item.place,
            format!("no service uses the {what} {}: it is not made", item.key),
            &format!("name it below a service's `{section}`, or remove it"),
        );
    };
    subject
        .networks
        .iter()
        .for_each(|n| check("networks", "network", *n));
    subject
        .volumes
        .iter()
        .for_each(|v| check("volumes", "volume", *v));
    subject
        .section("secrets")
        .for_each(|s| check("secrets", "secret", s));
    subject
        .section("configs")
        .for_each(|c| check("configs", "config", c));
}
