//! Container names that somebody else's container has.

use super::Walk;
use super::failure::Trouble;
use crate::engine::ContainerDetails;
use crate::labels;

impl Walk<'_> {
    /// A replacement is created under a temporary name: the name that it gets in the end has to be
    /// free, or a container's of the project, before anything is stopped for it.
    pub(super) async fn check_final_name(&self, service: &str, name: &str) -> Result<(), Trouble> {
        let all = self.observed.replicas().chain(&self.observed.oneoffs);
        if all.into_iter().any(|container| container.name == name) {
            return Ok(());
        }
        match self.means.engine.inspect_container(name).await {
            Ok(other) if other.name == name => Err(taken(service, &other)),
            _ => Ok(()),
        }
    }

    /// Tells which container has the name, where the engine has refused it.
    pub(super) async fn explain_taken_name(
        &self,
        service: &str,
        name: &str,
        trouble: Trouble,
    ) -> Trouble {
        match self.means.engine.inspect_container(name).await {
            Ok(other) if other.name == name => taken(service, &other),
            _ => trouble.at(format!("services.{service}")),
        }
    }
}

fn taken(service: &str, other: &ContainerDetails) -> Trouble {
    let name = &other.name;
    let of = match other.labels.get(labels::PROJECT) {
        Some(project) => format!("a container of project {project}"),
        None => "a container that belongs to no project".to_owned(),
    };
    Trouble::new(format!("the container name {name} is taken by {of}"))
        .at(format!("services.{service}.container_name"))
        .help(format!(
            "remove or rename that container (`docker rename {name} NAME`), or choose another name here"
        ))
}
