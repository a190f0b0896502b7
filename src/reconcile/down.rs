//! Taking a project down: the reverse of coming up.

use super::existing;
use super::lifecycle::provider;
use crate::engine::ImageSummary;
use crate::graph::dependency_order;
use crate::labels;
use crate::observe::{Observed, ObservedContainer};
use crate::plan::{Action, PRE_STOP, Plan, ProviderVerb, Step, StepId};
use crate::project::Project;
use crate::value::image::Reference;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// `--rmi`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Images {
    /// Built for the project, without a tag of their own choosing.
    Local,
    /// Every image a service names.
    All,
}

#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Only these; empty means all.
    pub services: BTreeSet<String>,
    pub remove_orphans: bool,
    /// Orphans that come from another project directory, too.
    pub adopt: bool,
    pub images: Option<Images>,
    pub volumes: bool,
    /// `-t`, in seconds.
    pub timeout: Option<i64>,
}

/// Plans stops in reverse dependency order, removals, and then networks, volumes and images, each
/// as soon as nobody uses it any more. `images` are all local ones, where any are to go.
pub fn down(
    project: &Project,
    observed: &Observed,
    images: &[ImageSummary],
    options: &Options,
) -> Plan {
    let mut teardown = Teardown {
        options,
        plan: Plan::default(),
        stopped: BTreeMap::new(),
        removed: HashMap::new(),
    };
    for name in dependency_order(project).into_iter().rev() {
        if !options.services.is_empty() && !options.services.contains(name) {
            continue;
        }
        let after: Vec<StepId> = project
            .dependents(name)
            .flat_map(|s| teardown.stopped.get(&s.name).cloned().unwrap_or_default())
            .collect();
        let after = teardown.plan.join(after);
        if project.services[name].provider.is_some() {
            let step = provider(name, ProviderVerb::Down, "the project goes down");
            let step = teardown.plan.add(step, after.clone());
            teardown
                .stopped
                .entry(name.to_owned())
                .or_default()
                .push(step);
        }
        for container in observed.replicas_of(name) {
            let hooks = &project.services[name].pre_stop;
            let volumes = options.volumes || observed.has_only_empty_volumes(container);
            let stopped = teardown.remove(container, hooks, &after, volumes);
            teardown
                .stopped
                .entry(name.to_owned())
                .or_default()
                .push(stopped);
        }
    }
    for hook in &observed.hooks {
        if options.services.is_empty() || options.services.contains(&hook.service) {
            teardown.remove_hook(hook);
        }
    }
    if options.remove_orphans {
        let is_ours = |c: &&ObservedContainer| options.adopt || !observed.is_foreign(c);
        for container in observed.orphans(project).filter(is_ours) {
            teardown.remove(container, &[], &[], false);
        }
    }
    teardown.networks(project, observed);
    if let Some(mode) = options.images {
        teardown.images(project, images, mode);
    }
    if options.volumes {
        teardown.volumes(project, observed);
    }
    teardown.plan
}

struct Teardown<'a> {
    options: &'a Options,
    plan: Plan,
    /// Service → the steps after which its containers do not run.
    stopped: BTreeMap<String, Vec<StepId>>,
    /// Container id → its removal.
    removed: HashMap<String, StepId>,
}

impl Teardown<'_> {
    /// Stops and removes; gives the step after which it does not run. Where no grace is asked
    /// for, one forced removal does both.
    fn remove(
        &mut self,
        container: &ObservedContainer,
        hooks: &[crate::service::develop::Hook],
        after: &[StepId],
        volumes: bool,
    ) -> StepId {
        if let Some(&step) = self.removed.get(&container.id) {
            return step;
        }
        const CAUSE: &str = "the project goes down";
        let mut after = after.to_vec();
        let mut stopped = None;
        if container.state.is_up() {
            let target = existing(container);
            after = self
                .plan
                .add_hooks(&container.service, &target, hooks, PRE_STOP, after);
            if self.options.timeout != Some(0) {
                let step = Step::new(
                    Action::StopContainer {
                        container: existing(container),
                        timeout: self.options.timeout,
                    },
                    CAUSE,
                    "Stopping",
                    "Stopped",
                );
                let id = self.plan.add(step, after);
                after = vec![id];
                stopped = Some(id);
            }
        }
        let step = Step::new(
            Action::RemoveContainer {
                container: existing(container),
                force: true,
                volumes,
            },
            CAUSE,
            "Removing",
            "Removed",
        );
        let removed = self.plan.add(step, after);
        self.removed.insert(container.id.clone(), removed);
        stopped.unwrap_or(removed)
    }

    /// What is left of a `pre_start` hook goes with what it mounts alone.
    fn remove_hook(&mut self, hook: &ObservedContainer) {
        let step = Step::new(
            Action::RemoveContainer {
                container: existing(hook),
                force: true,
                volumes: true,
            },
            "left by a pre_start hook",
            "Removing",
            "Removed",
        );
        let removed = self.plan.add(step, []);
        self.removed.insert(hook.id.clone(), removed);
    }

    fn removals_where(
        &self,
        observed: &Observed,
        uses: impl Fn(&ObservedContainer) -> bool,
    ) -> Vec<StepId> {
        observed
            .replicas()
            .chain(&observed.oneoffs)
            .chain(&observed.hooks)
            .filter(|c| uses(c))
            .filter_map(|c| self.removed.get(&c.id).copied())
            .collect()
    }

    fn networks(&mut self, project: &Project, observed: &Observed) {
        for (key, network) in &project.networks {
            if network.external {
                continue;
            }
            // Names of networks are not unique, so the labels decide.
            for present in observed.networks.iter().filter(|n| {
                n.name == network.name
                    && n.labels.get(labels::PROJECT) == Some(&project.name)
                    && n.labels.get(labels::NETWORK) == Some(key)
            }) {
                let after = self.removals_where(observed, |c| c.networks.contains(&present.id));
                let step = Step::new(
                    Action::RemoveNetwork {
                        id: present.id.clone(),
                        name: present.name.clone(),
                    },
                    "the project goes down",
                    "Removing",
                    "Removed",
                );
                self.plan.add(step, after);
            }
        }
    }

    fn volumes(&mut self, project: &Project, observed: &Observed) {
        for volume in project.volumes.values() {
            let Some(present) = observed.volume_named(&volume.name) else {
                continue;
            };
            let foreign = present
                .labels
                .get(labels::PROJECT)
                .is_some_and(|owner| *owner != project.name);
            if volume.external || foreign {
                continue;
            }
            let after = self.removals_where(observed, |c| c.volumes.contains(&volume.name));
            let step = Step::new(
                Action::RemoveVolume {
                    name: volume.name.clone(),
                },
                "--volumes",
                "Removing",
                "Removed",
            );
            self.plan.add(step, after);
        }
    }

    fn images(&mut self, project: &Project, images: &[ImageSummary], mode: Images) {
        let after = self.plan.join(self.removed.values().copied().collect());
        for reference in images_to_remove(project, images, mode, self.options.remove_orphans) {
            let step = Step::new(
                Action::RemoveImage { reference },
                "--rmi",
                "Removing",
                "Removed",
            );
            self.plan.add(step, after.clone());
        }
    }
}

/// Tags of the images that `--rmi` takes away: those labelled as built for a service of the
/// project, those under a service's default name, and with [`Images::All`] every named one.
fn images_to_remove(
    project: &Project,
    images: &[ImageSummary],
    mode: Images,
    orphans: bool,
) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for image in images {
        let Some(tag) = image.tags.first() else {
            continue;
        };
        let built = image.labels.get(labels::PROJECT) == Some(&project.name)
            && (orphans
                || image
                    .labels
                    .get(labels::SERVICE)
                    .is_some_and(|s| project.services.contains_key(s)));
        if built {
            found.insert(tag.clone());
        }
        for service in project.services.values() {
            if service.image.is_some() && mode == Images::Local {
                continue;
            }
            let wanted = Reference::parse(&project.image_name(service));
            found.extend(image.tags.iter().filter(|t| wanted.matches(t)).cloned());
        }
    }
    found
}
