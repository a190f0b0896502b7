//! Whether a container is still what its service asks for, and if not, in what.

use super::{Planner, Recreate};
use crate::hash::{self, AsCreated};
use crate::observe::ObservedContainer;
use crate::plan::Change;
use crate::service::Service;
use crate::spec;
use crate::value::secret::Masking;
use std::collections::BTreeMap;

/// The cause where nothing tells the old values.
pub const UNRECORDED: &str =
    "its configuration changed (made by another program: no record of the old values)";

/// Why a container is replaced.
#[derive(Debug, Clone)]
pub(super) struct Divergence {
    pub cause: String,
    pub changes: Vec<Change>,
}

impl Divergence {
    fn because(cause: impl Into<String>) -> Self {
        Divergence {
            cause: cause.into(),
            changes: Vec::new(),
        }
    }

    /// The mark of a container that completes an interrupted recreation.
    pub(super) fn resumed() -> Self {
        Divergence::because("an interrupted recreation is completed")
    }

    pub(super) fn of(changes: Vec<Change>) -> Self {
        let cause = match changes.split_first() {
            None => "its configuration changed".to_owned(),
            Some((first, [])) => first.in_words(),
            Some((first, rest)) => format!("{} (and {} more)", first.in_words(), rest.len()),
        };
        Divergence { cause, changes }
    }
}

impl Planner<'_> {
    /// `None` where the container can stay.
    pub(super) fn divergence(
        &self,
        service: &Service,
        container: &ObservedContainer,
    ) -> Option<Divergence> {
        let strategy = self.strategy(service);
        if strategy == Recreate::Force {
            return Some(Divergence::because("recreation is forced"));
        }
        let is_never = strategy == Recreate::Never;
        // Also with `--no-recreate`: in the namespace of one that is gone it could not be started.
        let owners = match is_never {
            true => service.lives_in().collect(),
            false => service.shared_with(),
        };
        if let Some(owner) = owners.iter().find(|owner| self.replaced.contains(*owner)) {
            return Some(Divergence::because(format!(
                "it shares with {owner}, which is recreated"
            )));
        }
        if is_never {
            let host = self.host_that_leaves(container)?;
            let owner = &host.service;
            return Some(Divergence::because(format!(
                "it shares with {owner}, which is removed"
            )));
        }
        self.changed_configuration(service, container)
            .or_else(|| self.changed_image(service, container))
            .or_else(|| self.changed_files(service, container))
            .or_else(|| self.missing_network(service, container))
            .or_else(|| self.missing_volume(service, container))
            .or_else(|| self.address_of_another(service, container))
            .or_else(|| self.adopted(container))
    }

    fn strategy(&self, service: &Service) -> Recreate {
        match self.is_named(&service.name) {
            true => self.options.recreate,
            false => self.options.recreate_dependencies,
        }
    }

    /// Its labels name another directory, which only a new container can change.
    fn adopted(&self, container: &ObservedContainer) -> Option<Divergence> {
        let folder = container.folder().unwrap_or_default();
        (self.options.adopt && self.observed.is_foreign(container))
            .then(|| Divergence::because(format!("it is taken over from {folder}")))
    }

    fn changed_configuration(
        &self,
        service: &Service,
        container: &ObservedContainer,
    ) -> Option<Divergence> {
        let created = AsCreated {
            default_platform: self.project.default_platform(),
            containers: self.observed_references(service),
        };
        if hash::service_hashes(&service.spec, &created).accept(&container.config_hash) {
            return None;
        }
        let Some(record) = container.spec.as_deref().and_then(spec::read_record) else {
            return Some(Divergence::because(UNRECORDED));
        };
        let shown = Masking {
            known: self.project.declared_secrets.clone(),
            is_off: self.options.show_secrets,
        };
        let mut changes = spec::differences(&record, &service.spec, &shown);
        if let Some(files) = self.files_of(service) {
            changes.extend(spec::changed_files(&record, &files));
        }
        match service.shared_with().first() {
            Some(owner) if changes.is_empty() => Some(Divergence::because(format!(
                "it shares with {owner}, which is another container now"
            ))),
            _ => Some(Divergence::of(changes)),
        }
    }

    /// The containers that `service:x` references stand for, once what is planned is done.
    fn observed_references<'s>(&'s self, service: &'s Service) -> BTreeMap<&'s str, &'s str> {
        let ids = service.shared_with().into_iter().filter_map(|owner| {
            let planned = self
                .referred
                .get(owner)
                .and_then(|referred| referred.id.as_deref());
            let id = match planned {
                Some(id) => id,
                None => self.observed.first_of(owner)?.id.as_str(),
            };
            Some((owner, id))
        });
        ids.collect()
    }

    fn changed_image(
        &self,
        service: &Service,
        container: &ObservedContainer,
    ) -> Option<Divergence> {
        let reference = self.project.image_name(service);
        let image = self.image(&reference)?;
        if container.image_label.is_empty() || image.is_known_as(&container.image_label) {
            return None;
        }
        let short = |id: &str| id.trim_start_matches("sha256:").chars().take(12).collect();
        let (old, new): (String, String) = (short(&container.image_label), short(&image.id));
        Some(Divergence {
            cause: format!("image {reference} is another one now: {old} → {new}"),
            changes: vec![
                Change::of(
                    "image",
                    Some(format!("{reference} ({old})").into()),
                    Some(format!("{reference} ({new})").into()),
                )
                .at(service.spec.get("image").map(|node| node.span)),
            ],
        })
    }

    /// The container ran on a network that is gone, whatever has its name now: it remembers which
    /// one it was, and does not start without.
    fn missing_network(
        &self,
        service: &Service,
        container: &ObservedContainer,
    ) -> Option<Divergence> {
        let mut stale = self.stale_networks(service, container);
        let name = match stale.next() {
            Some(key) => self.project.networks[key].name.as_str(),
            None => service
                .mode_network()
                .filter(|name| self.is_stale(container, name))?,
        };
        Some(Divergence::because(
            match self.observed.network_named(name).is_some() {
                true => format!("network {name} was removed and created again"),
                false => format!("it is not attached to network {name}"),
            },
        ))
    }

    /// The networks, by key, that the container remembers by an id that no network has any more.
    pub(super) fn stale_networks<'s>(
        &'s self,
        service: &'s Service,
        container: &'s ObservedContainer,
    ) -> impl Iterator<Item = &'s String> {
        service.networks.keys().filter(move |key| {
            let network = self.project.networks.get(*key);
            network.is_some_and(|network| self.is_stale(container, &network.name))
        })
    }

    /// Whether the container was on a network of this name that is not the one there is now.
    fn is_stale(&self, container: &ObservedContainer, network: &str) -> bool {
        let id = container.summary.networks.get(network);
        let is_known = id.is_some_and(|id| !id.is_empty());
        is_known && !self.observed.is_on(container, network)
    }

    /// The engine has given it an address that another service asks for by now.
    fn address_of_another(
        &self,
        service: &Service,
        container: &ObservedContainer,
    ) -> Option<Divergence> {
        let mut asked = self.project.addresses_of_others(service);
        let (address, other, key) =
            asked.find(|(address, _, _)| container.summary.addresses.contains(address))?;
        Some(Divergence::because(format!(
            "it has the address {address}, which {} asks for on network {key}",
            other.name
        )))
    }

    /// The networks, by key, that the container was made for and has been taken off, as a change of
    /// theirs does that is cut short.
    pub(super) fn taken_off(
        &self,
        service: &Service,
        container: &ObservedContainer,
    ) -> Vec<String> {
        // What stays although it is outdated has the networks that it was made with.
        let may_be_outdated =
            self.strategy(service) == Recreate::Never || !self.is_kept(&container.id);
        if may_be_outdated && self.changed_configuration(service, container).is_some() {
            return self.observed.taken_off(container, self.project);
        }
        let lacks = |key: &&String| self.observed.lacks(container, self.project, key);
        service.networks.keys().filter(lacks).cloned().collect()
    }

    fn missing_volume(
        &self,
        service: &Service,
        container: &ObservedContainer,
    ) -> Option<Divergence> {
        service.volume_keys().find_map(|key| {
            let volume = self.project.volumes.get(key)?;
            (!container.volumes.contains(&volume.name))
                .then(|| Divergence::because(format!("it does not mount volume {}", volume.name)))
        })
    }
}
