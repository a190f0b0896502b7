//! Looks, before anything is changed, for what a plan is certain to fail on: what stands in the
//! files and no engine can take, and what the files name and is not there.
//!
//! Only containers that the plan creates are looked at: what runs already needs none of it. An
//! engine on another machine has other files; about those nothing is said.

use super::{Prepared, containers_by_service};
use crate::diagnostic::Diagnostic;
use crate::engine::request::{ContainerRef, refused};
use crate::engine::{ContainerFilter, ContainerSummary, Engine, EngineError};
use crate::image::build::{self, BuildError, BuildOptions};
use crate::load::Files;
use crate::observe::Observed;
use crate::plan::{Action, ProviderVerb};
use crate::project::Project;
use crate::reconcile::Obstacle;
use crate::service::Service;
use crate::service::mount::MountKind;
use crate::value::program;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What is looked at beside the plan.
#[derive(Clone, Copy)]
pub struct Preflight<'a> {
    pub engine: &'a dyn Engine,
    /// The files of this machine.
    pub files: &'a dyn Files,
    pub build: &'a BuildOptions,
}

/// What a plan will ask for.
#[derive(Default)]
struct Wanted<'a> {
    /// Services that get a container, with its name.
    created: BTreeMap<&'a str, &'a str>,
    names: BTreeSet<&'a str>,
    /// The service that gets a one-off.
    one_off: Option<&'a str>,
    pulled: BTreeSet<&'a str>,
    /// Services whose image is built, with its name.
    built: BTreeMap<&'a str, &'a str>,
    /// Services whose provider's program is run.
    provided: BTreeSet<&'a str>,
}

impl<'a> Wanted<'a> {
    fn of(prepared: &'a Prepared) -> Self {
        let mut wanted = Wanted::default();
        for (_, step) in prepared.outcome.plan.steps() {
            match &step.action {
                Action::CreateContainer { service, name, .. } => {
                    wanted.created.entry(service).or_insert(name);
                    wanted.names.insert(name);
                }
                Action::CreateOneOff(one_off) => {
                    wanted
                        .created
                        .entry(&one_off.service)
                        .or_insert(&one_off.name);
                    wanted.names.insert(&one_off.name);
                    wanted.one_off = Some(&one_off.service);
                }
                Action::PullImage { reference, .. } => {
                    wanted.pulled.insert(reference);
                }
                Action::BuildImage { service, reference } => {
                    wanted.built.insert(service, reference);
                }
                Action::RunProvider {
                    service,
                    verb: ProviderVerb::Up,
                } => {
                    wanted.provided.insert(service);
                }
                _ => {}
            }
        }
        wanted
    }
}

impl Preflight<'_> {
    /// Adds what stands in the way to the obstacles of a plan. No request, unless a file names
    /// containers of others (one list) or a runtime (one look at the engine).
    ///
    /// # Errors
    /// Where the engine does not answer.
    pub async fn check(
        &self,
        project: &Project,
        prepared: &mut Prepared,
    ) -> Result<(), EngineError> {
        let mut found = Vec::new();
        let wanted = Wanted::of(prepared);
        for name in &wanted.provided {
            found.extend(self.provider(project, name));
        }
        // An image that can be pulled need not be built.
        let built = wanted
            .built
            .iter()
            .filter(|(_, image)| !wanted.pulled.contains(*image));
        for (name, _) in built {
            found.extend(self.build(project, name));
        }
        let containers = places_taken(project, prepared);
        let created = wanted.created.iter();
        let created: Vec<(&Service, &str)> = created
            .filter_map(|(service, name)| Some((project.services.get(*service)?, *name)))
            .collect();
        let is_here = !created.is_empty() && self.engine.is_on_this_machine();
        for (service, name) in &created {
            let number = (wanted.one_off != Some(&service.name)).then_some(1);
            found.extend(self.request(project, service, name, number, &containers));
            found.extend(network_of_mode(project, service, &prepared.observed));
            if is_here {
                self.paths(project, service, &mut found);
            }
        }
        self.others(&created, &wanted.names, &mut found).await?;
        self.runtimes(&created, &mut found).await?;
        let known = &prepared.outcome.obstacles;
        let mut known: BTreeSet<_> = known.iter().map(Obstacle::said).collect();
        found.retain(|o| known.insert(o.said()));
        prepared.outcome.obstacles.extend(found);
        Ok(())
    }

    /// What no request can say, or what it would hold that cannot be read.
    fn request(
        &self,
        project: &Project,
        service: &Service,
        name: &str,
        number: Option<u32>,
        containers: &BTreeMap<String, Vec<ContainerRef>>,
    ) -> Option<Obstacle> {
        let read = |path: &Path| self.files.read(path);
        refused(project, service, name, number, containers, &read).map(of_finding)
    }

    /// What the engine will look for on this machine and not find.
    fn paths(&self, project: &Project, service: &Service, found: &mut Vec<Obstacle>) {
        let is_missing =
            |path: &str| path.starts_with('/') && self.files.kind(Path::new(path)).is_none();
        for (index, mount) in service.volumes.iter().enumerate() {
            let source = mount.source.as_deref().unwrap_or_default();
            let creates = mount.bind.as_ref().is_none_or(|bind| bind.create_host_path);
            if mount.kind == MountKind::Bind && !creates && is_missing(source) {
                found.push(obstacle(
                    "missing-bind-source",
                    format!("services.{}.volumes[{index}].source", service.name),
                    format!("{source} does not exist, and `create_host_path` is false"),
                    "make it, or let `create_host_path` be true",
                ));
            }
        }
        let secrets = service
            .secrets
            .iter()
            .map(|r| ("secrets", &project.secrets, r));
        let configs = service
            .configs
            .iter()
            .map(|r| ("configs", &project.configs, r));
        for (section, objects, reference) in secrets.chain(configs) {
            let object = objects.get(&reference.source);
            let file = object.and_then(|o| o.file.as_deref()).unwrap_or_default();
            if is_missing(file) {
                found.push(obstacle(
                    "missing-file-source",
                    format!("{section}.{}.file", reference.source),
                    format!(
                        "{file} does not exist: {} cannot be created without it",
                        service.name
                    ),
                    "make the file, or give the content by `environment`",
                ));
            }
        }
        // What a dependency does may bring a device.
        let devices = service.devices.iter().enumerate();
        for (index, device) in devices.filter(|_| service.depends_on.is_empty()) {
            if is_missing(&device.source) {
                found.push(obstacle(
                    "missing-device",
                    format!("services.{}.devices[{index}]", service.name),
                    format!("this machine has no device {}", device.source),
                    "plug it in or load its driver, or remove the line",
                ));
            }
        }
    }

    fn provider(&self, project: &Project, name: &str) -> Option<Obstacle> {
        let kind = &project.services.get(name)?.provider.as_ref()?.kind;
        if self.build.programs.provider(kind).is_some() || kind == "compose" {
            return None;
        }
        Some(obstacle(
            "missing-provider",
            format!("services.{name}.provider.type"),
            format!("the provider's program {kind:?} does not exist"),
            &program::advice(kind),
        ))
    }

    fn build(&self, project: &Project, name: &str) -> Option<Obstacle> {
        let service = project.services.get(name)?;
        let build = service.build.as_ref()?;
        match build::choose(project, service, build, self.build) {
            Err(BuildError::Refused(finding)) => Some(of_finding(*finding)),
            _ => None,
        }
    }

    /// Containers of others that services refer to: they have to be there.
    async fn others(
        &self,
        created: &[(&Service, &str)],
        names: &BTreeSet<&str>,
        found: &mut Vec<Obstacle>,
    ) -> Result<(), EngineError> {
        let referred = |(service, _): &(&Service, &str)| references(service);
        let mut referred: Vec<(String, String)> = created.iter().flat_map(referred).collect();
        referred.retain(|(_, container)| !names.contains(container.as_str()));
        if referred.is_empty() {
            return Ok(());
        }
        let all = ContainerFilter {
            labels: Vec::new(),
            all: true,
        };
        let present = self.engine.list_containers(all).await?;
        let is_there = |wanted: &str| {
            let is_it = |c: &ContainerSummary| c.name == wanted || c.id.starts_with(wanted);
            present.iter().any(is_it)
        };
        for (path, container) in referred {
            if !is_there(&container) {
                found.push(obstacle(
                    "missing-container",
                    path,
                    format!("No such container: {container}"),
                    "start it first; a service of this project is written `service:NAME`",
                ));
            }
        }
        Ok(())
    }

    /// Runtimes that the engine does not have.
    async fn runtimes(
        &self,
        created: &[(&Service, &str)],
        found: &mut Vec<Obstacle>,
    ) -> Result<(), EngineError> {
        // Everything else is a shim that the engine looks for by itself.
        let is_plain =
            |name: &&str| !name.is_empty() && !name.contains(['.', '/']) && *name != "runc";
        let named = |service: &Service| service.runtime.clone().filter(|r| is_plain(&r.as_str()));
        if !created.iter().any(|(service, _)| named(service).is_some()) {
            return Ok(());
        }
        let Some(known) = self.engine.runtimes().await? else {
            return Ok(());
        };
        for (service, _) in created {
            if let Some(runtime) = named(service).filter(|r| !known.contains(r)) {
                found.push(obstacle(
                    "unknown-runtime",
                    format!("services.{}.runtime", service.name),
                    format!("the engine has no runtime {runtime}"),
                    &format!("it has {}", known.join(", ")),
                ));
            }
        }
        Ok(())
    }
}

/// The network that `network_mode` names, where there is none.
fn network_of_mode(project: &Project, service: &Service, observed: &Observed) -> Option<Obstacle> {
    let name = service.mode_network()?;
    // An engine takes a network's id, or the beginning of one, as well. What a dependency does may
    // bring the network.
    let is_there = observed.network_named(name).is_some()
        || observed.networks.iter().any(|n| n.id.starts_with(name))
        || project.networks.values().any(|n| n.name == name)
        || !service.depends_on.is_empty();
    (!is_there).then(|| {
        obstacle(
            "missing-network",
            format!("services.{}.network_mode", service.name),
            format!("there is no network {name}"),
            &format!(
                "create it (`docker network create {name}`); a network of this project is named under `networks`"
            ),
        )
    })
}

fn obstacle(code: &'static str, path: String, message: String, help: &str) -> Obstacle {
    Obstacle {
        code,
        path,
        message,
        help: Some(help.to_owned()),
    }
}

fn of_finding(finding: Diagnostic) -> Obstacle {
    Obstacle {
        code: finding.code,
        path: finding.path,
        message: finding.message,
        help: finding.help,
    }
}

/// Containers by service, as they will be: those that are there, and one for each service that
/// the plan brings up.
fn places_taken(project: &Project, prepared: &Prepared) -> BTreeMap<String, Vec<ContainerRef>> {
    let mut containers = containers_by_service(&prepared.observed);
    let services = project.services.values();
    for service in services.filter(|s| s.provider.is_none() && s.replicas() > 0) {
        let list = containers.entry(service.name.clone()).or_default();
        if list.is_empty() {
            let name = project.container_name(service, 1);
            list.push(ContainerRef {
                id: name.clone(),
                name,
            });
        }
    }
    containers
}

/// Path and container of what a service takes from containers that are no services.
fn references(service: &Service) -> Vec<(String, String)> {
    let name = &service.name;
    let modes = [
        ("network_mode", &service.network_mode),
        ("pid", &service.pid),
        ("ipc", &service.ipc),
    ];
    let modes = modes.into_iter().filter_map(|(key, mode)| {
        let container = mode.as_deref()?.strip_prefix("container:")?;
        Some((format!("services.{name}.{key}"), container.to_owned()))
    });
    let volumes = service.volumes_from.iter().enumerate();
    let volumes = volumes.filter_map(|(index, from)| {
        let container = from.strip_prefix("container:")?.split(':').next()?;
        Some((
            format!("services.{name}.volumes_from[{index}]"),
            container.to_owned(),
        ))
    });
    modes.chain(volumes).collect()
}
