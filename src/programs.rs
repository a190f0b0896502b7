//! Programs beside ours: git, plugins of Docker's client, credential helpers, providers.
//!
//! They are looked up as Go does since 1.19: in the absolute folders of `PATH`. An empty part, `.`
//! and other relative parts mean the folder that the user happens to be in, and whatever project was
//! unpacked there: nothing is run out of them, neither by us nor by a program that we start.

use crate::value::program::SHARED;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::process::Command;

/// Set by Docker's client for its plugins. A program that we run is nobody's plugin: with the first
/// `docker-buildx` would take its first word for its own name, and the second is for ending us.
pub const PLUGIN_MARKS: [&str; 2] = [
    "DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND",
    "DOCKER_CLI_PLUGIN_SOCKET",
];

/// Where programs are looked for.
#[derive(Debug, Clone)]
pub struct Programs {
    /// Folders of `PATH`.
    folders: Vec<PathBuf>,
    /// Folders of plugins.
    plugins: Vec<PathBuf>,
    /// What a path is relative to.
    cwd: PathBuf,
    /// Where projects from elsewhere are kept.
    fetched: Option<PathBuf>,
    /// The user has agreed that their programs are run.
    agreed: Arc<AtomicBool>,
}

/// The system's own folders, where `PATH` is not set at all.
const SYSTEM: &str = "/usr/local/bin:/usr/bin:/bin";

impl Default for Programs {
    fn default() -> Self {
        Programs::new(None, None, Path::new("/"))
    }
}

impl Programs {
    /// `path` is the value of `PATH`, `config` the folder of Docker's client configuration; both
    /// those of the process, as a project's `.env` does not decide what is run.
    pub fn new(path: Option<&str>, config: Option<&Path>, cwd: &Path) -> Self {
        let own = config.map(|dir| cwd.join(dir).join("cli-plugins"));
        Programs {
            folders: absolute(path.unwrap_or(SYSTEM)).collect(),
            plugins: own.into_iter().chain(SHARED.map(PathBuf::from)).collect(),
            cwd: cwd.to_owned(),
            fetched: None,
            agreed: Arc::default(),
        }
    }

    /// A program by its bare name.
    pub fn find(&self, name: &str) -> Option<PathBuf> {
        let is_name = !name.contains('/') && !matches!(name, "" | "." | "..");
        is_name.then(|| first(&self.folders, name)).flatten()
    }

    /// A program by its name, or at its path where the name is one (`./provider`).
    pub fn find_or_at(&self, name: &str) -> Option<PathBuf> {
        match name.contains('/') {
            true => Some(self.cwd.join(name)).filter(|path| is_program(path)),
            false => self.find(name),
        }
    }

    /// The plugin `docker-NAME` of Docker's client.
    pub fn plugin(&self, name: &str) -> Option<PathBuf> {
        let is_name = !name.contains('/');
        is_name
            .then(|| first(&self.plugins, &format!("docker-{name}")))
            .flatten()
    }

    /// The program of a service's provider: a plugin of Docker's client, else any program.
    pub fn provider(&self, kind: &str) -> Option<PathBuf> {
        self.plugin(kind).or_else(|| self.find_or_at(kind))
    }

    /// A command with the environment that we have ourselves. The program's path is absolute.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        set_path(&mut command, self.folders.iter().cloned());
        command.kill_on_drop(true);
        for mark in PLUGIN_MARKS {
            command.env_remove(mark);
        }
        command
    }

    /// A command with the project's environment and nothing else. It ends when nobody waits for it
    /// any more.
    pub fn command_with(&self, program: &Path, environment: &BTreeMap<String, String>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(
                environment
                    .iter()
                    .filter(|(key, _)| !PLUGIN_MARKS.contains(&key.as_str())),
            )
            .kill_on_drop(true);
        if let Some(path) = environment.get("PATH") {
            set_path(&mut command, absolute(path));
        }
        command
    }

    /// Names the folder that projects are fetched to, whose programs are not run unasked.
    #[must_use]
    pub fn with_fetched(mut self, folder: Option<PathBuf>) -> Self {
        self.fetched = folder;
        self
    }

    /// Whether a program came with a project that was fetched from elsewhere.
    pub fn is_fetched(&self, program: &Path) -> bool {
        let inside = |folder: &PathBuf| {
            let (program, folder) = (program.canonicalize().ok()?, folder.canonicalize().ok()?);
            Some(program.starts_with(folder))
        };
        self.fetched.as_ref().and_then(inside).unwrap_or(false)
    }

    /// Notes that the user lets fetched programs run. It holds for all clones.
    pub fn agree(&self) {
        self.agreed.store(true, Ordering::Relaxed);
    }

    /// Whether a program may be run: it is installed, or the user has agreed.
    pub fn may_run(&self, program: &Path) -> bool {
        self.agreed.load(Ordering::Relaxed) || !self.is_fetched(program)
    }
}

/// `PATH` for what we start: without the folders that we do not look in either.
fn set_path(command: &mut Command, folders: impl Iterator<Item = PathBuf>) {
    let folders: Vec<OsString> = folders.map(PathBuf::into_os_string).collect();
    match folders.is_empty() {
        // An empty text would mean the current folder; without the variable the system's own
        // folders are meant.
        true => command.env_remove("PATH"),
        false => command.env("PATH", folders.join(OsStr::new(":"))),
    };
}

/// The folders of `PATH` that are looked in.
fn absolute(path: &str) -> impl Iterator<Item = PathBuf> {
    path.split(':')
        .map(PathBuf::from)
        .filter(|folder| folder.is_absolute())
}

fn first(folders: &[PathBuf], name: &str) -> Option<PathBuf> {
    folders
        .iter()
        .map(|folder| folder.join(name))
        .find(|path| is_program(path))
}

/// Whether there is a file that may be run.
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path)
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn program(path: &Path, mode: u32) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn the_folder_of_the_project_is_not_looked_in() {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join(path);
        program(&at("project/git"), 0o755);
        program(&at("project/bin/git"), 0o755);
        program(&at("installed/git"), 0o755);
        program(&at("first/git"), 0o644);
        let cwd = at("project");
        let (installed, first) = (at("installed"), at("first"));
        let find = |path: &str| Programs::new(Some(path), None, &cwd).find("git");
        for path in ["", ".", ":", ".:bin", "bin", "./bin", "../project"] {
            assert_eq!(find(path), None, "{path:?}");
        }
        // What may not be run is not found either.
        let path = format!(".::bin:{}:{}", first.display(), installed.display());
        assert_eq!(find(&path), Some(at("installed/git")));
        let programs = Programs::new(Some(&path), None, &cwd);
        // A path is no name.
        for name in ["../project/git", "./git", "", ".", ".."] {
            assert_eq!(programs.find(name), None, "{name:?}");
        }
        assert_eq!(programs.find_or_at("./git"), Some(cwd.join("./git")));
        assert_eq!(programs.find_or_at("git"), Some(at("installed/git")));
        assert_eq!(programs.find_or_at("./nothing"), None);
    }

    #[test]
    fn plugins_of_dockers_client() {
        let dir = tempfile::tempdir().unwrap();
        program(&dir.path().join("config/cli-plugins/docker-x"), 0o755);
        let programs = Programs::new(Some(""), Some(Path::new("config")), dir.path());
        let path = dir.path().join("config/cli-plugins/docker-x");
        assert_eq!(programs.plugin("x"), Some(path));
        assert_eq!(programs.plugin("../cli-plugins/docker-x"), None);
    }

    #[test]
    fn what_we_start_does_not_look_there_either() {
        let programs = Programs::new(Some("/a:.:/b"), None, Path::new("/"));
        let environment = [("PATH", ":/c:x"), (PLUGIN_MARKS[0], "1"), ("A", "b")];
        let environment = environment
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into();
        let command = programs.command_with(Path::new("/p"), &environment);
        let set: BTreeMap<_, _> = command.as_std().get_envs().collect();
        let expected = [("A", "b"), ("PATH", "/c")];
        let expected = expected.map(|(k, v)| (OsStr::new(k), Some(OsStr::new(v))));
        assert_eq!(set, expected.into());
        let command = programs.command(Path::new("/p"));
        let set: BTreeMap<_, _> = command.as_std().get_envs().collect();
        let path = (OsStr::new("PATH"), Some(OsStr::new("/a:/b")));
        let [first, second] = PLUGIN_MARKS.map(|mark| (OsStr::new(mark), None));
        assert_eq!(set, [path, first, second].into());
        // An empty `PATH` would mean the current folder again.
        let command = Programs::new(Some(".:"), None, Path::new("/")).command(Path::new("/p"));
        let set: BTreeMap<_, _> = command.as_std().get_envs().collect();
        assert_eq!(set.get(OsStr::new("PATH")), Some(&None));
    }

    #[test]
    fn fetched_programs_wait_for_a_yes() {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join(path);
        program(&at("cache/0f/run"), 0o755);
        program(&at("bin/run"), 0o755);
        std::os::unix::fs::symlink(at("cache/0f/run"), at("bin/link")).unwrap();
        let programs = Programs::default().with_fetched(Some(at("cache")));
        let clone = programs.clone();
        for path in ["cache/0f/run", "bin/link", "bin/../cache/0f/run"] {
            assert!(!programs.may_run(&at(path)), "{path}");
        }
        assert!(programs.may_run(&at("bin/run")));
        clone.agree();
        assert!(programs.may_run(&at("cache/0f/run")));
    }
}
