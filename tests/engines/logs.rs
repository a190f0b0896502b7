//! `logs -f` on a real engine: every line exactly once, however often a container restarts.
//!
//! Without an engine the test says so and passes; under `CI=true` it fails.

use crate::required;
use futures::StreamExt;
use regatta::engine::docker::{Docker, Options};
use regatta::engine::endpoint::Endpoint;
use regatta::engine::{ContainerRequest, Engine, LogOptions, OutputStream};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Lines that a container prints as soon as it lives.
const LINES: usize = 20;
const RESTARTS: usize = 50;

/// Prints its lines at once, on both streams, each with the number of its life. It may
/// be killed at any moment, so the number is never half written.
const SCRIPT: &str =
    "n=$(cat /life 2>/dev/null || echo 0); n=$((n+1)); echo $n > /new; mv /new /life
for i in 1 2 3 4 5 6 7 8 9 10; do echo life $n out $i; echo life $n err $i >&2; done";

struct Project {
    engine: Docker,
    socket: String,
    name: String,
    ids: Vec<String>,
}

impl Project {
    /// `None` where there is no engine (an error in CI).
    async fn new(name: &str) -> Option<Project> {
        let socket = required::engine()?.display().to_string();
        let engine =
            Docker::new(Endpoint::Unix(socket.clone().into()), Options::default()).unwrap();
        let name = format!("{name}-{}", std::process::id());
        Some(Project {
            engine,
            socket,
            name,
            ids: Vec::new(),
        })
    }

    async fn create(&mut self, number: u32, script: &str, restart: &str) -> String {
        let project = &self.name;
        let request = ContainerRequest {
            name: format!("{project}-web-{number}"),
            platform: None,
            body: json!({
                "Image": "busybox:latest",
                "Cmd": ["sh", "-c", script],
                "StopSignal": "SIGKILL",
                "HostConfig": {"RestartPolicy": {"Name": restart}, "NetworkMode": "none"},
                "Labels": {
                    "com.docker.compose.project": project,
                    "com.docker.compose.service": "web",
                    "com.docker.compose.config-hash": "x",
                    "com.docker.compose.oneoff": "False",
                    "com.docker.compose.container-number": number.to_string(),
                },
            }),
        };
        let id = self.engine.create_container(request).await.unwrap();
        self.ids.push(id.clone());
        id
    }

    fn follow(&self) -> Follower {
        let mut child = Command::new(env!("CARGO_BIN_EXE_regatta"))
            .args(["-p", &self.name, "logs", "-f", "--no-color"])
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let text = Arc::new(Mutex::new(Vec::new()));
        let copy = text.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = stdout.read(&mut buffer) {
                copy.lock().unwrap().extend_from_slice(&buffer[..n]);
            }
        });
        Follower { child, text }
    }

    /// What the engine has kept of a container's output: the truth.
    async fn printed(&self, id: &str, name: &str) -> BTreeMap<String, usize> {
        let mut log = self.engine.logs(id, LogOptions::default());
        let mut text: [Vec<u8>; 2] = Default::default();
        while let Some(chunk) = log.next().await {
            let chunk = chunk.unwrap();
            text[usize::from(chunk.stream == OutputStream::Stderr)].extend(chunk.bytes);
        }
        let text = String::from_utf8(text.concat()).unwrap();
        let line = |line: &str| (format!("{name} {line}"), 1);
        text.lines().map(line).collect()
    }
}

/// Also where a test fails.
impl Drop for Project {
    fn drop(&mut self) {
        let (ids, socket) = (std::mem::take(&mut self.ids), self.socket.clone());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let engine = Docker::new(Endpoint::Unix(socket.into()), Options::default()).unwrap();
            runtime.unwrap().block_on(async {
                for id in &ids {
                    let _ = engine.remove_container(id, true, true).await;
                }
            });
        });
        let _ = thread.join();
    }
}

struct Follower {
    child: Child,
    text: Arc<Mutex<Vec<u8>>>,
}

impl Follower {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap()).into_owned()
    }

    /// How often each line came that a container printed.
    fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for line in self.text().lines().filter(|l| l.contains(" | life")) {
            let (name, line) = line.split_once(" | ").unwrap();
            *counts.entry(format!("{} {line}", name.trim())).or_default() += 1;
        }
        counts
    }

    async fn eventually(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let begin = Instant::now();
        while !holds(self) {
            assert!(
                begin.elapsed() < Duration::from_secs(20),
                "{what}:\n{}",
                self.text()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every line that the container printed came exactly once.
async fn check(project: &Project, id: &str, follower: &Follower, name: &str) {
    let printed = project.printed(id, name).await;
    let deadline = Instant::now() + Duration::from_secs(20);
    let ours = |f: &Follower| {
        let mut counts = f.counts();
        counts.retain(|line, _| line.starts_with(name));
        counts
    };
    while ours(follower).len() < printed.len() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Repeated lines would come late.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let found = ours(follower);
    let wrong: Vec<_> = printed
        .keys()
        .chain(found.keys())
        .filter(|line| found.get(*line) != Some(&1) || !printed.contains_key(*line))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{}", follower.text());
}

#[tokio::test]
async fn a_restart_loses_no_line_and_repeats_none() {
    let Some(mut project) = Project::new("regatta-logs-restart").await else {
        return;
    };
    let id = project
        .create(1, &format!("{SCRIPT}\nsleep 1000"), "no")
        .await;
    project.engine.start_container(&id).await.unwrap();
    let follower = project.follow();
    follower
        .eventually("the first life", |f| f.counts().len() == LINES)
        .await;
    for n in 0..RESTARTS as u64 {
        let restart = project.engine.restart_container(&id, Some(0));
        restart.await.unwrap();
        // From not a line of a life to all of them.
        tokio::time::sleep(Duration::from_millis(n % 25)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    check(&project, &id, &follower, "web-1").await;
    let text = follower.text();
    assert!(
        text.contains(&format!("life {} out", RESTARTS / 2)),
        "{text}"
    );
    assert!(
        text.contains("\r\x1b[Kweb-1 exited with code 137"),
        "{text}"
    );
}

#[tokio::test]
async fn new_replicas_and_the_engine_s_own_restarts_are_picked_up() {
    let Some(mut project) = Project::new("regatta-logs-replicas").await else {
        return;
    };
    let keeper = project
        .create(1, &format!("{SCRIPT}\nsleep 1000"), "no")
        .await;
    project.engine.start_container(&keeper).await.unwrap();
    let follower = project.follow();
    follower
        .eventually("the first replica", |f| f.counts().len() == LINES)
        .await;
    // It ends by itself at once, and the engine starts it again, ever slower.
    let brief = project.create(2, SCRIPT, "always").await;
    project.engine.start_container(&brief).await.unwrap();
    let third = project
        .create(3, &format!("{SCRIPT}\nsleep 1000"), "no")
        .await;
    project.engine.start_container(&third).await.unwrap();
    follower
        .eventually("five lives", |f| f.text().contains("life 5 err 10"))
        .await;
    check(&project, &third, &follower, "web-3").await;
    project
        .engine
        .stop_container(&brief, Some(0))
        .await
        .unwrap();
    check(&project, &brief, &follower, "web-2").await;
    assert!(
        follower
            .text()
            .contains("web-2 exited with code 0 (restarting)")
    );
}

#[tokio::test]
async fn following_ends_when_the_last_container_has_ended() {
    let Some(mut project) = Project::new("regatta-logs-end").await else {
        return;
    };
    let id = project
        .create(1, &format!("{SCRIPT}\nsleep 1; exit 3"), "no")
        .await;
    project.engine.start_container(&id).await.unwrap();
    let mut follower = project.follow();
    let begin = Instant::now();
    let status = loop {
        if let Some(status) = follower.child.try_wait().unwrap() {
            break status;
        }
        assert!(
            begin.elapsed() < Duration::from_secs(20),
            "{}",
            follower.text()
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert!(status.success());
    let (text, end) = (follower.text(), "\r\x1b[Kweb-1 exited with code 3\n");
    check(&project, &id, &follower, "web-1").await;
    assert!(text.ends_with(end), "{text}");
}
