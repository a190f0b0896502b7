//! Profiles: which services take part.

use super::LoadOptions;
use super::environment::Environment;
use crate::tree::{Map, Node};
use crate::value::glob;
use std::collections::BTreeSet;

/// The profiles that are switched on: those of `--profile`, else of `COMPOSE_PROFILES`.
pub fn active(options: &LoadOptions, environment: &Environment) -> Vec<String> {
    if !options.profiles.is_empty() {
        return options.profiles.clone();
    }
    // As in Compose, no profile at all is one without a name.
    let list = environment.get("COMPOSE_PROFILES");
    let list = list.map_or("", String::as_str);
    list.split(',').map(|p| p.trim().to_owned()).collect()
}

/// Whether a service takes part: it is in no profile, or in an active one.
pub fn is_enabled(service: &Node, active: &[String]) -> bool {
    let Some(profiles) = service.get("profiles").and_then(Node::as_seq) else {
        return true;
    };
    profiles.is_empty()
        || active
            .iter()
            .any(|a| a == "*" || profiles.iter().any(|p| p.as_str() == Some(a)))
}

/// The profiles that naming these services switches on.
pub fn implied(services: &Map, named: &[String], active: &[String]) -> Vec<String> {
    named
        .iter()
        .filter_map(|name| services.get(name))
        .filter(|service| !is_enabled(service, active))
        .filter_map(|service| service.get("profiles")?.as_seq())
        .flatten()
        .filter_map(|profile| profile.as_str().map(str::to_owned))
        .collect()
}

/// The services that are named, by name or pattern; all of them where none is.
pub fn named<'s>(services: &'s Map, named: &[String]) -> impl Iterator<Item = &'s str> {
    let is_named = |key: &str| named.iter().any(|n| n == key || glob::matches(n, key));
    services
        .keys()
        .filter(move |key| named.is_empty() || is_named(key))
}

/// The services that a command works on: those named, by name or pattern, and all they depend
/// on; all of them where none is named.
pub fn selected<'s>(services: &'s Map, named: &[String]) -> BTreeSet<&'s str> {
    let mut queue: Vec<&str> = self::named(services, named).collect();
    let mut found = BTreeSet::new();
    while let Some(name) = queue.pop() {
        if !found.insert(name) {
            continue;
        }
        let dependencies = services
            .get(name)
            .and_then(|s| s.get("depends_on")?.as_map())
            .into_iter()
            .flat_map(Map::keys);
        queue.extend(dependencies.filter_map(|d| services.entry(d).map(|_| d)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Findings;
    use crate::load::yaml;
    use crate::tree::SourceId;

    #[test]
    fn services_take_part_by_profile_and_by_name() {
        let text = "{a: {depends_on: {b: }}, b: {}, d: {profiles: [dev, x]}}";
        let tree = yaml::parse(SourceId(0), text, &mut Findings::default())
            .remove(0)
            .root;
        let services = tree.as_map().unwrap();
        let enabled = |active: &[&str]| {
            let active: Vec<String> = active.iter().map(|s| (*s).to_owned()).collect();
            services
                .iter()
                .filter(|(_, s)| is_enabled(s, &active))
                .map(|(k, _)| k)
                .collect::<Vec<_>>()
        };
        assert_eq!(enabled(&[]), ["a", "b"]);
        assert_eq!(enabled(&["dev"]), ["a", "b", "d"]);
        assert_eq!(enabled(&["*"]), ["a", "b", "d"]);
        assert_eq!(implied(services, &["d".into()], &[]), ["dev", "x"]);
        assert_eq!(
            selected(services, &["a*".into()])
                .into_iter()
                .collect::<Vec<_>>(),
            ["a", "b"]
        );
    }
}
