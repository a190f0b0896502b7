//! Containers of services that the project does not declare (any more).

use super::Planner;
use crate::observe::ObservedContainer;

impl Planner<'_> {
    pub(super) fn plan_orphans(&mut self) {
        let observed = self.observed;
        let project = self.project;
        if self.options.remove_orphans {
            let hooks = observed.hooks.iter();
            let hooks = hooks.filter(|hook| self.options.adopt || !observed.is_foreign(hook));
            for left in hooks.filter(|hook| !project.declares(&hook.service)) {
                self.plan_hook_removal(left, "no service of the project any more");
            }
        }
        let orphans = observed.orphans(project);
        // What another directory brought up under this name is its own business.
        let is_ours = |c: &&ObservedContainer| self.options.adopt || !observed.is_foreign(c);
        let orphans: Vec<_> = orphans.filter(is_ours).collect();
        if orphans.is_empty() {
            return;
        }
        if self.options.remove_orphans {
            for orphan in orphans {
                self.plan_removal(orphan, "no service of the project any more");
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
}
