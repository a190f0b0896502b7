//! What uses a network, a volume or an image: services as declared, and containers that exist.
//!
//! `down SERVICE` takes away only what its services use and nothing else of the project does. The
//! rest of the project may be stopped, not created yet, or in a profile that is not active; it
//! counts all the same, since none of it could start again otherwise.

use crate::network::Network;
use crate::observe::{ObservedContainer, hook_images, mounted_images};
use crate::project::Project;
use crate::service::Service;
use crate::value::image::Reference;
use std::collections::BTreeSet;

/// A part of the project that may use a resource. Each question gives the first user as text.
pub(super) struct Claims<'a> {
    pub project: &'a Project,
    pub services: Vec<&'a Service>,
    pub containers: Vec<&'a ObservedContainer>,
}

impl Claims<'_> {
    /// A container that was never started is on a network by its name only.
    pub fn on_network(&self, network: &Network, id: &str) -> Option<String> {
        let key = |key: &str| {
            let named = self.project.networks.get(key);
            key == network.key || named.is_some_and(|n| n.name == network.name)
        };
        self.first(
            |service| service.networks.keys().any(|k| key(k)),
            |container| {
                container.networks.iter().any(|on| on == id)
                    || container.summary.networks.contains_key(&network.name)
            },
        )
    }

    /// A volume by its name on the engine: two keys may stand for one.
    pub fn on_volume(&self, name: &str) -> Option<String> {
        self.first(
            |service| volumes_of(self.project, service).contains(name),
            |container| container.volumes.iter().any(|v| v == name),
        )
    }

    /// An image by one of its tags.
    pub fn on_image(&self, tag: &str) -> Option<String> {
        let is_it = |image: &str| Reference::parse(image).matches(tag);
        self.first(
            |service| {
                is_it(&self.project.image_name(service))
                    || hook_images(self.project, service).any(|image| is_it(&image))
                    || mounted_images(self.project, service).any(|image| is_it(&image))
            },
            |container| is_it(&container.summary.image),
        )
    }

    fn first(
        &self,
        declares: impl Fn(&Service) -> bool,
        holds: impl Fn(&ObservedContainer) -> bool,
    ) -> Option<String> {
        let service = self.services.iter().find(|s| declares(s));
        if let Some(service) = service {
            return Some(format!("service {}", service.name));
        }
        let container = self.containers.iter().find(|c| holds(c));
        container.map(|c| format!("container {}", c.name))
    }
}

/// Names of the volumes that a service mounts, itself or through `volumes_from`.
fn volumes_of<'a>(project: &'a Project, service: &'a Service) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut queue = vec![service];
    let mut names = BTreeSet::new();
    while let Some(service) = queue.pop() {
        if !seen.insert(service.name.as_str()) {
            continue;
        }
        let volumes = service
            .volume_keys()
            .filter_map(|key| project.volumes.get(key));
        names.extend(volumes.map(|volume| volume.name.as_str()));
        let lenders = service.volumes_from.iter().map(|from| {
            let name = from.split(':').next().unwrap_or(from);
            (name != "container").then(|| project.declared(name))
        });
        queue.extend(lenders.flatten().flatten());
    }
    names
}
