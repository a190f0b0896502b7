//! The variables that went into a value, and where each was set; the project's name.

use super::layers::Said;
use super::path::Step;
use super::{Fate, Origin, Subject, Way};
use crate::load::interpolate::{self, substitute};
use crate::load::name;
use crate::load::variables::Setter;
use crate::tree::{Node, Span};
use std::cell::RefCell;

/// A variable that a value refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    pub name: String,
    /// `None` where it is not set.
    pub value: Option<String>,
    pub from: From,
    /// Assignments in env files that do not count, because something else had set it before.
    pub passed_over: Vec<Span>,
}

/// Where a variable is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    EnvFile(Span),
    Shell,
    /// It is the project's name.
    Project,
    /// It is not set; the text in its place, where one is given.
    Nowhere(Option<String>),
}

/// The variables of something that was said. `value` is what the project has there.
pub fn of(subject: &Subject<'_>, said: &Said, steps: &[Step], value: Option<&Node>) -> Vec<Use> {
    let text = subject.sources.slice(said.span).unwrap_or_default();
    // A name alone takes its value from the environment.
    let by_name = matches!(steps, [_, _, Step::Key(a), Step::Key(_)] if a == "environment")
        || matches!(steps, [_, _, _, Step::Key(a), Step::Key(_)] if a == "args");
    if let (true, Some(Step::Key(name)), Some(node)) = (by_name, steps.last(), &said.value) {
        let alone = node.is_null() || text.trim_matches(['"', '\'']) == name;
        if alone && value.is_some_and(|v| !v.is_null()) {
            return vec![one(subject, said.scope, name, None)];
        }
    }
    if !text.contains('$') || matches!(&said.value, Some(n) if n.as_map().is_some()) {
        return Vec::new();
    }
    let asked = RefCell::new(Vec::new());
    let lookup = |name: &str| {
        let mut asked = asked.borrow_mut();
        if !asked.iter().any(|known| known == name) {
            asked.push(name.to_owned());
        }
        environment(subject, said.scope, name)
    };
    let _ = substitute(text, &lookup);
    let defaults = interpolate::variables(&Node::new(text, said.span));
    let asked = asked.into_inner();
    let uses = asked.iter().map(|name| {
        let default = defaults.get(name).map(|v| v.default.clone());
        one(subject, said.scope, name, default)
    });
    uses.collect()
}

fn environment(subject: &Subject<'_>, scope: usize, name: &str) -> Option<String> {
    if name == name::VARIABLE {
        return Some(subject.project.name.clone());
    }
    let scoped = subject.history.environments.get(&scope);
    scoped.and_then(|variables| variables.get(name)).cloned()
}

fn one(subject: &Subject<'_>, scope: usize, name: &str, default: Option<String>) -> Use {
    let value = environment(subject, scope, name);
    let set = &subject.sources.variables;
    let from = match (&value, set.find(scope, name)) {
        (None, _) => From::Nowhere(default.filter(|d| !d.is_empty())),
        (Some(_), _) if name == name::VARIABLE => From::Project,
        (Some(_), Some((_, Setter::File(span)))) => From::EnvFile(span),
        (Some(_), _) => From::Shell,
    };
    let mut passed_over = set.passed_over(name);
    passed_over.retain(|span| from != From::EnvFile(*span));
    Use {
        name: name.to_owned(),
        value,
        from,
        passed_over,
    }
}

/// Where the project's name comes from.
pub fn of_name(subject: &Subject<'_>) -> Vec<Origin> {
    let origin = |text: String, why: &str| Origin {
        fate: Fate::Overridden,
        span: None,
        text,
        ways: vec![Way::Because(why.to_owned())],
        variables: Vec::new(),
    };
    let mut origins = Vec::new();
    let directory = subject.project.working_dir.file_name();
    let directory = directory.unwrap_or_default().to_string_lossy();
    origins.push(origin(
        name::normalize(&directory),
        "the name of the project's directory",
    ));
    for layer in &subject.history.documents {
        let declared = layer.root.get("name");
        if let Some(node) = declared.filter(|n| n.as_str().is_some_and(|t| !t.is_empty())) {
            origins.push(Origin {
                span: Some(node.span),
                ways: Vec::new(),
                ..origin(
                    subject
                        .sources
                        .slice(node.span)
                        .unwrap_or_default()
                        .to_owned(),
                    "",
                )
            });
        }
    }
    let variables = &subject.history.environments;
    let set = variables.get(&1).and_then(|v| v.get(name::VARIABLE));
    if let Some(set) = set.filter(|set| !set.is_empty()) {
        let mut files = subject.sources.variables.list.iter();
        let file = files.find(|a| a.name == name::VARIABLE && a.value == *set);
        origins.push(Origin {
            span: file.map(|a| a.span),
            ..origin(set.clone(), "the variable COMPOSE_PROJECT_NAME")
        });
    }
    if let Some(flag) = subject.name_flag.filter(|flag| !flag.is_empty()) {
        origins.push(origin(flag.to_owned(), "the flag -p"));
    }
    if let Some(last) = origins.last_mut() {
        last.fate = Fate::Wins;
    }
    origins
}
