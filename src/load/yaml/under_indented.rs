//! Quoted texts whose further lines stand too far to the left. YAML wants them indented deeper than
//! what they belong to; the reader that Docker Compose uses does not mind:
//!
//! ```yaml
//! environment:
//!   KEY: "-----BEGIN…
//! …
//! ```
//!
//! What is put in front of such lines counts for nothing in a quoted text, so the text with it reads
//! as it was meant, and places in it are told from those in the file.

use crate::tree::{SourceId, Span};
use granit_parser::{ErrorKind, Parser};

use super::event::offset;

/// More lines than this are no text that somebody wrote in quotes.
const MAX_LINES: usize = 200;

/// The most bytes that are read over and over again, for all lines together.
const MAX_READ: usize = 32 << 20;

/// The deepest indentation that is put in front of a line.
const MAX_INDENT: usize = 1000;

/// Places in a text, some of whose lines have been moved to the right.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub(super) source: SourceId,
    /// Bytes of the moved text at which something was put in, and how much.
    inserted: Vec<(usize, usize)>,
}

impl Places {
    pub(super) fn of(source: SourceId) -> Self {
        Places {
            source,
            inserted: Vec::new(),
        }
    }

    /// Where a byte stands in the file.
    fn original(&self, at: usize) -> usize {
        let before = self.inserted.iter().take_while(|(from, _)| *from < at);
        at - before
            .map(|(from, length)| (*length).min(at - from))
            .sum::<usize>()
    }

    /// The place in the file of some bytes of the text.
    pub(super) fn span(&self, span: &granit_parser::Span) -> Span {
        let start = span.start.byte_offset().unwrap_or(0);
        let end = span.end.byte_offset().unwrap_or(start);
        let (start, end) = match self.inserted.is_empty() {
            true => (start, end),
            false => (self.original(start), self.original(end)),
        };
        Span {
            source: self.source,
            start: offset(start),
            end: offset(end),
        }
    }
}

/// The text with all such lines moved to the right; `None` where that alone does not make it YAML.
pub(super) fn straightened(
    source: SourceId,
    text: &str,
    options: &granit_parser::Options,
) -> Option<(String, Places)> {
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let deepest = text.lines().map(indent).max().unwrap_or(0) + 1;
    if deepest > MAX_INDENT {
        return None;
    }
    let padding = " ".repeat(deepest);
    let mut text = text.to_owned();
    let mut places = Places::of(source);
    let mut read = 0;
    while places.inserted.len() <= MAX_LINES && read <= MAX_READ {
        read += text.len();
        let Some(error) = first_error(&text, options) else {
            return Some((text, places));
        };
        let at = match (error.kind(), error.marker().byte_offset()) {
            (ErrorKind::InvalidQuotedScalarIndent, Some(at)) => at,
            _ => return None,
        };
        let line = text[..at].rfind('\n')? + 1;
        let last = places.inserted.last();
        if last.is_some_and(|(before, _)| *before >= line) {
            return None;
        }
        text.insert_str(line, &padding);
        places.inserted.push((line, deepest));
    }
    None
}

fn first_error(text: &str, options: &granit_parser::Options) -> Option<granit_parser::ScanError> {
    let mut parser = Parser::new_from_str_with_options(text, options.clone());
    loop {
        match parser.next_event()? {
            Ok((granit_parser::Event::StreamEnd, _)) => return None,
            Ok(_) => {}
            Err(error) => return Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnostic::Findings;
    use crate::load::source::Sources;
    use crate::load::yaml;
    use crate::tree::Node;

    /// The values that stand at `a.b` and `c`, and what the file has at their places.
    fn read(text: &str) -> Result<Vec<(String, String)>, String> {
        let mut sources = Sources::default();
        let id = sources.add("x.yaml", text);
        let mut findings = Findings::default();
        let documents = yaml::parse(id, text, &mut findings);
        if let Some(finding) = findings.first() {
            return Err(finding.message.clone());
        }
        let root = &documents[0].root;
        let found = [root.at(&["a", "b"]), root.at(&["c"])];
        let shown = |node: &Node| {
            let there = sources.slice(node.span).unwrap_or_default();
            (
                node.as_str().unwrap_or_default().to_owned(),
                there.to_owned(),
            )
        };
        Ok(found.into_iter().flatten().map(shown).collect())
    }

    #[test]
    fn quoted_lines_may_stand_anywhere() {
        for (text, value) in [
            ("a:\n  b: \"x\ny\"\nc: z\n", "x y"),
            ("a:\n  b: 'x\n  y\n\n z'\nc: z\n", "x y\nz"),
            (
                "a:\n  b: \"-----K\nü\\\n  v\n-----\"\nc: z\n",
                "-----K üv -----",
            ),
            ("a:\n    b: 'x\n  y'  # c\nc: z\n", "x y"),
        ] {
            let found = read(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(found[0].0, value, "{text}");
            let quoted = text.find(['"', '\'']).unwrap_or_default();
            assert!(text[quoted..].starts_with(&found[0].1), "{text}: {found:?}");
            assert_eq!(found[1], ("z".into(), "z".into()), "{text}");
        }
    }

    #[test]
    fn a_quote_that_is_not_closed_is_still_found() {
        let told = read("a:\n  b: \"x\nc:\n  - \"y\"\n");
        assert_eq!(told, Err("this quote is not closed".into()));
    }
}
