//! What the labels on an engine tell where no project file is at hand.

use super::Observed;
use crate::engine::{ContainerFilter, ContainerSummary, Engine, EngineError};
use crate::labels;
use crate::network::Network;
use crate::project::Project;
use crate::service::{Condition, Dependency, Service};
use crate::volume::Volume;

/// Containers of a project, those of its hooks among them: one request.
pub async fn containers_of(
    engine: &dyn Engine,
    project: &str,
    all: bool,
) -> Result<Vec<ContainerSummary>, EngineError> {
    engine
        .list_containers(ContainerFilter {
            labels: vec![format!("{}={project}", labels::PROJECT)],
            all,
        })
        .await
}

/// Rebuilds a project from labels: its services with their scale and dependencies, its networks
/// and volumes. What labels do not tell is unset. A service may depend on one that the project does
/// not have: no container of that is left.
pub fn project_from_labels(name: &str, observed: &Observed) -> Project {
    let mut project = Project {
        name: name.to_owned(),
        ..Project::default()
    };
    for (service, replicas) in &observed.services {
        let mut depends_on = std::collections::BTreeMap::new();
        for replica in replicas {
            if let Some(label) = replica.summary.labels.get(labels::DEPENDS_ON) {
                depends_on.extend(parse_depends_on(label));
            }
        }
        project.services.insert(
            service.clone(),
            Service {
                name: service.clone(),
                image: replicas.first().map(|r| r.summary.image.clone()),
                scale: Some(replicas.len() as u32),
                depends_on,
                ..Service::default()
            },
        );
    }
    let ours = |labels: &std::collections::BTreeMap<String, String>, key: &str| {
        (labels.get(self::labels::PROJECT).map(String::as_str) == Some(name))
            .then(|| labels.get(key).cloned())
            .flatten()
    };
    for network in &observed.networks {
        if let Some(key) = ours(&network.labels, labels::NETWORK) {
            project.networks.insert(
                key.clone(),
                Network {
                    key,
                    name: network.name.clone(),
                    ..Network::default()
                },
            );
        }
    }
    for volume in &observed.volumes {
        if let Some(key) = ours(&volume.labels, labels::VOLUME) {
            project.volumes.insert(
                key.clone(),
                Volume {
                    key,
                    name: volume.name.clone(),
                    ..Volume::default()
                },
            );
        }
    }
    project
}

/// Declares the services of which only containers of `run` are left, so that what removes orphans
/// removes these as well, whether they run or not.
pub fn declare_oneoffs(project: &mut Project, observed: &Observed) {
    for oneoff in &observed.oneoffs {
        let service = &oneoff.service;
        let declared = project.services.entry(service.clone());
        declared.or_insert_with(|| Service {
            name: service.clone(),
            scale: Some(0),
            ..Service::default()
        });
    }
}

/// Reads the label `dep:condition:restart,…`; a bare name means the default.
fn parse_depends_on(label: &str) -> Vec<(String, Dependency)> {
    label
        .split(',')
        .filter(|entry| !entry.is_empty())
        .map(|entry| {
            let mut parts = entry.split(':');
            let name = parts.next().unwrap_or_default().to_owned();
            let condition = parts.next().and_then(Condition::parse).unwrap_or_default();
            let restart = parts.next() == Some("true");
            // The label does not tell what is optional: as with Compose, all is required.
            let dependency = Dependency {
                condition,
                restart,
                required: true,
            };
            (name, dependency)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_gives_back_the_dependencies() {
        let parsed = parse_depends_on("db:service_healthy:true,init");
        assert_eq!(parsed[0].0, "db");
        assert_eq!(parsed[0].1.condition, Condition::Healthy);
        assert!(parsed[0].1.restart && parsed[0].1.required);
        assert_eq!(parsed[1].1.condition, Condition::Started);
        assert!(parse_depends_on("").is_empty());
    }
}
