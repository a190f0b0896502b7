//! One snapshot of what the engine has of a project, with labels parsed once into typed fields.
//!
//! Collecting makes no choices; [`crate::reconcile`] does. Nothing is inspected: the lists tell
//! enough, and their number does not grow with the project.

mod attached;
mod data;
mod folders;
mod images;
mod labelled;

pub use images::{hook_images, local_images, mounted_images};
pub use labelled::{containers_of, declare_oneoffs, project_from_labels};

use crate::engine::{
    ContainerState, ContainerSummary, Engine, EngineError, Health, ImageSummary, NetworkSummary,
    VolumeSummary,
};
use crate::labels;
use crate::project::Project;
use futures::future::try_join;
use std::collections::{BTreeMap, BTreeSet};

/// A container of the project.
#[derive(Debug, Clone, Default)]
pub struct ObservedContainer {
    pub id: String,
    pub name: String,
    pub service: String,
    /// `None` where the label is missing or no number.
    pub number: Option<u32>,
    pub oneoff: bool,
    pub config_hash: String,
    /// Id of the image it was made from, as labelled at creation.
    pub image_label: String,
    pub state: ContainerState,
    pub health: Option<Health>,
    /// Exit status, where the list tells it (`Exited (3) …`).
    pub exit_code: Option<i64>,
    /// Our own record of what it was made from.
    pub spec: Option<String>,
    /// Ids of the networks it is attached to.
    pub networks: Vec<String>,
    /// Names of the volumes it mounts.
    pub volumes: Vec<String>,
    /// Seconds since the epoch.
    pub created: i64,
    pub summary: ContainerSummary,
}

impl ObservedContainer {
    /// Parses a row of the engine's list.
    pub fn from_summary(summary: ContainerSummary) -> Self {
        let label = |key: &str| summary.labels.get(key).cloned().unwrap_or_default();
        ObservedContainer {
            id: summary.id.clone(),
            name: summary.name.clone(),
            service: label(labels::SERVICE),
            number: label(labels::CONTAINER_NUMBER).parse().ok(),
            oneoff: label(labels::ONEOFF).eq_ignore_ascii_case("true"),
            config_hash: label(labels::CONFIG_HASH),
            image_label: label(labels::IMAGE),
            state: summary.state,
            health: health_of(&summary.status),
            exit_code: exit_code_of(&summary.status),
            spec: summary.labels.get(labels::SPEC).cloned(),
            networks: summary.networks.values().cloned().collect(),
            volumes: summary
                .mounts
                .iter()
                .filter(|m| m.kind == "volume")
                .map(|m| m.name.clone())
                .collect(),
            created: summary.created,
            summary,
        }
    }
}

impl ObservedContainer {
    /// The project directory it was made from, as its label tells.
    pub fn folder(&self) -> Option<&str> {
        let folder = self.summary.labels.get(labels::WORKING_DIR)?;
        Some(folder.as_str()).filter(|f| !f.is_empty())
    }

    /// Its name without the prefix that it carries while it takes another's place
    /// (`<12 digits of an id>_`).
    pub fn final_name(&self) -> &str {
        match self.name.split_once('_') {
            Some((prefix, name))
                if prefix.len() == PREFIX && prefix.bytes().all(|b| b.is_ascii_hexdigit()) =>
            {
                name
            }
            _ => &self.name,
        }
    }

    /// Whether it is, or was when a run was cut short, about to take another's place.
    pub fn has_temporary_name(&self) -> bool {
        self.name != self.final_name()
    }
}

/// What a successor's temporary name begins with: so many digits of an id.
const PREFIX: usize = 12;

/// Health as the status sentence tells it: `Up 3 minutes (healthy)`.
pub fn health_of(status: &str) -> Option<Health> {
    if status.ends_with("(healthy)") {
        Some(Health::Healthy)
    } else if status.ends_with("(unhealthy)") {
        Some(Health::Unhealthy)
    } else if status.ends_with("(health: starting)") {
        Some(Health::Starting)
    } else {
        None
    }
}

/// The exit status in a status sentence: `Exited (137) 2 hours ago`.
pub fn exit_code_of(status: &str) -> Option<i64> {
    let rest = status.strip_prefix("Exited (")?;
    rest.split_once(')')?.0.parse().ok()
}

/// The snapshot.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// Replicas by service, declared or not, in the order of their numbers.
    pub services: BTreeMap<String, Vec<ObservedContainer>>,
    /// Containers of `run`.
    pub oneoffs: Vec<ObservedContainer>,
    /// Containers of `pre_start` hooks that failed, or whose run was cut short.
    pub hooks: Vec<ObservedContainer>,
    /// Every network of the engine.
    pub networks: Vec<NetworkSummary>,
    /// Every volume of the engine; empty where the project declares none.
    pub volumes: Vec<VolumeSummary>,
    /// Local images by the reference that was asked for.
    pub images: BTreeMap<String, ImageSummary>,
    /// Project directories, other than the project's own, that containers of its name were made
    /// from; empty where no file tells which is its own.
    pub foreign_folders: BTreeSet<String>,
}

/// What beside the project's containers a command needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    pub networks: bool,
    pub volumes: bool,
    pub images: bool,
}

impl Scope {
    /// Nothing but containers.
    pub const CONTAINERS: Scope = Scope {
        networks: false,
        volumes: false,
        images: false,
    };
}

impl Observed {
    /// Sorts rows of the container list into services and one-offs.
    pub fn from_containers(containers: Vec<ContainerSummary>) -> Self {
        let mut observed = Observed::default();
        for summary in containers {
            let label = |key: &str| summary.labels.get(key).map(String::as_str);
            if label(labels::CONFIG_HASH).is_none() {
                // Hooks' containers and other helpers carry no hash.
                if label(labels::HOOK) == Some(labels::PRE_START) {
                    observed
                        .hooks
                        .push(ObservedContainer::from_summary(summary));
                }
                continue;
            }
            let container = ObservedContainer::from_summary(summary);
            if container.oneoff {
                observed.oneoffs.push(container);
            } else {
                observed
                    .services
                    .entry(container.service.clone())
                    .or_default()
                    .push(container);
            }
        }
        for replicas in observed.services.values_mut() {
            replicas.sort_by(|a, b| (a.number, &a.name).cmp(&(b.number, &b.name)));
        }
        observed.oneoffs.sort_by(|a, b| a.name.cmp(&b.name));
        observed
    }

    /// The replica that stands for a service where another one shares its namespaces or volumes:
    /// the first by name, as with Compose.
    pub fn first_of(&self, service: &str) -> Option<&ObservedContainer> {
        self.replicas_of(service)
            .iter()
            .min_by(|a, b| a.final_name().cmp(b.final_name()))
    }

    /// Whether a container was made from another project directory.
    pub fn is_foreign(&self, container: &ObservedContainer) -> bool {
        container
            .folder()
            .is_some_and(|folder| self.foreign_folders.contains(folder))
    }

    /// All replicas of all services.
    pub fn replicas(&self) -> impl Iterator<Item = &ObservedContainer> {
        self.services.values().flatten()
    }

    /// The replica with this id.
    pub fn replica(&self, id: &str) -> Option<&ObservedContainer> {
        self.replicas().find(|c| c.id == id)
    }

    pub fn replicas_of(&self, service: &str) -> &[ObservedContainer] {
        self.services.get(service).map_or(&[], Vec::as_slice)
    }

    /// Replicas of services that the project does not declare, and finished one-offs.
    pub fn orphans<'a>(
        &'a self,
        project: &'a Project,
    ) -> impl Iterator<Item = &'a ObservedContainer> {
        let undeclared = self
            .services
            .iter()
            .filter(|(name, _)| !project.declares(name))
            .flat_map(|(_, replicas)| replicas);
        let finished = self
            .oneoffs
            .iter()
            .filter(|c| !c.state.is_up() && c.state != ContainerState::Created);
        undeclared.chain(finished)
    }

    /// The network of this name (or, for an external one, of this id).
    pub fn network_named(&self, name: &str) -> Option<&NetworkSummary> {
        self.networks
            .iter()
            .find(|n| n.name == name)
            .or_else(|| self.networks.iter().find(|n| n.id == name))
    }

    pub fn volume_named(&self, name: &str) -> Option<&VolumeSummary> {
        self.volumes.iter().find(|v| v.name == name)
    }
}

/// Takes the snapshot that a change of `project` is planned on: containers, and as far as the
/// project has any, networks, volumes and images; each is one request (images whose list would not
/// tell enough are asked for one by one), all under way at once.
pub async fn observe(
    engine: &dyn Engine,
    project: &Project,
    scope: Scope,
) -> Result<Observed, EngineError> {
    let containers = containers_of(engine, &project.name, true);
    let networks = async {
        let mut services = project.services.values();
        let has_any = !project.networks.is_empty() || services.any(|s| s.mode_network().is_some());
        if scope.networks && has_any {
            engine.list_networks().await
        } else {
            Ok(Vec::new())
        }
    };
    let volumes = async {
        if scope.volumes && !project.volumes.is_empty() {
            engine.list_volumes(Vec::new()).await
        } else {
            Ok(Vec::new())
        }
    };
    let images = async {
        if scope.images {
            local_images(engine, project).await
        } else {
            Ok(BTreeMap::new())
        }
    };
    let ((containers, networks), (volumes, images)) =
        try_join(try_join(containers, networks), try_join(volumes, images)).await?;
    let containers = with_network_ids(containers, &networks);
    let mut observed = Observed::from_containers(containers);
    observed.networks = networks;
    observed.volumes = volumes;
    observed.images = images;
    observed.foreign_folders = folders::foreign(&observed, &project.working_dir);
    Ok(observed)
}

/// Podman before 5 tells of a container's networks by their names, where ids are asked for.
fn with_network_ids(
    mut containers: Vec<ContainerSummary>,
    networks: &[NetworkSummary],
) -> Vec<ContainerSummary> {
    for (name, id) in containers.iter_mut().flat_map(|c| &mut c.networks) {
        if id == name
            && let Some(network) = networks.iter().find(|n| n.name == *name)
        {
            id.clone_from(&network.id);
        }
    }
    containers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_name_hides_the_final_one() {
        for (name, expected) in [
            ("0123456789ab_shop-web-1", "shop-web-1"),
            ("shop_web_1", "shop_web_1"),
            ("shop-web-1", "shop-web-1"),
        ] {
            let container = ObservedContainer {
                name: name.into(),
                ..ObservedContainer::default()
            };
            assert_eq!(container.final_name(), expected);
        }
    }

    #[test]
    fn a_network_told_of_by_its_name_has_its_id() {
        let on = |network: &str, id: &str| ContainerSummary {
            networks: [(network.into(), id.into())].into(),
            ..ContainerSummary::default()
        };
        let networks = [NetworkSummary {
            id: "9".into(),
            name: "n".into(),
            ..NetworkSummary::default()
        }];
        let containers = vec![on("n", "n"), on("n", "gone"), on("m", "m")];
        let containers = with_network_ids(containers, &networks);
        let ids: Vec<_> = containers
            .iter()
            .flat_map(|c| c.networks.values())
            .collect();
        assert_eq!(ids, ["9", "gone", "m"]);
    }

    #[test]
    fn the_status_sentence_tells_health_and_exit_code() {
        assert_eq!(health_of("Up 3 minutes (healthy)"), Some(Health::Healthy));
        assert_eq!(
            health_of("Up 1 second (health: starting)"),
            Some(Health::Starting)
        );
        assert_eq!(health_of("Up 3 minutes"), None);
        assert_eq!(exit_code_of("Exited (137) 2 hours ago"), Some(137));
        assert_eq!(exit_code_of("Up 3 minutes"), None);
    }
}
