//! Containers of services that the project does not declare (any more).

use super::Planner;

impl Planner<'_> {
    pub(super) fn plan_orphans(&mut self) {
        let observed = self.observed;
        let project = self.project;
        if self.options.remove_orphans {
            let hooks = observed.hooks.iter();
            for left in hooks.filter(|hook| !project.declares(&hook.service)) {
                self.plan_hook_removal(left, "no service of the project any more");
            }
        }
        let orphans: Vec<_> = observed.orphans(project).collect();
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
