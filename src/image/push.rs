//! Pushing images to their registries.

use super::refusal::Refusal;
use crate::engine::{Engine, EngineError, PullProgress};
use crate::event::{Reporter, Status};
use crate::project::Project;
use crate::value::bytes::human_size;
use futures::StreamExt;
use futures::stream;
use std::collections::BTreeSet;
use std::time::Duration;

/// What the command `push` asks for.
#[derive(Debug, Clone, Default)]
pub struct PushAll {
    /// Nothing about single layers.
    pub quiet: bool,
    /// Failures are warnings.
    pub goes_on: bool,
    /// Pushes at a time.
    pub limit: usize,
    /// Only say what would be pushed.
    pub dry_run: bool,
}

/// How often a push is tried where the registry, or the way to it, is disturbed.
const ATTEMPTS: u32 = 4;
/// Before the second attempt; twice as long before each one after.
const PAUSE: Duration = Duration::from_secs(1);

/// Pushes what the project's services build under a name of their own, each name once. Gives the
/// images that could not be pushed. A failure stops the pushes that have not begun.
pub async fn push_all(
    engine: &dyn Engine,
    project: &Project,
    options: &PushAll,
    reporter: &Reporter,
) -> Vec<(String, EngineError)> {
    let mut images = BTreeSet::new();
    for service in project.services.values() {
        match (&service.build, &service.image) {
            (Some(build), Some(image)) => {
                images.insert(image.as_str());
                images.extend(build.tags.iter().map(String::as_str));
            }
            _ => reporter.progress(&service.name, Status::Done, "Skipped", ""),
        }
    }
    let mut failed = Vec::new();
    let mut running = stream::iter(images)
        .map(|image| async move { (image, push(engine, image, options, reporter).await) })
        .buffer_unordered(options.limit.max(1));
    while let Some((image, result)) = running.next().await {
        let Err(error) = result else { continue };
        failed.push((image.to_owned(), error));
        if !options.goes_on {
            break;
        }
    }
    failed
}

async fn push(
    engine: &dyn Engine,
    image: &str,
    options: &PushAll,
    reporter: &Reporter,
) -> Result<(), EngineError> {
    if options.dry_run {
        let why = "dry run: it would be pushed";
        reporter.progress(image, Status::Done, "Skipped", why);
        return Ok(());
    }
    reporter.working(image, "Pushing");
    let mut pause = PAUSE;
    for attempt in 1.. {
        let error = match try_once(engine, image, options, reporter).await {
            Ok(()) => break,
            Err(error) => error,
        };
        let may_pass = matches!(
            Refusal::of(error.message()),
            Refusal::Passing | Refusal::RateLimit
        );
        if !may_pass || attempt == ATTEMPTS {
            let status = match options.goes_on {
                true => Status::Warning,
                false => Status::Error,
            };
            reporter.progress(image, status, error.message(), "");
            return Err(error);
        }
        let why = format!("again in {} s: {}", pause.as_secs(), error.message());
        reporter.progress(image, Status::Working, "Pushing", &why);
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    reporter.progress(image, Status::Done, "Pushed", "");
    Ok(())
}

async fn try_once(
    engine: &dyn Engine,
    image: &str,
    options: &PushAll,
    reporter: &Reporter,
) -> Result<(), EngineError> {
    let mut parts = engine.push_image(image);
    let mut begun = BTreeSet::new();
    while let Some(part) = parts.next().await {
        let PullProgress {
            layer,
            status,
            current,
            total,
        } = part?;
        let Some(layer) = layer.filter(|_| !options.quiet) else {
            continue;
        };
        let is_done = matches!(status.as_str(), "Pushed" | "Layer already exists")
            || status.starts_with("Mounted from");
        let is_first = status == "Pushing" && begun.insert(layer.clone());
        let (state, details) = match (current, total) {
            _ if is_done => (Status::Done, String::new()),
            (Some(current), Some(total)) if total > 0 => {
                let (current, total) = (human_size(current), human_size(total));
                (Status::Working, format!("{current}/{total}"))
            }
            _ => (Status::Working, String::new()),
        };
        if is_done || is_first {
            reporter.progress(&layer, state, &status, &details);
            reporter.room().await;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fake::{Fake, FakeImage};
    use crate::service::Service;

    fn project() -> Project {
        let mut project = Project::default();
        for (name, service) in [
            (
                "web",
                serde_json::json!({"image": "r/web:1", "build": {"context": ".", "tags": ["r/web:2"]}}),
            ),
            (
                "again",
                serde_json::json!({"image": "r/web:1", "build": {"context": "."}}),
            ),
            ("unnamed", serde_json::json!({"build": {"context": "."}})),
            ("pulled", serde_json::json!({"image": "busybox"})),
        ] {
            let mut service: Service = serde_json::from_value(service).unwrap();
            service.name = name.into();
            project.services.insert(name.into(), service);
        }
        project
    }

    #[tokio::test]
    async fn what_is_built_and_named_is_pushed_once() {
        let fake = Fake::new();
        for tag in ["r/web:1", "r/web:2"] {
            fake.add_image(FakeImage::new(tag));
        }
        let options = PushAll {
            limit: 9,
            ..PushAll::default()
        };
        let failed = push_all(&fake, &project(), &options, &Reporter::silent()).await;
        assert!(failed.is_empty(), "{failed:?}");
        let mut calls: Vec<_> = fake.calls().into_iter().map(|c| c.target).collect();
        calls.sort();
        assert_eq!(calls, ["r/web:1", "r/web:2"]);
    }

    #[tokio::test]
    async fn a_failure_ends_it_unless_it_is_to_go_on() {
        for (goes_on, pushed) in [(false, 1), (true, 2)] {
            let fake = Fake::new();
            fake.add_image(FakeImage::new("r/web:2"));
            let options = PushAll {
                limit: 1,
                goes_on,
                ..PushAll::default()
            };
            let failed = push_all(&fake, &project(), &options, &Reporter::silent()).await;
            assert_eq!(failed.len(), 1);
            assert_eq!(failed[0].0, "r/web:1");
            assert_eq!(fake.calls().len(), pushed);
        }
    }
}
