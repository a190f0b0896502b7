//! Output that nobody reads, and files that nothing comes out of: signals are heard all the same, and
//! no memory is filled meanwhile.

use super::silent::{end_of, signal};
use crate::scripted::{Scripted, Silence};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const SHOP: &str = "name: shop\nservices:\n  web: {image: busybox}\n";
const SOON: Duration = Duration::from_secs(15);

/// What is taken at the most before nothing is any more: what a pipe and the buffers before it hold.
/// Rows on a terminal keep little of it, so a quick machine may take more until they are full.
const HELD: usize = 64 << 20;

/// A project, an engine, and a pipe for standard output that is never read.
fn run(dir: &Path, engine: &Scripted, arguments: &[&str]) -> (Child, std::io::PipeReader) {
    std::fs::write(dir.join("compose.yaml"), SHOP).expect("a project");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let child = command(dir, engine, arguments)
        .stdout(writer)
        .stderr(Stdio::null())
        .spawn();
    (child.expect("a run"), reader)
}

fn command(dir: &Path, engine: &Scripted, arguments: &[&str]) -> Command {
    let mut command = crate::program::regatta(dir, arguments);
    command.env("DOCKER_HOST", format!("unix://{}", engine.socket.display()));
    command
}

#[test]
fn one_signal_ends_what_only_reads() {
    for arguments in [
        &["logs", "web"][..],
        &["logs", "--follow", "--no-log-prefix"],
        &["exec", "-T", "web", "yes"],
    ] {
        let dir = tempfile::tempdir().expect("a folder");
        let engine = Scripted::new(dir.path());
        engine.add("shop", "web");
        let (child, _unread) = run(dir.path(), &engine, arguments);
        let taken = engine.poured();
        assert!((1..HELD).contains(&taken), "{arguments:?}: {taken} bytes");
        signal(&child, "TERM");
        let (code, _) = end_of(child, SOON, &format!("{arguments:?}"));
        assert_eq!(code, Some(143), "{arguments:?}");
    }
}

#[test]
fn a_foreground_up_stops_its_containers_though_nobody_reads() {
    let dir = tempfile::tempdir().expect("a folder");
    let engine = Scripted::new(dir.path());
    let (child, _unread) = run(dir.path(), &engine, &["up"]);
    let taken = engine.poured();
    assert!((1..HELD).contains(&taken), "{taken} bytes");
    signal(&child, "HUP");
    assert!(engine.asked_for("/stop"), "{:#?}", engine.requests());
    let (code, _) = end_of(child, SOON, "up");
    assert_eq!(code, Some(129));
}

/// Lines that nobody reads keep no last words back that go elsewhere.
#[test]
fn what_is_not_known_is_said_beside_blocked_lines() {
    let dir = tempfile::tempdir().expect("a folder");
    let engine = Scripted::new(dir.path());
    std::fs::write(dir.path().join("compose.yaml"), SHOP).expect("a project");
    let (_unread, writer) = std::io::pipe().expect("a pipe");
    let child = command(dir.path(), &engine, &["up"])
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .expect("a run");
    engine.poured();
    // The lock is taken, the containers are listed, and the stop is not answered.
    engine.silent_after(3, Silence::Whole);
    signal(&child, "TERM");
    assert!(engine.asked_for("/stop"), "{:#?}", engine.requests());
    for _ in 0..2 {
        signal(&child, "TERM");
        std::thread::sleep(Duration::from_millis(30));
    }
    let (code, text) = end_of(child, SOON, "up");
    assert_eq!(code, Some(143), "{text}");
    let words = "the engine has not answered: stop container shop-web-1";
    assert!(text.contains(words), "{text}");
}

/// A pipe without a reader that is full already.
fn full() -> (std::io::PipeReader, std::io::PipeWriter) {
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    writer.write_all(&[b'x'; 64 << 10]).expect("so much fits");
    (reader, writer)
}

#[test]
fn progress_that_nobody_reads_keeps_no_signal() {
    for (arguments, signals) in [
        (&["pull"][..], 1),
        (&["--progress", "tty", "pull"], 1),
        (&["up"], 1),
        (&["--debug", "up"], 3),
    ] {
        let dir = tempfile::tempdir().expect("a folder");
        let engine = Scripted::new(dir.path());
        std::fs::write(dir.path().join("compose.yaml"), SHOP).expect("a project");
        let (_unread, writer) = full();
        let child = command(dir.path(), &engine, arguments)
            .stdout(writer.try_clone().expect("the same"))
            .stderr(writer)
            .spawn()
            .expect("a run");
        let taken = engine.poured();
        assert!((1..HELD).contains(&taken), "{arguments:?}: {taken} bytes");
        for _ in 0..signals {
            signal(&child, "TERM");
            std::thread::sleep(Duration::from_millis(30));
        }
        let (code, _) = end_of(child, SOON, &format!("{arguments:?}"));
        assert_eq!(code, Some(143), "{arguments:?}");
    }
}

/// `config.json` is read when there is an engine to talk to: from then on signals are heard by a
/// thread of their own.
#[test]
fn a_file_that_nothing_comes_out_of_keeps_no_signal() {
    let dir = tempfile::tempdir().expect("a folder");
    let engine = Scripted::new(dir.path());
    let path = dir.path().join(".docker/config.json");
    std::fs::create_dir(dir.path().join(".docker")).expect("a folder");
    let made = Command::new("mkfifo").arg(&path).status();
    assert!(made.expect("mkfifo").success());
    // Somebody has it open, and never writes.
    let both = std::fs::File::options().read(true).write(true).open(&path);
    let _writer = both.expect("a pipe");
    let text = "name: shop\nservices:\n  web: {image: nginx, pull_policy: always}\n";
    std::fs::write(dir.path().join("compose.yaml"), text).expect("a project");
    let child = command(dir.path(), &engine, &["pull"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a run");
    std::thread::sleep(Duration::from_millis(500));
    signal(&child, "TERM");
    let begun = std::time::Instant::now();
    let (code, _) = end_of(child, SOON, "pull");
    assert_eq!(code, Some(143));
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn what_is_ignored_stays_ignored() {
    let dir = tempfile::tempdir().expect("a folder");
    let engine = Scripted::new(dir.path());
    engine.add("shop", "web");
    let program = env!("CARGO_BIN_EXE_regatta");
    let script = format!("trap '' HUP; exec {program} -p shop logs -f");
    let child = Command::new("sh")
        .args(["-c", &script])
        .env("DOCKER_HOST", format!("unix://{}", engine.socket.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell");
    assert!(engine.asked_for("/logs"), "{:#?}", engine.requests());
    // As `nohup` has it.
    signal(&child, "HUP");
    std::thread::sleep(Duration::from_millis(500));
    signal(&child, "TERM");
    let (code, _) = end_of(child, SOON, "logs");
    assert_eq!(code, Some(143));
}
