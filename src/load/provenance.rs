//! The spot that a finding means: of a value, the part at fault, and where the variables were set
//! that the part came from.
//!
//! In: a finding with the text that a stage saw ([`Diagnostic::part`]). Out: the finding at the
//! place in the file, with the lines of env files beside it, or a word on the shell.

use super::Sources;
use super::interpolate::{self, substitute};
use super::variables::Setter;
use super::yaml;
use crate::diagnostic::Diagnostic;
use crate::tree::{Node, SourceId, Span, Value};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// Findings that are about the variable itself, or whose place is the variable already.
const OWN_WORDS: [&str; 4] = [
    "eaten-dollar",
    "interpolation",
    "required-variable",
    "unset-variable",
];

/// More variables than this are no help.
const MAX_VARIABLES: usize = 5;

/// Places findings.
pub struct Provenance<'s> {
    sources: &'s Sources,
    /// Where the texts of a source stand, found when the first finding asks.
    texts: HashMap<SourceId, HashSet<Span>>,
}

impl<'s> Provenance<'s> {
    pub fn new(sources: &'s Sources) -> Self {
        Provenance {
            sources,
            texts: HashMap::new(),
        }
    }

    /// The finding with its place narrowed, and with what its variables come from.
    pub fn place(&mut self, mut finding: Diagnostic) -> Diagnostic {
        let Some(span) = finding.span else {
            return finding;
        };
        let part = finding.part.take();
        let raw = self.sources.slice(span).unwrap_or_default();
        let has_variables = raw.contains('$') && !OWN_WORDS.contains(&finding.code);
        let scopes = self.sources.variables.scopes(span.source);
        let pieces = match scopes.first() {
            Some(scope) if has_variables && self.is_text(span) => pieces(raw, &|name| {
                Some(self.sources.variables.find(*scope, name)?.0.to_owned())
            }),
            _ => Vec::new(),
        };
        let mut guilty = 0..pieces.len();
        match part {
            Some((text, range)) if !pieces.is_empty() => {
                if let Some(found) = covering(&pieces, &text, &range) {
                    let (first, last) = (&pieces[found.start], &pieces[found.end - 1]);
                    let is_set = |name: &String| {
                        let set = scopes.iter().map(|s| self.sources.variables.find(*s, name));
                        set.flatten().next().is_some()
                    };
                    let is_alone = found.len() == 1;
                    finding.span = Some(if is_alone && first.raw.len() == first.comes.len() {
                        let at = range.start + skipped(&pieces, &text) - first.comes.start;
                        let at = first.raw.start + at;
                        within(span, at..at + range.len())
                    } else if is_alone && !first.names.iter().any(is_set) {
                        // A default, or a part of one.
                        interpolate::place(self.sources, span, &text, range)
                    } else {
                        within(span, first.raw.start..last.raw.end)
                    });
                    guilty = found;
                }
            }
            Some((text, range)) => {
                finding.span = Some(interpolate::place(self.sources, span, &text, range));
            }
            None => {}
        }
        // A name that is not there is only a part of most texts, and told in the message.
        let may_matter = |piece: &&Piece| {
            !finding.code.starts_with("undefined-") || finding.message.contains(&piece.out)
        };
        let guilty = pieces[guilty].iter().filter(may_matter);
        let mut names: Vec<&str> = Vec::new();
        for name in guilty.flat_map(|piece| &piece.names) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        for name in names.into_iter().take(MAX_VARIABLES) {
            for scope in scopes {
                finding = self.setter(finding, *scope, name);
            }
        }
        finding
    }

    /// Adds where a variable was set.
    fn setter(&self, finding: Diagnostic, scope: usize, name: &str) -> Diagnostic {
        let variables = &self.sources.variables;
        match variables.find(scope, name) {
            None => finding,
            Some((_, Setter::File(span))) => {
                let known = finding.related.iter().any(|(other, _)| *other == span);
                match known {
                    true => finding,
                    false => finding.related(span, format!("{name} is set here")),
                }
            }
            Some((_, Setter::Shell)) => {
                let mut note = format!("{name} comes from the shell");
                let others = variables.passed_over(name);
                let other = others.first().and_then(|o| self.sources.position(*o));
                if let Some(other) = other {
                    note = format!("{note}; {other} sets it too, but does not count");
                }
                match finding.notes.contains(&note) {
                    true => finding,
                    false => finding.note(note),
                }
            }
        }
    }

    /// Whether a text, and nothing more, stands at a place.
    fn is_text(&mut self, span: Span) -> bool {
        let texts = self.texts.entry(span.source).or_insert_with(|| {
            let text = self.sources.get(span.source).map_or("", |s| &s.text);
            let mut texts = HashSet::new();
            for document in yaml::parse_unmerged(span.source, text) {
                collect(&document.root, &mut texts);
            }
            texts
        });
        texts.contains(&span)
    }
}

fn collect(node: &Node, texts: &mut HashSet<Span>) {
    match &node.value {
        Value::Map(map) => map.iter().for_each(|(_, value)| collect(value, texts)),
        Value::Seq(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Str(_) => {
            texts.insert(node.span);
        }
        _ => {}
    }
}

/// A part of a text as it is written, and what came out of it.
struct Piece {
    raw: Range<usize>,
    comes: Range<usize>,
    /// The variables that were asked for; none for what stands there as it is.
    names: Vec<String>,
    out: String,
}

/// A text in parts: what is written, what it became.
fn pieces(raw: &str, lookup: &interpolate::Lookup<'_>) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut length = 0;
    for site in interpolate::parts(raw) {
        let asked = RefCell::new(Vec::new());
        let asking = |name: &str| {
            asked.borrow_mut().push(name.to_owned());
            lookup(name)
        };
        let out = substitute(&raw[site.clone()], &asking).text;
        let comes = length..length + out.len();
        length = comes.end;
        pieces.push(Piece {
            raw: site,
            comes,
            names: asked.into_inner(),
            out,
        });
    }
    pieces
}

/// How many bytes of quotes come before the text that a stage saw; the whole text where quoting
/// or folding has changed it.
fn skipped(pieces: &[Piece], text: &str) -> usize {
    let whole: String = pieces.iter().map(|p| p.out.as_str()).collect();
    match () {
        () if whole == text => 0,
        () if whole.len() == text.len() + 2 && whole.get(1..=text.len()) == Some(text) => 1,
        () => usize::MAX,
    }
}

/// The pieces that a range of the text came from; `None` where that cannot be told.
fn covering(pieces: &[Piece], text: &str, range: &Range<usize>) -> Option<Range<usize>> {
    let skipped = skipped(pieces, text);
    if skipped == usize::MAX {
        return None;
    }
    let (start, end) = (range.start + skipped, range.end + skipped);
    let touches = |p: &Piece| match range.is_empty() {
        true => p.comes.start <= start && start <= p.comes.end,
        false => p.comes.start < end && start < p.comes.end,
    };
    let first = pieces.iter().position(touches)?;
    let last = pieces.iter().rposition(touches)?;
    Some(first..last + 1)
}

/// Some bytes of a place.
fn within(span: Span, bytes: Range<usize>) -> Span {
    let offset = |at: usize| span.start + u32::try_from(at).unwrap_or(0);
    Span {
        source: span.source,
        start: offset(bytes.start),
        end: offset(bytes.end).min(span.end),
    }
}
