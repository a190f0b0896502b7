//! Container names that somebody else's container has.

use super::Walk;
use super::failure::Trouble;
use crate::engine::ContainerDetails;
use crate::labels;
use crate::service::Service;

impl Walk<'_> {
    /// A replacement is created under a temporary name: the name that it gets in the end has to be
    /// free, or a container's of the project, before anything is stopped for it.
    pub(super) async fn check_final_name(
        &self,
        service: &Service,
        name: &str,
    ) -> Result<(), Trouble> {
        let all = self.observed.replicas().chain(&self.observed.oneoffs);
        if all.into_iter().any(|container| container.name == name) {
            return Ok(());
        }
        // One of the project that was not seen has got the name only now, from a run that was killed.
        let is_ours = |other: &ContainerDetails| {
            other.labels.get(labels::PROJECT) == Some(&self.project.name)
        };
        match self.means.engine.inspect_container(name).await {
            Ok(other) if other.name == name && !is_ours(&other) => Err(taken(service, &other)),
            _ => Ok(()),
        }
    }

    /// Tells which container has the name, where the engine has refused it.
    pub(super) async fn explain_taken_name(
        &self,
        service: &Service,
        name: &str,
        trouble: Trouble,
    ) -> Trouble {
        match self.means.engine.inspect_container(name).await {
            Ok(other) if other.name == name => taken(service, &other),
            _ => trouble.at(format!("services.{}", service.name)),
        }
    }
}

fn taken(service: &Service, other: &ContainerDetails) -> Trouble {
    let (name, id) = (&other.name, &other.id);
    let of = match other.labels.get(labels::PROJECT) {
        Some(project) => format!("a container of project {project}"),
        None => "a container that belongs to no project".to_owned(),
    };
    // The engine's own sentence is what people look for.
    let sentence =
        format!("Conflict. The container name \"/{name}\" is already in use by container \"{id}\"");
    Trouble::new(format!("{sentence}, {of}"))
        .at(service.place_of_container_name())
        .help(format!(
            "remove or rename that container (`docker rename {name} NAME`), or choose another name \
             here (`container_name`)"
        ))
}
