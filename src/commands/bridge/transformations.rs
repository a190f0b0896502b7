//! `bridge transformations`: the images that transform projects.

use super::{DEFAULT, LABEL};
use crate::context::Context;
use crate::copy::{Destination, from_container};
use crate::engine::ContainerRequest;
use crate::error::CliError;
use crate::output;
use crate::output::listing::{Format, section};
use crate::value::bytes::short_size;
use crate::value::image::Reference;
use crate::value::visible::visible_json;
use serde_json::json;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// Output format: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: String,
    /// Only print names
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Debug, clap::Args)]
pub struct CreateArgs {
    /// Directory to create
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// Transformation to copy (default: docker/compose-bridge-kubernetes)
    #[arg(short, long, value_name = "IMAGE")]
    from: Option<String>,
}

pub async fn list(ctx: &Context, args: ListArgs) -> Result<ExitCode, CliError> {
    let format = Format::parse(&args.format)
        .map_err(|e| CliError::new(e).hint("the formats are table and json"))?;
    let engine = ctx.engine()?;
    let mut images = engine.list_images(Vec::new()).await?;
    images.retain(|image| {
        image
            .labels
            .get(LABEL)
            .is_some_and(|kind| kind == "transformation")
    });
    if args.quiet {
        let names = images.iter().map(|image| {
            let name = image.tags.first().unwrap_or(&image.id);
            format!("{name}\n")
        });
        output::write(&names.collect::<String>())?;
        return Ok(ExitCode::SUCCESS);
    }
    let (mut rows, mut list) = (Vec::new(), Vec::new());
    for image in &images {
        let record = engine.image_record(&image.id, None).await?;
        let tag = image.tags.first().map(|tag| Reference::parse(tag));
        let name = tag.as_ref().map(|tag| {
            let familiar = tag.familiar();
            let tag = tag.tag.as_deref().unwrap_or("<none>").to_owned();
            let name = familiar.strip_suffix(&format!(":{tag}"));
            (name.unwrap_or(&familiar).to_owned(), tag)
        });
        let (repository, tag) = name.unwrap_or(("<none>".into(), "<none>".into()));
        let id = image
            .id
            .split_once(':')
            .map_or(image.id.as_str(), |(_, hex)| hex);
        let id = id.get(..12).unwrap_or(id).to_owned();
        rows.push(vec![id, repository, tag, short_size(record.size, 3)]);
        list.push(json!({
            "Id": image.id,
            "Labels": image.labels,
            "RepoDigests": image.digests,
            "RepoTags": image.tags,
            "Size": record.size,
        }));
    }
    let text = match format {
        Format::Table => section(&["IMAGE ID", "REPO", "TAGS", "SIZE"], rows),
        Format::Json | Format::JsonLines => {
            visible_json(&format!("{}\n", serde_json::Value::Array(list)))
        }
    };
    output::write(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// What a transformation of one's own begins with.
const DOCKERFILE: &str = "FROM docker/compose-bridge-transformer
LABEL com.docker.compose.bridge=transformation
COPY templates /templates
";

pub async fn create(ctx: &Context, args: CreateArgs) -> Result<ExitCode, CliError> {
    let out = ctx.cwd.join(&args.path);
    let shown = out.display().to_string();
    if fs::symlink_metadata(&out).is_ok() {
        return Err(CliError::new(format!(
            "output folder {shown} already exists"
        )));
    }
    let image = args.from.unwrap_or_else(|| DEFAULT.to_owned());
    let engine = ctx.engine()?;
    let request = ContainerRequest {
        name: String::new(),
        platform: None,
        body: json!({ "Image": image }),
    };
    if ctx.globals.dry_run {
        ctx.reporter.progress(
            &shown,
            crate::event::Status::Done,
            "Skipped",
            "dry run: it would be created",
        );
        return Ok(ExitCode::SUCCESS);
    }
    let id = engine.create_container(request).await?;
    let made = async {
        fs::create_dir_all(&out)?;
        let to = Destination::Path(&shown);
        from_container(&*engine, &id, "/templates", false, to).await?;
        fs::write(out.join("Dockerfile"), DOCKERFILE)?;
        Ok::<(), CliError>(())
    };
    let made = made.await;
    let removed = engine.remove_container(&id, true, true).await;
    made?;
    removed?;
    output::tell(&format!("Transformer created in {shown:?}\n"))?;
    Ok(ExitCode::SUCCESS)
}
