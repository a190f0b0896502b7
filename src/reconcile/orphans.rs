//! Containers of services that the project does not declare (any more).

use super::Planner;
use crate::observe::ObservedContainer;

/// Why they go.
pub(super) const CAUSE: &str = "no service of the project any more";

impl<'a> Planner<'a> {
    pub(super) fn plan_orphans(&mut self) {
        let observed = self.observed;
        let project = self.project;
        if self.options.remove_orphans {
            let hooks = observed.hooks.iter();
            let hooks = hooks.filter(|hook| self.options.adopt || !observed.is_foreign(hook));
            for left in hooks.filter(|hook| !project.declares(&hook.service)) {
                self.plan_hook_removal(left, CAUSE);
            }
        }
        let orphans = self.orphans();
        let orphans: Vec<_> = orphans
            .filter(|orphan| !self.handed_over.contains(orphan.id.as_str()))
            .collect();
        if orphans.is_empty() {
            return;
        }
        if self.options.remove_orphans {
            for orphan in orphans {
                if !self.has_lodgers(orphan) {
                    self.plan_removal(orphan, CAUSE, Vec::new());
                }
            }
        } else if !self.options.ignore_orphans {
            let names: Vec<&str> = orphans.iter().map(|c| c.name.as_str()).collect();
            self.outcome.warnings.push(format!(
                "Found orphan containers ({}) for this project. If you removed or renamed this \
                 service in your compose file, you can run this command with the \
                 --remove-orphans flag to clean it up.",
                names.join(", ")
            ));
        }
    }

    /// Orphans that are ours: what another directory brought up under this name is its own
    /// business.
    fn orphans(&self) -> impl Iterator<Item = &'a ObservedContainer> + use<'a> {
        let (observed, adopt) = (self.observed, self.options.adopt);
        let orphans = observed.orphans(self.project);
        orphans.filter(move |c| adopt || !observed.is_foreign(c))
    }

    /// Those that go in this plan.
    pub(super) fn removed_orphans(
        &self,
    ) -> impl Iterator<Item = &'a ObservedContainer> + use<'a, '_> {
        let remove = self.options.remove_orphans;
        let orphans = self.orphans().filter(move |_| remove);
        orphans.filter(|orphan| !self.handed_over.contains(orphan.id.as_str()))
    }
}
