//! The fast path: reads the YAML that most project files are written in, line by line, and gives
//! up on anything else.
//!
//! Block mappings and sequences, scalars and flow collections that end in their line, anchors,
//! aliases and comments are read here, to the same steps at the same places as the parser's. At
//! the first thing that is not surely one of these the fast path reports nothing, and the parser reads
//! the whole text from the start; so the fast path knows no errors.

use super::build::Builder;
use super::event::{Kind, Shape, Step, offset};
use crate::load::budget;
use crate::tree::{SourceId, Span};
use std::borrow::Cow;

/// Collections inside each other; deeper texts are left to the parser.
const MAX_DEPTH: usize = 64;

/// Bytes of a key; YAML allows 1024 characters.
const MAX_KEY: usize = 1000;

/// Reads a text with one document; `None` where the parser has to.
pub(super) fn read<'t>(source: SourceId, text: &'t str, builder: &mut Builder<'t>) -> Option<()> {
    if !is_readable(text) {
        return None;
    }
    let mut reader = FastPath {
        text,
        bytes: text.as_bytes(),
        source,
        builder,
        anchors: Vec::new(),
        line: Line::default(),
        depth: 0,
    };
    reader.go_to(0)?;
    if reader.line.is_end || reader.line.indent != 0 || reader.is_item() {
        return None;
    }
    reader.map(None)?;
    reader.line.is_end.then_some(())
}

/// Whether a text holds nothing but line feeds and characters that stand for themselves.
fn is_readable(text: &str) -> bool {
    let is_plain = |b: u8| matches!(b, b' '..=b'~' | b'\n');
    if text.bytes().fold(true, |all, b| all & is_plain(b)) {
        return true;
    }
    text.chars().all(|c| match u8::try_from(c) {
        Ok(byte) if byte.is_ascii() => is_plain(byte),
        _ => {
            matches!(c, '\u{a0}'..='\u{1fff}' | '\u{2030}'..='\u{d7ff}' | '\u{1f300}'..='\u{1faff}')
        }
    })
}

/// A line with something in it.
#[derive(Debug, Clone, Copy, Default)]
struct Line {
    /// First byte that is no space.
    start: usize,
    /// The line break, or the end of the text.
    end: usize,
    /// Spaces before the start; in a sequence's item what stands there counts as space.
    indent: usize,
    /// There is no further line.
    is_end: bool,
}

struct FastPath<'t, 'b> {
    text: &'t str,
    bytes: &'t [u8],
    source: SourceId,
    builder: &'b mut Builder<'t>,
    /// Names of anchors; their numbers count from 1.
    anchors: Vec<&'t str>,
    line: Line,
    depth: usize,
}

/// A scalar and what follows it.
struct Scalar<'t> {
    text: Cow<'t, str>,
    kind: Kind,
    start: usize,
    end: usize,
}

impl<'t> FastPath<'t, '_> {
    /// The byte at a place of the line; a line break at its end.
    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(b'\n')
    }

    fn is_blank(&self, at: usize) -> bool {
        matches!(self.byte(at), b' ' | b'\n')
    }

    fn spaces(&self, mut at: usize) -> usize {
        while self.byte(at) == b' ' {
            at += 1;
        }
        at
    }

    /// Finds the next line with something in it.
    fn go_to(&mut self, mut at: usize) -> Option<()> {
        loop {
            if at >= self.bytes.len() {
                self.line = Line {
                    is_end: true,
                    ..Line::default()
                };
                return Some(());
            }
            let start = self.spaces(at);
            let rest = &self.bytes[start..];
            let end = start + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            if start < end && self.bytes[start] != b'#' {
                let indent = start - at;
                self.line = Line {
                    start,
                    end,
                    indent,
                    is_end: false,
                };
                // Ends and beginnings of documents are the parser's.
                let is_mark =
                    indent == 0 && matches!(rest, [b'-', b'-', b'-', ..] | [b'.', b'.', b'.', ..]);
                return (!is_mark).then_some(());
            }
            at = end + 1;
        }
    }

    fn feed(&mut self, step: Step<'t>, anchor: Option<usize>) -> Option<()> {
        match self.builder.feed(step, anchor) {
            Ok(()) => Some(()),
            Err(finding) => {
                self.builder.refusal = Some(finding).filter(|f| f.code == budget::CODE);
                None
            }
        }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span {
            source: self.source,
            start: offset(start),
            end: offset(end),
        }
    }

    fn scalar(&mut self, scalar: Scalar<'t>, anchor: Option<usize>) -> Option<()> {
        let span = self.span(scalar.start, scalar.end);
        self.feed(Step::Scalar(scalar.text, scalar.kind, None, span), anchor)
    }

    fn open(
        &mut self,
        shape: Shape,
        start: usize,
        end: usize,
        anchor: Option<usize>,
    ) -> Option<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let span = self.span(start, end);
        self.feed(Step::Open(shape, None, span), anchor)
    }

    fn close(&mut self, start: usize, end: usize) -> Option<()> {
        self.depth -= 1;
        let span = self.span(start, end);
        self.feed(Step::Close(span), None)
    }

    /// Whether the line is an item of a sequence.
    fn is_item(&self) -> bool {
        self.byte(self.line.start) == b'-' && self.is_blank(self.line.start + 1)
    }

    /// A block mapping that begins with this line.
    fn map(&mut self, anchor: Option<usize>) -> Option<()> {
        let indent = self.line.indent;
        self.open(Shape::Map, self.line.start, self.line.start, anchor)?;
        loop {
            let key = self.key(self.line.start)?;
            let colon = key.end;
            self.scalar(key, None)?;
            self.value(colon, indent)?;
            if self.line.is_end || self.line.indent < indent {
                break;
            }
            if self.line.indent > indent {
                return None;
            }
        }
        self.close(self.line.start, self.line.start)
    }

    /// What stands after the colon of a key.
    fn value(&mut self, colon: usize, indent: usize) -> Option<()> {
        let at = self.spaces(colon + 1);
        match self.byte(at) {
            b'\n' | b'#' => {
                self.go_to(self.line.end + 1)?;
                if !self.line.is_end && self.line.indent > indent {
                    return self.block(None);
                }
                if !self.line.is_end && self.line.indent == indent && self.is_item() {
                    let first = self.spaces(self.line.start + 1);
                    return self.seq(first, None);
                }
                let nothing = Scalar {
                    text: Cow::Borrowed("~"),
                    kind: Kind::Plain,
                    start: colon,
                    end: colon,
                };
                self.scalar(nothing, None)
            }
            b'&' => {
                let (at, anchor) = self.anchor(at)?;
                if !matches!(self.byte(at), b'\n' | b'#') {
                    return self.inline(at, Some(anchor));
                }
                self.go_to(self.line.end + 1)?;
                if self.line.is_end || self.line.indent <= indent {
                    return None;
                }
                self.block(Some(anchor))
            }
            _ => self.inline(at, None),
        }
    }

    /// A block collection that begins with this line.
    fn block(&mut self, anchor: Option<usize>) -> Option<()> {
        match self.is_item() {
            true => self.seq(self.line.start, anchor),
            false => self.map(anchor),
        }
    }

    /// A block sequence that begins with this line; `start` is where the parser sees it begin.
    fn seq(&mut self, start: usize, anchor: Option<usize>) -> Option<()> {
        let indent = self.line.indent;
        let is_indented = start == self.line.start;
        self.open(Shape::Seq, start, start, anchor)?;
        loop {
            let at = self.spaces(self.line.start + 1);
            match self.byte(at) {
                b'\n' | b'#' => return None,
                b'-' if self.is_blank(at + 1) => return None,
                b'&' => {
                    if !is_indented {
                        return None;
                    }
                    let (at, anchor) = self.anchor(at)?;
                    if matches!(self.byte(at), b'\n' | b'#') || self.key(at).is_some() {
                        return None;
                    }
                    self.inline(at, Some(anchor))?;
                }
                _ => match self.key(at) {
                    Some(_) => {
                        self.line.indent += at - self.line.start;
                        self.line.start = at;
                        self.map(None)?;
                    }
                    None => self.inline(at, None)?,
                },
            }
            if self.line.is_end || self.line.indent < indent {
                break;
            }
            if self.line.indent > indent {
                return None;
            }
            if !self.is_item() {
                if is_indented {
                    return None;
                }
                break;
            }
        }
        self.close(self.line.start, self.line.start)
    }

    /// A node that ends in this line, and nothing after it.
    fn inline(&mut self, at: usize, anchor: Option<usize>) -> Option<()> {
        let end = match self.byte(at) {
            b'[' | b'{' => self.flow(at, anchor)?,
            b'*' if anchor.is_none() => self.alias(at)?,
            b'"' | b'\'' => {
                let scalar = self.quoted(at)?;
                let end = scalar.end;
                self.scalar(scalar, anchor)?;
                end
            }
            _ => {
                let scalar = self.plain(at)?;
                let end = scalar.end;
                self.scalar(scalar, anchor)?;
                end
            }
        };
        let rest = self.spaces(end);
        match self.byte(rest) {
            b'\n' => {}
            b'#' if rest > end => {}
            _ => return None,
        }
        self.go_to(self.line.end + 1)
    }

    /// A key with its colon; `None` where none stands here.
    fn key(&self, at: usize) -> Option<Scalar<'t>> {
        let key = match self.byte(at) {
            b'"' | b'\'' => self.quoted(at)?,
            _ => {
                if !self.begins_plain(at) {
                    return None;
                }
                let mut end = at + 1;
                loop {
                    match self.byte(end) {
                        b':' if self.is_blank(end + 1) => break,
                        b'\n' => return None,
                        b'#' if self.byte(end - 1) == b' ' => return None,
                        _ => end += 1,
                    }
                }
                self.slice(at, end)?
            }
        };
        let is_key = self.byte(key.end) == b':' && self.is_blank(key.end + 1);
        (is_key && key.end - at <= MAX_KEY).then_some(key)
    }

    /// Whether a plain scalar may begin here.
    fn begins_plain(&self, at: usize) -> bool {
        match self.byte(at) {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => true,
            b'_' | b'/' | b'.' | b'$' | b'~' | b'<' | b'+' | b'=' | b'(' | b'^' | b';' | b'\\' => {
                true
            }
            b'-' => {
                matches!(self.byte(at + 1), b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'/')
            }
            byte => !byte.is_ascii(),
        }
    }

    /// A plain scalar up to a byte, which no space may stand before.
    fn slice(&self, start: usize, end: usize) -> Option<Scalar<'t>> {
        let text = self.text.get(start..end)?;
        (!text.ends_with(' ')).then_some(Scalar {
            text: Cow::Borrowed(text),
            kind: Kind::Plain,
            start,
            end,
        })
    }

    /// A plain scalar outside of flow collections.
    fn plain(&self, at: usize) -> Option<Scalar<'t>> {
        if !self.begins_plain(at) {
            return None;
        }
        let mut end = at + 1;
        let mut last = end;
        loop {
            match self.byte(end) {
                b'\n' => break,
                b' ' => {
                    if self.byte(end + 1) == b'#' {
                        break;
                    }
                    end += 1;
                    continue;
                }
                b':' if self.is_blank(end + 1) => return None,
                _ => {}
            }
            end += 1;
            last = end;
        }
        self.slice(at, last)
    }

    /// A quoted scalar.
    fn quoted(&self, at: usize) -> Option<Scalar<'t>> {
        let quote = self.byte(at);
        let line = self.bytes.get(at + 1..self.line.end)?;
        let mut end = memchr::memchr2(quote, b'\\', line)?;
        let text = if line[end] == quote && (quote == b'"' || line.get(end + 1) != Some(&quote)) {
            Cow::Borrowed(self.text.get(at + 1..at + 1 + end)?)
        } else {
            let (text, length) = match quote {
                b'"' => escaped(self.text.get(at + 1..self.line.end)?)?,
                _ => doubled(self.text.get(at + 1..self.line.end)?)?,
            };
            end = length;
            Cow::Owned(text)
        };
        Some(Scalar {
            text,
            kind: Kind::Quoted,
            start: at,
            end: at + 1 + end + 1,
        })
    }

    /// A flow collection; what comes back is where it ends.
    fn flow(&mut self, at: usize, anchor: Option<usize>) -> Option<usize> {
        let (shape, last) = match self.byte(at) {
            b'[' => (Shape::Seq, b']'),
            _ => (Shape::Map, b'}'),
        };
        self.open(shape, at, at + 1, anchor)?;
        let mut at = self.spaces(at + 1);
        if self.byte(at) != last {
            loop {
                at = match shape {
                    Shape::Seq => self.flow_node(at)?,
                    Shape::Map => self.flow_entry(at)?,
                };
                at = self.spaces(at);
                match self.byte(at) {
                    b',' => at = self.spaces(at + 1),
                    byte if byte == last => break,
                    _ => return None,
                }
            }
        }
        self.close(at, at + 1)?;
        Some(at + 1)
    }

    /// `key: value` in a flow mapping.
    fn flow_entry(&mut self, at: usize) -> Option<usize> {
        let key = match self.byte(at) {
            b'"' | b'\'' => self.quoted(at)?,
            _ => self.flow_plain(at)?,
        };
        let colon = key.end;
        if self.byte(colon) != b':' || self.byte(colon + 1) != b' ' {
            return None;
        }
        self.scalar(key, None)?;
        self.flow_node(self.spaces(colon + 1))
    }

    fn flow_node(&mut self, at: usize) -> Option<usize> {
        let scalar = match self.byte(at) {
            b'[' | b'{' => return self.flow(at, None),
            b'*' => return self.alias(at),
            b'"' | b'\'' => self.quoted(at)?,
            _ => self.flow_plain(at)?,
        };
        let end = scalar.end;
        self.scalar(scalar, None)?;
        Some(end)
    }

    /// A plain scalar in a flow collection.
    fn flow_plain(&self, at: usize) -> Option<Scalar<'t>> {
        if !self.begins_plain(at) {
            return None;
        }
        let mut end = at + 1;
        let mut last = end;
        loop {
            match self.byte(end) {
                b'\n' | b'[' | b'{' | b'#' | b'?' => return None,
                b',' | b']' | b'}' => break,
                b':' => match self.byte(end + 1) {
                    b' ' => break,
                    b'\n' | b',' | b'[' | b']' | b'{' | b'}' => return None,
                    _ => {}
                },
                b' ' => {
                    end += 1;
                    continue;
                }
                _ => {}
            }
            end += 1;
            last = end;
        }
        self.slice(at, last)
    }

    /// The end of a name after `&` or `*`.
    fn name(&self, at: usize) -> Option<usize> {
        let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        let length = self.bytes[at..].iter().take_while(|b| is_part(b)).count();
        (length > 0).then_some(at + length)
    }

    /// An anchor: what stands after it, and its number.
    fn anchor(&mut self, at: usize) -> Option<(usize, usize)> {
        let end = self.name(at + 1)?;
        if !self.is_blank(end) {
            return None;
        }
        self.anchors.push(self.text.get(at + 1..end)?);
        Some((self.spaces(end), self.anchors.len()))
    }

    fn alias(&mut self, at: usize) -> Option<usize> {
        let end = self.name(at + 1)?;
        if !matches!(self.byte(end), b' ' | b'\n' | b',' | b']' | b'}') {
            return None;
        }
        let name = self.text.get(at + 1..end)?;
        let number = self.anchors.iter().rposition(|known| *known == name)? + 1;
        let span = self.span(at, end);
        self.feed(Step::Alias(number, span), None)?;
        Some(end)
    }
}

/// The text up to a double quote, and how many bytes it took.
fn escaped(rest: &str) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut chars = rest.char_indices();
    loop {
        match chars.next()? {
            (at, '"') => return Some((text, at)),
            (_, '\\') => match chars.next()?.1 {
                same @ ('"' | '\\' | '/') => text.push(same),
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                _ => return None,
            },
            (_, c) => text.push(c),
        }
    }
}

/// The text up to a single quote that is not doubled, and how many bytes it took.
fn doubled(rest: &str) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut chars = rest.char_indices().peekable();
    loop {
        let (at, c) = chars.next()?;
        if c == '\'' && chars.next_if(|(_, next)| *next == '\'').is_none() {
            return Some((text, at));
        }
        text.push(c);
    }
}

#[cfg(test)]
mod tests;
