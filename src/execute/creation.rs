//! Creating a container: everything that is only known at that moment.

use super::Walk;
use super::failure::Trouble;
use crate::engine::ContainerRequest;
use crate::engine::request::{self, ContainerRef, FileContent, Refusal, Resolved};
use crate::hash::{self, AsCreated};
use crate::labels;
use crate::observe::ObservedContainer;
use crate::plan::{Action, StepId, Target};
use crate::service::Service;
use crate::spec;
use crate::value::image::Reference;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

impl Walk<'_> {
    pub(super) fn service(&self, name: &str) -> Result<&Service, Trouble> {
        // One that the command is not about may be on a network that is made anew.
        self.project
            .declared(name)
            .ok_or_else(|| Trouble::new(format!("service {name} is not in the project")))
    }

    pub(super) async fn create_container(
        &self,
        id: StepId,
        action: &Action,
    ) -> Result<(), Trouble> {
        let Action::CreateContainer {
            service,
            number,
            name,
            temporary_name,
            replaces,
            inherit_volumes,
        } = action
        else {
            return Ok(());
        };
        let project = self.project;
        let service = self.service(service)?;
        let old = replaces.as_ref().and_then(|id| self.observed.replica(id));
        let containers = self.containers_referred_to_by(service);
        let created = AsCreated {
            default_platform: project.default_platform(),
            containers: containers
                .iter()
                .filter_map(|(service, list)| Some((service.as_str(), list.first()?.id.as_str())))
                .collect(),
        };
        let hash = hash::service_hashes(&service.spec, &created).own;
        let mut all = project.container_labels(service, *number, &hash);
        if let Some(image) = self.image_id(&project.image_name(service)) {
            all.insert(labels::IMAGE.to_owned(), image);
        }
        if old.is_some() {
            let replaced = match &service.container_name {
                Some(name) => name.clone(),
                None => format!("{}-{number}", service.name),
            };
            all.insert(labels::REPLACE.to_owned(), replaced);
        }
        // What cannot be copied is told now, before anything is taken away for this container.
        let files = self.files_of(service, &[])?;
        let known = &project.declared_secrets;
        all.extend([spec::label(&service.spec, &files, known)]);
        let inherited = match old {
            Some(old) if *inherit_volumes => self.data_of(old, service),
            _ => BTreeMap::new(),
        };
        let mut request =
            self.request(service, name, *number, all, containers, inherited.clone())?;
        if let Some(temporary) = temporary_name {
            self.check_final_name(service, name).await?;
            request.name.clone_from(temporary);
        }
        let asked = request.name.clone();
        let created = match self.create_or_take(request, &inherited).await {
            Ok(created) => created,
            Err(error) if error.is_conflict() => {
                let trouble = Trouble::from(error);
                let trouble = self.explain_taken_name(service, &asked, trouble);
                return Err(trouble.await);
            }
            Err(error) => {
                return Err(Trouble::from(error).at(format!("services.{}", service.name)));
            }
        };
        self.made.borrow_mut().containers.insert(id, created);
        Ok(())
    }

    /// The anonymous volumes that a successor takes over; where an interrupted recreation has left
    /// another container with the same number, those that only that one has as well.
    fn data_of(&self, old: &ObservedContainer, service: &Service) -> BTreeMap<String, String> {
        let mut inherited = anonymous_volumes(old, service);
        for other in self.observed.data_beside(old) {
            for (target, volume) in anonymous_volumes(other, service) {
                inherited.entry(target).or_insert(volume);
            }
        }
        inherited
    }

    /// The request for a replica, as the walk stands now.
    pub(super) fn request(
        &self,
        service: &Service,
        name: &str,
        number: u32,
        labels: BTreeMap<String, String>,
        containers: BTreeMap<String, Vec<ContainerRef>>,
        inherited_volumes: BTreeMap<String, String>,
    ) -> Result<ContainerRequest, Trouble> {
        let working_dir = &self.project.working_dir;
        let files = self.means.files;
        let read = |path: &Path| files.read(&working_dir.join(path));
        let resolved = Resolved {
            number: Some(number),
            containers,
            inherited_volumes,
            addresses: self.addresses_for(service, name),
            proxy_environment: self.means.proxy_environment.clone(),
            read: Some(&read),
            ..Resolved::default()
        };
        let provided = self.with_provided(service);
        Ok(request::container_request(
            self.project,
            provided.as_ref().unwrap_or(service),
            name,
            labels,
            &resolved,
        )?)
    }

    /// The containers that services have at this moment of the walk, by their names, as the first of
    /// them stands for all; gathered only for a service that refers to another's.
    pub(super) fn containers_referred_to_by(
        &self,
        service: &Service,
    ) -> BTreeMap<String, Vec<ContainerRef>> {
        let mut referred = service.shared_with();
        referred.extend(service.linked_to());
        if referred.is_empty() {
            return BTreeMap::new();
        }
        let made = self.made.borrow();
        let mut found: BTreeMap<String, Vec<ContainerRef>> = BTreeMap::new();
        let mut replaced: Vec<&str> = Vec::new();
        for (step, id) in &made.containers {
            if let Action::CreateContainer {
                service,
                name,
                replaces,
                ..
            } = &self.plan.step(*step).action
            {
                found
                    .entry(service.clone())
                    .or_default()
                    .push(ContainerRef {
                        id: id.clone(),
                        name: name.clone(),
                    });
                replaced.extend(replaces.as_deref());
            }
        }
        // A container that this plan removes is nobody to refer to.
        for (_, step) in self.plan.steps() {
            if let Action::RemoveContainer {
                container: Target::Existing { id, .. },
                ..
            } = &step.action
            {
                replaced.push(id);
            }
        }
        for container in self.observed.replicas() {
            if !replaced.contains(&container.id.as_str()) {
                found
                    .entry(container.service.clone())
                    .or_default()
                    .push(ContainerRef {
                        id: container.id.clone(),
                        name: container.final_name().to_owned(),
                    });
            }
        }
        for all in found.values_mut() {
            all.sort_by(|a, b| a.name.cmp(&b.name));
        }
        found
    }

    pub(super) fn image_id(&self, reference: &str) -> Option<String> {
        let made = self.made.borrow();
        made.images
            .get(&Reference::parse(reference).familiar())
            .or_else(|| self.observed.images.get(reference))
            .map(|image| image.id.clone())
    }

    /// The files to copy into a container of the service that has something mounted at these paths.
    fn files_of(&self, service: &Service, mounted: &[&str]) -> Result<Vec<FileContent>, Trouble> {
        let config = self.means.docker_config.as_deref();
        Ok(request::file_contents(
            self.project,
            service,
            config,
            mounted,
        )?)
    }

    /// Secrets and configs that are not bound are copied in before every start.
    pub(super) async fn copy_files(
        &self,
        service: &str,
        container: &Target,
    ) -> Result<(), Trouble> {
        let service = self.service(service)?;
        // What Docker Compose has made, or was made before a file was to be copied, has it bound.
        let old = container.id().and_then(|id| self.observed.replica(id));
        let mounts = old.map_or(&[][..], |old| &old.summary.mounts);
        let mounted: Vec<&str> = mounts.iter().map(|m| m.destination.as_str()).collect();
        let files = self.files_of(service, &mounted)?;
        self.put_files(&self.id_of(container), &files).await
    }

    /// The same for a hook's container: it shares volumes with one of the service's, but no files.
    pub(super) async fn copy_files_for_hook(
        &self,
        service: &Service,
        id: &str,
    ) -> Result<(), Trouble> {
        let files = self.files_of(service, &[])?;
        self.put_files(id, &files).await
    }

    async fn put_files(&self, id: &str, files: &[FileContent]) -> Result<(), Trouble> {
        if files.is_empty() {
            return Ok(());
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let tar = request::archive(files, now.unwrap_or_default().as_secs());
        Ok(self.means.engine.put_archive(id, "/", tar).await?)
    }
}

/// The anonymous volumes that a successor takes over: `(target, volume)`, as far as the service
/// does not mount something else there.
fn anonymous_volumes(old: &ObservedContainer, service: &Service) -> BTreeMap<String, String> {
    old.anonymous_volumes()
        .filter(|m| {
            service
                .volumes
                .iter()
                .all(|v| v.target != m.destination || v.is_anonymous())
        })
        .map(|m| (m.destination.clone(), m.name.clone()))
        .collect()
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Trouble {
            message: refusal.message,
            path: Some(refusal.path),
            help: refusal.help,
            container: None,
            is_unanswered: false,
            is_broken: false,
        }
    }
}
