//! From a template's words to its parts.

use super::functions;
use super::lex::{self, Kind, Token};
use super::tree::{Command, Node, Operand, OperandKind, Pipe};
use super::value::Value;

/// How deep blocks and brackets may lie in each other.
const DEEPEST: usize = 100;

/// Reads a template.
///
/// # Errors
/// `template: :LINE: MESSAGE`, as Go says it.
pub fn template(text: &str) -> Result<Vec<Node>, String> {
    let placed = |(at, message): (usize, String)| {
        let line = 1 + text[..at.min(text.len())].matches('\n').count();
        format!("template: :{line}: {message}")
    };
    let tokens = lex::tokens(text).map_err(placed)?;
    let mut parser = Parser {
        tokens,
        next: 0,
        end: text.len(),
        variables: vec!["$".into()],
        loops: 0,
        depth: 0,
    };
    match parser.nodes().and_then(|(nodes, end)| match end {
        None => Ok(nodes),
        Some(end) => Err((end.at, format!("unexpected {{{{{}}}}}", end.word))),
    }) {
        Ok(nodes) => Ok(nodes),
        Err(fault) => Err(placed(fault)),
    }
}

type Fault = (usize, String);

/// What ends a list of parts: `end` or `else`, whose brackets are still open.
struct End {
    at: usize,
    word: &'static str,
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    /// The length of the text.
    end: usize,
    /// Those that are known here.
    variables: Vec<String>,
    /// How many `range`s are around.
    loops: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Kind> {
        self.tokens.get(self.next).map(|token| &token.kind)
    }

    fn at(&self) -> usize {
        self.tokens
            .get(self.next)
            .map_or(self.end, |token| token.at)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.next).cloned();
        self.next += 1;
        token
    }

    fn skip_space(&mut self) {
        while self.peek() == Some(&Kind::Space) {
            self.next += 1;
        }
    }

    fn deeper(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        match self.depth > DEEPEST {
            true => Err((self.at(), "max expression depth exceeded".into())),
            false => Ok(()),
        }
    }

    /// Parts up to the end of the text, or to what ends them.
    fn nodes(&mut self) -> Result<(Vec<Node>, Option<End>), Fault> {
        self.deeper()?;
        let mut nodes = Vec::new();
        while let Some(token) = self.take() {
            match token.kind {
                Kind::Text(text) => nodes.push(Node::Text(text)),
                _ => {
                    self.skip_space();
                    let at = self.at();
                    let word = match self.peek() {
                        Some(Kind::Word(word)) => word.clone(),
                        _ => String::new(),
                    };
                    if let Some(word) = ["end", "else"].into_iter().find(|known| *known == word) {
                        self.next += 1;
                        self.depth -= 1;
                        return Ok((nodes, Some(End { at, word })));
                    }
                    nodes.push(self.action(&word, at)?);
                }
            }
        }
        self.depth -= 1;
        Ok((nodes, None))
    }

    /// The part that an action is, or begins.
    fn action(&mut self, word: &str, at: usize) -> Result<Node, Fault> {
        match word {
            "if" | "with" | "range" => {
                self.next += 1;
                let known = self.variables.len();
                let node = self.block(word)?;
                self.variables.truncate(known);
                Ok(node)
            }
            "break" | "continue" => {
                self.next += 1;
                if self.loops == 0 {
                    return Err((at, format!("{{{{{word}}}}} outside {{{{range}}}}")));
                }
                self.close(word)?;
                Ok(match word {
                    "break" => Node::Break,
                    _ => Node::Continue,
                })
            }
            "define" | "template" | "block" => Err((
                at,
                format!("{{{{{word}}}}} is not supported: a format is one template"),
            )),
            _ => Ok(Node::Print(self.pipe("command", false)?)),
        }
    }

    /// The rest of an action, which must be empty.
    fn close(&mut self, within: &str) -> Result<(), Fault> {
        self.skip_space();
        let at = self.at();
        match self.take().map(|token| token.kind) {
            Some(Kind::Close) => Ok(()),
            Some(other) => Err((at, format!("unexpected {} in {within}", shown(&other)))),
            None => Err((at, "unclosed action".into())),
        }
    }

    /// What stands behind `if`, `with` or `range`, to its end.
    fn block(&mut self, word: &str) -> Result<Node, Fault> {
        self.deeper()?;
        let pipe = self.pipe(word, word == "range")?;
        let is_loop = usize::from(word == "range");
        self.loops += is_loop;
        let known = self.variables.len();
        let (yes, end) = self.nodes()?;
        self.variables.truncate(known);
        self.loops -= is_loop;
        let mut no = Vec::new();
        match end {
            None => return Err((self.end, "unexpected EOF: {{end}} is missing".into())),
            Some(End { word: "end", .. }) => self.close("end")?,
            Some(_) => no = self.otherwise(word)?,
        }
        self.depth -= 1;
        Ok(match word {
            "if" => Node::If(pipe, yes, no),
            "with" => Node::With(pipe, yes, no),
            _ => Node::Range(pipe, yes, no),
        })
    }

    /// What stands behind an `else`.
    fn otherwise(&mut self, word: &str) -> Result<Vec<Node>, Fault> {
        self.skip_space();
        if let Some(Kind::Word(again)) = self.peek()
            && again == word
            && word != "range"
        {
            self.next += 1;
            return Ok(vec![self.block(word)?]);
        }
        self.close("else")?;
        let known = self.variables.len();
        let (no, end) = self.nodes()?;
        self.variables.truncate(known);
        match end {
            None => Err((self.end, "unexpected EOF: {{end}} is missing".into())),
            Some(End { word: "end", .. }) => self.close("end").map(|()| no),
            Some(End { at, .. }) => Err((at, "expected end; found {{else}}".into())),
        }
    }

    /// A pipeline with its closing brackets.
    fn pipe(&mut self, within: &str, two_variables: bool) -> Result<Pipe, Fault> {
        let pipe = self.pipeline(within, two_variables, &Kind::Close)?;
        self.next += 1;
        Ok(pipe)
    }

    fn pipeline(&mut self, within: &str, two_variables: bool, end: &Kind) -> Result<Pipe, Fault> {
        self.deeper()?;
        self.skip_space();
        let at = self.at();
        let (variables, assigns) = self.declared(two_variables)?;
        let mut commands: Vec<Command> = Vec::new();
        loop {
            self.skip_space();
            match self.peek() {
                Some(kind) if kind == end => break,
                Some(Kind::Pipe) if !commands.is_empty() => {
                    self.next += 1;
                    continue;
                }
                _ => {}
            }
            let command = self.command(within)?;
            let is_value = !matches!(
                command.words[0].kind,
                OperandKind::Dot | OperandKind::Nil | OperandKind::Constant(..)
            );
            if !commands.is_empty() && !is_value {
                let place = commands.len() + 1;
                return Err((
                    at,
                    format!("non executable command in pipeline stage {place}"),
                ));
            }
            commands.push(command);
        }
        if commands.is_empty() {
            return Err((self.at(), format!("missing value for {within}")));
        }
        // Known only behind the value that they get.
        if !assigns {
            self.variables.extend(variables.iter().cloned());
        }
        self.depth -= 1;
        Ok(Pipe {
            at,
            variables,
            assigns,
            commands,
        })
    }

    /// `$x :=`, `$x =`, `$k, $v :=`.
    fn declared(&mut self, two: bool) -> Result<(Vec<String>, bool), Fault> {
        let begin = self.next;
        let mut names = Vec::new();
        while let Some(Kind::Variable(name)) = self.peek().cloned() {
            let at = self.at();
            self.next += 1;
            self.skip_space();
            match self.peek() {
                Some(Kind::Comma) if two && names.is_empty() => {
                    names.push(name);
                    self.next += 1;
                    self.skip_space();
                }
                Some(Kind::Comma) => {
                    return Err((self.at(), "too many declarations".into()));
                }
                Some(kind @ (Kind::Declare | Kind::Assign)) => {
                    let assigns = *kind == Kind::Assign;
                    self.next += 1;
                    if assigns && !self.variables.contains(&name) {
                        return Err((at, format!("undefined variable \"{name}\"")));
                    }
                    names.push(name);
                    return Ok((names, assigns));
                }
                _ => break,
            }
        }
        self.next = begin;
        Ok((Vec::new(), false))
    }

    fn command(&mut self, within: &str) -> Result<Command, Fault> {
        let at = self.at();
        let mut words = Vec::new();
        loop {
            self.skip_space();
            match self.peek() {
                Some(Kind::Pipe | Kind::Close | Kind::RightParen) => break,
                None => return Err((self.at(), "unclosed action".into())),
                Some(_) => {}
            }
            words.push(self.operand(within)?);
            match self.peek() {
                Some(Kind::Space | Kind::Pipe | Kind::Close | Kind::RightParen) => {}
                None => return Err((self.at(), "unclosed action".into())),
                Some(other) => {
                    return Err((self.at(), format!("unexpected {} in operand", shown(other))));
                }
            }
        }
        match words.is_empty() {
            true => Err((at, format!("missing value for {within}"))),
            false => Ok(Command { at, words }),
        }
    }

    fn operand(&mut self, within: &str) -> Result<Operand, Fault> {
        let mut at = self.at();
        let Some(token) = self.take() else {
            return Err((at, "unclosed action".into()));
        };
        let mut kind = match token.kind {
            Kind::Dot => OperandKind::Dot,
            Kind::Field(name) => OperandKind::Field(vec![name]),
            Kind::Variable(name) if self.variables.contains(&name) => {
                OperandKind::Variable(name, Vec::new())
            }
            Kind::Variable(name) => return Err((at, format!("undefined variable \"{name}\""))),
            Kind::Quoted(meant, written) => OperandKind::Constant(meant.into(), written),
            Kind::Number(written) => match number(&written) {
                Some(value) => OperandKind::Constant(value, written),
                None => return Err((at, format!("bad number syntax: {written:?}"))),
            },
            Kind::Word(word) => match word.as_str() {
                "true" | "false" => OperandKind::Constant((word == "true").into(), word),
                "nil" => OperandKind::Nil,
                _ if functions::is_known(&word) => OperandKind::Function(word),
                _ => return Err((at, format!("function {word:?} not defined"))),
            },
            Kind::LeftParen => {
                let pipe = self.pipeline("parenthesized pipeline", false, &Kind::RightParen)?;
                self.next += 1;
                OperandKind::Nested(pipe, Vec::new())
            }
            other => {
                return Err((at, format!("unexpected {} in {within}", shown(&other))));
            }
        };
        while let Some(Kind::Field(name)) = self.peek().cloned() {
            let here = self.at();
            self.next += 1;
            match &mut kind {
                // As Go counts, such a chain begins where its second name does.
                OperandKind::Field(names) => {
                    if names.len() == 1 {
                        at = here;
                    }
                    names.push(name);
                }
                OperandKind::Variable(_, names) | OperandKind::Nested(_, names) => names.push(name),
                OperandKind::Dot
                | OperandKind::Nil
                | OperandKind::Constant(..)
                | OperandKind::Function(_) => {
                    return Err((here, format!("unexpected .{name} after a constant")));
                }
            }
        }
        Ok(Operand { at, kind })
    }
}

/// A number or a character.
fn number(written: &str) -> Option<Value> {
    if written.starts_with('\'') {
        return lex::character(written).map(|c| Value::Int(i64::from(u32::from(c))));
    }
    let digits = written.replace('_', "");
    let (sign, bare) = match digits.strip_prefix(['+', '-']) {
        Some(bare) if digits.starts_with('-') => (-1, bare),
        Some(bare) => (1, bare),
        None => (1, digits.as_str()),
    };
    let radix = |prefix: [&str; 2], radix| {
        let bare = prefix.into_iter().find_map(|p| bare.strip_prefix(p))?;
        i64::from_str_radix(bare, radix).ok()
    };
    let whole = radix(["0x", "0X"], 16)
        .or_else(|| radix(["0o", "0O"], 8))
        .or_else(|| radix(["0b", "0B"], 2))
        .or_else(|| bare.parse().ok());
    match whole {
        Some(whole) => Some(Value::Int(sign * whole)),
        None if bare.starts_with(|c: char| c.is_ascii_digit() || c == '.') => {
            digits.parse().ok().map(Value::Float)
        }
        None => None,
    }
}

/// A word in a message.
fn shown(kind: &Kind) -> String {
    match kind {
        Kind::Text(text) => format!("{text:?}"),
        Kind::Open => "\"{{\"".into(),
        Kind::Close => "\"}}\"".into(),
        Kind::Dot => "<.>".into(),
        Kind::Field(name) => format!("<.{name}>"),
        Kind::Variable(name) | Kind::Word(name) | Kind::Number(name) => format!("<{name}>"),
        Kind::Quoted(_, written) => written.clone(),
        Kind::Pipe => "\"|\"".into(),
        Kind::Declare => "\":=\"".into(),
        Kind::Assign => "\"=\"".into(),
        Kind::Comma => "\",\"".into(),
        Kind::Space => "\" \"".into(),
        Kind::LeftParen => "\"(\"".into(),
        Kind::RightParen => "\")\"".into(),
    }
}
