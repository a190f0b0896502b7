//! Interpolation: `$NAME` and `${NAME…}` in values, then the casts that depend on them.
//!
//! In: a document as it was read. Out: the same tree with the values filled in, typed where
//! Compose types them. Keys are never touched. A node keeps its span.

pub(super) mod casts;
mod template;

pub use template::{Lookup, Problem, ProblemKind, Substituted, parts, substitute};

use crate::diagnostic::{Diagnostic, Findings};
use crate::load::Sources;
use crate::load::path::Path;
use crate::load::rules::Rules;
use crate::tree::{Node, Span, Value};
use std::collections::BTreeMap;
use std::ops::Range;
use template::Site;

/// Fills in the variables of all values below `root`.
///
/// Findings: `unset-variable` (a warning, once per occurrence), `required-variable`,
/// `interpolation` (the form is wrong), `cast` (the outcome is not of the type it must have) and
/// `boolean-word` (a warning).
pub fn interpolate(
    root: &mut Node,
    sources: &Sources,
    lookup: &Lookup<'_>,
    findings: &mut Findings,
) {
    let mut pass = Pass {
        sources,
        lookup,
        findings,
        growth: 0,
    };
    pass.node(root, Some(&casts::RULES), &Path::ROOT);
}

struct Pass<'a> {
    sources: &'a Sources,
    lookup: &'a Lookup<'a>,
    findings: &'a mut Findings,
    /// Bytes that came out of texts with variables so far.
    growth: usize,
}

/// How many bytes the texts with variables of one document may become: few bytes of a file can
/// name a long value many times.
const MAX_GROWTH: usize = 16 << 20;

impl Pass<'_> {
    /// The tree's depth is bounded by the parser, so recursion is too.
    fn node(&mut self, node: &mut Node, rules: Option<&Rules<casts::Cast>>, path: &Path<'_>) {
        match &mut node.value {
            Value::Map(map) => {
                for (key, value) in map.iter_mut() {
                    let below = rules.and_then(|rules| rules.key(key));
                    self.node(value, below, &path.key(key));
                }
            }
            Value::Seq(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    let below = rules.and_then(Rules::item);
                    self.node(item, below, &path.index(index));
                }
            }
            Value::Str(text) => {
                if !template::is_literal(text) {
                    if self.growth > MAX_GROWTH {
                        return;
                    }
                    let done = substitute(text, self.lookup);
                    self.growth += done.text.len();
                    if self.growth > MAX_GROWTH {
                        let limit = MAX_GROWTH >> 20;
                        let message = format!(
                            "filling in the variables up to here makes the file longer than {limit} MiB"
                        );
                        let finding = Diagnostic::error("interpolation", path.to_string(), message);
                        self.findings.push(finding.at(node.span));
                        return;
                    }
                    for problem in &done.problems {
                        self.report(problem, text, node.span, path);
                    }
                    *text = done.text.into();
                }
                if let Some(cast) = rules.and_then(Rules::here) {
                    self.cast(cast, node, path);
                }
            }
            _ => {}
        }
    }

    fn cast(&mut self, cast: casts::Cast, node: &mut Node, path: &Path<'_>) {
        let Value::Str(text) = &node.value else {
            return;
        };
        match casts::apply(cast, text) {
            Ok((value, false)) => node.value = value,
            Ok((value, true)) => {
                let word = matches!(value, Value::Bool(true));
                self.findings.push(
                    Diagnostic::warning(
                        "boolean-word",
                        path.to_string(),
                        format!("\"{text}\" for boolean is not supported by YAML 1.2, please use `{word}`"),
                    )
                    .at(node.span),
                );
                node.value = value;
            }
            Err(wanted) => {
                let message = match text.as_str() {
                    "" => format!("this must be {wanted}, but it is empty"),
                    text => format!("`{text}` is not {wanted}"),
                };
                let finding = Diagnostic::error("cast", path.to_string(), message).at(node.span);
                self.findings.push(finding);
            }
        }
    }

    fn report(&mut self, problem: &Problem, text: &str, span: Span, path: &Path<'_>) {
        let mut finding = finding(&problem.kind, path.to_string());
        let mut range = problem.range.clone();
        if problem.kind == ProblemKind::Malformed {
            (finding.message, range) = malformed(text, range.start);
        }
        let place = place(self.sources, span, text, range);
        self.findings.push(finding.at(place));
    }
}

/// What is wrong with the `${` at a byte, and how far it reaches.
fn malformed(text: &str, at: usize) -> (String, Range<usize>) {
    let rest = &text[at + 2..];
    let line = rest.split('\n').next().unwrap_or_default();
    let Some(close) = line.find('}') else {
        return (
            "`${` is not closed: the `}` is missing".to_owned(),
            at..at + 2,
        );
    };
    let inner = &line[..close];
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name = &inner[..inner.find(|c| !is_name(c)).unwrap_or(inner.len())];
    let message = if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        format!("`{inner}` is no name of a variable: it begins with a letter or `_`")
    } else {
        let rest = &inner[name.len()..];
        format!(
            "behind `${{{name}` comes `{rest}`; it must be `}}` or one of :- - :+ + :? ? and a text"
        )
    };
    (message, at..at + 2 + close + 1)
}

/// What to tell the user about a problem, still without a place.
pub(super) fn finding(problem: &ProblemKind, path: String) -> Diagnostic {
    match problem {
        ProblemKind::Unset(name) => Diagnostic::warning(
            "unset-variable",
            path,
            format!("The \"{name}\" variable is not set. Defaulting to a blank string."),
        )
        .help(format!(
            "set it in .env or in the shell, give it a default as in ${{{name}:-default}}, or write $$ for a plain $"
        )),
        ProblemKind::Required { name, reason } => {
            let mut message = format!("required variable {name} is missing a value");
            if !reason.is_empty() {
                message = format!("{message}: {reason}");
            }
            Diagnostic::error("required-variable", path, message)
                .help(format!("set {name} in .env or in the shell"))
        }
        ProblemKind::Malformed => Diagnostic::error(
            "interpolation",
            path,
            "`${` must be followed by a variable's name, then `}` or one of :- - :+ + :? ?, a text and `}` on the same line",
        )
        .help("write $$ for a $ that is to stay"),
        ProblemKind::TooLong => Diagnostic::error(
            "interpolation",
            path,
            "filling in the variables makes this longer than 4 MiB",
        ),
        ProblemKind::TooDeep => Diagnostic::error(
            "interpolation",
            path,
            "variables with defaults stand too deep inside each other",
        ),
    }
}

/// The bytes of the source that a range of a scalar's text was read from; the whole scalar where
/// quoting or folding has changed the text on its way.
pub(super) fn place(sources: &Sources, span: Span, text: &str, range: Range<usize>) -> Span {
    let Some(raw) = sources.slice(span) else {
        return span;
    };
    // The text as it is, or between quotes.
    for skipped in 0..=1 {
        let verbatim = raw.len() == text.len() + 2 * skipped;
        if verbatim && raw[skipped..].starts_with(text) {
            let offset = |at: usize| span.start + u32::try_from(skipped + at).unwrap_or(0);
            return Span {
                source: span.source,
                start: offset(range.start),
                end: offset(range.end),
            };
        }
    }
    let needle = &text[range.clone()];
    if needle.is_empty() {
        return span;
    }
    // The same occurrence in the source as in the text, if both have the same number of them.
    let nth = text[..range.start].matches(needle).count();
    if raw.matches(needle).count() != text.matches(needle).count() {
        return span;
    }
    let Some((at, _)) = raw.match_indices(needle).nth(nth) else {
        return span;
    };
    let start = span.start + u32::try_from(at).unwrap_or(0);
    Span {
        source: span.source,
        start,
        end: start + u32::try_from(needle.len()).unwrap_or(0),
    }
}

/// A variable that a project's files use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Variable {
    /// `${X?…}`.
    pub required: bool,
    /// `${X:-default}`, as written.
    pub default: String,
    /// `${X:+alternate}`, as written.
    pub alternate: String,
}

/// All variables of a document that was not interpolated, by name. Of several uses of one
/// variable the last counts.
pub fn variables(root: &Node) -> BTreeMap<String, Variable> {
    let mut found = BTreeMap::new();
    collect(root, &mut found);
    found
}

fn collect(node: &Node, found: &mut BTreeMap<String, Variable>) {
    match &node.value {
        Value::Map(map) => map.iter().for_each(|(_, value)| collect(value, found)),
        Value::Seq(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Str(text) => variables_of(text, found),
        _ => {}
    }
}

fn variables_of(text: &str, found: &mut BTreeMap<String, Variable>) {
    let whole = 0..text.len();
    let mut ranges = vec![whole];
    let mut line = template::Line::default();
    while let Some(range) = ranges.pop() {
        let Some((site, place)) = template::next_site(text, range.clone(), &mut line) else {
            continue;
        };
        ranges.push(place.end..range.end);
        match site {
            Site::Dollar | Site::Malformed => {}
            Site::Plain { name } => {
                found.insert(text[name].to_owned(), Variable::default());
            }
            Site::Operated {
                name,
                operator,
                word,
                rest,
            } => {
                let mut variable = Variable::default();
                match operator.symbol {
                    b'?' => variable.required = true,
                    b'-' => variable.default = text[word.clone()].to_owned(),
                    _ => variable.alternate = text[word.clone()].to_owned(),
                }
                found.insert(text[name].to_owned(), variable);
                ranges.push(rest);
                if operator.symbol != b'?' {
                    ranges.push(word);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
