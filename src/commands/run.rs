//! `run`: a command in a new container of a service, once what that depends on is up.
//!
//! The container is made by a plan, as everything is, under the project's lock. It is started while
//! that is still held, after its streams were attached: so one that nobody has started is nobody's, and
//! the next command clears it away.

mod args;
mod environment;

pub use args::RunArgs;

use super::desired::{Desired, load_files};
use super::session::{Ready, Session, ToProject, conclude, lost, means};
use super::terminal::{Ours, Wish, exit_code, settle};
use super::trust;
use crate::change::{self, Done, agree_to_nothing};
use crate::context::Context;
use crate::engine::AttachRequest;
use crate::error::CliError;
use crate::execute::Means;
use crate::interrupt::{Interrupts, Signal};
use crate::output;
use crate::plan::{Plan, Target};
use crate::project::{Dependencies, Project};
use crate::reconcile::Options;
use crate::run::{Launch, attend, launch};
use crate::service::one_off::OneOff;
use crate::terminal::mode;
use futures::StreamExt;
use std::collections::BTreeSet;
use std::process::ExitCode;

pub async fn run(ctx: &Context, args: RunArgs) -> Result<ExitCode, CliError> {
    let (service, command) = args.service()?;
    let changes = args.changes(ctx, command)?;
    let named = [service.to_owned()];
    let dependencies = Dependencies::included(!args.no_deps);
    let mut desired = load_files(ctx, &named, dependencies)?;
    if !desired.project.services.contains_key(service) {
        return Err(desired.project.no_such_service(service).into());
    }
    if !ctx.globals.dry_run {
        let options = ctx.load_options(&named);
        let directory = desired.project.working_dir.clone();
        trust::ask(ctx, &options, &directory, args.yes).await?;
    }
    desired.select(ctx, &named, dependencies)?;
    let wish = Wish {
        tty: changes.tty,
        stdin: changes.stdin,
        forwards: true,
    };
    let mut ours = Ours::prepare(ctx, wish, args.detach_keys.as_deref())?;
    let one_off = one_off(ctx, &desired.project, service, &args, wish);
    if let Some(service) = desired.project.services.get_mut(service) {
        service.turn_into_one_off(changes);
    }
    let changing = args.changing();
    let options = Options {
        named: BTreeSet::from(named),
        start: true,
        // COMPOSE_REMOVE_ORPHANS is for commands about the whole project.
        remove_orphans: args.remove_orphans,
        one_off: Some(one_off.clone()),
        // What it depends on counts by its condition alone: the command may run beside one that fails.
        unverified: true,
        ..changing.options(ctx)?
    };
    let mut session = changing.session(ctx, desired)?;
    session.manner.yes = args.yes;
    let planning = ToProject {
        // Replicas of the service are not made anew, so no volume may be taken from them.
        agree: Box::new(agree_to_nothing),
        ..changing.to_project(ctx, options)
    };
    if ctx.globals.dry_run {
        return session.run(planning).await;
    }
    let task = Task {
        ctx,
        one_off: &one_off,
        is_detached: args.detach,
        wish,
    };
    task.run(&mut session, planning, &mut ours).await
}

fn one_off(ctx: &Context, project: &Project, service: &str, args: &RunArgs, wish: Wish) -> OneOff {
    let chance = ctx.place().chance;
    let slug: String = (0..4).map(|_| format!("{:016x}", chance())).collect();
    let name = args.name.clone().filter(|name| !name.is_empty());
    OneOff {
        service: service.to_owned(),
        name: name.unwrap_or_else(|| {
            OneOff::default_name(&project.name, service, project.separator(), &slug)
        }),
        slug,
        use_aliases: args.use_aliases,
        publishes: !args.publish.is_empty(),
        auto_remove: args.rm,
        stdin: wish.stdin,
        size: mode::size().map(|size| (size.rows, size.columns)),
    }
}

struct Task<'a> {
    ctx: &'a Context,
    one_off: &'a OneOff,
    is_detached: bool,
    wish: Wish,
}

impl Task<'_> {
    async fn run(
        &self,
        session: &mut Session<'_>,
        mut planning: ToProject,
        ours: &mut Ours,
    ) -> Result<ExitCode, CliError> {
        let Task { ctx, one_off, .. } = *self;
        let mut local = None;
        let launched = session.change(&mut planning, async |mut ready: Ready<_>| {
            ready.refuse_obstacles()?;
            let change = ready.carry_out(ctx.interrupts.clone());
            let (prepared, done) = change.await?;
            let desired = &ready.session.desired;
            let Some(done) = done else {
                return Err(desired.obstacles(ctx, &prepared.outcome.obstacles));
            };
            check(ctx, desired, &done)?;
            settle(ctx).await;
            let attach = (!self.is_detached).then(|| AttachRequest {
                stdin: self.wish.stdin,
                tty: self.wish.tty,
                detach_keys: ours.detach_keys(),
            });
            if attach.is_some() {
                local = Some(ours.begin()?);
            }
            let wish = Launch {
                container: &one_off.name,
                auto_remove: one_off.auto_remove,
                attach,
            };
            let launched = launch(&*ready.session.engine, &wish);
            let launched = match ready.lock.as_ref() {
                Some(lock) => lock.keep(launched).await,
                None => launched.await,
            };
            match launched {
                Ok(launched) => Ok((launched, prepared.observed)),
                Err(error) => {
                    mode::restore();
                    Err(error.into())
                }
            }
        });
        let (launched, observed) = launched.await?;
        let Session {
            engine,
            desired,
            manner,
            ..
        } = &*session;
        let hooks = self.hooks(&desired.project);
        let hooked = async {
            if hooks.is_empty() {
                return Ok(());
            }
            let means = Means {
                interrupts: Interrupts::default(),
                ..means(ctx, &**engine, &desired.project, *manner).await
            };
            let done = change::run(&means, hooks, &desired.project, &observed).await;
            check(ctx, desired, &done)
        };
        let Some(mut local) = local else {
            hooked.await?;
            let details = engine.inspect_container(&one_off.name).await?;
            output::write(&format!("{}\n", details.id))?;
            return Ok(ExitCode::SUCCESS);
        };
        if let Some(cause) = ctx.interrupts.cause() {
            // It came while the container was being started.
            let first = futures::stream::iter([Signal::from(cause)]);
            local.signals = first.chain(local.signals).boxed();
        }
        let attended = attend(&**engine, &one_off.name, launched, local);
        let (code, hooked) = tokio::join!(attended, hooked);
        let code = code?;
        hooked?;
        Ok(exit_code(code))
    }

    /// The service's hooks, to be run once the container has started.
    fn hooks(&self, project: &Project) -> Plan {
        let OneOff { service, name, .. } = self.one_off;
        let hooks = match project.services.get(service) {
            Some(service) => &service.post_start[..],
            None => &[],
        };
        let container = Target::Existing {
            id: name.clone(),
            name: name.clone(),
        };
        let mut plan = Plan::default();
        plan.add_hooks(service, &container, hooks, "post_start", Vec::new());
        plan
    }
}

/// What a plan that was executed, or interrupted, means for us.
fn check(ctx: &Context, desired: &Desired, done: &Done) -> Result<(), CliError> {
    if let Some(error) = lost(ctx, &desired.project.name, &done.report) {
        return Err(error);
    }
    match done.report.is_success() {
        true => Ok(()),
        // It is an error, whatever it was that went wrong.
        false => conclude(ctx, desired, done).map(drop),
    }
}
