//! `.dockerignore`: which files of a build context stay away from the builder.
//!
//! The grammar is Docker's own, not that of `.gitignore`: patterns are rooted, `*` does not cross
//! a `/`, and the last one that fits decides. Patterns and paths are bytes, as names of files are:
//! where they are UTF-8, `?` stands for a whole character, and elsewhere for a byte.

/// The patterns of a `.dockerignore`.
#[derive(Debug, Clone, Default)]
pub struct Ignore {
    patterns: Vec<Pattern>,
}

/// A pattern that means nothing. Without it keys could go into an image, so nothing is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadPattern {
    /// From 1.
    pub line: usize,
    /// As it stands there, made readable.
    pub pattern: String,
    pub why: &'static str,
}

#[derive(Debug, Clone)]
struct Pattern {
    tokens: Vec<Token>,
    /// It takes files back in (`!`).
    includes: bool,
}

/// A character, or a byte that is part of none.
type Unit = u32;

/// What is added to a byte that is part of no character.
const BYTE: Unit = 0x11_0000;

const SLASH: Unit = b'/' as Unit;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Unit(Unit),
    /// `?`: one character but `/`.
    One,
    /// `*`: any but `/`.
    Some,
    /// `**` before a `/` or in the middle: any directories, with their `/`.
    Directories,
    /// `**` at the end: everything.
    Rest,
    /// `[a-z]`: ranges, and whether it is negated.
    Class(Vec<(Unit, Unit)>, bool),
}

/// What is known of a directory, so that its entries need not ask again.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// Which patterns fit it or a directory above.
    fits: Vec<bool>,
    pub excluded: bool,
}

impl Ignore {
    /// Reads a file's content.
    ///
    /// # Errors
    /// The first line whose pattern Docker's builder refuses, too.
    pub fn parse(content: &[u8]) -> Result<Self, BadPattern> {
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        let mut patterns = Vec::new();
        for (index, line) in content.split(|byte| *byte == b'\n').enumerate() {
            if line.starts_with(b"#") {
                continue;
            }
            let bad = |why| BadPattern {
                line: index + 1,
                pattern: String::from_utf8_lossy(trim(line)).into_owned(),
                why,
            };
            patterns.extend(Pattern::parse(trim(line)).map_err(bad)?);
        }
        Ok(Ignore { patterns })
    }

    /// Whether there is nothing to leave out.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether something inside an excluded directory may be taken back in.
    pub fn takes_back(&self) -> bool {
        self.patterns.iter().any(|p| p.includes)
    }

    /// Judges a path (relative, with `/`) by its directory's verdict.
    pub fn judge(&self, path: &[u8], parent: &Verdict) -> Verdict {
        let mut verdict = Verdict {
            fits: Vec::with_capacity(self.patterns.len()),
            excluded: false,
        };
        let units = units(path);
        for (index, pattern) in self.patterns.iter().enumerate() {
            let fits = parent.fits.get(index) == Some(&true) || fits(&pattern.tokens, &units);
            if fits {
                verdict.excluded = !pattern.includes;
            }
            verdict.fits.push(fits);
        }
        verdict
    }

    /// Whether a file is left out, all by itself.
    pub fn excludes(&self, path: &[u8]) -> bool {
        let mut verdict = Verdict::default();
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        for at in ends.map(|(at, _)| at).chain([path.len()]) {
            verdict = self.judge(&path[..at], &verdict);
        }
        verdict.excluded
    }
}

/// Without white space at both ends, as Go counts it.
fn trim(line: &[u8]) -> &[u8] {
    match std::str::from_utf8(line) {
        Ok(text) => text.trim().as_bytes(),
        Err(_) => line.trim_ascii(),
    }
}

/// The characters of a text, and its bytes where they are none.
fn units(bytes: &[u8]) -> Vec<Unit> {
    let mut units = Vec::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        units.extend(chunk.valid().chars().map(Unit::from));
        units.extend(chunk.invalid().iter().map(|byte| BYTE + Unit::from(*byte)));
    }
    units
}

impl Pattern {
    fn parse(line: &[u8]) -> Result<Option<Self>, &'static str> {
        let (includes, rest) = match line.strip_prefix(b"!") {
            Some(rest) => (true, trim(rest)),
            None => (false, line),
        };
        if rest.is_empty() {
            return match includes {
                true => Err("nothing follows its `!`"),
                false => Ok(None),
            };
        }
        let cleaned = clean(rest);
        let rooted = cleaned.strip_prefix(b"/").unwrap_or(&cleaned);
        let tokens = tokens(&units(if rooted.is_empty() { b"/" } else { rooted }))?;
        Ok(Some(Pattern { tokens, includes }))
    }
}

/// The path without `.`, `..` (where they can be resolved) and doubled separators.
fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.starts_with(b"/");
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if parts.last().is_some_and(|last| *last != b"..") => {
                parts.pop();
            }
            b".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join(&b'/');
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/", joined.as_slice()].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}

fn tokens(units: &[Unit]) -> Result<Vec<Token>, &'static str> {
    let at = |index: usize| units.get(index).and_then(|unit| char::from_u32(*unit));
    let mut out = Vec::new();
    let mut i = 0;
    while i < units.len() {
        match at(i) {
            Some('*') if at(i + 1) == Some('*') => {
                i += 2;
                if i >= units.len() {
                    out.push(Token::Rest);
                } else {
                    if at(i) == Some('/') {
                        i += 1;
                    }
                    out.push(Token::Directories);
                }
                continue;
            }
            Some('*') => out.push(Token::Some),
            Some('?') => out.push(Token::One),
            Some('\\') => {
                i += 1;
                let unit = units.get(i).ok_or("nothing follows its `\\`")?;
                out.push(Token::Unit(*unit));
            }
            Some('[') => {
                let (token, end) = class(units, i)?;
                out.push(token);
                i = end;
            }
            _ => out.push(Token::Unit(units[i])),
        }
        i += 1;
    }
    Ok(out)
}

/// A class that begins at `start`, and the index of its `]`.
fn class(units: &[Unit], start: usize) -> Result<(Token, usize), &'static str> {
    let is = |index: usize, c: char| units.get(index) == Some(&Unit::from(c));
    let mut i = start + 1;
    let negated = is(i, '^');
    if negated {
        i += 1;
    }
    let mut ranges = Vec::new();
    loop {
        if is(i, ']') && !ranges.is_empty() {
            return Ok((Token::Class(ranges, negated), i));
        }
        if is(i, '[') && is(i + 1, ':') {
            i = named(units, i, &mut ranges)?;
            continue;
        }
        let low = member(units, &mut i)?;
        let high = match is(i, '-') {
            true => {
                i += 1;
                member(units, &mut i)?
            }
            false => low,
        };
        if high < low {
            return Err("a range in its brackets ends before it begins");
        }
        ranges.push((low, high));
    }
}

/// A class by its name (`[:alpha:]`), which Docker's builder has from its regular expressions.
fn named(
    units: &[Unit],
    start: usize,
    ranges: &mut Vec<(Unit, Unit)>,
) -> Result<usize, &'static str> {
    let mut rest = units[start + 2..].iter().map(|unit| char::from_u32(*unit));
    let name: String = rest
        .by_ref()
        .map_while(|c| c.filter(|c| *c != ':'))
        .collect();
    let of: &[(char, char)] = match name.as_str() {
        "alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        "alpha" => &[('A', 'Z'), ('a', 'z')],
        "ascii" => &[('\0', '\x7f')],
        "blank" => &[('\t', '\t'), (' ', ' ')],
        "cntrl" => &[('\0', '\x1f'), ('\x7f', '\x7f')],
        "digit" => &[('0', '9')],
        "graph" => &[('!', '~')],
        "lower" => &[('a', 'z')],
        "print" => &[(' ', '~')],
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "space" => &[('\t', '\r'), (' ', ' ')],
        "upper" => &[('A', 'Z')],
        "word" => &[('0', '9'), ('A', 'Z'), ('a', 'z'), ('_', '_')],
        "xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => {
            return Err("its brackets contain an unknown class (known: `[:alpha:]`, `[:digit:]`…)");
        }
    };
    let end = start + 2 + name.len() + 2;
    match units.get(end - 1) == Some(&Unit::from(b']')) {
        true => {
            ranges.extend(
                of.iter()
                    .map(|(from, to)| (Unit::from(*from), Unit::from(*to))),
            );
            Ok(end)
        }
        false => Err("its brackets contain a class that is not closed"),
    }
}

/// A character of a class, which `-` and `]` are only behind a `\`.
fn member(units: &[Unit], i: &mut usize) -> Result<Unit, &'static str> {
    let open = "its `[` is not closed";
    let mut unit = *units.get(*i).ok_or(open)?;
    *i += 1;
    match char::from_u32(unit) {
        Some('-' | ']') => {
            return Err("its brackets contain a `-` or `]` without a `\\` before it");
        }
        Some('\\') => {
            unit = *units.get(*i).ok_or(open)?;
            *i += 1;
        }
        _ => {}
    }
    Ok(unit)
}

/// Whether the tokens fit the whole text. A table of positions instead of backtracking, so that
/// no pattern takes more than its length times the text's.
fn fits(tokens: &[Token], text: &[Unit]) -> bool {
    let mut here = vec![false; text.len() + 1];
    here[0] = true;
    for token in tokens {
        let mut next = vec![false; text.len() + 1];
        match token {
            Token::Some => {
                let mut open = false;
                for at in 0..=text.len() {
                    open = here[at] || (open && text[at - 1] != SLASH);
                    next[at] = open;
                }
            }
            Token::Rest => {
                let first = here.iter().position(|on| *on).unwrap_or(text.len() + 1);
                for on in &mut next[first.min(text.len() + 1)..] {
                    *on = true;
                }
            }
            Token::Directories => {
                let mut open = false;
                for at in 0..=text.len() {
                    next[at] = here[at] || (open && at > 0 && text[at - 1] == SLASH);
                    open |= here[at];
                }
            }
            single => {
                for at in 0..text.len() {
                    next[at + 1] = here[at] && takes(single, text[at]);
                }
            }
        }
        here = next;
    }
    here[text.len()]
}

fn takes(token: &Token, unit: Unit) -> bool {
    match token {
        Token::Unit(own) => *own == unit,
        Token::One => unit != SLASH,
        Token::Class(ranges, negated) => {
            let mut ranges = ranges.iter();
            ranges.any(|(from, to)| (*from..=*to).contains(&unit)) != *negated
        }
        Token::Some | Token::Directories | Token::Rest => false,
    }
}

#[cfg(test)]
mod tests;
