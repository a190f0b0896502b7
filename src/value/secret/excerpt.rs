//! Lines of a file of settings without the secrets in them, byte for byte as long as they were.

use super::words::is_reference;
use super::{is_secret_name, replaced, secrets};
use std::borrow::Cow;
use std::ops::Range;

/// Lines of YAML or of an env file with stars for secrets: one for each byte, so that places in the
/// lines stay what they are.
pub fn mask_excerpt(lines: &str) -> Cow<'_, str> {
    let mut found = secrets(lines, true);
    let mut start = 0;
    for line in lines.split_inclusive('\n') {
        let end = line.trim_end().len();
        found.extend(setting(&line[..end]).map(|at| start + at.start..start + at.end));
        start += line.len();
    }
    let star = |b: u8| if b == b'\n' { '\n' } else { '*' };
    replaced(lines, found, |secret| secret.bytes().map(star).collect())
}

/// The value of a line that sets a secret: `- NAME: value`, `NAME=value`, `export NAME=value`.
fn setting(line: &str) -> Option<Range<usize>> {
    let colon = line.find(": ");
    let at = match (colon, line.find('=')) {
        (Some(colon), Some(equals)) => colon.min(equals),
        (colon, equals) => colon.or(equals)?,
    };
    let name = line[..at].trim_start_matches([' ', '\t', '-', '"', '\'', '{', '?']);
    let name = name.trim_end_matches([' ', '"', '\'']);
    let name = name.strip_prefix("export ").unwrap_or(name);
    // The list of those that a service uses is none.
    let is_list = matches!(name, "secrets" | "key");
    if is_list || name.contains(char::is_whitespace) || !is_secret_name(name) {
        return None;
    }
    let value = &line[at + 1..];
    let start = line.len() - value.trim_start().len();
    // An anchor, an alias, a flow collection, a variable alone: the secret is elsewhere.
    let value = &line[start..];
    let is_elsewhere = value.starts_with(['*', '&', '[', '{', '|', '>', '!']);
    let is_elsewhere = is_elsewhere || is_reference(value);
    (!is_elsewhere).then_some(start..line.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stay() {
        let table = [
            ("    DB_PASSWORD: hunter2", "    DB_PASSWORD: *******"),
            ("    - \"API_KEY=a é c\"", "    - \"API_KEY=*******"),
            ("export TOKEN=x y", "export TOKEN=***"),
            ("  secrets: [db, web]", "  secrets: [db, web]"),
            ("  TOKEN: ${TOKEN}", "  TOKEN: ${TOKEN}"),
            ("  TOKEN: ${T:?set it}", "  TOKEN: ${T:?set it}"),
            ("  TOKEN: ${T:-ab}", "  TOKEN: ********"),
            ("  URL: redis://:pw1@h/0 # x", "  URL: redis://:***@h/0 # x"),
            (
                "  image: web:1\n  PASS: a\n  x: y",
                "  image: web:1\n  PASS: *\n  x: y",
            ),
            (
                "  command: [--requirepass, pw1]",
                "  command: [--requirepass, ****",
            ),
            ("  token_file: ./x", "  token_file: ./x"),
        ];
        for (line, expected) in table {
            let masked = mask_excerpt(line);
            assert_eq!(masked, expected);
            assert_eq!(masked.len(), line.len());
        }
    }
}
