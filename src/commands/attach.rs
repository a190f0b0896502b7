//! `attach`: our streams to the main process of a running container.

use super::terminal::{Ours, Wish, exit_code};
use crate::attach::{self, Attaching};
use crate::context::Context;
use crate::error::CliError;
use crate::exec;
use crate::output;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(override_usage = "regatta attach [OPTIONS] SERVICE")]
pub struct AttachArgs {
    /// The service
    #[arg(value_name = "SERVICE")]
    service: Vec<String>,
    /// Which replica of the service
    #[arg(long, value_name = "N", default_value_t = 0)]
    index: u32,
    /// Keys that leave the container running (default: config.json, else ctrl-p,ctrl-q)
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<String>,
    /// Do not pass on standard input
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set, hide_default_value = true, hide_possible_values = true, value_name = "BOOL")]
    no_stdin: bool,
    /// Pass signals on to the process, where it has no terminal
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set, hide_possible_values = true, value_name = "BOOL")]
    sig_proxy: bool,
}

pub async fn run(ctx: &Context, args: AttachArgs) -> Result<ExitCode, CliError> {
    let Some(service) = args.service.first() else {
        return Err(CliError::new("requires at least 1 arg(s), only received 0")
            .hint("write: attach [OPTIONS] SERVICE"));
    };
    let project = ctx.project_name()?;
    let engine = ctx.engine()?;
    let engine = engine.as_ref();
    let replica = (args.index > 0).then_some(args.index);
    let container = exec::find(engine, &project, service, replica).await?;
    if ctx.globals.dry_run {
        output::write(&format!("{}:\n  > attach\n", container.name))?;
        return Ok(ExitCode::SUCCESS);
    }
    let attaching = Attaching::prepare(engine, &container.id, !args.no_stdin).await?;
    let wish = Wish {
        tty: attaching.has_terminal(),
        stdin: !args.no_stdin,
        forwards: args.sig_proxy && !attaching.has_terminal(),
    };
    let mut ours = Ours::prepare(ctx, wish, args.detach_keys.as_deref())?;
    let keys = ours.detach_keys();
    let code = attach::run(engine, attaching, keys, || ours.begin()).await?;
    Ok(exit_code(code))
}
