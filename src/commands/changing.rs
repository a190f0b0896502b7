//! The flags that `up` and `create` (and `plan`, without the writes) share.

use super::desired::Desired;
use super::foreign::Adoption;
use super::session::{Manner, Session, ToProject};
use crate::change::agree_to_nothing;
use crate::context::Context;
use crate::error::CliError;
use crate::image::policy::{BuildChoice, PullChoice};
use crate::interrupt::Stage;
use crate::observe::Scope;
use crate::reconcile::{Options, Question, Recreate};
use crate::terminal;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

/// Flags on how a change is made.
#[derive(Debug, Default, clap::Args)]
pub struct Changing {
    /// Build images before starting
    #[arg(long, conflicts_with = "no_build")]
    build: bool,
    /// Never build, even if an image is missing
    #[arg(long)]
    no_build: bool,
    /// Recreate containers even if nothing changed
    #[arg(long, conflicts_with = "no_recreate")]
    force_recreate: bool,
    /// Do not recreate existing containers
    #[arg(long)]
    no_recreate: bool,
    /// When to pull: always, missing, never, build or if_not_present
    #[arg(long, value_name = "WHEN")]
    pull: Option<String>,
    /// Hide per-layer progress
    #[arg(long)]
    pub(super) quiet_pull: bool,
    #[arg(skip)]
    pub(super) quiet_build: bool,
    /// Remove containers of services that the project does not declare
    #[arg(long)]
    remove_orphans: bool,
    #[command(flatten)]
    pub(super) adoption: Adoption,
    /// Set the number of replicas: SERVICE=NUM (repeatable)
    #[arg(long, value_name = "SERVICE=NUM")]
    scale: Vec<String>,
    /// Answer yes to every question
    #[arg(short, long, alias = "y")]
    pub(super) yes: bool,
    /// Show secrets instead of their digests in the plan
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

    /// What `run` says of them.
    pub fn of_run(
        adoption: Adoption,
        build: bool,
        pull: Option<String>,
        [quiet_pull, quiet_build]: [bool; 2],
        remove_orphans: bool,
    ) -> Self {
        Changing {
            adoption,
            build,
            pull,
            quiet_pull,
            quiet_build,
            remove_orphans,
            ..Changing::default()
        }
    }

    /// A session that brings the project about, or less.
    ///
    /// # Errors
    /// If no engine can be talked to.
    pub fn session<'c>(&self, ctx: &'c Context, desired: Desired) -> Result<Session<'c>, CliError> {
        let all = Scope {
            networks: true,
            volumes: true,
            images: true,
        };
        let mut session = Session::over(ctx, desired, all, self.adoption)?;
        session.manner = self.manner();
        Ok(session)
    }

    /// The project is to be as its files ask for it, as these flags say.
    pub fn to_project(&self, ctx: &Context, options: Options) -> ToProject {
        ToProject {
            options,
            agree: match ctx.globals.dry_run {
                true => Box::new(agree_to_nothing),
                false => Box::new(self.agree(ctx)),
            },
            show_secrets: self.show_secrets,
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
    fn agree(
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

    /// How the plan is carried out.
    fn manner(&self) -> Manner {
        Manner {
            yes: self.yes,
            quiet_pull: self.quiet_pull,
            quiet_build: self.quiet_build,
            wait_limit: None,
        }
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

/// Brings the project about as its files ask for it; with `--dry-run` shows the plan instead.
pub async fn bring_about(
    ctx: &Context,
    desired: Desired,
    options: Options,
    changing: &Changing,
    wait_limit: Option<Duration>,
) -> Result<ExitCode, CliError> {
    let mut session = changing.session(ctx, desired)?;
    session.manner.wait_limit = wait_limit;
    session.run(changing.to_project(ctx, options)).await
}
