//! Plans over containers that exist: stop, start, restart, kill, rm. Nothing is created, no
//! change of configuration applied.

use super::files::{COPIED, copies_files};
use super::fixed::{fixed_beside, starting_order};
use super::{Fate, Obstacle, Options, Outcome, Planner, existing};
use crate::engine::ContainerState;
use crate::event::{Part, Steady};
use crate::graph::dependency_order;
use crate::observe::{Observed, ObservedContainer};
use crate::plan::{Action, PRE_STOP, Plan, ProviderVerb, Step, StepId, Unchanged, Until};
use crate::project::Project;
use crate::service::{Condition, Service};
use std::collections::{BTreeMap, BTreeSet};

/// The named services (all, if none are named), each with its cause.
fn meant<'a>(project: &'a Project, services: &BTreeSet<String>) -> BTreeMap<&'a str, String> {
    let names = project.services.keys();
    names
        .filter(|name| services.is_empty() || services.contains(*name))
        .map(|name| (name.as_str(), "asked for".to_owned()))
        .collect()
}

/// The same with all that ask by `depends_on: {restart: true}` to be stopped and restarted with
/// what they depend on, over however many steps.
fn with_dependents<'a>(
    project: &'a Project,
    services: &BTreeSet<String>,
) -> BTreeMap<&'a str, String> {
    let mut meant = meant(project, services);
    for name in dependency_order(project) {
        let dependencies = &project.services[name].depends_on;
        let asks = dependencies
            .iter()
            .find(|(dependency, how)| how.restart && meant.contains_key(dependency.as_str()));
        if let Some((dependency, _)) = asks
            && !meant.contains_key(name)
        {
            let cause = format!("it depends on {dependency} (restart: true)");
            meant.insert(name, cause);
        }
    }
    meant
}

/// Stops the named services' containers (all, if none are named), dependents first; with
/// `dependents`, also those of services that ask for it by `depends_on: {restart: true}`.
pub fn stop(
    project: &Project,
    observed: &Observed,
    services: &BTreeSet<String>,
    dependents: bool,
    timeout: Option<i64>,
) -> Plan {
    let options = Options {
        timeout,
        ..Options::default()
    };
    let mut planner = Planner::new(project, observed, &options);
    let mut stopped: BTreeMap<&str, Vec<StepId>> = BTreeMap::new();
    let meant = match dependents {
        true => with_dependents(project, services),
        false => meant(project, services),
    };
    for name in dependency_order(project).into_iter().rev() {
        let Some(cause) = meant.get(name) else {
            continue;
        };
        let after: Vec<StepId> = project
            .dependents(name)
            .flat_map(|s| stopped.get(s.name.as_str()).cloned().unwrap_or_default())
            .collect();
        let after = planner.plan.join(after);
        if project.services[name].provider.is_some() {
            let step = provider(name, ProviderVerb::Stop, cause);
            let step = planner.plan.add(step, after.clone());
            stopped.entry(name).or_default().push(step);
        }
        for container in observed.replicas_of(name) {
            if container.state.is_up() {
                let step = planner.plan_stop(container, cause, after.clone(), true);
                stopped.entry(name).or_default().push(step);
            } else {
                planner.plan.unchanged.push(Unchanged {
                    name: container.name.clone(),
                    state: Steady::Stopped,
                });
            }
        }
    }
    planner.outcome().plan
}

/// The step that runs the program of a service with a `provider`.
pub(super) fn provider(service: &str, verb: ProviderVerb, cause: &str) -> Step {
    let action = Action::RunProvider {
        service: service.to_owned(),
        verb,
    };
    // What its program says is told while it runs.
    Step::silent(action, cause)
}

/// The service's containers, of each number one: a recreation that was cut short leaves two, and
/// only `up` knows which of them is to stay. What runs stands for its number, else the one that
/// has the proper name.
fn serving<'a>(observed: &'a Observed, name: &str) -> Vec<&'a ObservedContainer> {
    let all = observed.replicas_of(name);
    let rank = |c: &ObservedContainer| (!c.state.is_up(), c.has_temporary_name());
    let stands_back = |(at, container): (usize, &ObservedContainer)| {
        all.iter().enumerate().any(|(other_at, other)| {
            other_at != at
                && other.number.is_some()
                && other.number == container.number
                && (rank(other), other_at) < (rank(container), at)
                && !container.state.is_up()
        })
    };
    let serving = all.iter().enumerate().filter(|each| !stands_back(*each));
    serving.map(|(_, container)| container).collect()
}

/// Whether a service is to have containers.
fn has_containers(service: &Service) -> bool {
    service.replicas() > 0 && service.provider.is_none()
}

/// Starts what is not running, dependencies first, their conditions honoured. A service that was
/// never created is left out; only where none was is there nothing to start at all.
pub fn start(project: &Project, observed: &Observed, options: &Options) -> Outcome {
    let mut planner = Planner::new(project, observed, options);
    let is_created = observed.replicas().next().is_some();
    for name in starting_order(project) {
        let fates: Vec<Fate> = serving(observed, name)
            .into_iter()
            .map(|container| Fate::Keep {
                container,
                rename: None,
            })
            .collect();
        let service = &project.services[name];
        if fates.is_empty() && has_containers(service) {
            let message = format!("service {name:?} has no container to start");
            let help = "create it with `up` or `create`";
            if !is_created {
                planner.outcome.obstacles.push(Obstacle {
                    code: super::OBSTACLE,
                    path: format!("services.{name}"),
                    message,
                    help: Some(help.to_owned()),
                });
            } else if options.named.contains(name) {
                planner.outcome.warnings.push(format!("{message}: {help}"));
            }
        }
        planner.fates.insert(name, fates);
        planner.plan_starts(name);
    }
    planner.plan_final_waits();
    planner.outcome()
}

/// Restarts containers in place, in dependency order, the conditions between those that are
/// restarted honoured; with `dependents`, also those of services that ask for it by
/// `depends_on: {restart: true}`, whose conditions hold for all they ask it of.
pub fn restart(
    project: &Project,
    observed: &Observed,
    services: &BTreeSet<String>,
    dependents: bool,
    timeout: Option<i64>,
    verify: bool,
) -> Plan {
    let meant = match dependents {
        true => with_dependents(project, services),
        false => meant(project, services),
    };
    let mut plan = Plan::default();
    let mut restarted: BTreeMap<&str, Vec<StepId>> = BTreeMap::new();
    for name in starting_order(project) {
        let Some(cause) = meant.get(name) else {
            continue;
        };
        if observed.replicas_of(name).is_empty() {
            continue;
        }
        let service = &project.services[name];
        let mut after = Vec::new();
        for (dependency, how) in &service.depends_on {
            let steps = restarted.get(dependency.as_str()).map(Vec::as_slice);
            // What stays as it is has met its condition before, unless it counts for a restart.
            if steps.is_none() && !(dependents && how.restart) {
                continue;
            }
            let steps = steps.unwrap_or_default();
            let containers = serving(observed, dependency);
            // One that is to be restarted as well, and is not there, is missing.
            let is_missing = containers.is_empty()
                && how.restart
                && meant.contains_key(dependency.as_str())
                && has_containers(&project.services[dependency]);
            if how.condition == Condition::Started || (containers.is_empty() && !is_missing) {
                after.extend(steps);
                continue;
            }
            let step = Step::silent(
                Action::Wait {
                    service: dependency.clone(),
                    until: Until::Condition(how.condition),
                    containers: containers.into_iter().map(existing).collect(),
                    optional: !how.required,
                },
                format!("{name} depends on it ({})", how.condition.as_str()),
            );
            after.push(plan.add(step, steps.to_vec()));
        }
        for other in fixed_beside(project, service) {
            after.extend(restarted.get(other).into_iter().flatten());
        }
        let after = plan.join(after);
        for container in serving(observed, name) {
            let mut after = after.clone();
            // A run that was killed may have created it and got no further.
            if container.state == ContainerState::Created && copies_files(project, service) {
                let action = Action::CopyFiles {
                    service: service.name.clone(),
                    container: existing(container),
                };
                let step = Step::silent(action, COPIED);
                after = vec![plan.add(step, after)];
            }
            let step = restart_one(
                &mut plan, service, container, cause, timeout, &after, verify,
            );
            restarted.entry(name).or_default().push(step);
        }
    }
    plan
}

fn restart_one(
    plan: &mut Plan,
    service: &Service,
    container: &ObservedContainer,
    cause: &str,
    timeout: Option<i64>,
    after: &[StepId],
    verify: bool,
) -> StepId {
    let target = existing(container);
    let mut after = after.to_vec();
    if container.state.is_up() {
        after = plan.add_hooks(&service.name, &target, &service.pre_stop, PRE_STOP, after);
    }
    let step = Step::new(
        Action::RestartContainer {
            container: existing(container),
            timeout,
        },
        cause,
    );
    let restarted = plan.add(step, after);
    if verify {
        let action = Action::Verify {
            service: service.name.clone(),
            container: existing(container),
            healthy: false,
        };
        plan.add(Step::silent(action, cause), [restarted]);
    }
    let ends = plan.add_hooks(
        &service.name,
        &target,
        &service.post_start,
        "post_start",
        vec![restarted],
    );
    ends.last().copied().unwrap_or(restarted)
}

/// Sends a signal to every given container that is up.
pub fn kill<'a>(containers: impl IntoIterator<Item = &'a ObservedContainer>, signal: &str) -> Plan {
    let mut plan = Plan::default();
    for container in containers {
        if !container.state.is_up() {
            continue;
        }
        let step = Step::new(
            Action::KillContainer {
                container: existing(container),
                signal: signal.to_owned(),
            },
            "asked for",
        );
        plan.add(step, []);
    }
    plan
}

/// Whether containers are frozen, or go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freeze {
    Pause,
    Unpause,
}

/// Pauses or unpauses the named services' containers that are up (of all services, if none are
/// named).
pub fn freeze(
    project: &Project,
    observed: &Observed,
    services: &BTreeSet<String>,
    freeze: Freeze,
) -> Plan {
    let mut plan = Plan::default();
    for (name, cause) in meant(project, services) {
        for container in observed.replicas_of(name) {
            if !container.state.is_up() {
                continue;
            }
            let container = existing(container);
            let action = match freeze {
                Freeze::Pause => Action::PauseContainer { container },
                Freeze::Unpause => Action::UnpauseContainer { container },
            };
            plan.add(Step::new(action, cause.clone()).with_part(Part::Result), []);
        }
    }
    plan
}

/// Removes the given containers.
pub fn remove<'a>(
    containers: impl IntoIterator<Item = &'a ObservedContainer>,
    force: bool,
    volumes: bool,
) -> Plan {
    let mut plan = Plan::default();
    for container in containers {
        let step = Step::new(
            Action::RemoveContainer {
                container: existing(container),
                force,
                volumes,
            },
            "asked for",
        );
        plan.add(step, []);
    }
    plan
}
