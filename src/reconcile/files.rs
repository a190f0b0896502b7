//! Secrets and configs that are copied into containers: whether they can be, and whether they are
//! still the same.

use super::divergence::Divergence;
use super::{Obstacle, Planner};
use crate::engine::request::{FileContent, file_contents};
use crate::observe::ObservedContainer;
use crate::project::Project;
use crate::secret::FileObject;
use crate::service::Service;
use crate::service::mount::FileReference;
use crate::spec;

/// Why something is copied into a container.
pub(super) const COPIED: &str = "secrets and configs that are not bound";

/// Whether something may have to be copied into its containers: a secret or config whose content
/// is not a file of this machine, or is to have another owner or mode than that.
pub(super) fn copies_files(project: &Project, service: &Service) -> bool {
    let is_copied = |reference: &FileReference, found: Option<&FileObject>| {
        found.is_some_and(|f| {
            let is_content = f.file.is_none() && !f.external;
            is_content || (f.is_file() && reference.asks_for_owner_or_mode())
        })
    };
    let mut secrets = service.secrets.iter();
    let mut configs = service.configs.iter();
    service.use_api_socket
        || secrets.any(|r| is_copied(r, project.secrets.get(&r.source)))
        || configs.any(|r| is_copied(r, project.configs.get(&r.source)))
}

fn uses_files(service: &Service) -> bool {
    !service.secrets.is_empty() || !service.configs.is_empty()
}

impl Planner<'_> {
    /// What a container that is to be made cannot have keeps the whole plan from being carried out.
    pub(super) fn refuse_impossible_files(&mut self, service: &Service) {
        if !uses_files(service) {
            return;
        }
        let Err(refused) = file_contents(self.project, service, None, &[]) else {
            return;
        };
        let obstacle = Obstacle {
            code: refused.code,
            path: refused.path.clone(),
            message: refused.message.clone(),
            help: refused.help.clone(),
        };
        // Each replica asks for the same.
        if !self.outcome.obstacles.contains(&obstacle) {
            self.outcome.obstacles.push(obstacle);
        }
    }

    /// What was copied into a container is not what the project gives now. Where nobody recorded
    /// what that was, and where it cannot be told what it is to be, the container stays.
    pub(super) fn changed_files(
        &self,
        service: &Service,
        container: &ObservedContainer,
    ) -> Option<Divergence> {
        if !uses_files(service) {
            return None;
        }
        let record = container.spec.as_deref().and_then(spec::read_record)?;
        let changes = spec::changed_files(&record, &self.files_of(service)?);
        (!changes.is_empty()).then(|| Divergence::of(changes))
    }

    pub(super) fn files_of(&self, service: &Service) -> Option<Vec<FileContent>> {
        file_contents(self.project, service, None, &[]).ok()
    }
}
