//! Further calls on single containers and images.

use super::query::Query;
use super::{Docker, images, messages, rows};
use crate::engine::{
    CommitRequest, ContainerCalls, EngineError, EngineEvent, ImageRecord, Parts, Period, Processes,
    Reply, Usage,
};
use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use http_body_util::{BodyExt, Either, Full};
use hyper::{Method, Request};
use serde_json::Value;

mod usage;

impl Docker {
    /// Asks for something to be done that has no answer but its success.
    fn order<'a>(&'a self, target: String) -> Reply<'a, ()> {
        Box::pin(async move { self.call(Method::POST, &target, None).await.map(drop) })
    }
}

/// A field of an answer, as a text.
fn word(answer: &Value, pointer: &str) -> String {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_default().to_owned()
}

impl ContainerCalls for Docker {
    fn pause_container<'a>(&'a self, id: &'a str) -> Reply<'a, ()> {
        self.order(format!("/containers/{id}/pause"))
    }

    fn unpause_container<'a>(&'a self, id: &'a str) -> Reply<'a, ()> {
        self.order(format!("/containers/{id}/unpause"))
    }

    fn wait_container<'a>(&'a self, id: &'a str) -> Reply<'a, i64> {
        Box::pin(async move {
            let target = format!("/containers/{id}/wait");
            let answer = self.call(Method::POST, &target, None).await?;
            answer["StatusCode"]
                .as_i64()
                .ok_or_else(|| EngineError::Protocol {
                    message: format!("the engine's answer to {target} has no StatusCode"),
                })
        })
    }

    fn processes<'a>(&'a self, id: &'a str) -> Reply<'a, Processes> {
        Box::pin(async move {
            let target = format!("/containers/{id}/top");
            let answer = self.call(Method::GET, &target, None).await?;
            let words = |list: &Value| -> Vec<String> {
                let list = list.as_array().into_iter().flatten();
                list.map(|word| word.as_str().unwrap_or_default().to_owned())
                    .collect()
            };
            let rows = answer["Processes"].as_array().into_iter().flatten();
            Ok(Processes {
                titles: words(&answer["Titles"]),
                rows: rows.map(words).collect(),
            })
        })
    }

    fn usage(&self, id: String, follow: bool) -> Parts<'_, Usage> {
        let target = format!("/containers/{id}/stats?stream={}", u8::from(follow));
        let request = Request::get(target).body(Either::Left(Full::new(Bytes::new())));
        let request = std::future::ready(request.map_err(images::unformed));
        messages::read::<usage::Sample>(self.wire.clone(), request)
            .map_ok(usage::Sample::usage)
            .boxed()
    }

    fn export_container<'a>(&'a self, id: &'a str) -> Parts<'a, Vec<u8>> {
        let target = format!("/containers/{id}/export");
        stream::once(async move {
            let body = self.open(Request::get(&target)).await?;
            let frames = body.into_data_stream().map_ok(|bytes| bytes.to_vec());
            let wire = self.wire.clone();
            Ok(frames.map_err(move |error| super::failure::broken(&wire, &error)))
        })
        .try_flatten()
        .boxed()
    }

    fn commit_container(&self, request: CommitRequest) -> Reply<'_, String> {
        Box::pin(async move {
            let mut query = Query::new("/commit")
                .add("container", &request.container)
                .add_some("repo", Some(&request.repository))
                .add_some("tag", Some(&request.tag))
                .add_some("comment", Some(&request.comment))
                .add_some("author", Some(&request.author))
                .add("pause", if request.pause { "1" } else { "0" });
            for change in &request.changes {
                query = query.add("changes", change);
            }
            let target = query.finish();
            // As Docker's client sends it: the container's own configuration. Podman wants a body.
            let body = Some(serde_json::Value::Null);
            let answer = self.call(Method::POST, &target, body.as_ref()).await?;
            match word(&answer, "/Id") {
                id if id.is_empty() => Err(EngineError::Protocol {
                    message: "the engine's answer to /commit has no Id".into(),
                }),
                id => Ok(id),
            }
        })
    }

    fn events_within(&self, labels: Vec<String>, period: Period) -> Parts<'_, EngineEvent> {
        let mut filters = serde_json::json!({ "type": ["container"] });
        if !labels.is_empty() {
            filters["label"] = serde_json::json!(labels);
        }
        let target = Query::new("/events")
            .add_some("since", period.since.as_deref())
            .add_some("until", period.until.as_deref())
            .add("filters", &filters.to_string())
            .finish();
        let request = Request::get(target).body(Either::Left(Full::new(Bytes::new())));
        let request = std::future::ready(request.map_err(images::unformed));
        let wire = self.wire.clone();
        messages::read(self.wire.clone(), request)
            .map_ok(rows::event)
            // Of several labels Podman takes one for enough: other projects' events come, too.
            .try_filter(move |event| {
                let is_meant = !wire.is_podman() || rows::carries(event, &labels);
                std::future::ready(is_meant)
            })
            .boxed()
    }

    fn image_record<'a>(
        &'a self,
        reference: &'a str,
        platform: Option<&'a str>,
    ) -> Reply<'a, ImageRecord> {
        Box::pin(async move {
            // Older engines do not know the parameter.
            let platform = platform.filter(|_| self.wire.minor() >= 49);
            let target = Query::new(&format!("/images/{reference}/json"))
                .add_some("platform", platform)
                .finish();
            let answer = self.call(Method::GET, &target, None).await?;
            let parts = ["/Os", "/Architecture", "/Variant"].map(|part| word(&answer, part));
            let parts: Vec<String> = parts.into_iter().filter(|p| !p.is_empty()).collect();
            // A time that the engine does not know has the year 1.
            let time =
                |pointer: &str| Some(word(&answer, pointer)).filter(|t| !t.starts_with("0001-"));
            let ports = answer["Config"]["ExposedPorts"].as_object();
            let number = |port: &String| port.split('/').next().unwrap_or(port).to_owned();
            Ok(ImageRecord {
                exposed: ports
                    .into_iter()
                    .flat_map(|p| p.keys())
                    .map(number)
                    .collect(),
                id: word(&answer, "/Id"),
                platform: parts.join("/"),
                size: answer["Size"].as_i64().unwrap_or_default(),
                created: word(&answer, "/Created"),
                tagged: time("/Metadata/LastTagTime").unwrap_or_default(),
            })
        })
    }
}
