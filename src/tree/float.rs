//! Floats as Go writes them, so that what is printed and hashed agrees with Docker Compose.

/// As text: what a number becomes where text is wanted. `0.5`, `100000`, `1e+06`, `+Inf`.
pub fn plain(value: f64) -> String {
    if value.is_nan() {
        "NaN".into()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.into()
    } else {
        written(value, -4, 6)
    }
}

/// As Go's YAML encoder does: as [`plain`], but `.inf`, `-.inf` and `.nan`.
pub fn yaml(value: f64) -> String {
    if value.is_nan() {
        ".nan".into()
    } else if value.is_infinite() {
        if value > 0.0 { ".inf" } else { "-.inf" }.into()
    } else {
        written(value, -4, 6)
    }
}

/// As Go's JSON encoder does: `1000000`, `1e+21`, `1e-7`. JSON has no word for infinities; they
/// become null.
pub fn json(value: f64) -> String {
    if !value.is_finite() {
        return "null".into();
    }
    let text = written(value, -6, 21);
    match text.split_once("e-0") {
        Some((mantissa, digit)) => format!("{mantissa}e-{digit}"),
        None => text,
    }
}

/// The shortest digits that read back as the same float; with an exponent of at least two digits
/// where it is below `low` or not below `high`.
fn written(value: f64, low: i32, high: i32) -> String {
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if value != 0.0 && (exponent < low || exponent >= high) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    format!("{value}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_look_as_go_writes_them() {
        // value, text, YAML, JSON
        let table = [
            (0.5, "0.5", "0.5", "0.5"),
            (1.0, "1", "1", "1"),
            (100_000.0, "100000", "100000", "100000"),
            (1e6, "1e+06", "1e+06", "1000000"),
            (1_234_567.5, "1.2345675e+06", "1.2345675e+06", "1234567.5"),
            (1e21, "1e+21", "1e+21", "1e+21"),
            (
                1.234_567_890_123_456_8e22,
                "1.2345678901234568e+22",
                "1.2345678901234568e+22",
                "1.2345678901234568e+22",
            ),
            (0.0001, "0.0001", "0.0001", "0.0001"),
            (0.00001, "1e-05", "1e-05", "0.00001"),
            (1e-6, "1e-06", "1e-06", "0.000001"),
            (1e-7, "1e-07", "1e-07", "1e-7"),
            (1e-10, "1e-10", "1e-10", "1e-10"),
            (-0.0, "-0", "-0", "-0"),
            (f64::INFINITY, "+Inf", ".inf", "null"),
            (f64::NEG_INFINITY, "-Inf", "-.inf", "null"),
            (f64::NAN, "NaN", ".nan", "null"),
        ];
        for (value, text, in_yaml, in_json) in table {
            assert_eq!(plain(value), text);
            assert_eq!(yaml(value), in_yaml);
            assert_eq!(json(value), in_json);
        }
    }
}
