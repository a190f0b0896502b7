//! An engine that falls silent, at every request in turn: the user is told what is waited for, one signal
//! ends what only asks, two end what was begun, and three end everything; and it is said what is not
//! known.

use crate::interrupts::{AFTER, BEFORE, press};
use crate::on_fake::{OneFile, means, on_virtual_time, options, project, up};
use crate::scripted::{Scripted, Silence};
use futures::StreamExt;
use regatta::change::{agree_to_nothing, carry_out, prepare};
use regatta::engine::Engine;
use regatta::engine::docker::{Docker, Options as DockerOptions};
use regatta::engine::endpoint::Endpoint;
use regatta::engine::fake::{Fake, Script};
use regatta::engine::patient::Patient;
use regatta::event::{Interest, Kind, Reporter};
use regatta::execute::Means;
use regatta::interrupt::{Interrupts, Stage};
use regatta::lock::{Bid, Place, Terms, acquire};
use regatta::project::Project;
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

const LEFT: &str = "the engine has not answered: ";

/// A change as a command makes it: under the lock. Gives what it can tell in the end.
async fn change(
    engine: &dyn Engine,
    project: &Project,
    interrupts: &Interrupts,
    reporter: &Reporter,
) -> String {
    let place = Place {
        directory: None,
        host: "here".into(),
        process: 7,
        command: "regatta up".into(),
        clock: || SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
        chance: regatta::lock::system_chance,
    };
    let bid = Bid {
        engine,
        project: &project.name,
        place: &place,
        terms: Terms::default(),
        reporter,
        interrupts,
    };
    let lock = match acquire(bid).await {
        Ok(lock) => lock,
        Err(error) => return error.to_string(),
    };
    let work = async {
        let (mut options, no) = (options(), &mut agree_to_nothing);
        let prepared = prepare(engine, project, &mut options, no).await?;
        let files = OneFile::empty();
        let means = Means {
            interrupts: interrupts.clone(),
            lock: Some(&lock),
            ..means(engine, reporter, &files)
        };
        carry_out(&means, project, prepared, &mut options, no).await
    };
    let result = lock.keep(work).await;
    lock.release().await;
    match result {
        Err(error) => error.to_string(),
        Ok((_, done)) => {
            let report = done.expect("no obstacles").report;
            let failures = report.failures.iter().map(|f| f.message.as_str());
            let words: Vec<&str> = failures.chain(report.lost.as_deref()).collect();
            match report.given_up.is_empty() && words.is_empty() {
                true => "done".into(),
                false => words.join("\n"),
            }
        }
    }
}

#[test]
fn a_change_ends_whichever_call_is_not_answered() {
    let (before, after) = (project(BEFORE), project(AFTER));
    for signals in 1..=3 {
        let mut left = 0;
        for silent_from in 0.. {
            let what = format!("{signals} signals, silent from call {silent_from}");
            let text = on_virtual_time(async {
                let fake = Fake::new();
                fake.cast(|name, _| match name.contains("db") {
                    true => Script::healthy(Duration::from_millis(50)),
                    false => Script::default(),
                });
                up(&fake, &before).await;
                let count = AtomicUsize::new(0);
                fake.slow_down(move |_| match count.fetch_add(1, Ordering::Relaxed) {
                    number if number >= silent_from => Duration::from_secs(1 << 30),
                    _ => Duration::from_millis(10),
                });
                let reporter = Reporter::new("up");
                let mut events = reporter.subscribe(Interest::Progress);
                let interrupts = Interrupts::default();
                let _stages = interrupts.in_stages();
                let at = Duration::from_secs(20);
                let presses = tokio::spawn(press(interrupts.clone(), at, signals));
                let engine = Arc::new(fake.clone());
                let patient = Patient::new(engine, interrupts.clone(), reporter.clone());
                let begun = tokio::time::Instant::now();
                let leaving = async {
                    interrupts.reached(Stage::Leaving).await;
                    patient.unanswered()
                };
                let text = tokio::select! {
                    text = change(&patient, &after, &interrupts, &reporter) => text,
                    text = leaving => text,
                };
                presses.abort();
                // A stop may take its time (here nobody knows how much), unless it is asked to kill.
                let limit = match signals {
                    1 => at + Duration::from_secs(11 * 60),
                    2 => at + Duration::from_secs(30),
                    _ => at + Duration::from_secs(1),
                };
                assert!(begun.elapsed() < limit, "{what}: {:?}", begun.elapsed());
                if begun.elapsed() >= at {
                    let mut told = Vec::new();
                    for event in events.drain() {
                        if let Kind::Warning { message } = &event.kind {
                            told.push(message.clone());
                        }
                    }
                    let told = told.join("\n");
                    let words = "waiting for the engine at fake:// (";
                    assert!(told.contains(words), "{what}: {told:?}");
                }
                text
            });
            if text == "done" {
                break;
            }
            left += 1;
            assert!(text.contains(LEFT), "{what}: {text:?}");
        }
        assert!(left > 20, "only {left} calls");
    }
}

const SHOP: &str = "name: shop\nservices:\n  web: {image: busybox}\n";

fn regatta(dir: &Path, socket: &Path, arguments: &[&str]) -> Command {
    let mut command = crate::program::regatta(dir, arguments);
    command
        .env("DOCKER_HOST", format!("unix://{}", socket.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

pub fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([format!("-{name}"), child.id().to_string()])
        .status();
    assert!(sent.expect("kill").success());
}

/// How it ends: its exit code, and what it says. It must not take longer.
#[track_caller]
pub fn end_of(mut child: Child, within: Duration, what: &str) -> (Option<i32>, String) {
    let begun = Instant::now();
    while begun.elapsed() < within {
        if child.try_wait().expect("a state").is_some() {
            let output = child.wait_with_output().expect("its words");
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            return (output.status.code(), text);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("an end");
    panic!("{what}: it does not end");
}

/// Far more than it takes, on a busy machine too.
const SOON: Duration = Duration::from_secs(15);

#[test]
fn the_program_ends_whichever_request_is_not_answered() {
    let (count, begins) = {
        let dir = tempfile::tempdir().expect("a folder");
        let engine = Scripted::new(dir.path());
        std::fs::write(dir.path().join("compose.yaml"), SHOP).expect("a project");
        let mut up = regatta(dir.path(), &engine.socket, &["up", "-d"]);
        let output = up.output().expect("a run");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}\n{:#?}", engine.requests());
        let requests = engine.requests();
        let begins = requests
            .iter()
            .position(|r| r.ends_with("s/create") && !r.contains("volumes"));
        (requests.len(), begins.expect("a change"))
    };
    assert!(count > 12, "only {count} requests");
    let attempt = |number: usize, how: Silence, signals: usize| {
        let dir = tempfile::tempdir().expect("a folder");
        let engine = Scripted::new(dir.path());
        engine.silent_after(number, how);
        std::fs::write(dir.path().join("compose.yaml"), SHOP).expect("a project");
        let mut up = regatta(dir.path(), &engine.socket, &["up", "-d"]);
        let mut child = up.spawn().expect("a run");
        while engine.requests().len() <= number {
            if child.try_wait().expect("a state").is_some() {
                // Once looking whether a container lives may be enough, and there was no such request.
                assert!(number + 3 > count, "request {number} is missing");
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let asked = engine.requests().swap_remove(number);
        let what = format!("{asked} ({number}), {how:?}, {signals} signals");
        let (name, code) = [("INT", 130), ("TERM", 143), ("HUP", 129)][number % 3];
        for _ in 0..signals {
            signal(&child, name);
            // Two signals of a kind that come at once are one.
            std::thread::sleep(Duration::from_millis(30));
        }
        let (ended, text) = end_of(child, SOON, &what);
        // When the lock is given back all is done already.
        let is_done = asked.starts_with("DELETE") && ended == Some(0);
        assert!(is_done || ended == Some(code), "{what}: {ended:?} {text}");
        let is_change = asked.starts_with("POST") && !asked.contains("volumes");
        // A start is known to be done by the head of its answer.
        let is_known = how == Silence::Half && !asked.contains("create");
        if is_change && !is_known {
            assert!(text.contains(LEFT), "{what}: {text}");
            assert!(text.contains("; it may still do so"), "{what}: {text}");
        }
    };
    std::thread::scope(|scope| {
        let mut halves = Vec::new();
        for part in 0..4 {
            let attempt = &attempt;
            halves.push(scope.spawn(move || {
                for number in (part..count).step_by(4) {
                    let how = [Silence::Whole, Silence::Half][number / 3 % 2];
                    attempt(number, how, 3);
                    // One signal ends what only asks; a change is waited for a while.
                    if number < begins {
                        attempt(number, how, 1);
                    }
                }
            }));
        }
        for half in halves {
            half.join().expect("no panic");
        }
    });
}

/// An engine that answers everything with bytes that do not end, nor have a line's end.
fn endless(dir: &Path) -> Endpoint {
    let path = dir.join("endless.sock");
    let listener = UnixListener::bind(&path).expect("a socket");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                let head = b"HTTP/1.1 200 OK\r\n\r\n{\"status\":\"";
                let mut sent = stream.write_all(head);
                while sent.is_ok() {
                    sent = stream.write_all(&[b'x'; 64 << 10]);
                }
            });
        }
    });
    Endpoint::Unix(path)
}

#[tokio::test]
async fn a_message_without_end_is_refused_by_name() {
    let dir = tempfile::tempdir().expect("a folder");
    let docker = Docker::new(endless(dir.path()), DockerOptions::default()).expect("a client");
    let engine = Patient::new(Arc::new(docker), Interrupts::default(), Reporter::silent());
    let pull = engine.pull_image("busybox", None).next().await;
    let event = engine.events(Vec::new(), None).next().await;
    let errors = [pull.map(|p| p.map(drop)), event.map(|e| e.map(drop))];
    let errors = errors.map(|e| e.expect("a part").expect_err("no message").to_string());
    assert_eq!(
        errors,
        [
            "the engine sent a message of more than 16 MiB: pull image busybox",
            "the engine sent a message of more than 16 MiB: watch events",
        ]
    );
}

#[test]
fn a_silence_is_told_of() {
    let dir = tempfile::tempdir().expect("a folder");
    let engine = Scripted::new(dir.path());
    engine.silent_after(0, Silence::Whole);
    let arguments = ["-p", "shop", "ps"];
    let mut child = regatta(dir.path(), &engine.socket, &arguments)
        .spawn()
        .expect("a run");
    let mut err = std::io::BufReader::new(child.stderr.take().expect("its words"));
    let mut line = String::new();
    std::io::BufRead::read_line(&mut err, &mut line).expect("a line");
    let place = engine.socket.display();
    let words = format!("waiting for the engine at unix://{place} (5 s): list containers");
    assert!(line.contains(&words), "{line}");
    signal(&child, "TERM");
    let (code, _) = end_of(child, SOON, "ps");
    assert_eq!(code, Some(143));
    line.clear();
    std::io::BufRead::read_line(&mut err, &mut line).expect("a line");
    assert_eq!(line.trim_end(), format!("{LEFT}list containers"));
}
