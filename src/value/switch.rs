//! Words that switch something on or off.

/// Reads a word as Go's `strconv.ParseBool` does; `None` where it is neither true nor false.
pub fn parse(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// Reads a variable of Docker Compose: `true`, `1`, `t` and `y` in any case mean yes, all else means no.
pub fn means_yes(text: &str) -> bool {
    matches!(
        text.trim().to_lowercase().as_str(),
        "true" | "1" | "t" | "y"
    )
}
