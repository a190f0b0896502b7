//! What many services share is told once: an anchor's line, or that of a service which others
//! extend, belongs to all of them, and so does what is wrong with it.

use super::Diagnostic;
use crate::tree::Span;
use std::collections::HashMap;

/// So many services are named; more are counted.
const MAX_NAMED: usize = 5;

/// Keeps the first of the findings that say the same about one place, with a note on how many
/// services share it.
pub fn tell_once(findings: &mut Vec<Diagnostic>) {
    type Key = (&'static str, bool, Span, String);
    let mut first: HashMap<Key, usize> = HashMap::new();
    let mut kept: Vec<(Diagnostic, Vec<String>)> = Vec::with_capacity(findings.len());
    for finding in findings.drain(..) {
        let service = service_of(&finding.path).map(str::to_owned);
        let Some(span) = finding.span else {
            kept.push((finding, Vec::new()));
            continue;
        };
        let key = (
            finding.code,
            finding.is_error(),
            span,
            finding.message.clone(),
        );
        let at = *first.entry(key).or_insert(kept.len());
        if at == kept.len() {
            kept.push((finding, Vec::new()));
        }
        let services = &mut kept[at].1;
        services.extend(service);
    }
    findings.extend(kept.into_iter().map(|(finding, mut services)| {
        services.sort_unstable();
        services.dedup();
        match services.len() {
            0 | 1 => finding,
            _ => finding.note(sharers(&services)),
        }
    }));
}

/// The service that a path is about.
fn service_of(path: &str) -> Option<&str> {
    let below = path.strip_prefix("services.")?;
    below.split(['.', '[']).next()
}

/// `3 services share this line: a, b, c`.
fn sharers(services: &[String]) -> String {
    let named = &services[..services.len().min(MAX_NAMED)];
    let mut text = format!(
        "{} services share this line: {}",
        services.len(),
        named.join(", ")
    );
    let more = services.len() - named.len();
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Severity;
    use crate::tree::SourceId;

    #[test]
    fn an_anchor_s_line_is_told_once_with_the_services_that_share_it() {
        let at = |start| Span {
            source: SourceId(0),
            start,
            end: start + 1,
        };
        let warn = |path: &str, message: &str, start| {
            Diagnostic::warning("bad-restart", path, message).at(at(start))
        };
        let mut findings: Vec<Diagnostic> = (0..7)
            .map(|n| warn(&format!("services.s{n}.restart"), "no policy", 3))
            .collect();
        findings.push(warn("services.s0.restart", "another", 3));
        findings.push(warn("services.s1.restart", "no policy", 9));
        // One service, one line, two values: nothing is shared.
        findings.push(warn("services.s1.ports[0]", "no port", 20));
        findings.push(warn("services.s1.ports[1]", "no port", 20));
        findings.push(Diagnostic::warning("several-files", "", "one"));
        findings.push(Diagnostic::warning("several-files", "", "one"));
        // What is an error for one service stays one.
        let mut error = warn("services.s8.restart", "no policy", 3);
        error.severity = Severity::Error;
        findings.push(error);
        tell_once(&mut findings);
        let told: Vec<String> = findings
            .iter()
            .map(|f| format!("{} {} {}", f.path, f.message, f.notes.join("; ")))
            .collect();
        assert_eq!(
            told,
            [
                "services.s0.restart no policy 7 services share this line: s0, s1, s2, s3, s4 and 2 more",
                "services.s0.restart another ",
                "services.s1.restart no policy ",
                "services.s1.ports[0] no port ",
                " one ",
                " one ",
                "services.s8.restart no policy ",
            ]
        );
    }
}
