//! The engine behind a Docker API: the only place that knows bollard.
//!
//! bollard makes the calls whose requests are plain and whose answers it reads well, over our own
//! connections ([`wire`]). Five kinds of call go past it:
//! - creating containers, networks and volumes, since a body may hold words of the user's that
//!   bollard's closed enums do not know: it is for the engine to refuse them, in its own words;
//! - lists, which must survive a word that those enums do not know ([`lists`]);
//! - logs, where its decoder costs too much and loses bytes of a terminal ([`logs`]);
//! - the streams of a process, for the same decoder ([`hijack`]), and waiting for its end;
//! - pulls and builds, whose messages it reads for one builder only ([`images`]);
//! - events, of which it takes lines of any length.

pub mod answers;
mod archive;
mod chunked;
mod connection;
mod container_calls;
mod dialect;
mod failure;
mod frames;
mod hijack;
pub mod images;
mod lists;
mod logs;
mod messages;
mod processes;
mod query;
mod rows;
pub mod ssh;
mod tls;
mod trace;
mod transport;
mod wire;

use super::container_calls::{ContainerCalls, Period};
use super::endpoint::Endpoint;
use super::{
    Archive, AttachRequest, Awaited, BuildMessage, BuildRequest, ContainerDetails, ContainerFilter,
    ContainerRequest, ContainerSummary, Engine, EngineError, EngineEvent, ExecRequest,
    ImageSummary, Life, LogOptions, NetworkSummary, OutputChunk, Parts, PathStat, PullProgress,
    Reply, ResourceRequest, Streams, TerminalSize, Upload, VolumeSummary,
};
use bollard::query_parameters as q;
use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use hyper::{Method, Request};
pub use images::Keyring;
use processes::Processes;
use query::Query;
use serde_json::Value;
use std::sync::Arc;
use wire::{API_MINOR, Wire};

/// How to speak to an engine.
#[derive(Default)]
pub struct Options {
    /// `DOCKER_API_VERSION`: this version and no other.
    pub api_version: Option<String>,
    /// Where credentials for registries come from.
    pub keyring: Option<Arc<dyn Keyring>>,
    /// What a connection through `ssh` is made with.
    pub ssh: ssh::Means,
}

/// An engine behind a socket. Nothing is connected before the first call.
pub struct Docker {
    wire: Arc<Wire>,
    client: bollard::Docker,
    keyring: Option<Arc<dyn Keyring>>,
    processes: Processes,
}

impl Docker {
    /// # Errors
    /// None that depends on the engine; only if the client cannot be made at all.
    pub fn new(endpoint: Endpoint, options: Options) -> Result<Self, EngineError> {
        let wire = Arc::new(Wire::new(
            endpoint,
            options.api_version.as_deref(),
            options.ssh,
        ));
        let transport = wire.clone();
        let client = bollard::Docker::connect_with_custom_transport(
            move |request: bollard::BollardRequest| {
                let wire = transport.clone();
                async move { wire.send(request).await }
            },
            Some("http://localhost"),
            // bollard's limit counts until the answer begins, and a stop answers when it is
            // done, so there is none. Connecting has its own.
            u64::from(u32::MAX),
            &bollard::ClientVersion {
                major_version: 1,
                minor_version: API_MINOR as usize,
            },
        )
        .map_err(|e| failure::failure(&wire, e))?;
        Ok(Docker {
            wire,
            client,
            keyring: options.keyring,
            processes: Processes::default(),
        })
    }

    fn failed(&self, error: bollard::errors::Error) -> EngineError {
        failure::failure(&self.wire, error)
    }

    /// Sends JSON (or nothing) and gives back the JSON of the answer (`Null` for an empty one).
    async fn call(
        &self,
        method: Method,
        target: &str,
        body: Option<&Value>,
    ) -> Result<Value, EngineError> {
        let bytes = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let mut request = Request::builder().method(method).uri(target);
        if body.is_some() {
            request = request.header("Content-Type", "application/json");
        }
        self.exchange(target, request, bytes).await
    }

    async fn exchange(
        &self,
        target: &str,
        request: hyper::http::request::Builder,
        bytes: Bytes,
    ) -> Result<Value, EngineError> {
        let text = self.transfer(request, bytes).await?;
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&text).map_err(|e| EngineError::Protocol {
            message: format!("the engine's answer to {target} is not JSON: {e}"),
        })
    }

    /// The body of the answer to a question.
    async fn get(&self, target: &str) -> Result<Bytes, EngineError> {
        self.transfer(Request::get(target), Bytes::new()).await
    }

    /// Sends a question and gives back the body of the answer, to be read as it comes.
    async fn open(&self, request: hyper::http::request::Builder) -> Result<Incoming, EngineError> {
        let request = request
            .body(Either::Left(Full::new(Bytes::new())))
            .map_err(images::unformed)?;
        let answer = self
            .wire
            .send_for_stream(request)
            .await
            .map_err(|e| self.failed(e))?;
        let status = answer.status().as_u16();
        if status < 300 {
            return Ok(answer.into_body());
        }
        let text = wire::words(answer.into_body())
            .await
            .map_err(|e| failure::broken(&self.wire, &e))?;
        Err(failure::refused(status, wire::message_of(&text)))
    }

    /// Sends a request and gives back the body of the answer, whatever that is.
    async fn transfer(
        &self,
        request: hyper::http::request::Builder,
        bytes: Bytes,
    ) -> Result<Bytes, EngineError> {
        let request = request
            .body(Either::Left(Full::new(bytes)))
            .map_err(images::unformed)?;
        let answer = self.wire.send(request).await.map_err(|e| self.failed(e))?;
        let status = answer.status().as_u16();
        let text = answer
            .into_body()
            .collect()
            .await
            .map_err(|e| failure::broken(&self.wire, &e))?
            .to_bytes();
        // Nothing that is asked for here is ever redirected.
        if status >= 300 {
            return Err(failure::refused(status, wire::message_of(&text)));
        }
        Ok(text)
    }

    /// Tells a terminal its size.
    fn resize(&self, target: String, size: TerminalSize) -> Reply<'_, ()> {
        let TerminalSize { rows, columns } = size;
        Box::pin(async move {
            let target = Query::new(&target)
                .add("h", &rows.to_string())
                .add("w", &columns.to_string())
                .finish();
            self.transfer(Request::post(&target), Bytes::new())
                .await
                .map(drop)
        })
    }

    /// Creates an object and gives the field of the answer that names it.
    async fn create(&self, target: &str, body: &Value, field: &str) -> Result<String, EngineError> {
        let answer = self.call(Method::POST, target, Some(body)).await?;
        answer[field]
            .as_str()
            .map(str::to_string)
            .ok_or_else(|| EngineError::Protocol {
                message: format!("the engine's answer to {target} has no {field}"),
            })
    }
}

/// What Podman says where an image goes away while it lists them.
const VANISHED_IMAGE: &str = "image not known";

/// What Podman says where another network goes away while it makes one.
const VANISHED_INTERFACE: &str = "route ip+net: no such network interface";

/// Makes a call, and up to three times again where it fails by these words: Podman stumbles over
/// what another client takes away meanwhile.
async fn unless_vanishing<'a, T>(
    words: &str,
    call: impl Fn() -> Reply<'a, T>,
) -> Result<T, EngineError> {
    for _ in 0..3 {
        match call().await {
            Err(error) if error.message().ends_with(words) => {}
            done => return done,
        }
    }
    call().await
}

/// The filter for labels, as it stands in a query; nothing where there are none.
fn label_query(labels: &[String]) -> Option<String> {
    let filter = serde_json::json!({ "label": labels });
    (!labels.is_empty()).then(|| filter.to_string())
}

impl Engine for Docker {
    fn endpoint(&self) -> String {
        self.wire.endpoint().to_string()
    }

    fn client_flags(&self) -> Vec<String> {
        match self.wire.endpoint() {
            Endpoint::Tls(_, tls) => {
                let host = ["--host".to_owned(), self.endpoint()];
                host.into_iter().chain(tls.flags()).collect()
            }
            _ => Vec::new(),
        }
    }

    fn announces_early(&self) -> bool {
        self.wire.is_podman()
    }

    fn resolves_short_names(&self) -> bool {
        self.wire.is_podman()
    }

    fn version(&self) -> Reply<'_, (String, String)> {
        Box::pin(async {
            let found = self.client.version().await.map_err(|e| self.failed(e))?;
            Ok((
                found.version.unwrap_or_default(),
                found.api_version.unwrap_or_default(),
            ))
        })
    }

    fn list_containers(&self, filter: ContainerFilter) -> Reply<'_, Vec<ContainerSummary>> {
        Box::pin(async move {
            let target = Query::new("/containers/json")
                .add_some("all", filter.all.then_some("true"))
                .add_some("filters", label_query(&filter.labels).as_deref())
                .finish();
            answers::containers(&target, &self.get(&target).await?)
        })
    }

    fn inspect_container<'a>(&'a self, id: &'a str) -> Reply<'a, ContainerDetails> {
        Box::pin(async move {
            let target = format!("/containers/{id}/json");
            Ok(rows::details(self.call(Method::GET, &target, None).await?))
        })
    }

    fn create_container(&self, mut request: ContainerRequest) -> Reply<'_, String> {
        Box::pin(async move {
            let target = Query::new("/containers/create")
                .add_some("name", Some(&request.name))
                .add_some("platform", request.platform.as_deref())
                .finish();
            let later = match self.wire.minor() < 44 {
                true => dialect::split_endpoints(&mut request.body),
                false => Vec::new(),
            };
            if self.wire.is_podman() {
                dialect::give_time_to_stop(&mut request.body);
            }
            let id = self.create(&target, &request.body, "Id").await?;
            for (network, endpoint) in later {
                self.connect_network(&network, &id, endpoint).await?;
            }
            Ok(id)
        })
    }

    fn start_container<'a>(&'a self, id: &'a str) -> Reply<'a, ()> {
        Box::pin(async move {
            self.client
                .start_container(id, None::<q::StartContainerOptions>)
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn stop_container<'a>(&'a self, id: &'a str, timeout: Option<i64>) -> Reply<'a, ()> {
        Box::pin(async move {
            let options = q::StopContainerOptions {
                signal: None,
                t: timeout.map(seconds),
            };
            self.client
                .stop_container(id, Some(options))
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn restart_container<'a>(&'a self, id: &'a str, timeout: Option<i64>) -> Reply<'a, ()> {
        Box::pin(async move {
            let options = q::RestartContainerOptions {
                signal: None,
                t: timeout.map(seconds),
            };
            self.client
                .restart_container(id, Some(options))
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn kill_container<'a>(&'a self, id: &'a str, signal: &'a str) -> Reply<'a, ()> {
        Box::pin(async move {
            let options = q::KillContainerOptions {
                signal: signal.to_string(),
            };
            self.client
                .kill_container(id, Some(options))
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn rename_container<'a>(&'a self, id: &'a str, name: &'a str) -> Reply<'a, ()> {
        Box::pin(async move {
            let options = q::RenameContainerOptions {
                name: name.to_string(),
            };
            self.client
                .rename_container(id, options)
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn remove_container<'a>(&'a self, id: &'a str, force: bool, volumes: bool) -> Reply<'a, ()> {
        Box::pin(async move {
            let options = q::RemoveContainerOptions {
                v: volumes,
                force,
                ..Default::default()
            };
            self.client
                .remove_container(id, Some(options))
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn put_archive<'a>(&'a self, id: &'a str, path: &'a str, tar: Vec<u8>) -> Reply<'a, ()> {
        Box::pin(async move {
            let options = q::UploadToContainerOptions {
                path: path.to_string(),
                ..Default::default()
            };
            self.client
                .upload_to_container(id, Some(options), bollard::body_full(Bytes::from(tar)))
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn upload<'a>(&'a self, id: &'a str, upload: Upload) -> Reply<'a, ()> {
        Box::pin(archive::upload(self.wire.clone(), id, upload))
    }

    fn stat_path<'a>(&'a self, id: &'a str, path: &'a str) -> Reply<'a, PathStat> {
        Box::pin(archive::stat(self.wire.clone(), id, path))
    }

    fn download<'a>(&'a self, id: &'a str, path: &'a str) -> Reply<'a, Archive> {
        Box::pin(archive::download(self.wire.clone(), id, path))
    }

    fn logs<'a>(&'a self, id: &'a str, options: LogOptions) -> Parts<'a, OutputChunk> {
        logs::read(self.wire.clone(), id, options)
    }

    fn is_on_this_machine(&self) -> bool {
        let listener = self.wire.listener().filter(|_| self.sees_processes());
        listener.is_some_and(|pid| self.processes.is_engine(pid))
    }

    fn runtimes(&self) -> Reply<'_, Option<Vec<String>>> {
        Box::pin(async {
            let info = self.call(Method::GET, "/info", None).await?;
            let runtimes = info["Runtimes"].as_object();
            Ok(runtimes.map(|all| all.keys().cloned().collect()))
        })
    }

    fn sees_processes(&self) -> bool {
        cfg!(target_os = "linux") && matches!(self.wire.endpoint(), Endpoint::Unix(_))
    }

    fn life(&self, container: &ContainerDetails) -> Life {
        match self.sees_processes() {
            true => self.processes.life(container, self.wire.listener()),
            false => Life::Unseen,
        }
    }

    fn create_exec<'a>(&'a self, id: &'a str, request: ExecRequest) -> Reply<'a, String> {
        Box::pin(async move {
            let config = bollard::models::ExecConfig {
                attach_stdin: Some(request.stdin),
                attach_stdout: Some(!request.detach),
                attach_stderr: Some(!request.detach),
                tty: Some(request.tty),
                detach_keys: request.detach_keys,
                console_size: request
                    .size
                    .filter(|_| request.tty)
                    .map(hijack::console_size),
                env: Some(request.environment).filter(|env| !env.is_empty()),
                cmd: Some(request.command),
                privileged: request.privileged.then_some(true),
                user: request.user,
                working_dir: request.working_dir,
            };
            let made = self
                .client
                .create_exec(id, config)
                .await
                .map_err(|e| self.failed(e))?;
            Ok(made.id)
        })
    }

    fn start_exec<'a>(&'a self, exec: &'a str, request: &'a ExecRequest) -> Reply<'a, Streams> {
        Box::pin(hijack::start_exec(self.wire.clone(), exec, request))
    }

    fn exec_exit_code<'a>(&'a self, exec: &'a str) -> Reply<'a, Option<i64>> {
        Box::pin(async move {
            let found = self
                .client
                .inspect_exec(exec)
                .await
                .map_err(|e| self.failed(e))?;
            Ok(found.exit_code.filter(|_| found.running != Some(true)))
        })
    }

    fn resize_exec<'a>(&'a self, exec: &'a str, size: TerminalSize) -> Reply<'a, ()> {
        self.resize(format!("/exec/{exec}/resize"), size)
    }

    fn attach_container<'a>(
        &'a self,
        id: &'a str,
        request: &'a AttachRequest,
    ) -> Reply<'a, Streams> {
        Box::pin(hijack::attach(self.wire.clone(), id, request))
    }

    fn resize_container<'a>(&'a self, id: &'a str, size: TerminalSize) -> Reply<'a, ()> {
        self.resize(format!("/containers/{id}/resize"), size)
    }

    fn await_container<'a>(
        &'a self,
        id: &'a str,
        awaited: Awaited,
    ) -> Reply<'a, Reply<'static, i64>> {
        // Podman 4 answers that it has ended with 0 where it is the removal that is waited for.
        let awaited = match awaited {
            Awaited::Removed if self.wire.is_podman() => Awaited::NextExit,
            other => other,
        };
        Box::pin(hijack::wait(self.wire.clone(), id, awaited))
    }

    fn list_networks(&self) -> Reply<'_, Vec<NetworkSummary>> {
        Box::pin(async { answers::networks("/networks", &self.get("/networks").await?) })
    }

    fn create_network(&self, request: ResourceRequest) -> Reply<'_, String> {
        Box::pin(async move {
            // It looks through the machine's interfaces.
            let make = || {
                let made = self.create("/networks/create", &request.body, "Id");
                Box::pin(made) as Reply<'_, String>
            };
            unless_vanishing(VANISHED_INTERFACE, make).await
        })
    }

    fn remove_network<'a>(&'a self, id: &'a str) -> Reply<'a, ()> {
        Box::pin(async move {
            self.client
                .remove_network(id)
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn connect_network<'a>(
        &'a self,
        network: &'a str,
        container: &'a str,
        endpoint: Value,
    ) -> Reply<'a, ()> {
        Box::pin(async move {
            let target = format!("/networks/{network}/connect");
            let body = serde_json::json!({ "Container": container, "EndpointConfig": endpoint });
            self.call(Method::POST, &target, Some(&body))
                .await
                .map(drop)
        })
    }

    fn disconnect_network<'a>(
        &'a self,
        network: &'a str,
        container: &'a str,
        force: bool,
    ) -> Reply<'a, ()> {
        Box::pin(async move {
            let request = bollard::models::NetworkDisconnectRequest {
                container: container.to_string(),
                force: Some(force),
            };
            self.client
                .disconnect_network(network, request)
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn inspect_network<'a>(&'a self, id: &'a str) -> Reply<'a, Value> {
        Box::pin(async move {
            let target = format!("/networks/{id}");
            self.call(Method::GET, &target, None).await
        })
    }

    fn list_volumes(&self, labels: Vec<String>) -> Reply<'_, Vec<VolumeSummary>> {
        Box::pin(async move {
            let target = Query::new("/volumes")
                .add_some("filters", label_query(&labels).as_deref())
                .finish();
            answers::volumes(&target, &self.get(&target).await?)
        })
    }

    fn create_volume(&self, request: ResourceRequest) -> Reply<'_, VolumeSummary> {
        Box::pin(async move {
            let target = "/volumes/create";
            let answer = self.call(Method::POST, target, Some(&request.body)).await?;
            rows::created_volume(&answer).ok_or_else(|| EngineError::Protocol {
                message: format!("the engine's answer to {target} has no Name"),
            })
        })
    }

    fn remove_volume<'a>(&'a self, name: &'a str, force: bool) -> Reply<'a, ()> {
        Box::pin(async move {
            let options = q::RemoveVolumeOptions { force };
            self.client
                .remove_volume(name, Some(options))
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn list_images(&self, references: Vec<String>) -> Reply<'_, Vec<ImageSummary>> {
        Box::pin(async move {
            let filters = (!references.is_empty())
                .then(|| serde_json::json!({ "reference": references }).to_string());
            // Digests are not asked for: Docker Engine tells them anyhow, and Podman 4 answers
            // nothing at all where an image was loaded rather than pulled.
            let target = Query::new("/images/json")
                .add_some("filters", filters.as_deref())
                .finish();
            let ask = || Box::pin(self.get(&target)) as Reply<'_, Bytes>;
            let answer = unless_vanishing(VANISHED_IMAGE, ask).await?;
            answers::images(&target, &answer)
        })
    }

    fn inspect_image<'a>(&'a self, reference: &'a str) -> Reply<'a, ImageSummary> {
        Box::pin(async move {
            let found = self
                .client
                .inspect_image(reference)
                .await
                .map_err(|e| self.failed(e))?;
            Ok(rows::inspected_image(found))
        })
    }

    fn registry_digest<'a>(&'a self, reference: &'a str) -> Reply<'a, String> {
        Box::pin(async move {
            let target = format!("/distribution/{reference}/json");
            let mut request = Request::get(&target);
            if let Some(value) = images::authorisation(self.keyring.as_deref(), reference).await {
                request = request.header(images::AUTHORISATION, value);
            }
            let answer = self.exchange(&target, request, Bytes::new()).await?;
            let digest = answer["Descriptor"]["digest"].as_str();
            digest
                .map(str::to_string)
                .ok_or_else(|| EngineError::Protocol {
                    message: format!("the engine's answer to {target} has no digest"),
                })
        })
    }

    fn pull_image<'a>(
        &'a self,
        reference: &'a str,
        platform: Option<&'a str>,
    ) -> Parts<'a, PullProgress> {
        images::pull(self.wire.clone(), self.keyring.clone(), reference, platform)
    }

    fn push_image<'a>(&'a self, reference: &'a str) -> Parts<'a, PullProgress> {
        images::push(self.wire.clone(), self.keyring.clone(), reference)
    }

    fn remove_image<'a>(&'a self, reference: &'a str) -> Reply<'a, ()> {
        Box::pin(async move {
            self.client
                .remove_image(reference, None::<q::RemoveImageOptions>, None)
                .await
                .map(drop)
                .map_err(|e| self.failed(e))
        })
    }

    fn build_image(&self, request: BuildRequest) -> Parts<'_, BuildMessage> {
        images::build(self.wire.clone(), self.keyring.clone(), request)
    }

    fn events(&self, labels: Vec<String>, since: Option<String>) -> Parts<'_, EngineEvent> {
        self.events_within(labels, Period { since, until: None })
    }
}

/// A timeout as the API takes it: −1 waits for ever.
fn seconds(timeout: i64) -> i32 {
    timeout.clamp(-1, i64::from(i32::MAX)) as i32
}
