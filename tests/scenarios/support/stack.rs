//! A project of its own name in a directory of its own, gone when the scenario ends.

use super::api::{Container, Engine};
use super::eventually::eventually;
use super::run::{Output, Program, read, scratch, under_test};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::atomic::{AtomicU32, Ordering};

pub struct Stack {
    /// The project's name, unique on this machine.
    pub name: String,
    pub engine: Engine,
    directory: tempfile::TempDir,
}

/// A command that still runs, e.g. `logs -f`. Killed when dropped.
pub struct Running {
    child: Child,
    stdout: File,
    stderr: File,
}

impl Stack {
    /// Writes `compose.yaml` into a new directory.
    pub fn new(topic: &str, compose: &str) -> Stack {
        Stack::on(Engine::here(), topic, compose)
    }

    pub fn on(engine: Engine, topic: &str, compose: &str) -> Stack {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("rt-{topic}-{}-{count}", std::process::id());
        let directory = tempfile::Builder::new()
            .prefix("regatta-")
            .tempdir()
            .expect("a directory");
        let stack = Stack {
            name,
            engine,
            directory,
        };
        stack.write("compose.yaml", compose);
        stack
    }

    /// A copy of `examples/compose/NAME`.
    pub fn example(name: &str) -> Stack {
        let stack = Stack::new(name, "");
        let from = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("examples/compose")
            .join(name);
        copy(&from, stack.path());
        stack
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file of the project.
    pub fn write(&self, file: &str, text: &str) -> PathBuf {
        let path = self.path().join(file);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        std::fs::write(&path, text).expect("a file");
        path
    }

    /// Replaces one piece of text by another in `compose.yaml`.
    #[track_caller]
    pub fn edit(&self, from: &str, to: &str) {
        let path = self.path().join("compose.yaml");
        let text = std::fs::read_to_string(&path).expect("a file");
        assert!(text.contains(from), "compose.yaml has no {from:?}");
        std::fs::write(path, text.replace(from, to)).expect("a file");
    }

    /// The program under test with the project's name and engine, and these words split at blanks.
    pub fn command(&self, words: &str) -> Program {
        Program::new(&under_test(), self.path())
            .env("DOCKER_HOST", &self.engine.host())
            .args(["-p", &self.name])
            .args(words.split_whitespace())
    }

    #[must_use = "how it ended matters"]
    #[track_caller]
    pub fn run(&self, words: &str) -> Output {
        self.command(words).run()
    }

    /// `up -d` with these words, which must work.
    #[track_caller]
    pub fn up(&self, words: &str) -> Output {
        self.run(&format!("up -d {words}")).success()
    }

    /// `plan` must end with this code: 0 where nothing would change, 2 where something would.
    /// Docker Compose has no such command, so that another program under test is not asked.
    #[track_caller]
    pub fn plans(&self, code: i32) {
        if std::env::var_os("REGATTA_SCENARIO_PROGRAM").is_none() {
            self.run("plan").code(code);
        }
    }

    /// Runs a shell line in a service's first replica; gives its output, trimmed. It must work.
    #[track_caller]
    pub fn shell(&self, service: &str, line: &str) -> String {
        self.exec(service, line).success().stdout.trim().to_owned()
    }

    #[must_use = "how it ended matters"]
    #[track_caller]
    pub fn exec(&self, service: &str, line: &str) -> Output {
        self.command(&format!("exec -T {service} sh -c"))
            .args([line])
            .run()
    }

    pub fn start(&self, words: &str) -> Running {
        Running::of(self.command(words))
    }

    /// The same, while nobody answers what it asks.
    pub fn start_unanswered(&self, words: &str) -> Running {
        Running::of(self.command(words).open_input())
    }

    pub fn containers(&self) -> Vec<Container> {
        self.engine.containers(&self.name)
    }

    /// The containers of one service.
    pub fn of(&self, service: &str) -> Vec<Container> {
        self.containers()
            .into_iter()
            .filter(|c| c.service == service)
            .collect()
    }

    /// The one container of a service.
    #[track_caller]
    pub fn one(&self, service: &str) -> Container {
        let mut found = self.of(service);
        assert_eq!(found.len(), 1, "containers of {service}: {found:?}");
        found.remove(0)
    }

    /// The numbers of a service's replicas.
    pub fn numbers(&self, service: &str) -> Vec<u32> {
        self.of(service).iter().map(|c| c.number).collect()
    }

    /// The ids of a service's replicas, by number.
    pub fn ids(&self, service: &str) -> Vec<String> {
        self.of(service).into_iter().map(|c| c.id).collect()
    }

    /// Waits until the service's one container is in the state.
    #[track_caller]
    pub fn reaches(&self, service: &str, state: &str) -> Container {
        eventually(&format!("{service} is {state}"), || {
            self.of(service).into_iter().find(|c| c.state == state)
        })
    }

    /// The host's port that a container port of the service's first replica is published on.
    #[track_caller]
    pub fn port(&self, service: &str, private: &str) -> u16 {
        let details = self.engine.inspect(&self.of(service)[0].id);
        let port = details["NetworkSettings"]["Ports"][private][0]["HostPort"].as_str();
        port.and_then(|p| p.parse().ok())
            .unwrap_or_else(|| panic!("{service} publishes no {private}"))
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.engine.sweep(&self.name);
    }
}

impl Running {
    pub fn of(mut program: Program) -> Running {
        let (stdout, stderr) = (scratch(), scratch());
        let child = program.spawn(&stdout, &stderr);
        Running {
            child,
            stdout,
            stderr,
        }
    }

    /// What it wrote to stdout so far.
    pub fn stdout(&mut self) -> String {
        read(&mut self.stdout)
    }

    /// What it wrote to stderr so far.
    pub fn stderr(&mut self) -> String {
        read(&mut self.stderr)
    }

    /// Sends it a signal: `INT`, `TERM`.
    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = std::process::Command::new("kill")
            .args([&format!("-{signal}"), &pid])
            .stderr(std::process::Stdio::null())
            .status();
        assert!(sent.is_ok(), "kill is there");
    }

    /// Whether it has ended, and how.
    pub fn ended(&mut self) -> Option<std::process::ExitStatus> {
        self.child.try_wait().expect("a child to wait for")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("the example") {
        let entry = entry.expect("a file of the example");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir_all(&target).expect("a directory");
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
