//! Building a service's image.
//!
//! Two ways lead to an image, and neither needs the other's tools:
//! - [`direct`]: the engine's own `/build`, with BuildKit where the engine has it. It needs no
//!   program beside the engine and is the way wherever it can honour everything the file asks for.
//! - [`bake`]: the program `docker-buildx`, for what takes a session with BuildKit (secrets, ssh,
//!   further contexts, several platforms…). Where it is not installed, the attribute that takes it
//!   is refused by name.

pub mod bake;
pub mod direct;
pub mod ignored;
mod sources;

use crate::diagnostic::Diagnostic;
use crate::engine::{Engine, EngineError};
use crate::event::{Kind, Reporter};
use crate::labels;
use crate::programs::Programs;
use crate::project::Project;
use crate::service::Service;
use crate::service::build::Build;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// What is asked for on the command line, and what the surroundings offer.
#[derive(Debug, Clone, Default)]
pub struct BuildOptions {
    /// `--build-arg`; without a value it is taken from the project's environment.
    pub args: BTreeMap<String, Option<String>>,
    pub no_cache: bool,
    pub pull: bool,
    /// Nothing of the builder's log.
    pub quiet: bool,
    /// `--memory`; only the classic builder knows it.
    pub memory: Option<i64>,
    /// `--ssh`.
    pub ssh: Vec<String>,
    /// `--builder`.
    pub builder: Option<String>,
    /// `--push`.
    pub push: bool,
    /// `--check`.
    pub check: bool,
    /// `--provenance`.
    pub provenance: Option<String>,
    /// `--sbom`.
    pub sbom: Option<String>,
    /// The image is to be run here: of several platforms one is enough.
    pub for_running: bool,
    /// Variables of Docker's client configuration, given to the builder as arguments.
    pub proxy_environment: BTreeMap<String, String>,
    /// The program, where it is installed.
    pub buildx: Option<PathBuf>,
    /// The process environment, for that program.
    pub environment: BTreeMap<String, String>,
    /// Where programs are looked for.
    pub programs: Programs,
}

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The file asks for what cannot be done.
    #[error("{}: {}", .0.path, .0.message)]
    Refused(Box<Diagnostic>),
    /// The context or the Dockerfile cannot be read, or the program not run.
    #[error("service {service:?}: {message}")]
    Unreadable { service: String, message: String },
    /// The builder gave up.
    #[error("service {service:?}: build: {message}")]
    Failed { service: String, message: String },
    /// The engine did not do its part.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Builds the image of a service and gives its id, where the builder tells it. Shows the builder's
/// log, and `Building` and `Built`.
///
/// # Errors
/// See [`BuildError`].
pub async fn build(
    engine: &dyn Engine,
    project: &Project,
    service: &Service,
    options: &BuildOptions,
    reporter: &Reporter,
) -> Result<Option<String>, BuildError> {
    let Some(build) = &service.build else {
        return Ok(None);
    };
    let way = choose(project, service, build, options)?;
    let image = project.image_name(service).to_string();
    reporter.send(Kind::BuildStarted {
        image: image.clone(),
    });
    let built = match way {
        Way::Direct(plan) => {
            direct::build(engine, project, service, *plan, options, reporter).await?
        }
        Way::Bake(program) => {
            bake::build(engine, project, service, &program, options, reporter).await?
        }
    };
    if !options.check {
        reporter.send(Kind::BuildFinished { image });
    }
    Ok(built)
}

/// Builds the images of services, those that others begin with first, as many at a time as
/// `limit` allows. A failure lets the builds that run come to their end, and starts no more.
///
/// # Errors
/// The first failure.
pub async fn build_all(
    engine: &dyn Engine,
    project: &Project,
    services: &BTreeSet<String>,
    options: &BuildOptions,
    limit: usize,
    reporter: &Reporter,
) -> Result<(), BuildError> {
    let mut waiting = with_dependencies(project, services.iter().map(String::as_str));
    let mut running = FuturesUnordered::new();
    let mut busy: BTreeSet<&str> = BTreeSet::new();
    let mut failure = None;
    loop {
        while failure.is_none() && busy.len() < limit.max(1) {
            let is_free = |s: &&&Service| {
                let mut first = dependencies(s).into_iter();
                first.all(|d| !waiting.contains_key(d) && !busy.contains(d))
            };
            let next = waiting.values().find(is_free).map(|s| s.name.as_str());
            let Some(service) = next.and_then(|name| waiting.remove(name)) else {
                break;
            };
            busy.insert(&service.name);
            running.push(async move {
                let result = build(engine, project, service, options, reporter).await;
                (service.name.as_str(), result)
            });
        }
        let Some((name, result)) = running.next().await else {
            break;
        };
        busy.remove(name);
        if let Err(error) = result {
            failure = failure.or(Some(error));
        }
    }
    match (failure, waiting.values().next()) {
        (Some(error), _) => Err(error),
        (None, Some(service)) => Err(refuse(
            service,
            "additional_contexts",
            "its image and another one each begin with the other".into(),
        )),
        (None, None) => Ok(()),
    }
}

/// Those of the services that are built, with those whose images their builds begin with, whether
/// their profiles are on or not.
pub fn with_dependencies<'a>(
    project: &'a Project,
    services: impl IntoIterator<Item = &'a str>,
) -> BTreeMap<&'a str, &'a Service> {
    let mut all = BTreeMap::new();
    let mut queue: Vec<&str> = services.into_iter().collect();
    while let Some(name) = queue.pop() {
        let Some(service) = project.declared(name).filter(|s| s.build.is_some()) else {
            continue;
        };
        if all.insert(name, service).is_none() {
            queue.extend(dependencies(service));
        }
    }
    all
}

/// The services whose images a service's build begins with (`additional_contexts: service:x`).
pub fn dependencies(service: &Service) -> Vec<&str> {
    let contexts = service
        .build
        .iter()
        .flat_map(|b| b.additional_contexts.values());
    contexts
        .filter_map(|c| c.strip_prefix("service:"))
        .collect()
}

/// How an image comes about.
#[derive(Debug)]
pub enum Way {
    Direct(Box<direct::Plan>),
    /// The program's path.
    Bake(PathBuf),
}

/// Takes the engine's own builder wherever it can do all that is asked.
///
/// # Errors
/// What the engine's builder cannot do, where the program is not installed; a context or a
/// Dockerfile that is not there.
pub fn choose(
    project: &Project,
    service: &Service,
    build: &Build,
    options: &BuildOptions,
) -> Result<Way, BuildError> {
    if let Some(isolation) = build
        .isolation
        .as_deref()
        .filter(|i| !["", "default"].contains(i))
    {
        return Err(refuse(
            service,
            "isolation",
            format!(
                "isolation {isolation:?} is for Windows containers, which this engine does not run"
            ),
        ));
    }
    if let Some(platform) = project.platform_not_built(service) {
        return Err(refuse(
            service,
            "platforms",
            format!("DOCKER_DEFAULT_PLATFORM asks for {platform}, which is not among them"),
        ));
    }
    let session = needs_session(service, build, options);
    match (session, &options.buildx) {
        (Some(_), Some(program)) => {
            sources::check(project, service, build)?;
            ignored::check(service, build)?;
            Ok(Way::Bake(program.clone()))
        }
        (Some((key, what)), None) => Err(refuse(
            service,
            key,
            format!(
                "{what} takes the program docker-buildx, which is not installed (Debian and Ubuntu: apt-get install docker-buildx, or docker-buildx-plugin from Docker)"
            ),
        )),
        (None, program) => {
            let plan = direct::plan(project, service, build, options)?;
            match program {
                // The engine's builder would show the Dockerfile to `COPY .`.
                Some(program) if plan.shows_dockerfile() => Ok(Way::Bake(program.clone())),
                _ => Ok(Way::Direct(Box::new(plan))),
            }
        }
    }
}

/// The first thing that only a session with BuildKit can do: its key under `build`, and words.
fn needs_session(
    service: &Service,
    build: &Build,
    options: &BuildOptions,
) -> Option<(&'static str, String)> {
    let says = |text: &Option<String>| text.as_deref().is_some_and(|t| !matches!(t, "" | "false"));
    let simple_cache = |entry: &String| !entry.contains('=') || cache_image(entry).is_some();
    let platforms = build.platforms.len() > 1 && !options.for_running;
    let remote_inline = is_remote(&build.context) && build.dockerfile_inline.is_some();
    [
        ("secrets", !build.secrets.is_empty(), "a build secret"),
        (
            "ssh",
            !build.ssh.is_empty() || !options.ssh.is_empty(),
            "an ssh agent for a build",
        ),
        (
            "additional_contexts",
            !build.additional_contexts.is_empty(),
            "a further build context",
        ),
        (
            "cache_to",
            !build.cache_to.is_empty(),
            "exporting the build cache",
        ),
        (
            "cache_from",
            !build.cache_from.iter().all(simple_cache),
            "a build cache of this kind",
        ),
        (
            "no_cache_filter",
            !build.no_cache_filter.is_empty(),
            "no_cache_filter",
        ),
        ("platforms", platforms, "building for several platforms"),
        ("privileged", build.privileged, "a privileged build"),
        (
            "entitlements",
            !build.entitlements.is_empty(),
            "an entitlement for a build",
        ),
        (
            "provenance",
            says(&build.provenance) || says(&options.provenance),
            "a provenance attestation",
        ),
        (
            "sbom",
            says(&build.sbom) || says(&options.sbom),
            "an SBOM attestation",
        ),
        (
            "dockerfile_inline",
            remote_inline,
            "dockerfile_inline with a remote context",
        ),
        (
            "context",
            options.push && service.image.is_some(),
            "pushing what was built",
        ),
        ("context", options.check, "checking a Dockerfile"),
        (
            "context",
            options.builder.is_some(),
            "a builder other than the engine's own",
        ),
    ]
    .into_iter()
    .find(|(_, needed, _)| *needed)
    .map(|(key, _, what)| (key, what.to_string()))
}

/// The image that a simple `cache_from` entry names.
fn cache_image(entry: &str) -> Option<&str> {
    if !entry.contains('=') {
        return Some(entry);
    }
    let (mut registry, mut image, mut other) = (false, None, false);
    for part in entry.split(',') {
        match part.split_once('=') {
            Some(("type", kind)) => registry = kind == "registry",
            Some(("ref", reference)) => image = Some(reference),
            _ => other = true,
        }
    }
    image.filter(|_| registry && !other)
}

/// Whether a context is fetched by the builder rather than read here.
pub fn is_remote(context: &str) -> bool {
    const PREFIXES: [&str; 6] = [
        "http://",
        "https://",
        "git://",
        "ssh://",
        "github.com/",
        "git@",
    ];
    PREFIXES.iter().any(|p| context.starts_with(p))
}

/// A refusal at an attribute of `build`, or at `build` where the attribute is not there.
fn refuse(service: &Service, key: &str, message: String) -> BuildError {
    let node = service.spec.at(&["build", key]);
    let path = match node {
        Some(_) => format!("services.{}.build.{key}", service.name),
        None => format!("services.{}.build", service.name),
    };
    let span = node
        .or_else(|| service.spec.get("build"))
        .map_or(service.span, |n| n.span);
    BuildError::Refused(Box::new(Diagnostic::error("build", path, message).at(span)))
}

/// Build arguments: the command line's over the file's over the client's proxies. Those without a
/// value take the project's, or are not given at all.
fn arguments(project: &Project, build: &Build, options: &BuildOptions) -> BTreeMap<String, String> {
    let mut all = options.proxy_environment.clone();
    for (key, value) in build.args.iter().chain(&options.args) {
        match value.as_ref().or_else(|| project.environment.get(key)) {
            Some(value) => all.insert(key.clone(), value.clone()),
            None => all.remove(key),
        };
    }
    all
}

/// The labels of a built image: the user's, with Compose's on top.
fn image_labels(project: &Project, service: &Service, build: &Build) -> BTreeMap<String, String> {
    let mut all = build.labels.clone();
    all.insert(labels::PROJECT.into(), project.name.clone());
    all.insert(labels::SERVICE.into(), service.name.clone());
    all.insert(labels::VERSION.into(), labels::COMPOSE_VERSION.into());
    all
}

/// The names of a built image.
fn tags(project: &Project, service: &Service, build: &Build) -> Vec<String> {
    let mut all = build.tags.clone();
    let name = project.image_name(service);
    if !all.contains(&name) {
        all.push(name);
    }
    all
}

/// The one platform to build for, where one is asked for.
fn platform<'a>(project: &'a Project, service: &'a Service, build: &'a Build) -> Option<&'a str> {
    project
        .platform_of(service)
        .or(match build.platforms.as_slice() {
            [only] => Some(only),
            _ => None,
        })
}

#[cfg(test)]
mod tests;
