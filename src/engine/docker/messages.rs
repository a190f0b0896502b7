//! Answers that are one JSON message per line, as they come: pulls, builds and events.

use super::failure::{broken, failure, refused};
use super::wire::{Body, Wire, message_of, words};
use crate::engine::{EngineError, Parts};
use bytes::BytesMut;
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
            splitter: Splitter::default(),
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

/// Takes messages out of bytes, however these are cut.
#[derive(Debug, Default)]
pub struct Splitter {
    /// Read, but not yet a whole line.
    rest: BytesMut,
    /// So much of it has no line's end.
    searched: usize,
    ended: bool,
}

impl Splitter {
    /// More has come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
    }

    /// No more will come.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Whether no more will come, and all has been given.
    pub fn is_done(&self) -> bool {
        self.ended && self.rest.is_empty()
    }

    /// The next message, if it has come as a whole.
    ///
    /// # Errors
    /// Where it is too long, or no such message.
    pub fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, EngineError> {
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
                None if self.ended && !self.rest.is_empty() => {
                    self.searched = 0;
                    self.rest.split()
                }
                None => return Ok(None),
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

struct Lines {
    wire: Arc<Wire>,
    body: Incoming,
    splitter: Splitter,
}

impl Lines {
    async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, EngineError> {
        loop {
            if let Some(message) = self.splitter.next()? {
                return Ok(Some(message));
            }
            if self.splitter.is_done() {
                return Ok(None);
            }
            match self.body.frame().await {
                None => self.splitter.end(),
                Some(Err(e)) => return Err(broken(&self.wire, &e)),
                // Trailers are nothing.
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.splitter.push(&data);
                    }
                }
            }
        }
    }
}
