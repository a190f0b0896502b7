//! Taking a project down: the reverse of coming up.
//!
//! Without services named, all that the project declares goes. With some, only they go, with what
//! they alone use ([`claims`]).

mod claims;
mod images;

use self::claims::Claims;
use self::images::images_to_remove;
use super::lifecycle::provider;
use super::{Outcome, existing};
use crate::engine::ImageSummary;
use crate::event::Steady;
use crate::graph::dependency_order;
use crate::labels;
use crate::observe::{Observed, ObservedContainer};
use crate::plan::{Action, PRE_STOP, Plan, ProviderVerb, Step, StepId, Unchanged};
use crate::project::Project;
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

impl Options {
    fn includes(&self, service: &str) -> bool {
        self.services.is_empty() || self.services.contains(service)
    }
}

/// Plans stops in reverse dependency order, removals, and then networks, volumes and images, each
/// as soon as nobody uses it any more. `images` are all local ones, where any are to go. What is to
/// go and stays, because something else uses it, is told in the warnings.
pub fn down(
    project: &Project,
    observed: &Observed,
    images: &[ImageSummary],
    options: &Options,
) -> Outcome {
    let mut teardown = Teardown {
        project,
        observed,
        options,
        plan: Plan::default(),
        warnings: Vec::new(),
        stopped: BTreeMap::new(),
        removed: HashMap::new(),
    };
    for name in dependency_order(project).into_iter().rev() {
        if !options.includes(name) {
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
        let oneoffs = observed.oneoffs.iter().filter(|c| {
            let is_ours = options.adopt || !observed.is_foreign(c);
            c.service == name && is_ours
        });
        for container in observed.replicas_of(name).iter().chain(oneoffs) {
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
    // One can be run of a service in a profile that is not active, and outlive its service.
    if options.services.is_empty() {
        let is_ours = |c: &&ObservedContainer| options.adopt || !observed.is_foreign(c);
        for oneoff in observed.oneoffs.iter().filter(is_ours) {
            let volumes = options.volumes || observed.has_only_empty_volumes(oneoff);
            teardown.remove(oneoff, &[], &[], volumes);
        }
    }
    for hook in &observed.hooks {
        if options.includes(&hook.service) {
            teardown.remove_hook(hook);
        }
    }
    if options.remove_orphans {
        let is_ours = |c: &&ObservedContainer| options.adopt || !observed.is_foreign(c);
        for container in observed.orphans(project).filter(is_ours) {
            teardown.remove(container, &[], &[], false);
        }
    }
    teardown.networks();
    if let Some(mode) = options.images {
        teardown.images(images, mode);
    }
    if options.volumes {
        teardown.volumes();
    }
    Outcome {
        plan: teardown.plan,
        warnings: teardown.warnings,
        ..Outcome::default()
    }
}

struct Teardown<'a> {
    project: &'a Project,
    observed: &'a Observed,
    options: &'a Options,
    plan: Plan,
    warnings: Vec<String>,
    /// Service → the steps after which its containers do not run.
    stopped: BTreeMap<String, Vec<StepId>>,
    /// Container id → its removal.
    removed: HashMap<String, StepId>,
}

impl<'a> Teardown<'a> {
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
                );
                let id = self.plan.add(step, after);
                after = vec![id];
                stopped = Some(id);
            }
        }
        if !container.state.is_up() {
            self.plan.unchanged.push(Unchanged {
                name: container.name.clone(),
                state: Steady::Stopped,
            });
        }
        let step = Step::new(
            Action::RemoveContainer {
                container: existing(container),
                force: true,
                volumes,
            },
            CAUSE,
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
        );
        let removed = self.plan.add(step, []);
        self.removed.insert(hook.id.clone(), removed);
    }

    fn removals_where(&self, uses: impl Fn(&ObservedContainer) -> bool) -> Vec<StepId> {
        self.containers()
            .filter(|c| uses(c))
            .filter_map(|c| self.removed.get(&c.id).copied())
            .collect()
    }

    /// All containers of the project, those of hooks and of `run` among them.
    fn containers(&self) -> impl Iterator<Item = &'a ObservedContainer> + use<'a> {
        let observed = self.observed;
        let replicas = observed.replicas();
        replicas.chain(&observed.oneoffs).chain(&observed.hooks)
    }

    /// What goes: the services that are named, and the containers that are removed.
    fn going(&self) -> Claims<'a> {
        let services = self.project.services.values();
        let containers = self.containers();
        Claims {
            project: self.project,
            services: services
                .filter(|s| self.options.includes(&s.name))
                .collect(),
            containers: containers
                .filter(|c| self.options.includes(&c.service))
                .filter(|c| self.removed.contains_key(&c.id))
                .collect(),
        }
    }

    /// The rest of the project, declared or there. Where all of it goes down, the engine itself
    /// refuses what something still uses; but a network it takes away below a container that is
    /// stopped, which matters where that is one to be started again: of a service in a profile that
    /// is not active.
    fn staying(&self) -> Claims<'a> {
        let project = self.project;
        let all = self.options.services.is_empty();
        let declared = project.services.values().chain(project.disabled.values());
        let containers = self.containers();
        Claims {
            project,
            services: declared
                .filter(|s| !self.options.includes(&s.name))
                .collect(),
            containers: containers
                .filter(|c| !self.removed.contains_key(&c.id))
                .filter(|c| !all || project.disabled.contains_key(&c.service) && !c.state.is_up())
                .filter(|c| !all || !c.oneoff)
                .collect(),
        }
    }

    fn networks(&mut self) {
        let (project, observed) = (self.project, self.observed);
        let (going, staying) = (self.going(), self.staying());
        let all = self.options.services.is_empty();
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
                if !all && going.on_network(network, &present.id).is_none() {
                    continue;
                }
                if let Some(user) = staying.on_network(network, &present.id) {
                    // With services named it is expected to stay.
                    if all {
                        self.keep("network", &present.name, &user);
                    }
                    continue;
                }
                let after = self.removals_where(|c| c.networks.contains(&present.id));
                let step = Step::new(
                    Action::RemoveNetwork {
                        id: present.id.clone(),
                        name: present.name.clone(),
                    },
                    "the project goes down",
                );
                self.plan.add(step, after);
            }
        }
    }

    fn volumes(&mut self) {
        let (project, observed) = (self.project, self.observed);
        let (going, staying) = (self.going(), self.staying());
        let all = self.options.services.is_empty();
        let external: BTreeSet<&str> = project
            .volumes
            .values()
            .filter(|volume| volume.external)
            .map(|volume| volume.name.as_str())
            .collect();
        let names: BTreeSet<&str> = project.volumes.values().map(|v| v.name.as_str()).collect();
        for name in names.difference(&external).copied() {
            let Some(present) = observed.volume_named(name) else {
                continue;
            };
            let owner = present.labels.get(labels::PROJECT);
            if owner.is_some_and(|owner| *owner != project.name) {
                continue;
            }
            if !all {
                if going.on_volume(name).is_none() {
                    continue;
                }
                if let Some(user) = staying.on_volume(name) {
                    self.keep("volume", name, &user);
                    continue;
                }
            }
            let after = self.removals_where(|c| c.volumes.iter().any(|v| v == name));
            let action = Action::RemoveVolume {
                name: name.to_owned(),
            };
            let step = Step::new(action, "--volumes");
            self.plan.add(step, after);
        }
    }

    fn images(&mut self, images: &[ImageSummary], mode: Images) {
        let staying = self.staying();
        let after = self.plan.join(self.removed.values().copied().collect());
        for reference in images_to_remove(self.project, images, mode, self.options) {
            if !self.options.services.is_empty()
                && let Some(user) = staying.on_image(&reference)
            {
                self.keep("image", &reference, &user);
                continue;
            }
            let step = Step::new(Action::RemoveImage { reference }, "--rmi");
            self.plan.add(step, after.clone());
        }
    }

    fn keep(&mut self, sort: &str, name: &str, user: &str) {
        self.warnings
            .push(format!("{sort} {name} is not removed: {user} uses it"));
    }
}
