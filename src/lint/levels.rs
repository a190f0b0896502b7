//! Which warnings are shown, which are errors: `--lint`, `REGATTA_LINT`, and `x-regatta.lint` of
//! the project or of one service.
//!
//! All three say `CODE=LEVEL`; the flag counts before the variable, the variable before the file,
//! a service before its project, and what is said later before what is said earlier.

use crate::diagnostic::{Diagnostic, Severity};
use crate::tree::{Node, Value};
use crate::value::similar;
use std::collections::BTreeMap;

/// What becomes of a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Off,
    Warn,
    Error,
}

/// Warnings of loading, which are switched in the same way. They are on.
pub const OF_LOADING: [&str; 9] = [
    "boolean-word",
    "external-name",
    "misused-tag",
    "more-findings",
    "named-by-link",
    "obsolete-version",
    "several-files",
    "unknown-mount-option",
    "unset-variable",
];

/// Stands for every warning that is on.
const WARNINGS: &str = "warnings";

/// The attribute that speaks to us.
const EXTENSION: &str = "x-regatta";

type Given = BTreeMap<String, Level>;

/// What was said about codes.
#[derive(Debug, Clone, Default)]
pub struct Levels {
    /// On the command line and in the environment.
    outer: Given,
    /// In the project file.
    project: Given,
    services: BTreeMap<String, Given>,
}

fn level(word: &str) -> Result<Level, String> {
    match word {
        "off" | "allow" => Ok(Level::Off),
        "warn" => Ok(Level::Warn),
        "error" | "deny" => Ok(Level::Error),
        _ => Err(format!("`{word}` is not a level: off, warn or error")),
    }
}

/// The codes that can be switched.
fn codes() -> impl Iterator<Item = &'static str> {
    let rules = super::rules().map(|rule| rule.code);
    rules.chain(OF_LOADING).chain([WARNINGS])
}

fn known(code: &str) -> Result<(), String> {
    if codes().any(|c| c == code) {
        return Ok(());
    }
    let message = format!("`{code}` is not the code of a warning");
    Err(match similar::nearest(code, codes()) {
        Some(meant) => format!("{message}; did you mean `{meant}`?"),
        None => format!("{message}; docs/diagnostics.md lists them"),
    })
}

impl Levels {
    /// Reads what a flag or variable says: `CODE=LEVEL`, with commas between several.
    ///
    /// # Errors
    /// What is no code or no level, with the code that was meant.
    pub fn add(&mut self, list: &str) -> Result<(), String> {
        for item in list.split(',').map(str::trim).filter(|i| !i.is_empty()) {
            let (code, word) = item.split_once('=').ok_or_else(|| {
                format!("`{item}` has no level; write {item}=off, =warn or =error")
            })?;
            known(code)?;
            self.outer.insert(code.to_owned(), level(word)?);
        }
        Ok(())
    }

    /// Makes an error of every warning that is shown.
    pub fn be_strict(&mut self) {
        self.outer.insert(WARNINGS.to_owned(), Level::Error);
    }

    /// Reads what a project says for itself and for its services.
    pub fn read<'a>(
        &mut self,
        rest: &Node,
        services: impl Iterator<Item = (&'a str, &'a Node)>,
        findings: &mut Vec<Diagnostic>,
    ) {
        if let Some(lint) = rest.at(&[EXTENSION, "lint"]) {
            self.project = given(lint, &format!("{EXTENSION}.lint"), findings);
        }
        for (name, spec) in services {
            if let Some(lint) = spec.at(&[EXTENSION, "lint"]) {
                let path = format!("services.{name}.{EXTENSION}.lint");
                let own = given(lint, &path, findings);
                self.services.insert(name.to_owned(), own);
            }
        }
    }

    /// Whether a finding of a code could be shown for any service.
    pub fn may_show(&self, code: &str) -> bool {
        self.of(code, "") != Level::Off
            || self
                .services
                .values()
                .any(|own| own.get(code).is_some_and(|l| *l != Level::Off))
    }

    /// What a code is for a path of the project.
    fn of(&self, code: &str, path: &str) -> Level {
        let service = path.strip_prefix("services.").and_then(|rest| {
            let mut own = self.services.iter();
            own.find(|(name, _)| {
                rest.strip_prefix(name.as_str())
                    .is_some_and(|below| below.is_empty() || below.starts_with(['.', '[']))
            })
        });
        let service = service.map(|(_, own)| own);
        let layers = || {
            [Some(&self.outer), service, Some(&self.project)]
                .into_iter()
                .flatten()
        };
        let usual = || {
            let rule = super::rules().find(|rule| rule.code == code);
            rule.map_or(Level::Warn, |rule| rule.level)
        };
        let said = layers().find_map(|given| given.get(code)).copied();
        let is_strict = layers().find_map(|given| given.get(WARNINGS)).copied();
        match (said.unwrap_or_else(usual), is_strict) {
            (Level::Warn, Some(all)) => all,
            (level, _) => level,
        }
    }

    /// Drops the warnings that are off, and makes errors of those that are to be errors.
    pub fn apply(&self, findings: &mut Vec<Diagnostic>) {
        findings.retain_mut(|finding| {
            if finding.is_error() {
                return true;
            }
            match self.of(finding.code, &finding.path) {
                Level::Off => return false,
                Level::Warn => {}
                Level::Error => finding.severity = Severity::Error,
            }
            true
        });
    }
}

fn given(node: &Node, path: &str, findings: &mut Vec<Diagnostic>) -> Given {
    let mut given = Given::new();
    let mut refuse = |message: String, path: String, at| {
        findings.push(Diagnostic::error("bad-lint", path, message).at(at));
    };
    let Some(map) = node.as_map() else {
        let message = "must be a mapping of codes to off, warn or error";
        refuse(message.to_owned(), path.to_owned(), node.span);
        return given;
    };
    for (code, entry) in map.entries() {
        if let Err(message) = known(code) {
            refuse(message, path.to_owned(), entry.key);
            continue;
        }
        let word = match &entry.node.value {
            Value::Bool(false) => "off",
            Value::Str(word) => word,
            _ => "",
        };
        match level(word) {
            Ok(level) => {
                given.insert(code.to_owned(), level);
            }
            Err(message) => refuse(message, format!("{path}.{code}"), entry.node.span),
        }
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(levels: &Levels) -> Vec<Severity> {
        let mut findings = vec![
            Diagnostic::warning("bad-restart", "services.a.restart", ""),
            Diagnostic::warning("bad-restart", "services.ab.restart", ""),
            Diagnostic::error("bad-value", "", ""),
        ];
        levels.apply(&mut findings);
        findings.iter().map(|f| f.severity).collect()
    }

    #[test]
    fn the_nearest_word_counts() {
        use Severity::{Error, Warning};
        let mut levels = Levels::default();
        assert_eq!(found(&levels), [Warning, Warning, Error]);
        levels.services.insert(
            "a".into(),
            Given::from([("bad-restart".into(), Level::Off)]),
        );
        assert_eq!(found(&levels), [Warning, Error]);
        levels.be_strict();
        assert_eq!(found(&levels), [Error, Error]);
        levels.add("bad-restart=off").unwrap();
        assert_eq!(found(&levels), [Error]);
    }

    #[test]
    fn what_nobody_knows_is_refused() {
        let refused = |list: &str| Levels::default().add(list).unwrap_err();
        assert!(refused("bad-restrt=off").contains("did you mean `bad-restart`?"));
        assert!(refused("bad-restart=of").contains("off, warn or error"));
        assert!(refused("bad-restart").contains("=off"));
        assert!(refused("bad-value=off").contains("not the code of a warning"));
    }
}
