//! Programs beside ours: plugins of Docker's client, and what stands in `PATH`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// Where plugins of Docker's client lie besides the user's own directory.
const SHARED: [&str; 4] = [
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
];

/// Set by Docker's client for its plugins; a program that we run is nobody's plugin.
const PLUGIN_MARK: &str = "DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND";

/// The plugin `docker-NAME`.
pub(super) fn plugin(environment: &BTreeMap<String, String>, name: &str) -> Option<PathBuf> {
    let variable = |name: &str| environment.get(name).filter(|v| !v.is_empty());
    let own = variable("DOCKER_CONFIG")
        .map(PathBuf::from)
        .or_else(|| Some(Path::new(variable("HOME")?).join(".docker")))
        .map(|dir| dir.join("cli-plugins"));
    let file = format!("docker-{name}");
    own.into_iter()
        .chain(SHARED.map(PathBuf::from))
        .map(|dir| dir.join(&file))
        .find(|path| path.is_file())
}

/// The program NAME in `PATH`, or at NAME where that is a path.
pub(super) fn in_path(environment: &BTreeMap<String, String>, name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(|path| path.is_file());
    }
    let path = environment.get("PATH")?;
    path.split(':')
        .filter(|dir| !dir.is_empty())
        .map(|dir| Path::new(dir).join(name))
        .find(|path| path.is_file())
}

/// A program with the project's environment and nothing else. It ends when nobody waits for it
/// any more.
pub(super) fn command(program: &Path, environment: &BTreeMap<String, String>) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs(environment.iter().filter(|(key, _)| *key != PLUGIN_MARK))
        .kill_on_drop(true);
    command
}
