//! The schema's tables: every object, its attributes and what each takes.
//!
//! A new attribute of the specification is a line here and a line in `form/tables.rs`.

mod deploy;
mod mount;
mod service;

use super::{Names, Object, Others, Schema};
use service::A_SERVICE;

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
static DRIVER_OPTS: Schema = NOTHING.or_named(Names::OrNone, &NUMBER_OR_STRING);
static STRING_MAP: Schema = NOTHING.or_named(Names::Any, &ANY_STRING);
static COMMAND: Schema = NOTHING.or_null().or_string().or_list(&ANY_STRING);
static HOSTS: Schema = NOTHING
    .or_named(Names::Any, &STRING_OR_LIST)
    .or_set(&ANY_STRING);

/// What a service may have.
pub fn a_service() -> &'static Object {
    &service::OBJECT
}

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
