//! Where the variables that a load's files use were set: in env files, each with its place, or in the shell.

use crate::tree::{SourceId, Span};
use std::collections::{BTreeMap, HashMap};

/// Variables by name.
pub type Environment = BTreeMap<String, String>;

/// What is known about the variables of a load. Variables are looked up in scopes: the project's
/// is the first, and each `include` has one of its own, which knows what the one around it knows.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    /// What env files set, in order.
    pub list: Vec<Assignment>,
    /// The environment of the process.
    pub process: Environment,
    /// The scope around each scope; 0 around the first.
    around: Vec<usize>,
    /// The scopes that a text was filled in in.
    used_in: HashMap<SourceId, Vec<usize>>,
}

/// A variable in an env file of the project or of an include.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// The number of the scope that the file is of.
    pub scope: usize,
    pub name: String,
    pub value: String,
    pub span: Span,
    /// Nothing else had set it.
    pub counts: bool,
}

/// Where the value of a variable comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setter {
    File(Span),
    Shell,
}

impl Variables {
    /// The number of the scope that is opened next: env files are read before it is.
    pub fn next_scope(&self) -> usize {
        self.around.len() + 1
    }

    /// Opens a scope and gives its number, from 1.
    pub fn open_scope(&mut self, around: usize) -> usize {
        self.around.push(around);
        self.around.len()
    }

    /// Notes that a text's variables were looked up in a scope.
    pub fn used(&mut self, source: SourceId, scope: usize) {
        let scopes = self.used_in.entry(source).or_default();
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }

    /// The scopes that a text was filled in in; more than one where a file is included twice.
    pub fn scopes(&self, source: SourceId) -> &[usize] {
        self.used_in.get(&source).map_or(&[], Vec::as_slice)
    }

    /// The value of a variable in a scope, and where it was set.
    pub fn find(&self, mut scope: usize, name: &str) -> Option<(&str, Setter)> {
        while scope != 0 {
            let set = self
                .list
                .iter()
                .find(|a| a.counts && a.scope == scope && a.name == name);
            if let Some(set) = set {
                return Some((&set.value, Setter::File(set.span)));
            }
            scope = self.around.get(scope - 1).copied().unwrap_or(0);
        }
        let value = self.process.get(name)?;
        Some((value, Setter::Shell))
    }

    /// The places in env files that set a variable without effect.
    pub fn passed_over(&self, name: &str) -> Vec<Span> {
        let others = self.list.iter().filter(|a| !a.counts && a.name == name);
        let mut others: Vec<Span> = others.map(|a| a.span).collect();
        others.sort();
        others.dedup();
        others
    }
}
