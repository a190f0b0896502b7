//! How many words a command takes.

use crate::error::CliError;
use std::ops::RangeInclusive;

/// Checks the number of words.
///
/// # Errors
/// Where there are too few or too many, in the words of Docker's programs.
pub fn check(
    words: &[String],
    allowed: RangeInclusive<usize>,
    usage: &str,
) -> Result<(), CliError> {
    let (least, most, given) = (*allowed.start(), *allowed.end(), words.len());
    let message = match () {
        () if allowed.contains(&given) => return Ok(()),
        () if least > 0 && most != least && most != usize::MAX => {
            format!("accepts between {least} and {most} arg(s), received {given}")
        }
        () if given < least => {
            format!("requires at least {least} arg(s), only received {given}")
        }
        () if least == most => format!("accepts {most} arg(s), received {given}"),
        () => format!("accepts at most {most} arg(s), received {given}"),
    };
    Err(CliError::new(message).hint(format!("write: {usage}")))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn the_words_are_cobra_s() {
        for (given, allowed, expected) in [
            (
                1,
                2..=2,
                Some("requires at least 2 arg(s), only received 1"),
            ),
            (3, 2..=2, Some("accepts 2 arg(s), received 3")),
            (2, 2..=2, None),
            (0, 1..=2, Some("accepts between 1 and 2 arg(s), received 0")),
            (3, 1..=2, Some("accepts between 1 and 2 arg(s), received 3")),
            (2, 0..=1, Some("accepts at most 1 arg(s), received 2")),
            (
                0,
                1..=usize::MAX,
                Some("requires at least 1 arg(s), only received 0"),
            ),
            (9, 1..=usize::MAX, None),
        ] {
            let words = vec![String::new(); given];
            let found = check(&words, allowed, "x").map_err(|e| e.to_string());
            assert_eq!(found.err().as_deref(), expected);
        }
    }
}
