//! `publish`: the project's files, as an artifact of a registry.

use crate::context::Context;
use crate::error::CliError;
use crate::event::Status;
use crate::image::push::{PushAll, push_all};
use crate::project::Project;
use crate::publish::{Files, Layer, LayerKind, Publication, PublishError, Version, review};
use crate::terminal;
use crate::value::image::Reference;
use std::collections::BTreeMap;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct PublishArgs {
    /// Where to publish, e.g. registry.example/shop/stack:1
    #[arg(value_name = "REPOSITORY[:TAG]")]
    repository: String,
    /// Publish the images of the services, too, in one index
    #[arg(long)]
    app: bool,
    /// Version of the OCI specification: 1.0 or 1.1 (default: the newer one, unless the registry refuses it)
    #[arg(long, value_name = "VERSION")]
    oci_version: Option<String>,
    /// Pin images to digests
    #[arg(long)]
    resolve_image_digests: bool,
    /// Publish the env files, too
    #[arg(long)]
    with_env: bool,
    /// Answer every question with yes
    #[arg(short, long, alias = "y")]
    yes: bool,
    /// Speak to the registry without TLS
    #[arg(long, hide = true)]
    insecure_registry: bool,
}

pub async fn run(ctx: &Context, args: PublishArgs) -> Result<ExitCode, CliError> {
    let version = match args.oci_version.as_deref() {
        None | Some("") => None,
        Some("1.0") => Some(Version::V1_0),
        Some("1.1") => Some(Version::V1_1),
        Some(other) => {
            return Err(
                CliError::new(format!("unsupported OCI version: {other}")).hint("it is 1.0 or 1.1")
            );
        }
    };
    let reference = Reference::canonical(&args.repository)
        .map_err(|why| CliError::new(format!("{}: {why}", args.repository)))?;
    let mut options = ctx.load_options(&[]);
    options.profiles = vec!["*".to_owned()];
    let project = ctx.load_with(&options)?;
    let files = Files::read(
        &project.config_files,
        &project.working_dir,
        &project.environment,
    )?;
    for question in review(&project, &files, args.with_env)? {
        if !args.yes && !terminal::confirm(&question).await {
            return Err(CliError::silent(130));
        }
    }
    let engine = ctx.engine()?;
    let options = PushAll {
        goes_on: true,
        limit: ctx.limit(),
        dry_run: ctx.globals.dry_run,
        ..PushAll::default()
    };
    push_all(&*engine, &project, &options, &ctx.reporter).await;
    let mut layers = files.layers(args.with_env)?;
    let mut images = Vec::new();
    if args.resolve_image_digests || args.app {
        let pinned = pinned(ctx, &project).await?;
        layers.push(pins(&pinned));
        if args.app {
            images = pinned.into_values().collect();
            images.sort_by_key(ToString::to_string);
            images.dedup();
        }
    }
    let id = args.repository.as_str();
    ctx.reporter.working(id, "publishing");
    if ctx.globals.dry_run {
        let why = "dry run: it would be published";
        ctx.reporter.progress(id, Status::Done, "Skipped", why);
        return Ok(ExitCode::SUCCESS);
    }
    let publication = Publication {
        reference: &reference,
        layers: &layers,
        version,
        images: &images,
        is_insecure: args.insecure_registry,
    };
    let published = ctx.publish(&publication).await;
    let status = match &published {
        Ok(_) => (Status::Done, "published"),
        Err(_) => (Status::Error, "publishing"),
    };
    ctx.reporter.progress(id, status.0, status.1, "");
    published.map(|_| ExitCode::SUCCESS)
}

/// The images of services as their registries have them now.
async fn pinned(ctx: &Context, project: &Project) -> Result<BTreeMap<String, Reference>, CliError> {
    let engine = ctx.engine()?;
    let mut pinned = BTreeMap::new();
    for service in project.services.values() {
        let Some(image) = &service.image else {
            continue;
        };
        let failed = |why: String| {
            CliError::new(format!("failed to resolve digest for {image}: {why}"))
                .hint("the engine asks the image's registry; push the image first")
        };
        let mut reference = Reference::canonical(image).map_err(|why| failed(why.to_owned()))?;
        if reference.digest.is_none() {
            let digest = engine.registry_digest(&reference.to_string()).await;
            reference.digest = Some(digest.map_err(|e| failed(e.to_string()))?);
        }
        pinned.insert(service.name.clone(), reference);
    }
    Ok(pinned)
}

/// The file that is laid over the others for that.
fn pins(pinned: &BTreeMap<String, Reference>) -> Layer {
    let mut text = "services:\n".to_owned();
    for (service, image) in pinned {
        text.push_str(&format!("  {service}:\n    image: {image}\n"));
    }
    if pinned.is_empty() {
        text = "services: {}\n".to_owned();
    }
    Layer {
        kind: LayerKind::Project,
        name: "image-digests.yaml".to_owned(),
        content: text.into_bytes(),
    }
}

impl From<PublishError> for CliError {
    fn from(error: PublishError) -> Self {
        let hint = match &error {
            PublishError::LocalInclude { file } => Some(format!(
                "{file}: what a published file includes has to be elsewhere, too: oci:// or a git address"
            )),
            PublishError::OnlyBuilt(_) => {
                Some("give them an `image:`, under which what is built is pushed".to_owned())
            }
            PublishError::NoFile(_) => Some("write it to a file, and name that with -f".to_owned()),
            _ => None,
        };
        let failure = CliError::new(error.to_string().trim_end());
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}
