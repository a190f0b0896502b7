//! What a command works on: the project as loaded, or as the labels on the engine tell it.

mod broken;

use crate::context::Context;
use crate::diagnostic::Diagnostic;
use crate::engine::{Engine, EngineError};
use crate::error::CliError;
use crate::execute::Failure;
use crate::load::{LoadOptions, Sources, Together};
use crate::observe::{Observed, Scope, containers_of, observe, project_from_labels};
use crate::output;
use crate::plan::{Plan, Step};
use crate::project::{Dependencies, Project};
use crate::reconcile::Obstacle;
use crate::scale;
use crate::tree::{Node, Span};
use std::collections::BTreeSet;

/// A project and the texts it came from.
#[derive(Clone)]
pub struct Desired {
    pub project: Project,
    pub sources: Sources,
    /// No file was read: the project is what its labels tell.
    pub from_labels: bool,
}

/// Loads the project files to bring up services; every finding is shown. `services` are those
/// named on the command line; warnings are about them, and with `dependencies` about what they
/// depend on.
pub fn load_files(
    ctx: &Context,
    services: &[String],
    dependencies: Dependencies,
) -> Result<Desired, CliError> {
    let options = LoadOptions {
        together: match dependencies {
            Dependencies::Include => Together::Selected,
            Dependencies::Ignore => Together::Named,
        },
        ..ctx.load_options(services)
    };
    let (project, sources) = ctx.load_linted(&options, dependencies)?;
    Ok(Desired {
        project,
        sources,
        from_labels: false,
    })
}

/// The project with a snapshot of its containers, and as far as `scope` asks for them networks
/// and volumes.
pub async fn observe_existing(
    ctx: &Context,
    engine: &dyn Engine,
    services: &[String],
    scope: Scope,
) -> Result<(Desired, Observed), CliError> {
    let target = ctx.target(services)?;
    if let Some(project) = target.project {
        let observed = observe(engine, &project, scope).await?;
        let desired = Desired {
            project,
            sources: target.sources,
            from_labels: false,
        };
        return Ok((desired, observed));
    }
    let observed = observe_labelled(engine, &target.name, scope).await?;
    let project = project_from_labels(&target.name, &observed);
    let desired = Desired {
        project,
        sources: Sources::default(),
        from_labels: true,
    };
    Ok((desired, observed))
}

/// The snapshot of a project of which no file tells.
async fn observe_labelled(
    engine: &dyn Engine,
    name: &str,
    scope: Scope,
) -> Result<Observed, EngineError> {
    let mut observed = Observed::from_containers(containers_of(engine, name, true).await?);
    if scope.networks {
        observed.networks = engine.list_networks().await?;
    }
    if scope.volumes {
        observed.volumes = engine.list_volumes(Vec::new()).await?;
    }
    Ok(observed)
}

impl Desired {
    /// Another snapshot; where labels tell the project, it is what they tell now.
    pub async fn observe_again(
        &mut self,
        engine: &dyn Engine,
        scope: Scope,
    ) -> Result<Observed, EngineError> {
        if !self.from_labels {
            return observe(engine, &self.project, scope).await;
        }
        let observed = observe_labelled(engine, &self.project.name, scope).await?;
        self.project = project_from_labels(&self.project.name, &observed);
        Ok(observed)
    }

    /// The services that arguments name: all of them where none are named. Labels cannot tell a
    /// misspelt name from a service without containers, so there an unknown name is nobody.
    pub fn named(&self, services: &[String]) -> Result<BTreeSet<String>, CliError> {
        if self.from_labels {
            let known = services
                .iter()
                .filter(|name| self.project.services.contains_key(*name));
            return Ok(known.cloned().collect());
        }
        Ok(self.project.resolve_names(services)?)
    }

    /// The same, where `None` says that the arguments name nobody; then there is nothing to do.
    pub fn meant(&self, services: &[String]) -> Result<Option<BTreeSet<String>>, CliError> {
        let named = self.named(services)?;
        Ok(Some(named).filter(|named| services.is_empty() || !named.is_empty()))
    }

    /// Narrows the project to the named services and, where asked, what they depend on.
    pub fn select(
        &mut self,
        ctx: &Context,
        services: &[String],
        dependencies: Dependencies,
    ) -> Result<(), CliError> {
        self.project.select(services, dependencies)?;
        if !services.is_empty() && !ctx.globals.all_resources {
            self.project.drop_unused_resources();
        }
        Ok(())
    }

    /// Overrides replica counts by `--scale SERVICE=NUM`.
    ///
    /// # Errors
    /// Where a wish is none, names no service of the project, or asks for too many replicas.
    pub fn scale(&mut self, wishes: &[String], limit: scale::Limit) -> Result<(), CliError> {
        for wish in wishes {
            let wrong = || {
                CliError::new(format!(
                    "invalid --scale option {wish:?}. Should be SERVICE=NUM"
                ))
            };
            let (name, number) = wish.split_once('=').ok_or_else(wrong)?;
            let number: u32 = number.parse().map_err(|_| wrong())?;
            let Some(service) = self.project.services.get_mut(name) else {
                return Err(CliError::new(format!("no such service: {name}: not found")));
            };
            if let Some(message) = limit.exceeded(number) {
                return Err(CliError::new(format!("{wish}: {message}")).hint(limit.help()));
            }
            service.scale = Some(number);
        }
        Ok(())
    }

    /// `file:line:column` of a place.
    pub fn place(&self, span: Span) -> Option<String> {
        self.sources.position(span).map(|p| p.to_string())
    }

    /// The place in the files that a path like `services.web.ports[0]` stands for; of what is not
    /// there, the nearest around it.
    fn span_of(&self, path: &str) -> Option<Span> {
        if self.from_labels {
            return None;
        }
        let mut parts = path.splitn(3, '.');
        let (section, name, rest) = (parts.next()?, parts.next()?, parts.next());
        let project = &self.project;
        let (spec, span) = match section {
            "services" => project.services.get(name).map(|s| (&s.spec, s.span))?,
            "networks" => project.networks.get(name).map(|n| (&n.spec, n.span))?,
            "volumes" => project.volumes.get(name).map(|v| (&v.spec, v.span))?,
            "secrets" | "configs" => {
                let objects = project.spec.get(section)?.as_map()?;
                objects.entry(name).map(|o| (&o.node, o.key))?
            }
            _ => return None,
        };
        let Some(rest) = rest else {
            return Some(span);
        };
        match deepest(spec, rest) {
            node if std::ptr::eq(node, spec) => Some(span),
            node => Some(node.span),
        }
    }

    /// Obstacles as findings of the files: what a command that cannot go on ends with.
    pub fn obstacles(&self, ctx: &Context, obstacles: &[Obstacle]) -> CliError {
        let findings: Vec<Diagnostic> = obstacles
            .iter()
            .map(|o| self.finding(o.code, &o.path, o.message.clone(), o.help.clone()))
            .collect();
        CliError::new(output::render_findings(
            &ctx.style,
            &findings,
            &self.sources,
        ))
    }

    /// What failed, and what was not tried because of it: what a command ends with, after the
    /// last of its progress has been drawn.
    pub fn failures(&self, ctx: &Context, done: &crate::change::Done) -> CliError {
        if let Some(error) = broken::error(done) {
            return error;
        }
        let failures = &done.report.failures;
        let findings: Vec<Diagnostic> = failures
            .iter()
            .map(|failure| {
                let path = failure.path.clone().unwrap_or_default();
                let message = sentence(&done.plan, failure);
                self.finding("step-failed", &path, message, failure.help.clone())
            })
            .collect();
        let mut text = output::render_findings(&ctx.style, &findings, &self.sources);
        let named = |names: Vec<&str>| names.join(", ");
        let failed: BTreeSet<&str> = failures
            .iter()
            .filter_map(|f| f.service.as_deref())
            .collect();
        let changed = done.report.changed_services(&done.plan);
        if !changed.is_empty() {
            let changed = changed.iter().map(String::as_str).collect();
            text.push_str(&format!("\nchanged: {}", named(changed)));
        }
        if !failed.is_empty() {
            text.push_str(&format!(
                "\nfailed: {}",
                named(failed.into_iter().collect())
            ));
        }
        for (service, because) in done.report.skipped_services(&done.plan) {
            if !failures
                .iter()
                .any(|f| f.service.as_deref() == Some(service.as_str()))
            {
                text.push_str(&format!(
                    "\nservice {service} was not brought up because of {}",
                    because.in_sentence()
                ));
            }
        }
        CliError::new(text)
    }

    fn finding(
        &self,
        code: &'static str,
        path: &str,
        message: String,
        help: Option<String>,
    ) -> Diagnostic {
        let mut finding = Diagnostic::error(code, path, message);
        finding.span = self.span_of(path);
        finding.help = help;
        finding
    }
}

/// `container shop-web-1: start: host port 80 is taken`.
fn sentence(plan: &Plan, failure: &Failure) -> String {
    let step: &Step = plan.step(failure.step);
    format!(
        "{}: {}: {}",
        step.action.resource().in_sentence(),
        failure.during,
        failure.message
    )
}

/// Follows `a.b[1].c` as far as it goes.
fn deepest<'a>(root: &'a Node, path: &str) -> &'a Node {
    let mut node = root;
    for part in path.split('.') {
        let (key, index) = match part.split_once('[') {
            Some((key, index)) => (key, index.trim_end_matches(']').parse::<usize>().ok()),
            None => (part, None),
        };
        let Some(next) = node.get(key) else { break };
        node = next;
        if let Some(item) = index.and_then(|i| node.as_seq()?.get(i)) {
            node = item;
        }
    }
    node
}
