//! The HTTP client below bollard: one pool of keep-alive connections, and the API version.
//!
//! bollard's own transports open a connection per request and know one fixed version. This one
//! asks nothing up front: it sends our version, and only when the engine refuses that does it
//! take the one the refusal names and repeat the request.

use super::connection::{Connection, Connector, Pooled};
use super::ssh;
use crate::engine::endpoint::Endpoint;
use bollard::errors::Error;
use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{HOST, HeaderValue, USER_AGENT};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// The API we write requests for: that of Docker Engine 28.3.
pub const API_MINOR: u32 = 51;

/// Body of a request, as bollard has it.
pub type Body = Either<
    Full<Bytes>,
    StreamBody<futures::stream::BoxStream<'static, Result<Frame<Bytes>, std::io::Error>>>,
>;

/// The connections to one engine.
pub struct Wire {
    /// For answers that are one document, and have an end.
    documents: Client<Pooled, Body>,
    /// For answers that go on for as long as something goes on.
    streams: Client<Pooled, Body>,
    connector: Connector,
    /// The minor number of the version in use; the major one is 1.
    minor: AtomicU32,
    /// The user demanded a version: no other is tried.
    pinned: bool,
    /// An answer said so.
    is_podman: AtomicBool,
}

/// Podman's version, which every answer of its bears.
const PODMAN: &str = "libpod-api-version";

impl Wire {
    /// `version` is `DOCKER_API_VERSION`, e.g. `1.44`; an unreadable one is as good as none.
    pub fn new(endpoint: Endpoint, version: Option<&str>, means: ssh::Means) -> Self {
        let demanded = version.and_then(|v| minor_of(v.trim_start_matches('v')));
        let connector = Connector::new(endpoint, means);
        let client = |is_bounded| {
            Client::builder(TokioExecutor::new())
                .pool_max_idle_per_host(16)
                .build(Pooled {
                    connector: connector.clone(),
                    is_bounded,
                })
        };
        Wire {
            documents: client(true),
            streams: client(false),
            connector,
            minor: AtomicU32::new(demanded.unwrap_or(API_MINOR)),
            pinned: demanded.is_some(),
            is_podman: AtomicBool::new(false),
        }
    }

    pub fn endpoint(&self) -> &Endpoint {
        self.connector.endpoint()
    }

    /// The process on this machine that opened the engine's socket, where there is one.
    pub fn listener(&self) -> Option<u32> {
        self.connector.listener()
    }

    /// The minor number of the API version in use, as far as it is known by now.
    pub fn minor(&self) -> u32 {
        self.minor.load(Ordering::Relaxed)
    }

    /// Whether an answer has shown that Podman is at the other end.
    pub fn is_podman(&self) -> bool {
        self.is_podman.load(Ordering::Relaxed)
    }

    /// A connection of its own, outside the pool.
    pub async fn connect(&self) -> std::io::Result<Connection> {
        self.connector.connect().await
    }

    /// Takes over the version that a refusal offers; `false` if it was refused for another
    /// reason, or nothing can be done about it.
    pub fn renegotiate(&self, status: u16, message: &str) -> bool {
        if status != 400 || self.pinned {
            return false;
        }
        match offered_minor(message) {
            Some(minor) if minor != self.minor() => {
                tracing::debug!(
                    from = self.minor(),
                    to = minor,
                    "engine asks for another API version"
                );
                self.minor.store(minor, Ordering::Relaxed);
                true
            }
            _ => false,
        }
    }

    /// Sends a request whose address begins with any or no version, under the version in use. Its
    /// answer is one document.
    pub async fn send(&self, request: Request<Body>) -> Result<Response<Incoming>, Error> {
        self.send_by(&self.documents, request).await
    }

    /// The same for an answer that may be of any length.
    pub async fn send_for_stream(
        &self,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, Error> {
        self.send_by(&self.streams, request).await
    }

    async fn send_by(
        &self,
        client: &Client<Pooled, Body>,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, Error> {
        let (head, body) = request.into_parts();
        let again = match &body {
            Either::Left(full) => Some(Either::Left(full.clone())),
            Either::Right(_) => None,
        };
        let response = self.send_once(client, head.clone(), body).await?;
        if response.status() != StatusCode::BAD_REQUEST {
            return Ok(response);
        }
        let message = message_of(&words(response.into_body()).await?);
        match again {
            Some(body) if self.renegotiate(400, &message) => {
                self.send_once(client, head, body).await
            }
            _ => Err(Error::DockerResponseServerError {
                status_code: 400,
                message,
            }),
        }
    }

    async fn send_once(
        &self,
        client: &Client<Pooled, Body>,
        mut head: hyper::http::request::Parts,
        body: Body,
    ) -> Result<Response<Incoming>, Error> {
        let target = head.uri.path_and_query().map_or("/", |p| p.as_str());
        let target = self.versioned(target);
        head.uri = Uri::builder()
            .scheme("http")
            .authority("localhost")
            .path_and_query(target.as_str())
            .build()?;
        // Go's server refuses a request whose Host names a path or a socket.
        head.headers
            .insert(HOST, HeaderValue::from_static("localhost"));
        head.headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("regatta/", env!("CARGO_PKG_VERSION"))),
        );
        let started = std::time::Instant::now();
        let method = head.method.clone();
        let answer = client.request(Request::from_parts(head, body)).await;
        let target = shown(&target);
        match &answer {
            Ok(response) => tracing::debug!(
                %method, target, status = response.status().as_u16(), elapsed = ?started.elapsed(), "engine"
            ),
            Err(error) => tracing::debug!(%method, target, %error, "engine"),
        }
        let answer = answer?;
        if answer.headers().contains_key(PODMAN) {
            self.is_podman.store(true, Ordering::Relaxed);
        }
        Ok(answer)
    }

    /// The target with the version in use in front.
    pub fn versioned(&self, target: &str) -> String {
        format!("/v1.{}{}", self.minor(), without_version(target))
    }
}

/// Cuts `/v1.51` off a target.
fn without_version(target: &str) -> &str {
    let Some(rest) = target.strip_prefix("/v") else {
        return target;
    };
    match rest.find('/') {
        Some(end) if rest[..end].bytes().all(|b| b.is_ascii_digit() || b == b'.') => &rest[end..],
        _ => target,
    }
}

/// `44` of `1.44`.
fn minor_of(version: &str) -> Option<u32> {
    version.trim().strip_prefix("1.")?.parse().ok()
}

/// The version a refusal names: `client version 1.99 is too new. Maximum supported API version
/// is 1.51`, `client version 1.10 is too old. Minimum supported API version is 1.24, please …`.
fn offered_minor(message: &str) -> Option<u32> {
    let (_, rest) = message.split_once("client version ")?;
    let (_, version) = rest.split_once("supported API version is ")?;
    let end = version
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(version.len());
    minor_of(version[..end].trim_end_matches('.'))
}

/// No refusal takes more words than this, in bytes.
pub const MAX_REFUSAL: usize = 1 << 20;

/// The body of a refusal, as far as anybody would read it.
pub async fn words(mut body: Incoming) -> Result<Vec<u8>, hyper::Error> {
    let mut text = Vec::new();
    while text.len() < MAX_REFUSAL
        && let Some(frame) = body.frame().await
    {
        text.extend_from_slice(frame?.data_ref().map_or(&[][..], |data| data));
    }
    Ok(text)
}

/// The words in an error's body: JSON with a `message`, or bare text.
pub fn message_of(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Refusal {
        #[serde(default)]
        message: String,
        /// Podman's words for the underlying reason, more telling than its message.
        #[serde(default)]
        cause: String,
    }
    match serde_json::from_slice::<Refusal>(body) {
        Ok(refusal) if !refusal.message.is_empty() => refusal.message,
        Ok(refusal) if !refusal.cause.is_empty() => refusal.cause,
        _ => String::from_utf8_lossy(body).trim().to_string(),
    }
}

/// A target without what it may hold of secrets: build arguments, labels, and the login of a context's
/// address.
fn shown(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else {
        return target.to_owned();
    };
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((key @ ("buildargs" | "labels" | "remote"), value)) if !value.is_empty() => {
            format!("{key}=***")
        }
        _ => pair.to_owned(),
    });
    format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_a_build_are_not_traced() {
        for (target, expected) in [
            ("/v1.44/info", "/v1.44/info"),
            ("/containers/json?all=true", "/containers/json?all=true"),
            (
                "/build?t=a&buildargs=%7B%22T%22%3A%22s3cret%22%7D&remote=https%3A%2F%2FTOKEN%40h&q=&labels=",
                "/build?t=a&buildargs=***&remote=***&q=&labels=",
            ),
        ] {
            assert_eq!(shown(target), expected);
        }
    }

    #[test]
    fn refusals_name_a_version() {
        let table = [
            (
                "client version 1.99 is too new. Maximum supported API version is 1.51",
                Some(51),
            ),
            (
                "client version 1.10 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version",
                Some(24),
            ),
            (
                "Error response: client version 1.51 is too new. Maximum supported API version is 1.41.",
                Some(41),
            ),
            ("invalid reference format", None),
            ("client version 1.51 is too new", None),
        ];
        for (message, minor) in table {
            assert_eq!(offered_minor(message), minor, "{message}");
        }
    }

    #[test]
    fn versions_are_replaced() {
        let wire = Wire::new(
            Endpoint::Unix("/x".into()),
            Some("1.44"),
            ssh::Means::default(),
        );
        for (target, expected) in [
            (
                "/v1.53/containers/json?all=true",
                "/v1.44/containers/json?all=true",
            ),
            ("/containers/json", "/v1.44/containers/json"),
            ("/volumes/v1", "/v1.44/volumes/v1"),
            ("/version", "/v1.44/version"),
        ] {
            assert_eq!(wire.versioned(target), expected);
        }
        let refusal = "client version 1.44 is too new. Maximum supported API version is 1.41";
        assert!(!wire.renegotiate(400, refusal), "a demanded version stays");
        let free = Wire::new(Endpoint::Unix("/x".into()), None, ssh::Means::default());
        assert!(free.renegotiate(400, refusal));
        assert_eq!(free.minor(), 41);
        assert!(
            !free.renegotiate(400, refusal),
            "the same again is no progress"
        );
    }

    #[test]
    fn messages() {
        assert_eq!(
            message_of(br#"{"message":"No such container: x"}"#),
            "No such container: x"
        );
        assert_eq!(message_of(b"plain text\n"), "plain text");
        assert_eq!(
            message_of(br#"{"cause":"no such image","message":"","response":404}"#),
            "no such image"
        );
    }
}
