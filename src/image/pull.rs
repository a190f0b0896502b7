//! Pulling an image, with its progress.

use crate::engine::{Engine, EngineError, PullProgress};
use crate::event::{Event, Progress, Reporter};
use crate::value::bytes::human_size;
use futures::StreamExt;

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
    let id = format!("Image {reference}");
    reporter.working(&id, "Pulling");
    let mut parts = engine.pull_image(reference, platform);
    while let Some(part) = parts.next().await {
        match part {
            Ok(progress) if !options.quiet => {
                if let Some(event) = layer_event(&id, progress) {
                    reporter.event(event);
                }
            }
            Ok(_) => {}
            Err(error) => {
                let words = error.message().to_string();
                reporter.event(match options.optional {
                    true => Event::new(&id, Progress::Warning, &words),
                    false => Event {
                        details: words,
                        ..Event::new(&id, Progress::Error, "Error")
                    },
                });
                return Err(error);
            }
        }
    }
    reporter.done(&id, "Pulled");
    Ok(())
}

/// What a layer's message shows; messages about the whole image show nothing.
fn layer_event(image: &str, progress: PullProgress) -> Option<Event> {
    let layer = progress.layer.filter(|id| !id.is_empty())?;
    let done = matches!(
        progress.status.as_str(),
        "Download complete" | "Already exists" | "Pull complete"
    );
    Some(Event {
        id: layer,
        parent: Some(image.to_string()),
        progress: if done {
            Progress::Done
        } else {
            Progress::Working
        },
        text: progress.status,
        details: human_size(progress.current.unwrap_or(0)),
        current: progress.current,
        total: progress.total,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fake::{Fake, FakeImage};
    use crate::event::Notice;

    #[test]
    fn layers() {
        let progress = |layer: Option<&str>, status: &str| PullProgress {
            layer: layer.map(str::to_string),
            status: status.into(),
            current: None,
            total: None,
        };
        let event = layer_event("Image a", progress(Some("b88f"), "Already exists")).unwrap();
        assert_eq!(
            (event.progress, event.details.as_str()),
            (Progress::Done, "0B")
        );
        assert_eq!(
            layer_event("Image a", progress(None, "Digest: sha256:1")),
            None
        );
    }

    #[tokio::test]
    async fn events_of_a_pull() {
        let fake = Fake::new();
        fake.add_remote_image(FakeImage::new("nginx:1"));
        let (sender, mut notices) = tokio::sync::mpsc::unbounded_channel();
        let reporter = Reporter::new(sender);
        let options = PullOptions::default();
        pull(&fake, "nginx:1", None, options, &reporter)
            .await
            .unwrap();
        let error = pull(&fake, "nope", None, options, &reporter)
            .await
            .unwrap_err();
        assert!(error.is_not_found());
        drop(reporter);
        let mut seen = Vec::new();
        while let Some(Notice::Event(event)) = notices.recv().await {
            seen.push(format!("{} {}", event.id, event.text));
        }
        assert_eq!(
            seen,
            [
                "Image nginx:1 Pulling",
                "Image nginx:1 Pulled",
                "Image nope Pulling",
                "Image nope Error"
            ]
        );
    }
}
