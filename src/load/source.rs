//! The texts that a load has read: their names, their lines, and their way from bytes to text.

use super::variables::Variables;
use crate::tree::{SourceId, Span};
use std::ops::{Range, RangeInclusive};
use std::sync::OnceLock;

/// The texts that were read, for showing excerpts.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    list: Vec<Source>,
    /// Where the variables in them were set.
    pub variables: Variables,
}

/// One text.
#[derive(Debug, Clone)]
pub struct Source {
    /// As the user knows it: relative to the working directory where it lies below it.
    pub name: String,
    pub text: String,
    /// First bytes of the lines, found when the first of them is asked for.
    starts: OnceLock<Vec<usize>>,
}

impl Source {
    fn starts(&self) -> &[usize] {
        self.starts.get_or_init(|| {
            let breaks = self.text.match_indices('\n').map(|(at, _)| at + 1);
            std::iter::once(0).chain(breaks).collect()
        })
    }

    /// The number of the line that a byte is in, from 0. Bytes past the end are in the last.
    pub fn line_of(&self, byte: usize) -> usize {
        self.starts().partition_point(|start| *start <= byte) - 1
    }

    /// The bytes of some lines, without the last one's line break.
    pub fn lines(&self, lines: RangeInclusive<usize>) -> Range<usize> {
        let starts = self.starts();
        let last = starts.len() - 1;
        let start = starts[(*lines.start()).min(last)];
        let end = match starts.get(lines.end() + 1) {
            Some(next) => next - 1,
            None => self.text.len(),
        };
        start..end
    }

    /// Line and column of a byte, both from 1, columns in characters.
    pub fn place(&self, byte: usize) -> (usize, usize) {
        let at = self.text.floor_char_boundary(byte);
        let line = self.line_of(at);
        let before = &self.text[self.starts()[line]..at];
        (line + 1, before.chars().count() + 1)
    }
}

/// A place as people write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position<'s> {
    /// The source's name.
    pub file: &'s str,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

impl std::fmt::Display for Position<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

impl Sources {
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        let id = SourceId(u32::try_from(self.list.len()).unwrap_or(u32::MAX));
        self.list.push(Source {
            name: name.into(),
            text: text.into(),
            starts: OnceLock::new(),
        });
        id
    }

    /// `None` where the number is of another load.
    pub fn get(&self, id: SourceId) -> Option<&Source> {
        self.list.get(id.0 as usize)
    }

    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        (0..).map(SourceId).zip(&self.list)
    }

    /// Where a span begins.
    pub fn position(&self, span: Span) -> Option<Position<'_>> {
        let source = self.get(span.source)?;
        let (line, column) = source.place(span.start as usize);
        Some(Position {
            file: &source.name,
            line,
            column,
        })
    }

    /// The text of a span; `None` where the span fits no source.
    pub fn slice(&self, span: Span) -> Option<&str> {
        self.get(span.source)?
            .text
            .get(span.start as usize..span.end as usize)
    }
}

/// Why bytes are no text, and the text up to there, to show the place in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotText {
    pub why: String,
    pub before: String,
}

/// Bytes of a file to text: a byte order mark goes, anything that is no text is refused.
///
/// # Errors
/// Bytes that are not UTF-8, and control characters that no YAML or env file may hold.
pub fn decode(bytes: Vec<u8>) -> Result<String, NotText> {
    let refuse = |at: usize, bytes: &[u8], why: &str| NotText {
        why: why.to_owned(),
        before: String::from_utf8_lossy(&bytes[..at]).into_owned(),
    };
    if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] = bytes[..] {
        return Err(refuse(0, &bytes, "the file is in UTF-16"));
    }
    if let Some(at) = bytes.iter().position(|b| *b == 0) {
        return Err(refuse(at, &bytes, "the file holds a NUL byte"));
    }
    let mut text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let what = format!("byte 0x{:02x} is not valid UTF-8", error.as_bytes()[at]);
            return Err(refuse(at, error.as_bytes(), &what));
        }
    };
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_becomes_file_line_and_column() {
        let mut sources = Sources::default();
        sources.add("a.yaml", "x: 1\n");
        let id = sources.add("b.yaml", "a: é\nbü: c\n");
        let span = |start, end| Span {
            source: id,
            start,
            end,
        };
        let position = |s| sources.position(s).map(|p| p.to_string());
        assert_eq!(position(span(0, 1)).as_deref(), Some("b.yaml:1:1"));
        assert_eq!(position(span(11, 12)).as_deref(), Some("b.yaml:2:5"));
        assert_eq!(sources.slice(span(11, 12)), Some("c"));
        assert_eq!(position(span(999, 999)).as_deref(), Some("b.yaml:3:1"));
    }

    #[test]
    fn only_utf8_text_is_taken() {
        let decoded =
            |bytes: &[u8]| decode(bytes.to_vec()).map_err(|e| format!("{}|{}", e.before, e.why));
        assert_eq!(decoded(b"\xef\xbb\xbfa: 1"), Ok("a: 1".into()));
        assert_eq!(
            decoded(b"a: 1\nb: \xff"),
            Err("a: 1\nb: |byte 0xff is not valid UTF-8".into())
        );
        assert_eq!(decoded(b"a\0"), Err("a|the file holds a NUL byte".into()));
        assert_eq!(
            decoded(b"\xff\xfea\0"),
            Err("|the file is in UTF-16".into())
        );
    }
}
