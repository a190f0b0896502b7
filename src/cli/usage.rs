//! Wrong command lines, told as Compose tells them: one line, exit code 1; help is no error.

use super::argv::Invocation;
use crate::options::{Program, go_bool};
use crate::output;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::process::ExitCode;

/// Fits the parser to what Compose's accepts: an option's value may begin with a hyphen, and
/// `--flag=false` is a way to write a switch.
pub fn parser(command: clap::Command, invocation: &Invocation) -> clap::Command {
    let has_written_bool = invocation.args.iter().any(|a| {
        let text = a.to_string_lossy();
        text.starts_with('-')
            && text
                .split_once('=')
                .is_some_and(|(_, value)| go_bool(value).is_ok())
    });
    let command = match invocation.program {
        Program::Regatta => command,
        Program::DockerCompose => command.bin_name("docker compose"),
    };
    adapt(command, has_written_bool)
}

fn adapt(command: clap::Command, written_bools: bool) -> clap::Command {
    command
        .args_override_self(true)
        .mut_args(|arg| match arg.get_action() {
            clap::ArgAction::SetTrue if written_bools => arg
                .action(clap::ArgAction::Set)
                .num_args(0..=1)
                .require_equals(true)
                .value_parser(go_bool)
                .default_missing_value("true")
                .default_value("false"),
            clap::ArgAction::Set | clap::ArgAction::Append if !arg.is_positional() => {
                arg.allow_hyphen_values(true)
            }
            _ => arg,
        })
        .mut_subcommands(|sub| adapt(sub, written_bools))
}

/// Prints the help of the whole program.
pub fn help(command: &mut clap::Command) -> ExitCode {
    let _ = output::write(&command.render_help().to_string());
    ExitCode::SUCCESS
}

/// Shows what is wrong with a command line; asked-for help goes to stdout and is a success.
pub fn show(command: &mut clap::Command, error: &clap::Error, invocation: &Invocation) -> ExitCode {
    if !error.use_stderr() {
        let _ = output::write(&error.render().to_string());
        return ExitCode::SUCCESS;
    }
    if error.kind() == ErrorKind::InvalidSubcommand {
        help(command);
    }
    output::complain(&message(error, invocation));
    ExitCode::FAILURE
}

fn message(error: &clap::Error, invocation: &Invocation) -> String {
    let get = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(s)) => Some(s.clone()),
        Some(ContextValue::Strings(list)) => list.first().cloned(),
        _ => None,
    };
    let arg = get(ContextKind::InvalidArg).unwrap_or_default();
    let value = get(ContextKind::InvalidValue).unwrap_or_default();
    let hint = get(ContextKind::SuggestedArg)
        .or_else(|| get(ContextKind::SuggestedSubcommand))
        .map(|s| format!("\nDid you mean {s}?"))
        .unwrap_or_default();
    // The option without its placeholder: `-f, --file <FILE>` is known as `--file`.
    let flag = || {
        let words = arg.split([' ', '=', '[']);
        let flag = words.clone().find(|w| w.starts_with("--"));
        flag.or(words.clone().next()).unwrap_or_default().to_owned()
    };
    match error.kind() {
        ErrorKind::UnknownArgument if arg.starts_with('-') && !arg.starts_with("--") => {
            let letter = arg.trim_start_matches('-').chars().next().unwrap_or('-');
            format!("unknown shorthand flag: '{letter}' in {arg}{hint}")
        }
        ErrorKind::UnknownArgument if arg.starts_with("--") => {
            format!("unknown flag: {arg}{hint}")
        }
        ErrorKind::UnknownArgument => {
            let usage = error.get(ContextKind::Usage).map(ToString::to_string);
            let usage = usage.unwrap_or_default();
            let command = usage.trim_start_matches("Usage: ").split(" [").next();
            format!(
                "unknown command \"{arg}\" for \"{}\"",
                command.unwrap_or_default()
            )
        }
        ErrorKind::InvalidSubcommand => {
            let word = get(ContextKind::InvalidSubcommand).unwrap_or_default();
            match invocation.program {
                Program::Regatta => format!("unknown command: \"{word}\"{hint}"),
                Program::DockerCompose => {
                    format!("unknown docker command: \"compose {word}\"{hint}")
                }
            }
        }
        ErrorKind::InvalidValue if value.is_empty() => {
            let name = flag();
            format!("flag needs an argument: {name}")
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let why = match std::error::Error::source(error) {
                Some(e) if e.is::<std::num::ParseIntError>() => ": not a number that fits".into(),
                Some(e) => format!(": {e}"),
                None => String::new(),
            };
            format!("invalid argument \"{value}\" for \"{}\" flag{why}", flag())
        }
        ErrorKind::MissingRequiredArgument => match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::Strings(list)) if list.iter().all(|o| o.starts_with("--")) => {
                format!("another option given needs {}", list.join(" and "))
            }
            Some(ContextValue::Strings(list)) => format!("missing: {}", list.join(", ")),
            _ => format!("missing: {arg}"),
        },
        ErrorKind::ArgumentConflict => {
            let other = get(ContextKind::PriorArg).unwrap_or_default();
            let name = |arg: &str| arg.split([' ', '=', '[']).next().map(str::to_owned);
            let mut both = [name(&other), name(&arg)].map(Option::unwrap_or_default);
            both.sort();
            format!("{} and {} are incompatible", both[0], both[1])
        }
        _ => error
            .render()
            .to_string()
            .trim_start_matches("error: ")
            .trim_end()
            .to_owned(),
    }
}
