//! Connections that a process in a container owns in both directions, and waiting for its end.

use super::failure::{broken, failure, refused};
use super::frames::FrameDecoder;
use super::images::unformed;
use super::query::Query;
use super::wire::{Body, Wire, message_of, words};
use crate::engine::{
    AttachRequest, Awaited, EngineError, ExecRequest, OutputChunk, Reply, Streams, TerminalSize,
};
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt};

/// A terminal's size as requests hold it: rows, then columns.
pub fn console_size(size: TerminalSize) -> Vec<usize> {
    vec![size.rows.into(), size.columns.into()]
}

/// Starts a prepared command.
pub async fn start_exec(
    wire: Arc<Wire>,
    id: &str,
    request: &ExecRequest,
) -> Result<Streams, EngineError> {
    let mut body = serde_json::json!({ "Detach": request.detach, "Tty": request.tty });
    if let Some(size) = request.size.filter(|_| request.tty) {
        body["ConsoleSize"] = serde_json::json!(console_size(size));
    }
    let ask = Request::post(format!("/exec/{id}/start")).header("Content-Type", "application/json");
    let body = Bytes::from(body.to_string());
    if !request.detach {
        return open(wire, ask, body, request.tty, request.stdin).await;
    }
    let ask = ask.body(Either::Left(Full::new(body))).map_err(unformed)?;
    let answer = send(&wire, ask).await?;
    accepted(&wire, answer).await?;
    Ok(Streams {
        output: stream::empty().boxed(),
        input: None,
    })
}

/// Attaches to a container's main process.
pub async fn attach(
    wire: Arc<Wire>,
    id: &str,
    request: &AttachRequest,
) -> Result<Streams, EngineError> {
    let target = Query::new(&format!("/containers/{id}/attach"))
        .add("stream", "1")
        .add_some("stdin", request.stdin.then_some("1"))
        .add("stdout", "1")
        .add("stderr", "1")
        .add_some("detachKeys", request.detach_keys.as_deref())
        .finish();
    open(
        wire,
        Request::post(target),
        Bytes::new(),
        request.tty,
        request.stdin,
    )
    .await
}

/// Waits for an end of a container: answered once the engine has taken note.
pub async fn wait(
    wire: Arc<Wire>,
    id: &str,
    awaited: Awaited,
) -> Result<Reply<'static, i64>, EngineError> {
    let target = Query::new(&format!("/containers/{id}/wait"))
        .add("condition", awaited.as_str())
        .finish();
    let ask = Request::post(target)
        .body(Either::Left(Full::new(Bytes::new())))
        .map_err(unformed)?;
    let answer = accepted(&wire, send(&wire, ask).await?).await?;
    Ok(Box::pin(async move {
        let body = answer.into_body().collect().await;
        let text = body.map_err(|e| broken(&wire, &e))?.to_bytes();
        let end: End = serde_json::from_slice(&text).map_err(|e| EngineError::Protocol {
            message: format!("the engine's word on a container's end was not understood: {e}"),
        })?;
        match end.error.filter(|error| !error.message.is_empty()) {
            Some(error) => Err(EngineError::Refused {
                status: 200,
                message: error.message,
            }),
            None => Ok(end.status),
        }
    }))
}

/// How a container has ended.
#[derive(serde::Deserialize)]
struct End {
    #[serde(rename = "StatusCode")]
    status: i64,
    #[serde(rename = "Error", default)]
    error: Option<WaitError>,
}

#[derive(serde::Deserialize)]
struct WaitError {
    #[serde(rename = "Message", default)]
    message: String,
}

async fn send(wire: &Wire, ask: Request<Body>) -> Result<Response<Incoming>, EngineError> {
    let answer = wire.send_for_stream(ask).await;
    answer.map_err(|e| failure(wire, e))
}

/// The answer, unless it is a refusal.
async fn accepted(
    wire: &Wire,
    answer: Response<Incoming>,
) -> Result<Response<Incoming>, EngineError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let text = words(answer.into_body())
        .await
        .map_err(|e| broken(wire, &e))?;
    Err(refused(status.as_u16(), message_of(&text)))
}

/// Sends a request whose connection belongs to a process from its answer on.
async fn open(
    wire: Arc<Wire>,
    ask: hyper::http::request::Builder,
    body: Bytes,
    tty: bool,
    stdin: bool,
) -> Result<Streams, EngineError> {
    let ask = ask
        .header("Connection", "Upgrade")
        .header("Upgrade", "tcp")
        .body(Either::Left(Full::new(body)))
        .map_err(unformed)?;
    let answer = send(&wire, ask).await?;
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        accepted(&wire, answer).await?;
        return Err(EngineError::Protocol {
            message: "the engine did not open the process's connection".into(),
        });
    }
    let upgraded = hyper::upgrade::on(answer)
        .await
        .map_err(|e| broken(&wire, &e))?;
    let (read, write) = tokio::io::split(TokioIo::new(upgraded));
    Ok(Streams {
        output: output(wire, read, tty).boxed(),
        input: stdin.then(|| Box::pin(write) as _),
    })
}

fn output(
    wire: Arc<Wire>,
    read: impl AsyncRead + Unpin + Send + 'static,
    tty: bool,
) -> impl futures::Stream<Item = Result<OutputChunk, EngineError>> + Send {
    struct State<R> {
        wire: Arc<Wire>,
        read: R,
        frames: FrameDecoder,
        buffer: Vec<u8>,
        ready: VecDeque<OutputChunk>,
    }
    let state = State {
        wire,
        read,
        frames: FrameDecoder::new(tty),
        buffer: vec![0; 16 << 10],
        ready: VecDeque::new(),
    };
    stream::try_unfold(state, |mut state| async move {
        loop {
            if let Some(chunk) = state.ready.pop_front() {
                return Ok(Some((chunk, state)));
            }
            let n = state
                .read
                .read(&mut state.buffer)
                .await
                .map_err(|e| broken(&state.wire, &e))?;
            if n == 0 {
                return Ok(None);
            }
            let mut chunks = Vec::new();
            state.frames.push(&state.buffer[..n], &mut chunks);
            state.ready.extend(chunks);
        }
    })
}
