//! Warnings in the form of Go's logrus, which Docker Compose's users and their scripts know.

use super::palette::Palette;
use crate::value::visible::visible;
use jiff::Zoned;
use std::time::Duration;

/// `time="2026-11-21T09:00:00Z" level=warning msg="…"`.
pub fn text(message: &str, now: &Zoned) -> String {
    format!(
        "time=\"{}\" level=warning msg={}\n",
        stamp(now),
        quote(message)
    )
}

/// The same as an object, its keys in alphabetical order.
pub fn json(message: &str, now: &Zoned) -> String {
    let message = serde_json::Value::from(message);
    format!(
        "{{\"level\":\"warning\",\"msg\":{message},\"time\":\"{}\"}}\n",
        stamp(now)
    )
}

/// `WARN[0001] …`: seconds since the start, and the message filled up to where fields would begin.
pub fn terminal(message: &str, elapsed: Duration, palette: Palette) -> String {
    let (level, message) = (palette.busy("WARN"), visible(message));
    format!("{level}[{:04}] {message:<44} \n", elapsed.as_secs())
}

/// An instant, in milliseconds since 1970, as the user's clock shows it.
pub fn zoned(time: i64) -> Zoned {
    let instant = jiff::Timestamp::from_millisecond(time).unwrap_or_default();
    instant.to_zoned(jiff::tz::TimeZone::system())
}

/// RFC 3339 in whole seconds, `Z` for UTC.
fn stamp(now: &Zoned) -> String {
    let text = now.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    match now.offset().seconds() {
        0 => text + "Z",
        _ => text + &now.strftime("%:z").to_string(),
    }
}

/// Go's `%q`, only where logrus quotes: a message of plain word characters stays bare.
fn quote(message: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || "-._/@^+".contains(c);
    if !message.is_empty() && message.chars().all(is_bare) {
        return message.to_owned();
    }
    let mut quoted = String::with_capacity(message.len() + 2);
    quoted.push('"');
    for c in message.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => quoted.push_str(&format!("\\x{:02x}", c as u32)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    // Go's `%q` writes what cannot be printed as an escape; what is left is of no use to anybody.
    visible(&quoted).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 09:00 UTC, told so many hours east of it.
    fn at(hours: i8) -> Zoned {
        let instant: jiff::Timestamp = "2026-11-21T09:00:00Z".parse().unwrap();
        instant.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(hours)))
    }

    #[test]
    fn it_is_logrus_to_the_byte() {
        let now = at(0);
        assert_eq!(
            text("The \"FOO\" variable is not set.\nx", &now),
            "time=\"2026-11-21T09:00:00Z\" level=warning msg=\"The \\\"FOO\\\" variable is not set.\\nx\"\n"
        );
        assert_eq!(
            json("a \"b\"", &now),
            "{\"level\":\"warning\",\"msg\":\"a \\\"b\\\"\",\"time\":\"2026-11-21T09:00:00Z\"}\n"
        );
    }

    #[test]
    fn another_zone_is_told_by_its_offset() {
        let now = at(1);
        assert_eq!(
            text("ok", &now),
            "time=\"2026-11-21T10:00:00+01:00\" level=warning msg=ok\n"
        );
    }
}
