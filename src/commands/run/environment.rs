//! The variables that `run` sets beside the service's own.

use crate::context::Context;
use crate::diagnostic::{Diagnostic, Findings};
use crate::error::CliError;
use crate::load::dotenv::{self, Format, Vars};
use crate::load::{Files, Sources, disk::DiskFiles};
use crate::output;
use std::collections::BTreeMap;

/// `--env` and `--env-from-file`.
pub struct Variables<'a> {
    pub given: &'a [String],
    pub files: &'a [String],
}

impl Variables<'_> {
    /// Reads them: those of the command line count more than those of files, of which the first one
    /// counts. A name without a value has that of the project's environment, or is left out.
    ///
    /// # Errors
    /// Where a file cannot be read, or has a line that is wrong.
    pub fn read(&self, ctx: &Context) -> Result<BTreeMap<String, String>, CliError> {
        let mut all = BTreeMap::new();
        for word in self.given {
            match word.split_once('=') {
                Some((name, value)) => {
                    all.insert(name.to_owned(), value.to_owned());
                }
                None => {
                    let value = ctx.project_environment.get(word).cloned();
                    all.extend(value.map(|value| (word.clone(), value)));
                }
            }
        }
        let mut sources = Sources::default();
        let mut findings = Findings::default();
        for file in self.files {
            let path = ctx.cwd.join(file);
            let bytes = DiskFiles.read(&path).map_err(|error| {
                let why = match error.kind() {
                    std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
                    _ => error.to_string(),
                };
                CliError::new(format!("open {file}: {why}"))
            })?;
            let text = String::from_utf8(bytes)
                .map_err(|_| CliError::new(format!("{file}: it is not UTF-8")))?;
            let id = sources.add(file.clone(), text.clone());
            let mut found = Vars::new();
            let known = all.clone();
            let lookup = |name: &str| known.get(name).cloned();
            dotenv::parse(
                id,
                &text,
                Format::Dotenv,
                &lookup,
                &mut found,
                &mut findings,
            );
            for (name, var) in found {
                all.entry(name).or_insert(var.value);
            }
        }
        output::findings(&ctx.style, &ctx.reporter, &findings, &sources);
        match findings.iter().any(Diagnostic::is_error) {
            true => Err(CliError::silent(1)),
            false => Ok(all),
        }
    }
}
