//! `kill -9` at any moment, then the same command again: all is as after an undisturbed run.
//!
//! `REGATTA_KILLS` is the number of kills (a few unless it says otherwise), `REGATTA_SEED` the first
//! of their seeds.

#[path = "../support/chance.rs"]
mod chance;

use crate::support::proxy::Recorder;
use crate::support::run::{read, scratch};
use crate::support::{Engine, Stack};
use chance::Chance;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

const KILLS: usize = 9;

/// Anonymous volumes begin with what the image has at their place: that is how ours are known.
const COMPOSE: &str = r#"
x-service: &service
  image: NAME
  command: ["sleep", "100000"]
  stop_signal: SIGKILL
  networks: [back]
services:
  db:
    <<: *service
    build: { context: ., dockerfile_inline: "FROM busybox\nRUN mkdir /scratch && touch /scratch/NAME\n" }
    environment: { LEVEL: one }
    volumes: ["/scratch", "data:/data"]
    healthcheck: { test: [CMD, "true"], interval: 100ms }
  web:
    <<: *service
    environment: { LEVEL: one }
    scale: 2
    volumes: ["/scratch"]
    depends_on: { db: { condition: service_healthy, restart: true } }
  aside: { <<: *service, depends_on: { db: { condition: service_started, restart: true } } }
networks: { back: {} }
volumes: { data: {} }
"#;

/// What is the same whichever way it was reached.
#[derive(Debug, PartialEq, Clone)]
struct Shape {
    containers: Vec<String>,
    networks: Vec<String>,
    volumes: Vec<String>,
    /// Anonymous volumes that nobody mounts any more.
    orphans: usize,
}

/// What is asked for, and how it is asked for.
struct Change {
    level: &'static str,
    scale: usize,
    words: &'static str,
}

const CHANGES: [Change; 6] = [
    Change {
        level: "two",
        scale: 3,
        words: "up -d",
    },
    Change {
        level: "one",
        scale: 1,
        words: "up -d",
    },
    Change {
        level: "one",
        scale: 1,
        words: "up -d --scale web=4",
    },
    Change {
        level: "one",
        scale: 2,
        words: "up -d --force-recreate",
    },
    Change {
        level: "one",
        scale: 2,
        words: "down",
    },
    Change {
        level: "one",
        scale: 2,
        words: "up -d",
    },
];

/// Names of the anonymous volumes that began with this project's image, and whether each is mounted.
fn anonymous(stack: &Stack, engine: &Engine) -> Vec<(String, bool)> {
    let mounted: Vec<String> = stack
        .containers()
        .iter()
        .flat_map(|c| {
            engine.inspect(&c.id)["Mounts"]
                .as_array()
                .cloned()
                .unwrap_or_default()
        })
        .filter_map(|m| m["Name"].as_str().map(str::to_owned))
        .collect();
    let all = engine.get("/volumes")["Volumes"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let is_ours = |volume: &Value| {
        let at = volume["Mountpoint"].as_str().unwrap_or_default();
        std::path::Path::new(at).join(&stack.name).exists()
    };
    all.iter()
        .filter(|volume| volume["Name"].as_str().is_some_and(|n| n.len() == 64) && is_ours(volume))
        .map(|volume| volume["Name"].as_str().expect("a name").to_owned())
        .map(|name| (name.clone(), mounted.contains(&name)))
        .collect()
}

fn shape(stack: &Stack) -> Shape {
    let engine = &stack.engine;
    let mut containers: Vec<String> = stack
        .containers()
        .iter()
        .map(|c| {
            let details = engine.inspect(&c.id);
            let env = details["Config"]["Env"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let level = env
                .iter()
                .filter_map(Value::as_str)
                .find(|e| e.starts_with("LEVEL"));
            let mounts = details["Mounts"].as_array().map_or(0, Vec::len);
            let level = level.unwrap_or("no level");
            format!(
                "{} = {} {} {level}, {}, {mounts} mounts",
                c.name, c.service, c.number, c.state
            )
        })
        .collect();
    containers.sort();
    Shape {
        containers,
        networks: engine.networks(&stack.name),
        volumes: engine.volumes(&stack.name),
        orphans: anonymous(stack, engine)
            .iter()
            .filter(|(_, mounted)| !mounted)
            .count(),
    }
}

/// Who they are, and that they are what they were.
fn standing(stack: &Stack) -> Vec<(String, String, String)> {
    let all = stack.containers().into_iter();
    all.map(|c| (c.id, c.name, c.state)).collect()
}

/// Takes away what no run would: volumes that scaling down leaves.
fn clear(stack: &Stack) {
    for (name, mounted) in anonymous(stack, &stack.engine) {
        if !mounted {
            let _ = stack
                .engine
                .request("DELETE", &format!("/volumes/{name}"), b"");
        }
    }
}

struct Cleared<'a>(&'a Stack);

impl Drop for Cleared<'_> {
    fn drop(&mut self) {
        self.0.engine.sweep(&self.0.name);
        clear(self.0);
    }
}

fn write(stack: &Stack, change: &Change) {
    let text = COMPOSE.replace("NAME", &stack.name);
    let text = text.replace("LEVEL: one", &format!("LEVEL: {}", change.level));
    stack.write(
        "compose.yaml",
        &text.replace("scale: 2", &format!("scale: {}", change.scale)),
    );
}

/// Where a run is killed.
#[derive(Debug)]
enum Moment {
    Request { nth: usize, early: bool },
    Delay(Duration),
}

/// Runs the command and kills it there; whether it was killed in time.
fn kill(stack: &Stack, through: &Recorder, words: &str, moment: &Moment) -> bool {
    let pid = Arc::new(AtomicU32::new(0));
    let kill = |pid: u32| {
        let killed = std::process::Command::new("kill")
            .args(["-9", &pid.to_string()])
            .status();
        assert!(killed.is_ok(), "kill is there");
    };
    if let Moment::Request { nth, early } = *moment {
        let pid = pid.clone();
        through.ambush(nth, early, move || {
            while pid.load(Ordering::Relaxed) == 0 {
                std::thread::yield_now();
            }
            kill(pid.load(Ordering::Relaxed));
        });
    }
    let (mut stdout, mut stderr) = (scratch(), scratch());
    let mut command = stack
        .command(words)
        .env("DOCKER_HOST", &through.engine.host());
    let mut child = command.spawn(&stdout, &stderr);
    pid.store(child.id(), Ordering::Relaxed);
    if let Moment::Delay(delay) = *moment {
        std::thread::sleep(delay);
        let _ = child.kill();
    }
    let status = child.wait().expect("a child to wait for");
    through.relax();
    if status.code().is_some_and(|code| code != 0) {
        panic!("{words} failed: {}{}", read(&mut stdout), read(&mut stderr));
    }
    status.code().is_none()
}

#[test]
fn killed_and_run_again() {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|n| n.parse::<usize>().ok())
    };
    let kills = number("REGATTA_KILLS").unwrap_or(KILLS);
    let first = number("REGATTA_SEED").unwrap_or(1);
    let other = Stack::new(
        "bystander",
        "services:\n  db: { image: busybox, command: [sleep, '100000'], stop_signal: SIGKILL }\n",
    );
    other.up("");
    let stack = Stack::new("kills", "");
    let _cleared = Cleared(&stack);
    let bystander = (standing(&other), shape(&other));
    let through = Recorder::before(&stack.engine);

    // Undisturbed, to compare with: the end, the requests and the time of each change.
    write(&stack, &CHANGES[5]);
    stack.up("--build");
    clear(&stack);
    let undisturbed: Vec<(Shape, usize, Duration)> = CHANGES
        .iter()
        .map(|change| {
            write(&stack, change);
            through.take();
            let begun = Instant::now();
            let host = through.engine.host();
            stack
                .command(change.words)
                .env("DOCKER_HOST", &host)
                .run()
                .success();
            let took = begun.elapsed();
            let requests = through.take().len();
            let end = shape(&stack);
            clear(&stack);
            (end, requests, took)
        })
        .collect();

    let (mut killed, mut again) = (0, 0);
    for seed in first.. {
        if killed >= kills {
            break;
        }
        let at = (seed - first) % CHANGES.len();
        let (change, (expected, requests, took)) = (&CHANGES[at], &undisturbed[at]);
        let mut chance = Chance((seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let moment = match chance.below(3) {
            0 => Moment::Delay(took.mul_f64(chance.below(1000) as f64 / 1000.0)),
            way => Moment::Request {
                nth: chance.below(*requests),
                early: way == 1,
            },
        };
        let what = format!("REGATTA_SEED={seed}, {} after {moment:?}", change.words);
        write(&stack, change);
        killed += usize::from(kill(&stack, &through, change.words, &moment));
        let end = stack.run(change.words);
        again += 1;
        assert!(end.status.success(), "{what}: {end}");
        assert_eq!(shape(&stack), *expected, "{what}");
        assert_eq!((standing(&other), shape(&other)), bystander, "{what}");
        if change.words == "up -d" {
            stack.plans(0);
        }
        clear(&stack);
    }
    println!("{killed} of {again} runs were killed in time");
}
