//! Texts in quotes, as Go writes them.

/// Go's `strconv.Quote`.
pub fn go_quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\x07' => quoted.push_str("\\a"),
            '\x08' => quoted.push_str("\\b"),
            '\x0b' => quoted.push_str("\\v"),
            '\x0c' => quoted.push_str("\\f"),
            c if (c as u32) < 0x20 || c == '\x7f' => {
                quoted.push_str(&format!("\\x{:02x}", c as u32));
            }
            c if !is_printable(c) && (c as u32) < 0x10000 => {
                quoted.push_str(&format!("\\u{:04x}", c as u32));
            }
            c if !is_printable(c) => quoted.push_str(&format!("\\U{:08x}", c as u32)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether Go prints a character as it is: Rust escapes the same ones, but for marks that combine.
fn is_printable(c: char) -> bool {
    c.is_ascii() || c.escape_debug().len() == 1 || c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::go_quote;

    #[test]
    fn what_go_escapes() {
        for (text, quoted) in [
            ("sh -c \"x\\y\"", r#""sh -c \"x\\y\"""#),
            ("a\tb\n\u{1b}[2J", r#""a\tb\n\x1b[2J""#),
            ("…é漢🦀", "\"…é漢🦀\""),
            ("\u{200b}\u{e0001}", r#""\u200b\U000e0001""#),
        ] {
            assert_eq!(go_quote(text), quoted);
        }
    }
}
