//! The schema's tables: every object, its attributes and what each takes.
//!
//! A new attribute of the specification is a line here and a line in `form/tables.rs`.

use super::{Names, Object, Others, Schema, Text};

const NOTHING: Schema = Schema::NOTHING;
static ANY_STRING: Schema = NOTHING.or_string();
static BOOLEAN: Schema = NOTHING.or_boolean();
static BOOLEAN_OR_STRING: Schema = NOTHING.or_boolean().or_string();
static INTEGER: Schema = NOTHING.or_integer();
static INTEGER_OR_STRING: Schema = NOTHING.or_integer().or_string();
static NUMBER: Schema = NOTHING.or_number();
static NUMBER_OR_STRING: Schema = NOTHING.or_number().or_string();
static COUNT_OR_STRING: Schema = NOTHING.or_between(0, i64::MAX).or_string();
static PERCENT_OR_STRING: Schema = NOTHING.or_between(0, 100).or_string();
static STRINGS: Schema = NOTHING.or_list(&ANY_STRING);
static STRING_SET: Schema = NOTHING.or_set(&ANY_STRING);
static STRING_OR_SET: Schema = NOTHING.or_string().or_set(&ANY_STRING);
static STRING_OR_LIST: Schema = NOTHING.or_string().or_list(&ANY_STRING);
static LOOSE_SET: Schema = NOTHING.or_set(&NUMBER_OR_STRING);
static SCALAR: Schema = NOTHING.or_string().or_number().or_boolean().or_null();
static LIST_OR_DICT: Schema = NOTHING.or_named(Names::Any, &SCALAR).or_set(&ANY_STRING);
static MAPPING: Schema = NOTHING.or_mapping();
static DRIVER_OPTS: Schema = NOTHING.or_named(Names::Any, &NUMBER_OR_STRING);
static STRING_MAP: Schema = NOTHING.or_named(Names::Any, &ANY_STRING);
static COMMAND: Schema = NOTHING.or_null().or_string().or_list(&ANY_STRING);
static HOSTS: Schema = NOTHING
    .or_named(Names::Any, &STRING_OR_LIST)
    .or_set(&ANY_STRING);

/// Names that other versions or tools use, and what to write instead.
pub static FORMER_NAMES: &[(&str, &str)] = &[
    (
        "dockerfile",
        "write it below `build`: `build: {context: ., dockerfile: …}`",
    ),
    ("env", "did you mean `environment`?"),
    ("environments", "did you mean `environment`?"),
    ("health_check", "did you mean `healthcheck`?"),
    ("log_driver", "use `logging: {driver: …}`"),
    ("log_opt", "use `logging: {options: …}`"),
    ("net", "use `network_mode`, or `networks`"),
    ("replicas", "use `scale`, or `deploy: {replicas: …}`"),
    (
        "volume_driver",
        "set `driver` on the volume below the top-level `volumes`",
    ),
];

const fn object(
    name: &'static str,
    attributes: &'static [(&'static str, &'static Schema)],
) -> Object {
    Object {
        name,
        attributes,
        required: &[],
        others: Others::Extensions,
    }
}

impl Object {
    const fn requires(self, required: &'static [&'static str]) -> Object {
        Object { required, ..self }
    }

    const fn with_others(self, others: Others) -> Object {
        Object { others, ..self }
    }
}

/// The whole project.
pub static PROJECT: Schema = NOTHING.or_object(&object(
    "a Compose file",
    &[
        ("configs", &CONFIGS),
        ("include", &INCLUDES),
        ("models", &MODELS),
        ("name", &ANY_STRING),
        ("networks", &NETWORKS),
        ("secrets", &SECRETS),
        ("services", &SERVICES),
        ("version", &ANY_STRING),
        ("volumes", &VOLUMES),
    ],
));

static SERVICES: Schema = NOTHING.or_named(Names::Resource, &A_SERVICE);
static NETWORKS: Schema = NOTHING.or_named(Names::ResourceOrIgnored, &A_NETWORK);
static VOLUMES: Schema = NOTHING.or_named(Names::Resource, &A_VOLUME);
static SECRETS: Schema = NOTHING.or_named(Names::Resource, &A_SECRET);
static CONFIGS: Schema = NOTHING.or_named(Names::Resource, &A_CONFIG);
static MODELS: Schema = NOTHING.or_named(Names::ResourceOrIgnored, &A_MODEL);

static INCLUDES: Schema = NOTHING.or_list(&AN_INCLUDE);
static AN_INCLUDE: Schema = NOTHING.or_string().or_object(
    &object(
        "an include",
        &[
            ("env_file", &STRING_OR_SET),
            ("path", &STRING_OR_SET),
            ("project_directory", &ANY_STRING),
        ],
    )
    .with_others(Others::Nothing),
);

static A_SERVICE: Schema = NOTHING.or_object(&object(
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
        ("storage_opt", &MAPPING),
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
));

static CGROUP: Schema = NOTHING.or_text(Text::OneOf(&["host", "private"]));
static STRING_OR_NULL: Schema = NOTHING.or_string().or_null();
static OOM_SCORE: Schema = NOTHING.or_between(-1000, 1000).or_string();

static CONTAINER_NAME: Schema = NOTHING.or_text(Text::Like(
    is_container_name,
    "a container name: letters, digits, `_`, `.` and `-`, at least two, the first no sign",
));

/// The specification's pattern has no anchors: two fitting characters anywhere will do.
fn is_container_name(name: &str) -> bool {
    name.as_bytes().windows(2).any(|pair| {
        pair[0].is_ascii_alphanumeric()
            && (pair[1].is_ascii_alphanumeric() || b"_.-".contains(&pair[1]))
    })
}

static PULL_POLICY: Schema = NOTHING.or_text(Text::Like(
    is_pull_policy,
    "a pull policy: `always`, `never`, `missing`, `build`, `daily`, `weekly` or `every_<duration>`",
));

/// The specification's pattern has no anchors: a policy anywhere in the text will do.
fn is_pull_policy(text: &str) -> bool {
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
    WORDS.iter().any(|word| text.contains(word)) || every(text)
}

static BUILD: Schema = NOTHING.or_string().or_object(&object(
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

static BLKIO: Schema = NOTHING.or_object(
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
static BLKIO_LIMITS: Schema = NOTHING.or_list(&BLKIO_LIMIT);
static BLKIO_LIMIT: Schema = NOTHING.or_object(
    &object(
        "a device limit",
        &[("path", &ANY_STRING), ("rate", &INTEGER_OR_STRING)],
    )
    .with_others(Others::Nothing),
);
static BLKIO_WEIGHTS: Schema = NOTHING.or_list(&BLKIO_WEIGHT);
static BLKIO_WEIGHT: Schema = NOTHING.or_object(
    &object(
        "a device weight",
        &[("path", &ANY_STRING), ("weight", &INTEGER_OR_STRING)],
    )
    .with_others(Others::Nothing),
);

static CREDENTIAL_SPEC: Schema = NOTHING.or_object(&object(
    "credential_spec",
    &[
        ("config", &ANY_STRING),
        ("file", &ANY_STRING),
        ("registry", &ANY_STRING),
    ],
));

static DEPENDS_ON: Schema = NOTHING
    .or_set(&ANY_STRING)
    .or_named(Names::Resource, &DEPENDENCY);
static DEPENDENCY: Schema = NOTHING.or_object(
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
static CONDITION: Schema = NOTHING.or_text(Text::OneOf(&[
    "service_started",
    "service_healthy",
    "service_completed_successfully",
]));

static DEVICES: Schema = NOTHING.or_list(&DEVICE);
static DEVICE: Schema = NOTHING.or_string().or_object(
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

static ENV_FILES: Schema = NOTHING.or_string().or_list(&ENV_FILE);
static ENV_FILE: Schema = NOTHING.or_string().or_object(
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

static EXTENDS: Schema = NOTHING.or_string().or_object(
    &object(
        "extends",
        &[("file", &ANY_STRING), ("service", &ANY_STRING)],
    )
    .requires(&["service"])
    .with_others(Others::Nothing),
);

static PROVIDER: Schema = NOTHING.or_object(
    &object(
        "a provider",
        &[("options", &PROVIDER_OPTIONS), ("type", &ANY_STRING)],
    )
    .requires(&["type"]),
);
static PROVIDER_OPTIONS: Schema = NOTHING.or_named(Names::Any, &PROVIDER_OPTION);
static PROVIDER_OPTION: Schema = NOTHING
    .or_string()
    .or_number()
    .or_boolean()
    .or_list(&PROVIDER_SCALAR);
static PROVIDER_SCALAR: Schema = NOTHING.or_string().or_number().or_boolean();

static HEALTHCHECK: Schema = NOTHING.or_object(&object(
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

static LOGGING: Schema = NOTHING.or_object(&object(
    "logging",
    &[("driver", &ANY_STRING), ("options", &LOGGING_OPTIONS)],
));
static LOGGING_OPTIONS: Schema = NOTHING.or_named(Names::Any, &LOGGING_OPTION);
static LOGGING_OPTION: Schema = NOTHING.or_string().or_number().or_null();

static SERVICE_MODELS: Schema = NOTHING
    .or_set(&ANY_STRING)
    .or_named(Names::ResourceOrIgnored, &SERVICE_MODEL);
static SERVICE_MODEL: Schema = NOTHING.or_null().or_object(&object(
    "a use of a model",
    &[("endpoint_var", &ANY_STRING), ("model_var", &ANY_STRING)],
));

static ATTACHMENTS: Schema = NOTHING
    .or_set(&ANY_STRING)
    .or_named(Names::Resource, &ATTACHMENT);
static ATTACHMENT: Schema = NOTHING.or_null().or_object(&object(
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

static PORTS: Schema = NOTHING.or_set(&PORT);
static PORT: Schema = NOTHING.or_number().or_string().or_object(&object(
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

static FILE_REFERENCES: Schema = NOTHING.or_list(&FILE_REFERENCE);
static FILE_REFERENCE: Schema = NOTHING.or_string().or_object(&object(
    "a use of a secret or config",
    &[
        ("gid", &ANY_STRING),
        ("mode", &NUMBER_OR_STRING),
        ("source", &ANY_STRING),
        ("target", &ANY_STRING),
        ("uid", &ANY_STRING),
    ],
));

static HOOKS: Schema = NOTHING.or_list(&HOOK);
static HOOK: Schema = NOTHING.or_object(
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
static PRE_START_HOOKS: Schema = NOTHING.or_list(&PRE_START_HOOK);
static PRE_START_HOOK: Schema = NOTHING.or_object(&object(
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

static ULIMITS: Schema = NOTHING.or_named(Names::LowerCase, &ULIMIT);
static ULIMIT: Schema = NOTHING.or_integer().or_string().or_object(
    &object(
        "a limit",
        &[("hard", &INTEGER_OR_STRING), ("soft", &INTEGER_OR_STRING)],
    )
    .requires(&["soft", "hard"]),
);

static MOUNTS: Schema = NOTHING.or_set(&MOUNT);
static MOUNT: Schema = NOTHING.or_string().or_object(
    &object(
        "a mount",
        &[
            ("bind", &BIND),
            ("consistency", &ANY_STRING),
            ("image", &MOUNTED_IMAGE),
            ("read_only", &BOOLEAN_OR_STRING),
            ("source", &ANY_STRING),
            ("target", &ANY_STRING),
            ("tmpfs", &TMPFS),
            ("type", &MOUNT_TYPE),
            ("volume", &MOUNTED_VOLUME),
        ],
    )
    .requires(&["type"]),
);
static MOUNT_TYPE: Schema = NOTHING.or_text(Text::OneOf(&[
    "bind", "volume", "tmpfs", "cluster", "npipe", "image",
]));
static BIND: Schema = NOTHING.or_object(&object(
    "bind",
    &[
        ("create_host_path", &BOOLEAN_OR_STRING),
        ("propagation", &ANY_STRING),
        ("recursive", &RECURSIVE),
        ("selinux", &SELINUX),
    ],
));
static RECURSIVE: Schema = NOTHING.or_text(Text::OneOf(&[
    "enabled", "disabled", "writable", "readonly",
]));
static SELINUX: Schema = NOTHING.or_text(Text::OneOf(&["z", "Z"]));
static MOUNTED_VOLUME: Schema = NOTHING.or_object(&object(
    "volume",
    &[
        ("labels", &LIST_OR_DICT),
        ("nocopy", &BOOLEAN_OR_STRING),
        ("subpath", &ANY_STRING),
    ],
));
static TMPFS: Schema = NOTHING.or_object(&object(
    "tmpfs",
    &[("mode", &NUMBER_OR_STRING), ("size", &COUNT_OR_STRING)],
));
static MOUNTED_IMAGE: Schema = NOTHING.or_object(&object("image", &[("subpath", &ANY_STRING)]));

static DEVELOP: Schema = NOTHING
    .or_null()
    .or_object(&object("develop", &[("watch", &WATCH_RULES)]));
static WATCH_RULES: Schema = NOTHING.or_list(&WATCH_RULE);
static WATCH_RULE: Schema = NOTHING.or_object(
    &object(
        "a watch rule",
        &[
            ("action", &WATCH_ACTION),
            ("exec", &HOOK),
            ("ignore", &STRING_OR_SET),
            ("include", &STRING_OR_SET),
            ("initial_sync", &BOOLEAN),
            ("path", &ANY_STRING),
            ("target", &ANY_STRING),
        ],
    )
    .requires(&["path", "action"]),
);
static WATCH_ACTION: Schema = NOTHING.or_text(Text::OneOf(&[
    "rebuild",
    "sync",
    "restart",
    "sync+restart",
    "sync+exec",
]));

static DEPLOY: Schema = NOTHING.or_null().or_object(&object(
    "deploy",
    &[
        ("endpoint_mode", &ANY_STRING),
        ("labels", &LIST_OR_DICT),
        ("mode", &ANY_STRING),
        ("placement", &PLACEMENT),
        ("replicas", &INTEGER_OR_STRING),
        ("resources", &RESOURCES),
        ("restart_policy", &RESTART_POLICY),
        ("rollback_config", &UPDATE),
        ("update_config", &UPDATE),
    ],
));
static UPDATE: Schema = NOTHING.or_object(&object(
    "an update rule",
    &[
        ("delay", &ANY_STRING),
        ("failure_action", &ANY_STRING),
        ("max_failure_ratio", &NUMBER_OR_STRING),
        ("monitor", &ANY_STRING),
        ("order", &UPDATE_ORDER),
        ("parallelism", &INTEGER_OR_STRING),
    ],
));
static UPDATE_ORDER: Schema = NOTHING.or_text(Text::OneOf(&["start-first", "stop-first"]));
static RESOURCES: Schema = NOTHING.or_object(&object(
    "resources",
    &[("limits", &LIMITS), ("reservations", &RESERVATIONS)],
));
static LIMITS: Schema = NOTHING.or_object(&object(
    "limits",
    &[
        ("cpus", &NUMBER_OR_STRING),
        ("memory", &ANY_STRING),
        ("pids", &INTEGER_OR_STRING),
    ],
));
static RESERVATIONS: Schema = NOTHING.or_object(&object(
    "reservations",
    &[
        ("cpus", &NUMBER_OR_STRING),
        ("devices", &DEVICE_REQUESTS),
        ("generic_resources", &GENERIC_RESOURCES),
        ("memory", &ANY_STRING),
    ],
));
static DEVICE_REQUESTS: Schema = NOTHING.or_list(&DEVICE_REQUEST);
static DEVICE_REQUEST: Schema = NOTHING.or_object(
    &object(
        "a device request",
        &[
            ("capabilities", &STRING_SET),
            ("count", &INTEGER_OR_STRING),
            ("device_ids", &STRING_SET),
            ("driver", &ANY_STRING),
            ("options", &LIST_OR_DICT),
        ],
    )
    .requires(&["capabilities"]),
);
static GPUS: Schema = NOTHING.or_text(Text::OneOf(&["all"])).or_list(&GPU);
static GPU: Schema = NOTHING.or_object(
    &object(
        "a GPU request",
        &[
            ("capabilities", &STRING_SET),
            ("count", &INTEGER_OR_STRING),
            ("device_ids", &STRING_SET),
            ("driver", &ANY_STRING),
            ("options", &LIST_OR_DICT),
        ],
    )
    .with_others(Others::Anything),
);
static GENERIC_RESOURCES: Schema = NOTHING.or_list(&GENERIC_RESOURCE);
static GENERIC_RESOURCE: Schema = NOTHING.or_object(&object(
    "a generic resource",
    &[("discrete_resource_spec", &DISCRETE_RESOURCE)],
));
static DISCRETE_RESOURCE: Schema = NOTHING.or_object(&object(
    "discrete_resource_spec",
    &[("kind", &ANY_STRING), ("value", &NUMBER_OR_STRING)],
));
static RESTART_POLICY: Schema = NOTHING.or_object(&object(
    "a restart policy",
    &[
        ("condition", &ANY_STRING),
        ("delay", &ANY_STRING),
        ("max_attempts", &INTEGER_OR_STRING),
        ("window", &ANY_STRING),
    ],
));
static PLACEMENT: Schema = NOTHING.or_object(&object(
    "placement",
    &[
        ("constraints", &STRINGS),
        ("max_replicas_per_node", &INTEGER_OR_STRING),
        ("preferences", &PREFERENCES),
    ],
));
static PREFERENCES: Schema = NOTHING.or_list(&PREFERENCE);
static PREFERENCE: Schema = NOTHING.or_object(&object(
    "a placement preference",
    &[("spread", &ANY_STRING)],
));

static EXTERNAL: Schema = NOTHING
    .or_boolean()
    .or_string()
    .or_object(&object("external", &[("name", &ANY_STRING)]));
static EXTERNAL_FILE: Schema = NOTHING
    .or_boolean()
    .or_string()
    .or_object(&object("external", &[("name", &ANY_STRING)]).with_others(Others::Anything));

static A_NETWORK: Schema = NOTHING.or_null().or_object(&object(
    "a network",
    &[
        ("attachable", &BOOLEAN_OR_STRING),
        ("driver", &ANY_STRING),
        ("driver_opts", &DRIVER_OPTS),
        ("enable_ipv4", &BOOLEAN_OR_STRING),
        ("enable_ipv6", &BOOLEAN_OR_STRING),
        ("external", &EXTERNAL),
        ("internal", &BOOLEAN_OR_STRING),
        ("ipam", &IPAM),
        ("labels", &LIST_OR_DICT),
        ("name", &ANY_STRING),
    ],
));
static IPAM: Schema = NOTHING.or_object(&object(
    "ipam",
    &[
        ("config", &POOLS),
        ("driver", &ANY_STRING),
        ("options", &STRING_MAP),
    ],
));
static POOLS: Schema = NOTHING.or_list(&POOL);
static POOL: Schema = NOTHING.or_object(&object(
    "an address pool",
    &[
        ("aux_addresses", &STRING_MAP),
        ("gateway", &ANY_STRING),
        ("ip_range", &ANY_STRING),
        ("subnet", &ANY_STRING),
    ],
));

static A_VOLUME: Schema = NOTHING.or_null().or_object(&object(
    "a volume",
    &[
        ("driver", &ANY_STRING),
        ("driver_opts", &DRIVER_OPTS),
        ("external", &EXTERNAL),
        ("labels", &LIST_OR_DICT),
        ("name", &ANY_STRING),
    ],
));

static A_SECRET: Schema = NOTHING.or_object(&object(
    "a secret",
    &[
        ("driver", &ANY_STRING),
        ("driver_opts", &DRIVER_OPTS),
        ("environment", &ANY_STRING),
        ("external", &EXTERNAL_FILE),
        ("file", &ANY_STRING),
        ("labels", &LIST_OR_DICT),
        ("name", &ANY_STRING),
        ("template_driver", &ANY_STRING),
    ],
));

static A_CONFIG: Schema = NOTHING.or_object(&object(
    "a config",
    &[
        ("content", &ANY_STRING),
        ("environment", &ANY_STRING),
        ("external", &EXTERNAL_FILE),
        ("file", &ANY_STRING),
        ("labels", &LIST_OR_DICT),
        ("name", &ANY_STRING),
        ("template_driver", &ANY_STRING),
    ],
));

static A_MODEL: Schema = NOTHING.or_object(
    &object(
        "a model",
        &[
            ("context_size", &INTEGER),
            ("model", &ANY_STRING),
            ("name", &ANY_STRING),
            ("runtime_flags", &STRINGS),
        ],
    )
    .requires(&["model"]),
);
