//! Files of containers, as tars of any length.

use super::failure::{broken, failure, refused};
use super::images::unformed;
use super::query::Query;
use super::wire::{Body, Wire, message_of, words};
use crate::engine::{Archive, EngineError, PathStat, Upload};
use base64::Engine as _;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use http_body_util::{BodyExt, BodyStream, Either, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::{HeaderMap, Method, Request, Response};
use serde::Deserialize;
use std::sync::Arc;

/// The header that tells what is at the path.
const STAT: &str = "X-Docker-Container-Path-Stat";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stat {
    name: String,
    size: i64,
    mode: u32,
    #[serde(rename = "linkTarget")]
    link_target: String,
}

/// Reads the header.
fn stat_of(headers: &HeaderMap) -> Result<PathStat, EngineError> {
    let wrong = |what: &str| EngineError::Protocol {
        message: format!("the engine's answer {what} what is at the path ({STAT})"),
    };
    let header = headers.get(STAT).ok_or_else(|| wrong("does not tell"))?;
    let json = base64::engine::general_purpose::STANDARD.decode(header);
    let stat = json
        .ok()
        .and_then(|json| serde_json::from_slice(&json).ok());
    let stat: Stat = stat.ok_or_else(|| wrong("garbles"))?;
    Ok(PathStat {
        name: stat.name,
        size: u64::try_from(stat.size).unwrap_or_default(),
        mode: stat.mode,
        link_target: stat.link_target,
    })
}

/// Asks for what is at a path: with HEAD for its kind alone.
async fn ask(
    wire: &Wire,
    method: Method,
    id: &str,
    path: &str,
) -> Result<Response<Incoming>, EngineError> {
    let target = Query::new(&format!("/containers/{id}/archive"))
        .add("path", path)
        .finish();
    let is_head = method == Method::HEAD;
    let request = Request::builder().method(method).uri(target);
    let request = request
        .body(Either::Left(Full::new(Bytes::new())))
        .map_err(unformed)?;
    let answer = wire.send_for_stream(request).await;
    let answer = answer.map_err(|e| failure(wire, e))?;
    match answer.status().as_u16() {
        200 => Ok(answer),
        // There is no body to say it.
        404 if is_head => Err(refused(
            404,
            format!("Could not find the file {path} in container {id}"),
        )),
        _ => Err(refusal(wire, answer).await),
    }
}

async fn refusal(wire: &Wire, answer: Response<Incoming>) -> EngineError {
    let status = answer.status().as_u16();
    match words(answer.into_body()).await {
        Ok(text) => refused(status, message_of(&text)),
        Err(error) => broken(wire, &error),
    }
}

pub async fn stat(wire: Arc<Wire>, id: &str, path: &str) -> Result<PathStat, EngineError> {
    let answer = ask(&wire, Method::HEAD, id, path).await?;
    stat_of(answer.headers())
}

pub async fn download(wire: Arc<Wire>, id: &str, path: &str) -> Result<Archive, EngineError> {
    let answer = ask(&wire, Method::GET, id, path).await?;
    let stat = stat_of(answer.headers())?;
    let frames = BodyStream::new(answer.into_body());
    let tar = TryStreamExt::map_err(frames, move |e| broken(&wire, &e))
        // Trailers are nothing.
        .try_filter_map(|frame| std::future::ready(Ok(frame.into_data().ok())));
    Ok(Archive {
        stat,
        tar: tar.boxed(),
    })
}

pub async fn upload(wire: Arc<Wire>, id: &str, upload: Upload) -> Result<(), EngineError> {
    let flag = |on: bool| on.then_some("true");
    let target = Query::new(&format!("/containers/{id}/archive"))
        .add("path", &upload.path)
        .add_some("noOverwriteDirNonDir", flag(upload.keeps_kinds))
        .add_some("copyUIDGID", flag(upload.for_its_user))
        .finish();
    let frames = upload
        .tar
        .map_ok(|bytes| Frame::data(Bytes::from(bytes)))
        .boxed();
    let request = Request::put(target)
        .header("Content-Type", "application/x-tar")
        .body(Body::Right(StreamBody::new(frames)))
        .map_err(unformed)?;
    let answer = wire.send(request).await.map_err(|e| failure(&wire, e))?;
    match answer.status().as_u16() {
        200..300 => answer
            .into_body()
            .collect()
            .await
            .map(drop)
            .map_err(|e| broken(&wire, &e)),
        _ => Err(refusal(&wire, answer).await),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_tells_the_kind() {
        let mut headers = HeaderMap::new();
        stat_of(&headers).expect_err("nothing is told");
        let encoded = base64::engine::general_purpose::STANDARD.encode(
            br#"{"name":"tmp","size":4096,"mode":2148532735,"mtime":"2026-01-01T00:00:00Z","linkTarget":""}"#,
        );
        headers.insert(STAT, encoded.parse().unwrap());
        let stat = stat_of(&headers).unwrap();
        assert_eq!((stat.name.as_str(), stat.size), ("tmp", 4096));
        assert!(stat.is(PathStat::DIRECTORY) && !stat.is(PathStat::SYMLINK));
        headers.insert(STAT, "!".parse().unwrap());
        stat_of(&headers).expect_err("no base64");
    }
}
