//! The attributes of a service, but for its mounts, `develop` and `deploy`.

use super::super::{Names, Object, Others, Schema, Text};
use super::deploy::{DEPLOY, GPUS};
use super::mount::{DEVELOP, MOUNTS};
use super::{
    ANY_STRING, BOOLEAN, BOOLEAN_OR_STRING, COMMAND, COUNT_OR_STRING, DRIVER_OPTS, HOSTS,
    INTEGER_OR_STRING, LIST_OR_DICT, LOOSE_SET, NOTHING, NUMBER, NUMBER_OR_STRING,
    PERCENT_OR_STRING, STRING_OR_LIST, STRING_OR_SET, STRING_SET, STRINGS, object,
};
use crate::value::container_name;
use std::ops::Range;

pub(super) static A_SERVICE: Schema = NOTHING.or_object(&OBJECT);

pub(super) static OBJECT: Object = object(
    "a service",
    &[
        ("annotations", &LIST_OR_DICT),
        ("attach", &BOOLEAN_OR_STRING),
        ("blkio_config", &BLKIO),
        ("build", &BUILD),
        ("cap_add", &STRING_SET),
        ("cap_drop", &STRING_SET),
        ("cgroup", &CGROUP),
        ("cgroup_parent", &ANY_STRING),
        ("command", &COMMAND),
        ("configs", &FILE_REFERENCES),
        ("container_name", &CONTAINER_NAME),
        ("cpu_count", &COUNT_OR_STRING),
        ("cpu_percent", &PERCENT_OR_STRING),
        ("cpu_period", &NUMBER_OR_STRING),
        ("cpu_quota", &NUMBER_OR_STRING),
        ("cpu_rt_period", &NUMBER_OR_STRING),
        ("cpu_rt_runtime", &NUMBER_OR_STRING),
        ("cpu_shares", &NUMBER_OR_STRING),
        ("cpus", &NUMBER_OR_STRING),
        ("cpuset", &ANY_STRING),
        ("credential_spec", &CREDENTIAL_SPEC),
        ("depends_on", &DEPENDS_ON),
        ("deploy", &DEPLOY),
        ("develop", &DEVELOP),
        ("device_cgroup_rules", &STRING_SET),
        ("devices", &DEVICES),
        ("dns", &STRING_OR_SET),
        ("dns_opt", &STRING_SET),
        ("dns_search", &STRING_OR_SET),
        ("domainname", &ANY_STRING),
        ("entrypoint", &COMMAND),
        ("env_file", &ENV_FILES),
        ("environment", &LIST_OR_DICT),
        ("expose", &LOOSE_SET),
        ("extends", &EXTENDS),
        ("external_links", &STRING_SET),
        ("extra_hosts", &HOSTS),
        ("gpus", &GPUS),
        ("group_add", &LOOSE_SET),
        ("healthcheck", &HEALTHCHECK),
        ("hostname", &ANY_STRING),
        ("image", &ANY_STRING),
        ("init", &BOOLEAN_OR_STRING),
        ("ipc", &ANY_STRING),
        ("isolation", &ANY_STRING),
        ("label_file", &STRING_OR_LIST),
        ("labels", &LIST_OR_DICT),
        ("links", &STRING_SET),
        ("logging", &LOGGING),
        ("mac_address", &ANY_STRING),
        ("mem_limit", &NUMBER_OR_STRING),
        ("mem_reservation", &INTEGER_OR_STRING),
        ("mem_swappiness", &INTEGER_OR_STRING),
        ("memswap_limit", &NUMBER_OR_STRING),
        ("models", &SERVICE_MODELS),
        ("network_mode", &ANY_STRING),
        ("networks", &ATTACHMENTS),
        ("oom_kill_disable", &BOOLEAN_OR_STRING),
        ("oom_score_adj", &OOM_SCORE),
        ("pid", &STRING_OR_NULL),
        ("pids_limit", &NUMBER_OR_STRING),
        ("platform", &ANY_STRING),
        ("ports", &PORTS),
        ("post_start", &HOOKS),
        ("pre_start", &PRE_START_HOOKS),
        ("pre_stop", &HOOKS),
        ("privileged", &BOOLEAN_OR_STRING),
        ("profiles", &STRING_SET),
        ("provider", &PROVIDER),
        ("pull_policy", &PULL_POLICY),
        ("pull_refresh_after", &ANY_STRING),
        ("read_only", &BOOLEAN_OR_STRING),
        ("restart", &ANY_STRING),
        ("runtime", &ANY_STRING),
        ("scale", &INTEGER_OR_STRING),
        ("secrets", &FILE_REFERENCES),
        ("security_opt", &STRING_SET),
        ("shm_size", &NUMBER_OR_STRING),
        ("stdin_open", &BOOLEAN_OR_STRING),
        ("stop_grace_period", &ANY_STRING),
        ("stop_signal", &ANY_STRING),
        ("storage_opt", &STORAGE_OPTIONS),
        ("sysctls", &LIST_OR_DICT),
        ("tmpfs", &STRING_OR_SET),
        ("tty", &BOOLEAN_OR_STRING),
        ("ulimits", &ULIMITS),
        ("use_api_socket", &BOOLEAN),
        ("user", &ANY_STRING),
        ("userns_mode", &ANY_STRING),
        ("uts", &ANY_STRING),
        ("volumes", &MOUNTS),
        ("volumes_from", &STRING_SET),
        ("working_dir", &ANY_STRING),
    ],
);

pub(super) static CGROUP: Schema = NOTHING.or_text(Text::OneOf(&["host", "private"]));
pub(super) static STRING_OR_NULL: Schema = NOTHING.or_string().or_null();
pub(super) static OOM_SCORE: Schema = NOTHING.or_between(-1000, 1000).or_string();

pub(super) static CONTAINER_NAME: Schema = NOTHING.or_text(Text::Like(
    in_container_name,
    "a container name: letters, digits, `_`, `.` and `-`, at least two, the first no sign",
));

/// The specification's pattern has no anchors: two fitting characters anywhere will do.
fn in_container_name(name: &str) -> Option<Range<usize>> {
    let fits = name.as_bytes().windows(2).any(|pair| {
        pair[0].is_ascii_alphanumeric()
            && (pair[1].is_ascii_alphanumeric() || b"_.-".contains(&pair[1]))
    });
    match fits {
        true => None,
        false => container_name::fault(name).map(|(part, _)| part),
    }
}

pub(super) static PULL_POLICY: Schema = NOTHING.or_text(Text::Like(
    in_pull_policy,
    "a pull policy: `always`, `never`, `missing`, `build`, `daily`, `weekly` or `every_<duration>`",
));

/// The specification's pattern has no anchors: a policy anywhere in the text will do.
fn in_pull_policy(text: &str) -> Option<Range<usize>> {
    const WORDS: [&str; 8] = [
        "always",
        "never",
        "build",
        "if_not_present",
        "missing",
        "refresh",
        "daily",
        "weekly",
    ];
    let every = |text: &str| {
        text.split("every_").skip(1).any(|rest| {
            let unit = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            unit.len() < rest.len() && unit.starts_with(['w', 'd', 'h', 'm', 's'])
        })
    };
    let fits = WORDS.iter().any(|word| text.contains(word)) || every(text);
    (!fits).then_some(0..text.len())
}

pub(super) static BUILD: Schema = NOTHING.or_string().or_object(&object(
    "a build",
    &[
        ("additional_contexts", &LIST_OR_DICT),
        ("args", &LIST_OR_DICT),
        ("cache_from", &STRINGS),
        ("cache_to", &STRINGS),
        ("context", &ANY_STRING),
        ("dockerfile", &ANY_STRING),
        ("dockerfile_inline", &ANY_STRING),
        ("entitlements", &STRINGS),
        ("extra_hosts", &HOSTS),
        ("isolation", &ANY_STRING),
        ("labels", &LIST_OR_DICT),
        ("network", &ANY_STRING),
        ("no_cache", &BOOLEAN_OR_STRING),
        ("no_cache_filter", &STRING_OR_SET),
        ("platforms", &STRINGS),
        ("privileged", &BOOLEAN_OR_STRING),
        ("provenance", &BOOLEAN_OR_STRING),
        ("pull", &BOOLEAN_OR_STRING),
        ("sbom", &BOOLEAN_OR_STRING),
        ("secrets", &FILE_REFERENCES),
        ("shm_size", &INTEGER_OR_STRING),
        ("ssh", &LIST_OR_DICT),
        ("tags", &STRINGS),
        ("target", &ANY_STRING),
        ("ulimits", &ULIMITS),
    ],
));

pub(super) static BLKIO: Schema = NOTHING.or_object(
    &object(
        "blkio_config",
        &[
            ("device_read_bps", &BLKIO_LIMITS),
            ("device_read_iops", &BLKIO_LIMITS),
            ("device_write_bps", &BLKIO_LIMITS),
            ("device_write_iops", &BLKIO_LIMITS),
            ("weight", &INTEGER_OR_STRING),
            ("weight_device", &BLKIO_WEIGHTS),
        ],
    )
    .with_others(Others::Nothing),
);
pub(super) static BLKIO_LIMITS: Schema = NOTHING.or_list(&BLKIO_LIMIT);
pub(super) static BLKIO_LIMIT: Schema = NOTHING.or_object(
    &object(
        "a device limit",
        &[("path", &ANY_STRING), ("rate", &INTEGER_OR_STRING)],
    )
    .with_others(Others::Nothing),
);
pub(super) static BLKIO_WEIGHTS: Schema = NOTHING.or_list(&BLKIO_WEIGHT);
pub(super) static BLKIO_WEIGHT: Schema = NOTHING.or_object(
    &object(
        "a device weight",
        &[("path", &ANY_STRING), ("weight", &INTEGER_OR_STRING)],
    )
    .with_others(Others::Nothing),
);

pub(super) static CREDENTIAL_SPEC: Schema = NOTHING.or_object(&object(
    "credential_spec",
    &[
        ("config", &ANY_STRING),
        ("file", &ANY_STRING),
        ("registry", &ANY_STRING),
    ],
));

pub(super) static DEPENDS_ON: Schema = NOTHING
    .or_set(&ANY_STRING)
    .or_named(Names::Resource, &DEPENDENCY);
pub(super) static DEPENDENCY: Schema = NOTHING.or_object(
    &object(
        "a dependency",
        &[
            ("condition", &CONDITION),
            ("required", &BOOLEAN),
            ("restart", &BOOLEAN_OR_STRING),
        ],
    )
    .requires(&["condition"]),
);
pub(super) static CONDITION: Schema = NOTHING.or_text(Text::OneOf(&[
    "service_started",
    "service_healthy",
    "service_completed_successfully",
]));

pub(super) static DEVICES: Schema = NOTHING.or_list(&DEVICE);
pub(super) static DEVICE: Schema = NOTHING.or_string().or_object(
    &object(
        "a device",
        &[
            ("permissions", &ANY_STRING),
            ("source", &ANY_STRING),
            ("target", &ANY_STRING),
        ],
    )
    .requires(&["source"]),
);

pub(super) static ENV_FILES: Schema = NOTHING.or_string().or_list(&ENV_FILE);
pub(super) static ENV_FILE: Schema = NOTHING.or_string().or_object(
    &object(
        "an env file",
        &[
            ("format", &ANY_STRING),
            ("path", &ANY_STRING),
            ("required", &BOOLEAN_OR_STRING),
        ],
    )
    .requires(&["path"])
    .with_others(Others::Nothing),
);

pub(super) static EXTENDS: Schema = NOTHING.or_string().or_object(
    &object(
        "extends",
        &[("file", &ANY_STRING), ("service", &ANY_STRING)],
    )
    .requires(&["service"])
    .with_others(Others::Nothing),
);

pub(super) static PROVIDER: Schema = NOTHING.or_object(
    &object(
        "a provider",
        &[("options", &PROVIDER_OPTIONS), ("type", &ANY_STRING)],
    )
    .requires(&["type"]),
);
pub(super) static PROVIDER_OPTIONS: Schema = NOTHING.or_named(Names::OrNone, &PROVIDER_OPTION);
pub(super) static PROVIDER_OPTION: Schema = NOTHING
    .or_string()
    .or_number()
    .or_boolean()
    .or_list(&PROVIDER_SCALAR);
pub(super) static PROVIDER_SCALAR: Schema = NOTHING.or_string().or_number().or_boolean();

pub(super) static HEALTHCHECK: Schema = NOTHING.or_object(&object(
    "a healthcheck",
    &[
        ("disable", &BOOLEAN_OR_STRING),
        ("interval", &ANY_STRING),
        ("retries", &NUMBER_OR_STRING),
        ("start_interval", &ANY_STRING),
        ("start_period", &ANY_STRING),
        ("test", &STRING_OR_LIST),
        ("timeout", &ANY_STRING),
    ],
));

pub(super) static LOGGING: Schema = NOTHING.or_object(&object(
    "logging",
    &[("driver", &ANY_STRING), ("options", &LOGGING_OPTIONS)],
));
pub(super) static LOGGING_OPTIONS: Schema = NOTHING.or_named(Names::OrNone, &LOGGING_OPTION);
/// The specification lets these be anything; what Compose can read are texts and whole numbers.
pub(super) static STORAGE_OPTIONS: Schema = NOTHING.or_named(Names::OrNone, &STORAGE_OPTION);
pub(super) static STORAGE_OPTION: Schema = NOTHING.or_string().or_integer().or_null();
pub(super) static LOGGING_OPTION: Schema = NOTHING.or_string().or_number().or_null();

pub(super) static SERVICE_MODELS: Schema = NOTHING
    .or_set(&ANY_STRING)
    .or_named(Names::ResourceOrIgnored, &SERVICE_MODEL);
pub(super) static SERVICE_MODEL: Schema = NOTHING.or_null().or_object(&object(
    "a use of a model",
    &[("endpoint_var", &ANY_STRING), ("model_var", &ANY_STRING)],
));

pub(super) static ATTACHMENTS: Schema = NOTHING
    .or_set(&ANY_STRING)
    .or_named(Names::Resource, &ATTACHMENT);
pub(super) static ATTACHMENT: Schema = NOTHING.or_null().or_object(&object(
    "a use of a network",
    &[
        ("aliases", &STRING_SET),
        ("driver_opts", &DRIVER_OPTS),
        ("gw_priority", &NUMBER),
        ("interface_name", &ANY_STRING),
        ("ipv4_address", &ANY_STRING),
        ("ipv6_address", &ANY_STRING),
        ("link_local_ips", &STRING_SET),
        ("mac_address", &ANY_STRING),
        ("priority", &NUMBER),
    ],
));

pub(super) static PORTS: Schema = NOTHING.or_set(&PORT);
pub(super) static PORT: Schema = NOTHING.or_number().or_string().or_object(&object(
    "a port",
    &[
        ("app_protocol", &ANY_STRING),
        ("host_ip", &ANY_STRING),
        ("mode", &ANY_STRING),
        ("name", &ANY_STRING),
        ("protocol", &ANY_STRING),
        ("published", &INTEGER_OR_STRING),
        ("target", &INTEGER_OR_STRING),
    ],
));

pub(super) static FILE_REFERENCES: Schema = NOTHING.or_list(&FILE_REFERENCE);
pub(super) static FILE_REFERENCE: Schema = NOTHING.or_string().or_object(&object(
    "a use of a secret or config",
    &[
        ("gid", &ANY_STRING),
        ("mode", &NUMBER_OR_STRING),
        ("source", &ANY_STRING),
        ("target", &ANY_STRING),
        ("uid", &ANY_STRING),
    ],
));

pub(super) static HOOKS: Schema = NOTHING.or_list(&HOOK);
pub(super) static HOOK: Schema = NOTHING.or_object(
    &object(
        "a hook",
        &[
            ("command", &COMMAND),
            ("environment", &LIST_OR_DICT),
            ("privileged", &BOOLEAN_OR_STRING),
            ("user", &ANY_STRING),
            ("working_dir", &ANY_STRING),
        ],
    )
    .requires(&["command"]),
);
pub(super) static PRE_START_HOOKS: Schema = NOTHING.or_list(&PRE_START_HOOK);
pub(super) static PRE_START_HOOK: Schema = NOTHING.or_object(&object(
    "a pre_start hook",
    &[
        ("command", &COMMAND),
        ("environment", &LIST_OR_DICT),
        ("image", &ANY_STRING),
        ("per_replica", &BOOLEAN_OR_STRING),
        ("privileged", &BOOLEAN_OR_STRING),
        ("user", &ANY_STRING),
        ("working_dir", &ANY_STRING),
    ],
));

pub(super) static ULIMITS: Schema = NOTHING.or_named(Names::LowerCase, &ULIMIT);
pub(super) static ULIMIT: Schema = NOTHING.or_integer().or_string().or_object(
    &object(
        "a limit",
        &[("hard", &INTEGER_OR_STRING), ("soft", &INTEGER_OR_STRING)],
    )
    .requires(&["soft", "hard"]),
);
