//! Pulling and building: requests whose answers are streams of messages.

use super::failure::failure;
use super::lists::nullable;
use super::messages;
use super::query::Query;
use super::trace::Trace;
use super::wire::{Body, Wire};
use crate::engine::{BuildMessage, BuildRequest, EngineError, Parts, PullProgress};
use base64::Engine as _;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt, TryStreamExt};
use http_body_util::{Either, Full, StreamBody};
use hyper::Request;
use hyper::body::Frame;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a registry wants to see, in the engine's form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Credentials {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub username: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub password: String,
    /// Instead of name and password.
    #[serde(rename = "identitytoken", skip_serializing_if = "String::is_empty")]
    pub identity_token: String,
    /// The registry it is for.
    #[serde(rename = "serveraddress", skip_serializing_if = "String::is_empty")]
    pub server_address: String,
}

/// Finds credentials for registries. May run a helper program, so it is asked only when needed.
pub trait Keyring: Send + Sync {
    /// For the registry of an image reference.
    fn of_image<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Option<Credentials>>;
    /// All there are, by registry.
    fn all(&self) -> BoxFuture<'_, BTreeMap<String, Credentials>>;
}

/// The header value for a JSON document.
fn header<T: Serialize>(value: &T) -> String {
    let json = serde_json::to_vec(value).unwrap_or_default();
    base64::engine::general_purpose::URL_SAFE.encode(json)
}

/// The header with what the registry of an image wants to see.
pub const AUTHORISATION: &str = "X-Registry-Auth";

/// Its value, where there are credentials.
pub async fn authorisation(keyring: Option<&dyn Keyring>, reference: &str) -> Option<String> {
    let credentials = keyring?.of_image(reference).await?;
    Some(header(&credentials))
}

/// A part of a stream's message, with the error that ends it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message {
    id: Option<String>,
    status: Option<String>,
    stream: Option<String>,
    #[serde(rename = "progressDetail", deserialize_with = "nullable")]
    detail: Detail,
    #[serde(rename = "errorDetail")]
    error_detail: Option<ErrorDetail>,
    error: Option<String>,
    aux: Option<serde_json::Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Detail {
    current: Option<i64>,
    total: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ErrorDetail {
    message: String,
}

impl Message {
    /// The error that came in the middle of a successful answer.
    fn check(self) -> Result<Self, EngineError> {
        let message = match (&self.error_detail, &self.error) {
            (Some(detail), _) if !detail.message.is_empty() => detail.message.clone(),
            (_, Some(error)) => error.clone(),
            _ => return Ok(self),
        };
        Err(EngineError::Refused {
            status: 500,
            message,
        })
    }
}

/// Name and tag (or digest) of a reference; a bare name means its `latest`, as the engine would
/// otherwise pull every tag there is.
fn split_reference(reference: &str) -> (&str, &str) {
    if let Some((name, digest)) = reference.split_once('@') {
        // A tag beside a digest says nothing.
        return (without_tag(name), digest);
    }
    let name = without_tag(reference);
    match reference.len() > name.len() {
        true => (name, &reference[name.len() + 1..]),
        false => (name, "latest"),
    }
}

fn without_tag(reference: &str) -> &str {
    let last = reference.rfind('/').map_or(0, |at| at + 1);
    match reference[last..].find(':') {
        Some(colon) => &reference[..last + colon],
        None => reference,
    }
}

pub fn pull(
    wire: Arc<Wire>,
    keyring: Option<Arc<dyn Keyring>>,
    reference: &str,
    platform: Option<&str>,
) -> Parts<'static, PullProgress> {
    let (name, tag) = split_reference(reference);
    let target = Query::new("/images/create")
        .add("fromImage", name)
        .add("tag", tag)
        .add_some("platform", platform)
        .finish();
    let reference = reference.to_string();
    messages::read::<Message>(wire, async move {
        let mut request = Request::post(target);
        if let Some(value) = authorisation(keyring.as_deref(), &reference).await {
            request = request.header(AUTHORISATION, value);
        }
        request
            .body(Either::Left(Full::new(Bytes::new())))
            .map_err(unformed)
    })
    .and_then(async |message| pull_progress(message))
    .boxed()
}

/// Sends an image to its registry.
pub fn push(
    wire: Arc<Wire>,
    keyring: Option<Arc<dyn Keyring>>,
    reference: &str,
) -> Parts<'static, PullProgress> {
    let (name, tag) = split_reference(reference);
    let target = Query::new(&format!("/images/{name}/push"))
        .add("tag", tag)
        .finish();
    let reference = reference.to_string();
    messages::read::<Message>(wire, async move {
        // Without credentials the engine wants the header all the same.
        let value = authorisation(keyring.as_deref(), &reference).await;
        let value = value.unwrap_or_else(|| header(&Credentials::default()));
        Request::post(target)
            .header(AUTHORISATION, value)
            .body(Either::Left(Full::new(Bytes::new())))
            .map_err(unformed)
    })
    .and_then(async |message| pull_progress(message))
    .boxed()
}

/// What a message of a pull says.
///
/// # Errors
/// Where it says that the pull has failed.
pub(super) fn pull_progress(message: Message) -> Result<PullProgress, EngineError> {
    let message = message.check()?;
    Ok(PullProgress {
        layer: message.id,
        status: message.status.unwrap_or_default(),
        current: message.detail.current,
        total: message.detail.total,
    })
}

/// The target of a build, without the builder's version.
fn build_target(request: &BuildRequest) -> String {
    fn json<T: Serialize>(value: &T) -> String {
        serde_json::to_string(value).unwrap_or_default()
    }
    let number = |n: Option<i64>| n.filter(|n| *n != 0).map(|n| n.to_string());
    let mut query = Query::new("/build")
        .add("dockerfile", &request.dockerfile)
        .add("rm", "1")
        .add_some("target", request.target.as_deref())
        .add_some("networkmode", request.network.as_deref())
        .add_some("platform", request.platform.as_deref())
        .add_some("remote", request.remote.as_deref())
        .add_some("shmsize", number(request.shm_size).as_deref())
        .add_some("memory", number(request.memory).as_deref());
    for tag in &request.tags {
        query = query.add("t", tag);
    }
    for host in &request.extra_hosts {
        query = query.add("extrahosts", host);
    }
    for (key, on) in [("nocache", request.no_cache), ("pull", request.pull)] {
        if on {
            query = query.add(key, "1");
        }
    }
    if !request.args.is_empty() {
        query = query.add("buildargs", &json(&request.args));
    }
    if !request.labels.is_empty() {
        query = query.add("labels", &json(&request.labels));
    }
    if !request.cache_from.is_empty() {
        query = query.add("cachefrom", &json(&request.cache_from));
    }
    if !request.ulimits.is_empty() {
        let limits: Vec<_> = request
            .ulimits
            .iter()
            .map(|(name, soft, hard)| serde_json::json!({ "Name": name, "Soft": soft, "Hard": hard }))
            .collect();
        query = query.add("ulimits", &json(&limits));
    }
    query.finish()
}

/// Whether the engine has BuildKit. Asking also settles the API version: the context is sent as
/// it is read and could not be sent again under another one.
async fn has_buildkit(wire: &Wire) -> Result<bool, EngineError> {
    let ask = Request::get("/_ping").body(Either::Left(Full::new(Bytes::new())));
    let answer = wire
        .send(ask.map_err(unformed)?)
        .await
        .map_err(|e| failure(wire, e))?;
    Ok(answer
        .headers()
        .get("Builder-Version")
        .is_some_and(|v| v == "2"))
}

/// Builds with BuildKit where the engine has it. There is no session with the builder: what takes
/// one (secrets, other contexts, private registries) is not for this call.
pub fn build(
    wire: Arc<Wire>,
    keyring: Option<Arc<dyn Keyring>>,
    request: BuildRequest,
) -> Parts<'static, BuildMessage> {
    let ask = wire.clone();
    stream::once(async move {
        let buildkit = has_buildkit(&ask).await? && !request.classic;
        let version = if buildkit { "2" } else { "1" };
        let target = format!("{}&version={version}", build_target(&request));
        let mut trace = Trace::default();
        let messages = messages::read::<Message>(ask, async move {
            let mut ask = Request::post(target).header("Content-Type", "application/x-tar");
            if let Some(keyring) = keyring {
                let all = keyring.all().await;
                if !all.is_empty() {
                    ask = ask.header("X-Registry-Config", header(&all));
                }
            }
            let frames = request
                .context
                .map_ok(|bytes| Frame::data(Bytes::from(bytes)))
                .boxed();
            ask.body(Body::Right(StreamBody::new(frames)))
                .map_err(unformed)
        });
        Ok(messages.try_filter_map(move |message| {
            futures::future::ready(build_message(message, &mut trace))
        }))
    })
    .try_flatten()
    .boxed()
}

/// What a message of a build says, if it says something.
///
/// # Errors
/// Where it says that the build has failed.
pub(super) fn build_message(
    message: Message,
    trace: &mut Trace,
) -> Result<Option<BuildMessage>, EngineError> {
    let message = message.check()?;
    let aux = message.aux.as_ref();
    if message.id.as_deref() == Some("moby.buildkit.trace") {
        let encoded = aux.and_then(serde_json::Value::as_str).unwrap_or_default();
        let decoded = base64::engine::general_purpose::STANDARD.decode(encoded);
        let text = trace.read(&decoded.unwrap_or_default());
        return Ok((!text.is_empty()).then_some(BuildMessage::Log(text)));
    }
    if let Some(text) = message.stream {
        return Ok(Some(BuildMessage::Log(text)));
    }
    let id = aux.and_then(|aux| aux.get("ID")?.as_str());
    Ok(id.map(|id| BuildMessage::Built(id.to_string())))
}

pub fn unformed(error: hyper::http::Error) -> EngineError {
    EngineError::Protocol {
        message: format!("the request could not be formed: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        let table = [
            ("nginx", ("nginx", "latest")),
            ("nginx:1.4", ("nginx", "1.4")),
            ("localhost:5000/a/b", ("localhost:5000/a/b", "latest")),
            ("localhost:5000/a/b:c", ("localhost:5000/a/b", "c")),
            ("a@sha256:01", ("a", "sha256:01")),
            ("h:1/a:2@sha256:01", ("h:1/a", "sha256:01")),
        ];
        for (reference, parts) in table {
            assert_eq!(split_reference(reference), parts, "{reference}");
        }
    }

    #[test]
    fn errors_inside_a_stream() {
        let message: Message = serde_json::from_str(
            r#"{"errorDetail":{"code":1,"message":"no space left on device"},"error":"x"}"#,
        )
        .unwrap();
        assert_eq!(
            message.check().unwrap_err().message(),
            "no space left on device"
        );
    }
}
