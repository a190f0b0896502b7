//! Errors in YAML's syntax, told by what people did to get them.
//!
//! A parser says at which byte it gave up and what it wanted there. What is wrong often stands
//! before that: a quote that is not closed, a line without its colon. This looks back for it.

use crate::value::similar;
use std::ops::Range;

/// An error in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    /// The bytes at fault.
    pub range: Range<usize>,
    pub message: String,
    pub help: Option<String>,
    /// Where the parser gave up, if that is elsewhere.
    pub noticed: Option<usize>,
}

impl Told {
    fn new(range: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Told {
            range,
            message: message.into(),
            help: Some(help.into()),
            noticed: None,
        }
    }
}

/// Words the error that a parser found at a byte.
pub(super) fn tell(text: &str, at: usize, said: &str) -> Told {
    let at = text.floor_char_boundary(at.min(text.len()));
    let told = if said.contains("unclosed quote") {
        unclosed(text, at)
    } else if said.contains("tab") {
        tab(text, at)
    } else if said.contains("mapping values") {
        colon(text, at)
    } else if said.contains("expected key") || said.contains("invalid indentation") {
        quote(text, at).or_else(|| level(text, at))
    } else if said.contains("'-' indicator") {
        Some(Told::new(
            word(text, at),
            "a mapping key among the items of a list",
            "write all as items (`- A=1`) or all as keys (`A: 1`)",
        ))
    } else if said.contains("unexpected character") {
        character(text, at)
    } else if said.contains("quoted scalar") || said.contains("end of stream") {
        quote(text, at).or_else(|| bracket(text, at))
    } else {
        bracket(text, at).or_else(|| quote(text, at))
    };
    let mut told = told.unwrap_or_else(|| {
        let first = text[at..].chars().next().filter(|c| *c != '\n');
        Told {
            range: at..at + first.map_or(0, char::len_utf8),
            message: said.to_owned(),
            help: None,
            noticed: None,
        }
    });
    let (start, end) = (told.range.start, told.range.end.min(text.len()));
    told.range = text.floor_char_boundary(start)..text.ceil_char_boundary(end);
    told
}

/// An alias of an anchor that there is not.
pub(super) fn unknown_anchor(text: &str, at: usize) -> Told {
    let at = text.floor_char_boundary(at.min(text.len()));
    let rest = &text[at..];
    let end = rest.find(|c: char| c.is_whitespace() || ",]}".contains(c));
    let alias = &rest[..end.unwrap_or(rest.len())];
    let range = at..at + alias.len();
    let name = alias.strip_prefix('*').unwrap_or(alias);
    let is_name = |c: char| c.is_alphanumeric() || "_-".contains(c);
    if name.is_empty() || !name.chars().all(is_name) {
        let message = format!("`{alias}` is read as an alias, because it begins with `*`");
        return Told::new(range, message, format!("put it in quotes: \"{alias}\""));
    }
    let anchors = |text: &'_ str| -> Vec<String> {
        let behind = text.split('&').skip(1);
        let names = behind.map(|t| {
            t.split(|c| !is_name(c))
                .next()
                .unwrap_or_default()
                .to_owned()
        });
        names.filter(|n| !n.is_empty()).collect()
    };
    let above = anchors(&text[..at]);
    let message = format!("no anchor `&{name}` is defined above");
    let help = match similar::nearest(name, above.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean `*{meant}`?"),
        None if anchors(&text[at..]).iter().any(|n| n == name) => {
            "it is defined further down: an anchor must stand before its aliases".to_owned()
        }
        None => format!(
            "define it on the value to repeat: `&{name}`; anchors do not reach into other files"
        ),
    };
    Told::new(range, message, help)
}

/// Where the line of a byte begins.
fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |n| n + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |n| at + n)
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// The word at a byte, without the colon behind it.
fn word(text: &str, at: usize) -> Range<usize> {
    let rest = &text[at..line_end(text, at)];
    let end = rest.find([' ', ':', '\t']).unwrap_or(rest.len());
    let least = rest.chars().next().map_or(0, char::len_utf8);
    at..at + end.max(least)
}

/// The line before that is neither empty nor a comment: where it begins, and its text.
fn line_before(text: &str, start: usize) -> Option<(usize, &str)> {
    let mut end = start.checked_sub(1)?;
    loop {
        let start = line_start(text, end);
        let line = &text[start..end];
        let content = line.trim();
        if !content.is_empty() && !content.starts_with('#') {
            return Some((start, line));
        }
        end = start.checked_sub(1)?;
    }
}

fn number_of(text: &str, start: usize) -> usize {
    text[..start].matches('\n').count() + 1
}

fn tab(text: &str, at: usize) -> Option<Told> {
    let start = line_start(text, at);
    let line = &text[start..line_end(text, at)];
    let first = start + line.find('\t')?;
    let rest = &text[first..];
    let width = rest.len() - rest.trim_start_matches('\t').len();
    Some(Told::new(
        first..first + width,
        "the indentation contains a tab; YAML allows only spaces there",
        "put spaces in its place",
    ))
}

/// A colon that ends a key where no key can be.
fn colon(text: &str, at: usize) -> Option<Told> {
    let start = line_start(text, at);
    let before = &text[start..at];
    let content = before.trim_start().trim_start_matches("- ");
    if let Some(inner) = content.find(": ") {
        let value = content[inner + 2..].trim_start();
        if !value.starts_with(['"', '\'']) {
            let rest = text[at..line_end(text, at)].trim_end();
            return Some(Told::new(
                at..at + 1,
                "`: ` in the middle of a value reads as the end of a key",
                format!("put the value in quotes: \"{value}{rest}\""),
            ));
        }
    }
    let (above, line) = line_before(text, start)?;
    let entry = line.trim().trim_start_matches("- ");
    let place = above + line.find(entry)?;
    let mut told = match entry.split_once(':') {
        Some((key, value)) if !value.is_empty() && !value.starts_with(' ') => Told::new(
            place..place + entry.len(),
            format!("`{entry}` is one word: after the colon behind a key comes a space"),
            format!("write `{key}: {value}`"),
        ),
        Some((_, value)) if !value.trim().is_empty() => {
            let (mine, others) = (indentation(before), indentation(line));
            if mine <= others {
                return None;
            }
            let number = number_of(text, above);
            return Some(Told::new(
                word(text, start + mine),
                format!(
                    "this line is indented deeper than line {number}, which is complete as it is"
                ),
                format!("if it belongs beside line {number}, indent it by {others} spaces"),
            ));
        }
        Some(_) => return None,
        None => {
            let help = match entry.split_once(' ') {
                Some((key, value)) => format!("write `{key}: {}`", value.trim()),
                None => format!("write `{entry}:`"),
            };
            let message = format!("`{entry}` is no key with a value: the colon is missing");
            Told::new(place..place + entry.len(), message, help)
        }
    };
    told.noticed = Some(at);
    Some(told)
}

/// A line whose indentation is that of no level above it.
fn level(text: &str, at: usize) -> Option<Told> {
    let start = line_start(text, at);
    let line = &text[start..line_end(text, at)];
    let mine = indentation(line);
    let mut levels = Vec::new();
    let mut least = usize::MAX;
    let mut from = start;
    while let Some((above, line)) = line_before(text, from) {
        let indentation = indentation(line);
        if indentation < least {
            levels.push(indentation);
            least = indentation;
        }
        if least == 0 {
            break;
        }
        from = above;
    }
    if levels.contains(&mine) || levels.is_empty() {
        return None;
    }
    let near: Vec<String> = [
        levels.iter().rev().find(|l| **l > mine),
        levels.iter().find(|l| **l < mine),
    ]
    .into_iter()
    .flatten()
    .map(ToString::to_string)
    .collect();
    Some(Told::new(
        word(text, start + mine),
        format!("no line above is indented by {mine}, so this one belongs to none"),
        format!("indent it by {} spaces", near.join(" or ")),
    ))
}

fn character(text: &str, at: usize) -> Option<Told> {
    let first = text[at..].chars().next()?;
    let line = text[at..line_end(text, at)].trim_end();
    let help = match first {
        '"' | '\'' => "put the value in quotes of the other kind".to_owned(),
        _ if line.contains('"') => "put the value in quotes".to_owned(),
        _ => format!("put it in quotes: \"{line}\""),
    };
    Some(Told::new(
        at..at + first.len_utf8(),
        format!("a value without quotes cannot begin with `{first}`"),
        help,
    ))
}

/// What is open at a byte, as well as it can be told without parsing.
#[derive(Default)]
struct Open {
    brackets: Vec<(usize, char)>,
    quote: Option<(usize, char)>,
}

impl Open {
    fn at(text: &str, end: usize) -> Self {
        let mut open = Open::default();
        let mut last = '\n';
        // The last one that is no space.
        let mut solid = '\n';
        let mut is_comment = false;
        let mut skip = false;
        for (at, c) in text[..end].char_indices() {
            if is_comment {
                is_comment = c != '\n';
            } else if let Some((_, quote)) = open.quote {
                match c {
                    _ if skip => skip = false,
                    '\\' if quote == '"' => skip = true,
                    c if c == quote => open.quote = None,
                    _ => {}
                }
            } else {
                let begins = ":,[{-\n".contains(solid);
                match c {
                    '"' | '\'' if begins => open.quote = Some((at, c)),
                    '#' if last.is_whitespace() => is_comment = true,
                    '[' | '{' if begins || !open.brackets.is_empty() => open.brackets.push((at, c)),
                    ']' | '}' => {
                        open.brackets.pop();
                    }
                    _ => {}
                }
            }
            last = c;
            if c != ' ' {
                solid = c;
            }
        }
        open
    }
}

/// The quote at a byte, which nothing closes.
fn unclosed(text: &str, at: usize) -> Option<Told> {
    let quote = text[at..]
        .chars()
        .next()
        .filter(|c| matches!(c, '"' | '\''))?;
    Some(Told::new(
        at..line_end(text, at),
        "this quote is not closed",
        format!("close it with {quote}"),
    ))
}

/// A quote that is not closed.
fn quote(text: &str, at: usize) -> Option<Told> {
    let (start, quote) = Open::at(text, at).quote?;
    let mut told = Told::new(
        start..line_end(text, start),
        "this quote is not closed",
        format!(
            "close it with {quote}; a quote inside the value is written {}",
            match quote {
                '"' => "\\\"",
                _ => "''",
            }
        ),
    );
    told.noticed = (at < text.len()).then_some(at);
    Some(told)
}

/// A bracket that is not closed.
fn bracket(text: &str, at: usize) -> Option<Told> {
    let (start, bracket) = Open::at(text, at).brackets.last().copied()?;
    let close = if bracket == '[' { ']' } else { '}' };
    let mut told = Told::new(
        start..start + 1,
        format!("this `{bracket}` is not closed"),
        format!("close it with `{close}`; what stands between needs commas"),
    );
    told.noticed = (at < text.len()).then_some(at);
    Some(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_makes_it_panic() {
        let texts = [
            "",
            "\n",
            "é",
            "a: \"",
            "a: [é",
            "\t",
            ": :",
            "*",
            "- é\n é: x",
        ];
        let words = [
            "tab",
            "mapping values",
            "expected key",
            "'-' indicator",
            "end of stream",
            "x",
        ];
        for text in texts {
            for said in words {
                for at in 0..=text.len() + 1 {
                    let told = tell(text, at, said);
                    assert!(
                        text.get(told.range.clone()).is_some(),
                        "{text:?} {said} {at}: {told:?}"
                    );
                    unknown_anchor(text, at);
                }
            }
        }
    }
}
