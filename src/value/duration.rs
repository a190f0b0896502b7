//! Durations: `1m30s`, `500ms`, `1d`.

use serde::{Deserialize, Deserializer, de};
use std::fmt;

/// A signed number of nanoseconds, written as Go writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Duration(pub i64);

const UNITS: [(&str, i64); 10] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
    ("w", 604_800_000_000_000),
];

impl Duration {
    pub const fn from_secs(secs: i64) -> Self {
        Duration(secs * 1_000_000_000)
    }

    pub fn as_nanos(self) -> i64 {
        self.0
    }

    /// Whole seconds, rounded down: the engine's stop timeout.
    pub fn as_secs(self) -> i64 {
        self.0 / 1_000_000_000
    }

    /// Reads Go's grammar with `d` and `w` added: an optional sign, then numbers with units,
    /// without spaces. `0` needs no unit.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a duration; write e.g. 30s, 1m30s or 500ms");
        let (negative, mut rest) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        if rest == "0" {
            return Ok(Duration(0));
        }
        if rest.is_empty() {
            return Err(wrong());
        }
        let mut total: f64 = 0.0;
        let mut whole: i64 = 0;
        while !rest.is_empty() {
            let unit_at = rest
                .find(|c: char| !(c.is_ascii_digit() || c == '.'))
                .ok_or_else(wrong)?;
            let number = &rest[..unit_at];
            rest = &rest[unit_at..];
            let unit_end = rest
                .find(|c: char| c.is_ascii_digit() || c == '.')
                .unwrap_or(rest.len());
            let unit = &rest[..unit_end];
            rest = &rest[unit_end..];
            let (_, nanos) = UNITS.iter().find(|(u, _)| *u == unit).ok_or_else(wrong)?;
            match number.parse::<i64>() {
                Ok(n) => {
                    whole = n
                        .checked_mul(*nanos)
                        .and_then(|n| whole.checked_add(n))
                        .ok_or_else(wrong)?;
                }
                Err(_) if !number.contains('.') => return Err(wrong()),
                Err(_) => {
                    total += number.parse::<f64>().map_err(|_| wrong())? * *nanos as f64;
                }
            }
        }
        if total >= i64::MAX as f64 {
            return Err(wrong());
        }
        let nanos = whole.checked_add(total.round() as i64).ok_or_else(wrong)?;
        Ok(Duration(if negative { -nanos } else { nanos }))
    }
}

/// Go's form: `1h0m0s`, `1m30s`, `1.5s`, `100ms`, `0s`.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let nanos = self.0.unsigned_abs();
        let fraction = |f: &mut fmt::Formatter<'_>, value: u64, scale: u64, unit: &str| {
            let (int, rest) = (value / scale, value % scale);
            if rest == 0 {
                return write!(f, "{int}{unit}");
            }
            let width = scale.ilog10() as usize;
            let digits = format!("{rest:0width$}");
            write!(f, "{int}.{}{unit}", digits.trim_end_matches('0'))
        };
        match nanos {
            0 => f.write_str("0s"),
            1..1_000 => write!(f, "{nanos}ns"),
            1_000..1_000_000 => fraction(f, nanos, 1_000, "µs"),
            1_000_000..1_000_000_000 => fraction(f, nanos, 1_000_000, "ms"),
            _ => {
                let minutes = nanos / 60_000_000_000;
                let (hours, minutes) = (minutes / 60, minutes % 60);
                if hours > 0 {
                    write!(f, "{hours}h")?;
                }
                if hours > 0 || minutes > 0 {
                    write!(f, "{minutes}m")?;
                }
                fraction(f, nanos % 60_000_000_000, 1_000_000_000, "s")
            }
        }
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Duration::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_as_go_does() {
        for (text, canonical) in [
            ("1m30s", "1m30s"),
            ("90s", "1m30s"),
            ("1h", "1h0m0s"),
            ("1d", "24h0m0s"),
            ("1w2d", "216h0m0s"),
            ("1.5s", "1.5s"),
            (".5s", "500ms"),
            ("-1s", "-1s"),
            ("+5s", "5s"),
            ("0", "0s"),
            ("100us", "100µs"),
            ("1h0m0.25s", "1h0m0.25s"),
        ] {
            assert_eq!(
                Duration::parse(text).map(|d| d.to_string()),
                Ok(canonical.to_owned()),
                "{text}"
            );
        }
        for text in ["", "100", "1h 30m", "s", "1x", "-", "1.2.3s"] {
            assert!(Duration::parse(text).is_err(), "{text}");
        }
    }
}
