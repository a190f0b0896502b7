//! Services that wait for each other in a circle.

use crate::diagnostic::{Diagnostic, Findings};
use crate::tree::{Map, Span};
use std::collections::HashMap;

/// Reports every circle of `depends_on` once, whole.
pub fn check(services: &Map, findings: &mut Findings) {
    let mut search = Search {
        services,
        state: HashMap::new(),
        path: Vec::new(),
        findings,
    };
    let mut names: Vec<&str> = services.keys().collect();
    names.sort_unstable();
    for name in names {
        search.visit(name);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Done,
}

struct Search<'s> {
    services: &'s Map,
    state: HashMap<&'s str, State>,
    /// The way here: service, place of the dependency on the next one.
    path: Vec<(&'s str, Span)>,
    findings: &'s mut Findings,
}

impl<'s> Search<'s> {
    /// Walks with a stack of its own, since chains may be thousands of services long.
    fn visit(&mut self, start: &'s str) {
        if self.state.contains_key(start) {
            return;
        }
        let mut stack = vec![self.open(start)];
        while let Some(ahead) = stack.last_mut() {
            let Some((name, span)) = ahead.pop() else {
                stack.pop();
                if let Some((done, _)) = self.path.pop() {
                    self.state.insert(done, State::Done);
                }
                continue;
            };
            if let Some(last) = self.path.last_mut() {
                last.1 = span;
            }
            match self.state.get(name) {
                None => {
                    let ahead = self.open(name);
                    stack.push(ahead);
                }
                Some(State::Open) => self.report(name),
                Some(State::Done) => {}
            }
        }
    }

    /// The dependencies of a service, last first.
    fn open(&mut self, name: &'s str) -> Vec<(&'s str, Span)> {
        self.state.insert(name, State::Open);
        self.path.push((name, Span::default()));
        let mut dependencies: Vec<(&str, Span)> = self
            .services
            .get(name)
            .and_then(|s| s.get("depends_on")?.as_map())
            .into_iter()
            .flat_map(Map::entries)
            .filter(|(d, _)| self.services.contains_key(d))
            .map(|(d, entry)| (d, entry.key))
            .collect();
        dependencies.sort_unstable_by(|a, b| b.0.cmp(a.0));
        dependencies
    }

    fn report(&mut self, again: &str) {
        let Some(start) = self.path.iter().position(|(name, _)| *name == again) else {
            return;
        };
        let circle = &self.path[start..];
        let mut words: Vec<&str> = circle.iter().map(|(name, _)| *name).collect();
        words.push(again);
        let mut finding = Diagnostic::error(
            "dependency-cycle",
            format!("services.{again}.depends_on"),
            format!("dependency cycle detected: {}", words.join(" -> ")),
        )
        .at(circle[0].1);
        for (name, span) in &circle[1..] {
            finding = finding.related(*span, format!("{name} waits here"));
        }
        self.findings.push(finding);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::yaml;
    use crate::tree::SourceId;

    #[test]
    fn each_circle_is_shown_once() {
        for (services, circles) in [
            ("{a: {depends_on: {b: }}, b: {}}", vec![]),
            ("{a: {depends_on: {a: }}}", vec!["a -> a"]),
            (
                "{a: {depends_on: {b: }}, b: {depends_on: {c: }}, c: {depends_on: {b: , d: }}, d: {}}",
                vec!["b -> c -> b"],
            ),
            (
                "{a: {depends_on: {b: }}, b: {depends_on: {a: }}, x: {depends_on: {y: }}, y: {depends_on: {x: , a: }}}",
                vec!["a -> b -> a", "x -> y -> x"],
            ),
        ] {
            let tree = yaml::parse(SourceId(0), services, &mut Findings::default())
                .remove(0)
                .root;
            let mut findings = Findings::default();
            check(tree.as_map().unwrap(), &mut findings);
            let shown: Vec<_> = findings
                .iter()
                .map(|f| f.message.trim_start_matches("dependency cycle detected: "))
                .collect();
            assert_eq!(shown, circles, "{services}");
        }
    }
}
