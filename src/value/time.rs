//! Points in time, as `--since` and `--until` take them.

use crate::value::duration::Duration;
use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, Zoned};

/// Reads RFC 3339 (also without zone, seconds or time: then local), seconds since the epoch with
/// or without a fraction, or a duration that counts back from now. Gives what the engine takes:
/// seconds and nine decimals.
pub fn parse(text: &str, now: &Zoned) -> Result<String, String> {
    let wrong = || format!("failed to parse value as time or duration: \"{text}\"");
    let is_number = |c: char| c.is_ascii_digit() || c == '.' || c == '-';
    if text.parse::<f64>().is_ok() && text.chars().all(is_number) {
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
        let seconds: i64 = seconds.parse().map_err(|_| wrong())?;
        return Ok(format!("{seconds}.{fraction:0<9.9}"));
    }
    if let Ok(back) = Duration::parse(text) {
        let nanos = now.timestamp().as_nanosecond() - i128::from(back.as_nanos());
        return Timestamp::from_nanosecond(nanos)
            .map(shown)
            .map_err(|_| wrong());
    }
    let instant = text.parse::<Timestamp>().ok();
    let instant = instant.or_else(|| {
        let local: Option<DateTime> = match text.len() {
            10 => text.parse::<Date>().ok().map(|d| d.at(0, 0, 0, 0)),
            13 => format!("{text}:00").parse().ok(),
            _ => text.parse().ok(),
        };
        Some(local?.to_zoned(now.time_zone().clone()).ok()?.timestamp())
    });
    instant.map(shown).ok_or_else(wrong)
}

fn shown(instant: Timestamp) -> String {
    nanos(i64::try_from(instant.as_nanosecond()).unwrap_or(i64::MAX))
}

/// Nanoseconds since the epoch, as the engine takes them.
pub fn nanos(nanos: i64) -> String {
    format!(
        "{}.{:09}",
        nanos.div_euclid(1_000_000_000),
        nanos.rem_euclid(1_000_000_000)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_durations() {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let now = now.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(1)));
        for (text, expected) in [
            ("1136073600", Ok("1136073600.000000000")),
            ("1136073600.00000001", Ok("1136073600.000000010")),
            ("90s", Ok("1699999910.000000000")),
            ("1h30m", Ok("1699994600.000000000")),
            ("500ms", Ok("1699999999.500000000")),
            ("2023-11-14T22:13:20Z", Ok("1700000000.000000000")),
            ("2023-11-14T22:13:20.5Z", Ok("1700000000.500000000")),
            ("2023-11-14T23:13:20+01:00", Ok("1700000000.000000000")),
            ("2023-11-14T23:13:20", Ok("1700000000.000000000")),
            ("2023-11-14T23:13", Ok("1699999980.000000000")),
            ("2023-11-14T23", Ok("1699999200.000000000")),
            ("2023-11-14", Ok("1699916400.000000000")),
            (
                "foo",
                Err("failed to parse value as time or duration: \"foo\""),
            ),
            ("", Err("failed to parse value as time or duration: \"\"")),
            (
                "2023-99-14",
                Err("failed to parse value as time or duration: \"2023-99-14\""),
            ),
        ] {
            let found = parse(text, &now);
            assert_eq!(found.as_deref().map_err(String::as_str), expected, "{text}");
        }
    }
}
