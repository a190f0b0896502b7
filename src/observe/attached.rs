//! On which networks a container is, and was made for.

use super::{Observed, ObservedContainer};
use crate::project::Project;
use crate::spec;

impl Observed {
    /// Whether the container is on the very network that has this name now.
    pub fn is_on(&self, container: &ObservedContainer, network: &str) -> bool {
        let present = self.network_named(network);
        present.is_some_and(|present| container.networks.contains(&present.id))
    }

    /// Whether the container is not on a network of the project, given by its key.
    pub fn lacks(&self, container: &ObservedContainer, project: &Project, key: &str) -> bool {
        project.networks.get(key).is_some_and(|network| {
            !container.summary.networks.contains_key(&network.name)
                && !self.is_on(container, &network.name)
        })
    }

    /// The networks, by key, that the container was made with by our own record, and has been taken
    /// off, as a change of theirs does that is cut short.
    pub fn taken_off(&self, container: &ObservedContainer, project: &Project) -> Vec<String> {
        let record = container.spec.as_deref().and_then(spec::read_record);
        let recorded = record.as_ref().and_then(|record| record.get("networks"));
        // On as many as ever: one of them has got another name.
        let count = recorded
            .and_then(|all| all.as_object())
            .map_or(0, |all| all.len());
        if container.summary.networks.len() >= count {
            return Vec::new();
        }
        let was_on = |key: &&String| recorded.is_some_and(|all| all.get(key).is_some());
        let keys = project.networks.keys().filter(was_on);
        keys.filter(|key| self.lacks(container, project, key))
            .cloned()
            .collect()
    }
}
