//! Programs beside ours: plugins of Docker's client, and what stands in `PATH`.

use crate::value::program;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// Set by Docker's client for its plugins; a program that we run is nobody's plugin.
const PLUGIN_MARK: &str = "DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND";

/// The plugin `docker-NAME`.
pub(super) fn plugin(environment: &BTreeMap<String, String>, name: &str) -> Option<PathBuf> {
    program::plugin(environment, name).find(|path| path.is_file())
}

/// The program of a provider.
pub(super) fn provider(environment: &BTreeMap<String, String>, kind: &str) -> Option<PathBuf> {
    program::provider(environment, kind).find(|path| path.is_file())
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
