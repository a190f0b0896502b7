//! The trait's calls.

use super::containers::{ends_process, signal_number};
use super::create::RUNTIMES;
use super::faults::Call;
use super::images::full;
use super::world::has_labels;
use super::{Fake, FakeImage, refuse};
use crate::engine::{
    Archive, AttachRequest, Awaited, BuildMessage, BuildRequest, ContainerDetails, ContainerFilter,
    ContainerRequest, ContainerState, ContainerSummary, Engine, EngineError, EngineEvent,
    ExecRequest, ImageSummary, Life, LogOptions, NetworkSummary, OutputChunk, Parts, PathStat,
    PullProgress, Reply, ResourceRequest, Streams, TerminalSize, Upload, VolumeSummary,
};
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value;

impl Fake {
    /// Stops a container as [`Engine::stop_container`] does, without being a call of its own.
    async fn stop(&self, id: &str, timeout: Option<i64>) -> Result<(), EngineError> {
        let (id, generation, delay, code) = {
            let mut world = self.lock();
            let id = world.get(id)?.id.clone();
            let container = &world.containers[&id];
            if !container.is_up() {
                return Ok(());
            }
            let (delay, code) = world.stop_of(container, timeout);
            let generation = container.generation;
            // From here on no policy brings it back.
            if let Some(container) = world.containers.get_mut(&id) {
                container.stopped_by_hand = true;
                if container.state == ContainerState::Restarting {
                    container.state = ContainerState::Exited;
                    container.generation += 1;
                    return Ok(());
                }
            }
            (id, generation, delay, code)
        };
        self.change(|world| world.emit(&id, "kill", &[("signal", "15")]));
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        self.change(|world| {
            if world.generation(&id) == Some(generation) {
                world.end(&id, code, true);
            }
            world.emit(&id, "stop", &[]);
        });
        Ok(())
    }

    fn start(&self, id: &str) -> Result<(), EngineError> {
        let started = self.change(|world| world.start(id, false))?;
        if started {
            let id = self.lock().find(id)?;
            self.play(&id);
        }
        Ok(())
    }
}

impl Engine for Fake {
    fn endpoint(&self) -> String {
        "fake://".into()
    }

    /// It notes down what it announces, as Docker Engine does.
    fn announces_early(&self) -> bool {
        false
    }

    fn resolves_short_names(&self) -> bool {
        false
    }

    fn version(&self) -> Reply<'_, (String, String)> {
        self.call("version", "", |_| Ok(("28.5.2".into(), "1.51".into())))
    }

    fn list_containers(&self, filter: ContainerFilter) -> Reply<'_, Vec<ContainerSummary>> {
        self.call("list_containers", filter.labels.join(","), move |fake| {
            let world = fake.lock();
            let mut rows: Vec<_> = world
                .containers
                .values()
                .filter(|c| filter.all || c.is_up())
                .filter(|c| has_labels(&c.labels, &filter.labels))
                .collect();
            // Newest first, as the engine lists them.
            rows.sort_by(|a, b| b.created.cmp(&a.created).then(b.id.cmp(&a.id)));
            Ok(rows.into_iter().map(|c| world.summary(c)).collect())
        })
    }

    fn inspect_container<'a>(&'a self, id: &'a str) -> Reply<'a, ContainerDetails> {
        self.call("inspect_container", id, move |fake| {
            let world = fake.lock();
            let id = world.find(id)?;
            Ok(world.details(&world.containers[&id]))
        })
    }

    fn create_container(&self, request: ContainerRequest) -> Reply<'_, String> {
        self.call("create_container", request.name.clone(), move |fake| {
            fake.change(|world| world.create(request))
        })
    }

    fn start_container<'a>(&'a self, id: &'a str) -> Reply<'a, ()> {
        self.call("start_container", id, move |fake| fake.start(id))
    }

    fn stop_container<'a>(&'a self, id: &'a str, timeout: Option<i64>) -> Reply<'a, ()> {
        let call = Call {
            method: "stop_container",
            target: id.into(),
        };
        Box::pin(async move {
            let after = self.enter(call).await?;
            let result = self.stop(id, timeout).await;
            self.leave(after).await?;
            result
        })
    }

    fn restart_container<'a>(&'a self, id: &'a str, timeout: Option<i64>) -> Reply<'a, ()> {
        let call = Call {
            method: "restart_container",
            target: id.into(),
        };
        Box::pin(async move {
            let after = self.enter(call).await?;
            self.stop(id, timeout).await?;
            // Whatever hinders the start, here it is an error of the engine's own.
            let result = self.start(id).map_err(|e| {
                refuse(
                    500,
                    format!("Cannot restart container {id}: {}", e.message()),
                )
            });
            if result.is_ok() {
                self.change(|world| world.find(id).map(|id| world.emit(&id, "restart", &[])))?;
            }
            self.leave(after).await?;
            result
        })
    }

    fn kill_container<'a>(&'a self, id: &'a str, signal: &'a str) -> Reply<'a, ()> {
        self.call("kill_container", id, move |fake| {
            let (found, ends) = fake.change(|world| {
                let signal = if signal.is_empty() { "KILL" } else { signal };
                // The signal is looked at before the container.
                let number = signal_number(signal).ok_or_else(|| {
                    refuse(
                        400,
                        format!("cannot kill container: {id}: invalid signal: {signal}"),
                    )
                })?;
                let container = world.get(id)?;
                let (found, name) = (container.id.clone(), container.name.clone());
                if !matches!(
                    container.state,
                    ContainerState::Running | ContainerState::Paused
                ) {
                    return Err(refuse(
                        409,
                        format!("cannot kill container: {name}: container {found} is not running"),
                    ));
                }
                // A process that can be stopped answers other signals in the same way.
                let ends = match (number, container.script.on_stop) {
                    (9, _) => Some(137),
                    (n, Some((_, code))) if ends_process(n) => Some(code),
                    _ => None,
                };
                // Whatever the signal: it is the end of the restart policy's turn.
                container.stopped_by_hand = true;
                world.emit(&found, "kill", &[("signal", &number.to_string())]);
                Ok((found, ends))
            })?;
            if let Some(code) = ends {
                fake.note(&found, super::Act::Exit(code));
            }
            Ok(())
        })
    }

    fn rename_container<'a>(&'a self, id: &'a str, name: &'a str) -> Reply<'a, ()> {
        self.call("rename_container", format!("{id} {name}"), move |fake| {
            fake.change(|world| world.rename(id, name))
        })
    }

    fn remove_container<'a>(&'a self, id: &'a str, force: bool, volumes: bool) -> Reply<'a, ()> {
        self.call("remove_container", id, move |fake| {
            fake.change(|world| world.remove(id, force, volumes))
        })
    }

    fn put_archive<'a>(&'a self, id: &'a str, path: &'a str, tar: Vec<u8>) -> Reply<'a, ()> {
        self.call("put_archive", id, move |fake| {
            let mut files = Vec::new();
            let mut archive = tar::Archive::new(tar.as_slice());
            let entries = archive
                .entries()
                .map_err(|e| refuse(500, format!("Error processing tar file: {e}")))?;
            for entry in entries.flatten() {
                let inside = entry
                    .path()
                    .map(|p| p.display().to_string())
                    .unwrap_or_default();
                files.push(inside);
            }
            fake.change(|world| world.get(id)?.unpack(path, &files))
        })
    }

    fn upload<'a>(&'a self, id: &'a str, mut upload: Upload) -> Reply<'a, ()> {
        Box::pin(async move {
            let mut tar = Vec::new();
            while let Some(piece) = upload.tar.next().await {
                let broken = |e: std::io::Error| EngineError::Broken {
                    message: e.to_string(),
                };
                tar.extend(piece.map_err(broken)?);
            }
            self.put_archive(id, &upload.path, tar).await
        })
    }

    fn stat_path<'a>(&'a self, id: &'a str, path: &'a str) -> Reply<'a, PathStat> {
        self.call("stat_path", id, move |fake| {
            fake.change(|world| world.get(id)?.stat(path))
        })
    }

    fn download<'a>(&'a self, id: &'a str, path: &'a str) -> Reply<'a, Archive> {
        self.call("download", id, move |fake| {
            fake.change(|world| world.get(id)?.pack(path))
        })
    }

    fn logs<'a>(&'a self, id: &'a str, options: LogOptions) -> Parts<'a, OutputChunk> {
        let opened = self.call("logs", id, move |fake| {
            Ok(fake.log_stream(id.into(), options))
        });
        stream::once(opened).try_flatten().boxed()
    }

    fn is_on_this_machine(&self) -> bool {
        self.lock().shares_files
    }

    fn runtimes(&self) -> Reply<'_, Option<Vec<String>>> {
        let known = RUNTIMES.map(str::to_owned).to_vec();
        self.call("runtimes", "", move |_| Ok(Some(known)))
    }

    fn sees_processes(&self) -> bool {
        self.lock().shows_processes
    }

    fn life(&self, container: &ContainerDetails) -> Life {
        let world = self.lock();
        if !world.shows_processes {
            return Life::Unseen;
        }
        let same = world
            .containers
            .get(&container.id)
            .filter(|c| c.pid() == Some(container.pid) && c.gone != Some(c.generation));
        match same {
            Some(_) => Life::Alive {
                is_busy: false,
                waited: std::time::Duration::ZERO,
            },
            None => Life::Gone,
        }
    }

    fn create_exec<'a>(&'a self, id: &'a str, request: ExecRequest) -> Reply<'a, String> {
        self.call("create_exec", id, move |fake| {
            fake.lock().create_exec(id, request)
        })
    }

    fn start_exec<'a>(&'a self, exec: &'a str, request: &'a ExecRequest) -> Reply<'a, Streams> {
        self.call("start_exec", exec, move |fake| fake.run_exec(exec, request))
    }

    fn exec_exit_code<'a>(&'a self, exec: &'a str) -> Reply<'a, Option<i64>> {
        self.call("exec_exit_code", exec, move |fake| {
            fake.lock().exec_exit_code(exec)
        })
    }

    fn resize_exec<'a>(&'a self, exec: &'a str, _: TerminalSize) -> Reply<'a, ()> {
        self.call("resize_exec", exec, move |fake| {
            fake.lock().exec_exit_code(exec).map(drop)
        })
    }

    fn attach_container<'a>(
        &'a self,
        id: &'a str,
        request: &'a AttachRequest,
    ) -> Reply<'a, Streams> {
        self.call("attach_container", id, move |fake| fake.attach(id, request))
    }

    fn resize_container<'a>(&'a self, id: &'a str, _: TerminalSize) -> Reply<'a, ()> {
        self.call("resize_container", id, move |fake| fake.lock().resize(id))
    }

    fn await_container<'a>(
        &'a self,
        id: &'a str,
        awaited: Awaited,
    ) -> Reply<'a, Reply<'static, i64>> {
        self.call("await_container", id, move |fake| {
            fake.await_end(id, awaited)
        })
    }

    fn list_networks(&self) -> Reply<'_, Vec<NetworkSummary>> {
        self.call("list_networks", "", |fake| Ok(fake.lock().network_rows()))
    }

    fn create_network(&self, request: ResourceRequest) -> Reply<'_, String> {
        self.call("create_network", request.name.clone(), move |fake| {
            fake.change(|world| world.create_network(request))
        })
    }

    fn remove_network<'a>(&'a self, id: &'a str) -> Reply<'a, ()> {
        self.call("remove_network", id, move |fake| {
            fake.change(|world| world.remove_network(id))
        })
    }

    fn connect_network<'a>(
        &'a self,
        network: &'a str,
        container: &'a str,
        endpoint: Value,
    ) -> Reply<'a, ()> {
        self.call(
            "connect_network",
            format!("{network} {container}"),
            move |fake| fake.change(|world| world.connect(network, container, endpoint)),
        )
    }

    fn disconnect_network<'a>(
        &'a self,
        network: &'a str,
        container: &'a str,
        force: bool,
    ) -> Reply<'a, ()> {
        self.call(
            "disconnect_network",
            format!("{network} {container}"),
            move |fake| fake.change(|world| world.disconnect(network, container, force)),
        )
    }

    fn inspect_network<'a>(&'a self, id: &'a str) -> Reply<'a, Value> {
        self.call("inspect_network", id, move |fake| {
            fake.lock().network_details(id)
        })
    }

    fn list_volumes(&self, wanted: Vec<String>) -> Reply<'_, Vec<VolumeSummary>> {
        self.call("list_volumes", wanted.join(","), move |fake| {
            let mut rows = fake.lock().volume_rows();
            rows.retain(|row| has_labels(&row.labels, &wanted));
            Ok(rows)
        })
    }

    fn create_volume(&self, request: ResourceRequest) -> Reply<'_, VolumeSummary> {
        self.call("create_volume", request.name.clone(), move |fake| {
            fake.change(|world| world.create_volume(request))
        })
    }

    fn remove_volume<'a>(&'a self, name: &'a str, force: bool) -> Reply<'a, ()> {
        self.call("remove_volume", name, move |fake| {
            fake.change(|world| world.remove_volume(name, force))
        })
    }

    fn list_images(&self, references: Vec<String>) -> Reply<'_, Vec<ImageSummary>> {
        self.call("list_images", references.join(","), move |fake| {
            let world = fake.lock();
            let fitting = world.images.iter().filter(|image| {
                references.is_empty() || references.iter().any(|r| image.is_listed_as(r))
            });
            Ok(fitting.map(|i| i.summary(false)).collect())
        })
    }

    fn inspect_image<'a>(&'a self, reference: &'a str) -> Reply<'a, ImageSummary> {
        self.call("inspect_image", reference, move |fake| {
            fake.lock().image(reference).map(|i| i.summary(true))
        })
    }

    fn registry_digest<'a>(&'a self, reference: &'a str) -> Reply<'a, String> {
        self.call("registry_digest", reference, move |fake| {
            let name = full(reference);
            let world = fake.lock();
            let found = world.remote.iter().find(|i| i.tags.contains(&name));
            found
                .map(|image| image.id.clone())
                .ok_or_else(|| refuse(404, format!("manifest unknown: {reference}")))
        })
    }

    fn pull_image<'a>(
        &'a self,
        reference: &'a str,
        platform: Option<&'a str>,
    ) -> Parts<'a, PullProgress> {
        let pulled = self.call("pull_image", reference, move |fake| {
            let name = full(reference);
            let mut world = fake.lock();
            let image = world.remote_image(reference, platform)?;
            world.store_image(image);
            Ok(stream::iter([Ok(PullProgress {
                layer: None,
                status: format!("Status: Downloaded newer image for {name}"),
                current: None,
                total: None,
            })]))
        });
        stream::once(pulled).try_flatten().boxed()
    }

    fn push_image<'a>(&'a self, reference: &'a str) -> Parts<'a, PullProgress> {
        let pushed = self.call("push_image", reference, move |fake| {
            let image = fake.lock().image(reference)?.clone();
            fake.add_remote_image(image);
            Ok(stream::iter([Ok(PullProgress {
                layer: Some("b88f54dc69af".into()),
                status: "Pushed".into(),
                ..PullProgress::default()
            })]))
        });
        stream::once(pushed).try_flatten().boxed()
    }

    fn remove_image<'a>(&'a self, reference: &'a str) -> Reply<'a, ()> {
        self.call("remove_image", reference, move |fake| {
            fake.change(|world| world.remove_image(reference))
        })
    }

    fn build_image(&self, request: BuildRequest) -> Parts<'_, BuildMessage> {
        let target = request.tags.first().cloned().unwrap_or_default();
        let call = Call {
            method: "build_image",
            target,
        };
        let built = async move {
            let after = self.enter(call).await?;
            // The content decides the id, as with a real build.
            let mut context = request.context;
            let mut content = format!("{:?}{:?}{:?}", request.args, request.target, request.labels);
            while let Some(bytes) = context.next().await {
                let bytes = bytes.map_err(|e| refuse(500, format!("reading the context: {e}")))?;
                content.push_str(&String::from_utf8_lossy(&bytes));
            }
            let mut image = FakeImage::with_content("built", &content);
            image.tags = request.tags.iter().map(|tag| full(tag)).collect();
            image.labels = request.labels;
            if let Some(platform) = request.platform {
                image = image.on(&platform);
            }
            let id = image.id.clone();
            self.change(|world| world.store_image(image));
            self.leave(after).await?;
            Ok(stream::iter([
                Ok(BuildMessage::Log("fake: built\n".into())),
                Ok(BuildMessage::Built(id)),
            ]))
        };
        stream::once(built).try_flatten().boxed()
    }

    fn events(&self, labels: Vec<String>, since: Option<String>) -> Parts<'_, EngineEvent> {
        self.lock().calls.push(Call {
            method: "events",
            target: labels.join(","),
        });
        self.event_stream(labels, since, None)
    }
}

#[cfg(test)]
mod tests;
