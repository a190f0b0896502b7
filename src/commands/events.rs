//! `events`: what happens to the project's containers.

use crate::context::{Context, Target};
use crate::engine::{EngineEvent, Period};
use crate::error::CliError;
use crate::labels;
use crate::output;
use crate::output::json::go_json;
use crate::value::time;
use crate::value::visible::visible_json;
use futures::StreamExt;
use jiff::{Timestamp, Zoned};
use serde_json::json;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct EventsArgs {
    /// Services to follow (default: all)
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    /// Also print events since then: a time (2026-01-02T13:23:37Z) or how long ago (42m)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Stop at this time, with exit code 1 as Docker Compose does
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

pub async fn run(ctx: &Context, args: EventsArgs) -> Result<ExitCode, CliError> {
    let now = Zoned::now();
    let time = |given: &Option<String>| match given.as_deref() {
        None | Some("") => Ok(None),
        Some(text) => match time::parse(text, &now) {
            Ok(time) => Ok(Some(time)),
            Err(why) => Err(CliError::new(why)
                .hint("write a time like 2026-01-02T13:23:37Z, or a duration like 42m")),
        },
    };
    let period = Period {
        since: time(&args.since)?,
        until: time(&args.until)?,
    };
    let Target { name, project, .. } = ctx.target(&args.services)?;
    if let Some(project) = &project {
        project.resolve_names(&args.services)?;
    }
    let engine = ctx.engine()?;
    let wanted = vec![format!("{}={name}", labels::PROJECT)];
    let mut events = engine.events_within(wanted, period);
    while let Some(event) = events.next().await {
        let event = event?;
        if is_meant(&event, &args.services) {
            let text = match args.json {
                true => as_json(&event, &now),
                false => as_text(&event, &now),
            };
            output::tell(&text)?;
        }
    }
    // Docker Compose ends so when the time is reached, or the engine ends the stream.
    Err(CliError::new("EOF"))
}

/// Whether it is about a replica of one of the services; none named are all.
fn is_meant(event: &EngineEvent, services: &[String]) -> bool {
    let label = |key: &str| event.attributes.get(key).map_or("", String::as_str);
    let service = label(labels::SERVICE);
    label(labels::ONEOFF) != "True"
        && (services.is_empty() || services.iter().any(|named| named == service))
}

/// What neither Compose nor regatta has put there.
fn attributes(event: &EngineEvent) -> impl Iterator<Item = (&String, &String)> {
    event
        .attributes
        .iter()
        .filter(|(key, _)| !labels::is_own(key))
}

/// The event's time in the zone of `now`.
fn local(event: &EngineEvent, now: &Zoned) -> Zoned {
    let instant = Timestamp::from_nanosecond(i128::from(event.time_nano)).unwrap_or_default();
    instant.to_zoned(now.time_zone().clone())
}

fn as_text(event: &EngineEvent, now: &Zoned) -> String {
    let pairs: Vec<String> = attributes(event).map(|(k, v)| format!("{k}={v}")).collect();
    format!(
        "{} container {} {} ({})\n\n",
        local(event, now).strftime("%Y-%m-%d %H:%M:%S.%6f"),
        event.action,
        event.id,
        pairs.join(", ")
    )
}

fn as_json(event: &EngineEvent, now: &Zoned) -> String {
    let service = event.attributes.get(labels::SERVICE);
    let attributes: serde_json::Map<_, _> = attributes(event)
        .map(|(k, v)| (k.clone(), v.as_str().into()))
        .collect();
    let object = json!({
        "action": event.action,
        "attributes": attributes,
        "id": event.id,
        "service": service.map_or("", String::as_str),
        "time": rfc3339(&local(event, now)),
        "type": "container",
    });
    visible_json(&go_json(&object)) + "\n"
}

/// RFC 3339 with as many decimals as there are.
fn rfc3339(time: &Zoned) -> String {
    let seconds = time.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let fraction = format!(".{:09}", time.subsec_nanosecond());
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    let zone = match time.offset().is_zero() {
        true => "Z".to_owned(),
        false => time.strftime("%:z").to_string(),
    };
    format!("{seconds}{fraction}{zone}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(attributes: &[(&str, &str)]) -> EngineEvent {
        let more = attributes
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        EngineEvent {
            action: "die".into(),
            id: "abc".into(),
            attributes: more.collect(),
            time_nano: 1_795_985_394_244_041_150,
        }
    }

    fn at(hours: i8) -> Zoned {
        let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(hours));
        Timestamp::UNIX_EPOCH.to_zoned(zone)
    }

    #[test]
    fn the_lines_are_compose_s() {
        let event = event(&[
            (labels::SERVICE, "web"),
            ("name", "p-web-1"),
            ("x.k", "v<1>"),
            ("exitCode", "3"),
            (labels::SPEC, "{}"),
        ]);
        assert_eq!(
            as_text(&event, &at(0)),
            "2026-11-29 20:49:54.244041 container die abc (exitCode=3, name=p-web-1, x.k=v<1>)\n\n"
        );
        assert_eq!(
            as_json(&event, &at(0)),
            concat!(
                r#"{"action":"die","attributes":{"exitCode":"3","name":"p-web-1","x.k":"v\u003c1\u003e"},"#,
                r#""id":"abc","service":"web","time":"2026-11-29T20:49:54.24404115Z","type":"container"}"#,
                "\n"
            )
        );
        assert!(as_json(&event, &at(2)).contains("\"2026-11-29T22:49:54.24404115+02:00\""));
    }

    #[test]
    fn one_offs_and_other_services_are_left_out() {
        for (labels, services, expected) in [
            (&[(labels::SERVICE, "web")][..], &[][..], true),
            (&[(labels::SERVICE, "web")], &["web"], true),
            (&[(labels::SERVICE, "web")], &["db"], false),
            (
                &[(labels::SERVICE, "web"), (labels::ONEOFF, "True")],
                &[],
                false,
            ),
            (&[], &["db"], false),
        ] {
            let services: Vec<String> = services.iter().map(|s| (*s).to_owned()).collect();
            assert_eq!(is_meant(&event(labels), &services), expected, "{labels:?}");
        }
    }
}
