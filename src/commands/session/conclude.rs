//! What a command ends with when its plan was executed, or interrupted.

use crate::change::Done;
use crate::commands::desired::Desired;
use crate::context::Context;
use crate::error::CliError;
use crate::execute::Report;
use std::process::ExitCode;

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
