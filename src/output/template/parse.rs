//! From a template's text to its parts.

use super::{Call, Operand, Part, Pipeline, Value};

/// A word of an action.
#[derive(Debug, Clone, PartialEq)]
enum Token {
    Field(Vec<String>),
    Word(String),
    Literal(Value),
    Pipe,
    Open,
    Close,
}

/// Text or an action's tokens, in order.
enum Piece {
    Text(String),
    Action(Vec<Token>),
}

pub fn template(text: &str) -> Result<Vec<Part>, String> {
    let mut pieces = pieces(text)?.into_iter();
    let (parts, end) = parts(&mut pieces)?;
    match end {
        None => Ok(parts),
        Some(tokens) => match tokens.first() {
            Some(Token::Word(word)) => Err(format!("unexpected {{{{{word}}}}}")),
            _ => Err("unexpected {{end}}".into()),
        },
    }
}

fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut list = Vec::new();
    let mut rest = text;
    let mut trims = false;
    loop {
        let open = rest.find("{{");
        let mut before = &rest[..open.unwrap_or(rest.len())];
        if trims {
            before = before.trim_start();
        }
        let Some(open) = open else {
            list.push(Piece::Text(before.to_owned()));
            return Ok(list);
        };
        let mut action = &rest[open + 2..];
        if let Some(inner) = action.strip_prefix("- ") {
            before = before.trim_end();
            action = inner;
        }
        list.push(Piece::Text(before.to_owned()));
        let close = closing(action)?;
        let mut inner = &action[..close];
        rest = &action[close + 2..];
        trims = inner.ends_with(" -");
        if trims {
            inner = &inner[..inner.len() - 2];
        }
        let is_comment = inner.trim_start().starts_with("/*");
        if !is_comment {
            list.push(Piece::Action(tokens(inner)?));
        }
    }
}

/// Where the `}}` is that closes an action; those inside quotes do not.
fn closing(action: &str) -> Result<usize, String> {
    let mut quote = None;
    let mut chars = action.char_indices();
    while let Some((at, c)) = chars.next() {
        match quote {
            Some('"') if c == '\\' => {
                chars.next();
            }
            Some(q) if c == q => quote = None,
            Some(_) => {}
            None if c == '"' || c == '`' => quote = Some(c),
            None if action[at..].starts_with("}}") => return Ok(at),
            None => {}
        }
    }
    Err(match quote {
        Some(_) => "unterminated quoted string".into(),
        None => "unclosed action".into(),
    })
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut list = Vec::new();
    let mut rest = text.trim_start();
    while let Some(c) = rest.chars().next() {
        let token;
        (token, rest) = match c {
            '|' => (Token::Pipe, &rest[1..]),
            '(' => (Token::Open, &rest[1..]),
            ')' => (Token::Close, &rest[1..]),
            '`' => {
                let end = rest[1..]
                    .find('`')
                    .ok_or("unterminated raw quoted string")?;
                (Token::Literal(rest[1..=end].into()), &rest[end + 2..])
            }
            '"' => {
                // JSON's strings are Go's, but for rarely used escapes.
                let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<String>();
                let value = stream
                    .next()
                    .and_then(Result::ok)
                    .ok_or("bad quoted string")?;
                (Token::Literal(value.into()), &rest[stream.byte_offset()..])
            }
            _ => {
                let end = rest
                    .find(|c: char| c.is_whitespace() || "|()\"`".contains(c))
                    .unwrap_or(rest.len());
                (word(&rest[..end])?, &rest[end..])
            }
        };
        list.push(token);
        rest = rest.trim_start();
    }
    Ok(list)
}

fn word(word: &str) -> Result<Token, String> {
    if let Some(path) = word.strip_prefix('.') {
        let names = path.split('.').filter(|n| !n.is_empty());
        return Ok(Token::Field(names.map(str::to_owned).collect()));
    }
    match word {
        "true" | "false" => Ok(Token::Literal((word == "true").into())),
        "nil" => Ok(Token::Literal(Value::Nothing)),
        _ if word.starts_with('$') => Err(format!("undefined variable \"{word}\"")),
        _ => Ok(match word.parse::<i64>() {
            Ok(number) => Token::Literal(number.into()),
            Err(_) => Token::Word(word.to_owned()),
        }),
    }
}

/// Reads parts up to an `end` or `else`, which is given back.
fn parts(
    pieces: &mut std::vec::IntoIter<Piece>,
) -> Result<(Vec<Part>, Option<Vec<Token>>), String> {
    let mut list = Vec::new();
    while let Some(piece) = pieces.next() {
        let tokens = match piece {
            Piece::Text(text) => {
                list.push(Part::Text(text));
                continue;
            }
            Piece::Action(tokens) => tokens,
        };
        match tokens.first() {
            Some(Token::Word(word)) if word == "end" || word == "else" => {
                return Ok((list, Some(tokens)));
            }
            Some(Token::Word(word)) if word == "if" || word == "range" => {
                let is_if = word == "if";
                list.push(block(is_if, &tokens[1..], pieces)?);
            }
            _ => list.push(Part::Print(pipeline(&tokens)?)),
        }
    }
    Ok((list, None))
}

fn block(
    is_if: bool,
    condition: &[Token],
    pieces: &mut std::vec::IntoIter<Piece>,
) -> Result<Part, String> {
    const MISSING: &str = "unexpected end: {{end}} is missing";
    let condition = pipeline(condition)?;
    let (yes, end) = parts(pieces)?;
    let end = end.ok_or(MISSING)?;
    let no = match end.as_slice() {
        [Token::Word(word)] if word == "end" => Vec::new(),
        [Token::Word(_), Token::Word(word), rest @ ..] if word == "if" => {
            vec![block(true, rest, pieces)?]
        }
        _ => {
            let (no, end) = parts(pieces)?;
            end.ok_or(MISSING)?;
            no
        }
    };
    Ok(match is_if {
        true => Part::If(condition, yes, no),
        false => Part::Range(condition, yes, no),
    })
}

fn pipeline(tokens: &[Token]) -> Result<Pipeline, String> {
    let mut depth = 0;
    let calls = tokens.split(|t| {
        match t {
            Token::Open => depth += 1,
            Token::Close => depth -= 1,
            _ => {}
        }
        depth == 0 && *t == Token::Pipe
    });
    calls.map(call).collect()
}

fn call(tokens: &[Token]) -> Result<Call, String> {
    let (first, rest) = tokens.split_first().ok_or("missing value for command")?;
    Ok(match first {
        Token::Field(path) => Call::Field(path.clone(), operands(rest)?),
        Token::Word(name) => Call::Function(name.clone(), operands(rest)?),
        Token::Literal(value) if rest.is_empty() => Call::Literal(value.clone()),
        Token::Open => {
            // A whole call in brackets: as good as the call itself.
            match operands(tokens)?.as_slice() {
                [Operand::Nested(inner)] if inner.len() == 1 => inner[0].clone(),
                [operand] => Call::Function("print".into(), vec![operand.clone()]),
                _ => return Err("unexpected operand after brackets".into()),
            }
        }
        _ => return Err("missing value for command".into()),
    })
}

fn operands(tokens: &[Token]) -> Result<Vec<Operand>, String> {
    let mut list = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        list.push(match token {
            Token::Field(path) => Operand::Field(path.clone()),
            Token::Literal(value) => Operand::Literal(value.clone()),
            Token::Word(name) => Operand::Nested(vec![Call::Function(name.clone(), Vec::new())]),
            Token::Open => {
                let begin = at;
                let mut depth = 1;
                while depth > 0 {
                    match tokens.get(at).ok_or("unclosed left paren")? {
                        Token::Open => depth += 1,
                        Token::Close => depth -= 1,
                        _ => {}
                    }
                    at += 1;
                }
                Operand::Nested(pipeline(&tokens[begin..at - 1])?)
            }
            Token::Close => return Err("unexpected right paren".into()),
            Token::Pipe => return Err("missing value for command".into()),
        });
    }
    Ok(list)
}
