//! A change from beginning to end: observe, reconcile, and where a pull or a build may turn out
//! to change an image, do that first and look again. Then ask, and execute.

mod preflight;

pub use preflight::Preflight;

use crate::engine::request::{ContainerRef, Resolved, container_request};
use crate::engine::{ContainerState, Engine, EngineError};
use crate::execute::{Means, Report, execute};
use crate::observe::{Observed, ObservedContainer, Scope, local_images, observe};
use crate::plan::{Action, Plan, StepId};
use crate::project::Project;
use crate::reconcile::lifecycle;
use crate::reconcile::unchanged::unchanged;
use crate::reconcile::{self, Options, Outcome, Question, UNRECORDED, image_changes_possible};
use crate::spec::differences_to;
use crate::value::secret::Masking;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use std::collections::BTreeMap;
use std::path::Path;

/// A plan that was executed, and what became of it.
#[derive(Debug)]
pub struct Done {
    pub plan: Plan,
    pub report: Report,
}

/// Executes a plan.
pub async fn run(means: &Means<'_>, plan: Plan, project: &Project, observed: &Observed) -> Done {
    let report = execute(&plan, means, project, observed).await;
    Done { plan, report }
}

/// Answers questions about lost data. It may take its time: signals are heard meanwhile.
pub type Agree<'a> = dyn FnMut(&Question) -> LocalBoxFuture<'static, bool> + 'a;

/// Nobody is asked, and no data is lost.
pub fn agree_to_nothing(_: &Question) -> LocalBoxFuture<'static, bool> {
    std::future::ready(false).boxed_local()
}

/// The snapshot and the plan that a command shows or executes.
#[derive(Debug, Default)]
pub struct Prepared {
    pub observed: Observed,
    pub outcome: Outcome,
}

impl Prepared {
    /// Whether carrying it out writes to the engine, or cannot be done: then it is prepared again
    /// once nobody else changes the project.
    pub fn wants_change(&self) -> bool {
        let outcome = &self.outcome;
        outcome.plan.changes_anything()
            || !outcome.unsettled.is_empty()
            || !outcome.obstacles.is_empty()
    }
}

/// Observes and plans, without a write. `agree` answers questions about lost data.
pub async fn prepare(
    engine: &dyn Engine,
    project: &Project,
    options: &mut Options,
    agree: &mut Agree<'_>,
) -> Result<Prepared, EngineError> {
    let scope = Scope {
        networks: true,
        volumes: true,
        images: true,
    };
    let observed = observe(engine, project, scope).await?;
    Ok(plan(project, observed, options, agree).await)
}

/// Plans over a snapshot. `agree` answers questions about lost data.
pub async fn plan(
    project: &Project,
    observed: Observed,
    options: &mut Options,
    agree: &mut Agree<'_>,
) -> Prepared {
    let mut outcome = reconcile::reconcile(project, &observed, options);
    let mut agreed = Vec::new();
    for question in &outcome.questions {
        if agree(question).await {
            agreed.push(question.volume.clone());
        }
    }
    if !agreed.is_empty() {
        options.recreate_volumes.extend(agreed);
        outcome = reconcile::reconcile(project, &observed, options);
    }
    outcome.plan.unchanged = unchanged(project, &observed, &outcome.plan);
    Prepared { observed, outcome }
}

/// Looks at containers that carry no record of ours (another program made them), and names what
/// differs as far as an inspect tells it: one request for each.
pub async fn explain_unrecorded(
    engine: &dyn Engine,
    project: &Project,
    prepared: &mut Prepared,
    read: &dyn Fn(&Path) -> std::io::Result<Vec<u8>>,
    show_secrets: bool,
) -> Result<(), EngineError> {
    let shown = Masking {
        known: project.declared_secrets.clone(),
        is_off: show_secrets,
    };
    let plan = &mut prepared.outcome.plan;
    let ids: Vec<StepId> = plan.steps().map(|(id, _)| id).collect();
    for id in ids {
        let step = plan.step(id);
        let Action::CreateContainer {
            service,
            number,
            name,
            replaces: Some(old),
            ..
        } = &step.action
        else {
            continue;
        };
        let Some(service) = project.services.get(service) else {
            continue;
        };
        if step.cause != UNRECORDED {
            continue;
        }
        let resolved = Resolved {
            number: Some(*number),
            containers: containers_by_service(&prepared.observed),
            read: Some(read),
            ..Resolved::default()
        };
        let labels = service.labels.clone();
        let Ok(request) = container_request(project, service, name, labels, &resolved) else {
            continue;
        };
        let present = engine.inspect_container(old).await?;
        let changes = differences_to(&request.body, &present.raw, &service.spec, &shown);
        let step = plan.step_mut(id);
        step.cause = "its configuration changed (made by another program: compared with what the \
                      engine tells of it)"
            .to_owned();
        step.changes = changes;
    }
    Ok(())
}

fn containers_by_service(observed: &Observed) -> BTreeMap<String, Vec<ContainerRef>> {
    let rows = observed.services.iter().map(|(service, replicas)| {
        let list = replicas.iter().map(|c| ContainerRef {
            id: c.id.clone(),
            name: c.final_name().to_owned(),
        });
        (service.clone(), list.collect())
    });
    rows.collect()
}

/// Carries the change out. `None` as the result means that obstacles stand in the way: nothing
/// was done.
pub async fn carry_out(
    means: &Means<'_>,
    project: &Project,
    mut prepared: Prepared,
    options: &mut Options,
    agree: &mut Agree<'_>,
) -> Result<(Prepared, Option<Done>), EngineError> {
    let preflight = Preflight {
        engine: means.engine,
        files: means.files,
        build: &means.build,
    };
    if prepared.outcome.obstacles.is_empty() {
        preflight.check(project, &mut prepared).await?;
    }
    if !prepared.outcome.obstacles.is_empty() {
        return Ok((prepared, None));
    }
    if !prepared.outcome.unsettled.is_empty() {
        let (images, services) = image_changes_possible(project, &prepared.observed, options);
        let done = run(means, images, project, &prepared.observed).await;
        if !done.report.is_success() {
            return Ok((prepared, Some(done)));
        }
        options.images_settled.extend(services);
        let mut observed = prepared.observed;
        observed.images = local_images(means.engine, project).await?;
        prepared = plan(project, observed, options, agree).await;
        preflight.check(project, &mut prepared).await?;
        if !prepared.outcome.obstacles.is_empty() {
            return Ok((prepared, None));
        }
    }
    let plan = std::mem::take(&mut prepared.outcome.plan);
    let is_change = plan.changes_anything();
    let mut done = run(means, plan, project, &prepared.observed).await;
    if is_change
        && done.report.is_success()
        && let Some(cleared) = clear_late(means, project, &prepared.observed, options).await?
    {
        done = cleared;
    }
    Ok((prepared, Some(done)))
}

/// Where an earlier run was cut short in a recreation, the engine may have made a successor for it
/// only after we looked: it goes. Gives what became of that where it did not go.
async fn clear_late(
    means: &Means<'_>,
    project: &Project,
    before: &Observed,
    options: &Options,
) -> Result<Option<Done>, EngineError> {
    // Others may be in somebody else's hands: a change that was not about them has no lock.
    let is_successor =
        |c: &ObservedContainer| c.has_temporary_name() && project.services.contains_key(&c.service);
    if !before.replicas().any(is_successor) {
        return Ok(None);
    }
    let now = observe(means.engine, project, Scope::CONTAINERS).await?;
    let late = now.replicas().filter(|c| {
        let mut others = now.replicas_of(&c.service).iter();
        is_successor(c)
            && c.state == ContainerState::Created
            && others.any(|other| other.number == c.number && !is_successor(other))
    });
    let plan = lifecycle::remove(late, true, !options.renew_anonymous_volumes);
    if plan.is_empty() {
        return Ok(None);
    }
    let done = run(means, plan, project, &now).await;
    Ok((!done.report.is_success()).then_some(done))
}
