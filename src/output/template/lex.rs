//! From a template's text to its words.

/// A word of a template and where it begins, in bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    pub kind: Kind,
    pub at: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Text between actions.
    Text(String),
    /// `{{` and `}}`.
    Open,
    Close,
    /// `.` alone, `.Name`, `$name`, a bare word.
    Dot,
    Field(String),
    Variable(String),
    Word(String),
    /// A quoted text, as it is meant and as it is written.
    Quoted(String, String),
    /// A number or a character, as it is written.
    Number(String),
    Pipe,
    Declare,
    Assign,
    Comma,
    Space,
    LeftParen,
    RightParen,
}

/// What is wrong, and where.
pub type LexError = (usize, String);

/// All words of a template, in order.
pub fn tokens(text: &str) -> Result<Vec<Token>, LexError> {
    let mut list = Vec::new();
    let mut at = 0;
    let mut trims = false;
    while at < text.len() {
        let open = text[at..].find("{{").map(|found| at + found);
        let mut plain = &text[at..open.unwrap_or(text.len())];
        if trims {
            let trimmed = plain.trim_start_matches(is_space);
            at += plain.len() - trimmed.len();
            plain = trimmed;
        }
        let inner = open.map(|open| open + 2);
        let marks = inner.is_some_and(|inner| trims_left(&text[inner..]));
        if marks {
            plain = plain.trim_end_matches(is_space);
        }
        if !plain.is_empty() {
            let kind = Kind::Text(plain.to_owned());
            list.push(Token { kind, at });
        }
        let (Some(open), Some(inner)) = (open, inner) else {
            return Ok(list);
        };
        let inner = if marks { inner + 2 } else { inner };
        (at, trims) = match comment(text, inner)? {
            Some(after) => after,
            None => {
                list.push(Token {
                    kind: Kind::Open,
                    at: open,
                });
                action(text, inner, &mut list)?
            }
        };
    }
    Ok(list)
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// Whether what follows a `{{` takes the space before it away.
fn trims_left(inside: &str) -> bool {
    let mut chars = inside.chars();
    chars.next() == Some('-') && chars.next().is_some_and(is_space)
}

/// Whether an action ends here with a mark that takes the space behind it away.
fn trims_right(rest: &str) -> bool {
    rest.starts_with(is_space) && rest[1..].starts_with("-}}")
}

/// Where to go on after a comment, if there is one here, and whether the space there is taken away.
fn comment(text: &str, inner: usize) -> Result<Option<(usize, bool)>, LexError> {
    if !text[inner..].starts_with("/*") {
        return Ok(None);
    }
    let end = text[inner..]
        .find("*/")
        .ok_or((inner, "unclosed comment".to_owned()))?;
    let end = inner + end + 2;
    let rest = &text[end..];
    match () {
        () if rest.starts_with("}}") => Ok(Some((end + 2, false))),
        () if trims_right(rest) => Ok(Some((end + 4, true))),
        () => Err((end, "comment ends before closing delimiter".into())),
    }
}

/// Reads one action to its end; gives where to go on.
fn action(text: &str, mut at: usize, list: &mut Vec<Token>) -> Result<(usize, bool), LexError> {
    let mut depth = 0_usize;
    loop {
        let rest = &text[at..];
        let closes = match () {
            () if rest.starts_with("}}") => Some(2),
            () if trims_right(rest) => Some(4),
            () => None,
        };
        if let Some(length) = closes {
            if depth > 0 {
                return Err((at, "unclosed left paren".into()));
            }
            list.push(Token {
                kind: Kind::Close,
                at,
            });
            return Ok((at + length, length == 4));
        }
        let (kind, length) = word(rest).map_err(|message| (at, message))?;
        match kind {
            Kind::LeftParen => depth += 1,
            Kind::RightParen => {
                depth = depth
                    .checked_sub(1)
                    .ok_or((at, "unexpected right paren".to_owned()))?;
            }
            _ => {}
        }
        list.push(Token { kind, at });
        at += length;
    }
}

/// The first word of an action's rest and its length.
fn word(rest: &str) -> Result<(Kind, usize), String> {
    let first = rest.chars().next().ok_or("unclosed action")?;
    let name = |from: usize| {
        let end = rest[from..].find(|c: char| !(c.is_alphanumeric() || c == '_'));
        end.map_or(rest.len(), |end| from + end)
    };
    Ok(match first {
        c if is_space(c) => {
            let end = rest
                .char_indices()
                .find(|(at, c)| !is_space(*c) || trims_right(&rest[*at..]));
            (Kind::Space, end.map_or(rest.len(), |(at, _)| at))
        }
        '|' => (Kind::Pipe, 1),
        ',' => (Kind::Comma, 1),
        '(' => (Kind::LeftParen, 1),
        ')' => (Kind::RightParen, 1),
        '=' => (Kind::Assign, 1),
        ':' if rest.starts_with(":=") => (Kind::Declare, 2),
        ':' => return Err("expected :=".into()),
        '`' => {
            let end = rest[1..]
                .find('`')
                .ok_or("unterminated raw quoted string")?;
            let written = &rest[..end + 2];
            let meant = rest[1..=end].to_owned();
            (Kind::Quoted(meant, written.to_owned()), end + 2)
        }
        '"' => {
            let (meant, length) = quoted(rest)?;
            (Kind::Quoted(meant, rest[..length].to_owned()), length)
        }
        '\'' => {
            let end = rest[1..]
                .char_indices()
                .scan(false, |escaped, (at, c)| {
                    let ends = c == '\'' && !*escaped;
                    *escaped = c == '\\' && !*escaped;
                    Some((at, ends))
                })
                .find(|(_, ends)| *ends);
            let (end, _) = end.ok_or("unterminated character constant")?;
            (Kind::Number(rest[..end + 2].to_owned()), end + 2)
        }
        '.' if !rest[1..].starts_with(|c: char| c.is_ascii_digit()) => match name(1) {
            1 => (Kind::Dot, 1),
            end => (Kind::Field(rest[1..end].to_owned()), end),
        },
        '$' => {
            let end = name(1);
            (Kind::Variable(rest[..end].to_owned()), end)
        }
        c if c.is_ascii_digit() || "+-.".contains(c) => {
            let end = rest[1..]
                .find(|c: char| !(c.is_alphanumeric() || "._".contains(c)))
                .map_or(rest.len(), |end| end + 1);
            (Kind::Number(rest[..end].to_owned()), end)
        }
        c if c.is_alphabetic() || c == '_' => {
            let end = name(0);
            (Kind::Word(rest[..end].to_owned()), end)
        }
        c => {
            return Err(format!("bad character U+{:04X} '{c}'", c as u32));
        }
    })
}

/// A text in double quotes with Go's escapes, and how long it is as written.
fn quoted(rest: &str) -> Result<(String, usize), String> {
    const OPEN: &str = "unterminated quoted string";
    let mut meant = Vec::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        let mut buffer = [0; 4];
        match c {
            '"' => {
                let meant = String::from_utf8_lossy(&meant).into_owned();
                return Ok((meant, at + 1));
            }
            '\n' => return Err(OPEN.into()),
            '\\' => {
                let (_, escape) = chars.next().ok_or(OPEN)?;
                let mut digits = |count: usize, radix: u32, begin: &str| {
                    let mut text = begin.to_owned();
                    text.extend(chars.by_ref().take(count).map(|(_, c)| c));
                    u32::from_str_radix(&text, radix).map_err(|_| "invalid syntax".to_owned())
                };
                let byte = |n: u32| u8::try_from(n).map_err(|_| "invalid syntax".to_owned());
                match escape {
                    'a' => meant.push(7),
                    'b' => meant.push(8),
                    'f' => meant.push(12),
                    'n' => meant.push(b'\n'),
                    'r' => meant.push(b'\r'),
                    't' => meant.push(b'\t'),
                    'v' => meant.push(11),
                    '\\' | '"' => meant.push(escape as u8),
                    'x' => meant.push(byte(digits(2, 16, "")?)?),
                    '0'..='7' => meant.push(byte(digits(2, 8, &escape.to_string())?)?),
                    'u' | 'U' => {
                        let code = digits(if escape == 'u' { 4 } else { 8 }, 16, "")?;
                        let c = char::from_u32(code).ok_or("invalid syntax")?;
                        meant.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
                    }
                    _ => return Err("invalid syntax".into()),
                }
            }
            c => meant.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes()),
        }
    }
    Err(OPEN.into())
}

/// The character that a constant in single quotes stands for.
pub fn character(written: &str) -> Option<char> {
    let inside = written.strip_prefix('\'')?.strip_suffix('\'')?;
    let meant = match inside {
        "\\'" => "'".to_owned(),
        "\"" => "\"".to_owned(),
        _ => quoted(&format!("\"{inside}\"")).ok()?.0,
    };
    let mut chars = meant.chars();
    chars.next().filter(|_| chars.next().is_none())
}
