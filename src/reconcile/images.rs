//! Pass 1: images to pull and to build.

use super::{Options, Planner};
use crate::image::policy::{BuildChoice, PullChoice, Situation, Supply, pull_choice, supply};
use crate::observe::{Observed, hook_images, mounted_images};
use crate::plan::{Action, Plan, Step, StepId};
use crate::project::Project;
use crate::service::Service;
use crate::value::image::Reference;
use std::collections::BTreeSet;

/// Services with containers whose image this plan pulls or builds: until that is done, nobody
/// knows whether they are outdated. Gives the plan of just those images.
pub fn image_changes_possible(
    project: &Project,
    observed: &Observed,
    options: &Options,
) -> (Plan, BTreeSet<String>) {
    let mut planner = Planner::new(project, observed, options);
    planner.plan_images();
    let unsettled = std::mem::take(&mut planner.outcome.unsettled);
    let all = planner.outcome().plan;
    let mut plan = Plan::default();
    let mut last = Vec::new();
    for (_, step) in all.steps() {
        let concerns = match &step.action {
            Action::PullImage { services, .. } => services.iter().any(|s| unsettled.contains(s)),
            Action::BuildImage { service, .. } => unsettled.contains(service),
            _ => false,
        };
        if concerns {
            // Builds go after the pulls they may stand in for, and after one another: one may
            // use what another makes.
            let builds = matches!(step.action, Action::BuildImage { .. });
            let id = plan.add(step.clone(), if builds { last.clone() } else { Vec::new() });
            last.push(id);
        }
    }
    (plan, unsettled)
}

impl Planner<'_> {
    pub(super) fn plan_images(&mut self) {
        let project = self.project;
        for service in project.services.values() {
            if service.provider.is_some() || self.options.images_settled.contains(&service.name) {
                continue;
            }
            let reference = project.image_name(service);
            let decision = self.supply_of(service, &reference);
            if decision != Supply::Present && !self.observed.replicas_of(&service.name).is_empty() {
                self.outcome.unsettled.insert(service.name.clone());
            }
            match decision {
                Supply::Present => {}
                Supply::Pull { or_build, or_local } => {
                    let platform = project.platform_of(service).map(str::to_owned);
                    // Where another service builds it, that build stands in for the pull, too.
                    let may_fail =
                        or_build || or_local || self.is_built_by_another(service, &reference);
                    self.plan_pull(service, platform, &reference, may_fail);
                    if or_build {
                        self.plan_build(service, &reference);
                    }
                }
                Supply::Build => self.plan_build(service, &reference),
                Supply::Unavailable(why) => self.obstacle(
                    format!("services.{}.image", service.name),
                    format!("image {reference} {why}"),
                    Some("pull or build it yourself, or change pull_policy".to_owned()),
                ),
            }
            self.plan_hook_images(service);
            self.plan_mounted_images(service);
        }
    }

    /// Images that are mounted are pulled where they are missing, whatever the `pull_policy`. Those
    /// of other services come with these.
    fn plan_mounted_images(&mut self, service: &Service) {
        let project = self.project;
        for reference in mounted_images(project, service) {
            let services = &mut project.services.values();
            let platform = project.default_platform();
            let local = self.image(&reference);
            let is_known = local.is_some_and(|image| platform.is_none_or(|p| image.serves(p)))
                || services.any(|other| Reference::is_same(&project.image_name(other), &reference));
            if !is_known {
                let platform = platform.map(str::to_owned);
                self.plan_pull(service, platform, &reference, false);
            }
        }
    }

    /// Images of `pre_start` hooks: they follow the service's `pull_policy`, but are never built.
    fn plan_hook_images(&mut self, service: &Service) {
        let project = self.project;
        let choice = self
            .options
            .pull
            .unwrap_or_else(|| pull_choice(service.pull_policy.as_deref()));
        let pull = match choice {
            PullChoice::Build => PullChoice::Missing,
            other => other,
        };
        for reference in hook_images(project, service) {
            let platform = project.default_platform();
            let local = self.image(&reference);
            let fits = local.is_some_and(|image| platform.is_none_or(|p| image.serves(p)));
            let situation = Situation {
                buildable: false,
                built_by_another: self.is_built_by_another(service, &reference),
                named: true,
                local: fits,
                age: local.and_then(|image| image.age),
            };
            match supply(pull, BuildChoice::IfMissing, situation) {
                Supply::Pull { or_local, .. } => {
                    let platform = platform.map(str::to_owned);
                    self.plan_pull(service, platform, &reference, or_local);
                }
                Supply::Unavailable(why) => {
                    let hooks = &service.pre_start;
                    let index = hooks
                        .iter()
                        .position(|hook| hook.image.as_ref() == Some(&reference))
                        .unwrap_or_default();
                    self.obstacle(
                        format!("services.{}.pre_start[{index}].image", service.name),
                        format!("image {reference} {why}"),
                        Some("pull or build it yourself, or change pull_policy".to_owned()),
                    );
                }
                Supply::Present | Supply::Build => {}
            }
        }
    }

    fn supply_of(&self, service: &Service, reference: &str) -> Supply {
        let local = self.image(reference);
        let platform = self.project.platform_of(service);
        let fits = local.is_some_and(|image| platform.is_none_or(|p| image.serves(p)));
        let pull = self
            .options
            .pull
            .unwrap_or_else(|| pull_choice(service.pull_policy.as_deref()));
        supply(
            pull,
            self.options.build,
            Situation {
                buildable: service.build.is_some(),
                built_by_another: self.is_built_by_another(service, reference),
                named: service.image.is_some(),
                local: fits,
                age: local.and_then(|image| image.age),
            },
        )
    }

    fn is_built_by_another(&self, service: &Service, reference: &str) -> bool {
        self.project.services.values().any(|other| {
            other.name != service.name
                && other.build.is_some()
                && Reference::is_same(&self.project.image_name(other), reference)
        })
    }

    fn plan_pull(
        &mut self,
        service: &Service,
        platform: Option<String>,
        reference: &str,
        may_fail: bool,
    ) {
        if let Some(step) = self.image_step(reference) {
            if let Action::PullImage {
                services, optional, ..
            } = &mut self.plan.step_mut(step).action
            {
                services.push(service.name.clone());
                *optional &= may_fail;
            }
            return;
        }
        let cause = match (self.image(reference), &platform) {
            (Some(local), Some(wanted)) if !local.serves(wanted) => {
                format!("the local image is not for {wanted}")
            }
            (Some(_), _) => "the newest is asked for".to_owned(),
            (None, _) => "not there yet".to_owned(),
        };
        // The pull shows its own lines, layers included.
        let step = Step::silent(
            Action::PullImage {
                reference: reference.to_owned(),
                platform,
                services: vec![service.name.clone()],
                optional: may_fail,
            },
            cause,
        );
        let id = self.plan.add(step, []);
        self.note_image_step(reference, id);
    }

    fn plan_build(&mut self, service: &Service, reference: &str) {
        if let Some(platform) = self.project.platform_not_built(service) {
            self.obstacle(
                format!("services.{}.build.platforms", service.name),
                format!("DOCKER_DEFAULT_PLATFORM asks for {platform}, which is not among them"),
                Some("add it there, or give the service a platform of its own".to_owned()),
            );
        }
        let cause = match (self.options.build, self.image(reference)) {
            (BuildChoice::Always, _) => "--build",
            (_, Some(_)) => "pull_policy: build",
            _ => "not there yet",
        };
        let step = Step::silent(
            Action::BuildImage {
                service: service.name.clone(),
                reference: reference.to_owned(),
            },
            cause,
        );
        // A build that stands in for a pull waits to see whether the pull worked; one that uses
        // another service's image waits for that.
        let mut after: Vec<_> = self.image_step(reference).into_iter().collect();
        let contexts = service
            .build
            .iter()
            .flat_map(|b| b.additional_contexts.values());
        for context in contexts {
            let base = context
                .strip_prefix("service:")
                .and_then(|name| self.project.services.get(name))
                .and_then(|s| self.image_step(&self.project.image_name(s)));
            after.extend(base);
        }
        let id = self.plan.add(step, after);
        self.note_image_step(reference, id);
    }

    /// The step that brings an image, however it is written.
    pub(super) fn image_step(&self, reference: &str) -> Option<StepId> {
        let name = Reference::parse(reference).familiar();
        self.image_steps.get(&name).copied()
    }

    fn note_image_step(&mut self, reference: &str, step: StepId) {
        let name = Reference::parse(reference).familiar();
        self.image_steps.insert(name, step);
    }
}
