//! What a foreground `up` attaches to.

use super::View;
use crate::logs::attach::Attachment;
use crate::logs::short_name;
use crate::observe::Observed;
use crate::plan::{Action, Plan, Target};
use crate::project::Project;
use std::collections::{BTreeSet, HashSet};

/// What to attach to, and the line that says so.
pub fn attachment(
    project: &Project,
    observed: &Observed,
    plan: &Plan,
    view: &View,
) -> (Attachment, String) {
    let is_shown = |service: &String| view.attached.is_empty() || view.attached.contains(service);
    let mut leaving = HashSet::new();
    let mut names = BTreeSet::new();
    let short = |name: &str| {
        let rest = name.strip_prefix(&project.name);
        let rest = rest.and_then(|r| r.strip_prefix(['-', '_']));
        rest.unwrap_or(name).to_owned()
    };
    for (_, step) in plan.steps() {
        match &step.action {
            Action::RemoveContainer {
                container: Target::Existing { id, .. },
                ..
            } => {
                leaving.insert(id.clone());
            }
            Action::CreateContainer { service, name, .. } if is_shown(service) => {
                names.insert(match project.services.get(service) {
                    Some(s) if s.container_name.is_some() => name.clone(),
                    _ => short(name),
                });
            }
            _ => {}
        }
    }
    let present: Vec<_> = observed
        .replicas()
        .filter(|c| project.services.contains_key(&c.service) && !leaving.contains(&c.id))
        .map(|c| c.summary.clone())
        .collect();
    for container in &present {
        let service = container.labels.get(crate::labels::SERVICE);
        if service.is_some_and(is_shown) {
            names.insert(short_name(&container.name, &container.labels));
        }
    }
    let names: Vec<String> = names.into_iter().collect();
    let attachment = Attachment {
        project: project.name.clone(),
        services: view.attached.clone(),
        watched: view.watched.clone(),
        present,
        leaving,
        timestamps: view.timestamps,
    };
    (attachment, format!("Attaching to {}", names.join(", ")))
}
