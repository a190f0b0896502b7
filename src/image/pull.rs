//! Pulling an image, with its progress.

use crate::engine::{Engine, EngineError, PullProgress};
use crate::event::{Kind, Reporter, Resource, ResourceKind, Skipped};
use crate::image::policy::{PullChoice, pull_choice};
use crate::project::Project;
use crate::service::Service;
use crate::value::image::Reference;
use futures::StreamExt;
use futures::stream;
use std::collections::BTreeMap;

/// How a pull is shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct PullOptions {
    /// Nothing about single layers.
    pub quiet: bool,
    /// A failure is no obstacle, since the image can be built or is there already.
    pub optional: bool,
}

/// Pulls one image.
///
/// # Errors
/// The registry's or the engine's refusal, or a broken connection.
pub async fn pull(
    engine: &dyn Engine,
    reference: &str,
    platform: Option<&str>,
    options: PullOptions,
    reporter: &Reporter,
) -> Result<(), EngineError> {
    let image = reference.to_owned();
    reporter.send(Kind::PullStarted {
        image: image.clone(),
    });
    let mut parts = engine.pull_image(reference, platform);
    while let Some(part) = parts.next().await {
        match part {
            Ok(progress) if !options.quiet => {
                if let Some(event) = layer_event(reference, progress) {
                    reporter.send(event);
                    reporter.room().await;
                }
            }
            Ok(_) => {}
            Err(error) => {
                reporter.send(Kind::PullFailed {
                    image,
                    message: error.message().to_string(),
                    optional: options.optional,
                });
                return Err(error);
            }
        }
    }
    reporter.send(Kind::PullFinished { image });
    Ok(())
}

/// What the command `pull` asks for.
#[derive(Debug, Clone, Default)]
pub struct PullAll {
    /// `--policy`, instead of the services' own.
    pub policy: Option<String>,
    pub quiet: bool,
    /// Leave out images that can be built.
    pub ignore_buildable: bool,
    /// Go on after a failure.
    pub goes_on: bool,
    /// Pulls at a time.
    pub limit: usize,
    /// Only say what would be pulled.
    pub dry_run: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Pulled {
    /// Images that could not be pulled, with the reason.
    pub failed: Vec<(String, EngineError)>,
    /// Services whose image could not be pulled, but can be built.
    pub to_build: Vec<String>,
}

/// An image to pull, with what asks for it.
struct Job<'a> {
    reference: &'a str,
    platform: Option<&'a str>,
    /// The services that can build it.
    builders: Vec<&'a str>,
}

/// Pulls the images of a project's services, each once. A failure stops the pulls that have not
/// begun, unless the image can be built.
///
/// # Errors
/// If the engine cannot say which images are there.
pub async fn pull_all(
    engine: &dyn Engine,
    project: &Project,
    options: &PullAll,
    reporter: &Reporter,
) -> Result<Pulled, EngineError> {
    let mut jobs: BTreeMap<String, Job<'_>> = BTreeMap::new();
    for service in project.services.values() {
        for (reference, policy) in images(service, options) {
            let skip = |reason: Skipped| {
                let resource = Resource::new(ResourceKind::Image, reference);
                reporter.send(Kind::PullSkipped { resource, reason });
            };
            let own = service.image.as_deref() == Some(reference);
            let builds = own && service.build.is_some();
            let name = Reference::parse(reference).familiar();
            if let Some(job) = jobs.get_mut(&name) {
                job.builders.extend(builds.then_some(service.name.as_str()));
                continue;
            }
            match due(engine, reference, policy).await? {
                Due::No(why) => skip(why),
                Due::Yes if builds && options.ignore_buildable => skip(Skipped::Buildable),
                Due::Yes if options.dry_run => skip(Skipped::DryRun),
                Due::Yes => {
                    let platform = match own {
                        true => project.platform_of(service),
                        false => project.default_platform(),
                    };
                    let job = Job {
                        reference,
                        platform,
                        builders: builds
                            .then_some(service.name.as_str())
                            .into_iter()
                            .collect(),
                    };
                    jobs.insert(name, job);
                }
            }
        }
        if service.image.is_none() && service.provider.is_none() {
            reporter.send(Kind::PullSkipped {
                resource: Resource::new(ResourceKind::Service, &service.name),
                reason: Skipped::NoImage,
            });
        }
    }
    let mut pulled = Pulled::default();
    let mut running = stream::iter(jobs.into_values())
        .map(|job| async move {
            let options = PullOptions {
                quiet: options.quiet,
                optional: !job.builders.is_empty(),
            };
            let result = pull(engine, job.reference, job.platform, options, reporter).await;
            (job, result)
        })
        .buffer_unordered(options.limit.max(1));
    while let Some((job, result)) = running.next().await {
        let Err(error) = result else {
            continue;
        };
        let fatal = job.builders.is_empty();
        pulled
            .to_build
            .extend(job.builders.into_iter().map(str::to_string));
        pulled.failed.push((job.reference.to_string(), error));
        if fatal && !options.goes_on {
            break;
        }
    }
    pulled.to_build.sort();
    Ok(pulled)
}

/// The images that a service runs, with the policy that holds for each.
fn images<'a>(service: &'a Service, options: &'a PullAll) -> Vec<(&'a str, Option<&'a str>)> {
    let policy = options.policy.as_deref().or(service.pull_policy.as_deref());
    // A hook's image cannot be built, so `build` means no more than usual for it.
    let hook_policy = match service.pull_policy.as_deref() {
        Some("build") => Some("missing"),
        other => other,
    };
    let own = service.image.as_deref().map(|image| (image, policy));
    let hooks = service
        .pre_start
        .iter()
        .filter_map(|hook| hook.image.as_deref());
    let hooks = hooks
        .filter(|image| Some(*image) != service.image.as_deref())
        .map(|image| (image, hook_policy));
    own.into_iter().chain(hooks).collect()
}

enum Due {
    Yes,
    No(Skipped),
}

/// Whether `pull` pulls an image: always, unless a policy says otherwise.
async fn due(
    engine: &dyn Engine,
    reference: &str,
    policy: Option<&str>,
) -> Result<Due, EngineError> {
    let choice = match policy.filter(|p| !p.is_empty()) {
        Some(policy) => pull_choice(Some(policy)),
        None => return Ok(Due::Yes),
    };
    match choice {
        PullChoice::Always | PullChoice::Refresh(_) => Ok(Due::Yes),
        PullChoice::Never | PullChoice::Build => Ok(Due::No(Skipped::Policy)),
        // What is called `latest` may have moved on.
        PullChoice::Missing if Reference::parse(reference).tag.as_deref() == Some("latest") => {
            Ok(Due::Yes)
        }
        PullChoice::Missing => match engine.inspect_image(reference).await {
            Ok(_) => Ok(Due::No(Skipped::Present)),
            Err(error) if error.is_not_found() => Ok(Due::Yes),
            Err(error) => Err(error),
        },
    }
}

/// What a layer's message tells; messages about the whole image tell nothing.
fn layer_event(image: &str, progress: PullProgress) -> Option<Kind> {
    Some(Kind::PullProgress {
        image: image.to_owned(),
        layer: progress.layer.filter(|id| !id.is_empty())?,
        status: progress.status,
        current: progress.current,
        total: progress.total,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fake::{Fake, FakeImage};
    use crate::event::Interest;

    #[test]
    fn only_layers_are_told_of() {
        let progress = |layer: Option<&str>| PullProgress {
            layer: layer.map(str::to_string),
            status: "Already exists".into(),
            current: None,
            total: None,
        };
        assert!(layer_event("a", progress(Some("b88f"))).is_some());
        assert_eq!(layer_event("a", progress(Some(""))), None);
        assert_eq!(layer_event("a", progress(None)), None);
    }

    #[tokio::test]
    async fn each_image_once() {
        let fake = Fake::new();
        fake.add_remote_image(FakeImage::new("nginx:1"));
        fake.add_remote_image(FakeImage::new("busybox"));
        let mut project = Project::default();
        for (name, service) in [
            ("a", serde_json::json!({"image": "nginx:1"})),
            ("b", serde_json::json!({"image": "nginx:1"})),
            (
                "built",
                serde_json::json!({"image": "own:1", "build": {"context": "."}}),
            ),
            (
                "here",
                serde_json::json!({"image": "busybox", "pull_policy": "missing"}),
            ),
            (
                "never",
                serde_json::json!({"image": "gone", "pull_policy": "never"}),
            ),
            ("unnamed", serde_json::json!({"build": {"context": "."}})),
        ] {
            let mut service: Service = serde_json::from_value(service).unwrap();
            service.name = name.into();
            project.services.insert(name.into(), service);
        }
        let options = PullAll {
            limit: 9,
            ..PullAll::default()
        };
        let reporter = Reporter::silent();
        let pulled = pull_all(&fake, &project, &options, &reporter)
            .await
            .unwrap();
        assert_eq!(pulled.to_build, ["built"]);
        assert_eq!(pulled.failed.len(), 1);
        let mut calls: Vec<_> = fake
            .calls()
            .into_iter()
            .map(|c| format!("{} {}", c.method, c.target))
            .collect();
        calls.sort();
        assert_eq!(
            calls,
            [
                "pull_image busybox",
                "pull_image nginx:1",
                "pull_image own:1"
            ]
        );
    }

    #[tokio::test]
    async fn events_of_a_pull() {
        let fake = Fake::new();
        fake.add_remote_image(FakeImage::new("nginx:1"));
        let reporter = Reporter::new("pull");
        let mut events = reporter.subscribe(Interest::Progress);
        let options = PullOptions::default();
        pull(&fake, "nginx:1", None, options, &reporter)
            .await
            .unwrap();
        let error = pull(&fake, "nope", None, options, &reporter)
            .await
            .unwrap_err();
        assert!(error.is_not_found());
        let seen: Vec<Kind> = events.drain().iter().map(|e| e.kind.clone()).collect();
        let image = |name: &str| name.to_owned();
        assert_eq!(
            seen[1..],
            [
                Kind::PullStarted {
                    image: image("nginx:1")
                },
                Kind::PullFinished {
                    image: image("nginx:1")
                },
                Kind::PullStarted {
                    image: image("nope")
                },
                Kind::PullFailed {
                    image: image("nope"),
                    message: error.message().to_string(),
                    optional: false
                },
            ]
        );
    }
}
