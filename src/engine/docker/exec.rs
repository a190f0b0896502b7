//! Commands in containers: the started one owns its connection in both directions.

use super::failure::{broken, failure, refused};
use super::frames::FrameDecoder;
use super::images::unformed;
use super::wire::{Wire, message_of, words};
use crate::engine::{EngineError, ExecRequest, ExecSession, OutputChunk};
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use http_body_util::{Either, Full};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Starts a prepared command.
pub async fn start(
    wire: Arc<Wire>,
    id: String,
    request: ExecRequest,
) -> Result<ExecSession, EngineError> {
    let body = serde_json::json!({ "Detach": request.detach, "Tty": request.tty }).to_string();
    let mut ask =
        Request::post(format!("/exec/{id}/start")).header("Content-Type", "application/json");
    if !request.detach {
        ask = ask.header("Connection", "Upgrade").header("Upgrade", "tcp");
    }
    let ask = ask
        .body(Either::Left(Full::new(Bytes::from(body))))
        .map_err(unformed)?;
    let answer = wire
        .send_for_stream(ask)
        .await
        .map_err(|e| failure(&wire, e))?;
    let status = answer.status();
    if status == StatusCode::SWITCHING_PROTOCOLS {
        let upgraded = hyper::upgrade::on(answer)
            .await
            .map_err(|e| broken(&wire, &e))?;
        let (read, write) = tokio::io::split(TokioIo::new(upgraded));
        return Ok(ExecSession {
            id,
            output: output(wire, read, request.tty).boxed(),
            input: request.stdin.then(|| Box::pin(write) as _),
        });
    }
    let text = words(answer.into_body())
        .await
        .map_err(|e| broken(&wire, &e))?;
    if !status.is_success() {
        return Err(refused(status.as_u16(), message_of(&text)));
    }
    if !request.detach {
        return Err(EngineError::Protocol {
            message: "the engine did not open the command's connection".into(),
        });
    }
    Ok(ExecSession {
        id,
        output: stream::empty().boxed(),
        input: None,
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
