//! `logs`: what the containers print.

use crate::context::{Context, Target};
use crate::error::CliError;
use crate::logs::printer::Printer;
use crate::logs::{self, LogRequest};
use crate::output;
use crate::value::time;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct LogsArgs {
    /// Services to show (default: all)
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// Follow new output, including restarts and new replicas
    #[arg(short, long)]
    follow: bool,
    /// Only the replica with this number
    #[arg(long, value_name = "N", default_value_t = 0)]
    index: u32,
    /// Do not colour the output
    #[arg(long)]
    no_color: bool,
    /// Do not prefix lines with container names
    #[arg(long)]
    no_log_prefix: bool,
    /// Only lines since a time (2026-01-02T13:23:37Z) or a duration ago (42m)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Number of lines from the end of each log (`all`: every line)
    #[arg(short = 'n', long, value_name = "N", default_value = "all")]
    tail: String,
    /// Show timestamps
    #[arg(short, long)]
    timestamps: bool,
    /// Only lines before a time or a duration ago
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

pub async fn run(ctx: &Context, args: LogsArgs) -> Result<ExitCode, CliError> {
    if args.index > 0 && args.services.len() != 1 {
        return Err(CliError::new("--index requires one service to be selected"));
    }
    let tail = lines(&args.tail)?;
    let now = jiff::Zoned::now();
    let time = |name: &str, given: &Option<String>| match given.as_deref() {
        None | Some("") => Ok(None),
        Some(text) => match time::parse(text, &now) {
            Ok(time) => Ok(Some(time)),
            Err(why) => Err(
                CliError::new(format!("invalid value for \"{name}\": {why}"))
                    .hint("write a time like 2026-01-02T13:23:37Z, or a duration like 42m"),
            ),
        },
    };
    let Target { name, project, .. } = ctx.target(&args.services)?;
    let mut services = args.services.clone();
    if let Some(project) = &project {
        services = project.resolve_names(&services)?.into_iter().collect();
        if services.is_empty() {
            let shown = project.services.values().filter(|s| s.is_attached());
            services = shown.map(|s| s.name.clone()).collect();
        }
    }
    let request = LogRequest {
        project: name,
        services,
        replica: (args.index > 0).then_some(args.index),
        follow: args.follow,
        since: time("since", &args.since)?,
        until: time("until", &args.until)?,
        tail,
        timestamps: args.timestamps,
    };
    let has_colour = ctx.style.colour_data && !args.no_color;
    let mut printer = Printer::new(output::stdout(), !args.no_log_prefix, has_colour);
    logs::show(ctx.engine()?, request, &mut printer, &ctx.reporter).await?;
    Ok(ExitCode::SUCCESS)
}

/// How many last lines are wanted; `None` for all of them, as a negative number has it, too.
fn lines(text: &str) -> Result<Option<u64>, CliError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    match text {
        "" | "all" => Ok(None),
        _ if is_number => Ok(text.parse().ok()),
        _ => Err(
            CliError::new(format!("invalid value for \"tail\": \"{text}\""))
                .hint("write a number of lines, or all"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_a_number_or_all() {
        for (text, number) in [
            ("all", None),
            ("", None),
            ("0", Some(0)),
            ("12", Some(12)),
            ("+3", Some(3)),
            ("-1", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(lines(text).expect(text), number, "{text}");
        }
        for text in ["abc", "1.5", "5m", "All", "-", "+", "1 "] {
            assert!(lines(text).is_err(), "{text}");
        }
    }
}
