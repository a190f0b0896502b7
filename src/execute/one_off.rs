//! Creating the container of a `run`. Its start is the command's own: it attaches first.

use super::Walk;
use super::failure::Trouble;
use crate::engine::request::{self, Resolved};
use crate::hash::{self, AsCreated};
use crate::labels;
use crate::plan::StepId;
use crate::service::one_off::OneOff;
use std::path::Path;

impl Walk<'_> {
    pub(super) async fn create_one_off(&self, id: StepId, one_off: &OneOff) -> Result<(), Trouble> {
        let project = self.project;
        let service = self.service(&one_off.service)?;
        let containers = self.containers_referred_to_by(service);
        let created = AsCreated {
            default_platform: project.default_platform(),
            containers: containers
                .iter()
                .filter_map(|(service, list)| Some((service.as_str(), list.first()?.id.as_str())))
                .collect(),
        };
        let hash = hash::service_hashes(&service.spec, &created).own;
        let mut all = project.one_off_labels(service, one_off, &hash);
        if let Some(image) = self.image_id(&project.image_name(service)) {
            all.insert(labels::IMAGE.to_owned(), image);
        }
        let working_dir = &project.working_dir;
        let files = self.means.files;
        let read = |path: &Path| files.read(&working_dir.join(path));
        let resolved = Resolved {
            number: None,
            containers,
            addresses: self.addresses_for(service, &one_off.name),
            proxy_environment: self.means.proxy_environment.clone(),
            without_aliases: !one_off.use_aliases,
            read: Some(&read),
            ..Resolved::default()
        };
        let provided = self.with_provided(service);
        let service = provided.as_ref().unwrap_or(service);
        let request = request::one_off_request(project, service, one_off, all, &resolved)?;
        match self.means.engine.create_container(request).await {
            Ok(created) => {
                self.made.borrow_mut().containers.insert(id, created);
                Ok(())
            }
            Err(error) => Err(Trouble::from(error).at(format!("services.{}", one_off.service))),
        }
    }
}
