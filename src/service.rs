//! A service: what one kind of container of the project is to look like, and what follows from it.
//!
//! The fields are those of the canonical form (`config` prints it): long syntax everywhere,
//! paths absolute, `env_file` merged into `environment`. [`Service::spec`] is that form itself,
//! with the places in the files; hashing, diffing and printing work on it.

mod address;
pub mod build;
pub mod deploy;
pub mod develop;
pub mod health;
pub mod mount;
pub mod one_off;
pub mod port;

use crate::tree::{Node, Span};
use crate::value::bytes::Bytes;
use crate::value::duration::Duration;
use build::Build;
use deploy::{Deploy, DeviceRequest};
use develop::{Develop, Hook};
use health::Healthcheck;
use mount::{FileReference, Mount};
use port::Port;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Why one service waits for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Default)]
pub enum Condition {
    /// Only the order of starts.
    #[default]
    #[serde(rename = "service_started")]
    Started,
    /// The dependency's healthcheck has succeeded.
    #[serde(rename = "service_healthy")]
    Healthy,
    /// The dependency has ended with status 0.
    #[serde(rename = "service_completed_successfully")]
    CompletedSuccessfully,
}

impl Condition {
    /// The word in files and in the `depends_on` label.
    pub fn as_str(self) -> &'static str {
        match self {
            Condition::Started => "service_started",
            Condition::Healthy => "service_healthy",
            Condition::CompletedSuccessfully => "service_completed_successfully",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [
            Condition::Started,
            Condition::Healthy,
            Condition::CompletedSuccessfully,
        ]
        .into_iter()
        .find(|c| c.as_str() == word)
    }
}

/// One entry of `depends_on`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Dependency {
    #[serde(default)]
    pub condition: Condition,
    /// Restart this service when the dependency is restarted or recreated by a command.
    #[serde(default)]
    pub restart: bool,
    #[serde(default = "yes")]
    pub required: bool,
}

impl Default for Dependency {
    fn default() -> Self {
        Dependency {
            condition: Condition::Started,
            restart: false,
            required: true,
        }
    }
}

fn yes() -> bool {
    true
}

/// How a service joins a network (`networks.<key>`).
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Attachment {
    pub aliases: Vec<String>,
    pub driver_opts: BTreeMap<String, String>,
    pub gw_priority: i64,
    pub interface_name: Option<String>,
    pub ipv4_address: Option<String>,
    pub ipv6_address: Option<String>,
    pub link_local_ips: Vec<String>,
    pub mac_address: Option<String>,
    pub priority: i64,
}

/// A limit of `ulimits`: one number for both, or two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(from = "UlimitForm")]
pub struct Ulimit {
    pub soft: i64,
    pub hard: i64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum UlimitForm {
    Single(i64),
    Pair {
        #[serde(default)]
        soft: i64,
        #[serde(default)]
        hard: i64,
    },
}

impl From<UlimitForm> for Ulimit {
    fn from(form: UlimitForm) -> Self {
        match form {
            UlimitForm::Single(n) => Ulimit { soft: n, hard: n },
            UlimitForm::Pair { soft, hard } => Ulimit { soft, hard },
        }
    }
}

/// `logging`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Logging {
    pub driver: Option<String>,
    pub options: BTreeMap<String, String>,
}

/// One entry of `devices`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Device {
    pub source: String,
    pub target: Option<String>,
    pub permissions: Option<String>,
}

/// `blkio_config`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct BlkioConfig {
    pub weight: u16,
    pub weight_device: Vec<WeightDevice>,
    pub device_read_bps: Vec<ThrottleDevice>,
    pub device_read_iops: Vec<ThrottleDevice>,
    pub device_write_bps: Vec<ThrottleDevice>,
    pub device_write_iops: Vec<ThrottleDevice>,
}

/// The weight of one device; the canonical form writes these keys with capitals, as Compose does.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct WeightDevice {
    #[serde(alias = "Path")]
    pub path: String,
    #[serde(alias = "Weight", default)]
    pub weight: u16,
}

/// The rate limit of one device.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ThrottleDevice {
    #[serde(alias = "Path")]
    pub path: String,
    #[serde(alias = "Rate", default)]
    pub rate: Bytes,
}

/// One entry of `models`: the variables that tell the service of a model.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct ModelNames {
    pub endpoint_var: Option<String>,
    pub model_var: Option<String>,
}

/// `provider`: something else than a container does the service's work.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Provider {
    #[serde(rename = "type")]
    pub kind: String,
    /// Flags for its program; a list is a flag given several times.
    #[serde(default)]
    pub options: BTreeMap<String, Vec<String>>,
}

/// A service in its canonical form. Unset means that the engine's or the image's default applies.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Service {
    /// The key under `services`.
    #[serde(skip)]
    pub name: String,
    /// The canonical form with the places in the files (what is hashed, diffed and printed).
    #[serde(skip)]
    pub spec: Node,
    /// Where the service's key stands.
    #[serde(skip)]
    pub span: Span,

    pub annotations: BTreeMap<String, String>,
    pub attach: Option<bool>,
    pub blkio_config: Option<BlkioConfig>,
    pub build: Option<Build>,
    pub cap_add: Vec<String>,
    pub cap_drop: Vec<String>,
    pub cgroup: Option<String>,
    pub cgroup_parent: Option<String>,
    /// `None` inherits the image's, an empty list clears it.
    pub command: Option<Vec<String>>,
    pub configs: Vec<FileReference>,
    pub container_name: Option<String>,
    pub cpu_count: i64,
    pub cpu_percent: f64,
    pub cpu_period: i64,
    pub cpu_quota: i64,
    pub cpu_rt_period: i64,
    pub cpu_rt_runtime: i64,
    pub cpu_shares: i64,
    pub cpus: f64,
    pub cpuset: Option<String>,
    pub depends_on: BTreeMap<String, Dependency>,
    pub deploy: Option<Deploy>,
    pub develop: Option<Develop>,
    pub device_cgroup_rules: Vec<String>,
    pub devices: Vec<Device>,
    pub dns: Vec<String>,
    pub dns_opt: Vec<String>,
    pub dns_search: Vec<String>,
    pub domainname: Option<String>,
    pub entrypoint: Option<Vec<String>>,
    /// `None` as a value: the key alone is sent, which removes it from the image's environment.
    pub environment: BTreeMap<String, Option<String>>,
    pub expose: Vec<String>,
    pub external_links: Vec<String>,
    /// `host=address` each, several addresses of a host are several entries.
    pub extra_hosts: Vec<String>,
    pub gpus: Vec<DeviceRequest>,
    pub group_add: Vec<String>,
    pub healthcheck: Option<Healthcheck>,
    pub hostname: Option<String>,
    pub image: Option<String>,
    pub init: Option<bool>,
    pub ipc: Option<String>,
    pub isolation: Option<String>,
    pub labels: BTreeMap<String, String>,
    pub links: Vec<String>,
    pub logging: Option<Logging>,
    pub mac_address: Option<String>,
    pub mem_limit: Option<Bytes>,
    pub mem_reservation: Option<Bytes>,
    pub mem_swappiness: Option<Bytes>,
    pub memswap_limit: Option<Bytes>,
    pub models: BTreeMap<String, Option<ModelNames>>,
    pub network_mode: Option<String>,
    pub networks: BTreeMap<String, Option<Attachment>>,
    pub oom_kill_disable: bool,
    pub oom_score_adj: i64,
    pub pid: Option<String>,
    pub pids_limit: i64,
    pub platform: Option<String>,
    pub ports: Vec<Port>,
    pub post_start: Vec<Hook>,
    pub pre_start: Vec<Hook>,
    pub pre_stop: Vec<Hook>,
    pub privileged: bool,
    pub profiles: Vec<String>,
    pub provider: Option<Provider>,
    pub pull_policy: Option<String>,
    pub read_only: bool,
    pub restart: Option<String>,
    pub runtime: Option<String>,
    pub scale: Option<u32>,
    pub secrets: Vec<FileReference>,
    pub security_opt: Vec<String>,
    pub shm_size: Option<Bytes>,
    pub stdin_open: bool,
    pub stop_grace_period: Option<Duration>,
    pub stop_signal: Option<String>,
    pub storage_opt: BTreeMap<String, String>,
    pub sysctls: BTreeMap<String, String>,
    pub tmpfs: Vec<String>,
    pub tty: bool,
    pub ulimits: BTreeMap<String, Ulimit>,
    pub use_api_socket: bool,
    pub user: Option<String>,
    pub userns_mode: Option<String>,
    pub uts: Option<String>,
    pub volumes: Vec<Mount>,
    pub volumes_from: Vec<String>,
    pub working_dir: Option<String>,
}

impl Service {
    /// How many containers the file asks for (`scale`, else `deploy.replicas`, else 1).
    pub fn replicas(&self) -> u32 {
        self.scale
            .or_else(|| self.deploy.as_ref().and_then(|d| d.replicas))
            .unwrap_or(1)
    }

    /// Networks in the order they are attached: highest `priority` first, ties by key.
    /// The first is the container's network mode.
    pub fn networks_by_priority(&self) -> Vec<(&str, Option<&Attachment>)> {
        let mut networks: Vec<_> = self
            .networks
            .iter()
            .map(|(key, attachment)| (key.as_str(), attachment.as_ref()))
            .collect();
        networks.sort_by_key(|(key, a)| (-a.map_or(0, |a| a.priority), key.to_string()));
        networks
    }

    /// The path in the project of what says how its containers are called.
    pub fn place_of_container_name(&self) -> String {
        match self.container_name {
            Some(_) => format!("services.{}.container_name", self.name),
            None => format!("services.{}", self.name),
        }
    }

    /// Keys of the named volumes that this service mounts.
    pub fn volume_keys(&self) -> impl Iterator<Item = &str> {
        self.volumes.iter().filter_map(Mount::volume_key)
    }

    /// The attributes that can make a service share namespaces.
    pub const NAMESPACES: [&str; 5] = ["network_mode", "ipc", "pid", "uts", "cgroup"];

    /// The services that own namespaces which this one shares (`service:x`): it cannot run without the very
    /// container that it was made with.
    pub fn lives_in(&self) -> impl Iterator<Item = &str> {
        let modes = [
            &self.network_mode,
            &self.ipc,
            &self.pid,
            &self.uts,
            &self.cgroup,
        ];
        modes
            .into_iter()
            .filter_map(|mode| mode.as_deref()?.strip_prefix("service:"))
    }

    /// The network of the engine that `network_mode` names, which is none of the engine's own modes
    /// and no container's namespace.
    pub fn mode_network(&self) -> Option<&str> {
        let mode = self.network_mode.as_deref().unwrap_or_default();
        let own = [
            "",
            "default",
            "bridge",
            "host",
            "none",
            "disabled",
            "nat",
            "private",
            "pasta",
            "slirp4netns",
        ];
        (!own.contains(&mode) && !mode.contains(':')).then_some(mode)
    }

    /// The service whose namespace or volumes this one shares, for each such reference
    /// (`network_mode`, `ipc`, `pid`, `uts`, `cgroup`: `service:x`; `volumes_from: x`).
    pub fn shared_with(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.lives_in().collect();
        names.extend(
            self.volumes_from
                .iter()
                .filter(|v| !v.starts_with("container:"))
                .map(|v| v.split(':').next().unwrap_or(v)),
        );
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The services that `links` names.
    pub fn linked_to(&self) -> impl Iterator<Item = &str> {
        self.links
            .iter()
            .map(|link| link.split(':').next().unwrap_or(link))
    }

    /// Whether a start hands out a host port from a range, which the engine does not do
    /// atomically: such starts go one at a time.
    pub fn publishes_range(&self) -> bool {
        self.ports.iter().any(Port::is_range)
    }

    /// Whether `logs` and an attached `up` show this service unasked (`attach: false` hides it).
    pub fn is_attached(&self) -> bool {
        self.attach.unwrap_or(true)
    }
}
