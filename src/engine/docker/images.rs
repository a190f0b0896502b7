//! Pulling and building: requests whose answers are streams of messages.

use super::failure::failure;
use super::messages;
use super::query::Query;
use super::wire::{Body, Wire};
use crate::engine::{BuildMessage, BuildRequest, EngineError, Parts, PullProgress};
use base64::Engine as _;
use bytes::Bytes;
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
    fn of_image(&self, reference: &str) -> Option<Credentials>;
    /// All there are, by registry.
    fn all(&self) -> BTreeMap<String, Credentials>;
}

/// The header value for a JSON document.
fn header<T: Serialize>(value: &T) -> String {
    let json = serde_json::to_vec(value).unwrap_or_default();
    base64::engine::general_purpose::URL_SAFE.encode(json)
}

/// A part of a stream's message, with the error that ends it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Message {
    id: Option<String>,
    status: Option<String>,
    stream: Option<String>,
    #[serde(rename = "progressDetail")]
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
    messages::read::<Message>(wire, move || {
        let mut request = Request::post(target);
        if let Some(credentials) = keyring.and_then(|k| k.of_image(&reference)) {
            request = request.header("X-Registry-Auth", header(&credentials));
        }
        request
            .body(Either::Left(Full::new(Bytes::new())))
            .map_err(unformed)
    })
    .and_then(async |message| {
        let message = message.check()?;
        Ok(PullProgress {
            layer: message.id,
            status: message.status.unwrap_or_default(),
            current: message.detail.current,
            total: message.detail.total,
        })
    })
    .boxed()
}

/// Builds with the engine's classic builder.
pub fn build(
    wire: Arc<Wire>,
    keyring: Option<Arc<dyn Keyring>>,
    request: BuildRequest,
) -> Parts<'static, BuildMessage> {
    let json = |value: &BTreeMap<String, String>| serde_json::to_string(value).unwrap_or_default();
    let mut query = Query::new("/build")
        .add("dockerfile", &request.dockerfile)
        .add("rm", "1")
        .add_some("target", request.target.as_deref())
        .add_some("networkmode", request.network.as_deref())
        .add_some("platform", request.platform.as_deref())
        .add_some(
            "shmsize",
            request.shm_size.map(|n| n.to_string()).as_deref(),
        );
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
        let images = serde_json::to_string(&request.cache_from).unwrap_or_default();
        query = query.add("cachefrom", &images);
    }
    let target = query.finish();
    let context = request.context;
    let settle = wire.clone();
    stream::once(async move {
        // The context is sent as it is read and cannot be sent twice, so the version must be
        // known: an engine that refuses ours says so here.
        if !settle.is_settled() {
            let ask = Request::get("/version").body(Either::Left(Full::new(Bytes::new())));
            settle
                .send(ask.map_err(unformed)?)
                .await
                .map_err(|e| failure(&settle, e))?;
        }
        Ok(messages::read::<Message>(settle, move || {
            let mut request = Request::post(target).header("Content-Type", "application/x-tar");
            if let Some(all) = keyring.map(|k| k.all()).filter(|all| !all.is_empty()) {
                request = request.header("X-Registry-Config", header(&all));
            }
            let frames = context
                .map_ok(|bytes| Frame::data(Bytes::from(bytes)))
                .boxed();
            request
                .body(Body::Right(StreamBody::new(frames)))
                .map_err(unformed)
        }))
    })
    .try_flatten()
    .try_filter_map(async |message| {
        let message = message.check()?;
        if let Some(text) = message.stream {
            return Ok(Some(BuildMessage::Log(text)));
        }
        let id = message.aux.as_ref().and_then(|aux| aux.get("ID")?.as_str());
        if let Some(id) = id {
            return Ok(Some(BuildMessage::Built(id.to_string())));
        }
        Ok(None)
    })
    .boxed()
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
