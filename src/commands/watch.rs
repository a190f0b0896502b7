//! `watch`: bring the project up, and then into its containers what changes here.

use super::changing::{Changing, bring_about};
use super::desired::{Desired, load_files};
use super::foreign::Adoption;
use super::session::{Existing, Session};
use crate::context::Context;
use crate::engine::Engine;
use crate::error::CliError;
use crate::event::Reporter;
use crate::image::build::BuildError;
use crate::image::policy::BuildChoice;
use crate::interrupt::Interrupts;
use crate::observe::{Observed, Scope};
use crate::project::{Dependencies, Project};
use crate::reconcile::{Options, Recreate, lifecycle};
use crate::watch::alone::Alone;
use crate::watch::{Actions, Watch, WatchError};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct WatchArgs {
    /// Services to watch, with their dependencies (default: all)
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// Do not start the services first
    #[arg(long)]
    no_up: bool,
    /// Remove images that a rebuild has replaced
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set)]
    prune: bool,
    /// Hide build output
    #[arg(long)]
    quiet: bool,
}

pub async fn run(ctx: &Context, args: WatchArgs) -> Result<ExitCode, CliError> {
    let mut desired = load_files(ctx, &args.services, Dependencies::Include)?;
    desired.select(ctx, &args.services, Dependencies::Include)?;
    let engine = ctx.engine()?;
    let project = desired.project.clone();
    let (watch, warnings) =
        Watch::begin(&*engine, &project, true).map_err(|e| refused(ctx, &desired, e))?;
    for warning in warnings {
        ctx.reporter.warning(warning);
    }
    if ctx.globals.dry_run {
        ctx.reporter
            .done("Watch", "Skipped (dry run: it would watch)");
        return Ok(ExitCode::SUCCESS);
    }
    let _alone = alone(ctx, &project)?;
    let changing = Changing::quiet(args.quiet);
    if !args.no_up {
        let mut desired = desired.clone();
        for service in desired.project.services.values_mut() {
            if service.build.is_some() && service.develop.is_some() {
                service.pull_policy = Some("build".to_owned());
            }
        }
        let options = Options {
            named: desired.project.resolve_names(&args.services)?,
            recreate_dependencies: Recreate::Never,
            start: true,
            ..changing.options(ctx)?
        };
        bring_about(ctx, desired, options, &changing, None).await?;
    }
    let mut actions = Doing {
        ctx,
        desired: &desired,
        changing: &changing,
        reporter: ctx.reporter.clone(),
        prunes: args.prune,
        marks: false,
        between: &|_| {},
    };
    let stages = ctx.interrupts.in_stages();
    let result = watch.run(&mut actions, &ctx.interrupts).await;
    drop(stages);
    result.map_err(|e| refused(ctx, &desired, e))?;
    match ctx.interrupts.cause() {
        Some(cause) => Err(CliError::interrupted(cause)),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// Watching beside the logs of a foreground `up`.
pub struct Watching<'a> {
    ctx: &'a Context,
    desired: &'a Desired,
    changing: Changing,
    watch: Watch<'a>,
    _alone: Alone,
}

impl<'a> Watching<'a> {
    /// Begins to note changes.
    ///
    /// # Errors
    /// Where nothing is to be watched, or another one watches the project.
    pub fn begin(
        ctx: &'a Context,
        engine: &'a dyn Engine,
        desired: &'a Desired,
        changing: &Changing,
    ) -> Result<Self, CliError> {
        let may_build = changing.build() != BuildChoice::Never;
        let (watch, warnings) = Watch::begin(engine, &desired.project, may_build)
            .map_err(|e| refused(ctx, desired, e))?;
        for warning in warnings {
            ctx.reporter.warning(warning);
        }
        Ok(Watching {
            ctx,
            desired,
            changing: Changing::quiet(changing.quiet_build),
            watch,
            _alone: alone(ctx, &desired.project)?,
        })
    }

    /// Watches until `off` asks to stop, or the system tells of no more changes. `between` hears
    /// that containers will be exchanged, and that this is over.
    pub async fn run(self, between: &dyn Fn(bool), off: Interrupts) {
        let _stages = off.in_stages();
        let mut actions = Doing {
            ctx: self.ctx,
            desired: self.desired,
            changing: &self.changing,
            reporter: self.ctx.reporter.clone(),
            prunes: false,
            marks: true,
            between,
        };
        if let Err(error) = self.watch.run(&mut actions, &off).await {
            actions.warn(&format!("Watch disabled with errors: {error}"));
        }
    }
}

/// Takes the project for this one watcher of this machine.
///
/// # Errors
/// Where another one has it.
pub fn alone(ctx: &Context, project: &Project) -> Result<Alone, CliError> {
    let home = || Some(PathBuf::from(ctx.variable("HOME")?).join(".docker/docker-compose"));
    let directory = ctx
        .variable("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .or_else(home);
    let directory = directory.ok_or_else(|| {
        CliError::new(format!(
            "cannot take exclusive lock for project {:?}: neither XDG_RUNTIME_DIR nor HOME is set",
            project.name
        ))
    })?;
    Ok(Alone::take(&directory, &project.name)?)
}

/// Why nothing is watched, with the place where it is one in the files.
pub fn refused(ctx: &Context, desired: &Desired, error: WatchError) -> CliError {
    match error {
        WatchError::Ignored(BuildError::Refused(finding)) => ctx.refuse(*finding, &desired.sources),
        other => other.into(),
    }
}

impl From<WatchError> for CliError {
    fn from(error: WatchError) -> Self {
        match error {
            WatchError::Engine(error) => error.into(),
            WatchError::Ignored(error) => error.into(),
            other => CliError::new(other.to_string()),
        }
    }
}

/// What a change of files asks for, done as the commands do it.
pub struct Doing<'a> {
    pub ctx: &'a Context,
    pub desired: &'a Desired,
    pub changing: &'a Changing,
    pub reporter: Reporter,
    /// Images that a rebuild has replaced are removed.
    pub prunes: bool,
    /// Lines have a mark before them, since other lines stand beside.
    pub marks: bool,
    /// Hears that containers will be exchanged, and that this is over.
    pub between: &'a dyn Fn(bool),
}

impl Doing<'_> {
    /// Does work that exchanges containers.
    async fn exchange(
        &self,
        work: impl Future<Output = Result<ExitCode, CliError>>,
    ) -> Result<(), String> {
        (self.between)(true);
        let done = work.await;
        (self.between)(false);
        match done {
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn rebuilt(&self, services: &BTreeSet<String>) -> Result<ExitCode, CliError> {
        let mut desired = self.desired.clone();
        for name in services {
            if let Some(service) = desired.project.services.get_mut(name) {
                service.pull_policy = Some("build".to_owned());
            }
        }
        let options = Options {
            named: services.clone(),
            recreate: Recreate::Force,
            recreate_dependencies: Recreate::Never,
            start: true,
            ignore_orphans: true,
            ..self.changing.options(self.ctx)?
        };
        bring_about(self.ctx, desired, options, self.changing, None).await
    }

    /// Removes images of this project without a name; one in use stays.
    async fn prune(&self) -> Result<(), CliError> {
        let engine = self.ctx.engine()?;
        for image in engine.list_images(Vec::new()).await? {
            let project = image.labels.get(crate::labels::PROJECT);
            let has_name = image.tags.iter().any(|tag| tag != "<none>:<none>");
            if project == Some(&self.desired.project.name) && !has_name {
                // It may be in use elsewhere.
                let _ = engine.remove_image(&image.id).await;
            }
        }
        Ok(())
    }

    async fn restarted(&self, services: &BTreeSet<String>) -> Result<ExitCode, CliError> {
        let plan = |desired: &mut Desired, observed: &Observed| {
            let project = &desired.project;
            Ok(lifecycle::restart(project, observed, services, true, None, false).into())
        };
        let (desired, scope) = (self.desired.clone(), Scope::CONTAINERS);
        let session = Session::over(self.ctx, desired, scope, Adoption::default());
        session?.run(Existing::new(plan)).await
    }
}

impl Actions for Doing<'_> {
    async fn rebuild(&mut self, services: &BTreeSet<String>) -> Result<(), String> {
        self.exchange(self.rebuilt(services)).await?;
        if self.prunes {
            self.prune().await.map_err(|error| error.to_string())?;
        }
        let names: Vec<String> = services.iter().map(|name| format!("{name:?}")).collect();
        self.say(&format!(
            "service(s) [{}] successfully built",
            names.join(" ")
        ));
        Ok(())
    }

    async fn restart(&mut self, services: &BTreeSet<String>) -> Result<(), String> {
        self.exchange(self.restarted(services)).await
    }

    fn say(&self, line: &str) {
        let mark = if self.marks { " ⦿ " } else { "" };
        self.reporter.build_output(format!("{mark}{line}\n"));
    }

    fn warn(&self, line: &str) {
        self.reporter.warning(line);
    }

    fn output(&self, text: &str) {
        self.reporter.build_output(text);
    }
}
