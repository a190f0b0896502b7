//! `up`: create and start what the project asks for.

use super::changing::{self, Changing};
use super::desired::{Desired, load_files};
use super::foreground::{self, OnExit, View};
use super::trust;
use crate::context::Context;
use crate::error::CliError;
use crate::project::{Dependencies, Project};
use crate::reconcile::Options;
use std::collections::BTreeSet;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct UpArgs {
    /// Services to start, with their dependencies (default: all)
    services: Vec<String>,
    /// Run in the background
    #[arg(short, long)]
    detach: bool,
    #[command(flatten)]
    changing: Changing,
    /// Hide build output
    #[arg(long)]
    quiet_build: bool,
    /// Also recreate the services' dependencies
    #[arg(long, conflicts_with = "no_recreate")]
    always_recreate_deps: bool,
    /// Exclude the services' dependencies
    #[arg(long)]
    no_deps: bool,
    /// Create containers without starting them
    #[arg(long)]
    no_start: bool,
    /// Recreate anonymous volumes instead of keeping their data
    #[arg(short = 'V', long, conflicts_with = "no_recreate")]
    renew_anon_volumes: bool,
    /// Seconds to wait for a container to stop before killing it
    #[arg(short, long, value_name = "SECONDS", allow_negative_numbers = true)]
    timeout: Option<i64>,
    /// Return once all services are running or healthy
    #[arg(long)]
    wait: bool,
    /// Give up after this many seconds
    #[arg(long, value_name = "SECONDS", requires = "wait")]
    wait_timeout: Option<u64>,
    /// Do not check that containers survive their first 200 ms
    #[arg(long)]
    no_verify: bool,
    /// Stop all containers once one exits, and exit with its code
    #[arg(long)]
    abort_on_container_exit: bool,
    /// Stop all containers once one fails, and exit with its code
    #[arg(long)]
    abort_on_container_failure: bool,
    /// Exit with the code of this service (implies --abort-on-container-exit)
    #[arg(long, value_name = "SERVICE")]
    exit_code_from: Option<String>,
    /// Only show the logs of these services (repeatable)
    #[arg(long, value_name = "SERVICE")]
    attach: Vec<String>,
    /// Hide the logs of these services (repeatable)
    #[arg(long, value_name = "SERVICE")]
    no_attach: Vec<String>,
    /// Also show the logs of dependencies
    #[arg(long)]
    attach_dependencies: bool,
    /// Do not colour the logs
    #[arg(long)]
    no_color: bool,
    /// Do not prefix log lines with container names
    #[arg(long)]
    no_log_prefix: bool,
    /// Show timestamps
    #[arg(long)]
    timestamps: bool,
    /// Listen to keys on a terminal: d detaches (default: true, or COMPOSE_MENU)
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL", hide_possible_values = true)]
    menu: Option<bool>,
    /// Bring changed files into the containers, by the rules of `develop`
    #[arg(short, long)]
    watch: bool,
}

impl UpArgs {
    /// Combinations that contradict each other, in Compose's words.
    fn check(&self) -> Result<(), CliError> {
        let refuse = |text: &str| Err(CliError::new(text));
        if self.watch && self.no_start {
            return refuse("--watch and --no-start are incompatible");
        }
        if self.abort_on_container_failure && self.abort_on_container_exit {
            return refuse(
                "--abort-on-container-failure cannot be combined with --abort-on-container-exit",
            );
        }
        if !self.attach.is_empty() && self.attach_dependencies {
            return refuse("cannot combine --attach and --attach-dependencies");
        }
        let stays = self.abort_on_container_exit
            || self.abort_on_container_failure
            || self.exit_code_from.is_some()
            || self.attach_dependencies
            || self.watch
            || !self.attach.is_empty();
        let rest = "cannot be combined with --abort-on-container-exit, \
                    --abort-on-container-failure, --attach, --attach-dependencies or --watch";
        match (stays, self.wait, self.detach) {
            (true, true, _) => refuse(&format!("--wait {rest}")),
            (true, _, true) => refuse(&format!("--detach {rest}")),
            _ => Ok(()),
        }
    }

    /// How the logs are shown; `before` is the project before services were selected.
    fn view(&self, ctx: &Context, desired: &Desired) -> Result<View, CliError> {
        let project = &desired.project;
        let unknown = |names: &[String]| -> Vec<String> {
            let known = |name: &&String| !project.services.contains_key(*name);
            names.iter().filter(known).cloned().collect()
        };
        let unexpected = unknown(&self.attach);
        if !unexpected.is_empty() {
            return Err(CliError::new(format!(
                "cannot attach to services not included in up: {}",
                unexpected.join(", ")
            )));
        }
        if let Some(service) = &self.exit_code_from
            && !project.services.contains_key(service)
        {
            return Err(CliError::new(format!(
                "no such service: {service}: not found"
            )));
        }
        let named: BTreeSet<String> = match self.services.is_empty() {
            true => BTreeSet::new(),
            false => project.resolve_names(&self.services)?,
        };
        let mut attached: Vec<String> = match self.attach.is_empty() {
            false => self.attach.clone(),
            true => project
                .services
                .values()
                .filter(|s| s.is_attached())
                .map(|s| s.name.clone())
                .filter(|s| named.is_empty() || self.attach_dependencies || named.contains(s))
                .collect(),
        };
        attached.retain(|name| !self.no_attach.contains(name));
        let mut watched: BTreeSet<String> = match named.is_empty() {
            true => attached.iter().cloned().collect(),
            false => named.clone(),
        };
        if !watched.is_empty() {
            watched.extend(self.exit_code_from.clone());
        }
        let on_exit = match (self.abort_on_container_failure, &self.exit_code_from) {
            (true, _) => OnExit::AbortOnFailure,
            (_, Some(_)) => OnExit::Abort,
            _ if self.abort_on_container_exit => OnExit::Abort,
            _ => OnExit::GoOn,
        };
        Ok(View {
            attached,
            watched,
            on_exit,
            exit_code_from: self.exit_code_from.clone(),
            has_prefix: !self.no_log_prefix,
            has_colour: ctx.style.colour_data && !self.no_color,
            timestamps: self.timestamps,
            has_menu: self.menu.unwrap_or_else(|| {
                let wish = ctx.environment.get("COMPOSE_MENU");
                wish.is_none() || ctx.is_set("COMPOSE_MENU")
            }),
            stopped: named,
            watch: self.watch,
        })
    }
}

/// A script that is left with an empty file is to hear of it, as from Docker Compose.
fn refuse_nothing(ctx: &Context, project: &Project) -> Result<(), CliError> {
    if !project.services.is_empty() || ctx.globals.all_resources {
        return Ok(());
    }
    let error = CliError::new("no service selected");
    let inactive = project.disabled.values().flat_map(|s| s.profiles.iter());
    let profiles: BTreeSet<&str> = inactive.map(String::as_str).collect();
    Err(match profiles.is_empty() {
        true => error.hint("the project declares no services"),
        false => {
            let profiles: Vec<&str> = profiles.into_iter().collect();
            error.hint(format!(
                "its services belong to profiles that are not active ({}): --profile NAME",
                profiles.join(", ")
            ))
        }
    })
}

pub async fn run(ctx: &Context, mut args: UpArgs) -> Result<ExitCode, CliError> {
    args.check()?;
    args.changing.check(ctx)?;
    args.changing.quiet_build = args.quiet_build;
    let dependencies = Dependencies::included(!args.no_deps);
    let mut desired = load_files(ctx, &args.services, dependencies)?;
    refuse_nothing(ctx, &desired.project)?;
    if !ctx.globals.dry_run {
        let options = ctx.load_options(&args.services);
        let directory = desired.project.working_dir.clone();
        trust::ask(ctx, &options, &directory, args.changing.yes).await?;
    }
    let named = desired.project.resolve_names(&args.services)?;
    args.changing.scale(ctx, &mut desired)?;
    desired.select(ctx, &args.services, dependencies)?;
    let attached = !args.detach && !args.wait && !args.no_start && !ctx.globals.dry_run;
    let options = Options {
        named,
        start: !args.no_start,
        wait: args.wait,
        // The user sees which container ends, and with which code.
        unverified: args.no_verify || attached,
        timeout: args.timeout,
        ..args
            .changing
            .options_with(ctx, args.renew_anon_volumes, args.always_recreate_deps)?
    };
    if attached {
        let view = args.view(ctx, &desired)?;
        return foreground::run(ctx, desired, options, &args.changing, view).await;
    }
    let limit = args.wait_timeout.map(std::time::Duration::from_secs);
    changing::bring_about(ctx, desired, options, &args.changing, limit).await
}
