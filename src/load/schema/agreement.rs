//! That the tables agree: what the schema lets in is in the canonical form, so that it is printed and
//! hashed, and in the types that requests are made from; and no rule speaks of what is not there.
//!
//! What of it reaches the engine, `tests/files/requests.rs` holds against recordings.

use super::{Mapping, Object, Schema, tables};
use crate::form::{Form, Kind, tables as forms};
use crate::load::{canonical, defaults, interpolate, merge, paths, validate};
use crate::network::{Ipam, IpamPool, Network};
use crate::service::mount::{
    BindOptions, FileReference, ImageOptions, Mount, TmpfsOptions, VolumeOptions,
};
use crate::service::{
    Attachment, Device, Logging, Service, build::Build, deploy::DeviceRequest, develop::Hook,
    health::Healthcheck, port::Port,
};
use crate::{secret::FileObject, volume::Volume};
use serde::de::{self, Deserialize, Visitor};
use std::collections::{BTreeMap, BTreeSet};

/// Attributes that the schema lets in and the canonical form has not, with the reason.
const NOT_IN_FORM: &[(&str, &str)] = &[
    ("include", "resolved while loading"),
    (
        "services.pull_refresh_after",
        "Compose lets it in and drops it, too",
    ),
    ("version", "says nothing any more"),
];

/// What the canonical form has and the schema does not let in.
const NOT_IN_SCHEMA: &[(&str, &str)] = &[
    ("configs.driver", "of secrets, which have the same form"),
    ("configs.driver_opts", "of secrets"),
    ("secrets.content", "of configs"),
    (
        "services.deploy.resources.limits.devices",
        "of reservations",
    ),
    (
        "services.deploy.resources.limits.generic_resources",
        "of reservations",
    ),
    ("services.deploy.resources.reservations.pids", "of limits"),
    ("services.develop.watch.exec.image", "of pre_start"),
    ("services.develop.watch.exec.per_replica", "of pre_start"),
    ("services.dockerfile", OLD),
    ("services.log_driver", OLD),
    ("services.log_opt", OLD),
    ("services.net", OLD),
    ("services.post_start.image", "of pre_start"),
    ("services.post_start.per_replica", "of pre_start"),
    ("services.pre_stop.image", "of pre_start"),
    ("services.pre_stop.per_replica", "of pre_start"),
    ("services.volume_driver", OLD),
];

const OLD: &str = "an old key, of which the hash still takes the empty value";

/// Of the canonical form, what no type holds.
const NOT_TYPED: &[(&str, &str)] = &[
    ("file.driver_opts", "Swarm's"),
    ("file.labels", "Swarm's"),
    ("service.credential_spec", "refused by name, from the form"),
    ("service.dockerfile", OLD),
    ("service.env_file", "merged into environment while loading"),
    ("service.extends", "resolved while loading"),
    ("service.label_file", "merged into labels while loading"),
    ("service.log_driver", OLD),
    ("service.log_opt", OLD),
    ("service.net", OLD),
    ("service.volume_driver", OLD),
];

impl Schema {
    /// The objects that a value may be, or hold in a list or under names of the user's.
    fn objects(&self) -> Vec<&'static Object> {
        let mut all = match &self.map {
            Some(Mapping::Object(object)) => vec![*object],
            Some(Mapping::Named(_, below)) => below.objects(),
            None => Vec::new(),
        };
        all.extend(self.list.iter().flat_map(|list| list.items.objects()));
        all
    }

    /// Whether there can be a value at a pattern's path.
    fn leads(&self, parts: &[&str]) -> bool {
        let Some((part, rest)) = parts.split_first() else {
            return true;
        };
        let in_map = match &self.map {
            Some(Mapping::Object(object)) => object
                .attributes
                .iter()
                .any(|(name, below)| name == part && below.leads(rest)),
            Some(Mapping::Named(_, below)) => *part == "*" && below.leads(rest),
            None => false,
        };
        in_map
            || self
                .list
                .is_some_and(|list| *part == "*" && list.items.leads(rest))
    }
}

fn listed(list: &[(&str, &str)], path: &str) -> bool {
    list.iter().any(|(known, _)| *known == path)
}

fn compare(
    objects: &[&'static Object],
    form: &'static Form,
    at: &str,
    wrong: &mut BTreeSet<String>,
) {
    let path = |name: &str| match at {
        "" => name.to_owned(),
        _ => format!("{at}.{name}"),
    };
    let mut known: BTreeMap<&str, Vec<&Schema>> = BTreeMap::new();
    for (name, schema) in objects.iter().flat_map(|object| object.attributes) {
        known.entry(name).or_default().push(schema);
    }
    for name in known.keys().filter(|name| form.field(name).is_none()) {
        if !listed(NOT_IN_FORM, &path(name)) {
            wrong.insert(format!("{}: let in, then lost", path(name)));
        }
    }
    for field in form.fields {
        let path = path(field.name);
        let Some(schemas) = known.get(field.name) else {
            if !listed(NOT_IN_SCHEMA, &path) {
                wrong.insert(format!("{path}: never let in"));
            }
            continue;
        };
        if let Kind::Object(below)
        | Kind::Struct(below)
        | Kind::Objects(below)
        | Kind::ObjectMap(below) = field.kind
        {
            let objects: Vec<_> = schemas.iter().flat_map(|s| s.objects()).collect();
            compare(&objects, below, &path, wrong);
        }
    }
}

#[test]
fn what_is_let_in_is_printed_and_hashed() {
    let mut wrong = BTreeSet::new();
    compare(&tables::PROJECT.objects(), &forms::PROJECT, "", &mut wrong);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Asks a type which fields it reads, and reads none.
struct Probe<'f>(&'f mut &'static [&'static str]);

impl<'de> de::Deserializer<'de> for Probe<'_> {
    type Error = de::value::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("asked"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

fn fields<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut fields: &'static [&'static str] = &[];
    assert!(T::deserialize(Probe(&mut fields)).is_err());
    assert!(!fields.is_empty());
    fields
}

#[test]
fn what_is_printed_is_typed() {
    let mut wrong = BTreeSet::new();
    for (at, form, typed) in [
        ("service", &forms::SERVICE, fields::<Service>()),
        ("build", &forms::BUILD, fields::<Build>()),
        ("attachment", &forms::ATTACHMENT, fields::<Attachment>()),
        ("device", &forms::DEVICE, fields::<Device>()),
        ("gpu", &forms::DEVICE_REQUEST, fields::<DeviceRequest>()),
        ("health", &forms::HEALTHCHECK, fields::<Healthcheck>()),
        ("hook", &forms::HOOK, fields::<Hook>()),
        ("port", &forms::PORT, fields::<Port>()),
        ("mount", &forms::MOUNT, fields::<Mount>()),
        ("bind", &forms::BIND, fields::<BindOptions>()),
        (
            "of volume",
            &forms::MOUNTED_VOLUME,
            fields::<VolumeOptions>(),
        ),
        ("tmpfs", &forms::TMPFS, fields::<TmpfsOptions>()),
        ("of image", &forms::MOUNTED_IMAGE, fields::<ImageOptions>()),
        (
            "reference",
            &forms::FILE_REFERENCE,
            fields::<FileReference>(),
        ),
        ("ipam", &forms::IPAM, fields::<Ipam>()),
        ("pool", &forms::POOL, fields::<IpamPool>()),
        ("logging", &forms::LOGGING, fields::<Logging>()),
        ("network", &forms::NETWORK, fields::<Network>()),
        ("volume", &forms::VOLUME, fields::<Volume>()),
        ("file", &forms::FILE_OBJECT, fields::<FileObject>()),
    ] {
        for field in form.fields {
            let path = format!("{at}.{}", field.name);
            if !typed.contains(&field.name) && !listed(NOT_TYPED, &path) {
                wrong.insert(format!("{path}: printed and hashed, but in no type"));
            }
        }
        for name in typed {
            if form.field(name).is_none() {
                wrong.insert(format!("{at}.{name}: typed, but never there"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn rules_speak_of_what_there_is() {
    let names =
        |table: Vec<&'static str>, of: &'static str| table.into_iter().map(move |p| (of, p));
    fn keys<T>(table: &[(&'static str, T)]) -> Vec<&'static str> {
        table.iter().map(|(pattern, _)| *pattern).collect()
    }
    let mut wrong = Vec::new();
    for (of, pattern) in names(keys(merge::TABLE), "merge")
        .chain(names(keys(merge::unique::TABLE), "unique"))
        .chain(names(keys(interpolate::casts::TABLE), "casts"))
        .chain(names(keys(paths::TABLE), "paths"))
        .chain(names(keys(canonical::TABLE), "canonical"))
        .chain(names(keys(defaults::TABLE), "defaults"))
        .chain(names(keys(validate::TABLE), "validate"))
    {
        let parts: Vec<&str> = pattern.split('.').collect();
        if !tables::PROJECT.leads(&parts) {
            wrong.push(format!("{of}: {pattern}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
