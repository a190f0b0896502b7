//! Plans over containers that exist: stop, start, restart, kill, rm. Nothing is created, no
//! change of configuration applied.

use super::{Fate, Obstacle, Options, Outcome, Planner, existing};
use crate::graph::dependency_order;
use crate::observe::{Observed, ObservedContainer};
use crate::plan::{Action, Plan, ProviderVerb, Step, StepId, Until};
use crate::project::Project;
use crate::service::Condition;
use std::collections::{BTreeMap, BTreeSet};

fn is_meant(services: &BTreeSet<String>, name: &str) -> bool {
    services.is_empty() || services.contains(name)
}

/// Stops the named services' containers (all, if none are named), dependents first.
pub fn stop(
    project: &Project,
    observed: &Observed,
    services: &BTreeSet<String>,
    timeout: Option<i64>,
) -> Plan {
    let options = Options {
        timeout,
        ..Options::default()
    };
    let mut planner = Planner::new(project, observed, &options);
    let mut stopped: BTreeMap<&str, Vec<StepId>> = BTreeMap::new();
    for name in dependency_order(project).into_iter().rev() {
        if !is_meant(services, name) {
            continue;
        }
        let after: Vec<StepId> = project
            .dependents(name)
            .flat_map(|s| stopped.get(s.name.as_str()).cloned().unwrap_or_default())
            .collect();
        if project.services[name].provider.is_some() {
            let step = provider(name, ProviderVerb::Stop, "asked for");
            let step = planner.plan.add(step, after.clone());
            stopped.entry(name).or_default().push(step);
        }
        for container in observed.replicas_of(name) {
            if container.state.is_up() {
                let step = planner.plan_stop(container, "asked for", after.clone(), true);
                stopped.entry(name).or_default().push(step);
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
    let mut step = Step::silent(action, cause);
    // What its program says is shown under the service's name.
    step.show.id = service.to_owned();
    step
}

/// Starts what is not running, dependencies first, their conditions honoured.
pub fn start(project: &Project, observed: &Observed, options: &Options) -> Outcome {
    let mut planner = Planner::new(project, observed, options);
    for name in dependency_order(project) {
        let fates: Vec<Fate> = observed
            .replicas_of(name)
            .iter()
            .map(|container| Fate::Keep {
                container,
                rename: None,
            })
            .collect();
        let service = &project.services[name];
        if fates.is_empty() && service.replicas() > 0 && service.provider.is_none() {
            planner.outcome.obstacles.push(Obstacle {
                path: format!("services.{name}"),
                message: format!("service {name:?} has no container to start"),
                help: Some("create it with `up` or `create`".to_owned()),
            });
        }
        planner.fates.insert(name, fates);
        planner.plan_starts(name);
    }
    planner.plan_final_waits();
    planner.outcome()
}

/// Restarts containers in place, in dependency order; with `dependents`, also those of services
/// that ask for it by `depends_on: {restart: true}`.
pub fn restart(
    project: &Project,
    observed: &Observed,
    services: &BTreeSet<String>,
    dependents: bool,
    timeout: Option<i64>,
    verify: bool,
) -> Plan {
    let mut meant: BTreeSet<&str> = project
        .services
        .keys()
        .map(String::as_str)
        .filter(|name| is_meant(services, name))
        .collect();
    let mut plan = Plan::default();
    let mut restarted: BTreeMap<&str, Vec<StepId>> = BTreeMap::new();
    for name in dependency_order(project) {
        let service = &project.services[name];
        let mut after = Vec::new();
        for (dependency, how) in &service.depends_on {
            let Some(steps) = restarted.get(dependency.as_str()) else {
                continue;
            };
            if !how.restart {
                continue;
            }
            if dependents {
                meant.insert(name);
            }
            if how.condition == Condition::Started {
                after.extend(steps);
                continue;
            }
            let step = Step::silent(
                Action::Wait {
                    service: dependency.clone(),
                    until: Until::Condition(how.condition),
                    containers: observed
                        .replicas_of(dependency)
                        .iter()
                        .map(existing)
                        .collect(),
                    optional: !how.required,
                },
                format!("{name} depends on it ({})", how.condition.as_str()),
            );
            after.push(plan.add(step, steps.clone()));
        }
        if !meant.contains(name) {
            continue;
        }
        for container in observed.replicas_of(name) {
            let step = restart_one(&mut plan, service, container, timeout, &after, verify);
            restarted.entry(name).or_default().push(step);
        }
    }
    plan
}

fn restart_one(
    plan: &mut Plan,
    service: &crate::service::Service,
    container: &ObservedContainer,
    timeout: Option<i64>,
    after: &[StepId],
    verify: bool,
) -> StepId {
    let target = existing(container);
    let mut after = after.to_vec();
    if container.state.is_up() {
        after = plan.add_hooks(&service.name, &target, &service.pre_stop, "pre_stop", after);
    }
    let step = Step::new(
        Action::RestartContainer {
            container: existing(container),
            timeout,
        },
        "asked for",
        "Restarting",
        "Started",
    );
    let restarted = plan.add(step, after);
    if verify {
        let action = Action::Verify {
            service: service.name.clone(),
            container: existing(container),
            healthy: false,
        };
        plan.add(Step::silent(action, "asked for"), [restarted]);
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
            "Killing",
            "Killed",
        );
        plan.add(step, []);
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
            "Removing",
            "Removed",
        );
        plan.add(step, []);
    }
    plan
}
