//! Where programs beside ours may lie: plugins of Docker's client, and what stands in `PATH`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where plugins of Docker's client lie besides the user's own directory.
pub const SHARED: [&str; 4] = [
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
];

/// The places of the plugin `docker-NAME`, in order.
pub fn plugin(
    environment: &BTreeMap<String, String>,
    name: &str,
) -> impl Iterator<Item = PathBuf> + use<> {
    let variable = |name: &str| environment.get(name).filter(|v| !v.is_empty());
    let own = variable("DOCKER_CONFIG")
        .map(PathBuf::from)
        .or_else(|| Some(Path::new(variable("HOME")?).join(".docker")))
        .map(|dir| dir.join("cli-plugins"));
    let file = format!("docker-{name}");
    own.into_iter()
        .chain(SHARED.map(PathBuf::from))
        .map(move |dir| dir.join(&file))
}

/// The places of the program NAME in the absolute folders of `PATH`, in order; or NAME itself where
/// that is a path.
pub fn in_path<'a>(
    environment: &'a BTreeMap<String, String>,
    name: &'a str,
) -> impl Iterator<Item = PathBuf> + use<'a> {
    let itself = name.contains('/').then(|| PathBuf::from(name));
    let path = environment.get("PATH").filter(|_| itself.is_none());
    let directories = path.into_iter().flat_map(|path| path.split(':'));
    let directories = directories.filter(|dir| dir.starts_with('/'));
    let in_them = directories.map(move |dir| Path::new(dir).join(name));
    itself.into_iter().chain(in_them)
}

/// The places of a provider's program: a plugin, else a program in `PATH`.
pub fn provider<'a>(
    environment: &'a BTreeMap<String, String>,
    kind: &'a str,
) -> impl Iterator<Item = PathBuf> + use<'a> {
    plugin(environment, kind).chain(in_path(environment, kind))
}

/// What to do where a provider's program is not there.
pub fn advice(kind: &str) -> String {
    format!(
        "install the plugin docker-{kind} for Docker's client, or a program {kind} in an absolute folder of PATH"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_comes_before_a_program_in_path() {
        let environment = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            let pairs = pairs.iter();
            pairs
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect()
        };
        let places = |pairs: &[(&str, &str)], kind: &str| -> Vec<String> {
            let environment = environment(pairs);
            let places = provider(&environment, kind);
            places.map(|path| path.display().to_string()).collect()
        };
        let home = places(&[("HOME", "/h"), ("PATH", "/a::.:bin:/b")], "db");
        assert_eq!(home[0], "/h/.docker/cli-plugins/docker-db");
        assert_eq!(home[1], "/usr/local/lib/docker/cli-plugins/docker-db");
        assert_eq!(home[home.len() - 2..], ["/a/db", "/b/db"]);
        let config = places(&[("HOME", "/h"), ("DOCKER_CONFIG", "/c")], "db");
        assert_eq!(config[0], "/c/cli-plugins/docker-db");
        let path = places(&[("PATH", "/a")], "./x/db");
        assert_eq!(path.last().map(String::as_str), Some("./x/db"));
        assert!(!path.iter().any(|place| place.starts_with("/a/")));
    }
}
