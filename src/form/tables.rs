//! The tables: every object of the model, its attributes in the order of output and hash.
//!
//! A new attribute of the specification is a line here and a line in the schema
//! (`load/schema/tables.rs`), plus one in the merge and path tables where it needs it.

use super::Kind::*;
use super::{Field, Form, Kind};

const fn f(name: &'static str, kind: Kind) -> Field {
    Field::new(name, kind)
}

/// The whole project.
pub static PROJECT: Form = Form {
    extensions: true,
    fields: &[
        f("name", Str),
        f("services", ObjectMap(&SERVICE)).always(),
        f("networks", ObjectMap(&NETWORK)),
        f("volumes", ObjectMap(&VOLUME)),
        f("secrets", ObjectMap(&FILE_OBJECT)),
        f("configs", ObjectMap(&FILE_OBJECT)),
        f("models", ObjectMap(&MODEL)),
    ],
};

/// `services.<name>`.
pub static SERVICE: Form = Form {
    extensions: true,
    fields: &[
        f("profiles", Strings),
        f("annotations", Labels),
        f("attach", OptBool),
        f("build", Object(&BUILD)),
        f("develop", Object(&DEVELOP)),
        f("blkio_config", Object(&BLKIO)),
        f("cap_add", Strings),
        f("cap_drop", Strings),
        f("cgroup_parent", Str),
        f("cgroup", Str),
        f("cpu_count", Int),
        f("cpu_percent", Float),
        f("cpu_period", Int),
        f("cpu_quota", Int),
        f("cpu_rt_period", Int),
        f("cpu_rt_runtime", Int),
        f("cpus", Float),
        f("cpuset", Str),
        f("cpu_shares", Int),
        f("command", Command).in_json(),
        f("configs", Objects(&FILE_REFERENCE)),
        f("container_name", Str),
        f("credential_spec", Object(&CREDENTIAL_SPEC)),
        f("depends_on", ObjectMap(&DEPENDENCY)),
        f("deploy", Object(&DEPLOY)),
        f("device_cgroup_rules", Strings),
        f("devices", Objects(&DEVICE)),
        f("dns", StringList),
        f("dns_opt", Strings),
        f("dns_search", StringList),
        f("dockerfile", Str),
        f("domainname", Str),
        f("entrypoint", Command).in_json(),
        f("provider", Object(&PROVIDER)),
        f("environment", Environment),
        f("env_file", Objects(&ENV_FILE)),
        f("expose", Loose),
        f("extends", Object(&EXTENDS)),
        f("external_links", Strings),
        f("extra_hosts", Hosts),
        f("group_add", Strings),
        f("gpus", Objects(&DEVICE_REQUEST)),
        f("hostname", Str),
        f("healthcheck", Object(&HEALTHCHECK)),
        f("image", Str),
        f("init", OptBool),
        f("ipc", Str),
        f("isolation", Str),
        f("labels", Labels),
        f("label_file", Strings),
        f("links", Strings),
        f("logging", Object(&LOGGING)),
        f("log_driver", Str),
        f("log_opt", Options),
        f("mem_limit", Bytes),
        f("mem_reservation", Bytes),
        f("memswap_limit", Bytes),
        f("mem_swappiness", Bytes),
        f("mac_address", Str),
        f("models", ObjectMap(&SERVICE_MODEL)),
        f("net", Str),
        f("network_mode", Str),
        f("networks", ObjectMap(&ATTACHMENT)),
        f("oom_kill_disable", Bool),
        f("oom_score_adj", Int),
        f("pid", Str),
        f("pids_limit", Int),
        f("platform", Str),
        f("ports", Objects(&PORT)),
        f("privileged", Bool),
        f("pull_policy", Str),
        f("read_only", Bool),
        f("restart", Str),
        f("runtime", Str),
        f("scale", OptInt),
        f("secrets", Objects(&FILE_REFERENCE)),
        f("security_opt", Strings),
        f("shm_size", Bytes),
        f("stdin_open", Bool),
        f("stop_grace_period", OptDuration),
        f("stop_signal", Str),
        f("storage_opt", Texts),
        f("sysctls", Labels),
        f("tmpfs", StringList),
        f("tty", Bool),
        f("ulimits", Ulimits),
        f("use_api_socket", Bool),
        f("user", Str),
        f("userns_mode", Str),
        f("uts", Str),
        f("volume_driver", Str),
        f("volumes", Objects(&MOUNT)),
        f("volumes_from", Strings),
        f("working_dir", Str),
        f("pre_start", Objects(&HOOK)),
        f("post_start", Objects(&HOOK)),
        f("pre_stop", Objects(&HOOK)),
    ],
};

pub static BUILD: Form = Form {
    extensions: true,
    fields: &[
        f("context", Str),
        f("dockerfile", Str),
        f("dockerfile_inline", Str),
        f("entitlements", Strings),
        f("args", Environment),
        f("provenance", Str),
        f("sbom", Str),
        f("ssh", Ssh),
        f("labels", Labels),
        f("cache_from", StringList),
        f("cache_to", StringList),
        f("no_cache", Bool),
        f("no_cache_filter", StringList),
        f("additional_contexts", Labels),
        f("pull", Bool),
        f("extra_hosts", Hosts),
        f("isolation", Str),
        f("network", Str),
        f("target", Str),
        f("secrets", Objects(&FILE_REFERENCE)),
        f("shm_size", Bytes),
        f("tags", StringList),
        f("ulimits", Ulimits),
        f("platforms", StringList),
        f("privileged", Bool),
    ],
};

pub static DEVELOP: Form = Form {
    extensions: true,
    fields: &[f("watch", Objects(&WATCH))],
};

pub static WATCH: Form = Form {
    extensions: true,
    fields: &[
        f("path", Str).always(),
        f("action", Str).always(),
        f("target", Str),
        f("exec", Struct(&HOOK)),
        f("include", Strings),
        f("ignore", Strings),
        f("initial_sync", Bool),
    ],
};

pub static HOOK: Form = Form {
    extensions: true,
    fields: &[
        f("command", Command).in_json(),
        f("image", Str),
        f("user", Str),
        f("privileged", Bool),
        f("working_dir", Str),
        f("environment", Environment),
        f("per_replica", Bool),
    ],
};

pub static BLKIO: Form = Form {
    extensions: true,
    fields: &[
        f("weight", Weight),
        f("weight_device", Objects(&WEIGHT_DEVICE)),
        f("device_read_bps", Objects(&THROTTLE_DEVICE)),
        f("device_read_iops", Objects(&THROTTLE_DEVICE)),
        f("device_write_bps", Objects(&THROTTLE_DEVICE)),
        f("device_write_iops", Objects(&THROTTLE_DEVICE)),
    ],
};

pub static WEIGHT_DEVICE: Form = Form {
    extensions: true,
    fields: &[
        f("path", Str).json("Path").always(),
        f("weight", Weight).json("Weight").always(),
    ],
};

pub static THROTTLE_DEVICE: Form = Form {
    extensions: true,
    fields: &[
        f("path", Str).json("Path").always(),
        f("rate", Bytes).json("Rate").always(),
    ],
};

pub static CREDENTIAL_SPEC: Form = Form {
    extensions: true,
    fields: &[f("config", Str), f("file", Str), f("registry", Str)],
};

pub static DEPENDENCY: Form = Form {
    extensions: true,
    fields: &[
        f("condition", Str),
        f("restart", Bool),
        f("required", Bool).always(),
    ],
};

pub static DEPLOY: Form = Form {
    extensions: true,
    fields: &[
        f("mode", Str),
        f("replicas", OptInt),
        f("labels", Labels),
        f("update_config", Object(&UPDATE)),
        f("rollback_config", Object(&UPDATE)),
        f("resources", Struct(&RESOURCES)),
        f("restart_policy", Object(&RESTART_POLICY)),
        f("placement", Struct(&PLACEMENT)),
        f("endpoint_mode", Str),
    ],
};

pub static UPDATE: Form = Form {
    extensions: true,
    fields: &[
        f("parallelism", OptUint),
        f("delay", Duration),
        f("failure_action", Str),
        f("monitor", Duration),
        f("max_failure_ratio", Float),
        f("order", Str),
    ],
};

pub static RESOURCES: Form = Form {
    extensions: true,
    fields: &[
        f("limits", Object(&RESOURCE)),
        f("reservations", Object(&RESOURCE)),
    ],
};

pub static RESOURCE: Form = Form {
    extensions: true,
    fields: &[
        f("cpus", Float),
        f("memory", Bytes),
        f("pids", Int),
        f("devices", Objects(&DEVICE_REQUEST)),
        f("generic_resources", Objects(&GENERIC_RESOURCE)),
    ],
};

pub static GENERIC_RESOURCE: Form = Form {
    extensions: true,
    fields: &[f("discrete_resource_spec", Object(&DISCRETE_RESOURCE))],
};

pub static DISCRETE_RESOURCE: Form = Form {
    extensions: true,
    fields: &[f("kind", Str).always(), f("value", Int).always()],
};

pub static RESTART_POLICY: Form = Form {
    extensions: true,
    fields: &[
        f("condition", Str),
        f("delay", OptDuration),
        f("max_attempts", OptUint),
        f("window", OptDuration),
    ],
};

pub static PLACEMENT: Form = Form {
    extensions: true,
    fields: &[
        f("constraints", Strings),
        f("preferences", Objects(&PREFERENCE)),
        f("max_replicas_per_node", Uint),
    ],
};

pub static PREFERENCE: Form = Form {
    extensions: true,
    fields: &[f("spread", Str)],
};

pub static DEVICE_REQUEST: Form = Form {
    extensions: false,
    fields: &[
        f("capabilities", Strings),
        f("driver", Str),
        f("count", Count),
        f("device_ids", Strings),
        f("options", Labels),
    ],
};

pub static DEVICE: Form = Form {
    extensions: true,
    fields: &[f("source", Str), f("target", Str), f("permissions", Str)],
};

pub static PROVIDER: Form = Form {
    extensions: true,
    fields: &[f("type", Str), f("options", MultiOptions)],
};

pub static ENV_FILE: Form = Form {
    extensions: false,
    fields: &[f("path", Str), f("required", OptOut), f("format", Str)],
};

pub static EXTENDS: Form = Form {
    extensions: false,
    fields: &[f("file", Str), f("service", Str)],
};

pub static HEALTHCHECK: Form = Form {
    extensions: true,
    fields: &[
        f("test", Test),
        f("timeout", OptDuration),
        f("interval", OptDuration),
        f("retries", OptUint),
        f("start_period", OptDuration),
        f("start_interval", OptDuration),
        f("disable", Bool),
    ],
};

pub static LOGGING: Form = Form {
    extensions: true,
    fields: &[f("driver", Str), f("options", Options)],
};

pub static SERVICE_MODEL: Form = Form {
    extensions: true,
    fields: &[f("endpoint_var", Str), f("model_var", Str)],
};

pub static ATTACHMENT: Form = Form {
    extensions: true,
    fields: &[
        f("aliases", Strings),
        f("driver_opts", Options),
        f("gw_priority", Int),
        f("interface_name", Str),
        f("ipv4_address", Str),
        f("ipv6_address", Str),
        f("link_local_ips", Strings),
        f("mac_address", Str),
        f("priority", Int),
    ],
};

pub static PORT: Form = Form {
    extensions: true,
    fields: &[
        f("name", Str),
        f("mode", Str),
        f("host_ip", Str),
        f("target", Uint32),
        f("published", Str),
        f("protocol", Str),
        f("app_protocol", Str),
    ],
};

pub static FILE_REFERENCE: Form = Form {
    extensions: true,
    fields: &[
        f("source", Str),
        f("target", Str),
        f("uid", Str),
        f("gid", Str),
        f("mode", Mode),
    ],
};

pub static MOUNT: Form = Form {
    extensions: true,
    fields: &[
        f("type", Str),
        f("source", Str),
        f("target", Str),
        f("read_only", Bool),
        f("consistency", Str),
        f("bind", Object(&BIND)),
        f("volume", Object(&MOUNTED_VOLUME)),
        f("tmpfs", Object(&TMPFS)),
        f("image", Object(&MOUNTED_IMAGE)),
    ],
};

pub static BIND: Form = Form {
    extensions: true,
    fields: &[
        f("selinux", Str),
        f("propagation", Str),
        f("create_host_path", OptOut),
        f("recursive", Str),
    ],
};

pub static MOUNTED_VOLUME: Form = Form {
    extensions: true,
    fields: &[f("labels", Labels), f("nocopy", Bool), f("subpath", Str)],
};

pub static TMPFS: Form = Form {
    extensions: true,
    fields: &[f("size", Bytes), f("mode", Uint32)],
};

pub static MOUNTED_IMAGE: Form = Form {
    extensions: true,
    fields: &[f("subpath", Str)],
};

/// `networks.<key>`.
pub static NETWORK: Form = Form {
    extensions: true,
    fields: &[
        f("name", Str),
        f("driver", Str),
        f("driver_opts", Options),
        f("ipam", Struct(&IPAM)),
        f("external", Bool),
        f("internal", Bool),
        f("attachable", Bool),
        f("labels", Labels),
        f("enable_ipv4", OptBool),
        f("enable_ipv6", OptBool),
    ],
};

pub static IPAM: Form = Form {
    extensions: true,
    fields: &[
        f("driver", Str),
        f("config", Objects(&POOL)),
        f("options", Options),
    ],
};

pub static POOL: Form = Form {
    extensions: false,
    fields: &[
        f("subnet", Str),
        f("gateway", Str),
        f("ip_range", Str),
        f("aux_addresses", Labels),
    ],
};

/// `volumes.<key>`.
pub static VOLUME: Form = Form {
    extensions: true,
    fields: &[
        f("name", Str),
        f("driver", Str),
        f("driver_opts", Options),
        f("external", Bool),
        f("labels", Labels),
    ],
};

/// `secrets.<key>` and `configs.<key>`.
pub static FILE_OBJECT: Form = Form {
    extensions: true,
    fields: &[
        f("name", Str),
        f("file", Str),
        f("environment", Str),
        f("content", Str),
        f("external", Bool),
        f("labels", Labels),
        f("driver", Str),
        f("driver_opts", Options),
        f("template_driver", Str),
    ],
};

/// `models.<key>`.
pub static MODEL: Form = Form {
    extensions: true,
    fields: &[
        f("name", Str),
        f("model", Str),
        f("context_size", Int),
        f("runtime_flags", Strings),
    ],
};
