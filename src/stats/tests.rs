//! What `stats` follows, on the engine in memory.

use super::*;
use crate::engine::ContainerRequest;
use crate::engine::fake::{Fake, Script};
use crate::error::CliError;

async fn container(fake: &Fake, name: &str, starts: bool) -> String {
    let body = serde_json::json!({"Image": "busybox", "Labels": {"p": "shop"}});
    let request = ContainerRequest {
        name: name.into(),
        platform: None,
        body,
    };
    let id = fake.create_container(request).await.unwrap();
    if starts {
        fake.start_container(&id).await.unwrap();
    }
    id
}

fn selection(all: bool) -> Selection {
    Selection {
        labels: vec!["p=shop".into()],
        all,
    }
}

fn names(readings: &[Reading]) -> Vec<&str> {
    readings.iter().map(|r| r.usage.name.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn once_is_what_runs_or_all() {
    let fake = Fake::new();
    container(&fake, "web", true).await;
    container(&fake, "job", false).await;
    let running = once(&fake, &selection(false), 4).await.unwrap();
    assert_eq!(names(&running), ["web"]);
    assert!(running[0].usage.memory > 0);
    let all = once(&fake, &selection(true), 4).await.unwrap();
    assert_eq!(names(&all), ["job", "web"]);
    assert_eq!(all[0].usage.memory, 0);
}

/// A frame for each state: what starts joins, what ends leaves.
#[tokio::test(start_paused = true)]
async fn what_comes_and_goes_is_followed() {
    let fake = Fake::new();
    fake.cast(|name, _| match name {
        "job" => Script::exits(Duration::from_secs(3), 0),
        _ => Script::default(),
    });
    container(&fake, "web", true).await;
    let job = container(&fake, "job", false).await;
    let mut frames: Vec<Vec<String>> = Vec::new();
    let later = async {
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        fake.start_container(&job).await.unwrap();
        tokio::time::sleep(Duration::from_secs(6)).await;
    };
    let selection = selection(false);
    let follow = follow(&fake, &selection, |readings| {
        let shown: Vec<String> = names(readings).iter().map(|n| n.to_string()).collect();
        if frames.last() != Some(&shown) {
            frames.push(shown);
        }
        Ok::<(), CliError>(())
    });
    tokio::select! {
        () = later => {}
        done = follow => panic!("it ended by itself: {done:?}"),
    }
    assert_eq!(frames, [vec!["web"], vec!["web", "job"], vec!["web"]]);
}
