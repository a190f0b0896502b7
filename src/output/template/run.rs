//! Filling in.

use super::functions;
use super::tree::{Command, Node, Operand, OperandKind, Pipe};
use super::{Data, Value};
use std::cell::Cell;
use std::fmt;

/// Why the rest of a list of parts is left out.
enum Stop {
    Break,
    Continue,
    Failed(String),
}

type Done = Result<(), Stop>;

/// A filling under way.
pub struct Run<'a> {
    /// The template's text.
    text: &'a str,
    data: Data<'a>,
    /// Where we are, for messages.
    site: Cell<Site<'a>>,
    variables: Vec<(&'a str, Value)>,
}

/// A place in the template.
#[derive(Clone, Copy)]
enum Site<'a> {
    Start,
    Pipe(&'a Pipe),
    Command(&'a Command),
    Operand(&'a Operand),
}

impl Site<'_> {
    fn at(self) -> usize {
        match self {
            Site::Start => 0,
            Site::Pipe(pipe) => pipe.at,
            Site::Command(command) => command.at,
            Site::Operand(operand) => operand.at,
        }
    }
}

impl fmt::Display for Site<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Site::Start => Ok(()),
            Site::Pipe(pipe) => pipe.fmt(f),
            Site::Command(command) => command.fmt(f),
            Site::Operand(operand) => operand.fmt(f),
        }
    }
}

/// Fills a template into `out`; what was written before a fault stays there.
///
/// # Errors
/// `template: :LINE:COLUMN: executing "" at <PLACE>: MESSAGE`, as Go says it.
pub fn fill(nodes: &[Node], text: &str, data: Data<'_>, out: &mut String) -> Result<(), String> {
    let mut run = Run {
        text,
        data,
        site: Cell::new(Site::Start),
        variables: vec![("$", Value::Root)],
    };
    match run.nodes(nodes, &Value::Root, out) {
        Ok(()) | Err(Stop::Break | Stop::Continue) => Ok(()),
        Err(Stop::Failed(message)) => Err(message),
    }
}

impl<'a> Run<'a> {
    fn fault(&self, message: impl fmt::Display) -> Stop {
        let site = self.site.get();
        let before = &self.text[..site.at().min(self.text.len())];
        let line = 1 + before.matches('\n').count();
        let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
        Stop::Failed(format!(
            "template: :{line}:{column}: executing \"\" at <{site}>: {message}"
        ))
    }

    fn nodes(&mut self, nodes: &'a [Node], dot: &Value, out: &mut String) -> Done {
        nodes.iter().try_for_each(|node| self.node(node, dot, out))
    }

    fn node(&mut self, node: &'a Node, dot: &Value, out: &mut String) -> Done {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Print(pipe) => {
                let value = self.pipe(pipe, dot)?;
                if pipe.variables.is_empty() {
                    out.push_str(&self.data.shown(&value));
                }
            }
            Node::If(pipe, yes, no) => {
                self.scoped(|run| {
                    let holds = run.pipe(pipe, dot)?.is_true();
                    run.nodes(if holds { yes } else { no }, dot, out)
                })?;
            }
            Node::With(pipe, yes, no) => {
                self.scoped(|run| {
                    let value = run.pipe(pipe, dot)?;
                    match value.is_true() {
                        true => run.nodes(yes, &value, out),
                        false => run.nodes(no, dot, out),
                    }
                })?;
            }
            Node::Range(pipe, each, none) => {
                self.scoped(|run| run.range(pipe, each, none, dot, out))?;
            }
            Node::Break => return Err(Stop::Break),
            Node::Continue => return Err(Stop::Continue),
        }
        Ok(())
    }

    /// Variables that are declared within are forgotten afterwards.
    fn scoped(&mut self, work: impl FnOnce(&mut Self) -> Done) -> Done {
        let known = self.variables.len();
        let done = work(self);
        self.variables.truncate(known);
        done
    }

    fn range(
        &mut self,
        pipe: &'a Pipe,
        each: &'a [Node],
        none: &'a [Node],
        dot: &Value,
        out: &mut String,
    ) -> Done {
        let items = match self.value(pipe, dot)? {
            Value::List(items) => items,
            Value::Nothing => Vec::new(),
            other => {
                let shown = self.data.shown(&other);
                return Err(self.fault(format!("range can't iterate over {shown}")));
            }
        };
        if items.is_empty() {
            return self.nodes(none, dot, out);
        }
        for (number, item) in items.iter().enumerate() {
            let known = self.variables.len();
            match pipe.variables.as_slice() {
                [one] => self.set(one, item.clone(), pipe.assigns),
                [key, value] => {
                    self.set(key, number.into(), pipe.assigns);
                    self.set(value, item.clone(), pipe.assigns);
                }
                _ => {}
            }
            let done = self.nodes(each, item, out);
            self.variables.truncate(known);
            match done {
                Ok(()) | Err(Stop::Continue) => {}
                Err(Stop::Break) => break,
                failed => return failed,
            }
        }
        Ok(())
    }

    fn set(&mut self, name: &'a str, value: Value, assigns: bool) {
        let known = self.variables.iter_mut().rev().find(|(n, _)| *n == name);
        match known.filter(|_| assigns) {
            Some((_, old)) => *old = value,
            None => self.variables.push((name, value)),
        }
    }

    /// The value of a pipeline, which its variables get.
    fn pipe(&mut self, pipe: &'a Pipe, dot: &Value) -> Result<Value, Stop> {
        let value = self.value(pipe, dot)?;
        for name in &pipe.variables {
            self.set(name, value.clone(), pipe.assigns);
        }
        Ok(value)
    }

    fn value(&mut self, pipe: &'a Pipe, dot: &Value) -> Result<Value, Stop> {
        self.site.set(Site::Pipe(pipe));
        let mut last = None;
        for command in &pipe.commands {
            last = Some(self.command(command, dot, last)?);
        }
        Ok(last.unwrap_or_default())
    }

    fn command(
        &mut self,
        command: &'a Command,
        dot: &Value,
        piped: Option<Value>,
    ) -> Result<Value, Stop> {
        let Some((first, rest)) = command.words.split_first() else {
            return Ok(Value::Nothing);
        };
        self.site.set(Site::Operand(first));
        if let OperandKind::Function(name) = &first.kind {
            return self.function(name, command, first, dot, piped);
        }
        let has_arguments = !rest.is_empty() || piped.is_some();
        match &first.kind {
            OperandKind::Field(names) => self.chain(dot.clone(), names, rest, dot, piped),
            OperandKind::Variable(name, names) if !names.is_empty() => {
                self.chain(self.variable(name), names, rest, dot, piped)
            }
            OperandKind::Nested(pipe, names) if !names.is_empty() => {
                let value = self.value(pipe, dot)?;
                self.site.set(Site::Operand(first));
                self.chain(value, names, rest, dot, piped)
            }
            _ if has_arguments => {
                Err(self.fault(format!("can't give argument to non-function {first}")))
            }
            OperandKind::Nil => Err(self.fault("nil is not a command")),
            _ => self.operand(first, dot),
        }
    }

    /// Goes from a value along names; the last of them may be a method with arguments.
    fn chain(
        &mut self,
        mut value: Value,
        names: &'a [String],
        rest: &'a [Operand],
        dot: &Value,
        piped: Option<Value>,
    ) -> Result<Value, Stop> {
        let Some((last, first)) = names.split_last() else {
            return Ok(value);
        };
        for name in first {
            value = self.field(&value, name)?;
        }
        if last == "Label" && value == Value::Root {
            let count = rest.len() + usize::from(piped.is_some());
            if count != 1 {
                let message = format!("wrong number of args for Label: want 1 got {count}");
                return Err(self.fault(message));
            }
            let key = match rest.first() {
                Some(word) => self.operand(word, dot)?,
                None => piped.unwrap_or_default(),
            };
            let Value::Text(key) = &key else {
                let written = rest.first().and_then(Operand::constant);
                return Err(self.fault(functions::misfit(&key, "string", written)));
            };
            return Ok(self.data.label(key).into());
        }
        let found = self.field(&value, last)?;
        match rest.len() + usize::from(piped.is_some()) {
            0 => Ok(found),
            given => Err(self.fault(format!(
                "wrong number of args for {last}: want 0 got {given}"
            ))),
        }
    }

    fn field(&self, value: &Value, name: &str) -> Result<Value, Stop> {
        let found = match value {
            Value::Root => match self.data.field(name) {
                None if self.data.is_lenient() => Some(Value::Nothing),
                found => found,
            },
            Value::Record(_, fields) => {
                let field = fields.iter().find(|(field, _)| *field == name);
                field.map(|(_, value)| value.clone())
            }
            Value::Nothing => {
                return Err(self.fault(format!("nil data; no entry for key {name:?}")));
            }
            _ => None,
        };
        found.ok_or_else(|| {
            let kind = match value {
                Value::Root => self.data.kind(),
                other => other.kind(),
            };
            self.fault(format!("can't evaluate field {name} in type {kind}"))
        })
    }

    fn variable(&self, name: &str) -> Value {
        let known = self.variables.iter().rev().find(|(n, _)| *n == name);
        known.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// The value of one word.
    fn operand(&mut self, operand: &'a Operand, dot: &Value) -> Result<Value, Stop> {
        self.site.set(Site::Operand(operand));
        match &operand.kind {
            OperandKind::Dot => Ok(dot.clone()),
            OperandKind::Nil => Ok(Value::Nothing),
            OperandKind::Constant(value, _) => Ok(value.clone()),
            OperandKind::Field(names) => self.chain(dot.clone(), names, &[], dot, None),
            OperandKind::Variable(name, names) => {
                self.chain(self.variable(name), names, &[], dot, None)
            }
            OperandKind::Nested(pipe, names) => {
                let value = self.value(pipe, dot)?;
                self.site.set(Site::Operand(operand));
                self.chain(value, names, &[], dot, None)
            }
            OperandKind::Function(name) => self.call(name, Site::Operand(operand), &[], None, dot),
        }
    }

    fn function(
        &mut self,
        name: &'a str,
        command: &'a Command,
        first: &'a Operand,
        dot: &Value,
        piped: Option<Value>,
    ) -> Result<Value, Stop> {
        self.site.set(Site::Operand(first));
        self.call(
            name,
            Site::Command(command),
            &command.words[1..],
            piped,
            dot,
        )
    }

    fn call(
        &mut self,
        name: &'a str,
        site: Site<'a>,
        words: &'a [Operand],
        piped: Option<Value>,
        dot: &Value,
    ) -> Result<Value, Stop> {
        let count = words.len() + usize::from(piped.is_some());
        functions::check_count(name, count).map_err(|message| self.fault(message))?;
        // These look no further once it is decided.
        if matches!(name, "and" | "or") {
            let mut last = Value::Nothing;
            for word in words {
                last = self.operand(word, dot)?;
                if last.is_true() == (name == "or") {
                    return Ok(last);
                }
            }
            return Ok(piped.unwrap_or(last));
        }
        let mut arguments = Vec::with_capacity(count);
        for (number, word) in words.iter().enumerate() {
            let value = self.operand(word, dot)?;
            self.site.set(Site::Operand(word));
            self.fits(name, number, &value, word.constant())?;
            arguments.push(value);
        }
        if let Some(value) = piped {
            self.fits(name, arguments.len(), &value, None)?;
            arguments.push(value);
        }
        self.site.set(site);
        functions::call(name, &arguments, &self.data)
            .map_err(|message| self.fault(format!("error calling {name}: {message}")))
    }

    fn fits(&self, name: &str, number: usize, value: &Value, written: Option<&str>) -> Done {
        functions::check(name, number, value, written, self.data.is_lenient())
            .map_err(|message| self.fault(message))
    }
}
