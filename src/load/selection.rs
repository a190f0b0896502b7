//! Which services take part, and what they need: profiles, the services named on the command
//! line, env files, and the resources that are used.
//!
//! In: the decoded model. Out: the project in canonical form, as `config` prints it.

use super::env_files::EnvFiles;
use super::environment::Environment;
use super::model::Builder;
use super::validate::consistency;
use super::{EnvFileReaders, LoadOptions, Together, profiles};
use crate::diagnostic::Severity;
use crate::tree::{Map, Node, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// A project in canonical form, with the places in the files, but without types.
#[derive(Debug, Clone, Default)]
pub struct CanonicalProject {
    pub name: String,
    /// Nothing but its directory names it.
    pub is_name_implied: bool,
    /// Absolute project directory.
    pub working_dir: PathBuf,
    pub environment: Environment,
    /// The services to work on.
    pub services: Map,
    /// Declared, but in no active profile.
    pub disabled: Map,
    pub networks: Map,
    pub volumes: Map,
    /// Secrets, configs, models and `x-*`. What the content of a secret or config is stands in
    /// a hidden attribute of it.
    pub rest: Node,
}

/// The services of a model by whether they take part.
struct Services {
    enabled: Map,
    disabled: Map,
}

/// Finds out what takes part in a decoded model.
pub fn select(
    builder: &mut Builder<'_>,
    options: &LoadOptions,
    environment: Environment,
    mut model: Node,
) -> CanonicalProject {
    let all = take_map(&mut model, "services");
    let mut active = profiles::active(options, &environment);
    let enabled_at_first = active.clone();
    let mut services = split(all, &active);
    if !options.stages.no_consistency {
        check(builder, &mut services, &model);
    }
    let implied = profiles::implied(&services.disabled, &options.named_services, &active);
    if !implied.is_empty() {
        active.extend(implied);
        services = split(join(services), &active);
    }
    if !options.stages.no_consistency {
        let together = together(options, &services.enabled);
        consistency::check_names(&services.enabled, &together, &mut builder.findings);
    }
    let readers = Readers::new(options, &services.enabled, &enabled_at_first);
    read_env_files(builder, &readers, &environment, &mut services.enabled);
    if builder.reader.history.is_some() {
        read_env_files_of_disabled(builder, &environment, &mut services.disabled);
    }
    let mut project = CanonicalProject {
        environment,
        services: services.enabled,
        disabled: services.disabled,
        networks: take_map(&mut model, "networks"),
        volumes: take_map(&mut model, "volumes"),
        rest: model,
        ..CanonicalProject::default()
    };
    if !options.all_resources {
        project.drop_unused_resources();
    }
    project
}

/// The services that are to run beside each other.
fn together<'s>(options: &LoadOptions, services: &'s Map) -> BTreeSet<&'s str> {
    match options.together {
        Together::None => BTreeSet::new(),
        Together::Selected => profiles::selected(services, &options.named_services),
        Together::Named => profiles::named(services, &options.named_services).collect(),
    }
}

/// Names of the services whose env files and label files are read.
struct Readers {
    variables: BTreeSet<String>,
    labels: BTreeSet<String>,
}

impl Readers {
    fn new(options: &LoadOptions, services: &Map, active: &[String]) -> Self {
        let names = |services: BTreeSet<&str>| services.into_iter().map(str::to_owned).collect();
        let selected: BTreeSet<String> =
            names(profiles::selected(services, &options.named_services));
        let enabled = services
            .iter()
            .filter(|(_, service)| profiles::is_enabled(service, active))
            .map(|(name, _)| name.to_owned());
        let all: BTreeSet<String> = selected.iter().cloned().chain(enabled).collect();
        let variables = match &options.env_file_readers {
            _ if options.stages.no_env_resolution => BTreeSet::new(),
            EnvFileReaders::Selected => selected,
            EnvFileReaders::Enabled => all.clone(),
            EnvFileReaders::Only(names) => names.iter().cloned().collect(),
        };
        // Compose resolves them before it knows what is asked for.
        Readers {
            variables,
            labels: all,
        }
    }
}

/// Merges the env and label files of services.
fn read_env_files(
    builder: &mut Builder<'_>,
    readers: &Readers,
    environment: &Environment,
    services: &mut Map,
) {
    let mut env_files = EnvFiles::default();
    let Builder {
        reader,
        findings,
        included_environments,
        ..
    } = builder;
    for (name, service) in services.iter_mut() {
        let Some(service) = service.as_map_mut() else {
            continue;
        };
        if reader.budget.is_spent() {
            return;
        }
        if readers.variables.contains(name) {
            env_files.variables(
                name,
                service,
                environment,
                included_environments,
                reader,
                findings,
            );
        }
        if readers.labels.contains(name) {
            env_files.labels(name, service, reader, findings);
        }
    }
}

/// The same for the services that take no part, so that they can be explained; what is wrong with
/// their files keeps nobody from anything.
fn read_env_files_of_disabled(
    builder: &mut Builder<'_>,
    environment: &Environment,
    services: &mut Map,
) {
    let names: BTreeSet<String> = services.keys().map(str::to_owned).collect();
    let readers = Readers {
        variables: names.clone(),
        labels: names,
    };
    let known = builder.findings.len();
    read_env_files(builder, &readers, environment, services);
    for finding in &mut builder.findings[known..] {
        finding.severity = Severity::Warning;
    }
}

impl CanonicalProject {
    /// Narrows it to the named services, by name or pattern, and what they depend on. Gives back
    /// the first name that stands for nothing.
    pub fn select(&mut self, names: &[String]) -> Result<(), String> {
        let is_there = |name: &&String| {
            !self
                .services
                .keys()
                .any(|key| key == *name || crate::value::glob::matches(name, key))
        };
        if let Some(unknown) = names.iter().find(is_there) {
            return Err(unknown.clone());
        }
        let kept: BTreeSet<String> = profiles::selected(&self.services, names)
            .into_iter()
            .map(str::to_owned)
            .collect();
        self.services.retain(|name, _| kept.contains(name));
        for (_, service) in self.services.iter_mut() {
            let dependencies = service.get_mut("depends_on").and_then(Node::as_map_mut);
            if let Some(dependencies) = dependencies {
                dependencies.retain(|name, _| kept.contains(name));
                let is_empty = dependencies.is_empty();
                if is_empty && let Some(service) = service.as_map_mut() {
                    service.remove("depends_on");
                }
            }
        }
        Ok(())
    }

    /// Drops networks, volumes, secrets, configs and models that no service uses.
    pub fn drop_unused_resources(&mut self) {
        let used = used(&self.services);
        let is_used =
            |section: &str, key: &str| used.get(section).is_some_and(|keys| keys.contains(key));
        self.networks.retain(|key, _| is_used("networks", key));
        self.volumes.retain(|key, _| is_used("volumes", key));
        if let Some(rest) = self.rest.as_map_mut() {
            for section in ["secrets", "configs", "models"] {
                if let Some(objects) = rest.get_mut(section).and_then(Node::as_map_mut) {
                    objects.retain(|key, _| is_used(section, key));
                }
            }
            rest.retain(|key, node| {
                key.starts_with("x-") || node.as_map().is_some_and(|m| !m.is_empty())
            });
        }
    }
}

/// The networks, models, volumes, secrets and configs that a service uses: section and key.
pub fn uses(service: &Node) -> impl Iterator<Item = (&'static str, &str)> {
    let by_key = ["networks", "models"].into_iter().flat_map(|section| {
        let keys = service.get(section).and_then(Node::as_map);
        let keys = keys.into_iter().flat_map(Map::keys);
        keys.map(move |key| (section, key))
    });
    const LISTS: [(&[&str], &str); 4] = [
        (&["volumes"], "volumes"),
        (&["secrets"], "secrets"),
        (&["build", "secrets"], "secrets"),
        (&["configs"], "configs"),
    ];
    let by_source = LISTS.into_iter().flat_map(|(path, section)| {
        let items = service.at(path).and_then(Node::as_seq).unwrap_or_default();
        let is_use = move |item: &&Node| {
            let kind = item.get("type").and_then(Node::as_str);
            section != "volumes" || kind == Some("volume")
        };
        let sources = items.iter().filter(is_use);
        sources.filter_map(move |item| Some((section, item.get("source")?.as_str()?)))
    });
    by_key.chain(by_source)
}

/// Keys of the resources that services use, by section.
fn used(services: &Map) -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut used: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    for (section, key) in services.iter().flat_map(|(_, service)| uses(service)) {
        let keys = used.entry(section).or_default();
        if !keys.contains(key) {
            keys.insert(key.to_owned());
        }
    }
    used
}

fn split(all: Map, active: &[String]) -> Services {
    let mut services = Services {
        enabled: Map::new(),
        disabled: Map::new(),
    };
    for (name, entry) in all.into_entries() {
        let target = match profiles::is_enabled(&entry.node, active) {
            true => &mut services.enabled,
            false => &mut services.disabled,
        };
        target.insert(name, entry.key, entry.node);
    }
    services
}

fn join(services: Services) -> Map {
    let mut all = services.enabled;
    for (name, entry) in services.disabled.into_entries() {
        all.insert(name, entry.key, entry.node);
    }
    all
}

fn check(builder: &mut Builder<'_>, services: &mut Services, model: &Node) {
    let broken: BTreeSet<String> = builder
        .findings
        .iter()
        .filter(|f| f.is_error())
        .map(|f| f.path.clone())
        .collect();
    // In order, as there may be as many errors as services.
    let begins = |with: String| {
        let mut from = broken.range(with.clone()..);
        from.next().is_some_and(|path| path.starts_with(&with))
    };
    let is_broken = |section: &str| {
        broken.contains(section) || begins(format!("{section}.")) || begins(format!("{section}["))
    };
    consistency::check(
        &consistency::Project {
            enabled: &services.enabled,
            disabled: &services.disabled,
            model,
            broken: &is_broken,
        },
        &mut builder.findings,
    );
    for (_, service) in services.enabled.iter_mut() {
        align_replicas(service);
    }
}

/// Where `scale` and `deploy` are both there, `deploy.replicas` says what `scale` says.
fn align_replicas(service: &mut Node) {
    let Some(scale) = service.get("scale").cloned() else {
        return;
    };
    if let Some(deploy) = service.get_mut("deploy").and_then(Node::as_map_mut) {
        deploy.insert("replicas", scale.span, scale);
    }
}

fn take_map(model: &mut Node, section: &str) -> Map {
    match model
        .as_map_mut()
        .and_then(|m| m.remove(section))
        .map(|n| n.value)
    {
        Some(Value::Map(map)) => map,
        _ => Map::new(),
    }
}
