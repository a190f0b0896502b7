//! What a test needs and a machine may not have: no test passes without having checked, unseen.
#![allow(dead_code, reason = "not every test uses all of it")]

use regatta::engine::endpoint::Endpoint;
use std::io::Write;
use std::path::PathBuf;

/// A test is not run, since `what` is not here. Fails where `CI` is set, as everything has to be there
/// (`dev/setup` brings it), unless `REGATTA_WITHOUT` names it (words with commas between). Elsewhere it
/// is told, past the test program's capture.
#[track_caller]
pub fn not_run(what: &str, why: &str) {
    let test = std::thread::current();
    let test = test.name().unwrap_or("a test");
    let without = std::env::var("REGATTA_WITHOUT").unwrap_or_default();
    let is_known = without.split(',').any(|word| word.trim() == what);
    assert!(
        is_known || std::env::var_os("CI").is_none(),
        "{what} is needed, which is not here: {why} (REGATTA_WITHOUT={what} lets it pass)"
    );
    let line = format!("NOT RUN: {test}: {what} is not here: {why}\n");
    // A macro's output would be captured with the test's.
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// The socket of the engine at `DOCKER_HOST`, else of the usual one, where something answers there.
#[track_caller]
pub fn engine() -> Option<PathBuf> {
    let host = std::env::var("DOCKER_HOST").unwrap_or("unix:///var/run/docker.sock".into());
    let path = host.strip_prefix("unix://").expect("a unix socket");
    match std::os::unix::net::UnixStream::connect(path) {
        Ok(_) => Some(path.into()),
        Err(error) => {
            not_run("engine", &format!("{host}: {error}"));
            None
        }
    }
}

/// The same as an endpoint.
#[track_caller]
pub fn endpoint() -> Option<Endpoint> {
    engine().map(Endpoint::Unix)
}

/// A program of Docker's, as `dev/engine` puts it there, or where Docker's client looks for plugins.
#[track_caller]
pub fn plugin(name: &str) -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let prefix = variable("REGATTA_ENGINE_PREFIX").unwrap_or("/opt/regatta-engine".into());
    let home = variable("HOME").unwrap_or_default();
    let places = [
        prefix.join("usr/libexec/docker/cli-plugins"),
        home.join(".docker/cli-plugins"),
        "/usr/local/lib/docker/cli-plugins".into(),
        "/usr/local/libexec/docker/cli-plugins".into(),
        "/usr/lib/docker/cli-plugins".into(),
        "/usr/libexec/docker/cli-plugins".into(),
    ];
    let mut found = places.into_iter().map(|place| place.join(name));
    let found = found.find(|path| path.exists());
    if found.is_none() {
        not_run(name, "dev/engine install brings it");
    }
    found
}
