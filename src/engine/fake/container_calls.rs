//! Further calls on single containers and images.

use super::images::full;
use super::world::World;
use super::{Fake, FakeImage, refuse};
use crate::engine::{
    CommitRequest, ContainerCalls, ContainerState, EngineError, EngineEvent, ImageRecord, Parts,
    Period, Processes, Reply, Usage,
};
use futures::TryFutureExt;
use futures::stream::{self, StreamExt, TryStreamExt};
use std::time::Duration;

/// The instructions that the engine applies to an image it makes of a container.
const CHANGES: [&str; 12] = [
    "CMD",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "HEALTHCHECK",
    "LABEL",
    "ONBUILD",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
    "ARG",
];

impl World {
    fn freeze(&mut self, id: &str) -> Result<(), EngineError> {
        let container = self.get(id)?;
        let id = container.id.clone();
        match container.state {
            ContainerState::Running => container.state = ContainerState::Paused,
            ContainerState::Paused => {
                return Err(refuse(409, format!("Container {id} is already paused")));
            }
            ContainerState::Restarting => {
                let message =
                    format!("Container {id} is restarting, wait until the container is running");
                return Err(refuse(409, message));
            }
            _ => return Err(refuse(409, format!("container {id} is not running"))),
        }
        self.emit(&id, "pause", &[]);
        Ok(())
    }

    fn thaw(&mut self, id: &str) -> Result<(), EngineError> {
        let container = self.get(id)?;
        let id = container.id.clone();
        if container.state != ContainerState::Paused {
            return Err(refuse(500, format!("Container {id} is not paused")));
        }
        container.state = ContainerState::Running;
        self.emit(&id, "unpause", &[]);
        Ok(())
    }

    fn commit(&mut self, request: &CommitRequest) -> Result<String, EngineError> {
        let wrong = request.changes.iter().find(|line| {
            let word = line.split_whitespace().next().unwrap_or_default();
            !CHANGES.contains(&word.to_uppercase().as_str())
        });
        let container = self.get(&request.container)?;
        let (id, labels) = (container.id.clone(), container.labels.clone());
        if let Some(line) = wrong {
            let word = line.split_whitespace().next().unwrap_or_default();
            let message = format!("{} is not a valid change command", word.to_uppercase());
            return Err(refuse(400, message));
        }
        let content = self.new_id();
        let name = match request.repository.as_str() {
            "" => String::new(),
            repository => full(&format!("{repository}:{}", request.tag)),
        };
        let mut image = FakeImage::with_content("", &content);
        image.tags = Some(name)
            .filter(|name| !name.is_empty())
            .into_iter()
            .collect();
        image.labels = labels;
        let made = image.id.clone();
        self.store_image(image);
        self.emit(&id, "commit", &[("imageID", &made)]);
        Ok(made)
    }
}

impl ContainerCalls for Fake {
    fn pause_container<'a>(&'a self, id: &'a str) -> Reply<'a, ()> {
        self.call("pause_container", id, move |fake| {
            fake.change(|world| world.freeze(id))
        })
    }

    fn unpause_container<'a>(&'a self, id: &'a str) -> Reply<'a, ()> {
        self.call("unpause_container", id, move |fake| {
            fake.change(|world| world.thaw(id))
        })
    }

    fn wait_container<'a>(&'a self, id: &'a str) -> Reply<'a, i64> {
        let begun = self.call("wait_container", id, move |fake| {
            let mut world = fake.lock();
            Ok(world.get(id)?.id.clone())
        });
        Box::pin(async move {
            let id = begun.await?;
            let mut changes = self.shared.changes.subscribe();
            loop {
                changes.mark_unchanged();
                {
                    let world = self.lock();
                    match world.containers.get(&id) {
                        Some(container) if container.is_up() => {}
                        Some(container) => return Ok(container.exit_code),
                        // Its last code is not told any more.
                        None => return Ok(0),
                    }
                }
                let _ = changes.changed().await;
            }
        })
    }

    fn processes<'a>(&'a self, id: &'a str) -> Reply<'a, Processes> {
        self.call("processes", id, move |fake| {
            let mut world = fake.lock();
            let container = world.get(id)?;
            let id = &container.id;
            match container.state {
                ContainerState::Running | ContainerState::Paused => {}
                ContainerState::Restarting => {
                    let message = format!(
                        "container {id} is restarting, wait until the container is running"
                    );
                    return Err(refuse(409, message));
                }
                _ => return Err(refuse(409, format!("container {id} is not running"))),
            }
            let words = container.body["Cmd"].as_array().into_iter().flatten();
            let words: Vec<&str> = words.filter_map(serde_json::Value::as_str).collect();
            let row = ["root", &container.generation.to_string(), &words.join(" ")];
            Ok(Processes {
                titles: ["UID", "PID", "CMD"].map(str::to_owned).to_vec(),
                rows: vec![row.map(str::to_owned).to_vec()],
            })
        })
    }

    fn usage(&self, id: String, follow: bool) -> Parts<'_, Usage> {
        let opened = self.call("usage", id.clone(), move |fake| {
            let mut world = fake.lock();
            Ok(world.get(&id)?.id.clone())
        });
        let measured = opened.map_ok(move |id| {
            stream::unfold((id, 0_u32), move |(id, count)| async move {
                if count > 0 && !follow {
                    return None;
                }
                if count > 0 {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                let world = self.lock();
                let container = world.containers.get(&id)?;
                let mut usage = Usage {
                    id: id.clone(),
                    name: container.name.clone(),
                    ..Usage::default()
                };
                if container.is_up() {
                    usage.cpu = 0.5;
                    usage.memory = 6 << 20;
                    usage.memory_limit = 1 << 30;
                    usage.processes = 1;
                }
                drop(world);
                Some((Ok(usage), (id, count + 1)))
            })
        });
        stream::once(measured).try_flatten().boxed()
    }

    fn export_container<'a>(&'a self, id: &'a str) -> Parts<'a, Vec<u8>> {
        let opened = self.call("export_container", id, move |fake| {
            let mut world = fake.lock();
            let files = world.get(id)?.files.clone();
            let mut tar = tar::Builder::new(Vec::new());
            for file in files {
                let mut header = tar::Header::new_gnu();
                header.set_size(0);
                tar.append_data(&mut header, file.trim_start_matches('/'), std::io::empty())
                    .map_err(|e| refuse(500, e.to_string()))?;
            }
            tar.into_inner().map_err(|e| refuse(500, e.to_string()))
        });
        stream::once(opened).boxed()
    }

    fn commit_container(&self, request: CommitRequest) -> Reply<'_, String> {
        self.call("commit_container", request.container.clone(), move |fake| {
            fake.change(|world| world.commit(&request))
        })
    }

    fn events_within(&self, labels: Vec<String>, period: Period) -> Parts<'_, EngineEvent> {
        let opened = self.call("events_within", labels.join(","), move |fake| {
            Ok(fake.event_stream(labels, period.since, period.until))
        });
        stream::once(opened).try_flatten().boxed()
    }

    fn image_record<'a>(
        &'a self,
        reference: &'a str,
        _platform: Option<&'a str>,
    ) -> Reply<'a, ImageRecord> {
        self.call("image_record", reference, move |fake| {
            let world = fake.lock();
            let image = world.image(reference)?;
            Ok(ImageRecord {
                id: image.id.clone(),
                platform: image.platform.clone().unwrap_or_default(),
                size: 2_026_739,
                created: "1970-01-01T00:00:00Z".into(),
                tagged: String::new(),
                exposed: Vec::new(),
            })
        })
    }
}
