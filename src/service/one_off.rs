//! A one-off: a container of `run`, which is no replica, and how it differs from its service.

use super::Service;
use super::mount::Mount;
use super::port::Port;
use std::collections::BTreeMap;

/// How many digits of the slug are in a name.
const SHORT_SLUG: usize = 12;

/// The container that a `run` adds to its project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneOff {
    pub service: String,
    pub name: String,
    /// 64 hexadecimal digits, which no other one has.
    pub slug: String,
    /// It answers to the service's name on its networks, too.
    pub use_aliases: bool,
    /// Its ports are those of the command line, not the service's.
    pub publishes: bool,
    /// The engine removes it when it ends.
    pub auto_remove: bool,
    /// Its input is open, until the first client that is attached leaves.
    pub stdin: bool,
    /// Rows and columns that its terminal begins with.
    pub size: Option<(u16, u16)>,
}

impl OneOff {
    /// The name of one that is given none.
    pub fn default_name(project: &str, service: &str, separator: char, slug: &str) -> String {
        let short = slug.get(..SHORT_SLUG).unwrap_or(slug);
        format!("{project}{separator}{service}{separator}run{separator}{short}")
    }
}

/// What a command line changes of the service, for one container.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// Empty leaves the service's own, unless there is an entrypoint.
    pub command: Vec<String>,
    pub entrypoint: Option<Vec<String>>,
    pub environment: BTreeMap<String, String>,
    pub user: Option<String>,
    pub working_dir: Option<String>,
    pub cap_add: Vec<String>,
    pub cap_drop: Vec<String>,
    pub labels: BTreeMap<String, String>,
    /// `None` leaves the service's own.
    pub ports: Option<Vec<Port>>,
    /// Each takes the place of one at the same path.
    pub mounts: Vec<Mount>,
    pub tty: bool,
    pub stdin: bool,
}

impl Service {
    /// Makes it what its one-off is to be: never restarted, without the name of its own that a
    /// replica has, and with the changes.
    pub fn turn_into_one_off(&mut self, changes: Changes) {
        let Changes {
            command,
            entrypoint,
            environment,
            user,
            working_dir,
            cap_add,
            cap_drop,
            labels,
            ports,
            mounts,
            tty,
            stdin,
        } = changes;
        self.container_name = None;
        self.restart = None;
        if let Some(deploy) = &mut self.deploy {
            deploy.restart_policy = None;
        }
        self.tty = tty;
        self.stdin_open = stdin;
        if !command.is_empty() {
            self.command = Some(command);
        } else if entrypoint.is_some() {
            self.command = Some(Vec::new());
        }
        self.entrypoint = entrypoint.or(self.entrypoint.take());
        for (name, value) in environment {
            self.environment.insert(name, Some(value));
        }
        self.user = user.or(self.user.take());
        self.working_dir = working_dir.or(self.working_dir.take());
        self.cap_drop.retain(|cap| !cap_add.contains(cap));
        self.cap_add.extend(cap_add);
        self.cap_add.retain(|cap| !cap_drop.contains(cap));
        self.cap_drop.extend(cap_drop);
        self.labels.extend(labels);
        self.ports = ports.unwrap_or(std::mem::take(&mut self.ports));
        for mount in mounts {
            self.volumes.retain(|other| other.target != mount.target);
            self.volumes.push(mount);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(all: &[&str]) -> Vec<String> {
        all.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn an_entrypoint_clears_the_command_unless_one_is_given() {
        for (command, entrypoint, expected) in [
            (&[][..], None, Some(words(&["serve"]))),
            (&["sh"][..], None, Some(words(&["sh"]))),
            (&[], Some(words(&["echo"])), Some(words(&[]))),
            (&["x"], Some(words(&["echo"])), Some(words(&["x"]))),
        ] {
            let mut service = Service {
                command: Some(words(&["serve"])),
                ..Service::default()
            };
            service.turn_into_one_off(Changes {
                command: words(command),
                entrypoint: entrypoint.clone(),
                ..Changes::default()
            });
            assert_eq!(service.command, expected);
            assert_eq!(service.entrypoint, entrypoint);
        }
    }

    #[test]
    fn capabilities_leave_the_other_list_and_mounts_the_same_path() {
        let mount = |source: &str, target: &str| Mount {
            source: Some(source.into()),
            target: target.into(),
            ..Mount::default()
        };
        let mut service = Service {
            cap_add: words(&["A", "B"]),
            cap_drop: words(&["C"]),
            restart: Some("always".into()),
            container_name: Some("fixed".into()),
            volumes: vec![mount("a", "/a"), mount("b", "/b")],
            ports: vec![Port::default()],
            ..Service::default()
        };
        service.turn_into_one_off(Changes {
            cap_add: words(&["C"]),
            cap_drop: words(&["A"]),
            mounts: vec![mount("c", "/a")],
            ports: Some(Vec::new()),
            ..Changes::default()
        });
        assert_eq!(service.cap_add, ["B", "C"]);
        assert_eq!(service.cap_drop, ["A"]);
        assert_eq!((service.restart, service.container_name), (None, None));
        assert_eq!(service.volumes, [mount("b", "/b"), mount("c", "/a")]);
        assert!(service.ports.is_empty());
    }

    #[test]
    fn the_name_has_the_beginning_of_the_slug() {
        let slug = "0123456789abcdef".repeat(4);
        let name = OneOff::default_name("shop", "web", '-', &slug);
        assert_eq!(name, "shop-web-run-0123456789ab");
    }
}
