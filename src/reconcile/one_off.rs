//! The container of a `run`. It is created last, once all that its service depends on is ready; the
//! service's replicas stay as they are.

use super::files::{COPIED, copies_files};
use super::{Planner, existing};
use crate::engine::ContainerState;
use crate::labels;
use crate::observe::ObservedContainer;
use crate::plan::{Action, Step, Target};
use crate::service::Service;
use crate::service::one_off::OneOff;

impl<'a> Planner<'a> {
    /// The one-off of this service, where the plan is about one.
    pub(super) fn one_off_of(&self, service: &str) -> Option<&'a OneOff> {
        let one_off = self.options.one_off.as_ref();
        one_off.filter(|one_off| one_off.service == service)
    }

    pub(super) fn plan_one_off(&mut self, service: &'a Service, one_off: &'a OneOff) {
        let path = format!("services.{}", service.name);
        if service.provider.is_some() {
            return self.obstacle(
                format!("{path}.provider"),
                format!(
                    "service {} has a provider: there is no container to run a command in",
                    service.name
                ),
                None,
            );
        }
        self.refuse_impossible_files(service);
        self.refuse_taken_name(&path, &one_off.name);
        let ports = match one_off.publishes {
            true => path.clone(),
            false => format!("{path}.ports"),
        };
        self.refuse_taken_ports(&ports, service);
        let mut after = self.plan_dependency_waits(service, true);
        after.extend(self.creation_needs(service));
        let step = Step::new(
            Action::CreateOneOff(Box::new(one_off.clone())),
            "a one-off is asked for",
        );
        let by = self.plan.add(step, after);
        if copies_files(self.project, service) {
            let container = Target::Made {
                by,
                name: one_off.name.clone(),
            };
            let action = Action::CopyFiles {
                service: service.name.clone(),
                container,
            };
            self.plan.add(Step::silent(action, COPIED), [by]);
        }
    }

    /// A name that another container of the project has is told before anything is done.
    fn refuse_taken_name(&mut self, path: &str, name: &str) {
        let observed = self.observed;
        let mut all = observed.replicas().chain(&observed.oneoffs);
        let holder = all.find(|c| c.name == name && !self.gone.contains(c.id.as_str()));
        if let Some(holder) = holder {
            self.obstacle(
                path.to_owned(),
                format!(
                    "Error response from daemon: Conflict. The container name \"/{name}\" is already in use by container \"{}\". You have to remove (or rename) that container to be able to reuse that name.",
                    holder.id
                ),
                Some(format!("give another --name, or remove that one (`docker rm {name}`)")),
            );
        }
    }

    /// The same for a host port that a container of the project publishes.
    fn refuse_taken_ports(&mut self, path: &str, service: &Service) {
        let observed = self.observed;
        for port in &service.ports {
            let Some(wanted) = port.host_port() else {
                continue;
            };
            let mut up = observed
                .replicas()
                .chain(&observed.oneoffs)
                .filter(|c| c.state.is_up());
            let is_it = |c: &&ObservedContainer| {
                c.summary.ports.iter().any(|p| {
                    let any = |ip: &str| matches!(ip, "" | "0.0.0.0" | "::");
                    let theirs = p.ip.as_deref().unwrap_or_default();
                    let ours = port.host_ip.as_deref().unwrap_or_default();
                    p.public == Some(wanted)
                        && p.protocol == port.protocol()
                        && (any(theirs) || any(ours) || theirs == ours)
                })
            };
            if let Some(holder) = up.find(is_it) {
                let name = &holder.name;
                self.obstacle(
                    path.to_owned(),
                    format!(
                        "Bind for {}:{wanted} failed: port is already allocated: container {name} publishes it",
                        port.host_ip.as_deref().unwrap_or("0.0.0.0")
                    ),
                    Some(format!(
                        "publish another port with --publish, or stop {name} first"
                    )),
                );
                return;
            }
        }
    }

    /// Containers of `run --rm` that never started, since that was killed: it has the project's lock
    /// up to its start, so nobody is about to start them.
    pub(super) fn plan_removal_of_abandoned(&mut self) {
        let observed = self.observed;
        for container in observed.oneoffs.iter().filter(|c| is_abandoned(c)) {
            if !self.options.adopt && observed.is_foreign(container) {
                continue;
            }
            let step = Step::new(
                Action::RemoveContainer {
                    container: existing(container),
                    force: true,
                    volumes: true,
                },
                "left by a `run --rm` that was cut short",
            );
            self.gone.insert(container.id.as_str());
            self.plan.add(step, []);
        }
    }
}

/// Whether it was to be removed at an end to which it does not come any more.
fn is_abandoned(container: &ObservedContainer) -> bool {
    container.state == ContainerState::Created
        && container
            .summary
            .labels
            .get(labels::RUN)
            .map(String::as_str)
            == Some(labels::RUN_RM)
}
