//! The adapter against a real engine: every call once, and the API version's negotiation.
//!
//! Needs an engine with `busybox:latest` on `DOCKER_HOST` or the default socket. Without one the
//! tests pass silently on a developer's machine and fail where `CI` is set.

use crate::required;
use futures::StreamExt;
use regatta::engine::docker::{Docker, Options};
use regatta::engine::endpoint::Endpoint;
use regatta::engine::{
    ContainerFilter, ContainerRequest, ContainerState, Engine, EngineError, ExecRequest,
    LogOptions, OutputStream, ResourceRequest,
};
use serde_json::json;

fn docker(version: Option<&str>) -> Option<Docker> {
    let options = Options {
        api_version: version.map(str::to_string),
        ..Options::default()
    };
    Some(Docker::new(required::endpoint()?, options).unwrap())
}

fn name(what: &str) -> String {
    format!("regatta-adapter-{}-{what}", std::process::id())
}

fn request(name: &str, command: &[&str], more: serde_json::Value) -> ContainerRequest {
    let mut body =
        json!({"Image": "busybox:latest", "Cmd": command, "Labels": {"regatta.test": name}});
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    ContainerRequest {
        name: name.into(),
        platform: None,
        body,
    }
}

async fn text(engine: &Docker, id: &str, options: LogOptions) -> (String, String) {
    let (mut out, mut err) = (String::new(), String::new());
    let mut parts = engine.logs(id, options);
    while let Some(chunk) = parts.next().await {
        let chunk = chunk.unwrap();
        let text = String::from_utf8(chunk.bytes).unwrap();
        match chunk.stream {
            OutputStream::Stdout => out += &text,
            OutputStream::Stderr => err += &text,
        }
    }
    (out, err)
}

#[tokio::test]
async fn life_of_a_container() {
    let Some(engine) = docker(None) else { return };
    let name = name("life");
    let script = "echo out; echo err >&2; trap 'exit 3' TERM; while :; do sleep 0.05; done";
    let watch = tokio::spawn({
        // The stream borrows its engine, so this task has one of its own.
        let engine = docker(None).unwrap();
        let label = format!("regatta.test={name}");
        async move {
            let mut seen = Vec::new();
            let mut events = engine.events(vec![label], None);
            while let Some(event) = events.next().await {
                let event = event.unwrap();
                seen.push((event.action, event.attributes.get("exitCode").cloned()));
                if seen.last().unwrap().0 == "destroy" {
                    break;
                }
            }
            seen
        }
    });
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;

    let id = engine
        .create_container(request(&name, &["sh", "-c", script], json!({})))
        .await
        .unwrap();
    let again = engine
        .create_container(request(&name, &["true"], json!({})))
        .await;
    assert!(again.unwrap_err().is_conflict());
    engine.start_container(&id).await.unwrap();
    engine
        .start_container(&id)
        .await
        .expect("a second start is no error");

    let filter = ContainerFilter {
        labels: vec![format!("regatta.test={name}")],
        all: false,
    };
    let rows = engine.list_containers(filter.clone()).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (&rows[0].name, rows[0].state),
        (&name, ContainerState::Running)
    );
    assert!(rows[0].networks.contains_key("bridge"));

    let exec = ExecRequest {
        command: vec![
            "sh".into(),
            "-c".into(),
            "read x; echo got $x; exit 7".into(),
        ],
        stdin: true,
        ..ExecRequest::default()
    };
    let exec_id = engine.create_exec(&id, exec.clone()).await.unwrap();
    let mut session = engine.start_exec(&exec_id, &exec).await.unwrap();
    use tokio::io::AsyncWriteExt;
    let mut input = session.input.take().unwrap();
    input.write_all(b"hello\n").await.unwrap();
    input.shutdown().await.unwrap();
    let mut output = Vec::new();
    while let Some(chunk) = session.output.next().await {
        output.extend(chunk.unwrap().bytes);
    }
    assert_eq!(output, b"got hello\n");
    assert_eq!(engine.exec_exit_code(&exec_id).await.unwrap(), Some(7));

    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(2);
    header.set_mode(0o644);
    tar.append_data(&mut header, "tmp/x", &b"hi"[..]).unwrap();
    engine
        .put_archive(&id, "/", tar.into_inner().unwrap())
        .await
        .unwrap();

    engine
        .rename_container(&id, &format!("{name}-2"))
        .await
        .unwrap();
    let refused = engine
        .remove_container(&id, false, false)
        .await
        .unwrap_err();
    assert!(refused.is_conflict(), "{refused}");
    engine.stop_container(&id, Some(5)).await.unwrap();
    engine
        .stop_container(&id, None)
        .await
        .expect("stopped already");
    let details = engine.inspect_container(&id).await.unwrap();
    assert_eq!(
        (details.state, details.exit_code),
        (ContainerState::Exited, 3)
    );
    assert_eq!(details.name, format!("{name}-2"));
    let killed = engine.kill_container(&id, "KILL").await.unwrap_err();
    assert!(killed.is_conflict(), "{killed}");
    assert_eq!(engine.list_containers(filter).await.unwrap().len(), 0);

    let (out, err) = text(&engine, &id, LogOptions::default()).await;
    assert_eq!((out.as_str(), err.as_str()), ("out\n", "err\n"));
    engine.remove_container(&id, false, true).await.unwrap();
    let gone = engine.start_container(&id).await.unwrap_err();
    assert!(gone.is_not_found(), "{gone}");

    let seen = watch.await.unwrap();
    let die = seen.iter().find(|(action, _)| action == "die").unwrap();
    assert_eq!(die.1.as_deref(), Some("3"));
    assert!(seen.iter().any(|(action, _)| action == "start"));
}

#[tokio::test]
async fn networks_and_volumes() {
    let Some(engine) = docker(None) else { return };
    let name = name("net");
    let network = engine
        .create_network(ResourceRequest {
            name: name.clone(),
            body: json!({"Name": name, "Labels": {"a": "b"}}),
        })
        .await
        .unwrap();
    let row = engine.list_networks().await.unwrap();
    let row = row.iter().find(|n| n.name == name).unwrap();
    assert_eq!((&row.id, row.labels["a"].as_str()), (&network, "b"));
    let id = engine
        .create_container(request(
            &name,
            &["sleep", "60"],
            json!({"HostConfig": {"NetworkMode": name}}),
        ))
        .await
        .unwrap();
    engine.start_container(&id).await.unwrap();
    let busy = engine.remove_network(&network).await.unwrap_err();
    assert!(
        matches!(busy, EngineError::Refused { status: 403, .. }),
        "{busy:?}"
    );
    engine
        .disconnect_network(&network, &id, false)
        .await
        .unwrap();
    engine
        .connect_network(&network, &id, json!({"Aliases": ["x"]}))
        .await
        .unwrap();
    let details = engine.inspect_container(&id).await.unwrap();
    assert_eq!(details.networks[&name], network);
    engine.remove_container(&id, true, true).await.unwrap();
    engine.remove_network(&network).await.unwrap();
    assert!(
        engine
            .inspect_network(&network)
            .await
            .unwrap_err()
            .is_not_found()
    );

    engine
        .create_volume(ResourceRequest {
            name: name.clone(),
            body: json!({"Name": name, "Labels": {"c": "d"}}),
        })
        .await
        .unwrap();
    let volumes = engine.list_volumes(Vec::new()).await.unwrap();
    let volume = volumes.iter().find(|v| v.name == name).unwrap();
    assert_eq!(volume.labels["c"], "d");
    engine.remove_volume(&name, false).await.unwrap();
    assert!(
        engine
            .remove_volume(&name, false)
            .await
            .unwrap_err()
            .is_not_found()
    );
    let bad = engine
        .create_container(request(
            &name,
            &["true"],
            json!({"HostConfig": {"RestartPolicy": {"Name": "sometimes"}}}),
        ))
        .await
        .unwrap_err();
    assert!(
        matches!(bad, EngineError::Refused { status: 400, .. }),
        "{bad:?}"
    );
}

#[tokio::test]
async fn images() {
    let Some(engine) = docker(None) else { return };
    let image = engine.inspect_image("busybox:latest").await.unwrap();
    assert_eq!(
        image.platform.as_deref().map(|p| p.starts_with("linux/")),
        Some(true)
    );
    let listed = engine
        .list_images(vec!["busybox:latest".into()])
        .await
        .unwrap();
    assert_eq!(listed[0].id, image.id);
    assert!(
        engine
            .inspect_image("regatta/none:1")
            .await
            .unwrap_err()
            .is_not_found()
    );
    let error = engine
        .create_container(ContainerRequest {
            name: name("none"),
            platform: None,
            body: json!({"Image": "regatta/none:1"}),
        })
        .await
        .unwrap_err();
    assert!(
        error.is_not_found() && error.message().contains("No such image"),
        "{error}"
    );
}

#[tokio::test]
async fn the_version_is_settled_when_refused() {
    // A demanded version stands, even if the engine refuses it.
    let Some(engine) = docker(Some("1.99")) else {
        return;
    };
    let error = engine.list_networks().await.unwrap_err();
    assert!(error.message().contains("is too new"), "{error}");
    let engine = docker(Some("1.44")).unwrap();
    engine.list_networks().await.unwrap();
}

#[tokio::test]
async fn nobody_there() {
    let endpoint = Endpoint::Unix("/nowhere/docker.sock".into());
    let engine = Docker::new(endpoint, Options::default()).unwrap();
    for error in [
        engine.list_volumes(Vec::new()).await.unwrap_err(),
        engine.inspect_container("x").await.unwrap_err(),
        engine
            .logs("x", LogOptions::default())
            .next()
            .await
            .unwrap()
            .unwrap_err(),
    ] {
        let EngineError::Unreachable { message } = error else {
            panic!("{error:?}")
        };
        assert!(
            message.contains("there is no /nowhere/docker.sock"),
            "{message}"
        );
    }
}
