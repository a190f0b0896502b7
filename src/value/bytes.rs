//! Sizes: `64m`, `1.5gb`, `1048576`.

use serde::{Deserialize, Deserializer, de};
use std::fmt;

/// A number of bytes. Units are powers of 1024 whatever their spelling, as Compose reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Bytes(pub i64);

impl Bytes {
    /// Reads Compose's grammar: a number, with decimals or an exponent, then optionally one of
    /// `b k m g t p` with an optional `b` or `ib`, in any case.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a size; write e.g. 64m, 1.5g or 1048576");
        if let Ok(n) = text.parse::<i64>() {
            return Ok(Bytes(n));
        }
        // The number reaches to the last digit, so it may have an exponent.
        let last = text
            .rfind(|c: char| c.is_ascii_digit() || c == '.' || c == ' ')
            .ok_or_else(wrong)?;
        let (number, unit) = text.split_at(last + 1);
        let number = number.strip_suffix(' ').unwrap_or(number);
        let number: f64 = number.parse().map_err(|_| wrong())?;
        if number < 0.0 {
            return Err(wrong());
        }
        let power = match unit.to_ascii_lowercase().as_str() {
            "" | "b" => 0,
            "k" | "kb" | "kib" => 1,
            "m" | "mb" | "mib" => 2,
            "g" | "gb" | "gib" => 3,
            "t" | "tb" | "tib" => 4,
            "p" | "pb" | "pib" => 5,
            _ => return Err(wrong()),
        };
        let bytes = number * 1024f64.powi(power);
        if bytes >= i64::MAX as f64 {
            return Err(format!("`{text}` is more bytes than any machine can count"));
        }
        Ok(Bytes(bytes as i64))
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A size for people, as Docker's programs show it: powers of 1000, four digits that count.
pub fn human_size(bytes: i64) -> String {
    short_size(bytes, 4)
}

/// The same with so many digits that count.
pub fn short_size(bytes: i64, digits: usize) -> String {
    const UNITS: [&str; 9] = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
    with_unit(bytes as f64, 1000.0, &UNITS, digits)
}

/// A size in powers of 1024, four digits that count.
pub fn binary_size(bytes: u64) -> String {
    const UNITS: [&str; 9] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"];
    with_unit(bytes as f64, 1024.0, &UNITS, 4)
}

fn with_unit(mut number: f64, base: f64, units: &[&str], digits: usize) -> String {
    let mut unit = 0;
    while number >= base && unit < units.len() - 1 {
        number /= base;
        unit += 1;
    }
    general(number, digits) + units[unit]
}

/// Go's `%.Ng`: so many digits that count, and no zeros at the end; with an exponent where it is
/// too large for them.
fn general(number: f64, digits: usize) -> String {
    let scientific = format!("{number:.*e}", digits.saturating_sub(1));
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let short = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if exponent < -4 || exponent >= digits as i32 {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", short(mantissa), exponent.abs());
    }
    let decimals = usize::try_from(digits as i32 - 1 - exponent).unwrap_or(0);
    short(&format!("{number:.decimals$}"))
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Form {
    Number(i64),
    Text(String),
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        match Form::deserialize(d)? {
            Form::Number(n) => Ok(Bytes(n)),
            Form::Text(t) => Bytes::parse(&t).map_err(de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_get_four_digits() {
        for (bytes, text) in [
            (0, "0B"),
            (999, "999B"),
            (1_000, "1kB"),
            (1_234_567, "1.235MB"),
            (30_000_000, "30MB"),
            (123_456_789, "123.5MB"),
            (1_024_000_000_000, "1.024TB"),
        ] {
            assert_eq!(human_size(bytes), text);
        }
    }

    #[test]
    fn sizes_are_powers_of_1024() {
        for (text, bytes) in [
            ("0", 0),
            ("-1", -1),
            ("64m", 64 << 20),
            ("64MB", 64 << 20),
            ("1 mb", 1 << 20),
            ("1.5g", 3 << 29),
            ("2kib", 2048),
            ("7b", 7),
            ("1e3", 1000),
            ("1e3 k", 1024 * 1000),
        ] {
            assert_eq!(Bytes::parse(text), Ok(Bytes(bytes)), "{text}");
        }
        for text in ["", "m", "1x", "1 2", "ten", "-1m", "1e", "1  k"] {
            assert!(Bytes::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_go_units() {
        for (bytes, three, binary) in [
            (0, "0B", "0B"),
            (999, "999B", "999B"),
            (1390, "1.39kB", "1.357KiB"),
            (126, "126B", "126B"),
            (2_026_739, "2.03MB", "1.933MiB"),
            (26_694_550, "26.7MB", "25.46MiB"),
            (6_323_000, "6.32MB", "6.03MiB"),
            (25_276_510_208, "25.3GB", "23.54GiB"),
            (999_900, "1e+03kB", "976.5KiB"),
        ] {
            assert_eq!(short_size(bytes, 3), three);
            assert_eq!(binary_size(bytes as u64), binary);
        }
        assert_eq!(human_size(999_960), "1e+03kB".replace("1e+03", "1000"));
        assert_eq!(human_size(56_700_000), "56.7MB");
    }
}
