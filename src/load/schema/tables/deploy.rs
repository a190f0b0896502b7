//! `deploy`, and requests for devices.

use super::super::{Others, Schema, Text};
use super::{
    ANY_STRING, INTEGER_OR_STRING, LIST_OR_DICT, NOTHING, NUMBER_OR_STRING, STRING_SET, STRINGS,
    object,
};

pub(super) static DEPLOY: Schema = NOTHING.or_null().or_object(&object(
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
pub(super) static UPDATE: Schema = NOTHING.or_object(&object(
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
pub(super) static UPDATE_ORDER: Schema =
    NOTHING.or_text(Text::OneOf(&["start-first", "stop-first"]));
pub(super) static RESOURCES: Schema = NOTHING.or_object(&object(
    "resources",
    &[("limits", &LIMITS), ("reservations", &RESERVATIONS)],
));
pub(super) static LIMITS: Schema = NOTHING.or_object(&object(
    "limits",
    &[
        ("cpus", &NUMBER_OR_STRING),
        ("memory", &ANY_STRING),
        ("pids", &INTEGER_OR_STRING),
    ],
));
pub(super) static RESERVATIONS: Schema = NOTHING.or_object(&object(
    "reservations",
    &[
        ("cpus", &NUMBER_OR_STRING),
        ("devices", &DEVICE_REQUESTS),
        ("generic_resources", &GENERIC_RESOURCES),
        ("memory", &ANY_STRING),
    ],
));
pub(super) static DEVICE_REQUESTS: Schema = NOTHING.or_list(&DEVICE_REQUEST);
pub(super) static DEVICE_REQUEST: Schema = NOTHING.or_object(
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
pub(super) static GPUS: Schema = NOTHING.or_text(Text::OneOf(&["all"])).or_list(&GPU);
pub(super) static GPU: Schema = NOTHING.or_object(
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
pub(super) static GENERIC_RESOURCES: Schema = NOTHING.or_list(&GENERIC_RESOURCE);
pub(super) static GENERIC_RESOURCE: Schema = NOTHING.or_object(&object(
    "a generic resource",
    &[("discrete_resource_spec", &DISCRETE_RESOURCE)],
));
pub(super) static DISCRETE_RESOURCE: Schema = NOTHING.or_object(&object(
    "discrete_resource_spec",
    &[("kind", &ANY_STRING), ("value", &NUMBER_OR_STRING)],
));
pub(super) static RESTART_POLICY: Schema = NOTHING.or_object(&object(
    "a restart policy",
    &[
        ("condition", &ANY_STRING),
        ("delay", &ANY_STRING),
        ("max_attempts", &INTEGER_OR_STRING),
        ("window", &ANY_STRING),
    ],
));
pub(super) static PLACEMENT: Schema = NOTHING.or_object(&object(
    "placement",
    &[
        ("constraints", &STRINGS),
        ("max_replicas_per_node", &INTEGER_OR_STRING),
        ("preferences", &PREFERENCES),
    ],
));
pub(super) static PREFERENCES: Schema = NOTHING.or_list(&PREFERENCE);
pub(super) static PREFERENCE: Schema = NOTHING.or_object(&object(
    "a placement preference",
    &[("spread", &ANY_STRING)],
));
