//! `exec`: a command in a running container.

use super::terminal::{Ours, Wish, exit_code};
use crate::context::Context;
use crate::engine::ExecRequest;
use crate::error::CliError;
use crate::exec;
use crate::output;
use crate::terminal::mode;
use std::collections::BTreeMap;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(override_usage = "regatta exec [OPTIONS] SERVICE COMMAND [ARG...]")]
pub struct ExecArgs {
    /// The service, the command and its arguments
    // One list, since options end at the service: all after it belongs to the command.
    #[arg(
        value_name = "SERVICE COMMAND",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    words: Vec<String>,
    /// Do not wait for the command
    #[arg(short, long)]
    detach: bool,
    /// Set a variable: NAME=VALUE, or NAME for its value in the environment (repeatable)
    #[arg(short, long = "env", value_name = "VARIABLE")]
    env: Vec<String>,
    /// Number of the replica
    #[arg(long, value_name = "N", default_value_t = 0)]
    index: u32,
    /// Give the command extended privileges
    #[arg(long)]
    privileged: bool,
    /// Run without a terminal (default: where the output is not one)
    #[arg(short = 'T', long, alias = "no-TTY", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL", hide_possible_values = true)]
    no_tty: Option<bool>,
    /// Run as this user
    #[arg(short, long, value_name = "USER")]
    user: Option<String>,
    /// Run in this directory
    #[arg(short, long, value_name = "DIR")]
    workdir: Option<String>,
    /// Keep standard input open (the default)
    #[arg(short, long, hide = true, num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set)]
    interactive: bool,
    /// With a terminal (as it is where the output is one)
    #[arg(short, long, hide = true, num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set)]
    tty: bool,
    /// Keys that leave the command running, e.g. ctrl-p,ctrl-q
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<String>,
}

pub async fn run(ctx: &Context, args: ExecArgs) -> Result<ExitCode, CliError> {
    let [service, command @ ..] = args.words.as_slice() else {
        return Err(too_few(0));
    };
    if service.starts_with('-') {
        return Err(CliError::new(format!("unknown flag: {service}")));
    }
    if command.is_empty() {
        return Err(too_few(1));
    }
    let project = ctx.project_name()?;
    let engine = ctx.engine()?;
    let replica = (args.index > 0).then_some(args.index);
    let container = exec::find(engine.as_ref(), &project, service, replica).await?;
    if ctx.globals.dry_run {
        let (name, command) = (&container.name, command.join(" "));
        output::write(&format!("{name}:\n  > run {command}\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let wish = Wish {
        tty: !args.no_tty.unwrap_or(!args.tty || !output::is_terminal()),
        stdin: args.interactive && !args.detach,
        forwards: false,
    };
    let mut ours = Ours::prepare(ctx, wish, args.detach_keys.as_deref())?;
    let request = ExecRequest {
        command: command.to_vec(),
        environment: args
            .env
            .iter()
            .filter_map(|v| variable(v, &ctx.project_environment))
            .collect(),
        user: args.user.clone().filter(|u| !u.is_empty()),
        working_dir: args.workdir.clone().filter(|d| !d.is_empty()),
        privileged: args.privileged,
        tty: wish.tty,
        stdin: wish.stdin,
        detach: args.detach,
        size: mode::size().filter(|_| wish.tty),
        detach_keys: ours.detach_keys(),
    };
    let code = exec::run(engine.as_ref(), &container.id, &request, || ours.begin()).await?;
    Ok(exit_code(code))
}

fn too_few(given: usize) -> CliError {
    CliError::new(format!("requires at least 2 arg(s), only received {given}"))
        .hint("write: exec [OPTIONS] SERVICE COMMAND [ARG...]")
}

/// `NAME=VALUE` as it is; a bare name with its value, where it has one.
fn variable(given: &str, environment: &BTreeMap<String, String>) -> Option<String> {
    match given.contains('=') {
        true => Some(given.to_owned()),
        false => Some(format!("{given}={}", environment.get(given)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_takes_its_value_along() {
        let environment = BTreeMap::from([("HOME".to_owned(), "/root".to_owned())]);
        for (given, expected) in [
            ("A=1", Some("A=1")),
            ("A=", Some("A=")),
            ("HOME", Some("HOME=/root")),
            ("NOPE", None),
        ] {
            assert_eq!(variable(given, &environment).as_deref(), expected);
        }
    }
}
