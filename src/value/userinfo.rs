//! User names and passwords in addresses (`https://NAME:PASSWORD@host`): found in any text, so that
//! what is shown to people does not hold them.
//!
//! A name alone may be a token (`https://TOKEN@host`) and is hidden too. Only a login name of ssh
//! stays: it is no secret, and says which user's key is asked for.

use std::borrow::Cow;
use std::ops::Range;

/// What is shown instead.
const MASK: &str = "***";

/// The text with a mask for every name and password of an address in it.
pub fn masked(text: &str) -> Cow<'_, str> {
    replaced(text, |_, out| out.push_str(MASK))
}

/// The same with as many stars as there were signs, so that columns stay.
pub fn masked_in_place(text: &str) -> Cow<'_, str> {
    replaced(text, |secret, out| {
        out.extend(secret.chars().map(|_| '*'));
    })
}

/// The text with addresses that hold neither name nor password, as ones without a login are.
pub fn removed(text: &str) -> String {
    let marked = replaced(text, |_, out| out.push('\0'));
    // Behind a login name of ssh only the password goes.
    marked.replace(":\0@", "@").replace("\0@", "")
}

fn replaced(text: &str, mask: impl Fn(&str, &mut String)) -> Cow<'_, str> {
    let secrets = secrets(text);
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for secret in secrets {
        out.push_str(&text[from..secret.start]);
        mask(&text[secret.clone()], &mut out);
        from = secret.end;
    }
    out.push_str(&text[from..]);
    Cow::Owned(out)
}

/// The bytes of what is secret beyond doubt: passwords, and the name alone in an address of HTTP,
/// which may be a token. Any other name tells what a change is about.
pub(super) fn passwords(text: &str) -> Vec<Range<usize>> {
    let found = secrets(text).into_iter().filter_map(|range| {
        let before = &text[..range.start];
        // Behind the login name of ssh it is the password alone.
        if before.ends_with(':') {
            return Some(range);
        }
        let is_http = scheme(before.trim_end_matches("://")).starts_with("http");
        match text[range.clone()].find(':') {
            Some(colon) => Some(range.start + colon + 1..range.end),
            None => is_http.then_some(range),
        }
    });
    found.collect()
}

/// The bytes of the secret parts of all addresses in a text, each up to its `@`.
fn secrets(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find("://") {
        let (scheme, start) = (scheme(&text[..from + at]), from + at + 3);
        from = start;
        let Some(length) = userinfo(&text[start..]) else {
            continue;
        };
        from = start + length;
        let user = &text[start..from];
        match (scheme.ends_with("ssh"), user.find(':')) {
            (true, None) => {}
            (true, Some(colon)) => found.push(start + colon + 1..from),
            (false, _) => found.push(start..from),
        }
    }
    found.retain(|range| !range.is_empty());
    found
}

/// The letters before `://`.
fn scheme(before: &str) -> &str {
    let is_of = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let start = before
        .char_indices()
        .rev()
        .take_while(|(_, c)| is_of(*c))
        .last();
    start.map_or("", |(at, _)| &before[at..])
}

/// How many bytes of an address behind its scheme are name and password.
fn userinfo(rest: &str) -> Option<usize> {
    let ends_word =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '`' | '<' | '>');
    let word = &rest[..rest.find(ends_word).unwrap_or(rest.len())];
    let authority = &word[..word.find(['/', '?', '#']).unwrap_or(word.len())];
    if let Some(at) = authority.rfind('@') {
        return Some(at);
    }
    // A password with a `/` that nobody has encoded: what should be a port is none.
    let is_port = |port: &str| port.bytes().all(|b| b.is_ascii_digit());
    match authority.split_once(':') {
        Some((host, port)) if !host.starts_with('[') && !is_port(port) => word.rfind('@'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_passwords_are_hidden_wherever_they_stand() {
        let table = [
            (
                "https://u:secret@h.example/a.git",
                "https://***@h.example/a.git",
            ),
            (
                "https://TOKEN@h.example/a.git#main:x",
                "https://***@h.example/a.git#main:x",
            ),
            ("https://:secret@h/a", "https://***@h/a"),
            ("https://u:a@b@h/a", "https://***@h/a"),
            ("HTTP://u:p@[::1]:81/a", "HTTP://***@[::1]:81/a"),
            ("https://u:p/w#d@h.example/a", "https://***@h.example/a"),
            (
                "postgres://app:hunter2@db/x?y=a@b",
                "postgres://***@db/x?y=a@b",
            ),
            (
                "x=https://a@b,y=\"https://c:d@e\"",
                "x=https://***@b,y=\"https://***@e\"",
            ),
            ("oci://u:p@reg/app:1", "oci://***@reg/app:1"),
            ("ssh://git@h.example/a", "ssh://git@h.example/a"),
            ("ssh://git:secret@h.example/a", "ssh://git:***@h.example/a"),
            ("git+ssh://git@h/a", "git+ssh://git@h/a"),
            (
                "fatal: for 'https://é:ü@h/': no",
                "fatal: for 'https://***@h/': no",
            ),
            // No names: nothing to hide.
            ("https://h.example:81/a@b", "https://h.example:81/a@b"),
            (
                "https://h.example/a.git?x=a@b",
                "https://h.example/a.git?x=a@b",
            ),
            ("git@h.example:a.git", "git@h.example:a.git"),
            ("me@h see https://h/ or a@b", "me@h see https://h/ or a@b"),
            ("https://[::1]:81/a@b", "https://[::1]:81/a@b"),
            ("https://@h/", "https://@h/"),
            ("://", "://"),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(masked(text), expected, "{text}");
            let stars = masked_in_place(text);
            assert_eq!(stars.chars().count(), text.chars().count(), "{text}");
            assert_eq!(stars == text, expected == text, "{text}");
            // Twice is as good as once.
            assert_eq!(masked(expected), expected, "{text}");
        }
    }

    #[test]
    fn addresses_without_a_login() {
        for (text, expected) in [
            ("url = https://u:p@h/a\n", "url = https://h/a\n"),
            ("url = https://T@h/a\n", "url = https://h/a\n"),
            ("url = ssh://git:p@h/a\n", "url = ssh://git@h/a\n"),
            ("url = ssh://git@h/a\n", "url = ssh://git@h/a\n"),
        ] {
            assert_eq!(removed(text), expected);
        }
    }
}
