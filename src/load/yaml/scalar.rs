//! What a scalar means: the typing rules of go-yaml 4, which Docker Compose reads files with.
//!
//! They are neither YAML 1.1 nor 1.2: `0644` and `0o644` are octal, `1_000` is a number, `yes`
//! is text, a whole number too big for 64 bits becomes a float, and a date is a point in time.
//! A number that only fits without a sign is kept as its digits, a point in time in RFC 3339.

use crate::tree::Value;
use crate::value::number::big;

/// The part of a tag that matters for typing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hint<'a> {
    /// No tag: the text decides.
    None,
    /// A tag of YAML's own, e.g. `int` of `!!int`.
    Core(&'a str),
    /// Any other tag: the text stays text.
    Custom,
}

/// The value of a plain scalar, or of any scalar under a tag of YAML's own.
///
/// # Errors
/// What the text is, where it does not fit the tag.
pub(super) fn typed(text: &str, hint: Hint<'_>) -> Result<Value, String> {
    let wanted = match hint {
        Hint::None => return Ok(plain(text)),
        Hint::Custom => return Ok(Value::from(text)),
        Hint::Core(name) => name,
    };
    if wanted == "str" {
        return Ok(Value::from(text));
    }
    if wanted == "timestamp" {
        let time = timestamp(text).map(|time| Value::Verbatim(time.into()));
        return time.ok_or_else(|| format!("`{text}` is tagged !!timestamp, but is not one"));
    }
    if wanted == "merge" {
        return Err("!!merge belongs to a key, as in `!!merge <<: *name`".to_owned());
    }
    let value = plain(text);
    match (wanted, &value) {
        ("null", Value::Null)
        | ("bool", Value::Bool(_))
        | ("int", Value::Int(_))
        | ("float", Value::Float(_)) => Ok(value),
        ("int", Value::Verbatim(text)) if big(text).is_some() => Ok(value),
        ("float", Value::Int(i)) => Ok(Value::Float(*i as f64)),
        ("float", Value::Verbatim(text)) if big(text).is_some() => {
            Ok(Value::Float(big(text).unwrap_or_default()))
        }
        ("null" | "bool" | "int" | "float", _) => {
            Err(format!("`{text}` is tagged !!{wanted}, but is not one"))
        }
        // `!!set` and the like do not change what Compose gets to see.
        _ => Ok(Value::from(text)),
    }
}

/// The value of a plain scalar without a tag.
pub(super) fn plain(text: &str) -> Value {
    let Some(first) = text.bytes().next() else {
        return Value::Null;
    };
    match first {
        b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' => word(text),
        b'.' => match text {
            ".nan" | ".NaN" | ".NAN" => Value::Float(f64::NAN),
            ".inf" | ".Inf" | ".INF" => Value::Float(f64::INFINITY),
            _ => float(text).unwrap_or_else(|| Value::from(text)),
        },
        b'+' | b'-' | b'0'..=b'9' => match number(text) {
            Some(number) => number,
            None => match timestamp(text) {
                Some(time) => Value::Verbatim(time.into()),
                None => Value::from(text),
            },
        },
        _ => Value::from(text),
    }
}

fn word(text: &str) -> Value {
    match text {
        "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => Value::from(text),
    }
}

fn number(text: &str) -> Option<Value> {
    match text {
        "+.inf" | "+.Inf" | "+.INF" => return Some(Value::Float(f64::INFINITY)),
        "-.inf" | "-.Inf" | "-.INF" => return Some(Value::Float(f64::NEG_INFINITY)),
        "-0" | "-0.0" => return Some(Value::Float(-0.0)),
        _ => {}
    }
    let without;
    let digits = if text.contains('_') {
        without = text.replace('_', "");
        &without
    } else {
        text
    };
    let whole = integer(digits).map(|whole| match (i64::try_from(whole), u64::try_from(whole)) {
        (Ok(whole), _) => Some(Value::Int(whole)),
        (Err(_), Ok(whole)) => Some(Value::Verbatim(whole.to_string().into())),
        _ => None,
    });
    whole.flatten().or_else(|| float(digits))
}

/// A whole number as Go's `ParseInt` or `ParseUint` reads it with base 0.
fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    // `from_str_radix` takes a second sign, which would let `+-1` through.
    if !digits.bytes().next()?.is_ascii_alphanumeric() {
        return None;
    }
    let magnitude = i128::from(u64::from_str_radix(digits, radix).ok()?);
    Some(if negative { -magnitude } else { magnitude })
}

/// A decimal float: `1`, `1.`, `.5`, `1e3`, `+1.5E-2`; not `inf`, not `1e999`.
fn float(text: &str) -> Option<Value> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    if let Some(exponent) = exponent {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if digits.is_empty() || !all_digits(digits) {
            return None;
        }
    }
    let value: f64 = text.parse().ok()?;
    value.is_finite().then_some(Value::Float(value))
}

/// Whether a plain scalar is text, and the very text that it is written as.
pub(super) fn is_text(text: &str) -> bool {
    match text.bytes().next() {
        None => false,
        // The longest word that is no text is `false`.
        Some(b'n' | b'N' | b't' | b'T' | b'f' | b'F') if text.len() > 5 => true,
        Some(b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'.' | b'+' | b'-' | b'0'..=b'9') => {
            matches!(plain(text), Value::Str(meant) if meant == text)
        }
        Some(_) => true,
    }
}

/// Whether a plain scalar that begins with a sign or a digit is a number.
pub(super) fn is_number(text: &str) -> bool {
    number(text).is_some()
}

/// Whether go-yaml takes a plain scalar for a point in time.
pub(super) fn is_timestamp(text: &str) -> bool {
    timestamp(text).is_some()
}

/// A point in time in RFC 3339: `2024-01-02` becomes `2024-01-02T00:00:00Z`.
///
/// Taken are a date as `2024-1-2`, and a date and a time with `T` and a zone, or with a space and
/// no zone.
pub(super) fn timestamp(text: &str) -> Option<String> {
    let year_ends = text.bytes().position(|b| !b.is_ascii_digit())?;
    if year_ends != 4 || text.as_bytes()[4] != b'-' {
        return None;
    }
    let (date, time) = text.split_at(text.find(['T', 't', ' ']).unwrap_or(text.len()));
    let date = date_text(date)?;
    let (clock, zone) = match time.chars().next() {
        None => ("00:00:00".to_owned(), "Z".to_owned()),
        Some('T' | 't') => zoned_time(&time[1..])?,
        Some(_) => (clock_text(&time[1..])?, "Z".to_owned()),
    };
    Some(format!("{date}T{clock}{zone}"))
}

fn digits(text: &str, lengths: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let fits = lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

fn date_text(text: &str) -> Option<String> {
    let mut parts = text.splitn(3, '-');
    let year = digits(parts.next()?, 4..=4)?;
    let month = digits(parts.next()?, 1..=2)?;
    let day = digits(parts.next()?, 1..=2)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    (1..=days)
        .contains(&day)
        .then(|| format!("{year:04}-{month:02}-{day:02}"))
}

fn zoned_time(text: &str) -> Option<(String, String)> {
    if let Some(time) = text.strip_suffix('Z') {
        return Some((clock_text(time)?, "Z".to_owned()));
    }
    let (time, zone) = text.split_at(text.rfind(['+', '-'])?);
    let (hours, minutes) = zone[1..].split_once(':')?;
    let (hours, minutes) = (digits(hours, 2..=2)?, digits(minutes, 2..=2)?);
    if hours > 24 || minutes > 60 {
        return None;
    }
    let zone = match hours + minutes {
        0 => "Z".to_owned(),
        _ => format!("{}{hours:02}:{minutes:02}", &zone[..1]),
    };
    Some((clock_text(time)?, zone))
}

fn clock_text(text: &str) -> Option<String> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let mut parts = clock.splitn(3, ':');
    let hours = digits(parts.next()?, 1..=2).filter(|h| *h < 24)?;
    let minutes = digits(parts.next()?, 1..=2).filter(|m| *m < 60)?;
    let seconds = digits(parts.next()?, 1..=2).filter(|s| *s < 60)?;
    let mut clock = format!("{hours:02}:{minutes:02}:{seconds:02}");
    if let Some(fraction) = fraction {
        digits(&fraction[..fraction.len().min(9)], 1..=9)?;
        let significant = fraction.get(..9).unwrap_or(fraction).trim_end_matches('0');
        if !significant.is_empty() {
            clock = format!("{clock}.{significant}");
        }
    }
    Some(clock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_mean_what_compose_takes_them_for() {
        let int = |i: i64| Value::Int(i);
        let float = Value::Float;
        let text = |s: &str| Value::from(s);
        let table = [
            ("", Value::Null),
            ("~", Value::Null),
            ("null", Value::Null),
            ("Null", Value::Null),
            ("nULL", text("nULL")),
            ("true", Value::Bool(true)),
            ("TRUE", Value::Bool(true)),
            ("tRUE", text("tRUE")),
            ("False", Value::Bool(false)),
            ("yes", text("yes")),
            ("on", text("on")),
            ("n", text("n")),
            ("12", int(12)),
            ("+12", int(12)),
            ("-12", int(-12)),
            ("+-12", text("+-12")),
            ("0", int(0)),
            ("-0", float(-0.0)),
            ("0644", int(420)),
            ("0o644", int(420)),
            ("089", float(89.0)),
            ("09.5", float(9.5)),
            ("0x1F", int(31)),
            ("0x", text("0x")),
            ("0x_1", int(1)),
            ("-0b11", int(-3)),
            ("0b2", text("0b2")),
            ("1_000", int(1000)),
            ("1__0", int(10)),
            ("22:22", text("22:22")),
            ("190:20:30", text("190:20:30")),
            ("9223372036854775807", int(i64::MAX)),
            ("-9223372036854775808", int(i64::MIN)),
            ("12345678901234567890123", float(1.234_567_890_123_456_8e22)),
            (".5", float(0.5)),
            ("1.", float(1.0)),
            ("1e3", float(1000.0)),
            ("1e400", text("1e400")),
            (".", text(".")),
            ("-", text("-")),
            (".inf", float(f64::INFINITY)),
            ("-.INF", float(f64::NEG_INFINITY)),
            ("1.2.3", text("1.2.3")),
            ("10.0.0.1", text("10.0.0.1")),
            ("2024-01-01", Value::Verbatim("2024-01-01T00:00:00Z".into())),
            ("9223372036854775807", Value::Int(i64::MAX)),
            (
                "0x8000000000000000",
                Value::Verbatim("9223372036854775808".into()),
            ),
            (
                "18446744073709551615",
                Value::Verbatim("18446744073709551615".into()),
            ),
            ("18446744073709551616", float(18446744073709551616.0)),
            ("-9223372036854775809", float(-9223372036854775809.0)),
            ("2024-13-01", text("2024-13-01")),
            ("1h", text("1h")),
        ];
        for (input, expected) in table {
            assert_eq!(plain(input), expected, "{input:?}");
        }
        assert!(matches!(plain(".NaN"), Value::Float(f) if f.is_nan()));
    }

    #[test]
    fn points_in_time_are_recognised() {
        for (text, meaning) in [
            ("2024-01-02", "2024-01-02T00:00:00Z"),
            ("2024-1-2", "2024-01-02T00:00:00Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z"),
            (
                "2001-12-14t21:59:43.10-05:00",
                "2001-12-14T21:59:43.1-05:00",
            ),
            ("2001-12-14T21:59:43Z", "2001-12-14T21:59:43Z"),
            ("2001-12-14 21:59:43.10", "2001-12-14T21:59:43.1Z"),
            ("2001-12-14 1:2:3", "2001-12-14T01:02:03Z"),
        ] {
            assert_eq!(timestamp(text).as_deref(), Some(meaning));
        }
        for no in [
            "2024-13-01",
            "2023-02-29",
            "24-01-02",
            "2024-01",
            "2024-01-02T",
            "2024-01-02T10:00:00",
            "2024-01-02 10:00",
            "2024-01-02 10:00:00 Z",
            "2024-001-02",
        ] {
            assert!(!is_timestamp(no), "{no}");
        }
    }

    #[test]
    fn tags_of_yaml_overrule_the_look_of_a_scalar() {
        assert_eq!(typed("12", Hint::Core("str")), Ok(Value::from("12")));
        assert_eq!(typed("12", Hint::Core("int")), Ok(Value::Int(12)));
        assert_eq!(typed("3", Hint::Core("float")), Ok(Value::Float(3.0)));
        assert_eq!(typed("12", Hint::Custom), Ok(Value::from("12")));
        assert!(typed("yes", Hint::Core("bool")).is_err());
        let time = Value::Verbatim("2001-12-14T00:00:00Z".into());
        assert_eq!(typed("2001-12-14", Hint::Core("timestamp")), Ok(time));
        assert!(typed("soon", Hint::Core("timestamp")).is_err());
        assert!(typed("<<", Hint::Core("merge")).is_err());
    }
}
