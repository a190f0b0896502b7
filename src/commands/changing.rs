//! The flags and the course that `up` and `create` (and `plan`, without the writes) share.

use super::desired::Desired;
use super::foreign::Adoption;
use super::locked::locked;
use super::trust;
use crate::change::{
    Agree, Done, Preflight, Prepared, agree_to_nothing, carry_out, explain_unrecorded, prepare,
    prepare_again,
};
use crate::context::Context;
use crate::engine::{Engine, EngineError};
use crate::error::CliError;
use crate::execute::{DEFAULT_LIMIT, Means, Report};
use crate::image::build::BuildOptions;
use crate::image::policy::{BuildChoice, PullChoice};
use crate::interrupt::Stage;
use crate::load::Files;
use crate::load::disk::DiskFiles;
use crate::output;
use crate::plan::render_text;
use crate::project::Project;
use crate::reconcile::{Options, Question, Recreate};
use crate::terminal;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

/// Flags on how a change is made.
#[derive(Debug, Default, clap::Args)]
pub struct Changing {
    /// Build images before starting
    #[arg(long, conflicts_with = "no_build")]
    build: bool,
    /// Never build, even where an image is missing
    #[arg(long)]
    no_build: bool,
    /// Recreate containers even where nothing changed
    #[arg(long, conflicts_with = "no_recreate")]
    force_recreate: bool,
    /// Leave containers that are there as they are
    #[arg(long)]
    no_recreate: bool,
    /// When to pull: always, missing, never, build or if_not_present
    #[arg(long, value_name = "WHEN")]
    pull: Option<String>,
    /// Pull without showing layers
    #[arg(long)]
    pub(super) quiet_pull: bool,
    #[arg(skip)]
    pub(super) quiet_build: bool,
    /// Remove containers of services that the project does not have
    #[arg(long)]
    remove_orphans: bool,
    #[command(flatten)]
    pub(super) adoption: Adoption,
    /// Number of replicas: SERVICE=NUM (repeatable)
    #[arg(long, value_name = "SERVICE=NUM")]
    scale: Vec<String>,
    /// Answer every question with yes
    #[arg(short, long, alias = "y")]
    pub(super) yes: bool,
    /// Show the secrets in the plan, in place of digests
    #[arg(long)]
    pub(super) show_secrets: bool,
}

impl Changing {
    /// Nothing is said but this.
    pub fn adopting(adoption: Adoption) -> Self {
        Changing {
            adoption,
            ..Changing::default()
        }
    }

    /// The same, with or without the output of pulls and builds.
    pub fn quiet(is_quiet: bool) -> Self {
        Changing {
            quiet_pull: is_quiet,
            quiet_build: is_quiet,
            ..Changing::default()
        }
    }

    /// How questions about lost data are answered: `-y` agrees to all, and a signal to none.
    /// Each is asked once.
    pub fn agree(
        &self,
        ctx: &Context,
    ) -> impl FnMut(&Question) -> LocalBoxFuture<'static, bool> + use<> {
        let yes = self.yes;
        let interrupts = ctx.interrupts.clone();
        let answers: Rc<RefCell<BTreeMap<String, bool>>> = Rc::default();
        move |question: &Question| {
            let (text, interrupts) = (question.text.clone(), interrupts.clone());
            let answers = answers.clone();
            let ask = async move {
                let known = answers.borrow().get(&text).copied();
                if let Some(answer) = known.or(yes.then_some(true)) {
                    return answer;
                }
                let answer = tokio::select! {
                    answer = terminal::confirm(&text) => answer,
                    () = interrupts.reached(Stage::Stopping) => match interrupts.stage() {
                        // The program ends; nothing is to go on with any answer.
                        Stage::Leaving => std::future::pending().await,
                        _ => false,
                    },
                };
                answers.borrow_mut().insert(text, answer);
                answer
            };
            ask.boxed_local()
        }
    }

    /// Nothing shows a secret while a change is made.
    pub fn check(&self, ctx: &Context) -> Result<(), CliError> {
        match self.show_secrets && !ctx.globals.dry_run {
            true => Err(CliError::new("--show-secrets needs --dry-run")
                .hint("it is about the plan that --dry-run shows")),
            false => Ok(()),
        }
    }

    pub fn scale(&self, ctx: &Context, desired: &mut Desired) -> Result<(), CliError> {
        desired.scale(&self.scale, ctx.replica_limit()?)
    }

    pub fn recreate(&self) -> Recreate {
        match (self.force_recreate, self.no_recreate) {
            (true, _) => Recreate::Force,
            (_, true) => Recreate::Never,
            _ => Recreate::Diverged,
        }
    }

    pub fn build(&self) -> BuildChoice {
        match (self.build, self.no_build) {
            (true, _) => BuildChoice::Always,
            (_, true) => BuildChoice::Never,
            _ => BuildChoice::IfMissing,
        }
    }

    /// The means of execution with what these flags say of its output.
    pub async fn means<'a>(
        &self,
        ctx: &'a Context,
        engine: &'a dyn Engine,
        project: &Project,
    ) -> Means<'a> {
        let mut means = means(ctx, engine, project).await;
        means.quiet_pull = self.quiet_pull;
        means.build.quiet = self.quiet_build;
        means
    }

    /// The options where `-V` and `--always-recreate-deps` may be given, too: fresh volumes mean
    /// fresh containers.
    pub fn options_with(
        &self,
        ctx: &Context,
        renew_anonymous_volumes: bool,
        always_recreate_deps: bool,
    ) -> Result<Options, CliError> {
        Ok(Options {
            recreate: match renew_anonymous_volumes {
                true => Recreate::Force,
                false => self.recreate(),
            },
            recreate_dependencies: match (always_recreate_deps, self.recreate()) {
                (true, _) => Recreate::Force,
                (false, Recreate::Never) => Recreate::Never,
                _ => Recreate::Diverged,
            },
            renew_anonymous_volumes,
            ..self.options(ctx)?
        })
    }

    /// The part of the options that these flags and the environment give.
    pub fn options(&self, ctx: &Context) -> Result<Options, CliError> {
        let ignore_orphans = ctx.is_set("COMPOSE_IGNORE_ORPHANS");
        if ignore_orphans && self.remove_orphans {
            return Err(CliError::new(
                "cannot combine COMPOSE_IGNORE_ORPHANS and --remove-orphans",
            ));
        }
        Ok(Options {
            remove_orphans: self.remove_orphans || ctx.is_set("COMPOSE_REMOVE_ORPHANS"),
            ignore_orphans,
            adopt: self.adoption.adopt,
            pull: self.pull.as_deref().map(pull_choice).transpose()?,
            build: self.build(),
            recreate: self.recreate(),
            replicas: ctx.replica_limit()?,
            show_secrets: self.show_secrets,
            ..Options::default()
        })
    }
}

fn pull_choice(word: &str) -> Result<PullChoice, CliError> {
    Ok(match word {
        "always" => PullChoice::Always,
        "missing" | "if_not_present" => PullChoice::Missing,
        "never" => PullChoice::Never,
        "build" => PullChoice::Build,
        other => {
            return Err(CliError::new(format!("invalid --pull option {other:?}"))
                .hint("it is one of always, missing, never, build, if_not_present"));
        }
    })
}

/// Most engine calls at a time: `--parallel`, where it says a number.
fn limit(ctx: &Context) -> usize {
    ctx.globals
        .parallel
        .and_then(|n| usize::try_from(n).ok())
        .filter(|n| *n > 0)
        .unwrap_or(DEFAULT_LIMIT)
}

/// Completes a plan that is shown: what carrying it out would stop at, and the differences of
/// containers that another program made.
pub async fn explain(
    ctx: &Context,
    engine: &dyn Engine,
    project: &Project,
    prepared: &mut Prepared,
    show_secrets: bool,
) -> Result<(), EngineError> {
    let preflight = Preflight {
        engine,
        files: &DiskFiles,
        build: &for_running(ctx),
    };
    preflight.check(project, prepared).await?;
    let read = |path: &Path| DiskFiles.read(&project.working_dir.join(path));
    explain_unrecorded(engine, project, prepared, &read, show_secrets).await?;
    prepared.outcome.plan.shows_secrets = show_secrets;
    Ok(())
}

/// How images are built that are to be run.
fn for_running(ctx: &Context) -> BuildOptions {
    BuildOptions {
        for_running: true,
        ..ctx.build_options()
    }
}

/// What a change is carried out with.
pub async fn means<'a>(ctx: &'a Context, engine: &'a dyn Engine, project: &Project) -> Means<'a> {
    let uses_socket = project.services.values().any(|s| s.use_api_socket);
    let docker_config = match ctx.keyring().filter(|_| uses_socket) {
        Some(keyring) => Some(keyring.rendered().await),
        None => None,
    };
    let build = for_running(ctx);
    Means {
        engine,
        reporter: &ctx.reporter,
        files: &DiskFiles,
        proxy_environment: build.proxy_environment.clone(),
        docker_config,
        limit: limit(ctx),
        quiet_pull: false,
        wait_limit: None,
        build,
        interrupts: ctx.interrupts.clone(),
        lock: None,
    }
}

/// What a command leaves with when its plan was executed, or interrupted.
pub fn conclude(ctx: &Context, desired: &Desired, done: &Done) -> Result<ExitCode, CliError> {
    let report = &done.report;
    if let Some(error) = lost(ctx, &desired.project.name, report) {
        return Err(error);
    }
    let Some(cause) = ctx
        .interrupts
        .cause()
        .filter(|_| !report.given_up.is_empty() || report.is_left())
    else {
        return match report.is_success() {
            true => Ok(ExitCode::SUCCESS),
            false => Err(desired.failures(ctx, done)),
        };
    };
    let mut text = "interrupted".to_owned();
    let words = ["services done", "still waited for", "not or not completely"];
    for (word, names) in words.iter().zip(report.interrupted_services(&done.plan)) {
        if !names.is_empty() {
            let names: Vec<String> = names.into_iter().collect();
            text.push_str(&format!("; {word}: {}", names.join(", ")));
        }
    }
    if !report.failures.is_empty() {
        text = format!("{}\n{text}", desired.failures(ctx, done));
    }
    Err(CliError::interrupted(cause)
        .say(text)
        .hint("the same command goes on from here"))
}

/// The error of a change that ended because the project is somebody else's now, or may be: where the
/// engine is silent, nobody can know.
pub fn lost(ctx: &Context, project: &str, report: &Report) -> Option<CliError> {
    let why = report.lost.as_ref()?;
    let text =
        format!("this command lost the lock of project {project}: {why}; it stopped where it was");
    let error = match ctx.interrupts.cause().filter(|_| report.is_left()) {
        Some(cause) => {
            let mut lines: Vec<&str> = report.unanswered().collect();
            lines.push(&text);
            CliError::interrupted(cause).say(lines.join("\n"))
        }
        None => CliError::new(text),
    };
    Some(error.hint("run the same command again to continue"))
}

/// Observes, plans, asks and executes; with `--dry-run` it shows the plan instead.
pub async fn bring_about(
    ctx: &Context,
    desired: Desired,
    mut options: Options,
    changing: &Changing,
    wait_limit: Option<Duration>,
) -> Result<ExitCode, CliError> {
    let engine = ctx.engine()?;
    let mut agree = changing.agree(ctx);
    let adoption = changing.adoption;
    let project = &desired.project;
    if ctx.globals.dry_run {
        let mut prepared = prepare(&*engine, project, &mut options, &mut agree_to_nothing).await?;
        adoption.check(&desired, &prepared.observed)?;
        explain(ctx, &*engine, project, &mut prepared, changing.show_secrets).await?;
        if !prepared.outcome.obstacles.is_empty() {
            return Err(desired.obstacles(ctx, &prepared.outcome.obstacles));
        }
        let text = render_text(&prepared.outcome.plan, &project.name, &|s| desired.place(s));
        output::write(&text)?;
        return Ok(ExitCode::SUCCESS);
    }
    let prepared = prepare(&*engine, project, &mut options, &mut agree).await?;
    adoption.check(&desired, &prepared.observed)?;
    if !prepared.wants_change() {
        adoption.warn(ctx, &desired, &prepared.observed);
        let _stages = ctx.interrupts.in_stages();
        let means = Means {
            wait_limit,
            ..changing.means(ctx, &*engine, project).await
        };
        let work = execute(ctx, &desired, &means, prepared, &mut options, &mut agree);
        return work.await;
    }
    trust::programs(ctx, project, &prepared.outcome.plan, changing.yes).await?;
    locked(ctx, &*engine, &project.name, async |lock| {
        let (options, agree) = (&mut options, &mut agree);
        let prepared = prepare_again(prepared, &*engine, project, options, agree).await?;
        adoption.check(&desired, &prepared.observed)?;
        adoption.warn(ctx, &desired, &prepared.observed);
        let means = Means {
            wait_limit,
            lock: Some(lock),
            ..changing.means(ctx, &*engine, project).await
        };
        execute(ctx, &desired, &means, prepared, options, agree).await
    })
    .await
}

async fn execute(
    ctx: &Context,
    desired: &Desired,
    means: &Means<'_>,
    prepared: Prepared,
    options: &mut Options,
    agree: &mut Agree<'_>,
) -> Result<ExitCode, CliError> {
    for warning in &prepared.outcome.warnings {
        ctx.reporter.warning(warning.clone());
    }
    let work = carry_out(means, &desired.project, prepared, options, agree);
    let (prepared, done) = work.await?;
    match done {
        None => Err(desired.obstacles(ctx, &prepared.outcome.obstacles)),
        Some(done) => conclude(ctx, desired, &done),
    }
}
