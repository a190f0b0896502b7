//! `commit`: make an image of a container.

use super::arguments;
use crate::context::Context;
use crate::engine::CommitRequest;
use crate::error::CliError;
use crate::event::Status;
use crate::exec;
use crate::options::go_bool;
use crate::value::image::Reference;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(override_usage = "regatta commit [OPTIONS] SERVICE [REPOSITORY[:TAG]]")]
pub struct CommitArgs {
    /// The service, and the name of the new image
    #[arg(value_name = "SERVICE [REPOSITORY[:TAG]]")]
    words: Vec<String>,
    /// Author of the image, e.g. "Jo Doe <jo@example.org>"
    #[arg(short, long, value_name = "AUTHOR", default_value = "")]
    author: String,
    /// Apply a Dockerfile instruction to the image (repeatable)
    #[arg(short, long, value_name = "INSTRUCTION")]
    change: Vec<String>,
    /// Replica of the service, by number
    #[arg(long, value_name = "N", default_value_t = 0)]
    index: u32,
    /// Commit message
    #[arg(short, long, value_name = "MESSAGE", default_value = "")]
    message: String,
    /// Pause the container meanwhile (default: true)
    #[arg(
        short,
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_value = "true",
        default_missing_value = "true",
        action = clap::ArgAction::Set,
        value_parser = go_bool,
    )]
    pause: bool,
}

pub async fn run(ctx: &Context, args: CommitArgs) -> Result<ExitCode, CliError> {
    let usage = "commit [OPTIONS] SERVICE [REPOSITORY[:TAG]]";
    arguments::check(&args.words, 1..=2, usage)?;
    let Some((service, name)) = args.words.split_first() else {
        return Ok(ExitCode::FAILURE);
    };
    let (repository, tag) = match name.first().map(String::as_str) {
        None | Some("") => Default::default(),
        Some(name) => new_name(name)?,
    };
    let project = ctx.project_name()?;
    let engine = ctx.engine()?;
    let replica = (args.index > 0).then_some(args.index);
    let container = exec::find(&*engine, &project, service, replica).await?;
    let tell = |status, text: &str| {
        ctx.reporter.progress(&container.name, status, text, "");
    };
    tell(Status::Working, "Committing");
    if ctx.globals.dry_run {
        tell(Status::Done, "Committed");
        return Ok(ExitCode::SUCCESS);
    }
    let request = CommitRequest {
        container: container.id.clone(),
        repository,
        tag,
        comment: args.message,
        author: args.author,
        changes: args.change,
        pause: args.pause,
    };
    match engine.commit_container(request).await {
        Ok(id) => tell(Status::Done, &format!("Committed as {id}")),
        Err(error) => {
            tell(Status::Error, "Error while Committing");
            return Err(error.into());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The repository and the tag of a name that an image is to get.
fn new_name(text: &str) -> Result<(String, String), CliError> {
    let reference = Reference::canonical(text)
        .map_err(|why| CliError::new(why).hint(format!("`{text}` is to name the new image")))?;
    if reference.digest.is_some() {
        return Err(
            CliError::new("refusing to create a tag with a digest reference")
                .hint("name the new image by a tag: REPOSITORY[:TAG]"),
        );
    }
    Ok((reference.name, reference.tag.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_new_images() {
        let digest = format!("shop@sha256:{}", "a".repeat(64));
        for (text, expected) in [
            ("shop", Ok(("docker.io/library/shop", "latest"))),
            ("me/shop:v2", Ok(("docker.io/me/shop", "v2"))),
            ("h:5000/shop:v2", Ok(("h:5000/shop", "v2"))),
            (
                "Bad/Name",
                Err("invalid reference format: repository name must be lowercase"),
            ),
            ("a b", Err("invalid reference format")),
            (
                digest.as_str(),
                Err("refusing to create a tag with a digest reference"),
            ),
        ] {
            let found = new_name(text).map_err(|e| e.to_string());
            let expected = expected
                .map(|(name, tag)| (name.to_owned(), tag.to_owned()))
                .map_err(str::to_owned);
            assert_eq!(found, expected, "{text}");
        }
    }
}
