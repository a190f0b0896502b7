//! One JSON object per line, with Docker Compose 5.5's keys in its order.

use super::draw::Draw;
use super::{logrus, words};
use crate::event::Status;
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
    fn line(&mut self, out: &mut Vec<u8>, shown: &words::Line, _: Duration) {
        let (current, total) = (shown.current.unwrap_or(0), shown.total.unwrap_or(0));
        let line = Line {
            id: &shown.id,
            parent_id: shown.parent.as_deref(),
            status: match shown.status {
                Status::Working => "Working",
                Status::Done => "Done",
                Status::Warning => "Warning",
                Status::Error => "Error",
            },
            text: &shown.text,
            details: &shown.details,
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

    fn warning(&mut self, out: &mut Vec<u8>, message: &str, _: Duration, time: i64) {
        let line = logrus::json(message, &logrus::zoned(time));
        out.extend_from_slice(visible_json(&line).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_fields_are_left_out() {
        let mut out = Vec::new();
        let mut layer = words::Line::new("a1b2", Status::Working, "Downloading");
        Json.line(
            &mut out,
            &words::Line::new("Container p-a-1", Status::Working, "Creating"),
            Duration::ZERO,
        );
        layer.parent = Some("Image x".into());
        layer.current = Some(1);
        layer.total = Some(4);
        layer.details = "<1B>".into();
        Json.line(&mut out, &layer, Duration::ZERO);
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
