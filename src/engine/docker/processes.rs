//! The processes of an engine on this machine, seen with our own eyes: what `/proc` tells of the
//! main process of a container. An engine under load tells of an end late; the kernel does not.

use crate::engine::{ContainerDetails, Life};
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The processes that open an engine's socket on its own machine: the engine, or systemd for it. Others
/// (a tunnel, the front of a virtual machine) pass on to processes that we cannot see.
const LISTENERS: [&str; 3] = ["dockerd", "podman", "systemd"];

/// The kernel's flag of a process that has begun to end (`PF_EXITING`).
const EXITING: u32 = 4;

pub struct Processes {
    root: PathBuf,
    /// A process of a container was seen: what is no longer there has ended.
    has_seen: AtomicBool,
}

/// A process that has not begun to end.
struct Process {
    /// It wants to run; else it waits for something.
    is_busy: bool,
    /// It is the container's own program by now, not what prepares for it.
    is_made: bool,
}

impl Process {
    /// From the text of its `stat`.
    fn of(stat: &str) -> Option<Self> {
        // The name may hold anything, brackets too.
        let (before, rest) = stat.rsplit_once(')')?;
        let (_, name) = before.split_once('(')?;
        let mut fields = rest.split_whitespace();
        let state = fields.next()?;
        let flags = fields.nth(5).and_then(|f| f.parse::<u32>().ok());
        let ends = matches!(state, "Z" | "X" | "x") || flags.is_some_and(|f| f & EXITING != 0);
        (!ends).then(|| Process {
            is_busy: state == "R",
            is_made: !name.starts_with("runc:["),
        })
    }
}

impl Default for Processes {
    fn default() -> Self {
        Processes {
            root: PathBuf::from("/proc"),
            has_seen: AtomicBool::new(false),
        }
    }
}

impl Processes {
    /// `listener` is the process that opened the engine's socket.
    pub fn life(&self, container: &ContainerDetails, listener: Option<u32>) -> Life {
        if container.pid == 0 {
            return Life::Unseen;
        }
        // In this order: what ends between the two is seen to end.
        let groups = self.read(container.pid, "cgroup").unwrap_or_default();
        let stat = self.read(container.pid, "stat");
        let process = stat.as_deref().and_then(Process::of);
        // Engines name a control group by the container's id. Without that it may be anybody's: a
        // number given again, or one of another machine.
        let is_its_own = !container.id.is_empty() && groups.contains(&container.id);
        if is_its_own {
            self.has_seen.store(true, Ordering::Relaxed);
        }
        let counts_as_we_do = || {
            self.has_seen.load(Ordering::Relaxed) || listener.is_some_and(|pid| self.is_engine(pid))
        };
        match (process, is_its_own) {
            (Some(Process { is_made: false, .. }), true) => Life::Unborn,
            (Some(Process { is_busy, .. }), true) => Life::Alive {
                is_busy,
                waited: self.waited(container.pid),
            },
            (Some(_), false) => Life::Unseen,
            // One that ends may have left its groups already.
            (None, _) if counts_as_we_do() => Life::Gone,
            (None, _) => Life::Unseen,
        }
    }

    /// How long it had to wait for a processor, as far as the kernel counts that.
    fn waited(&self, pid: u32) -> Duration {
        let times = self.read(pid, "schedstat").unwrap_or_default();
        let waited = times.split_whitespace().nth(1);
        Duration::from_nanos(waited.and_then(|ns| ns.parse().ok()).unwrap_or_default())
    }

    /// Whether the process is an engine that counts processes as we do.
    pub fn is_engine(&self, pid: u32) -> bool {
        let name = self.read(pid, "comm").unwrap_or_default();
        let status = self.read(pid, "status").unwrap_or_default();
        // One number for each nested namespace that it lives in.
        let numbers = status.lines().find_map(|l| l.strip_prefix("NSpid:"));
        LISTENERS.contains(&name.trim())
            && numbers.is_some_and(|n| n.split_whitespace().count() == 1)
    }

    fn read(&self, pid: u32, file: &str) -> Option<String> {
        let path = self.root.join(pid.to_string()).join(file);
        match fs::read(&path) {
            Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) => {
                if error.kind() != ErrorKind::NotFound {
                    tracing::debug!(path = %path.display(), %error, "a process cannot be read");
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIVES: &str = "S 1 7 7 0 -1 4194560";

    /// A `/proc` with process 7 (of container `c1`, in this state) and 9, an engine's.
    fn root(stat: &str, engine: &str, numbers: &str) -> (tempfile::TempDir, Processes) {
        let folder = tempfile::tempdir().unwrap();
        let write = |pid: u32, file: &str, text: String| {
            let path = folder.path().join(pid.to_string());
            fs::create_dir_all(&path).unwrap();
            fs::write(path.join(file), text).unwrap();
        };
        let groups = match stat.ends_with("left") {
            true => "0::/\n",
            false => "0::/system.slice/docker-c1.scope\n",
        };
        write(7, "cgroup", groups.into());
        write(7, "stat", format!("7 (a) Z b) {stat} 0"));
        write(9, "comm", format!("{engine}\n"));
        write(9, "status", format!("Name:\tx\nNSpid:\t{numbers}\n"));
        let processes = Processes {
            root: folder.path().to_owned(),
            ..Processes::default()
        };
        (folder, processes)
    }

    fn container(id: &str, pid: u32) -> ContainerDetails {
        ContainerDetails {
            id: id.into(),
            pid,
            ..ContainerDetails::default()
        }
    }

    #[test]
    fn a_process_tells_of_its_life() {
        for (stat, id, pid, engine, numbers, lives) in [
            (LIVES, "c1", 7, "x", "9", Some(true)),
            ("Z 1 7 7 0 -1 4194308", "c1", 7, "x", "9", Some(false)),
            ("S 1 7 7 0 -1 4194308", "c1", 7, "x", "9", Some(false)),
            (
                "S 1 7 7 0 -1 4194308 left",
                "c1",
                7,
                "dockerd",
                "9",
                Some(false),
            ),
            ("Z 1 7 7 0 -1 4194308 left", "c1", 7, "x", "9", None),
            // There is no such process: that says something only where we count as the engine.
            (LIVES, "c1", 8, "dockerd", "9", Some(false)),
            (LIVES, "c1", 8, "systemd", "9", Some(false)),
            (LIVES, "c1", 8, "dockerd", "9 1", None),
            (LIVES, "c1", 8, "socat", "9", None),
            // The number is somebody else's.
            (LIVES, "c2", 7, "socat", "9", None),
            (LIVES, "c2", 7, "dockerd", "9", None),
            (LIVES, "c1", 0, "dockerd", "9", None),
        ] {
            let (_folder, processes) = root(stat, engine, numbers);
            let found = match processes.life(&container(id, pid), Some(9)) {
                Life::Alive { .. } | Life::Unborn => Some(true),
                Life::Gone => Some(false),
                Life::Unseen => None,
            };
            assert_eq!(found, lives, "{stat} {id} {pid} {engine} {numbers}");
        }
    }

    #[test]
    fn who_is_busy_and_who_has_not_begun() {
        let waited = Duration::from_secs(3);
        let alive = |is_busy| Life::Alive { is_busy, waited };
        for (stat, name, life) in [
            ("S 1 7 7 0 -1 0", "sleep", alive(false)),
            ("R 1 7 7 0 -1 0", "sleep", alive(true)),
            ("S 1 7 7 0 -1 0", "runc:[2:INIT]", Life::Unborn),
        ] {
            let (folder, processes) = root(stat, "x", "9");
            let seven = folder.path().join("7");
            fs::write(seven.join("stat"), format!("7 ({name}) {stat} 0")).unwrap();
            fs::write(seven.join("schedstat"), "1 3000000000 4\n").unwrap();
            let found = processes.life(&container("c1", 7), None);
            assert_eq!(found, life, "{stat} {name}");
        }
    }

    #[test]
    fn whoever_was_seen_and_is_not_there_has_ended() {
        let (folder, processes) = root(LIVES, "socat", "9");
        let container = container("c1", 7);
        assert!(matches!(
            processes.life(&container, None),
            Life::Alive { .. }
        ));
        fs::remove_dir_all(folder.path().join("7")).unwrap();
        assert_eq!(processes.life(&container, None), Life::Gone);
    }
}
