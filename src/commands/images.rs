//! `images`: the images that the project's containers were made from.

use crate::context::Context;
use crate::engine::{ContainerSummary, Engine, ImageRecord};
use crate::error::CliError;
use crate::labels;
use crate::observe::containers_of;
use crate::output;
use crate::output::listing::{Format, section};
use crate::value::ago;
use crate::value::bytes::short_size;
use crate::value::image::Reference;
use crate::value::visible::visible_json;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct ImagesArgs {
    /// Services to show (default: all)
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// Output format: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: String,
    /// Only print image ids
    #[arg(short, long)]
    quiet: bool,
}

/// A container with what is known of its image.
struct Used {
    container: String,
    repository: String,
    tag: String,
    image: ImageRecord,
}

pub async fn run(ctx: &Context, args: ImagesArgs) -> Result<ExitCode, CliError> {
    let format = Format::parse(&args.format)
        .map_err(|e| CliError::new(e).hint("the formats are table and json"))?;
    let project = ctx.project_name()?;
    let engine = ctx.engine()?;
    let mut containers = containers_of(&*engine, &project, true).await?;
    containers.retain(|c| {
        let service = c.labels.get(labels::SERVICE);
        args.services.is_empty() || service.is_some_and(|s| args.services.contains(s))
    });
    containers.sort_by(|a, b| a.name.cmp(&b.name));
    if args.quiet {
        output::write(&ids(&containers))?;
        return Ok(ExitCode::SUCCESS);
    }
    let used = used(&*engine, &containers, ctx.limit()).await?;
    let text = match format {
        Format::Table => table(&used, jiff::Timestamp::now()),
        // Compose writes a list only where the word is written just so.
        Format::Json if args.format == "json" => visible_json(&list(&used)),
        Format::Json | Format::JsonLines => visible_json(&by_container(&used)),
    };
    output::write(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Without the algorithm of the digest, each once.
fn ids(containers: &[ContainerSummary]) -> String {
    let mut ids: Vec<&str> = Vec::new();
    for container in containers {
        let id = container.image_id.as_str();
        let id = id.split_once(':').map_or(id, |(_, hex)| hex);
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids.iter().map(|id| format!("{id}\n")).collect()
}

/// Looks every image up once. One that is there no more is known by what its container says.
async fn used(
    engine: &dyn Engine,
    containers: &[ContainerSummary],
    limit: usize,
) -> Result<Vec<Used>, CliError> {
    type Key<'a> = (&'a str, Option<&'a str>);
    let key = |c: &'_ ContainerSummary| (c.image.clone(), c.image_platform.clone());
    let wanted: std::collections::BTreeSet<Key<'_>> = containers
        .iter()
        .map(|c| (c.image.as_str(), c.image_platform.as_deref()))
        .collect();
    let found: BTreeMap<(String, Option<String>), Option<ImageRecord>> = stream::iter(wanted)
        .map(|(reference, platform)| async move {
            let record = match engine.image_record(reference, platform).await {
                Ok(record) => Some(record),
                Err(error) if error.is_not_found() => None,
                Err(error) => return Err(error),
            };
            Ok(((reference.to_owned(), platform.map(str::to_owned)), record))
        })
        .buffer_unordered(limit)
        .try_collect()
        .await?;
    Ok(containers
        .iter()
        .map(|c| {
            let (repository, tag) = name(&c.image);
            let record = found.get(&key(c)).cloned().flatten();
            let mut image = record.unwrap_or_default();
            // The id of an image of several platforms is that of all of them together.
            if image.id.is_empty() || c.image_platform.is_some() {
                image.id = c.image_id.clone();
            }
            Used {
                container: c.name.clone(),
                repository,
                tag,
                image,
            }
        })
        .collect())
}

/// The repository and the tag of a container's image; empty where the engine knows only an id.
fn name(image: &str) -> (String, String) {
    match Reference::canonical(image) {
        Ok(reference) => {
            let bare = Reference {
                tag: None,
                digest: None,
                ..reference.clone()
            };
            let is_id = reference.is_digest() && reference.digest.is_none();
            match is_id {
                true => Default::default(),
                false => (bare.familiar(), reference.tag.unwrap_or_default()),
            }
        }
        Err(_) => Default::default(),
    }
}

fn platform(image: &ImageRecord) -> &str {
    match image.platform.as_str() {
        "" => "unknown",
        known => known,
    }
}

fn table(used: &[Used], now: jiff::Timestamp) -> String {
    let or_none = |text: &str| match text {
        "" => "<none>".to_owned(),
        text => text.to_owned(),
    };
    let rows = used.iter().map(|u| {
        let id = u.image.id.strip_prefix("sha256:").unwrap_or(&u.image.id);
        let created = u.image.created.parse::<jiff::Timestamp>().ok();
        let age = created.map(|then| now.as_second() - then.as_second());
        vec![
            u.container.clone(),
            or_none(&u.repository),
            or_none(&u.tag),
            platform(&u.image).to_owned(),
            id.chars().take(12).collect(),
            short_size(u.image.size, 3),
            age.map_or("N/A".into(), |age| format!("{} ago", ago::human(age))),
        ]
    });
    let heads = [
        "CONTAINER",
        "REPOSITORY",
        "TAG",
        "PLATFORM",
        "IMAGE ID",
        "SIZE",
        "CREATED",
    ];
    section(&heads, rows)
}

/// One array; an empty line ends it, as in Docker Compose.
fn list(used: &[Used]) -> String {
    let objects = used.iter().map(|u| {
        let mut object = json!({
            "ID": u.image.id,
            "ContainerName": u.container,
            "Repository": u.repository,
            "Tag": u.tag,
            "Platform": platform(&u.image),
            "Size": u.image.size,
        });
        for (key, time) in [
            ("Created", &u.image.created),
            ("LastTagTime", &u.image.tagged),
        ] {
            if !time.is_empty() {
                object[key] = time.as_str().into();
            }
        }
        ordered(
            &object,
            &[
                "ID",
                "ContainerName",
                "Repository",
                "Tag",
                "Platform",
                "Size",
                "Created",
                "LastTagTime",
            ],
        )
    });
    let objects: Vec<String> = objects.collect();
    match objects.is_empty() {
        true => "null\n\n".into(),
        false => format!("[{}]\n\n", objects.join(",")),
    }
}

/// The fields that are there, in this order.
fn ordered(object: &Value, keys: &[&str]) -> String {
    let fields = keys.iter().filter_map(|key| {
        let value = object.get(key)?;
        Some(format!("{}:{value}", Value::from(*key)))
    });
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}

/// One object with a key for each container, laid out for people.
fn by_container(used: &[Used]) -> String {
    let object = |u: &Used| -> String {
        let parts: Vec<&str> = u.image.platform.splitn(3, '/').collect();
        let part = |at: usize| parts.get(at).copied().unwrap_or_default();
        let mut platform = Map::new();
        platform.insert("architecture".into(), part(1).into());
        platform.insert("os".into(), part(0).into());
        if !part(2).is_empty() {
            platform.insert("variant".into(), part(2).into());
        }
        let inner = |value: &Value| {
            let text = indented(value);
            text.replace('\n', "\n        ")
        };
        let created = match u.image.created.as_str() {
            "" => Value::Null,
            time => time.into(),
        };
        let tagged = match u.image.tagged.as_str() {
            "" => "0001-01-01T00:00:00Z",
            time => time,
        };
        let fields = [
            ("ID", Value::from(u.image.id.as_str())),
            ("Repository", u.repository.as_str().into()),
            ("Tag", u.tag.as_str().into()),
            ("Platform", Value::Object(platform)),
            ("Size", u.image.size.into()),
            ("Created", created),
            ("LastTagTime", tagged.into()),
        ];
        let lines: Vec<String> = fields
            .iter()
            .map(|(key, value)| format!("        \"{key}\": {}", inner(value)))
            .collect();
        format!(
            "    {}: {{\n{}\n    }}",
            Value::from(u.container.as_str()),
            lines.join(",\n")
        )
    };
    let objects: Vec<String> = used.iter().map(object).collect();
    match objects.is_empty() {
        true => "{}\n\n".into(),
        false => format!("{{\n{}\n}}\n\n", objects.join(",\n")),
    }
}

fn indented(value: &Value) -> String {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    let _ = serde::Serialize::serialize(value, &mut serializer);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests;
