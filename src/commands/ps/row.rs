//! A container's fields, as `--format` names them.

use super::{Listed, ports};
use crate::labels;
use crate::output::listing::Listing;
use crate::output::template::{Row, Value};
use crate::value::ago;
use crate::value::quote::go_quote;
use jiff::Zoned;

/// Names the engine a container runs on, where there are several.
pub const ENGINE_LABEL: &str = "com.docker.compose.engine";

pub const LISTING: Listing = Listing {
    table: "{{.Name}}\t{{.Image}}\t{{.Command}}\t{{.Service}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}",
    raw: Some(concat!(
        "container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\n",
        "created_at: {{.CreatedAt}}\nstate: {{- pad .State 1 0}}\nstatus: {{- pad .Status 1 0}}\n",
        "names: {{.Names}}\nlabels: {{- pad .Labels 1 0}}\nports: {{- pad .Ports 1 0}}\n",
    )),
    heads: &HEADS,
};

/// The same where some say which engine they are on.
pub const WITH_ENGINES: Listing = Listing {
    table: "{{.Name}}\t{{.Image}}\t{{.Command}}\t{{.Service}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Engine}}",
    ..LISTING
};

/// The columns' heads. Fields without one have none in Compose either.
const HEADS: [(&str, &str); 14] = [
    ("ID", "CONTAINER ID"),
    ("Name", "NAME"),
    ("Project", "PROJECT"),
    ("Service", "SERVICE"),
    ("Image", "IMAGE"),
    ("Command", "COMMAND"),
    ("CreatedAt", "CREATED AT"),
    ("RunningFor", "CREATED"),
    ("Ports", "PORTS"),
    ("State", "STATE"),
    ("Status", "STATUS"),
    ("Size", "SIZE"),
    ("Labels", "LABELS"),
    ("Engine", "ENGINE"),
];

/// All fields, by name. With `trunc` ids, commands and mounts are shortened.
pub fn row(listed: &Listed, trunc: bool, now: &Zoned) -> Row {
    let c = &listed.container;
    let label = |name: &str| c.labels.get(name).cloned().unwrap_or_default();
    let id = if trunc {
        c.id.chars().take(12).collect()
    } else {
        c.id.clone()
    };
    let command = if trunc {
        ellipsis(&c.command, 20)
    } else {
        c.command.clone()
    };
    let pairs: Vec<String> = c.labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let mounts: Vec<String> = c
        .mounts
        .iter()
        .map(|m| {
            if m.name.is_empty() {
                &m.source
            } else {
                &m.name
            }
        })
        .map(|name| {
            if trunc {
                ellipsis(name, 15)
            } else {
                name.clone()
            }
        })
        .collect();
    let networks: Vec<&str> = c.networks.keys().map(String::as_str).collect();
    let seconds = now.timestamp().as_second() - c.created;
    let fields: Vec<(&'static str, Value)> = vec![
        ("Command", go_quote(&command).into()),
        ("CreatedAt", created_at(c.created, now).into()),
        ("Engine", label(ENGINE_LABEL).into()),
        ("ExitCode", listed.exit_code.into()),
        ("Health", listed.health.into()),
        ("ID", id.into()),
        ("Image", c.image.clone().into()),
        ("Labels", pairs.join(",").into()),
        (
            "LocalVolumes",
            c.mounts
                .iter()
                .filter(|m| m.driver == "local")
                .count()
                .to_string()
                .into(),
        ),
        ("Mounts", mounts.join(",").into()),
        ("Name", c.name.clone().into()),
        ("Names", c.name.clone().into()),
        ("Networks", networks.join(",").into()),
        ("Ports", ports::shown(&c.ports).into()),
        ("Project", label(labels::PROJECT).into()),
        ("Publishers", Value::List(ports::publishers(&c.ports))),
        ("RunningFor", format!("{} ago", ago::human(seconds)).into()),
        ("Service", label(labels::SERVICE).into()),
        // The list is asked without sizes, which the engine would have to measure.
        ("Size", "0B".into()),
        ("State", c.state_word().into()),
        ("Status", c.status.clone().into()),
    ];
    Row {
        kind: "*formatter.ContainerContext",
        fields,
        labels: c.labels.clone(),
    }
}

/// Cuts to `width` characters, the last of which is then an ellipsis.
fn ellipsis(text: &str, width: usize) -> String {
    match text.chars().count() > width {
        true => text.chars().take(width - 1).chain(['…']).collect(),
        false => text.to_owned(),
    }
}

/// `2026-11-21 09:00:36 +0000 UTC`, in the local zone.
fn created_at(seconds: i64, now: &Zoned) -> String {
    let Ok(instant) = jiff::Timestamp::from_second(seconds) else {
        return String::new();
    };
    let local = instant.to_zoned(now.time_zone().clone());
    local.strftime("%Y-%m-%d %H:%M:%S %z %Z").to_string()
}
