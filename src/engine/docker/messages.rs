//! Answers that are one JSON message per line, as they come: pulls, builds and events.

use super::failure::{broken, failure, refused};
use super::wire::{Body, Wire, message_of, words};
use crate::engine::{EngineError, Parts};
use bytes::{Bytes, BytesMut};
use futures::stream::{self, StreamExt, TryStreamExt};
use http_body_util::BodyExt;
use hyper::Request;
use hyper::body::Incoming;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// Sends a request and gives its answer's messages. Nothing is sent before the first poll.
pub fn read<T: DeserializeOwned + Send + 'static>(
    wire: Arc<Wire>,
    request: impl Future<Output = Result<Request<Body>, EngineError>> + Send + 'static,
) -> Parts<'static, T> {
    stream::once(async move {
        let answer = wire
            .send_for_stream(request.await?)
            .await
            .map_err(|e| failure(&wire, e))?;
        let status = answer.status().as_u16();
        if status >= 400 {
            let text = words(answer.into_body())
                .await
                .map_err(|e| broken(&wire, &e))?;
            return Err(refused(status, message_of(&text)));
        }
        let lines = Lines {
            wire,
            body: answer.into_body(),
            rest: BytesMut::new(),
            searched: 0,
            ended: false,
        };
        Ok(stream::try_unfold(lines, |mut lines| async move {
            Ok(lines.next().await?.map(|message| (message, lines)))
        }))
    })
    .try_flatten()
    .boxed()
}

/// A message of a pull or a build, or an event, is no longer, in bytes: the longest are a build's
/// log lines, which come in pieces of 1 MiB at most.
const MAX_MESSAGE: usize = 16 << 20;

struct Lines {
    wire: Arc<Wire>,
    body: Incoming,
    /// Read, but not yet a whole line.
    rest: BytesMut,
    /// So much of it has no line's end.
    searched: usize,
    ended: bool,
}

impl Lines {
    async fn read(&mut self) -> Result<Option<Bytes>, EngineError> {
        loop {
            return match self.body.frame().await {
                None => Ok(None),
                Some(Err(e)) => Err(broken(&self.wire, &e)),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => Ok(Some(data)),
                    // Trailers.
                    Err(_) => continue,
                },
            };
        }
    }

    async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, EngineError> {
        loop {
            let from = self.searched;
            let end = memchr::memchr(b'\n', &self.rest[from..]);
            self.searched = match end {
                Some(_) => 0,
                None => self.rest.len(),
            };
            let line = match end.map(|end| end + from) {
                Some(end) => self.rest.split_to(end + 1),
                None if self.rest.len() > MAX_MESSAGE => {
                    return Err(EngineError::Endless {
                        message: format!(
                            "the engine sent a message of more than {} MiB",
                            MAX_MESSAGE >> 20
                        ),
                    });
                }
                None if self.ended && self.rest.is_empty() => return Ok(None),
                None if self.ended => {
                    self.searched = 0;
                    self.rest.split()
                }
                None => {
                    match self.read().await? {
                        Some(bytes) => self.rest.extend_from_slice(&bytes),
                        None => self.ended = true,
                    }
                    continue;
                }
            };
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            return serde_json::from_slice(&line)
                .map(Some)
                .map_err(|e| EngineError::Protocol {
                    message: format!(
                        "the engine sent a message that was not understood ({e}): {}",
                        String::from_utf8_lossy(&line).trim()
                    ),
                });
        }
    }
}
