//! Findings as people and programs read them: with the excerpt underlined, as JSON lines, as SARIF.

mod flood;

use crate::diagnostic::{Diagnostic, Severity};
use crate::load::{Source, Sources};
use crate::tree::{SourceId, Span};
use crate::value::secret::mask_excerpt;
use crate::value::visible::{visible, visible_beside_colours};
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use flood::Shown;
use serde_json::{Value, json};
use std::ops::Range;

/// Longer lines are named, but not shown, in bytes.
const MAX_LINE: usize = 1_000;

/// More findings than this are counted, not shown.
const MAX_SHOWN: usize = 50;

/// A place that is further away than this gets an excerpt of its own, in lines.
const MAX_DISTANCE: usize = 40;

/// The findings in the order of their places; those without one come first.
pub fn sorted(findings: &[Diagnostic]) -> Vec<&Diagnostic> {
    let mut sorted: Vec<&Diagnostic> = findings.iter().collect();
    sorted.sort_by_key(|finding| finding.span.map(|s| (s.source, s.start)));
    sorted
}

/// The findings as text, in the look of rustc and in plain ASCII; a blank line between two.
pub fn text(findings: &[Diagnostic], sources: &Sources, colour: bool) -> String {
    let renderer = match colour {
        true => Renderer::styled(),
        false => Renderer::plain(),
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let mut out = String::new();
    let all = flood::gathered(&sorted(findings), sources);
    let shown = most_important(&all);
    for part in &shown {
        if !out.is_empty() {
            out.push('\n');
        }
        match part {
            Shown::One(finding) => out.push_str(&rendered(&renderer, finding, sources)),
            Shown::Block(block) => {
                let head = rendered(&renderer, &block.head, sources);
                let (title, help) = head.split_once('\n').unwrap_or((&head, ""));
                out.push_str(title);
                for line in &block.lines {
                    out.push_str(&format!("\n  {}", printable(line)));
                }
                if !help.is_empty() {
                    out.push_str(&format!("\n{help}"));
                }
            }
        }
        out.push('\n');
    }
    let hidden = all.len() - shown.len();
    if hidden > 0 {
        out.push_str(&format!(
            "\nand {hidden} more; `--diagnostics json` lists them all\n"
        ));
    }
    // The renderer replaces control characters in excerpts, but not all of those beyond ASCII.
    match colour {
        // Its own colours begin with one of them.
        true => visible_beside_colours(&out),
        false => visible(&out).into_owned(),
    }
}

/// One finding, without the end of its last line.
fn rendered(renderer: &Renderer, finding: &Diagnostic, sources: &Sources) -> String {
    let text = renderer.render(&[group(finding, sources)]);
    match finding.span {
        Some(_) => text.trim_end().to_owned(),
        // Without an excerpt there is nothing to set the help apart from.
        None => {
            let lines = text.lines().filter(|line| line.trim() != "|");
            lines.collect::<Vec<_>>().join("\n").trim_end().to_owned()
        }
    }
}

/// What is shown to people where there is more than anybody reads, in the order of the places:
/// errors before warnings.
fn most_important(all: &[Shown]) -> Vec<&Shown> {
    let is_error = |part: &&Shown| match part {
        Shown::One(finding) => finding.is_error(),
        Shown::Block(block) => block.head.is_error(),
    };
    let errors = all.iter().filter(is_error).count();
    let mut room_for_errors = errors.min(MAX_SHOWN);
    let mut room_for_warnings = MAX_SHOWN - room_for_errors;
    let fits = |part: &&Shown| {
        let room = match is_error(part) {
            true => &mut room_for_errors,
            false => &mut room_for_warnings,
        };
        let fits = *room > 0;
        *room = room.saturating_sub(1);
        fits
    };
    all.iter().filter(fits).collect()
}

/// Words of others, made harmless; a tab would shift what stands below.
fn printable(text: &str) -> String {
    visible(text).replace('\t', "\u{2409}")
}

fn group<'s>(finding: &Diagnostic, sources: &'s Sources) -> Group<'s> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = match finding.path.as_str() {
        "" => printable(&finding.message),
        path => printable(&format!("{path}: {}", finding.message)),
    };
    let mut group = Group::with_title(level.primary_title(title).id(finding.code));
    let mut places: Vec<Place<'_>> = Vec::new();
    if let Some(span) = finding.span {
        places.extend(Place::new(span, String::new(), sources));
    }
    for (span, why) in &finding.related {
        places.extend(Place::new(*span, printable(why), sources));
    }
    let mut rest = places.as_slice();
    while let Some(first) = rest.first() {
        let near = rest.iter().take_while(|p| p.is_near(first)).count();
        group = excerpt(group, &rest[..near], rest.len() == places.len());
        rest = &rest[near..];
    }
    for note in &finding.notes {
        group = group.element(Level::NOTE.message(printable(note)));
    }
    if let Some(help) = &finding.help {
        group = group.element(Level::HELP.message(printable(help)));
    }
    group
}

/// A span in its source, cut to the line that it begins in.
struct Place<'s> {
    id: SourceId,
    source: &'s Source,
    bytes: Range<usize>,
    line: usize,
    label: String,
}

impl<'s> Place<'s> {
    fn new(span: Span, label: String, sources: &'s Sources) -> Option<Self> {
        let source = sources.get(span.source)?;
        let start = source.text.floor_char_boundary(span.start as usize);
        let line = source.line_of(start);
        let line_end = source.lines(line..=line).end;
        let end = source.text.ceil_char_boundary(span.end as usize);
        Some(Place {
            id: span.source,
            source,
            bytes: start..end.clamp(start, line_end.max(start)),
            line,
            label,
        })
    }

    fn is_near(&self, other: &Place<'_>) -> bool {
        self.id == other.id && self.line.abs_diff(other.line) <= MAX_DISTANCE
    }
}

/// One excerpt with all places in it; the finding's own comes first.
fn excerpt<'s>(group: Group<'s>, places: &[Place<'s>], with_primary: bool) -> Group<'s> {
    let Some(first) = places.first() else {
        return group;
    };
    let source = first.source;
    let top = places.iter().map(|p| p.line).min().unwrap_or(0);
    let bottom = places.iter().map(|p| p.line).max().unwrap_or(0);
    let shown = source.lines(top..=bottom);
    let text = &source.text[shown.clone()];
    if text.lines().any(|line| line.len() > MAX_LINE) {
        let (line, column) = source.place(first.bytes.start);
        let origin = Origin::path(printable(&source.name))
            .line(line)
            .char_column(column);
        return group.element(origin);
    }
    let annotations = places.iter().enumerate().map(|(index, place)| {
        let kind = match with_primary && index == 0 {
            true => AnnotationKind::Primary,
            false => AnnotationKind::Context,
        };
        let bytes = place.bytes.start - shown.start..place.bytes.end - shown.start;
        let annotation = kind.span(bytes);
        match place.label.as_str() {
            "" => annotation,
            label => annotation.label(label.to_owned()),
        }
    });
    group.element(
        Snippet::source(mask_excerpt(text))
            .path(printable(&source.name))
            .line_start(top + 1)
            .fold(true)
            .annotations(annotations),
    )
}

/// One JSON object per line and finding.
pub fn json_lines(findings: &[Diagnostic], sources: &Sources) -> String {
    sorted(findings)
        .into_iter()
        .map(|finding| format!("{}\n", object(finding, sources)))
        .collect()
}

fn severity(finding: &Diagnostic) -> &'static str {
    match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// Where a span begins and ends, lines and columns from 1.
struct Region<'s> {
    file: &'s str,
    start: (usize, usize),
    end: (usize, usize),
}

fn region(span: Span, sources: &Sources) -> Option<Region<'_>> {
    let source = sources.get(span.source)?;
    Some(Region {
        file: &source.name,
        start: source.place(span.start as usize),
        end: source.place(span.end as usize),
    })
}

fn object(finding: &Diagnostic, sources: &Sources) -> Value {
    let mut object = json!({
        "severity": severity(finding),
        "code": finding.code,
        "message": finding.message,
    });
    if !finding.path.is_empty() {
        object["path"] = json!(finding.path);
    }
    if let Some(at) = finding.span.and_then(|span| region(span, sources)) {
        object["file"] = json!(at.file);
        object["line"] = json!(at.start.0);
        object["column"] = json!(at.start.1);
        object["end_line"] = json!(at.end.0);
        object["end_column"] = json!(at.end.1);
    }
    let related: Vec<Value> = finding
        .related
        .iter()
        .filter_map(|(span, why)| {
            let at = region(*span, sources)?;
            Some(json!({
                "message": why, "file": at.file, "line": at.start.0, "column": at.start.1,
            }))
        })
        .collect();
    if !related.is_empty() {
        object["related"] = json!(related);
    }
    if !finding.notes.is_empty() {
        object["notes"] = json!(finding.notes);
    }
    if let Some(help) = &finding.help {
        object["help"] = json!(help);
    }
    object
}

/// All findings as one SARIF 2.1.0 log, for editors and code scanning.
pub fn sarif(findings: &[Diagnostic], sources: &Sources) -> String {
    let findings = sorted(findings);
    let mut codes: Vec<&str> = findings.iter().map(|f| f.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let rules: Vec<Value> = codes.iter().map(|code| json!({ "id": code })).collect();
    let results: Vec<Value> = findings.iter().map(|f| result(f, sources)).collect();
    let log = json!({
        "version": "2.1.0",
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "runs": [{
            "tool": {"driver": {
                "name": env!("CARGO_PKG_NAME"),
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

/// A file's name as a URI reference.
fn uri(name: &str) -> String {
    let mut uri = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                uri.push(char::from(byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    match name.starts_with('/') {
        true => format!("file://{uri}"),
        false => uri,
    }
}

fn result(finding: &Diagnostic, sources: &Sources) -> Value {
    let location = |span: Span| {
        let at = region(span, sources)?;
        Some(json!({"physicalLocation": {
            "artifactLocation": {"uri": uri(at.file)},
            "region": {
                "startLine": at.start.0, "startColumn": at.start.1,
                "endLine": at.end.0, "endColumn": at.end.1,
            },
        }}))
    };
    let mut message = match finding.path.as_str() {
        "" => finding.message.clone(),
        path => format!("{path}: {}", finding.message),
    };
    for remark in finding.notes.iter().chain(&finding.help) {
        message = format!("{message} ({remark})");
    }
    let locations: Vec<Value> = finding.span.and_then(location).into_iter().collect();
    let related: Vec<Value> = finding
        .related
        .iter()
        .filter_map(|(span, why)| {
            let mut at = location(*span)?;
            at["message"] = json!({ "text": why });
            Some(at)
        })
        .collect();
    json!({
        "ruleId": finding.code,
        "level": severity(finding),
        "message": {"text": message},
        "locations": locations,
        "relatedLocations": related,
    })
}

#[cfg(test)]
mod tests;
