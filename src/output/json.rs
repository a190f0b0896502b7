//! One JSON object per line, with Docker Compose 5.5's keys in its order.

use super::{Draw, logrus};
use crate::event::{Event, Progress};
use crate::value::visible::visible_json;
use serde::Serialize;
use std::time::Duration;

pub struct Json;

#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<&'a str>,
    status: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    text: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    details: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    current: i64,
    #[serde(skip_serializing_if = "is_zero")]
    total: i64,
    #[serde(skip_serializing_if = "is_zero")]
    percent: i64,
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

#[derive(Serialize)]
struct ErrorLine<'a> {
    error: bool,
    message: &'a str,
}

/// The line for the error a command ends with.
pub fn error(message: &str) -> String {
    go_json(&ErrorLine {
        error: true,
        message,
    })
}

/// JSON as Go's encoder writes it by default: `<`, `>` and `&` escaped.
pub fn go_json(value: &impl Serialize) -> String {
    serde_json::to_string(value)
        .unwrap_or_default()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

impl Draw for Json {
    fn event(&mut self, out: &mut Vec<u8>, event: &Event, _: Duration) {
        let (current, total) = (event.current.unwrap_or(0), event.total.unwrap_or(0));
        let line = Line {
            id: &event.id,
            parent_id: event.parent.as_deref(),
            status: match event.progress {
                Progress::Working => "Working",
                Progress::Done => "Done",
                Progress::Warning => "Warning",
                Progress::Error => "Error",
            },
            text: &event.text,
            details: &event.details,
            current,
            total,
            percent: if total > 0 {
                (current * 100 / total).min(100)
            } else {
                0
            },
        };
        out.extend_from_slice(visible_json(&go_json(&line)).as_bytes());
        out.push(b'\n');
    }

    fn warning(&mut self, out: &mut Vec<u8>, message: &str, _: Duration) {
        let line = logrus::json(message, &jiff::Zoned::now());
        out.extend_from_slice(visible_json(&line).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_fields_are_left_out() {
        let mut out = Vec::new();
        let mut layer = Event::new("a1b2", Progress::Working, "Downloading");
        Json.event(
            &mut out,
            &Event::new("Container p-a-1", Progress::Working, "Creating"),
            Duration::ZERO,
        );
        layer.parent = Some("Image x".into());
        layer.current = Some(1);
        layer.total = Some(4);
        layer.details = "<1B>".into();
        Json.event(&mut out, &layer, Duration::ZERO);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            concat!(
                "{\"id\":\"Container p-a-1\",\"status\":\"Working\",\"text\":\"Creating\"}\n",
                "{\"id\":\"a1b2\",\"parent_id\":\"Image x\",\"status\":\"Working\",\"text\":\"Downloading\",",
                "\"details\":\"\\u003c1B\\u003e\",\"current\":1,\"total\":4,\"percent\":25}\n",
            )
        );
    }
}
