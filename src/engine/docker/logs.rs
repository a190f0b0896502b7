//! A container's log, read on a connection of its own.
//!
//! The engine sends every line as a frame and every frame as an HTTP chunk. Passing each of them
//! through a general HTTP client costs several times the work of reading them, so this reads
//! the socket itself: large reads, both layers taken apart in place, neighbours put together.

use super::chunked::{BodyDecoder, Chunked};
use super::connection::Connection;
use super::failure::{broken, refused, unreachable};
use super::frames::FrameDecoder;
use super::wire::{MAX_REFUSAL, Wire, message_of};
use crate::engine::{EngineError, LogOptions, OutputChunk, Parts};
use futures::stream::{self, StreamExt, TryStreamExt};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Size of a read at first; it grows with what comes. The engine takes so much longer to write that
/// larger ones only cost memory, which each log that is read takes twice.
const FIRST_READ: usize = 4 << 10;
const LARGEST_READ: usize = 16 << 10;

/// The address of a log.
fn target(id: &str, options: &LogOptions) -> String {
    let mut target = format!("/containers/{id}/logs?stdout=1&stderr=1");
    for (key, on) in [
        ("follow", options.follow),
        ("timestamps", options.timestamps),
    ] {
        if on {
            target += &format!("&{key}=1");
        }
    }
    for (key, value) in [("since", &options.since), ("until", &options.until)] {
        if let Some(value) = value {
            target += &format!("&{key}={value}");
        }
    }
    if let Some(tail) = options.tail {
        target += &format!("&tail={tail}");
    }
    target
}

/// Reads a log. The request is sent when the stream is first polled.
pub fn read(wire: Arc<Wire>, id: &str, options: LogOptions) -> Parts<'static, OutputChunk> {
    let target = target(id, &options);
    stream::once(async move {
        let reader = Reader::open(wire, &target, options.tty).await?;
        Ok(stream::try_unfold(reader, |mut reader| async move {
            Ok(reader.next().await?.map(|chunk| (chunk, reader)))
        }))
    })
    .try_flatten()
    .boxed()
}

struct Reader {
    wire: Arc<Wire>,
    connection: Connection,
    body: BodyDecoder,
    frames: FrameDecoder,
    buffer: Vec<u8>,
    ready: VecDeque<OutputChunk>,
    /// What is wrong behind what is ready.
    failure: Option<io::Error>,
    /// Kept to save allocations.
    decoded: Vec<OutputChunk>,
}

impl Reader {
    async fn open(wire: Arc<Wire>, target: &str, bare: bool) -> Result<Self, EngineError> {
        loop {
            let mut connection = wire
                .connect()
                .await
                .map_err(|e| unreachable(wire.endpoint(), Some(&e)))?;
            let (head, rest) = ask(&mut connection, &wire.versioned(target))
                .await
                .map_err(|e| broken(&wire, &e))?;
            let Head { status, body, .. } = head;
            let mut reader = Reader {
                connection,
                body,
                frames: FrameDecoder::new(head.is_bare.unwrap_or(bare) || status != 200),
                buffer: vec![0; FIRST_READ],
                ready: VecDeque::new(),
                failure: None,
                decoded: Vec::new(),
                wire: wire.clone(),
            };
            reader.failure = reader.take(&rest).err();
            if status == 200 {
                return Ok(reader);
            }
            let mut text = Vec::new();
            while text.len() < MAX_REFUSAL
                && let Some(chunk) = reader.next().await?
            {
                text.extend(chunk.bytes);
            }
            let message = message_of(&text);
            if !wire.renegotiate(status, &message) {
                return Err(refused(status, message));
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (frames, decoded) = (&mut self.frames, &mut self.decoded);
        let result = self.body.push(bytes, |part| frames.push(part, decoded));
        // Also what came before bytes that mean nothing.
        self.ready.extend(self.decoded.drain(..));
        result
    }

    async fn next(&mut self) -> Result<Option<OutputChunk>, EngineError> {
        loop {
            if let Some(chunk) = self.ready.pop_front() {
                return Ok(Some(chunk));
            }
            if let Some(error) = self.failure.take() {
                return Err(broken(&self.wire, &error));
            }
            if self.body.is_done() {
                return Ok(None);
            }
            let mut buffer = std::mem::take(&mut self.buffer);
            let read = self.connection.read(&mut buffer).await;
            let n = match read {
                Ok(0) if self.body.may_end() && self.frames.is_between_frames() => return Ok(None),
                Ok(0) => {
                    let message = "it ended in the middle of a log";
                    let error = io::Error::new(io::ErrorKind::UnexpectedEof, message);
                    return Err(broken(&self.wire, &error));
                }
                Ok(n) => {
                    self.failure = self.take(&buffer[..n]).err();
                    n
                }
                Err(e) => return Err(broken(&self.wire, &e)),
            };
            if n == buffer.len() && n < LARGEST_READ {
                buffer = vec![0; n * 4];
            }
            self.buffer = buffer;
        }
    }
}

/// What the head of an answer says.
struct Head {
    status: u16,
    body: BodyDecoder,
    /// Whether it is a terminal's output, without frames; not every engine tells.
    is_bare: Option<bool>,
}

/// Sends the request and reads the answer's head, and what of the body came with it.
async fn ask(connection: &mut Connection, target: &str) -> io::Result<(Head, Vec<u8>)> {
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: regatta/{}\r\nConnection: close\r\n\r\n",
        env!("CARGO_PKG_VERSION")
    );
    connection.write_all(request.as_bytes()).await?;
    let mut read = Vec::with_capacity(FIRST_READ);
    loop {
        if connection.read_buf(&mut read).await? == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "it closed without an answer",
            ));
        }
        if let Some((head, length)) = parse_head(&read)? {
            read.drain(..length);
            return Ok((head, read));
        }
        if read.len() > LARGEST_READ {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the head of an answer has no end",
            ));
        }
    }
}

/// The head and its length, if it is complete.
fn parse_head(bytes: &[u8]) -> io::Result<Option<(Head, usize)>> {
    let invalid = |e: String| io::Error::new(io::ErrorKind::InvalidData, e);
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(bytes).map_err(|e| invalid(e.to_string()))? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => return Ok(None),
    };
    let header = |name: &str| {
        response
            .headers
            .iter()
            .find(|h| h.name.eq_ignore_ascii_case(name))
            .and_then(|h| std::str::from_utf8(h.value).ok())
    };
    let chunked = header("transfer-encoding")
        .is_some_and(|v| v.trim().to_ascii_lowercase().ends_with("chunked"));
    let body = match header("content-length").map(|v| v.trim().parse()) {
        _ if chunked => BodyDecoder::Chunked(Chunked::default()),
        Some(Ok(length)) => BodyDecoder::Length(length),
        Some(Err(_)) => return Err(invalid("the length of an answer is no number".into())),
        None => BodyDecoder::UntilClose,
    };
    let is_bare = match header("content-type") {
        Some(kind) if kind.contains("docker.raw-stream") => Some(true),
        Some(kind) if kind.contains("docker.multiplexed-stream") => Some(false),
        _ => None,
    };
    let status = response.code.unwrap_or(0);
    Ok(Some((
        Head {
            status,
            body,
            is_bare,
        },
        length,
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets() {
        assert_eq!(
            target("c", &LogOptions::default()),
            "/containers/c/logs?stdout=1&stderr=1"
        );
        let all = LogOptions {
            follow: true,
            since: Some("1.5".into()),
            until: Some("2".into()),
            tail: Some(0),
            timestamps: true,
            tty: false,
        };
        assert_eq!(
            target("c", &all),
            "/containers/c/logs?stdout=1&stderr=1&follow=1&timestamps=1&since=1.5&until=2&tail=0"
        );
    }

    #[test]
    fn heads() {
        let head =
            b"HTTP/1.1 200 OK\r\nApi-Version: 1.51\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n";
        for cut in 0..head.len() - 3 {
            assert!(parse_head(&head[..cut]).unwrap().is_none(), "{cut}");
        }
        let (read, length) = parse_head(head).unwrap().unwrap();
        assert_eq!(
            (read.status, length, read.is_bare),
            (200, head.len() - 3, None)
        );
        assert!(matches!(read.body, BodyDecoder::Chunked(_)));
        let (read, _) = parse_head(b"HTTP/1.1 404 Not Found\r\ncontent-length: 7\r\n\r\n")
            .unwrap()
            .unwrap();
        assert_eq!(read.status, 404);
        assert!(matches!(read.body, BodyDecoder::Length(7)));
        for (kind, is_bare) in [("raw", true), ("multiplexed", false)] {
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.{kind}-stream\r\n\r\n"
            );
            let (read, _) = parse_head(head.as_bytes()).unwrap().unwrap();
            assert_eq!(read.is_bare, Some(is_bare));
        }
        assert!(parse_head(b"nonsense\r\n\r\n").is_err());
    }
}
