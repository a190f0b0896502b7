//! What a template consists of, and how its parts are written in messages.

use super::Value;
use std::fmt;

#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    Text(String),
    Print(Pipe),
    If(Pipe, Vec<Node>, Vec<Node>),
    With(Pipe, Vec<Node>, Vec<Node>),
    Range(Pipe, Vec<Node>, Vec<Node>),
    Break,
    Continue,
}

/// Commands, each given the result of the one before it as its last argument.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipe {
    pub at: usize,
    /// The variables that take its result.
    pub variables: Vec<String>,
    /// They are there already: `$x = …`.
    pub assigns: bool,
    pub commands: Vec<Command>,
}

/// A value, or a function or method with its arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    pub at: usize,
    pub words: Vec<Operand>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Operand {
    pub at: usize,
    pub kind: OperandKind,
}

#[derive(Debug, Clone, PartialEq)]
pub enum OperandKind {
    Dot,
    Nil,
    /// A constant, as it is meant and as it is written.
    Constant(Value, String),
    /// `.Name.First`
    Field(Vec<String>),
    /// `$name.First`
    Variable(String, Vec<String>),
    Function(String),
    /// `(…).First`
    Nested(Pipe, Vec<String>),
}

impl Operand {
    /// A constant as it is written.
    pub fn constant(&self) -> Option<&str> {
        match &self.kind {
            OperandKind::Constant(_, written) => Some(written),
            _ => None,
        }
    }
}

impl fmt::Display for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.variables.is_empty() {
            let sign = if self.assigns { "=" } else { ":=" };
            write!(f, "{} {sign} ", self.variables.join(", "))?;
        }
        for (n, command) in self.commands.iter().enumerate() {
            write!(f, "{}{command}", if n > 0 { " | " } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, word) in self.words.iter().enumerate() {
            write!(f, "{}{word}", if n > 0 { " " } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chain = |f: &mut fmt::Formatter<'_>, names: &[String]| {
            names.iter().try_for_each(|name| write!(f, ".{name}"))
        };
        match &self.kind {
            OperandKind::Dot => f.write_str("."),
            OperandKind::Nil => f.write_str("nil"),
            OperandKind::Constant(_, written) => f.write_str(written),
            OperandKind::Field(names) => chain(f, names),
            OperandKind::Variable(name, names) => {
                f.write_str(name)?;
                chain(f, names)
            }
            OperandKind::Function(name) => f.write_str(name),
            OperandKind::Nested(pipe, names) => {
                write!(f, "({pipe})")?;
                chain(f, names)
            }
        }
    }
}
