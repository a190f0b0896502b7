//! `man`: manual pages, made from the parser's own tables.

use crate::error::CliError;
use crate::output;
use clap_mangen::Man;
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "To read them: `regatta man ~/.local/share/man/man1`, then `man regatta` and `man regatta-up`."
)]
pub struct ManArgs {
    /// Directory to write the pages to; it is made where it is missing
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

/// Writes a page for the program and one for each command.
pub fn run(root: clap::Command, args: &ManArgs) -> Result<(), CliError> {
    let failed = |path: &Path, error: &io::Error| {
        CliError::new(format!("{} cannot be written: {error}", path.display()))
    };
    std::fs::create_dir_all(&args.directory).map_err(|e| failed(&args.directory, &e))?;
    let mut count = 0;
    for (name, text) in pages(root)? {
        let path = args.directory.join(name);
        std::fs::write(&path, text).map_err(|e| failed(&path, &e))?;
        count += 1;
    }
    output::write(&format!("{count} pages in {}\n", args.directory.display()))?;
    Ok(())
}

/// The pages, each with the name of its file.
fn pages(root: clap::Command) -> io::Result<Vec<(String, Vec<u8>)>> {
    // There is no page for `help`, which prints what the pages say.
    let mut root = root.disable_help_subcommand(true);
    root.build();
    let mut all = Vec::new();
    collect(&root, None, &mut all)?;
    Ok(all)
}

fn collect(
    command: &clap::Command,
    above: Option<&str>,
    all: &mut Vec<(String, Vec<u8>)>,
) -> io::Result<()> {
    let name = match above {
        Some(above) => format!("{above}-{}", command.get_name()),
        None => command.get_name().to_owned(),
    };
    for below in command.get_subcommands().filter(|c| !c.is_hide_set()) {
        collect(below, Some(&name), all)?;
    }
    let man = Man::new(command.clone().display_name(name.clone()))
        .title(name.to_uppercase())
        .manual("regatta")
        .source(concat!("regatta ", env!("CARGO_PKG_VERSION")));
    let mut text = Vec::new();
    man.render(&mut text)?;
    all.push((format!("{name}.1"), text));
    Ok(())
}
