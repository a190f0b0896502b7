//! Which values are secrets, and how a text is shown without them.
//!
//! A secret is told by its name (`DB_PASSWORD`), by its place (the password of an address, what
//! follows `Bearer` or `--requirepass`), by its shape (a private key, a token of a known kind), or
//! because the project declares it ([`Known`]). In its place stands a digest, so that a change
//! still shows. A guess of the secret could be checked with it, hence it is a short one.

mod excerpt;
mod known;
mod values;
mod words;

pub use excerpt::mask_excerpt;
pub use known::Known;
pub use values::Masking;
pub use words::is_reference;

use super::userinfo;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::ops::Range;

/// Parts of a name that make its value a secret.
const SECRET_WORDS: [&str; 8] = [
    "PASS",
    "SECRET",
    "TOKEN",
    "KEY",
    "CREDENTIAL",
    "AUTH",
    "PWD",
    "DSN",
];

/// Names that have such a part and tell of no secret: the shell's own working directories, and the
/// option of ours that takes no value.
const NO_SECRETS: [&str; 3] = ["PWD", "OLDPWD", "--SHOW-SECRETS"];

/// Endings of names that say where the secret is: `POSTGRES_PASSWORD_FILE`, `--password-file`.
const PLACES: [&str; 6] = ["_FILE", "_PATH", "-FILE", "-PATH", ".FILE", ".PATH"];

/// Whether the value of what has this name (a variable, a label, an option) should not be shown.
pub fn is_secret_name(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let is_place = PLACES.iter().any(|ending| upper.ends_with(ending));
    !is_place
        && !NO_SECRETS.contains(&upper.as_str())
        && SECRET_WORDS.iter().any(|word| upper.contains(word))
}

/// What stands for a secret. Nothing is none.
pub fn stand_in(secret: &str) -> String {
    // What stands for one stays.
    if secret.is_empty() || is_stand_in(secret) {
        return secret.to_owned();
    }
    let hash = Sha256::digest(secret.as_bytes());
    let hex: String = hash[..DIGITS / 2]
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    format!("{BEGIN}{hex})")
}

/// What a stand-in begins with, and how many digits follow.
const BEGIN: &str = "(secret ";
const DIGITS: usize = 6;

/// What stands for a secret of which only the first digits of the SHA-256 digest are left.
pub fn stand_in_of_digest(hex: &str) -> Option<String> {
    let digits = hex.get(..DIGITS)?;
    let nothing = Sha256::digest(b"");
    if digits.as_bytes()
        == format!("{:02x}{:02x}{:02x}", nothing[0], nothing[1], nothing[2]).as_bytes()
    {
        return Some(String::new());
    }
    let is_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
    is_hex.then(|| format!("{BEGIN}{digits})"))
}

/// The text with stand-ins for the secrets in it. What was masked before stays as it is.
pub fn mask(text: &str) -> Cow<'_, str> {
    replaced(text, secrets(text, true), stand_in)
}

/// As [`mask`], for sentences: what only a file of settings would mean by `name: value` is none.
pub fn mask_sentence(text: &str) -> Cow<'_, str> {
    replaced(text, secrets(text, false), stand_in)
}

/// As [`mask_sentence`] with as many stars as the secret has characters, so that columns stay.
pub fn mask_in_place(text: &str) -> Cow<'_, str> {
    let star = |c: char| if c == '\n' { c } else { '*' };
    replaced(text, secrets(text, false), |secret| {
        secret.chars().map(star).collect()
    })
}

fn replaced(text: &str, mut found: Vec<Range<usize>>, by: impl Fn(&str) -> String) -> Cow<'_, str> {
    if text.contains(BEGIN) {
        let masked = stand_ins(text);
        let overlaps = |a: &Range<usize>, b: &Range<usize>| a.start < b.end && b.start < a.end;
        found.retain(|range| !masked.iter().any(|masked| overlaps(range, masked)));
    }
    found.retain(|range| !range.is_empty());
    if found.is_empty() {
        return text.into();
    }
    found.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
    let mut masked = String::with_capacity(text.len());
    let mut rest = found.into_iter().peekable();
    let mut at = 0;
    while let Some(mut range) = rest.next() {
        // Those that overlap are one.
        while let Some(next) = rest.next_if(|next| next.start < range.end) {
            range.end = range.end.max(next.end);
        }
        masked.push_str(&text[at..range.start]);
        masked.push_str(&by(&text[range.clone()]));
        at = range.end;
    }
    masked.push_str(&text[at..]);
    masked.into()
}

/// Whether a text is nothing but a stand-in.
fn is_stand_in(text: &str) -> bool {
    stand_ins(text).first() == Some(&(0..text.len()))
}

/// Where a text has been masked before.
fn stand_ins(text: &str) -> Vec<Range<usize>> {
    let begins = text.match_indices(BEGIN);
    let ends = begins.filter_map(|(at, _)| {
        let digits = at + BEGIN.len();
        let end = digits + DIGITS;
        let is_hex = text
            .get(digits..end)?
            .bytes()
            .all(|b| b.is_ascii_hexdigit());
        (is_hex && text[end..].starts_with(')')).then_some(at..end + 1)
    });
    ends.collect()
}

fn secrets(text: &str, of_settings: bool) -> Vec<Range<usize>> {
    let mut found = userinfo::passwords(text);
    private_keys(text, &mut found);
    words::Scanner::new(of_settings).scan(text, &mut found);
    found
}

/// From the beginning of a private key to the end of its last line; of one that is cut, to the end
/// of the text or the quote around it.
fn private_keys(text: &str, found: &mut Vec<Range<usize>>) {
    const DASHES: &str = "-----";
    let mut at = 0;
    while let Some(begin) = text[at..].find("-----BEGIN ").map(|n| at + n) {
        at = begin + DASHES.len();
        let Some(title) = text[at..].find(DASHES).map(|n| at + n) else {
            return;
        };
        if !text[at..title].contains("PRIVATE KEY") || text[at..title].contains('\n') {
            continue;
        }
        at = title + DASHES.len();
        let rest = &text[at..];
        let end = rest.find("-----END ").map(|n| n + DASHES.len());
        let end = end.map(|n| {
            rest[n..]
                .find(DASHES)
                .map_or(rest.len(), |m| n + m + DASHES.len())
        });
        let cut = || rest.find(['"', '\'', '`']).unwrap_or(rest.len());
        at += end.unwrap_or_else(cut);
        found.push(begin..at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets() {
        for name in [
            "DB_PASSWORD",
            "MYSQL_PWD",
            "db.passwd",
            "SENTRY_DSN",
            "apiKey",
            "--requirepass",
            "gelf-token",
            "AWS_SECRET_ACCESS_KEY",
            "BASIC_AUTH",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["PWD", "OLDPWD", "LEVEL", "POSTGRES_PASSWORD_FILE", "IMAGE"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn secrets_are_masked_and_nothing_else() {
        let s = stand_in;
        let table = [
            (
                "postgres://app:hunter2@db/x",
                format!("postgres://app:{}@db/x", s("hunter2")),
            ),
            (
                "amqp://u:p@ss@mq:5672",
                format!("amqp://u:{}@mq:5672", s("p@ss")),
            ),
            (
                "https://ghtoken@host/r.git",
                format!("https://{}@host/r.git", s("ghtoken")),
            ),
            ("ssh://git@host/r.git", "ssh://git@host/r.git".into()),
            ("http://web:80/a@b", "http://web:80/a@b".into()),
            (
                "redis-server --requirepass hunter2 --port 6379",
                format!("redis-server --requirepass {} --port 6379", s("hunter2")),
            ),
            (
                "mysql --password=hunter2 -u root",
                format!("mysql --password={} -u root", s("hunter2")),
            ),
            (
                "PGPASSWORD=hunter2 psql",
                format!("PGPASSWORD={} psql", s("hunter2")),
            ),
            (
                r#"{"token": "hunter2", "level": 3}"#,
                format!(r#"{{"token": "{}", "level": 3}}"#, s("hunter2")),
            ),
            (
                "curl -H 'Authorization: Bearer abc.def'",
                format!("curl -H 'Authorization: Bearer {}'", s("abc.def")),
            ),
            ("ghp_0123456789abcdefghij", s("ghp_0123456789abcdefghij")),
            (
                "a plain text: key to nothing",
                "a plain text: key to nothing".into(),
            ),
            ("/run/secrets/db", "/run/secrets/db".into()),
        ];
        for (text, expected) in table {
            assert_eq!(mask(text), expected, "{text}");
        }
        let key = "x\n-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\ny";
        let masked = mask(key);
        assert!(
            masked.starts_with("x\n(secret ") && masked.ends_with(")\ny"),
            "{masked}"
        );
        assert!(!masked.contains("abc"));
        let public = "-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----";
        assert_eq!(mask(public), public);
    }

    #[test]
    fn a_change_shows() {
        assert_eq!(stand_in("a"), stand_in("a"));
        assert_ne!(stand_in("a"), stand_in("b"));
    }
}
