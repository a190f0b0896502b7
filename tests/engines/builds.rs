//! Builds on a real engine, without any other program.
//!
//! Needs an engine with `busybox:latest`, as `docker_adapter.rs` does.

use crate::required;
use futures::StreamExt;
use regatta::engine::docker::{Docker, Options};
use regatta::engine::{ContainerRequest, Engine, LogOptions};
use regatta::event::{Interest, Kind, Reporter};
use regatta::image::build::{BuildError, BuildOptions, build};
use regatta::project::Project;
use regatta::service::Service;
use serde_json::json;

fn engine() -> Option<Docker> {
    let endpoint = required::endpoint()?;
    Some(Docker::new(endpoint, Options::default()).unwrap())
}

struct Built {
    image: String,
    log: String,
    result: Result<Option<String>, BuildError>,
}

async fn make(
    engine: &Docker,
    name: &str,
    files: &[(&str, &str)],
    mut spec: serde_json::Value,
) -> Built {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        std::fs::write(dir.path().join(path), text).unwrap();
    }
    spec["context"] = dir.path().display().to_string().into();
    // The steps need no network, and not every test engine has one.
    spec["network"] = "none".into();
    let mut service: Service = serde_json::from_value(json!({ "build": spec })).unwrap();
    service.name = name.into();
    let project = Project {
        name: format!("regatta-builds-{}", std::process::id()),
        ..Project::default()
    };
    let reporter = Reporter::new("build");
    let mut events = reporter.subscribe(Interest::Progress);
    let result = build(
        engine,
        &project,
        &service,
        &BuildOptions::default(),
        &reporter,
    )
    .await;
    let mut log = String::new();
    for event in events.drain() {
        if let Kind::BuildOutput { text } = &event.kind {
            log += text;
        }
    }
    Built {
        image: project.image_name(&service),
        log,
        result,
    }
}

/// What `ls -a /app` says in a container of the image.
async fn listing(engine: &Docker, image: &str) -> Vec<String> {
    let id = engine
        .create_container(ContainerRequest {
            name: String::new(),
            platform: None,
            body: json!({"Image": image, "Cmd": ["ls", "-A", "/app"], "HostConfig": {"NetworkMode": "none"}}),
        })
        .await
        .unwrap();
    engine.start_container(&id).await.unwrap();
    let mut text = Vec::new();
    let follow = LogOptions {
        follow: true,
        ..LogOptions::default()
    };
    let mut log = engine.logs(&id, follow);
    while let Some(chunk) = log.next().await {
        text.extend(chunk.unwrap().bytes);
    }
    drop(log);
    engine.remove_container(&id, true, true).await.unwrap();
    let text = String::from_utf8(text).unwrap();
    text.lines().map(str::to_string).collect()
}

#[tokio::test]
async fn buildkit_builds() {
    let Some(engine) = engine() else { return };
    let dockerfile = "FROM busybox:latest\nARG WORD=none\nRUN --mount=type=cache,target=/c echo said-$WORD\nCOPY a.txt /app/\n";
    let files = [("Dockerfile", dockerfile), ("a.txt", "a")];
    let word = format!("w{}", std::process::id());
    let built = make(
        &engine,
        "kit",
        &files,
        json!({"args": {"WORD": word}, "labels": {"own": "1"}}),
    )
    .await;
    let id = built.result.unwrap().expect("the builder tells the id");
    assert!(built.log.contains(&format!("said-{word}")), "{}", built.log);
    assert!(built.log.starts_with("#1 "), "{}", built.log);
    let image = engine.inspect_image(&built.image).await.unwrap();
    assert_eq!(image.id, id);
    assert_eq!(image.labels["own"], "1");
    assert_eq!(image.labels["com.docker.compose.service"], "kit");
    assert_eq!(listing(&engine, &built.image).await, ["a.txt"]);
    engine.remove_image(&built.image).await.unwrap();
}

#[tokio::test]
async fn a_dockerfile_stays_out_of_sight() {
    let Some(engine) = engine() else { return };
    let inline = "FROM busybox:latest\nCOPY . /app/\n";
    let files = [
        ("a.txt", "a"),
        ("b.log", "b"),
        (".dockerignore", "*.log\n.dockerignore"),
    ];
    let built = make(
        &engine,
        "inline",
        &files,
        json!({"dockerfile_inline": inline}),
    )
    .await;
    built.result.unwrap();
    assert_eq!(listing(&engine, &built.image).await, ["a.txt"]);
    engine.remove_image(&built.image).await.unwrap();

    let files = [
        ("Dockerfile", inline),
        ("a.txt", "a"),
        (".dockerignore", "Dockerfile"),
    ];
    let built = make(&engine, "ignored", &files, json!({})).await;
    built.result.unwrap();
    assert_eq!(
        listing(&engine, &built.image).await,
        [".dockerignore", "a.txt"]
    );
    engine.remove_image(&built.image).await.unwrap();
}

#[tokio::test]
async fn failures_say_why() {
    let Some(engine) = engine() else { return };
    let files = [(
        "Dockerfile",
        "FROM busybox:latest\nRUN echo before; exit 3\n",
    )];
    let built = make(&engine, "fails", &files, json!({})).await;
    let error = built.result.unwrap_err().to_string();
    assert!(error.starts_with("service \"fails\": build: "), "{error}");
    assert!(error.contains("exit 3"), "{error}");
    assert!(built.log.contains("before"), "{}", built.log);

    let files = [("Dockerfile", "FROM regatta.invalid/none:1\n")];
    let built = make(&engine, "missing", &files, json!({})).await;
    let error = built.result.unwrap_err().to_string();
    assert!(error.contains("regatta.invalid/none:1"), "{error}");
}
