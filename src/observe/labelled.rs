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
/// and volumes. What labels do not tell is unset.
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
    // A label may name a service that has no container any more.
    let known: Vec<String> = project.services.keys().cloned().collect();
    for service in project.services.values_mut() {
        service.depends_on.retain(|name, _| known.contains(name));
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
            // Whoever is missing now was removed on purpose: nothing is required of the past.
            let dependency = Dependency {
                condition,
                restart,
                required: false,
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
        assert!(parsed[0].1.restart);
        assert_eq!(parsed[1].1.condition, Condition::Started);
        assert!(parse_depends_on("").is_empty());
    }
}
