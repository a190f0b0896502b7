//! A tree to the YAML that `config` prints: byte for byte what go-yaml writes with an indent of 2.
//!
//! Keys come in the order of the tree. Sequences stand two deeper than their key, lines that are
//! longer than 80 characters are folded at the next space, text with line breaks becomes a literal
//! block where that can hold it.

use super::scalar;
use crate::tree::float;
use crate::tree::{Map, Node, Value};
use std::fmt::Write;

/// Keys longer than this many bytes are written with `?`.
const MAX_SIMPLE_KEY: usize = 128;

/// Characters of a line after which the next space ends it.
const WIDTH: usize = 80;

/// Writes a document, with a line break at its end.
pub fn emit(root: &Node) -> String {
    let mut out = Emitter { out: String::new() };
    match &root.value {
        Value::Map(map) if !map.is_empty() => out.map(map, 0, true),
        Value::Seq(items) if !items.is_empty() => out.seq(items, 0, true),
        value => out.leaf(value, 2),
    }
    if !out.out.ends_with('\n') {
        out.out.push('\n');
    }
    out.out
}

struct Emitter {
    out: String,
}

impl Emitter {
    /// Starts a line, unless the first entry of a collection goes on after `- ` or `: `.
    fn line(&mut self, indent: usize, compact: bool) {
        if compact {
            return;
        }
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
        const BLANK: &str = "                                ";
        match BLANK.get(..indent) {
            Some(blank) => self.out.push_str(blank),
            None => self.out.extend(std::iter::repeat_n(' ', indent)),
        }
    }

    fn map(&mut self, map: &Map, indent: usize, compact: bool) {
        for (index, (key, node)) in map.iter().enumerate() {
            self.line(indent, compact && index == 0);
            let shape = Shape::of(key);
            if key.len() <= MAX_SIMPLE_KEY && !shape.multiline {
                self.text(key, shape, Place::Key);
                self.out.push(':');
                match &node.value {
                    Value::Map(map) if !map.is_empty() => self.map(map, indent + 2, false),
                    Value::Seq(items) if !items.is_empty() => self.seq(items, indent + 2, false),
                    value => {
                        self.out.push(' ');
                        self.leaf(value, indent + 2);
                    }
                }
            } else {
                self.out.push_str("? ");
                self.text(key, shape, Place::Value(indent + 2));
                self.line(indent, false);
                self.out.push_str(": ");
                self.inner(node, indent + 2);
            }
        }
    }

    fn seq(&mut self, items: &[Node], indent: usize, compact: bool) {
        for (index, node) in items.iter().enumerate() {
            self.line(indent, compact && index == 0);
            self.out.push_str("- ");
            self.inner(node, indent + 2);
        }
    }

    /// A node after `- ` or `: `, where a collection goes on in the same line.
    fn inner(&mut self, node: &Node, indent: usize) {
        match &node.value {
            Value::Map(map) if !map.is_empty() => self.map(map, indent, true),
            Value::Seq(items) if !items.is_empty() => self.seq(items, indent, true),
            value => self.leaf(value, indent),
        }
    }

    fn leaf(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Null => self.out.push_str("null"),
            Value::Bool(b) => {
                let _ = write!(self.out, "{b}");
            }
            Value::Int(i) => {
                let _ = write!(self.out, "{i}");
            }
            Value::Float(f) => self.out.push_str(&float::yaml(*f)),
            Value::Str(text) => self.text(text, Shape::of(text), Place::Value(indent)),
            Value::Verbatim(text) => self.out.push_str(text),
            Value::Seq(_) => self.out.push_str("[]"),
            Value::Map(_) => self.out.push_str("{}"),
        }
    }

    fn text(&mut self, text: &str, shape: Shape, place: Place) {
        let style = shape.style(text, place);
        match (style, place) {
            (Style::Literal, Place::Value(indent)) => self.literal(text, indent),
            (Style::Plain, _) => self.line_of(text, shape, place, style),
            (quoted, _) => {
                let quote = if quoted == Style::Single { '\'' } else { '"' };
                self.out.push(quote);
                self.line_of(text, shape, place, quoted);
                self.out.push(quote);
            }
        }
    }

    /// Characters since the last line break.
    fn column(&self) -> usize {
        let line = self.out.rfind('\n').map_or(0, |at| at + 1);
        self.out[line..].chars().count()
    }

    /// The characters of a text that is not a block, folded where they may be.
    fn line_of(&mut self, text: &str, shape: Shape, place: Place, style: Style) {
        if style == Style::Plain && !shape.spaced {
            self.out.push_str(text);
            return;
        }
        let is_verbatim = match style {
            Style::Plain => true,
            Style::Single => !text.contains('\''),
            Style::Double | Style::Literal => false,
        };
        let fits =
            || place == Place::Key || !text.contains(' ') || self.column() + text.len() <= WIDTH;
        if is_verbatim && fits() {
            self.out.push_str(text);
            return;
        }
        let Place::Value(indent) = place else {
            for c in text.chars() {
                self.character(c, style);
            }
            return;
        };
        let mut column = self.column();
        let mut after_space = false;
        for (at, c) in text.char_indices() {
            let next_is_space = text[at + c.len_utf8()..].starts_with(' ');
            let inside = style == Style::Plain || (at > 0 && at + 1 < text.len());
            let may_fold = c == ' ' && !after_space && column > WIDTH && inside;
            if may_fold && (style == Style::Double || !next_is_space) {
                self.line(indent, false);
                column = indent;
                if next_is_space {
                    self.out.push('\\');
                    column += 1;
                }
            } else {
                let before = self.out.len();
                self.character(c, style);
                column += self.out[before..].chars().count();
            }
            after_space = c == ' ';
        }
    }

    /// One character as it stands in a plain or a quoted text.
    fn character(&mut self, c: char, style: Style) {
        match style {
            Style::Single if c == '\'' => self.out.push_str("''"),
            Style::Plain | Style::Single => self.out.push(c),
            Style::Double | Style::Literal => self.escaped(c),
        }
    }

    fn escaped(&mut self, c: char) {
        let short = match c {
            '\0' => '0',
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\u{b}' => 'v',
            '\u{c}' => 'f',
            '\r' => 'r',
            '\u{1b}' => 'e',
            '"' => '"',
            '\\' => '\\',
            '\u{85}' => 'N',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            _ if is_printable(c) => {
                self.out.push(c);
                return;
            }
            _ => {
                let code = u32::from(c);
                let _ = match code {
                    0..=0xff => write!(self.out, "\\x{code:02X}"),
                    0x100..=0xffff => write!(self.out, "\\u{code:04X}"),
                    _ => write!(self.out, "\\U{code:08X}"),
                };
                return;
            }
        };
        self.out.push('\\');
        self.out.push(short);
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.out.push('|');
        // Go-yaml forgets the hint where empty lines come first, and so would read the text back
        // with spaces missing: there we do not follow it.
        if text.trim_start_matches(is_break).starts_with(' ') {
            self.out.push('2');
        }
        let mut from_end = text.chars().rev();
        if !from_end.next().is_some_and(is_break) {
            self.out.push('-');
        } else if from_end.next().is_none_or(is_break) {
            self.out.push('+');
        }
        self.out.push('\n');
        let mut at_line_start = true;
        for c in text.chars() {
            let breaks = is_break(c);
            if at_line_start && !breaks {
                self.out.extend(std::iter::repeat_n(' ', indent));
            }
            self.out.push(c);
            at_line_start = breaks;
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A key on one line.
    Key,
    /// Anywhere else, with the indent a block would have.
    Value(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

/// What the characters of a text allow.
#[derive(Debug, Clone, Copy)]
struct Shape {
    multiline: bool,
    /// Whether there may be a space.
    spaced: bool,
    /// Whether there may be a colon.
    colon: bool,
    plain: bool,
    single: bool,
    block: bool,
}

impl Shape {
    fn of(text: &str) -> Self {
        if let Some(signs) = simple_signs(text.as_bytes()) {
            return Shape {
                multiline: false,
                spaced: signs & SPACE != 0,
                colon: signs & COLON != 0,
                plain: true,
                single: true,
                block: true,
            };
        }
        let mut shape = Shape {
            multiline: false,
            spaced: true,
            colon: true,
            plain: true,
            single: true,
            block: !text.is_empty(),
        };
        if text.starts_with("---") || text.starts_with("...") {
            shape.plain = false;
        }
        let mut before = None;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let next = chars.peek().copied();
            let blank_next = matches!(next, None | Some(' ' | '\t'));
            let blank_before = before.is_none_or(|b| matches!(b, ' ' | '\t' | '\0') || is_break(b));
            let indicator = match c {
                ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
                | '@' | '`' => before.is_none(),
                '?' | '-' => before.is_none() && blank_next,
                ':' => blank_next,
                '#' => blank_before,
                _ => false,
            };
            let at_edge = before.is_none() || next.is_none();
            if indicator || (at_edge && (c == ' ' || is_break(c))) {
                shape.plain = false;
            }
            if c == '\t' {
                shape.plain = false;
                shape.single = false;
            } else if c != '\n' && (is_break(c) || !is_printable(c)) {
                // Breaks of YAML 1.1 only are none for a reader of 1.2, so indentation written
                // after one would become text. Go-yaml does write it: we keep the value.
                shape.special();
            }
            if is_break(c) {
                shape.multiline = true;
                shape.plain = false;
                if before == Some(' ') {
                    shape.special();
                }
            }
            if c == ' ' {
                if before.is_some_and(is_break) {
                    shape.plain = false;
                    shape.single = false;
                }
                if next.is_none() {
                    shape.block = false;
                }
            }
            before = Some(c);
        }
        shape
    }

    /// Only double quotes can hold it.
    fn special(&mut self) {
        self.plain = false;
        self.single = false;
        self.block = false;
    }

    /// Whether YAML 1.1 would take the plain text for a truth value, a number or a merge key.
    fn is_old(self, text: &str) -> bool {
        const BOOLEANS: [&str; 16] = [
            "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off",
            "Off", "OFF",
        ];
        let is_word = |b: &u8| matches!(b, b'y' | b'Y' | b'o' | b'O' | b'n' | b'N');
        match text.len() {
            ..=3 if text.as_bytes().first().is_some_and(is_word) => BOOLEANS.contains(&text),
            ..=3 if text == "<<" => true,
            _ => self.colon && is_base60(text),
        }
    }

    fn style(self, text: &str, place: Place) -> Style {
        let in_key = place == Place::Key;
        if in_key && self.multiline {
            return Style::Double;
        }
        if self.multiline && text.contains('\n') {
            let literal = self.block && !in_key && !text.trim().is_empty();
            return if literal {
                Style::Literal
            } else {
                Style::Double
            };
        }
        // What this version of YAML would not read as text gets double quotes; what only YAML 1.1
        // would not, the quotes of text with signs in it.
        if is_typed(text) {
            Style::Double
        } else if self.plain && !self.is_old(text) {
            Style::Plain
        } else if self.single {
            Style::Single
        } else {
            Style::Double
        }
    }
}

/// What a byte of a text may ask for, as bits.
const SPACE: u8 = 1;
const COLON: u8 = 2;
const HASH: u8 = 4;
/// More than a look at the byte.
const MORE: u8 = 8;

const SIGNS: [u8; 256] = {
    let mut signs = [MORE; 256];
    let mut byte = b' ';
    while byte <= b'~' {
        signs[byte as usize] = match byte {
            b' ' => SPACE,
            b':' => COLON,
            b'#' => HASH,
            _ => 0,
        };
        byte += 1;
    }
    signs
};

/// The signs in a text that holds nothing that [`Shape::of`] has to look at twice: most texts
/// are so.
fn simple_signs(text: &[u8]) -> Option<u8> {
    let (first, last) = (text.first()?, text.last()?);
    let is_word = first.is_ascii_alphanumeric() || matches!(first, b'_' | b'/' | b'.' | b'$');
    let signs = text.iter().fold(0, |all, b| all | SIGNS[*b as usize]);
    if !is_word || signs & MORE != 0 || matches!(last, b' ' | b':') || text.starts_with(b"...") {
        return None;
    }
    let may_pair = signs & SPACE != 0 && signs & (COLON | HASH) != 0;
    let is_pair = |pair: &[u8]| matches!(pair, b": " | b" #");
    (!may_pair || !text.windows(2).any(is_pair)).then_some(signs)
}

/// Whether the plain text would be read as something else than text.
fn is_typed(text: &str) -> bool {
    let Some(first) = text.bytes().next() else {
        return true;
    };
    match first {
        b'+' | b'-' | b'0'..=b'9' => scalar::is_number(text) || scalar::is_timestamp(text),
        // The longest word that is no text is `false`.
        b'n' | b'N' | b't' | b'T' | b'f' | b'F' if text.len() > 5 => false,
        b'.' | b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' => {
            !matches!(scalar::plain(text), Value::Str(_))
        }
        _ => false,
    }
}

/// YAML 1.1's numbers with `:`, e.g. `22:22`.
fn is_base60(text: &str) -> bool {
    if !text.contains(':') {
        return false;
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut parts = unsigned.split(':');
    let whole = parts.next().unwrap_or_default();
    let is_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    if !whole.bytes().next().is_some_and(|b| b.is_ascii_digit()) || !is_digits(whole) {
        return false;
    }
    let rest: Vec<&str> = parts.collect();
    let Some((last, inner)) = rest.split_last() else {
        return false;
    };
    let last = match last.split_once('.') {
        Some((minutes, fraction)) if is_digits(fraction) => minutes,
        Some(_) => return false,
        None => last,
    };
    let is_part = |s: &str| match s.as_bytes() {
        [d] => d.is_ascii_digit(),
        [b'0'..=b'5', d] => d.is_ascii_digit(),
        _ => false,
    };
    inner.iter().all(|part| is_part(part)) && is_part(last)
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What go-yaml writes as it is. It escapes all characters beyond the basic plane.
fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && c != '\u{feff}'
}

#[cfg(test)]
mod tests;
