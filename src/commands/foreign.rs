//! Containers of the project's name that another folder has brought up.

use super::desired::Desired;
use crate::context::Context;
use crate::error::CliError;
use crate::observe::Observed;
use std::path::Path;

/// The flag of commands that change containers.
#[derive(Debug, Default, Clone, Copy, clap::Args)]
pub struct Adoption {
    /// Take over containers created from another folder under this project name
    #[arg(long)]
    pub adopt: bool,
}

impl Adoption {
    /// Nothing but a folder's name says that two projects are one: then they are not, unless the
    /// user says so.
    ///
    /// # Errors
    /// Where that is so.
    pub fn check(self, desired: &Desired, observed: &Observed) -> Result<(), CliError> {
        let project = &desired.project;
        if self.adopt || observed.foreign_folders.is_empty() || !project.is_name_implied {
            return Ok(());
        }
        let own = project.working_dir.display();
        let mut text = format!(
            "the project name {:?} is already used by containers started from another folder",
            project.name
        );
        text.push_str(&format!("\n  this folder:  {own}"));
        for folder in &observed.foreign_folders {
            let missing = match Path::new(folder).is_dir() {
                true => "",
                false => ", which is not on this machine",
            };
            let names = names(observed, folder);
            text.push_str(&format!("\n  other folder: {folder}{missing} ({names})"));
        }
        Err(CliError::new(text)
            .hint("to have both, give this one another name: -p NAME, or `name: NAME` in its file")
            .hint("if it is the same project (moved, or another checkout of it), take it over: --adopt"))
    }

    /// An explicit name goes on; what that means is said.
    pub fn warn(self, ctx: &Context, desired: &Desired, observed: &Observed) {
        if self.adopt {
            return;
        }
        for folder in &observed.foreign_folders {
            ctx.reporter.warning(format!(
                "project {:?} also has containers from another folder, {folder} ({}); \
                 --remove-orphans leaves them alone, --adopt takes them over",
                desired.project.name,
                names(observed, folder)
            ));
        }
    }
}

/// Names of the containers that a folder has made, the first few.
fn names(observed: &Observed, folder: &str) -> String {
    const SHOWN: usize = 4;
    let mut names: Vec<&str> = observed
        .replicas()
        .chain(&observed.oneoffs)
        .filter(|c| c.folder() == Some(folder))
        .map(|c| c.name.as_str())
        .collect();
    names.sort_unstable();
    let more = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    let text = names.join(", ");
    match more {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}
