//! Secrets that stand behind a word which tells of them: `password=x`, `"token": "x"`, `--pass x`,
//! `Bearer x`, the short options of well-known programs; and words in the shape of a token.

use super::is_secret_name;
use std::ops::Range;

/// What tokens of well-known services begin with, and how many characters follow at least.
const TOKENS: [(&str, usize); 12] = [
    ("ghp_", 20),
    ("gho_", 20),
    ("ghs_", 20),
    ("ghu_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("xoxb-", 16),
    ("xoxp-", 16),
    ("AKIA", 16),
    ("sk_live_", 16),
    ("npm_", 30),
    ("eyJ", 40),
];

/// How a program takes a password by a short option.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// `-pSECRET`
    Glued,
    /// `-a SECRET`
    Next,
    /// `-u NAME:SECRET`
    Login,
}

/// Programs (by what their names begin with) whose short options take passwords; they stand in many
/// healthchecks.
const PROGRAMS: [(&str, &[&str], Takes); 10] = [
    ("mysql", &["-p"], Takes::Glued),
    ("mariadb", &["-p"], Takes::Glued),
    ("mongo", &["-p"], Takes::Next),
    ("redis-cli", &["-a"], Takes::Next),
    ("valkey-cli", &["-a"], Takes::Next),
    ("keydb-cli", &["-a"], Takes::Next),
    ("sshpass", &["-p"], Takes::Next),
    ("ldapsearch", &["-w"], Takes::Next),
    ("ldapwhoami", &["-w"], Takes::Next),
    ("curl", &["-u", "--user", "--proxy-user"], Takes::Login),
];

/// What the next word is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Ordinary,
    Secret,
    /// `NAME:SECRET`
    Login,
}

/// Reads a text, or a list of words one by one.
pub(super) struct Scanner {
    /// `name: value` and `"name": value` count, too.
    of_settings: bool,
    program: Option<(&'static [&'static str], Takes)>,
    next: Next,
}

impl Scanner {
    pub fn new(of_settings: bool) -> Self {
        Scanner {
            of_settings,
            program: None,
            next: Next::Ordinary,
        }
    }

    /// The secrets in one item of a list, in which an option and its value are items of their own.
    pub fn scan_item(&mut self, item: &str, found: &mut Vec<Range<usize>>) {
        match std::mem::replace(&mut self.next, Next::Ordinary) {
            Next::Ordinary => {}
            Next::Secret => return found.push(0..item.len()),
            Next::Login => return found.extend(item.find(':').map(|at| at + 1..item.len())),
        }
        if let Some((name, _)) = item.split_once('=')
            && !name.contains(char::is_whitespace)
            && is_secret_name(name)
        {
            return found.push(name.len() + 1..item.len());
        }
        self.scan(item, found);
        let is_option = item.starts_with('-') && !item.contains([' ', '=']);
        if self.next == Next::Ordinary && is_option && is_secret_name(item) {
            self.next = Next::Secret;
        }
    }

    /// The secrets in a text. What its last word tells of is expected in the next one.
    pub fn scan(&mut self, text: &str, found: &mut Vec<Range<usize>>) {
        let mut at = 0;
        while let Some(word) = word(text, at) {
            at = word.end;
            match std::mem::replace(&mut self.next, Next::Ordinary) {
                Next::Ordinary => {}
                Next::Secret => {
                    let part = &text[word.clone()];
                    // `Authorization: Bearer SECRET`: the scheme is none.
                    if is_scheme(part) {
                        self.next = Next::Secret;
                        continue;
                    }
                    // A sentence may speak of it: "no Basic auth was given".
                    let is_word = part.chars().all(|c| c.is_ascii_lowercase());
                    if !self.of_settings && is_word && is_behind_a_scheme(text, word.start) {
                        continue;
                    }
                    let value = value(text, word.start);
                    at = value.end.max(word.end);
                    if !is_reference(&text[value.clone()]) {
                        found.push(value);
                    }
                    continue;
                }
                Next::Login => {
                    let value = value(text, word.start);
                    at = value.end.max(word.end);
                    found.extend(
                        text[value.clone()]
                            .find(':')
                            .map(|n| value.start + n + 1..value.end),
                    );
                    continue;
                }
            }
            self.read(text, word, found);
        }
    }

    /// What a word that is no secret by its place tells of itself, or of the next one.
    fn read(&mut self, text: &str, word: Range<usize>, found: &mut Vec<Range<usize>>) {
        let (part, rest) = (&text[word.clone()], &text[word.end..]);
        let name = part.rsplit('/').next().unwrap_or(part);
        if let Some((_, flags, takes)) = PROGRAMS.iter().find(|(p, ..)| name.starts_with(p)) {
            self.program = Some((flags, *takes));
        }
        if let Some((flags, takes)) = self.program {
            let glued = flags.iter().find_map(|flag| part.strip_prefix(flag));
            match (takes, glued) {
                (Takes::Glued, Some(secret)) if !secret.is_empty() => {
                    return found.push(word.end - secret.len()..value(text, word.start).end);
                }
                (Takes::Next, Some("")) => return self.next = Next::Secret,
                (Takes::Login, Some("")) => return self.next = Next::Login,
                _ => {}
            }
        }
        let is_named = is_secret_name(part) && !part.eq_ignore_ascii_case("key");
        let is_announced = is_scheme(part)
            || (is_named && rest.starts_with('=') && !rest.starts_with("=="))
            || (is_named && part.starts_with('-') && self.is_followed(rest))
            || (is_named && self.of_settings && is_setting(rest));
        if is_announced {
            self.next = Next::Secret;
        } else if is_token(part) {
            found.push(word);
        }
    }

    /// Whether an option is followed by its value: behind a space, or as the next item of a list.
    fn is_followed(&self, rest: &str) -> bool {
        if rest.is_empty() || rest.starts_with(char::is_whitespace) {
            return true;
        }
        let inner = rest.trim_start_matches(['"', '\'']);
        let is_item = inner.starts_with([',', ' ']);
        let item = inner.trim_start_matches([',', ' ']);
        match inner.len() < rest.len() {
            true => is_item && item.starts_with(['"', '\'']),
            false => is_item && self.of_settings,
        }
    }
}

/// The schemes of HTTP's `Authorization`.
fn is_scheme(word: &str) -> bool {
    matches!(word, "Bearer" | "bearer" | "Basic")
}

fn is_behind_a_scheme(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end();
    before
        .rsplit(char::is_whitespace)
        .next()
        .is_some_and(is_scheme)
}

/// The word at or behind a place: what neither space nor quote, bracket or sign of assignment cuts.
fn word(text: &str, at: usize) -> Option<Range<usize>> {
    let cuts = |c: char| c.is_whitespace() || "=\"'`,;&|{}[]()<>:?".contains(c);
    let start = at + text[at..].find(|c| !cuts(c))?;
    let end = text[start..].find(cuts).map_or(text.len(), |n| start + n);
    Some(start..end)
}

/// The whole of the value that a word begins: to the quote that closes it, or to the next space.
fn value(text: &str, start: usize) -> Range<usize> {
    let before = &text[..start];
    // Between the quote and the first word there may be signs that begin no word.
    let lead = before.trim_end_matches(|c: char| "=,;&|{}[]()<>:?".contains(c));
    let quote = before[lead.len().saturating_sub(1).min(before.len())..]
        .chars()
        .next()
        .filter(|c| matches!(c, '"' | '\'' | '`'));
    let (start, ends): (usize, Box<dyn Fn(char) -> bool>) = match quote {
        Some(quote) if lead.ends_with(quote) => (lead.len(), Box::new(move |c| c == quote)),
        _ => (
            start,
            Box::new(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ';')),
        ),
    };
    let mut escaped = false;
    let end = text[start..].char_indices().find(|(_, c)| {
        let is_end = ends(*c) && !escaped;
        escaped = *c == '\\' && !escaped;
        is_end
    });
    start..end.map_or(text.len(), |(n, _)| start + n)
}

/// Whether a setting's name has just ended, and a value of its own follows: `name: `, `"name":`.
fn is_setting(rest: &str) -> bool {
    let value = match rest.strip_prefix(['"', '\'']) {
        Some(behind) => behind.trim_start().strip_prefix([':', '=']),
        None => rest
            .strip_prefix(':')
            .filter(|behind| behind.starts_with(char::is_whitespace)),
    };
    value.is_some_and(|value| !value.trim_start().starts_with(['[', '{', '*', '&']))
}

/// Whether a value is a variable alone, which says where the secret comes from: `$NAME`, `${NAME}`,
/// `${NAME:?why}`. A default may be one.
pub fn is_reference(value: &str) -> bool {
    let Some(rest) = value.trim_matches(['"', '\'']).strip_prefix('$') else {
        return false;
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name = rest.strip_prefix('{').unwrap_or(rest);
    let behind = name.trim_start_matches(is_name);
    let is_end = match rest.starts_with('{') {
        true => behind == "}" || behind.starts_with(['?']) || behind.starts_with(":?"),
        false => behind.is_empty(),
    };
    behind.len() < name.len() && is_end
}

fn is_token(word: &str) -> bool {
    TOKENS.iter().any(|(prefix, least)| {
        word.strip_prefix(prefix).is_some_and(|rest| {
            rest.len() >= *least
                && rest
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
        })
    })
}
