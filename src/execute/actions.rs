//! What each step does: one small function per action, no decisions.

use super::Walk;
use super::failure::Trouble;
use super::hooks::HookError;
use super::watch::Fall;
use crate::engine::EngineError;
use crate::engine::request;
use crate::event::{Ending, Kind, Part, Resource};
use crate::hash;
use crate::image::build::{BuildError, build};
use crate::image::pull::{PullOptions, pull};
use crate::plan::{Action, PRE_STOP, StepId, Target, Until};
use crate::service::Condition;
use crate::value::image::Reference;
use futures::future::try_join_all;
use tokio::time::Instant;

impl Walk<'_> {
    pub(super) async fn act(&self, id: StepId, action: &Action) -> Result<(), Trouble> {
        let engine = self.means.engine;
        match action {
            Action::PullImage {
                reference,
                platform,
                services,
                optional,
            } => {
                let platform = platform.as_deref();
                self.pull(reference, platform, services, *optional).await
            }
            Action::BuildImage { service, reference } => self.build(service, reference).await,
            Action::CreateNetwork { key, .. } => self.create_network(key).await,
            Action::RemoveNetwork { id: network, .. } => {
                self.removed(id, engine.remove_network(network).await)
            }
            Action::ConnectNetwork {
                service,
                key,
                container,
                ..
            } => self.join(service, key, container).await,
            Action::DisconnectNetwork { network, container } => {
                let id = self.id_of(container);
                match engine.disconnect_network(network, &id, true).await {
                    // A run that was killed has asked for it, too.
                    Err(error) if error.message().contains("is not connected to") => Ok(()),
                    result => gone_is_fine(result),
                }
            }
            Action::CreateVolume { key, .. } => self.create_volume(key).await,
            Action::RemoveVolume { name } => {
                self.removed(id, engine.remove_volume(name, true).await)
            }
            Action::RemoveImage { reference } => {
                self.removed(id, engine.remove_image(reference).await)
            }
            Action::CreateContainer { .. } => self.create_container(id, action).await,
            Action::CreateOneOff(one_off) => self.create_one_off(id, one_off).await,
            Action::RenameContainer { container, name } => {
                let id = self.id_of(container);
                Ok(self.rename(&id, name).await?)
            }
            Action::CopyFiles { service, container } => self.copy_files(service, container).await,
            Action::StartContainer { service, container } => self.start(service, container).await,
            Action::Verify {
                service,
                container,
                healthy,
            } => self.verify(service, container, *healthy).await,
            Action::StopContainer { container, timeout } => {
                let id = self.id_of(container);
                gone_is_fine(engine.stop_container(&id, *timeout).await)
            }
            Action::RestartContainer { container, timeout } => {
                let id = self.id_of(container);
                let begun = Instant::now();
                engine.restart_container(&id, *timeout).await?;
                self.watch.started(&id, begun.elapsed());
                Ok(())
            }
            Action::KillContainer { container, signal } => {
                let id = self.id_of(container);
                match engine.kill_container(&id, signal).await {
                    // It has ended since it was seen.
                    Err(error) if error.is_conflict() => Ok(()),
                    result => gone_is_fine(result),
                }
            }
            Action::PauseContainer { container } => {
                let id = self.id_of(container);
                Ok(engine.pause_container(&id).await?)
            }
            Action::UnpauseContainer { container } => {
                let id = self.id_of(container);
                Ok(engine.unpause_container(&id).await?)
            }
            Action::RemoveContainer {
                container,
                force,
                volumes,
            } => {
                let id = self.id_of(container);
                match engine.remove_container(&id, *force, *volumes).await {
                    // Somebody else removes it, or it is gone already.
                    Err(error) if error.is_conflict() && *force => Ok(()),
                    result => gone_is_fine(result),
                }
            }
            Action::RunHook {
                service,
                container,
                hook,
            } => {
                let done = self.run_hook(service, container, hook).await;
                // What is to be stopped may have ended since.
                let is_moot = self.plan.step(id).cause == PRE_STOP;
                match done {
                    Err(HookError::Engine(e))
                        if is_moot && (e.is_conflict() || e.is_not_found()) =>
                    {
                        Ok(())
                    }
                    Err(HookError::Engine(error)) => Err(error.into()),
                    Err(HookError::Failed(trouble)) => Err(trouble),
                    Ok(()) => Ok(()),
                }
            }
            // Ends on its own terms when it is to be given up.
            Action::RunPreStart {
                service,
                index,
                container,
            } => self
                .run_pre_start(service, *index, container)
                .await
                .map(drop),
            Action::PrepareModel { service, key } => self.prepare_model(service, key).await,
            Action::RunProvider { service, verb } => self.run_provider(service, *verb).await,
            Action::Wait {
                service,
                containers,
                optional,
                ..
            } if containers.is_empty() => self.miss(id, service, *optional),
            Action::Wait {
                service,
                until,
                containers,
                optional,
            } => self.wait(service, *until, containers, *optional).await,
            Action::Join => Ok(()),
        }
    }

    async fn start(&self, service: &str, container: &Target) -> Result<(), Trouble> {
        let id = self.id_of(container);
        if self.runs_already(&id) {
            self.watch.runs_already(&id).await;
        }
        let begun = Instant::now();
        match self.means.engine.start_container(&id).await {
            Ok(()) => {
                self.watch.started(&id, begun.elapsed());
                Ok(())
            }
            Err(error) => Err(self.explain_start(service, error).await),
        }
    }

    /// Whether an earlier run has started it, and this one does not stop it.
    fn runs_already(&self, id: &str) -> bool {
        let stops = |action: &Action| matches!(action, Action::StopContainer { container, .. } if container.id() == Some(id));
        let mut up = self.observed.replicas().filter(|c| c.state.is_up());
        up.any(|c| c.id == id) && !self.plan.steps().any(|(_, step)| stops(&step.action))
    }

    async fn pull(
        &self,
        reference: &str,
        platform: Option<&str>,
        services: &[String],
        optional: bool,
    ) -> Result<(), Trouble> {
        let options = PullOptions {
            quiet: self.means.quiet_pull,
            optional,
        };
        let pulled = pull(
            self.means.engine,
            reference,
            platform,
            options,
            self.means.reporter,
        )
        .await;
        match pulled {
            Ok(()) => {
                let image = self.means.engine.inspect_image(reference).await?;
                let mut made = self.made.borrow_mut();
                let name = Reference::parse(reference).familiar();
                made.images.insert(name.clone(), image);
                made.pulled.insert(name);
                Ok(())
            }
            // The pull has said so; what stands in for it comes next.
            Err(_) if optional => Ok(()),
            Err(error) => {
                // Another service with the image may have it already, for another platform.
                let mut services = services.iter().filter_map(|s| self.project.services.get(s));
                let service =
                    services.find(|s| Reference::is_same(&self.project.image_name(s), reference));
                let trouble = Trouble::from(error);
                if let Some(path) = self.hook_with_image(reference)
                    && service.is_none()
                {
                    return Err(trouble.at(path));
                }
                Err(match service {
                    Some(service) => trouble.at(format!("services.{}.image", service.name)),
                    None => trouble,
                })
            }
        }
    }

    /// The place of the `pre_start` hook that runs an image.
    fn hook_with_image(&self, reference: &str) -> Option<String> {
        self.project.services.values().find_map(|service| {
            let hooks = &service.pre_start;
            let index = hooks
                .iter()
                .position(|h| h.image.as_deref() == Some(reference))?;
            Some(format!(
                "services.{}.pre_start[{index}].image",
                service.name
            ))
        })
    }

    async fn build(&self, service: &str, reference: &str) -> Result<(), Trouble> {
        // The build only stands in for a pull that did not work.
        if self
            .made
            .borrow()
            .pulled
            .contains(&Reference::parse(reference).familiar())
        {
            return Ok(());
        }
        let built = build(
            self.means.engine,
            self.project,
            self.service(service)?,
            &self.means.build,
            self.means.reporter,
        )
        .await
        .map_err(|error| match error {
            BuildError::Refused(finding) => Trouble::from(finding),
            other => Trouble::new(other.to_string()).at(format!("services.{service}.build")),
        })?;
        if built.is_some() {
            let image = self.means.engine.inspect_image(reference).await?;
            self.made
                .borrow_mut()
                .images
                .insert(Reference::parse(reference).familiar(), image);
        }
        Ok(())
    }

    async fn create_network(&self, key: &str) -> Result<(), Trouble> {
        let project = self.project;
        let Some(network) = project.networks.get(key) else {
            return Err(Trouble::new(format!("network {key} is not in the project")));
        };
        let hash = hash::network_hash(&network.spec);
        let request = request::network_request(network, &network.labels(&project.name, &hash));
        match self.means.engine.create_network(request).await {
            Err(error) if !(error.is_conflict() && self.has_network(network).await) => {
                Err(Trouble::from(error).at(format!("networks.{key}")))
            }
            _ => Ok(()),
        }
    }

    async fn create_volume(&self, key: &str) -> Result<(), Trouble> {
        let project = self.project;
        let Some(volume) = project.volumes.get(key) else {
            return Err(Trouble::new(format!("volume {key} is not in the project")));
        };
        let hash = hash::volume_hash(&volume.spec);
        let request = request::volume_request(volume, &volume.labels(&project.name, &hash));
        self.means
            .engine
            .create_volume(request)
            .await
            .map(drop)
            .map_err(|e| Trouble::from(e).at(format!("volumes.{key}")))
    }

    /// What became of the removal of a network, a volume or an image. Being in use by somebody
    /// else, or gone already, is a warning and not a failure, as with Compose, and is told instead of
    /// the step's own end; unless something else is to take its place.
    fn removed(&self, id: StepId, result: Result<(), EngineError>) -> Result<(), Trouble> {
        let step = self.plan.step(id);
        let is_last = step.part != Part::Hidden && self.plan.dependents(id).is_empty();
        let ending = match &result {
            Err(error) if is_last && is_in_use(error, &step.action) => Ending::StillInUse,
            Err(error) if is_last && error.is_not_found() => Ending::NotFound,
            _ => return gone_is_fine(result),
        };
        self.endings.borrow_mut().insert(id, ending);
        Ok(())
    }

    /// What is waited for was never created, or has been removed.
    fn miss(&self, id: StepId, service: &str, optional: bool) -> Result<(), Trouble> {
        let cause = &self.plan.step(id).cause;
        let message = format!("{service} has no container, and {cause}");
        if optional {
            self.means.reporter.warning(message);
            return Ok(());
        }
        let trouble = Trouble::new(message).at(format!("services.{service}"));
        Err(trouble.help("create it with `up` or `create`"))
    }

    async fn wait(
        &self,
        service: &str,
        until: Until,
        containers: &[Target],
        optional: bool,
    ) -> Result<(), Trouble> {
        let reporter = self.means.reporter;
        let all = try_join_all(containers.iter().map(|container| async move {
            let resource = Resource::container(container.name());
            reporter.send(Kind::WaitStarted {
                resource: resource.clone(),
                service: service.to_owned(),
                until: until.into(),
            });
            let id = self.id_of(container);
            let probed = |probe| {
                reporter.send(Kind::WaitProbed {
                    resource: resource.clone(),
                    probe,
                });
            };
            match self.watch.until(&id, until, &probed).await {
                Ok(found) => {
                    reporter.send(Kind::WaitMet { resource, found });
                    Ok(())
                }
                Err(fall) => Err(self.explain_fall(service, container, until, fall).await),
            }
        }));
        match all.await {
            Ok(_) => Ok(()),
            Err(trouble) if optional => {
                for container in containers {
                    reporter.send(Kind::WaitSkipped {
                        resource: Resource::container(container.name()),
                        service: service.to_owned(),
                    });
                }
                reporter.warning(format!(
                    "optional dependency {service:?} failed to start: {}",
                    trouble.message
                ));
                Ok(())
            }
            Err(trouble) => Err(trouble),
        }
    }

    async fn verify(
        &self,
        service: &str,
        container: &Target,
        healthy: bool,
    ) -> Result<(), Trouble> {
        let id = self.id_of(container);
        let reporter = self.means.reporter;
        let resource = Resource::container(container.name());
        let probed = |probe| {
            reporter.send(Kind::WaitProbed {
                resource: resource.clone(),
                probe,
            });
        };
        let fall = match self.watch.first_moments(&id, healthy).await {
            Ok(true) => match self
                .watch
                .until(&id, Until::RunningOrHealthy, &probed)
                .await
            {
                Ok(found) => {
                    let resource = resource.clone();
                    reporter.send(Kind::WaitMet { resource, found });
                    return Ok(());
                }
                Err(fall) => fall,
            },
            Ok(false) => return Ok(()),
            // Its engine starts it again: the wait for its health decides.
            Err(Fall::Ended(details))
                if details.state.is_up()
                    && details.health.is_some()
                    && self.health_is_awaited(service) =>
            {
                return Ok(());
            }
            Err(fall) => fall,
        };
        Err(self
            .explain_fall(service, container, Until::RunningOrHealthy, fall)
            .await)
    }

    /// Whether the plan waits until the service is healthy.
    fn health_is_awaited(&self, service: &str) -> bool {
        self.plan.steps().any(|(_, step)| {
            matches!(&step.action, Action::Wait { service: awaited, until, .. }
                if awaited == service
                    && *until != Until::Condition(Condition::CompletedSuccessfully))
        })
    }
}

/// Whether the engine refuses to remove what something uses. Of a network it says so in its own way.
fn is_in_use(error: &EngineError, action: &Action) -> bool {
    let is_of_network = matches!(action, Action::RemoveNetwork { .. });
    error.is_conflict()
        || is_of_network && matches!(error, EngineError::Refused { status: 403, .. })
}

/// What should go and is gone already is as it should be.
fn gone_is_fine(result: Result<(), EngineError>) -> Result<(), Trouble> {
    match result {
        Err(error) if error.is_not_found() => Ok(()),
        result => Ok(result?),
    }
}
