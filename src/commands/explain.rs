//! `explain`: where a value of the project comes from. Asks no engine.

use crate::context::Context;
use crate::error::CliError;
use crate::explain::{self, Subject, Unknown};
use crate::load::LoadOptions;
use crate::output;
use crate::output::table::{self, Layout};
use crate::value::secret::Masking;
use crate::value::visible::{visible, visible_json};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// Path of a value, e.g. services.web.environment.LOG_LEVEL or services.web.ports[0]; of more
    /// than one value, a line for each
    path: String,
    /// Output format: text or json
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json"])]
    format: String,
    /// Show secrets instead of their digests
    #[arg(long)]
    show_secrets: bool,
}

pub fn run(ctx: &Context, args: &ExplainArgs) -> Result<ExitCode, CliError> {
    let options = LoadOptions {
        // What no service uses was written too.
        all_resources: true,
        record: true,
        ..ctx.load_options(&[])
    };
    let (project, sources, history) = ctx.load_recorded(&options)?;
    let subject = Subject {
        project: &project,
        history: &history,
        sources: &sources,
        name_flag: options.project_name.as_deref(),
    };
    let masking = Masking {
        known: ctx.declared_secrets(&project),
        is_off: args.show_secrets,
    };
    let mut explained = explain::explain(&subject, &args.path).map_err(refuse)?;
    explain::mask(&subject, &mut explained, &masking);
    let columns = |lines: &[Vec<String>]| table::columns(lines, Layout::TIGHT);
    let text = match args.format.as_str() {
        "json" => visible_json(&explain::json(&subject, &explained)),
        _ => visible(&explain::text(&subject, &explained, &columns)).into_owned(),
    };
    output::write(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// How many of the keys that are there are named.
const MAX_KEYS: usize = 40;

fn refuse(unknown: Unknown) -> CliError {
    let place = match unknown.there.as_str() {
        "" => "the project".to_owned(),
        there => there.to_owned(),
    };
    let part = unknown.part.trim_start_matches('.');
    let mut error = CliError::new(format!("there is no `{part}` in {place}"));
    if let Some(meant) = &unknown.meant {
        error = error.hint(format!("did you mean `{meant}`?"));
    }
    if unknown.have.is_empty() {
        return error.hint(format!("{place} is a single value"));
    }
    let shown = unknown.have.len().min(MAX_KEYS);
    let mut list = unknown.have[..shown].join(", ");
    if unknown.have.len() > shown {
        list.push_str(&format!(" and {} more", unknown.have.len() - shown));
    }
    error.hint(format!("there are {list}"))
}
