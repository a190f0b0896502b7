//! What a plan leaves as it is. Docker Compose says so, line by line, and scripts read it.

use crate::engine::ContainerState;
use crate::event::{Part, Steady};
use crate::observe::Observed;
use crate::plan::{Action, Plan, Target, Unchanged};
use crate::project::Project;
use std::collections::BTreeSet;

/// The containers that an `up` leaves running, and those that are stopped already and only go.
pub fn unchanged(project: &Project, observed: &Observed, plan: &Plan) -> Vec<Unchanged> {
    let (mut touched, mut stops, mut removals) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (_, step) in plan.steps().filter(|(_, step)| step.action.is_change()) {
        touched.extend(step.action.container().and_then(Target::id));
        match &step.action {
            Action::CreateContainer { replaces, .. } => touched.extend(replaces.as_deref()),
            Action::StopContainer { container, .. } => stops.extend(container.id()),
            Action::RemoveContainer { container, .. } if step.part == Part::Whole => {
                removals.extend(container.id());
            }
            _ => {}
        }
    }
    let mut all = Vec::new();
    for service in project.services.values() {
        for container in observed.replicas_of(&service.name) {
            let id = container.id.as_str();
            let state = match container.state {
                ContainerState::Running if !touched.contains(id) => Steady::Running,
                state if !state.is_up() && removals.contains(id) && !stops.contains(id) => {
                    Steady::Stopped
                }
                _ => continue,
            };
            all.push(Unchanged {
                name: container.name.clone(),
                state,
            });
        }
    }
    all
}
