//! `bridge convert`: runs transformations on the resolved project.

use super::DEFAULT;
use crate::commands::config::render;
use crate::context::Context;
use crate::engine::{ContainerRequest, Engine, LogOptions, OutputStream};
use crate::error::CliError;
use crate::file;
use crate::image::pull::{PullOptions, pull};
use crate::load::CanonicalProject;
use crate::load::environment::CONTENT;
use crate::output;
use crate::private;
use crate::tree::{Map, Node};
use futures::StreamExt;
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct ConvertArgs {
    /// Directory for what the transformations write; what is in it is removed first
    #[arg(short, long, value_name = "DIR", default_value = "out")]
    output: PathBuf,
    /// Directory with templates for the transformations
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
    /// Image that transforms the project (repeatable, default: docker/compose-bridge-kubernetes)
    #[arg(short, long, value_name = "IMAGE")]
    transformation: Vec<String>,
}

pub async fn run(ctx: &Context, args: ConvertArgs) -> Result<ExitCode, CliError> {
    let (mut project, _) = ctx.load_canonical(&ctx.load_options(&[]))?;
    let out = ctx.cwd.join(&args.output);
    check_output(ctx, &out)?;
    let engine = ctx.engine()?;
    if ctx.globals.dry_run {
        let place = out.display().to_string();
        ctx.reporter.progress(
            &place,
            crate::event::Status::Done,
            "Skipped",
            "dry run: it would be written",
        );
        return Ok(ExitCode::SUCCESS);
    }
    complete_services(ctx, &*engine, &mut project).await?;
    complete_files(ctx, &mut project)?;
    let failed =
        |path: &Path, error: std::io::Error| CliError::new(format!("{}: {error}", path.display()));
    if out.exists() {
        fs::remove_dir_all(&out).map_err(|e| failed(&out, e))?;
    }
    fs::create_dir_all(&out).map_err(|e| failed(&out, e))?;
    let temporary = ctx.variable("TMPDIR").unwrap_or("/tmp");
    let input = Path::new(temporary).join(format!("compose-convert-{}", std::process::id()));
    private::folder(&input).map_err(|e| failed(&input, e))?;
    let text = render::resolved(project);
    let written = private::write(&input.join("compose.yaml"), text.as_bytes());
    let result = match written {
        Ok(()) => transform(ctx, &*engine, &args, &input, &out).await,
        Err(error) => Err(failed(&input, error)),
    };
    // It holds secrets.
    let _ = fs::remove_dir_all(&input);
    result.map(|()| ExitCode::SUCCESS)
}

/// What is in the directory goes away: it must not be what is converted, or hold it.
fn check_output(ctx: &Context, out: &Path) -> Result<(), CliError> {
    let out = out.canonicalize().unwrap_or_else(|_| out.to_owned());
    let home = ctx.variable("HOME").map(PathBuf::from);
    let holds = |path: &Path| path.starts_with(&out);
    let is_file = fs::symlink_metadata(&out).is_ok_and(|m| !m.is_dir());
    let has_project = [
        "compose.yaml",
        "compose.yml",
        "docker-compose.yaml",
        "docker-compose.yml",
    ]
    .iter()
    .any(|name| out.join(name).exists());
    if holds(&ctx.cwd) || home.as_deref().is_some_and(holds) || is_file || has_project {
        return Err(CliError::new(format!(
            "{} is not emptied for what is converted: it is a file, or holds a project or this directory",
            out.display()
        ))
        .hint("name a directory of its own with --output"));
    }
    Ok(())
}

/// Names the image of each service, and the ports that it exposes.
async fn complete_services(
    ctx: &Context,
    engine: &dyn Engine,
    project: &mut CanonicalProject,
) -> Result<(), CliError> {
    let name = project.name.clone();
    for (service, node) in project.services.iter_mut() {
        let given = node.get("image").and_then(Node::as_str).map(str::to_owned);
        let is_built = node.get("build").is_some() && given.is_none();
        let image = given.unwrap_or_else(|| format!("{name}-{service}"));
        let mut exposed = BTreeSet::new();
        for key in ["expose", "ports"] {
            for entry in node.get(key).and_then(Node::as_seq).into_iter().flatten() {
                let port = entry.get("target").unwrap_or(entry);
                exposed.extend(port.as_str().map(str::to_owned));
                exposed.extend(port.as_int().map(|port| port.to_string()));
            }
        }
        match record(ctx, engine, &image, !is_built).await? {
            Some(ports) => exposed.extend(ports),
            None => ctx.reporter.warning(format!(
                "image {image} for service {service} not found locally; ports that its Dockerfile exposes are left out: run `regatta build` first to include them"
            )),
        }
        let at = node.span;
        if let Some(map) = node.as_map_mut() {
            map.insert("image", at, Node::new(image, at));
            if !exposed.is_empty() {
                let list = exposed.into_iter().map(|port| Node::new(port, at));
                map.insert("expose", at, Node::new(list.collect::<Vec<_>>(), at));
            }
        }
    }
    Ok(())
}

/// The ports that an image exposes; `None` where it is not there, and is not to be pulled.
async fn record(
    ctx: &Context,
    engine: &dyn Engine,
    image: &str,
    may_pull: bool,
) -> Result<Option<Vec<String>>, CliError> {
    match engine.image_record(image, None).await {
        Ok(record) => return Ok(Some(record.exposed)),
        Err(error) if error.is_not_found() && may_pull => {}
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    pull(engine, image, None, PullOptions::default(), &ctx.reporter).await?;
    Ok(Some(engine.image_record(image, None).await?.exposed))
}

/// Puts what secrets and configs hold into the project.
fn complete_files(ctx: &Context, project: &mut CanonicalProject) -> Result<(), CliError> {
    for section in ["secrets", "configs"] {
        let objects = project.rest.get_mut(section).and_then(Node::as_map_mut);
        for (name, object) in objects.into_iter().flat_map(Map::iter_mut) {
            let text = |key: &str| object.get(key).and_then(Node::as_str).map(str::to_owned);
            let content = match (text("environment"), text("file")) {
                (Some(_), _) => text(CONTENT),
                (None, Some(path)) => {
                    let path = ctx.cwd.join(path);
                    let read = file::read_text(&path).map_err(|error| {
                        CliError::new(format!("{section}.{name}: {}: {error}", path.display()))
                    })?;
                    Some(read)
                }
                (None, None) => None,
            };
            let at = object.span;
            if let (Some(content), Some(map)) = (content, object.as_map_mut()) {
                map.insert("content", at, Node::new(content, at));
            }
        }
    }
    Ok(())
}

async fn transform(
    ctx: &Context,
    engine: &dyn Engine,
    args: &ConvertArgs,
    input: &Path,
    out: &Path,
) -> Result<(), CliError> {
    let mut binds = vec![
        format!("{}:/in", input.display()),
        format!("{}:/out", out.display()),
    ];
    if let Some(templates) = &args.templates {
        binds.push(format!("{}:/templates", ctx.cwd.join(templates).display()));
    }
    let default = [DEFAULT.to_owned()];
    let images = match args.transformation.is_empty() {
        true => &default[..],
        false => &args.transformation,
    };
    for image in images {
        record(ctx, engine, image, true).await?;
        let request = ContainerRequest {
            name: String::new(),
            platform: None,
            body: json!({
                "Image": image,
                "Env": ["LICENSE_AGREEMENT=true"],
                "User": rustix::process::getuid().as_raw().to_string(),
                "HostConfig": { "Binds": binds },
            }),
        };
        let id = engine.create_container(request).await?;
        let code = follow(engine, &id).await;
        let removed = engine.remove_container(&id, true, true).await;
        let code = code?;
        removed?;
        if code != 0 {
            return Err(CliError::new(format!(
                "transformation {image} exited with code {code}"
            )));
        }
    }
    Ok(())
}

/// Starts a container, shows what it writes, and gives its exit code.
async fn follow(engine: &dyn Engine, id: &str) -> Result<i64, CliError> {
    engine.start_container(id).await?;
    let options = LogOptions {
        follow: true,
        ..LogOptions::default()
    };
    let mut lines = engine.logs(id, options);
    let (mut out, mut err) = (output::stdout(), output::stderr());
    while let Some(chunk) = lines.next().await {
        let chunk = chunk?;
        match chunk.stream {
            OutputStream::Stdout => out.write_all(&chunk.bytes)?,
            OutputStream::Stderr => err.write_all(&chunk.bytes)?,
        }
    }
    out.flush()?;
    Ok(engine.wait_container(id).await?)
}
