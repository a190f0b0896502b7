use super::*;
use crate::engine::Health;
use crate::engine::OutputStream;
use crate::engine::fake::{Act, Fault, Script, Way};
use serde_json::json;
use std::time::Duration;

fn request(name: &str, body: Value) -> ContainerRequest {
    let mut whole = json!({ "Image": "busybox" });
    for (key, value) in body.as_object().unwrap() {
        whole[key] = value.clone();
    }
    ContainerRequest {
        name: name.into(),
        platform: None,
        body: whole,
    }
}

#[tokio::test(start_paused = true)]
async fn a_life_with_events() {
    let fake = Fake::new();
    fake.cast(|_, _| Script {
        acts: vec![
            (
                Duration::ZERO,
                Act::Print(OutputStream::Stdout, "hello".into()),
            ),
            (Duration::from_secs(2), Act::Health(Health::Healthy)),
            (Duration::from_secs(5), Act::Exit(3)),
        ],
        ..Script::default()
    });
    let mut events = fake.events(vec!["p=x".into()], None);
    let body = json!({"Labels": {"p": "x"}, "Healthcheck": {"Test": ["CMD", "true"]}});
    let id = fake.create_container(request("aa", body)).await.unwrap();
    fake.start_container(&id).await.unwrap();
    let mut seen = Vec::new();
    while seen.last().map(String::as_str) != Some("die") {
        seen.push(events.next().await.unwrap().unwrap().action);
    }
    assert_eq!(seen, ["create", "start", "health_status: healthy", "die"]);
    let details = fake.container("aa").unwrap();
    assert_eq!(
        (details.state, details.exit_code),
        (ContainerState::Exited, 3)
    );
    let mut log = fake.logs(
        "aa",
        LogOptions {
            follow: true,
            ..LogOptions::default()
        },
    );
    assert_eq!(log.next().await.unwrap().unwrap().bytes, b"hello\n");
    assert!(log.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn restart_policies() {
    let fake = Fake::new();
    fake.cast(|_, _| Script::exits(Duration::from_secs(1), 1));
    let body =
        json!({"HostConfig": {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 2}}});
    fake.create_container(request("aa", body)).await.unwrap();
    fake.start_container("aa").await.unwrap();
    tokio::time::sleep(Duration::from_millis(1050)).await;
    assert_eq!(
        fake.container("aa").unwrap().state,
        ContainerState::Restarting
    );
    tokio::time::sleep(Duration::from_secs(60)).await;
    let details = fake.container("aa").unwrap();
    assert_eq!(
        (details.state, details.restart_count),
        (ContainerState::Exited, 2)
    );

    let body = json!({"HostConfig": {"RestartPolicy": {"Name": "always"}}});
    fake.create_container(request("bb", body)).await.unwrap();
    fake.start_container("bb").await.unwrap();
    fake.stop_container("bb", None).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(fake.container("bb").unwrap().state, ContainerState::Exited);
}

#[tokio::test(start_paused = true)]
async fn faults() {
    let fake = Fake::new();
    fake.fail(Fault::nth("create_container", 1, Way::LostAnswer));
    fake.create_container(request("aa", json!({})))
        .await
        .unwrap();
    let lost = fake
        .create_container(request("bb", json!({})))
        .await
        .unwrap_err();
    assert!(matches!(lost, EngineError::Broken { .. }));
    assert!(fake.container("bb").is_some(), "it was done nevertheless");
    fake.fail(Fault::at(0, Way::HangAfter));
    let hangs = tokio::time::timeout(Duration::from_secs(9), fake.start_container("aa")).await;
    assert!(hangs.is_err());
    assert_eq!(fake.container("aa").unwrap().state, ContainerState::Running);
    assert_eq!(fake.calls().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn stopping_takes_its_time() {
    let fake = Fake::new();
    fake.cast(|_, _| Script {
        on_stop: None,
        ..Script::default()
    });
    fake.create_container(request("aa", json!({})))
        .await
        .unwrap();
    fake.start_container("aa").await.unwrap();
    let before = tokio::time::Instant::now();
    fake.stop_container("aa", Some(3)).await.unwrap();
    assert_eq!(before.elapsed(), Duration::from_secs(3));
    assert_eq!(fake.container("aa").unwrap().exit_code, 137);
}

#[tokio::test]
async fn ports_collide() {
    let fake = Fake::new();
    let body = json!({"ExposedPorts": {"80/tcp": {}}, "HostConfig": {"PortBindings": {"80/tcp": [{"HostPort": "8080"}]}}});
    fake.create_container(request("aa", body.clone()))
        .await
        .unwrap();
    fake.create_container(request("bb", body)).await.unwrap();
    fake.start_container("aa").await.unwrap();
    let error = fake.start_container("bb").await.unwrap_err();
    assert!(
        error.message().contains("port is already allocated"),
        "{error}"
    );
    assert_eq!(fake.container("bb").unwrap().state, ContainerState::Created);
    fake.stop_container("aa", None).await.unwrap();
    fake.start_container("bb").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn files_are_unpacked_below_the_mounts() {
    let fake = Fake::new();
    let tar = || {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(1);
        builder
            .append_data(&mut header, "run/secrets/s", &b"x"[..])
            .unwrap();
        builder.into_inner().unwrap()
    };
    for (nth, (host, expected)) in [
        (json!({}), Ok(1)),
        (json!({"Binds": ["/a:/run:rw,z"]}), Ok(1)),
        // It is there, and nobody sees it.
        (json!({"Tmpfs": {"/run": ""}}), Ok(0)),
        (
            json!({"ReadonlyRootfs": true}),
            Err("container rootfs is marked read-only"),
        ),
        (
            json!({"Binds": ["/a:/run:ro"]}),
            Err("openat run/secrets/s: read-only file system"),
        ),
        (
            json!({"Mounts": [{"Type": "bind", "Source": "/a", "Target": "/run/secrets/s"}]}),
            Err("RemoveAll run/secrets/s: device or resource busy"),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("c{nth}");
        let body = json!({"HostConfig": host});
        let id = fake.create_container(request(&name, body)).await.unwrap();
        let put = fake.put_archive(&id, "/", tar()).await;
        match expected {
            Ok(count) => {
                put.unwrap();
                assert_eq!(fake.files(&name).len(), count, "{host}");
            }
            Err(words) => assert_eq!(put.unwrap_err().message(), words, "{host}"),
        }
    }
    let id = fake.container("c0").unwrap().id;
    let error = fake.put_archive(&id, "/nope", tar()).await.unwrap_err();
    assert_eq!(
        error.message(),
        "Could not find the file /nope in container c0"
    );
    assert!(error.is_not_found());
}
