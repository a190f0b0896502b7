//! Env files: `.env`, `--env-file`, `env_file` of a service and `label_file`, and the raw format.
//!
//! In: one text and what it may refer to. Out: variables with their places, added to those of the
//! files before it. A line that is wrong becomes a finding, and reading goes on after it.

use crate::diagnostic::{Diagnostic, Findings};
use crate::load::interpolate::{self, Lookup, substitute};
use crate::tree::{SourceId, Span};
use std::collections::BTreeMap;

/// Variables of env files by name; of several assignments the last counts.
pub type Vars = BTreeMap<String, Var>;

/// A variable of an env file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Var {
    pub value: String,
    /// The whole assignment, from the key to the end of the value.
    pub span: Span,
}

/// The grammars an env file may have (`env_file[].format`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    #[default]
    Dotenv,
    /// `docker run --env-file`: everything after the first `=` is the value.
    Raw,
}

impl Format {
    /// The word of `env_file[].format`; `None` where it is unknown.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "" | ".env" => Some(Format::Dotenv),
            "raw" => Some(Format::Raw),
            _ => None,
        }
    }
}

/// Reads one env file into `vars`.
///
/// A variable inside a value, and a key that stands alone, is looked up in `lookup` first and
/// then, for values, in `vars`.
///
/// Findings: `env-file` and those of interpolation.
pub fn parse(
    source: SourceId,
    text: &str,
    format: Format,
    lookup: &Lookup<'_>,
    vars: &mut Vars,
    findings: &mut Findings,
) {
    let mut reader = Reader {
        source,
        text,
        at: 0,
        lookup,
        vars,
        findings,
        growth: 0,
    };
    match format {
        Format::Dotenv => reader.dotenv(),
        Format::Raw => reader.raw(),
    }
}

struct Reader<'a> {
    source: SourceId,
    text: &'a str,
    at: usize,
    lookup: &'a Lookup<'a>,
    vars: &'a mut Vars,
    findings: &'a mut Findings,
    /// Bytes that came out of values with variables so far.
    growth: usize,
}

/// How many bytes the values with variables of one file may become.
const MAX_GROWTH: usize = 16 << 20;

/// White space that does not end a line.
fn is_blank(c: char) -> bool {
    matches!(
        c,
        '\t' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}'
    )
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(is_blank).len();
    }

    fn line_end(&self, from: usize) -> usize {
        self.text[from..]
            .find('\n')
            .map_or(self.text.len(), |n| from + n)
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let offset = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Span {
            source: self.source,
            start: offset(start),
            end: offset(end),
        }
    }

    fn wrong(&mut self, start: usize, end: usize, message: String, help: &str) {
        let finding = Diagnostic::error("env-file", "", message)
            .at(self.span(start, end))
            .help(help);
        self.findings.push(finding);
    }

    fn set(&mut self, key: &str, value: String, start: usize, end: usize) {
        let span = self.span(start, end);
        self.vars.insert(key.to_owned(), Var { value, span });
    }

    fn dotenv(&mut self) {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start().len();
            match self.rest().bytes().next() {
                None => return,
                Some(b'#') => self.at = self.line_end(self.at),
                Some(_) => self.statement(),
            }
        }
    }

    /// `KEY=VALUE`, `KEY: VALUE` or `KEY`.
    fn statement(&mut self) {
        if let Some(after) = self.rest().strip_prefix("export")
            && after.starts_with(char::is_whitespace)
        {
            self.at += "export".len();
            self.skip_blanks();
        }
        let start = self.at;
        let line_end = self.line_end(start);
        let stop = self.text[start..line_end].char_indices().find(|(_, c)| {
            !is_blank(*c) && !matches!(c, '_' | '.' | '-' | '[' | ']') && !c.is_alphanumeric()
        });
        let key_end = match stop {
            Some((at, '=' | ':')) => start + at,
            Some((at, c)) => {
                self.wrong(
                    start + at,
                    start + at + c.len_utf8(),
                    format!(
                        "unexpected character \"{c}\" in variable name \"{}\"",
                        &self.text[start..line_end]
                    ),
                    "a name may hold letters, digits and _ . - [ ]",
                );
                self.at = line_end;
                return;
            }
            None => line_end,
        };
        let key = self.text[start..key_end].trim_end();
        if key.contains(' ') {
            self.wrong(
                start,
                start + key.len(),
                format!("key cannot contain a space: \"{key}\""),
                "write NAME=VALUE",
            );
            self.at = line_end;
            return;
        }
        if stop.is_none() {
            // A key alone takes over the value of the environment, if there is one.
            self.at = line_end;
            if let Some(value) = (self.lookup)(key) {
                self.set(key, value, start, start + key.len());
            }
            return;
        }
        self.at = key_end + 1;
        self.skip_blanks();
        let value_start = self.at;
        let value = match self.rest().bytes().next() {
            Some(quote @ (b'\'' | b'"')) => match self.quoted(quote) {
                Some(value) => value,
                None => return,
            },
            _ => self.unquoted(),
        };
        // The value may have come from far below; its span ends where reading stopped.
        let end = value_start + self.text[value_start..self.at].trim_end().len();
        self.set(key, value, start, end);
    }

    fn unquoted(&mut self) -> String {
        let start = self.at;
        self.at = self.line_end(start);
        let line = &self.text[start..self.at];
        let value = line.split_once(" #").map_or(line, |(v, _)| v).trim_end();
        let raw = self.span(start, start + value.len());
        self.expand(value, raw)
    }

    fn quoted(&mut self, quote: u8) -> Option<String> {
        let start = self.at;
        let mut value = String::new();
        let mut escaped = false;
        for (offset, c) in self.text[start + 1..].char_indices() {
            if c == char::from(quote) && !escaped {
                self.at = start + 1 + offset + 1;
                if quote == b'\'' {
                    return Some(value);
                }
                let raw = self.span(start, self.at);
                return Some(self.expand(&unescape(&value), raw));
            }
            if c == '\\' && !escaped {
                escaped = true;
                continue;
            }
            if escaped && c != char::from(quote) {
                value.push('\\');
            }
            escaped = false;
            value.push(c);
        }
        let line_end = self.line_end(start);
        self.wrong(
            start,
            line_end,
            format!("unterminated quoted value {}", &self.text[start..line_end]),
            "close the quote; inside, write \\ before a quote that belongs to the value",
        );
        self.at = self.text.len();
        None
    }

    fn expand(&mut self, value: &str, raw: Span) -> String {
        if !value.contains('$') {
            return value.to_owned();
        }
        let lookup = |name: &str| {
            (self.lookup)(name).or_else(|| self.vars.get(name).map(|var| var.value.clone()))
        };
        let mut done = substitute(value, &lookup);
        self.growth += done.text.len();
        if self.growth > MAX_GROWTH {
            // Told once; what comes after stays empty.
            if self.growth - done.text.len() <= MAX_GROWTH {
                let limit = MAX_GROWTH >> 20;
                let message =
                    format!("filling in the variables up to here takes more than {limit} MiB");
                let finding = Diagnostic::error("env-file", "", message).at(raw);
                self.findings.push(finding);
            }
            done.text.clear();
            self.growth = self.growth.max(MAX_GROWTH + 1);
        }
        for problem in &done.problems {
            let finding = interpolate::finding(&problem.kind, String::new());
            let needle = &value[problem.range.clone()];
            let slice = &self.text[raw.start as usize..raw.end as usize];
            let place = match slice.find(needle) {
                Some(at) => {
                    let start = raw.start as usize + at;
                    self.span(start, start + needle.len())
                }
                None => raw,
            };
            self.findings.push(finding.at(place));
        }
        done.text
    }

    /// Rules of the engine's own command line.
    fn raw(&mut self) {
        while self.at < self.text.len() {
            let line_end = self.line_end(self.at);
            let line = self.text[self.at..line_end]
                .trim_end_matches('\r')
                .trim_start();
            let start = self.at + self.text[self.at..line_end].find(line).unwrap_or(0);
            self.at = line_end + 1;
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, value) = match line.split_once('=') {
                Some((key, value)) => (key, Some(value.to_owned())),
                None => (line, None),
            };
            if key.is_empty() {
                self.wrong(
                    start,
                    start + line.len(),
                    format!("no variable name on line '{line}'"),
                    "write NAME=VALUE",
                );
            } else if key.contains(char::is_whitespace) {
                self.wrong(
                    start,
                    start + key.len(),
                    format!("variable '{key}' contains whitespaces"),
                    "write NAME=VALUE",
                );
            } else if let Some(value) = value.or_else(|| (self.lookup)(key)) {
                self.set(key, value, start, start + line.len());
            }
        }
    }
}

/// The escapes of a double-quoted value; `\$` becomes the `$$` of interpolation.
fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let sequence = &rest[at..];
        let (replacement, width) = match sequence.as_bytes().get(1) {
            Some(b'a') => (Some('\u{7}'), 2),
            Some(b'b') => (Some('\u{8}'), 2),
            Some(b'f') => (Some('\u{c}'), 2),
            Some(b'n') => (Some('\n'), 2),
            Some(b'r') => (Some('\r'), 2),
            Some(b't') => (Some('\t'), 2),
            Some(b'v') => (Some('\u{b}'), 2),
            Some(b'"') => (Some('"'), 2),
            Some(b'\\') => (Some('\\'), 2),
            Some(b'c') => (None, 2),
            Some(b'$') => {
                out.push_str("$$");
                rest = &sequence[2..];
                continue;
            }
            Some(b'0') => {
                let digits = sequence[2..]
                    .bytes()
                    .take(3)
                    .take_while(u8::is_ascii_digit)
                    .count();
                let code = (digits == 3)
                    .then(|| u8::from_str_radix(&sequence[2..5], 8).ok())
                    .flatten();
                if code.is_none() {
                    // What is no octal number loses its zero, as in Compose.
                    out.push('\\');
                    out.push_str(&sequence[2..2 + digits]);
                    rest = &sequence[2 + digits..];
                    continue;
                }
                (code.map(char::from), 2 + digits)
            }
            _ => (None, 1),
        };
        match replacement {
            Some(c) => out.push(c),
            None => out.push_str(&sequence[..width]),
        }
        rest = &sequence[width..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests;
