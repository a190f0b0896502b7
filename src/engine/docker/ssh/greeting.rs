//! The first request over a stream. `ssh` says nothing when a session stands, and nothing when the
//! server has admitted none: an answer of the engine is what tells.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1::handshake;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};

/// The largest answer that is read, in bytes.
const LARGEST: usize = 4 << 20;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Greeting {
    /// Whether an engine answers.
    Ping,
    /// Which engine it is.
    Identity,
}

impl Greeting {
    /// Asks, and gives the engine's id, which is empty where it was not asked for.
    ///
    /// # Errors
    /// Where the stream ends before an answer has come, or what comes is none.
    pub async fn exchange(
        self,
        stream: &mut (impl AsyncRead + AsyncWrite + Send + Unpin),
    ) -> io::Result<String> {
        let (method, target) = match self {
            Greeting::Ping => (Method::HEAD, "/_ping"),
            Greeting::Identity => (Method::GET, "/info"),
        };
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header("Host", "localhost")
            .body(Empty::<Bytes>::new())
            .map_err(io::Error::other)?;
        let (mut sender, connection) = handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        let ask = async move {
            let answer = sender
                .send_request(request)
                .await
                .map_err(io::Error::other)?;
            let body = Limited::new(answer.into_body(), LARGEST);
            let body = body.collect().await.map_err(io::Error::other)?;
            io::Result::Ok(body.to_bytes())
        };
        // The stream is the pool's afterwards: it must not be closed.
        let (answer, ended) = tokio::join!(ask, connection.without_shutdown());
        let answer = answer?;
        let left = ended.map_err(io::Error::other)?.read_buf;
        if !left.is_empty() {
            return Err(io::Error::other("the engine said more than it was asked"));
        }
        if self == Greeting::Ping {
            return Ok(String::new());
        }
        let found: serde_json::Value = serde_json::from_slice(&answer)?;
        Ok(found["ID"].as_str().unwrap_or_default().to_owned())
    }
}
