//! The project: everything one load of Compose files asks for.

mod addresses;
mod labels;

use crate::network::Network;
use crate::secret::FileObject;
use crate::service::Service;
use crate::tree::Node;
use crate::value::platform::Platform;
use crate::value::secret::Known;
use crate::volume::Volume;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The desired state, normalised and consistent: every reference in it resolves.
#[derive(Debug, Clone, Default)]
pub struct Project {
    pub name: String,
    /// Nothing but its directory names it.
    pub is_name_implied: bool,
    /// Absolute project directory.
    pub working_dir: PathBuf,
    /// Absolute paths of the top-level files, `-` for standard input.
    pub config_files: Vec<String>,
    /// Absolute paths given by `--env-file`.
    pub env_files: Vec<String>,
    /// The services to work on.
    pub services: BTreeMap<String, Service>,
    /// Declared, but not part of this command: inactive profile, or not selected. Their
    /// containers are no orphans.
    pub disabled: BTreeMap<String, Service>,
    pub networks: BTreeMap<String, Network>,
    pub volumes: BTreeMap<String, Volume>,
    pub secrets: BTreeMap<String, FileObject>,
    pub configs: BTreeMap<String, FileObject>,
    /// What its secrets hold, as far as this machine knows: shown to nobody.
    pub declared_secrets: Known,
    /// What `${…}` is looked up in.
    pub environment: BTreeMap<String, String>,
    /// The rest of the project in canonical form: secrets, configs, models and `x-*`. Services,
    /// networks and volumes hold their own.
    pub spec: Node,
    /// `_` instead of `-` between the parts of a container's name (`--compatibility`).
    pub compatibility: bool,
}

/// A service was named that the project does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no such service: {name}")]
pub struct NoSuchService {
    pub name: String,
    /// The names there are, for advice.
    pub known: Vec<String>,
}

/// Whether a selection takes in what the named services depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dependencies {
    Include,
    Ignore,
}

impl Dependencies {
    /// As a flag says: `--include-deps`, or the opposite of `--no-deps`.
    pub fn included(are_included: bool) -> Self {
        match are_included {
            true => Dependencies::Include,
            false => Dependencies::Ignore,
        }
    }
}

impl Project {
    /// The separator inside container and image names.
    pub fn separator(&self) -> char {
        if self.compatibility { '_' } else { '-' }
    }

    /// `<project>-<service>-<number>`, or the service's own `container_name`.
    pub fn container_name(&self, service: &Service, number: u32) -> String {
        match &service.container_name {
            Some(name) => name.clone(),
            None => {
                let sep = self.separator();
                format!("{}{sep}{}{sep}{number}", self.name, service.name)
            }
        }
    }

    /// The image a service runs; a built one without a name gets `<project>-<service>`.
    pub fn image_name(&self, service: &Service) -> String {
        match &service.image {
            Some(image) => image.clone(),
            None => format!("{}{}{}", self.name, self.separator(), service.name),
        }
    }

    /// What the source of an image mount means: an image, or a service whose image is meant.
    pub fn mounted_image(&self, source: &str) -> String {
        match self.declared(source) {
            Some(service) => self.image_name(service),
            None => source.to_owned(),
        }
    }

    /// The platform of services that name none (`DOCKER_DEFAULT_PLATFORM`).
    pub fn default_platform(&self) -> Option<&str> {
        let platform = self.environment.get("DOCKER_DEFAULT_PLATFORM")?;
        Some(platform.as_str()).filter(|p| !p.is_empty())
    }

    /// The platform that a service's image is pulled, built and run for, where one is asked for.
    pub fn platform_of<'a>(&'a self, service: &'a Service) -> Option<&'a str> {
        let own = service.platform.as_deref().filter(|p| !p.is_empty());
        own.or(self.default_platform())
    }

    /// The default platform, where a service is to be built for it and its `build.platforms` leave
    /// it out.
    pub fn platform_not_built(&self, service: &Service) -> Option<&str> {
        let platforms = &service.build.as_ref()?.platforms;
        let is_default = service.platform.as_deref().is_none_or(str::is_empty);
        let default = self.default_platform().filter(|_| is_default)?;
        let is_left_out =
            !platforms.is_empty() && !platforms.iter().any(|p| Platform::fits(default, p));
        is_left_out.then_some(default)
    }

    /// The service, active or not.
    pub fn declared(&self, service: &str) -> Option<&Service> {
        let active = self.services.get(service);
        active.or_else(|| self.disabled.get(service))
    }

    /// Whether the service is declared at all, active or not.
    pub fn declares(&self, service: &str) -> bool {
        self.declared(service).is_some()
    }

    /// The error for a name that stands for no active service.
    pub fn no_such_service(&self, name: &str) -> NoSuchService {
        NoSuchService {
            name: name.to_owned(),
            known: self.services.keys().cloned().collect(),
        }
    }

    /// Resolves service arguments: names, or shell globs over the active services.
    pub fn resolve_names(&self, names: &[String]) -> Result<BTreeSet<String>, NoSuchService> {
        let mut found = BTreeSet::new();
        for name in names {
            let before = found.len();
            if self.services.contains_key(name) {
                found.insert(name.clone());
                continue;
            }
            found.extend(
                self.services
                    .keys()
                    .filter(|s| crate::value::glob::matches(name, s))
                    .cloned(),
            );
            if found.len() == before {
                return Err(self.no_such_service(name));
            }
        }
        Ok(found)
    }

    /// Narrows the project to the named services (all, if none are named) and, where asked,
    /// all they depend on. The rest becomes disabled; references to it leave `depends_on`.
    pub fn select(
        &mut self,
        names: &[String],
        dependencies: Dependencies,
    ) -> Result<(), NoSuchService> {
        if names.is_empty() {
            return Ok(());
        }
        let mut keep = self.resolve_names(names)?;
        if dependencies == Dependencies::Include {
            let mut queue: Vec<String> = keep.iter().cloned().collect();
            while let Some(name) = queue.pop() {
                for dependency in self.services[&name].depends_on.keys() {
                    if self.services.contains_key(dependency) && keep.insert(dependency.clone()) {
                        queue.push(dependency.clone());
                    }
                }
            }
        }
        let all = std::mem::take(&mut self.services);
        for (name, service) in all {
            if keep.contains(&name) {
                self.services.insert(name, service);
            } else {
                self.disabled.insert(name, service);
            }
        }
        // What is not declared at all stays named: labels tell of it, and its containers are gone.
        let disabled = &self.disabled;
        for service in self.services.values_mut() {
            let dependencies = &mut service.depends_on;
            dependencies.retain(|name, _| keep.contains(name) || !disabled.contains_key(name));
        }
        Ok(())
    }

    /// Drops networks and volumes that no active service uses.
    pub fn drop_unused_resources(&mut self) {
        let networks: BTreeSet<&str> = self
            .services
            .values()
            .flat_map(|s| s.networks.keys())
            .map(String::as_str)
            .collect();
        self.networks
            .retain(|key, _| networks.contains(key.as_str()));
        let volumes: BTreeSet<&str> = self
            .services
            .values()
            .flat_map(Service::volume_keys)
            .collect();
        self.volumes.retain(|key, _| volumes.contains(key.as_str()));
    }

    /// Active services that depend on the named one.
    pub fn dependents<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Service> {
        self.services
            .values()
            .filter(move |s| s.depends_on.contains_key(name))
    }
}
