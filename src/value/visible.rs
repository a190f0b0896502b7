//! Text of others made harmless for a terminal.
//!
//! Names, labels, values and messages come from files, containers and engines. A control character
//! in them would move the cursor, set the window's title, or turn a line around, so that the screen
//! shows something that is not there. What cannot be seen is shown in place of being obeyed, with
//! the characters that findings about files use.

use std::borrow::Cow;

/// The text with what cannot be seen made visible; line breaks and tabs stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    replaced(text, |c| matches!(c, '\n' | '\t'))
}

/// As [`visible()`], for what has to stay on one line.
pub fn visible_line(text: &str) -> Cow<'_, str> {
    replaced(text, |_| false)
}

/// As [`visible()`], for text with colours of our own: in what others say, the character that begins
/// one has been replaced already.
pub fn visible_beside_colours(text: &str) -> String {
    let parts: Vec<Cow<'_, str>> = text.split('\u{1b}').map(visible).collect();
    parts.join("\u{1b}")
}

/// JSON that says the same and has nothing invisible in it: escapes stand for what would have power
/// over a terminal.
pub fn visible_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        // What C0 has is escaped in JSON already, but for the breaks that lay it out.
        match c.is_ascii() || stand_in(c).is_none() {
            true => out.push(c),
            false => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.replace('\u{7f}', "\\u007f")
}

fn replaced(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    let seen = |c: char| match stand_in(c) {
        Some(other) if !stays(c) => other,
        _ => c,
    };
    // Most texts have nothing of the kind, and every such character but C0's is beyond ASCII.
    match text.chars().any(|c| seen(c) != c) {
        true => text.chars().map(seen).collect::<String>().into(),
        false => text.into(),
    }
}

/// What stands for a character that is not to be seen or has power over others: the control
/// characters' own pictures, and U+FFFD for those that have none.
fn stand_in(c: char) -> Option<char> {
    match c {
        // C0 has its pictures in the same order.
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)),
        '\u{7f}' => Some('\u{2421}'),
        // C1; marks, embeddings, overrides and isolates of the writing direction; line and paragraph
        // separators; zero width; tags, which are never drawn.
        '\u{80}'..='\u{9f}'
        | '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}'
        | '\u{ad}'
        | '\u{feff}'
        | '\u{e0000}'..='\u{e007f}' => Some('\u{fffd}'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_shown() {
        let table = [
            ("plain, é, 日本, 🚢", "plain, é, 日本, 🚢"),
            ("\u{1b}[2Jx", "␛[2Jx"),
            ("\u{1b}]0;title\u{7}", "␛]0;title␇"),
            ("a\rb\u{8}\u{7f}", "a␍b␈␡"),
            ("c1 \u{9b}31m", "c1 \u{fffd}31m"),
            ("abc\u{202e}cba\u{2066}", "abc\u{fffd}cba\u{fffd}"),
            ("zero\u{200b}width\u{feff}", "zero\u{fffd}width\u{fffd}"),
            ("two\nlines\tand", "two\nlines\tand"),
        ];
        for (text, expected) in table {
            assert_eq!(visible(text), expected);
        }
        assert_eq!(visible_line("two\nlines\tand"), "two␊lines␉and");
    }

    #[test]
    fn json_stays_what_it_says() {
        let value = serde_json::json!({"a\u{9b}": "\u{202e}\u{1b}é\u{e0041}\u{7f}", "b": [1]});
        let json = visible_json(&format!("{value:#}\n"));
        assert!(
            json.chars().all(|c| c == '\n' || stand_in(c).is_none()),
            "{json}"
        );
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&json).ok(),
            Some(value)
        );
    }

    #[test]
    fn ordinary_text_is_not_copied() {
        assert!(matches!(visible("web-1\n"), Cow::Borrowed(_)));
    }
}
