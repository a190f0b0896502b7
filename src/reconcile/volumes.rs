//! Volumes: created where they are missing; made anew only where the user agreed to lose the data.

use super::{Planner, Question, existing};
use crate::hash;
use crate::labels;
use crate::plan::{Action, Step, StepId};
use std::collections::BTreeSet;

impl<'a> Planner<'a> {
    pub(super) fn plan_volumes(&mut self) {
        let project = self.project;
        for (key, volume) in &project.volumes {
            let present = self.observed.volume_named(&volume.name);
            if volume.external {
                if present.is_none() {
                    self.obstacle(
                        format!("volumes.{key}"),
                        format!("external volume {:?} not found", volume.name),
                        Some(format!(
                            "create it (`docker volume create {}`), or drop `external`",
                            volume.name
                        )),
                    );
                }
                continue;
            }
            let Some(present) = present else {
                self.plan_create_volume(key, &volume.name, "not there yet", Vec::new());
                continue;
            };
            match present.labels.get(labels::PROJECT) {
                None => self.outcome.warnings.push(format!(
                    "volume {:?} already exists but was not created by Docker Compose. \
                     Use `external: true` to use an existing volume",
                    volume.name
                )),
                Some(owner) if *owner != project.name => self.outcome.warnings.push(format!(
                    "volume {:?} already exists but was created for project {owner:?} \
                     (expected {:?}). Use `external: true` to use an existing volume",
                    volume.name, project.name
                )),
                Some(_) => {}
            }
            let diverged = present
                .labels
                .get(labels::CONFIG_HASH)
                .is_some_and(|hash| *hash != hash::volume_hash(&volume.spec));
            if !diverged {
                continue;
            }
            if self.options.recreate_volumes.contains(key) {
                self.plan_recreate_volume(key, &volume.name);
            } else {
                self.outcome.questions.push(Question {
                    volume: key.clone(),
                    text: format!(
                        "Volume {:?} exists but doesn't match configuration in compose file. \
                         Recreate (data will be lost)?",
                        volume.name
                    ),
                });
            }
        }
    }

    fn plan_create_volume(&mut self, key: &str, name: &str, cause: &str, after: Vec<StepId>) {
        let step = Step::new(
            Action::CreateVolume {
                key: key.to_owned(),
                name: name.to_owned(),
            },
            cause,
        );
        let id = self.plan.add(step, after);
        self.volume_steps.insert(key.to_owned(), id);
    }

    /// The engine removes no volume that a container, even a stopped one, still refers to: so all
    /// its users go first and are created afresh.
    fn plan_recreate_volume(&mut self, key: &str, name: &str) {
        let observed = self.observed;
        let cause = format!("volume {key} is declared differently");
        let users = self.users_of_volume(key);
        let mut removed = Vec::new();
        for container in observed
            .replicas()
            .filter(|c| users.contains(c.service.as_str()))
        {
            if !self.gone.insert(container.id.as_str()) {
                continue;
            }
            let stop = self.stop(container, &cause);
            let step = Step::new(
                Action::RemoveContainer {
                    container: existing(container),
                    force: false,
                    volumes: false,
                },
                cause.clone(),
            );
            removed.push(self.plan.add(step, stop));
        }
        let remove = Step::new(
            Action::RemoveVolume {
                name: name.to_owned(),
            },
            cause.clone(),
        );
        let gone = self.plan.add(remove, removed);
        self.plan_create_volume(key, name, &cause, vec![gone]);
    }

    /// Services that mount the volume, themselves or through `volumes_from`.
    fn users_of_volume(&self, key: &str) -> BTreeSet<&'a str> {
        let services = &self.project.services;
        let mut users: BTreeSet<&str> = services
            .values()
            .filter(|s| s.volume_keys().any(|k| k == key))
            .map(|s| s.name.as_str())
            .collect();
        loop {
            let before = users.len();
            for service in services.values() {
                let inherits = service.volumes_from.iter().any(|from| {
                    let name = from.split(':').next().unwrap_or(from);
                    name != "container" && users.contains(name)
                });
                if inherits {
                    users.insert(&service.name);
                }
            }
            if users.len() == before {
                return users;
            }
        }
    }
}
