//! Mounts and `develop`.

use super::super::{Schema, Text};
use super::service::HOOK;
use super::{
    ANY_STRING, BOOLEAN, BOOLEAN_OR_STRING, COUNT_OR_STRING, LIST_OR_DICT, NOTHING, NUMBER,
    STRING_OR_SET, object,
};

pub(super) static MOUNTS: Schema = NOTHING.or_set(&MOUNT);
pub(super) static MOUNT: Schema = NOTHING.or_string().or_object(
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
pub(super) static MOUNT_TYPE: Schema = NOTHING.or_text(Text::OneOf(&[
    "bind", "volume", "tmpfs", "cluster", "npipe", "image",
]));
pub(super) static BIND: Schema = NOTHING.or_object(&object(
    "bind",
    &[
        ("create_host_path", &BOOLEAN_OR_STRING),
        ("propagation", &ANY_STRING),
        ("recursive", &RECURSIVE),
        ("selinux", &SELINUX),
    ],
));
pub(super) static RECURSIVE: Schema = NOTHING.or_text(Text::OneOf(&[
    "enabled", "disabled", "writable", "readonly",
]));
pub(super) static SELINUX: Schema = NOTHING.or_text(Text::OneOf(&["z", "Z"]));
pub(super) static MOUNTED_VOLUME: Schema = NOTHING.or_object(&object(
    "volume",
    &[
        ("labels", &LIST_OR_DICT),
        ("nocopy", &BOOLEAN_OR_STRING),
        ("subpath", &ANY_STRING),
    ],
));
pub(super) static TMPFS: Schema = NOTHING.or_object(&object(
    "tmpfs",
    &[("mode", &NUMBER), ("size", &COUNT_OR_STRING)],
));
pub(super) static MOUNTED_IMAGE: Schema =
    NOTHING.or_object(&object("image", &[("subpath", &ANY_STRING)]));

pub(super) static DEVELOP: Schema = NOTHING
    .or_null()
    .or_object(&object("develop", &[("watch", &WATCH_RULES)]));
pub(super) static WATCH_RULES: Schema = NOTHING.or_list(&WATCH_RULE);
pub(super) static WATCH_RULE: Schema = NOTHING.or_object(
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
pub(super) static WATCH_ACTION: Schema = NOTHING.or_text(Text::OneOf(&[
    "rebuild",
    "sync",
    "restart",
    "sync+restart",
    "sync+exec",
]));
