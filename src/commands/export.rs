//! `export`: a container's file system as a tar.

use super::arguments;
use crate::context::Context;
use crate::error::CliError;
use crate::event::Status;
use crate::exec;
use crate::output;
use crate::private::NewFile;
use futures::StreamExt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(override_usage = "regatta export [OPTIONS] SERVICE")]
pub struct ExportArgs {
    /// The service
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// Replica of the service, by number
    #[arg(long, value_name = "N", default_value_t = 0)]
    index: u32,
    /// Write to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<String>,
}

pub async fn run(ctx: &Context, args: ExportArgs) -> Result<ExitCode, CliError> {
    arguments::check(&args.services, 1..=1, "export [OPTIONS] SERVICE")?;
    let service = args.services.first().map_or("", String::as_str);
    let project = ctx.project_name()?;
    let engine = ctx.engine()?;
    let replica = (args.index > 0).then_some(args.index);
    let container = exec::find(&*engine, &project, service, replica).await?;
    let file = match args.output.as_deref() {
        None | Some("") if output::is_terminal() => {
            return Err(
                CliError::new("output option is required when exporting to terminal")
                    .hint("add -o FILE, or redirect standard output"),
            );
        }
        None | Some("") => None,
        Some(path) => Some(destination(&ctx.cwd.join(path))?),
    };
    let tell = |status, text: &str| {
        ctx.reporter.progress(&container.name, status, text, "");
    };
    tell(Status::Working, "Exporting");
    if ctx.globals.dry_run {
        tell(Status::Done, "Exported");
        return Ok(ExitCode::SUCCESS);
    }
    let mut parts = engine.export_container(&container.id);
    let Some(path) = file else {
        let mut out = output::stdout();
        while let Some(part) = parts.next().await {
            out.write_all(&part?)?;
        }
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    };
    let failed =
        |error: std::io::Error| CliError::new(format!("cannot write {}: {error}", path.display()));
    // Until all of it is there, what was there before stays.
    let mut file = NewFile::beside(&path).map_err(failed)?;
    while let Some(part) = parts.next().await {
        file.write_all(&part?).map_err(failed)?;
    }
    file.keep().map_err(failed)?;
    Ok(ExitCode::SUCCESS)
}

/// The file that a path leads to.
fn destination(path: &Path) -> Result<PathBuf, CliError> {
    let refuse = |why: String| Err(CliError::new(format!("failed to export container: {why}")));
    if let Ok(found) = path.metadata() {
        return match () {
            () if found.is_dir() => refuse(format!(
                "invalid output path: {:?} is a directory",
                path.display().to_string()
            )),
            () if !found.is_file() => refuse(format!(
                "invalid output path: {:?} must be a directory or a regular file",
                path.display().to_string()
            )),
            () => Ok(path.canonicalize().unwrap_or_else(|_| path.to_owned())),
        };
    }
    match path.parent() {
        Some(parent) if !parent.is_dir() => refuse(format!(
            "invalid output path: directory {:?} does not exist",
            parent.display().to_string()
        )),
        _ => Ok(path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_tar_can_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let shown = |path: &Path| path.display().to_string();
        assert_eq!(
            destination(&folder.path().join("new.tar")).unwrap(),
            folder.path().join("new.tar")
        );
        let error = destination(folder.path()).unwrap_err().to_string();
        assert!(error.contains("is a directory"), "{error}");
        let missing = folder.path().join("none").join("x.tar");
        let error = destination(&missing).unwrap_err().to_string();
        let parent = shown(&folder.path().join("none"));
        assert_eq!(
            error,
            format!(
                "failed to export container: invalid output path: directory {parent:?} does not exist"
            )
        );
        let error = destination(Path::new("/dev/null")).unwrap_err().to_string();
        assert!(
            error.contains("must be a directory or a regular file"),
            "{error}"
        );
    }
}
