//! `plan`: what `up -d` with the same flags would do, and why. Writes nothing.

use super::changing::Changing;
use super::desired::load_files;
use super::session::explain;
use crate::change::{agree_to_nothing, prepare};
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output;
use crate::plan::{render_json, render_text};
use crate::project::Dependencies;
use crate::reconcile::Options;
use crate::value::visible::visible_json;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct PlanArgs {
    /// Services to plan for, with their dependencies (default: all)
    services: Vec<String>,
    /// Output format: text or json
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json"])]
    format: String,
    #[command(flatten)]
    changing: Changing,
    /// Also recreate the services' dependencies
    #[arg(long, conflicts_with = "no_recreate")]
    always_recreate_deps: bool,
    /// Exclude the services' dependencies
    #[arg(long)]
    no_deps: bool,
    /// Exit with 0 if `up` would only do what it does every time: run one-shots that ended well
    /// (service_completed_successfully) again, ask providers, prepare models
    #[arg(long)]
    ignore_oneshots: bool,
    /// Recreate anonymous volumes instead of keeping their data
    #[arg(short = 'V', long, conflicts_with = "no_recreate")]
    renew_anon_volumes: bool,
}

pub async fn run(ctx: &Context, args: PlanArgs) -> Result<ExitCode, CliError> {
    let dependencies = Dependencies::included(!args.no_deps);
    let mut desired = load_files(ctx, &args.services, dependencies)?;
    let named = desired.project.resolve_names(&args.services)?;
    args.changing.scale(ctx, &mut desired)?;
    desired.select(ctx, &args.services, dependencies)?;
    let engine = ctx.engine()?;
    let mut options = Options {
        named,
        start: true,
        ..args
            .changing
            .options_with(ctx, args.renew_anon_volumes, args.always_recreate_deps)?
    };
    let project = &desired.project;
    let mut prepared = prepare(&*engine, project, &mut options, &mut agree_to_nothing).await?;
    let show_secrets = args.changing.show_secrets;
    explain(ctx, &*engine, project, &mut prepared, show_secrets).await?;
    if let Err(error) = args.changing.adoption.check(&desired, &prepared.observed)
        && let Some((text, _)) = error.lines()
    {
        ctx.reporter
            .warning(format!("`up` would stop here: {text}"));
    }
    let outcome = &prepared.outcome;
    for warning in &outcome.warnings {
        ctx.reporter.warning(warning.clone());
    }
    for question in &outcome.questions {
        ctx.reporter
            .warning(format!("up would ask: {}", question.text));
    }
    for service in &outcome.unsettled {
        ctx.reporter.warning(format!(
            "{service}: its image is pulled or built first; its containers are recreated if that \
             brings another image"
        ));
    }
    let place = |span| desired.place(span);
    let text = match args.format.as_str() {
        "json" => {
            let json = render_json(&outcome.plan, &project.name, &place);
            visible_json(&format!("{json:#}\n"))
        }
        _ => render_text(&outcome.plan, &project.name, &place),
    };
    if !outcome.obstacles.is_empty() {
        return Err(desired
            .obstacles(ctx, &outcome.obstacles)
            .hint("`up` would stop here, before anything is changed"));
    }
    output::write(&text)?;
    let would_change = match args.ignore_oneshots {
        true => outcome.plan.has_drift(),
        false => outcome.plan.changes_anything(),
    };
    // As `terraform plan -detailed-exitcode` has it. With `--ignore-oneshots` only drift counts: a gate in CI asks
    // whether the engine has what the files say, and a one-shot that runs again says nothing about that.
    Ok(match would_change {
        true => Exit::WouldChange.into(),
        false => Exit::Success.into(),
    })
}
