use super::super::{Fall, Watch};
use super::*;
use crate::engine::fake::{Act, Fake, Script};
use crate::engine::{ContainerRequest, Engine};
use crate::event::Found;
use crate::plan::Until;
use serde_json::json;

/// What came of a container's first moments, and how long they were watched after the answer.
async fn moments(fake: &Fake, policy: &str) -> (Result<bool, String>, Duration) {
    let watch = Watch::new(fake, "p", None);
    let work = async {
        // The stream is there before the start.
        tokio::time::sleep(Duration::from_millis(1)).await;
        let request = ContainerRequest {
            name: "cc".into(),
            platform: None,
            body: json!({
                "Image": "busybox",
                "Labels": { "com.docker.compose.project": "p" },
                "HostConfig": { "RestartPolicy": { "Name": policy } },
            }),
        };
        let id = fake.create_container(request).await.unwrap();
        let begun = Instant::now();
        fake.start_container(&id).await.unwrap();
        watch.started(&id, begun.elapsed());
        let answered = Instant::now();
        let came = watch.first_moments(&id, false).await;
        let came = came.map_err(|fall| match fall {
            Fall::Ended(details) => format!("ended {}", details.exit_code),
            _ => "another fall".into(),
        });
        (came, answered.elapsed())
    };
    tokio::select! {
        came = work => came,
        () = watch.pump() => unreachable!(),
    }
}

const MILLI: Duration = Duration::from_millis(1);

/// A start takes 150 ms; the container then ends (or not) when the script says.
fn engine(acts: Vec<(Duration, Act)>) -> Fake {
    let fake = Fake::new();
    fake.slow_down(|call| match call.method {
        "start_container" => 150 * MILLI,
        _ => Duration::ZERO,
    });
    fake.cast(move |_, _| Script {
        acts: acts.clone(),
        ..Script::default()
    });
    fake
}

#[tokio::test(start_paused = true)]
async fn who_lives_is_watched_200_ms_where_it_can_be_seen() {
    let fake = engine(Vec::new());
    let (came, took) = moments(&fake, "no").await;
    assert_eq!(came, Ok(false));
    assert!((350 * MILLI..=352 * MILLI).contains(&took), "{took:?}");

    fake.show_processes(Duration::ZERO);
    fake.remove_container("cc", true, false).await.unwrap();
    fake.forget_calls();
    let (came, took) = moments(&fake, "no").await;
    assert_eq!(came, Ok(false));
    assert!((200 * MILLI..=202 * MILLI).contains(&took), "{took:?}");
    let inspects = fake
        .calls()
        .iter()
        .filter(|c| c.method == "inspect_container")
        .count();
    assert_eq!(inspects, 1);
}

#[tokio::test(start_paused = true)]
async fn an_end_is_known_however_late_the_engine_tells() {
    for (after, belated, policy, expected) in [
        (50 * MILLI, Duration::ZERO, "no", Err("ended 3")),
        (50 * MILLI, 900 * MILLI, "no", Err("ended 3")),
        (199 * MILLI, 3000 * MILLI, "no", Err("ended 3")),
        (50 * MILLI, 900 * MILLI, "always", Err("ended 3")),
        (250 * MILLI, Duration::ZERO, "no", Ok(false)),
    ] {
        let fake = engine(vec![(after, Act::Exit(3))]);
        fake.show_processes(belated);
        let (came, took) = moments(&fake, policy).await;
        assert_eq!(
            came,
            expected.map_err(str::to_owned),
            "{after:?} {belated:?}"
        );
        // What is started again has a second life.
        let lives = if policy == "always" { 2 } else { 1 };
        let longest = lives * (after + belated + 2 * ASK_AGAIN);
        assert!(took <= longest, "{took:?}");
    }
}

/// One that ends early so many times and lives then, started again by its engine.
fn unsteady(ends: i64) -> Fake {
    let fake = Fake::new();
    fake.cast(move |_, _| Script {
        acts: vec![(50 * MILLI, Act::Exit(3))],
        steady_after: Some(ends),
        ..Script::default()
    });
    fake
}

#[tokio::test(start_paused = true)]
async fn one_restart_is_no_loop() {
    for belated in [None, Some(Duration::ZERO), Some(900 * MILLI)] {
        for (ends, expected) in [(1, Ok(false)), (2, Err("ended 3".to_owned()))] {
            let fake = unsteady(ends);
            if let Some(belated) = belated {
                fake.show_processes(belated);
            }
            let (came, took) = moments(&fake, "unless-stopped").await;
            assert_eq!(came, expected, "{belated:?}");
            assert!(took < Duration::from_secs(3), "{took:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn health_decides_where_it_is_waited_for() {
    for ends in [1, 3, 6] {
        let (came, took) = health(&unsteady(ends), false).await;
        assert_eq!(came, Ok(Found::Healthy));
        assert!(took > Duration::from_secs(60), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_done_its_work_is_done() {
    let fake = engine(vec![(20 * MILLI, Act::Exit(0))]);
    fake.show_processes(500 * MILLI);
    let (came, took) = moments(&fake, "no").await;
    assert_eq!(came, Ok(false));
    assert!(took < 600 * MILLI, "{took:?}");
}

/// What came of a wait for the health of a container, and how long that took.
async fn health(fake: &Fake, paused: bool) -> (Result<Found, String>, Duration) {
    let watch = Watch::new(fake, "p", None);
    let work = async {
        tokio::time::sleep(MILLI).await;
        let request = ContainerRequest {
            name: "cc".into(),
            platform: None,
            body: json!({
                "Image": "busybox",
                "Labels": { "com.docker.compose.project": "p" },
                "Healthcheck": { "Test": ["CMD", "true"], "Interval": 60_000_000_000_u64 },
                "HostConfig": { "RestartPolicy": { "Name": "always" } },
            }),
        };
        let id = fake.create_container(request).await.unwrap();
        fake.start_container(&id).await.unwrap();
        if paused {
            fake.pause(&id);
        }
        let begun = Instant::now();
        let came = watch
            .until(&id, Until::RunningOrHealthy, &drop)
            .await
            .map_err(|fall| match fall {
                Fall::Ended(details) => format!("ended {}", details.exit_code),
                Fall::Paused => "paused".into(),
                _ => "another fall".into(),
            });
        (came, begun.elapsed())
    };
    tokio::select! {
        came = work => came,
        () = watch.pump() => unreachable!(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_health_has_an_end() {
    let dies = |after: u64| engine(vec![(Duration::from_millis(after), Act::Exit(3))]);
    // In its first moments, again and again: its health may still come.
    let (came, took) = health(&dies(50), false).await;
    assert_eq!(came, Err("ended 3".into()));
    assert!(took > Duration::from_secs(25), "{took:?}");
    // A process that is gone passes no check, however late its engine learns of that.
    let fake = engine(vec![
        (50 * MILLI, Act::Exit(3)),
        (100 * MILLI, Act::Health(crate::engine::Health::Healthy)),
    ]);
    fake.show_processes(900 * MILLI);
    assert_eq!(health(&fake, false).await.0, Err("ended 3".into()));
    // Again and again, later.
    let (came, took) = health(&dies(1000), false).await;
    assert_eq!(came, Err("ended 3".into()));
    assert!(took > Duration::from_secs(25), "{took:?}");
    // A few times, as one that waits for another in this way.
    let fake = dies(1000);
    let others = fake.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(20)).await;
        others.cast(|_, _| Script::default());
        others.act("cc", Act::Health(crate::engine::Health::Healthy));
    });
    assert_eq!(health(&fake, false).await.0, Ok(Found::Healthy));
    let (came, took) = health(&engine(Vec::new()), true).await;
    assert_eq!(came, Err("paused".into()));
    assert!(took < Duration::from_secs(12), "{took:?}");
}
