//! Every call, and what is asked for with it in words.

use super::calls::{Ask, Kind};
use super::{Patient, named};
use crate::engine::{
    Archive, AttachRequest, Awaited, BuildMessage, BuildRequest, ContainerDetails, ContainerFilter,
    ContainerRequest, ContainerSummary, Engine, EngineEvent, ExecRequest, ImageSummary, Life,
    LogOptions, NetworkSummary, OutputChunk, Parts, PathStat, PullProgress, Reply, ResourceRequest,
    Streams, TerminalSize, Upload, VolumeSummary,
};
use crate::labels;
use futures::{StreamExt, TryStreamExt};

/// The project whose lock a volume is.
fn lock_of(request: &ResourceRequest) -> Option<&str> {
    request.body["Labels"][labels::LOCK].as_str()
}

impl Engine for Patient {
    fn endpoint(&self) -> String {
        self.engine.endpoint()
    }

    fn client_flags(&self) -> Vec<String> {
        self.engine.client_flags()
    }

    fn announces_early(&self) -> bool {
        self.engine.announces_early()
    }

    fn resolves_short_names(&self) -> bool {
        self.engine.resolves_short_names()
    }

    fn is_on_this_machine(&self) -> bool {
        self.engine.is_on_this_machine()
    }

    fn runtimes(&self) -> Reply<'_, Option<Vec<String>>> {
        let ask = Ask::new(Kind::Read, "list runtimes", "");
        self.ask(ask, self.engine.runtimes())
    }

    fn version(&self) -> Reply<'_, (String, String)> {
        let ask = Ask::new(Kind::Read, "get its version", "");
        self.ask(ask, self.engine.version())
    }

    fn list_containers(&self, filter: ContainerFilter) -> Reply<'_, Vec<ContainerSummary>> {
        let ask = Ask::new(Kind::Read, "list containers", "");
        let reply = self.ask(ask, self.engine.list_containers(filter));
        Box::pin(async {
            let rows = reply.await?;
            for row in &rows {
                self.calls.name(&row.id, &row.name);
            }
            Ok(rows)
        })
    }

    fn inspect_container<'a>(&'a self, id: &'a str) -> Reply<'a, ContainerDetails> {
        let ask = self.of(Kind::Read, "inspect container", id);
        self.ask(ask, self.engine.inspect_container(id))
    }

    fn create_container(&self, request: ContainerRequest) -> Reply<'_, String> {
        let name = request.name.clone();
        let ask = Ask::new(Kind::Change, "create container", &name);
        let reply = self.ask(ask, self.engine.create_container(request));
        Box::pin(async move {
            let id = reply.await?;
            self.calls.name(&id, &name);
            Ok(id)
        })
    }

    fn start_container<'a>(&'a self, id: &'a str) -> Reply<'a, ()> {
        let ask = self.of(Kind::Change, "start container", id);
        self.ask(ask, self.engine.start_container(id))
    }

    fn stop_container<'a>(&'a self, id: &'a str, timeout: Option<i64>) -> Reply<'a, ()> {
        let ask = self.of(Kind::Stop(timeout), "stop container", id);
        self.ask(ask, self.engine.stop_container(id, timeout))
    }

    fn restart_container<'a>(&'a self, id: &'a str, timeout: Option<i64>) -> Reply<'a, ()> {
        let ask = self.of(Kind::Stop(timeout), "restart container", id);
        self.ask(ask, self.engine.restart_container(id, timeout))
    }

    fn kill_container<'a>(&'a self, id: &'a str, signal: &'a str) -> Reply<'a, ()> {
        let ask = self.of(Kind::Change, "kill container", id);
        self.ask(ask, self.engine.kill_container(id, signal))
    }

    fn rename_container<'a>(&'a self, id: &'a str, name: &'a str) -> Reply<'a, ()> {
        let ask = self.of(Kind::Change, "rename container", id);
        let reply = self.ask(ask, self.engine.rename_container(id, name));
        Box::pin(async move {
            reply.await?;
            self.calls.name(id, name);
            Ok(())
        })
    }

    fn remove_container<'a>(&'a self, id: &'a str, force: bool, volumes: bool) -> Reply<'a, ()> {
        let ask = self.of(Kind::Change, "remove container", id);
        self.ask(ask, self.engine.remove_container(id, force, volumes))
    }

    fn put_archive<'a>(&'a self, id: &'a str, path: &'a str, tar: Vec<u8>) -> Reply<'a, ()> {
        let ask = self.of(Kind::Change, "copy files into container", id);
        self.ask(ask, self.engine.put_archive(id, path, tar))
    }

    fn upload<'a>(&'a self, id: &'a str, upload: Upload) -> Reply<'a, ()> {
        let ask = self.of(Kind::Build, "copy files into container", id);
        self.ask(ask, self.engine.upload(id, upload))
    }

    fn stat_path<'a>(&'a self, id: &'a str, path: &'a str) -> Reply<'a, PathStat> {
        let ask = self.of(Kind::Read, &format!("look at {path} in container"), id);
        self.ask(ask, self.engine.stat_path(id, path))
    }

    fn download<'a>(&'a self, id: &'a str, path: &'a str) -> Reply<'a, Archive> {
        let ask = self.of(Kind::Read, &format!("read {path} of container"), id);
        self.ask(ask, self.engine.download(id, path))
    }

    fn logs<'a>(&'a self, id: &'a str, options: LogOptions) -> Parts<'a, OutputChunk> {
        // A log that is followed may rightly say nothing.
        let follows = options.follow;
        let parts = self.engine.logs(id, options);
        match follows {
            true => parts,
            false => self.first(self.of(Kind::Read, "read the log of container", id), parts),
        }
    }

    fn sees_processes(&self) -> bool {
        self.engine.sees_processes()
    }

    fn life(&self, container: &ContainerDetails) -> Life {
        self.engine.life(container)
    }

    fn create_exec<'a>(&'a self, id: &'a str, request: ExecRequest) -> Reply<'a, String> {
        let name = self.calls.name_of(id);
        let ask = Ask::new(Kind::Read, "prepare a command in container", &name);
        let reply = self.ask(ask, self.engine.create_exec(id, request));
        Box::pin(async move {
            let exec = reply.await?;
            self.calls.name(&exec, &name);
            Ok(exec)
        })
    }

    fn start_exec<'a>(&'a self, exec: &'a str, request: &'a ExecRequest) -> Reply<'a, Streams> {
        let ask = self.of(Kind::Change, "run the command in container", exec);
        self.ask(ask, self.engine.start_exec(exec, request))
    }

    fn exec_exit_code<'a>(&'a self, exec: &'a str) -> Reply<'a, Option<i64>> {
        let ask = self.of(Kind::Read, "get the exit code of the command in", exec);
        self.ask(ask, self.engine.exec_exit_code(exec))
    }

    fn resize_exec<'a>(&'a self, exec: &'a str, size: TerminalSize) -> Reply<'a, ()> {
        let ask = self.of(Kind::Read, "resize the terminal of the command in", exec);
        self.ask(ask, self.engine.resize_exec(exec, size))
    }

    fn attach_container<'a>(
        &'a self,
        id: &'a str,
        request: &'a AttachRequest,
    ) -> Reply<'a, Streams> {
        let ask = self.of(Kind::Read, "attach to container", id);
        self.ask(ask, self.engine.attach_container(id, request))
    }

    fn resize_container<'a>(&'a self, id: &'a str, size: TerminalSize) -> Reply<'a, ()> {
        let ask = self.of(Kind::Read, "resize the terminal of container", id);
        self.ask(ask, self.engine.resize_container(id, size))
    }

    fn await_container<'a>(
        &'a self,
        id: &'a str,
        awaited: Awaited,
    ) -> Reply<'a, Reply<'static, i64>> {
        // The end itself may rightly take for ever.
        let ask = self.of(Kind::Read, "watch for the end of container", id);
        self.ask(ask, self.engine.await_container(id, awaited))
    }

    fn list_networks(&self) -> Reply<'_, Vec<NetworkSummary>> {
        let ask = Ask::new(Kind::Read, "list networks", "");
        let reply = self.ask(ask, self.engine.list_networks());
        Box::pin(async {
            let rows = reply.await?;
            for row in &rows {
                self.calls.name(&row.id, &row.name);
            }
            Ok(rows)
        })
    }

    fn create_network(&self, request: ResourceRequest) -> Reply<'_, String> {
        let name = request.name.clone();
        let ask = Ask::new(Kind::Change, "create network", &name);
        let reply = self.ask(ask, self.engine.create_network(request));
        Box::pin(async move {
            let id = reply.await?;
            self.calls.name(&id, &name);
            Ok(id)
        })
    }

    fn remove_network<'a>(&'a self, id: &'a str) -> Reply<'a, ()> {
        let ask = self.of(Kind::Change, "remove network", id);
        self.ask(ask, self.engine.remove_network(id))
    }

    fn connect_network<'a>(
        &'a self,
        network: &'a str,
        container: &'a str,
        endpoint: serde_json::Value,
    ) -> Reply<'a, ()> {
        let verb = format!(
            "connect network {} with container",
            self.calls.name_of(network)
        );
        let ask = self.of(Kind::Change, &verb, container);
        self.ask(
            ask,
            self.engine.connect_network(network, container, endpoint),
        )
    }

    fn disconnect_network<'a>(
        &'a self,
        network: &'a str,
        container: &'a str,
        force: bool,
    ) -> Reply<'a, ()> {
        let verb = format!(
            "disconnect network {} from container",
            self.calls.name_of(network)
        );
        let ask = self.of(Kind::Change, &verb, container);
        self.ask(
            ask,
            self.engine.disconnect_network(network, container, force),
        )
    }

    fn inspect_network<'a>(&'a self, id: &'a str) -> Reply<'a, serde_json::Value> {
        let ask = self.of(Kind::Read, "inspect network", id);
        self.ask(ask, self.engine.inspect_network(id))
    }

    fn list_volumes(&self, labels: Vec<String>) -> Reply<'_, Vec<VolumeSummary>> {
        let lock = labels.iter().find_map(|l| l.strip_prefix(labels::LOCK));
        let ask = match lock.and_then(|l| l.strip_prefix('=')) {
            Some(project) => Ask::new(Kind::Read, "read the lock of project", project),
            None => Ask::new(Kind::Read, "list volumes", ""),
        };
        self.ask(ask, self.engine.list_volumes(labels))
    }

    fn create_volume(&self, request: ResourceRequest) -> Reply<'_, VolumeSummary> {
        let ask = match lock_of(&request) {
            Some(project) => Ask::new(Kind::Read, "take the lock of project", project),
            None => Ask::new(Kind::Change, "create volume", &request.name),
        };
        self.ask(ask, self.engine.create_volume(request))
    }

    fn remove_volume<'a>(&'a self, name: &'a str, force: bool) -> Reply<'a, ()> {
        let ask = match labels::project_of_lock(name) {
            Some(project) => Ask::new(Kind::GiveBack, "give back the lock of project", project),
            None => Ask::new(Kind::Change, "remove volume", name),
        };
        self.ask(ask, self.engine.remove_volume(name, force))
    }

    fn list_images(&self, references: Vec<String>) -> Reply<'_, Vec<ImageSummary>> {
        let ask = Ask::new(Kind::Read, "list images", "");
        self.ask(ask, self.engine.list_images(references))
    }

    fn inspect_image<'a>(&'a self, reference: &'a str) -> Reply<'a, ImageSummary> {
        let ask = Ask::new(Kind::Read, "inspect image", reference);
        self.ask(ask, self.engine.inspect_image(reference))
    }

    fn registry_digest<'a>(&'a self, reference: &'a str) -> Reply<'a, String> {
        let ask = Ask::new(Kind::Read, "look up the digest of image", reference);
        self.ask(ask, self.engine.registry_digest(reference))
    }

    fn pull_image<'a>(
        &'a self,
        reference: &'a str,
        platform: Option<&'a str>,
    ) -> Parts<'a, PullProgress> {
        let ask = Ask::new(Kind::Read, "pull image", reference);
        self.first(ask, self.engine.pull_image(reference, platform))
    }

    fn push_image<'a>(&'a self, reference: &'a str) -> Parts<'a, PullProgress> {
        let ask = Ask::new(Kind::Read, "push image", reference);
        self.first(ask, self.engine.push_image(reference))
    }

    fn remove_image<'a>(&'a self, reference: &'a str) -> Reply<'a, ()> {
        let ask = Ask::new(Kind::Change, "remove image", reference);
        self.ask(ask, self.engine.remove_image(reference))
    }

    fn build_image(&self, request: BuildRequest) -> Parts<'_, BuildMessage> {
        let image = request.tags.first().cloned().unwrap_or_default();
        let ask = Ask::new(Kind::Build, "build image", &image);
        self.first(ask, self.engine.build_image(request))
    }

    fn events(&self, labels: Vec<String>, since: Option<String>) -> Parts<'_, EngineEvent> {
        let ask = Ask::new(Kind::Read, "watch events", "");
        let events = self.engine.events(labels, since);
        events.map_err(move |error| named(error, &ask)).boxed()
    }
}
