//! Warnings about what loads, but surprises or will fail later.
//!
//! In: a project in canonical form with its places. Out: findings, each with a code that can be
//! switched ([`levels`]). Every family of rules is a file with a table; a new rule is a line in
//! one of them and a section in `docs/diagnostics.md`.

mod dependencies;
mod development;
pub mod levels;
mod missing;
mod mount_options;
mod mounts;
mod networks;
mod ports;
mod remote;
mod selection;
mod services;
mod unused;
mod values;

pub use levels::{Level, Levels};
pub use selection::Selection;

use crate::diagnostic::Diagnostic;
use crate::diagnostic::findings::MOST;
use crate::diagnostic::shared;
use crate::load::provenance::Provenance;
use crate::load::{CanonicalProject, Files, Sources};
use crate::project::Project;
use crate::tree::{Map, Node, Span};
use std::collections::BTreeMap;

/// When a rule speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// When the file is checked, and before anything is made of it: the engine will refuse it, or
    /// do something else than what is written.
    Always,
    /// Only when the file is checked.
    Checking,
}

/// One rule.
pub struct Rule {
    /// Its name, for switches and the docs.
    pub code: &'static str,
    /// What it is unless somebody says otherwise.
    pub level: Level,
    pub when: When,
    check: fn(&Subject<'_>, &mut Report<'_>),
}

impl Rule {
    /// A rule that warns whenever the project is used.
    const fn always(code: &'static str, check: fn(&Subject<'_>, &mut Report<'_>)) -> Self {
        Rule {
            code,
            level: Level::Warn,
            when: When::Always,
            check,
        }
    }

    /// A rule that warns when the file is checked.
    const fn checking(code: &'static str, check: fn(&Subject<'_>, &mut Report<'_>)) -> Self {
        Rule {
            when: When::Checking,
            ..Rule::always(code, check)
        }
    }

    /// The same, silent unless it is asked for.
    const fn on_request(self) -> Self {
        Rule {
            level: Level::Off,
            ..self
        }
    }
}

/// Adds what the rules found. What a rule explains better is not told twice.
pub fn add(findings: &mut Vec<Diagnostic>, found: Vec<Diagnostic>) {
    let is_eaten = |f: &Diagnostic| {
        f.code == "unset-variable"
            && found
                .iter()
                .any(|g| g.code == "eaten-dollar" && g.span == f.span)
    };
    findings.retain(|f| !is_eaten(f));
    findings.extend(found);
}

/// Settles what is shown of the findings: the levels count, and what services share is told once.
pub fn conclude(levels: &Levels, findings: &mut Vec<Diagnostic>) {
    levels.apply(findings);
    shared::tell_once(findings);
}

/// All rules.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    [
        services::RULES,
        dependencies::RULES,
        ports::RULES,
        networks::RULES,
        mounts::RULES,
        missing::RULES,
        mount_options::RULES,
        remote::RULES,
        values::RULES,
        unused::RULES,
    ]
    .into_iter()
    .flatten()
}

/// An entry of one of the project's sections.
#[derive(Clone, Copy)]
pub struct Item<'a> {
    pub key: &'a str,
    /// Where the key stands.
    pub place: Span,
    pub spec: &'a Node,
}

impl<'a> Item<'a> {
    fn text(&self, path: &[&str]) -> Option<(&'a str, Span)> {
        let node = self.spec.at(path)?;
        Some((node.as_str()?, node.span))
    }

    fn list(&self, path: &[&str]) -> &'a [Node] {
        let list = self.spec.at(path).and_then(Node::as_seq);
        list.unwrap_or_default()
    }

    fn map(&self, path: &[&str]) -> impl Iterator<Item = Item<'a>> + use<'a> {
        items(self.spec.at(path).and_then(Node::as_map))
    }

    /// Whether somebody else makes it.
    fn is_external(&self) -> bool {
        self.spec.get("external").and_then(Node::as_bool) == Some(true)
    }
}

fn items(map: Option<&Map>) -> impl Iterator<Item = Item<'_>> {
    map.into_iter()
        .flat_map(Map::entries)
        .map(|(key, entry)| Item {
            key,
            place: entry.key,
            spec: &entry.node,
        })
}

/// What rules look at.
pub struct Subject<'a> {
    pub services: Vec<Item<'a>>,
    /// Services in no active profile.
    pub disabled: Vec<Item<'a>>,
    pub networks: Vec<Item<'a>>,
    pub volumes: Vec<Item<'a>>,
    /// Secrets, configs and extensions.
    pub rest: &'a Node,
    /// The project with types, where it is known.
    pub project: Option<&'a Project>,
    /// What programs are looked for with.
    pub environment: &'a BTreeMap<String, String>,
    pub sources: &'a Sources,
    pub files: &'a dyn Files,
    /// What loading found.
    pub loading: &'a [Diagnostic],
    /// The machine that the engine is on, where that is another one.
    pub engine: Option<&'a str>,
}

impl<'a> Subject<'a> {
    pub fn of_canonical(
        project: &'a CanonicalProject,
        sources: &'a Sources,
        files: &'a dyn Files,
        loading: &'a [Diagnostic],
    ) -> Self {
        Subject {
            services: items(Some(&project.services)).collect(),
            disabled: items(Some(&project.disabled)).collect(),
            networks: items(Some(&project.networks)).collect(),
            volumes: items(Some(&project.volumes)).collect(),
            rest: &project.rest,
            project: None,
            environment: &project.environment,
            sources,
            files,
            loading,
            engine: None,
        }
    }

    /// The selected part of a project.
    pub fn of_project(
        project: &'a Project,
        selection: &Selection<'_>,
        sources: &'a Sources,
        files: &'a dyn Files,
        loading: &'a [Diagnostic],
    ) -> Self {
        let services = project.services.values();
        let services = services.filter(|s| selection.has_service(&s.name));
        let disabled = project.disabled.values();
        let networks = project.networks.values();
        let networks = networks.filter(|n| selection.has_resource("networks", &n.key));
        let volumes = project.volumes.values();
        let volumes = volumes.filter(|v| selection.has_resource("volumes", &v.key));
        let item = |key, place, spec| Item { key, place, spec };
        Subject {
            services: services.map(|s| item(&*s.name, s.span, &s.spec)).collect(),
            disabled: disabled.map(|s| item(&*s.name, s.span, &s.spec)).collect(),
            networks: networks.map(|n| item(&*n.key, n.span, &n.spec)).collect(),
            volumes: volumes.map(|v| item(&*v.key, v.span, &v.spec)).collect(),
            rest: &project.spec,
            project: Some(project),
            environment: &project.environment,
            sources,
            files,
            loading,
            engine: None,
        }
    }

    /// The entries of `secrets` or `configs`.
    fn section(&self, name: &str) -> impl Iterator<Item = Item<'a>> + use<'a> {
        items(self.rest.get(name).and_then(Node::as_map))
    }
}

/// Where a rule puts what it found.
pub struct Report<'f> {
    code: &'static str,
    findings: &'f mut Vec<Diagnostic>,
    /// How many this rule has found, those that are not kept included.
    found: usize,
}

impl Report<'_> {
    fn warn(&mut self, path: String, at: Span, message: impl Into<String>, help: &str) {
        self.push(
            Diagnostic::warning(self.code, path, message)
                .at(at)
                .help(help),
        );
    }

    fn push(&mut self, finding: Diagnostic) {
        if !self.counts_only() {
            self.found += 1;
            self.findings.push(finding);
        }
    }

    /// Whether there are so many already that one more is counted, but not kept: there is no need
    /// to put it into words then.
    fn counts_only(&mut self) -> bool {
        let is_full = self.found >= MOST;
        self.found += usize::from(is_full);
        is_full
    }

    /// Says how many were not kept, at the last one that was.
    fn close(self) {
        let more = self.found.saturating_sub(MOST);
        if let Some(last) = self.findings.last().filter(|_| more > 0) {
            let message = format!("there are {more} more of this kind, which are not listed");
            let mut rest = Diagnostic::warning(self.code, last.path.clone(), message);
            rest.span = last.span;
            self.findings.push(rest);
        }
    }
}

/// Runs the rules that are not switched off everywhere. `checking` says whether the file is all
/// that matters (`config -q`), or containers are about to be made from it.
pub fn run(subject: &Subject<'_>, levels: &Levels, checking: bool) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for rule in rules() {
        if (checking || rule.when == When::Always) && levels.may_show(rule.code) {
            let mut report = Report {
                code: rule.code,
                findings: &mut findings,
                found: 0,
            };
            (rule.check)(subject, &mut report);
            report.close();
        }
    }
    let mut provenance = Provenance::new(subject.sources);
    findings.into_iter().map(|f| provenance.place(f)).collect()
}

#[cfg(test)]
mod tests;
