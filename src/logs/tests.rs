//! Logs of the engine in memory.

use super::attach::{Attachment, Phase, Ties, attach};
use super::*;
use crate::engine::fake::{Act, Fake, Fault, Way};
use crate::engine::{ContainerRequest, OutputStream};
use serde_json::json;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

const MILLI: Duration = Duration::from_millis(1);
/// Longer than what is kept of a line.
const LONG: usize = 3 << 20;

async fn created(fake: &Fake, service: &str) -> String {
    let request = ContainerRequest {
        name: format!("p-{service}-1"),
        platform: None,
        body: json!({
            "Image": "busybox",
            "Labels": {
                labels::PROJECT: "p",
                labels::SERVICE: service,
                labels::CONTAINER_NUMBER: "1",
                labels::ONEOFF: "False",
                labels::CONFIG_HASH: "x",
            },
        }),
    };
    fake.create_container(request).await.unwrap()
}

fn print(fake: &Fake, id: &str, text: &str) {
    fake.act(id, Act::Print(OutputStream::Stdout, text.into()));
}

fn request() -> LogRequest {
    LogRequest {
        project: "p".into(),
        follow: true,
        ..LogRequest::default()
    }
}

async fn shown(fake: &Fake, request: LogRequest) -> (String, Result<(), LogsError>) {
    let mut out = Vec::new();
    let mut printer = Printer::new(&mut out, true, false);
    let engine = Arc::new(fake.clone());
    let result = show(engine, request, &mut printer, &Reporter::silent()).await;
    drop(printer);
    (String::from_utf8(out).unwrap(), result)
}

#[tokio::test(start_paused = true)]
async fn lines_of_others_wait_for_the_end_of_a_long_one() {
    let fake = Fake::new();
    let ids = [created(&fake, "a").await, created(&fake, "b").await];
    for id in &ids {
        fake.start_container(id).await.unwrap();
    }
    let [x, y] = ["x".repeat(LONG), "y".repeat(LONG)];
    for follow in [true, false] {
        let writer = async {
            if follow {
                tokio::time::sleep(10 * MILLI).await;
                for _ in 0..20 {
                    print(&fake, &ids[1], "short");
                    tokio::task::yield_now().await;
                }
                print(&fake, &ids[0], &x);
                print(&fake, &ids[1], &y);
                for _ in 0..20 {
                    print(&fake, &ids[1], "short");
                    tokio::task::yield_now().await;
                }
                for id in &ids {
                    fake.exit(id, 0);
                }
            }
        };
        let options = LogRequest {
            follow,
            ..request()
        };
        let ((text, result), ()) = tokio::join!(shown(&fake, options), writer);
        result.unwrap();
        let count = |line: &str| text.lines().filter(|l| *l == line).count();
        assert_eq!(count(&format!("a-1  | {x}")), 1, "follow: {follow}");
        assert_eq!(count(&format!("b-1  | {y}")), 1, "follow: {follow}");
        assert_eq!(count("b-1  | short"), 40, "follow: {follow}");
    }
}

/// A pool whose first log is within a line that does not go on.
#[tokio::test(start_paused = true)]
async fn a_line_that_does_not_go_on_is_waited_for_only_so_long() {
    let fake = Fake::new();
    let id = created(&fake, "a").await;
    fake.start_container(&id).await.unwrap();
    print(&fake, &id, "hi");
    let mut pool = Pool::new(Arc::new(fake.clone()));
    pool.passed(7, true, 10);
    tokio::time::sleep(5000 * MILLI).await;
    assert_eq!(pool.overdue(false), None, "nobody waits");
    pool.read(8, id.clone(), LogOptions::default());
    let early = tokio::time::timeout(900 * MILLI, pool.next()).await;
    assert!(early.is_err(), "the other log waits");
    assert_eq!(pool.overdue(false), None);
    pool.rests();
    tokio::time::sleep(900 * MILLI).await;
    assert_eq!(pool.overdue(false), None, "the reader was not ready");
    tokio::time::sleep(100 * MILLI).await;
    assert_eq!(pool.overdue(false), Some(7));
    pool.passed(7, false, 0);
    assert_eq!(pool.next().await.0, 8);
    // One without end.
    pool.passed(7, true, 65 << 20);
    assert_eq!(pool.overdue(true), Some(7));
}

#[tokio::test(start_paused = true)]
async fn what_came_before_the_engine_failed_is_shown() {
    let refused = || EngineError::Broken {
        message: "it is gone".into(),
    };
    // Another request may be the first that is seen to fail, or a log.
    for method in ["list_containers", "logs"] {
        let fake = Fake::new();
        let ids = [created(&fake, "a").await, created(&fake, "b").await];
        for id in &ids {
            fake.start_container(id).await.unwrap();
            for line in 0..100 {
                print(&fake, id, &format!("line {line}"));
            }
        }
        fake.slow_down(move |call| match call.method {
            // After the second list.
            "logs" if method == "list_containers" => 350 * MILLI,
            _ => Duration::ZERO,
        });
        let good = usize::from(method == "list_containers");
        fake.fail(Fault::nth(method, good, Way::Error(refused())));
        let (text, result) = shown(&fake, request()).await;
        let error = result.expect_err("the engine's");
        assert!(error.to_string().contains("it is gone"), "{error}");
        let expected = if good == 1 { 200 } else { 100 };
        assert_eq!(text.lines().count(), expected, "{method}");
        assert!(text.ends_with('\n'));
    }
    // Where nothing is followed, one that cannot be read keeps nobody from the others.
    let fake = Fake::new();
    for service in ["a", "b"] {
        let id = created(&fake, service).await;
        fake.start_container(&id).await.unwrap();
        print(&fake, &id, "hi");
    }
    fake.fail(Fault::nth("logs", 0, Way::Error(refused())));
    let request = LogRequest {
        follow: false,
        ..request()
    };
    let (text, result) = shown(&fake, request).await;
    assert!(result.is_err());
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_second_foreground_up_shows_nothing_old() {
    for rounds in [true, false] {
        let fake = Fake::new();
        if rounds {
            fake.round_times();
        }
        let id = created(&fake, "a").await;
        fake.start_container(&id).await.unwrap();
        for line in ["old 1", "old 2", "old 3"] {
            print(&fake, &id, line);
        }
        fake.exit(&id, 0);
        let present = fake.list_containers(ContainerFilter {
            labels: Vec::new(),
            all: true,
        });
        let attachment = Attachment {
            project: "p".into(),
            present: present.await.unwrap(),
            ..Attachment::default()
        };
        let (phase, in_phase) = watch::channel(Phase::Changing);
        let (exits, _ends) = mpsc::unbounded_channel();
        let (ready, is_ready) = oneshot::channel();
        let ties = Ties {
            phase: in_phase,
            exits,
            ready,
        };
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, true, false);
        let reporter = Reporter::silent();
        let engine = Arc::new(fake.clone());
        let logs = attach(engine, attachment, &mut printer, &reporter, ties);
        let change = async {
            is_ready.await.unwrap();
            fake.start_container(&id).await.unwrap();
            phase.send(Phase::Attached).unwrap();
            print(&fake, &id, "new");
            tokio::time::sleep(10 * MILLI).await;
            fake.exit(&id, 0);
        };
        let (result, ()) = tokio::join!(logs, change);
        result.unwrap();
        drop(printer);
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("a-1  | new\n"), "rounds: {rounds}: {text}");
        assert!(!text.contains("old"), "rounds: {rounds}: {text}");
    }
}
