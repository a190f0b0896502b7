//! A value that differs between what is and what should be, and how that is told: the difference
//! is shown, what both have in common is left out.

use super::edits::{Edit, edits};
use crate::tree::Span;
use serde_json::{Map, Value};

/// Most characters of a value in words.
const LONGEST: usize = 60;
/// So many characters of what two texts have in common stand around their difference.
const AROUND: usize = 12;
/// Most differences within one value that stand in one line, and in lines of their own.
const IN_A_LINE: usize = 3;
const IN_LINES: usize = 12;

/// A value that differs between what is and what should be.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Path within the service, e.g. `environment.LOG_LEVEL`.
    pub path: String,
    /// In full, but for what must not be shown; `None` where it was not there.
    pub old: Option<Value>,
    pub new: Option<Value>,
    /// What is different, where no values are told.
    pub what: Option<&'static str>,
    /// Where the new value (or, for a removed one, the service) stands.
    pub span: Option<Span>,
}

/// One difference within a value.
struct Piece {
    /// Behind the value's path: `[2]`, `.key`, ` line 3`; empty for the value itself.
    at: String,
    words: String,
}

impl Piece {
    fn here(words: String) -> Piece {
        Piece {
            at: String::new(),
            words,
        }
    }

    /// Behind a path that is not repeated.
    fn alone(&self) -> String {
        match self.at.trim_start_matches(['.', ' ']) {
            "" => self.words.clone(),
            at => format!("{at}: {}", self.words),
        }
    }
}

impl Change {
    /// A change whose values are known.
    pub fn of(path: impl Into<String>, old: Option<Value>, new: Option<Value>) -> Change {
        Change {
            path: path.into(),
            old,
            new,
            what: None,
            span: None,
        }
    }

    #[must_use]
    pub fn at(mut self, span: Option<Span>) -> Change {
        self.span = span;
        self
    }

    /// What the path begins with: `volumes` of `volumes[2].source`.
    pub fn attribute(&self) -> &str {
        let end = self.path.find(['.', '[']);
        &self.path[..end.unwrap_or(self.path.len())]
    }

    /// In one line: `environment.LEVEL: info → debug`.
    pub fn in_words(&self) -> String {
        let path = &self.path;
        match &self.pieces()[..] {
            [] => path.clone(),
            [one] => format!("{path}{}: {}", one.at, one.words),
            all => {
                let shown: Vec<String> = all.iter().take(IN_A_LINE).map(Piece::alone).collect();
                format!(
                    "{path}: {}{}",
                    shown.join(", "),
                    and_more(all.len(), IN_A_LINE)
                )
            }
        }
    }

    /// The same with a line for each difference within the value, where there are several.
    pub fn lines(&self) -> Vec<String> {
        let pieces = self.pieces();
        if pieces.len() < 2 {
            return vec![self.in_words()];
        }
        let mut lines = vec![format!("{}:", self.path)];
        let shown = pieces.iter().take(IN_LINES);
        lines.extend(shown.map(|piece| format!("  {}", piece.alone())));
        if pieces.len() > IN_LINES {
            lines.push(format!(" {}", and_more(pieces.len(), IN_LINES)));
        }
        lines
    }

    fn pieces(&self) -> Vec<Piece> {
        let told = |words: String| vec![Piece::here(words)];
        match (self.what, &self.old, &self.new) {
            (Some(what), _, _) => told(what.to_owned()),
            (_, Some(old), Some(new)) => between(old, new),
            (_, None, Some(new)) => told(format!("added {}", short(new))),
            (_, Some(old), None) => told(format!("removed {}", short(old))),
            (_, None, None) => Vec::new(),
        }
    }
}

/// A value as a program gets it: texts as they are, all else as JSON.
pub fn in_full(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "unset".to_owned(),
        other => other.to_string(),
    }
}

/// ` and 12 more`, where not all are shown.
fn and_more(all: usize, shown: usize) -> String {
    match all.saturating_sub(shown) {
        0 => String::new(),
        more => format!(" and {more} more"),
    }
}

fn between(old: &Value, new: &Value) -> Vec<Piece> {
    match (old, new) {
        (Value::Array(a), Value::Array(b)) => between_lists(a, b, |at| format!("[{at}]")),
        (Value::Object(a), Value::Object(b)) => between_maps(a, b),
        (Value::String(a), Value::String(b)) if a.contains('\n') || b.contains('\n') => {
            let lines = |text: &str| text.split('\n').map(Value::from).collect::<Vec<_>>();
            between_lists(&lines(a), &lines(b), |at| format!(" line {}", at + 1))
        }
        (Value::String(a), Value::String(b)) => {
            let (a, b) = around_difference(&plain(a), &plain(b));
            vec![Piece::here(format!("{} → {}", quoted(a), quoted(b)))]
        }
        (a, b) => vec![Piece::here(format!("{} → {}", short(a), short(b)))],
    }
}

fn between_lists(old: &[Value], new: &[Value], place: impl Fn(usize) -> String) -> Vec<Piece> {
    let edits = edits(old, new);
    if edits.is_empty() {
        return vec![Piece::here("order changed".to_owned())];
    }
    let pieces = edits.into_iter().flat_map(|edit| match edit {
        Edit::Removed(at) => vec![Piece::here(format!("- {}", short(&old[at])))],
        Edit::Added(at) => vec![Piece::here(format!("+ {}", short(&new[at])))],
        Edit::Changed(before, at) => below(&place(at), between(&old[before], &new[at])),
    });
    pieces.collect()
}

fn between_maps(old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<Piece> {
    let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
    keys.sort();
    keys.dedup();
    let pieces = keys
        .into_iter()
        .flat_map(|key| match (old.get(key), new.get(key)) {
            (Some(a), Some(b)) if a == b => Vec::new(),
            (Some(a), Some(b)) => below(&format!(".{key}"), between(a, b)),
            (Some(a), None) => vec![Piece::here(format!("- {key}: {}", short(a)))],
            (None, b) => {
                let value = b.map(short).unwrap_or_default();
                vec![Piece::here(format!("+ {key}: {value}"))]
            }
        });
    pieces.collect()
}

fn below(at: &str, pieces: Vec<Piece>) -> Vec<Piece> {
    let below = |piece: Piece| Piece {
        at: format!("{at}{}", piece.at),
        ..piece
    };
    pieces.into_iter().map(below).collect()
}

/// A value in one short line, with its beginning and its end.
fn short(value: &Value) -> String {
    let whole = match value {
        Value::String(text) => plain(text),
        other => in_full(other),
    };
    if whole.chars().count() <= LONGEST {
        return quoted(whole);
    }
    match value {
        Value::Array(items) => {
            let items = items.iter().map(part).collect::<Vec<_>>();
            format!("[{}]", bounded(&items))
        }
        Value::Object(map) => {
            let entries = map
                .iter()
                .map(|(key, value)| format!("{key}: {}", part(value)));
            format!("{{{}}}", bounded(&entries.collect::<Vec<_>>()))
        }
        _ => middle_cut(&whole, LONGEST),
    }
}

/// A part of a value that is too long to be shown whole.
fn part(value: &Value) -> String {
    let text = match value {
        Value::String(text) => quoted(plain(text)),
        other => other.to_string(),
    };
    middle_cut(&text, LONGEST / 2)
}

/// As many as fit into a line and a half, and the number of the rest.
fn bounded(parts: &[String]) -> String {
    let mut length = 0;
    let fitting = parts.iter().take_while(|part| {
        length += part.chars().count() + 2;
        length <= LONGEST * 3 / 2
    });
    let shown = fitting.count().max(1);
    let text = parts[..shown.min(parts.len())].join(", ");
    format!("{text}{}", and_more(parts.len(), shown))
}

/// Text that stays in its line and does nothing to a terminal.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for char in text.chars() {
        match char.is_control() {
            true => plain.extend(char.escape_default()),
            false => plain.push(char),
        }
    }
    plain
}

/// An empty text can be seen.
fn quoted(text: String) -> String {
    match text.is_empty() {
        true => "\"\"".to_owned(),
        false => text,
    }
}

fn middle_cut(text: &str, longest: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= longest {
        return text.to_owned();
    }
    let tail = longest / 3;
    let head: String = chars[..longest - tail - 1].iter().collect();
    let tail: String = chars[chars.len() - tail..].iter().collect();
    format!("{head}…{tail}")
}

/// Two texts from a little before their first difference to a little behind the last.
fn around_difference(old: &str, new: &str) -> (String, String) {
    let (a, b): (Vec<char>, Vec<char>) = (old.chars().collect(), new.chars().collect());
    if a.len().max(b.len()) <= LONGEST {
        return (old.to_owned(), new.to_owned());
    }
    let start = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let (c, d) = (&a[start..], &b[start..]);
    let end = c.iter().rev().zip(d.iter().rev());
    let end = end.take_while(|(x, y)| x == y).count();
    let show = |text: &[char]| {
        let from = match start > AROUND + 1 {
            true => start - AROUND,
            false => 0,
        };
        let to = match end > AROUND + 1 {
            true => text.len() - end + AROUND,
            false => text.len(),
        };
        let before: String = text[from..start].iter().collect();
        let differing: String = text[start..text.len() - end].iter().collect();
        let after: String = text[text.len() - end..to].iter().collect();
        let (left, right) = (from > 0, to < text.len());
        format!(
            "{}{before}{}{after}{}",
            if left { "…" } else { "" },
            middle_cut(&differing, LONGEST - 2 * AROUND),
            if right { "…" } else { "" },
        )
    };
    (show(&a), show(&b))
}

#[cfg(test)]
mod tests;
