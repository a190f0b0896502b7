//! Building with the engine's own `/build`.

use super::ignored::{self, Ignored};
use super::{
    BuildError, BuildOptions, arguments, cache_image, image_labels, is_remote, platform, refuse,
    tags,
};
use crate::engine::{BuildMessage, BuildRequest, Engine, EngineError};
use crate::event::Reporter;
use crate::file;
use crate::image::context::{self, Context};
use crate::image::dockerfile::{self, Dockerfile};
use crate::image::pull::{PullOptions, pull};
use crate::project::Project;
use crate::service::Service;
use crate::service::build::Build;
use futures::StreamExt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// The name under which a Dockerfile from elsewhere is sent.
const SENT_DOCKERFILE: &str = ".dockerfile.regatta";

/// What will be sent.
#[derive(Debug)]
pub struct Plan {
    pub(super) context: Option<Context>,
    /// Path in the context.
    dockerfile: String,
    remote: Option<String>,
    pub(super) contents: Dockerfile,
    /// The Dockerfile is in the tar though the context, as the user sees it, does not have it.
    hidden: bool,
}

impl Plan {
    /// Whether BuildKit would show the Dockerfile to an instruction that copies everything. (The
    /// classic builder takes it away again.)
    pub fn shows_dockerfile(&self) -> bool {
        self.hidden && self.contents.copies_context
    }
}

/// Reads the Dockerfile and finds out what to send.
pub fn plan(
    project: &Project,
    service: &Service,
    build: &Build,
    options: &BuildOptions,
) -> Result<Plan, BuildError> {
    let name = build
        .dockerfile
        .as_deref()
        .filter(|d| !d.is_empty())
        .unwrap_or("Dockerfile");
    if is_remote(&build.context) {
        return Ok(Plan {
            context: None,
            dockerfile: name.into(),
            remote: Some(build.context.clone()),
            contents: Dockerfile::default(),
            hidden: false,
        });
    }
    let directory = PathBuf::from(&build.context);
    if !directory.is_dir() {
        return Err(refuse(
            service,
            "context",
            format!("there is no directory {}", directory.display()),
        ));
    }
    let mut sent = Context {
        directory: directory.clone(),
        ..Context::default()
    };
    let (text, dockerfile, ignored) = match &build.dockerfile_inline {
        Some(inline) => {
            sent.extra
                .push((SENT_DOCKERFILE.into(), inline.clone().into_bytes()));
            let ignored = ignored::read(service, &directory, None)?;
            (inline.clone(), SENT_DOCKERFILE.to_string(), ignored)
        }
        None => {
            let path = dockerfile_path(&directory, name);
            let content = file::read(&path).map_err(|e| {
                refuse(
                    service,
                    "dockerfile",
                    format!("Dockerfile {}: {}", path.display(), words(&e)),
                )
            })?;
            let ignored = ignored::read(service, &directory, Some(&path))?;
            // The builder takes any bytes; what we look for in them is plain.
            let text = String::from_utf8_lossy(&content).into_owned();
            // The request for a build can only name it in UTF-8.
            let inside = inside(&directory, &path).and_then(|name| String::from_utf8(name).ok());
            let inside = match inside {
                Some(inside) => {
                    sent.needed.push(inside.clone().into_bytes());
                    inside
                }
                None => {
                    sent.extra.push((SENT_DOCKERFILE.into(), content));
                    SENT_DOCKERFILE.to_string()
                }
            };
            (text, inside, ignored)
        }
    };
    let Ignored { content, patterns } = ignored;
    sent.ignore = patterns;
    let hidden = dockerfile == SENT_DOCKERFILE || sent.ignore.excludes(dockerfile.as_bytes());
    let args = arguments(project, build, options);
    let contents = dockerfile::read(&text, &args, build.target.as_deref());
    let mut plan = Plan {
        context: None,
        dockerfile,
        remote: None,
        contents,
        hidden,
    };
    if plan.use_classic(options) {
        // The classic builder reads the patterns itself and removes what they name, so they go
        // along, with the Dockerfile that was added.
        let ignored_ignore = sent.ignore.excludes(ignored::NAME.as_bytes());
        let mut patterns = content;
        patterns.extend(format!("\n{}\n", plan.dockerfile).bytes());
        if ignored_ignore || !directory.join(ignored::NAME).exists() {
            patterns.extend(ignored::NAME.bytes());
        }
        sent.extra.push((ignored::NAME.into(), patterns));
    }
    plan.context = Some(sent);
    Ok(plan)
}

impl Plan {
    /// BuildKit but for a limit that it does not know, and for a Dockerfile that it would show
    /// where the classic builder does not, unless only BuildKit understands it.
    fn use_classic(&self, options: &BuildOptions) -> bool {
        options.memory.is_some() || (self.shows_dockerfile() && !self.contents.needs_buildkit)
    }
}

/// Where the Dockerfile is; `dockerfile` stands in for a missing `Dockerfile`, as with BuildKit.
pub(super) fn dockerfile_path(directory: &Path, name: &str) -> PathBuf {
    let path = directory.join(name);
    if name == "Dockerfile" && !path.exists() {
        let small = directory.join("dockerfile");
        if small.exists() {
            return small;
        }
    }
    path
}

/// The path of a file in the context's terms; `None` where it is outside.
fn inside(directory: &Path, path: &Path) -> Option<Vec<u8>> {
    let mut parts: Vec<&[u8]> = Vec::new();
    // Links are followed on both sides, as a context may be one itself.
    let (directory, path) = match (directory.canonicalize(), path.parent()?.canonicalize()) {
        (Ok(directory), Ok(parent)) => (directory, parent.join(path.file_name()?)),
        _ => return None,
    };
    for part in path.strip_prefix(directory).ok()?.components() {
        match part {
            Component::Normal(part) => parts.push(part.as_bytes()),
            _ => return None,
        }
    }
    Some(parts.join(&b'/'))
}

pub(super) fn words(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "does not exist".into(),
        _ => error.to_string(),
    }
}

/// What the engine is asked for.
pub fn request(
    project: &Project,
    service: &Service,
    build: &Build,
    plan: Plan,
    options: &BuildOptions,
) -> BuildRequest {
    let classic = plan.use_classic(options);
    BuildRequest {
        tags: tags(project, service, build),
        dockerfile: plan.dockerfile,
        args: arguments(project, build, options),
        labels: image_labels(project, service, build),
        target: build.target.clone(),
        network: build.network.clone(),
        platform: platform(project, service, build).map(str::to_string),
        cache_from: build
            .cache_from
            .iter()
            .filter_map(|entry| cache_image(entry))
            .map(str::to_string)
            .collect(),
        extra_hosts: build
            .extra_hosts
            .iter()
            .map(|h| h.replacen('=', ":", 1))
            .collect(),
        shm_size: build.shm_size.map(|b| b.0),
        no_cache: build.no_cache || options.no_cache,
        // What is to be pulled has been, with the user's credentials.
        pull: (build.pull || options.pull) && plan.remote.is_some(),
        memory: options.memory,
        ulimits: build
            .ulimits
            .iter()
            .map(|(name, limit)| (name.clone(), limit.soft, limit.hard))
            .collect(),
        remote: plan.remote,
        classic,
        context: match plan.context {
            Some(sent) => context::stream(sent),
            None => futures::stream::empty().boxed(),
        },
    }
}

/// Pulls what the build begins with and builds.
pub async fn build(
    engine: &dyn Engine,
    project: &Project,
    service: &Service,
    plan: Plan,
    options: &BuildOptions,
    reporter: &Reporter,
) -> Result<Option<String>, BuildError> {
    let Some(build) = &service.build else {
        return Ok(None);
    };
    if plan.remote.is_none() {
        let always = build.pull || options.pull;
        provide(engine, project, service, &plan, always, reporter).await?;
    }
    let request = request(project, service, build, plan, options);
    let mut messages = engine.build_image(request);
    let mut id = None;
    while let Some(message) = messages.next().await {
        match message {
            Ok(BuildMessage::Log(text)) if !options.quiet => {
                for line in text.trim_end_matches('\n').lines() {
                    reporter.build_output(format!("{line}\n"));
                }
                reporter.room().await;
            }
            Ok(BuildMessage::Log(_)) => {}
            Ok(BuildMessage::Built(built)) => id = Some(built),
            Err(EngineError::Refused { message, .. } | EngineError::NotFound { message }) => {
                return Err(BuildError::Failed {
                    service: service.name.clone(),
                    message,
                });
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(id)
}

/// Pulls the images that the build begins with and that are not there. The builder cannot do it:
/// without a session it has no credentials, not even for the public registry.
async fn provide(
    engine: &dyn Engine,
    project: &Project,
    service: &Service,
    plan: &Plan,
    always: bool,
    reporter: &Reporter,
) -> Result<(), BuildError> {
    for (image, own) in &plan.contents.images {
        let general = service
            .build
            .as_ref()
            .and_then(|b| platform(project, service, b));
        let wanted = own.as_deref().or(general);
        let missing = match engine.inspect_image(image).await {
            Ok(_) if always => true,
            Ok(found) => wanted.is_some_and(|p| !found.serves(p)),
            Err(error) if error.is_not_found() => true,
            Err(error) => return Err(error.into()),
        };
        if missing {
            pull(
                engine,
                image,
                wanted,
                PullOptions {
                    quiet: true,
                    optional: false,
                },
                reporter,
            )
            .await
            .map_err(|e| BuildError::Failed {
                service: service.name.clone(),
                message: format!("{image}: {}", e.message()),
            })?;
        }
    }
    Ok(())
}
