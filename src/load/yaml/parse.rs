//! Text to documents: runs the event parser and words its errors.

use super::Document;
use super::build::{Builder, MAX_DEPTH};
use super::event::{Step, offset};
use super::fast_path;
use super::last_line;
use super::syntax;
use super::under_indented::{self, Places};
use crate::diagnostic::{Diagnostic, Findings};
use crate::load::budget::{self, MAX_VALUES};
use crate::tree::{SourceId, Span};
use granit_parser::{ErrorKind, Event, Parser, ScanError};

/// Syntax errors after which the rest of a file is left unread.
const MAX_SYNTAX_ERRORS: usize = 10;

/// Reads all documents of a text. A document with an error in its syntax is left out; what else
/// is wrong (a key twice, a key that is no text, an alias to itself) is a finding, and the
/// document is returned without the offending part.
pub fn parse(source: SourceId, text: &str, findings: &mut Findings) -> Vec<Document> {
    parse_within(MAX_VALUES, source, text, findings)
}

/// As [`parse`], where so many values may be in it.
pub fn parse_within(
    budget: usize,
    source: SourceId,
    text: &str,
    findings: &mut Findings,
) -> Vec<Document> {
    let mut builder = Builder::new(budget);
    if fast_path::read(source, text, &mut builder).is_some() {
        findings.append(&mut builder.findings);
        return vec![builder.finish()];
    }
    // The parser would come as far and no further.
    if let Some(finding) = builder.refusal.take() {
        findings.append(&mut builder.findings);
        findings.push(finding);
        return Vec::new();
    }
    drop(builder);
    parse_with(Builder::new(budget), source, text, findings)
}

/// As [`parse`], with the event parser whatever the text is: what the quick scanner is held to.
pub fn thoroughly(source: SourceId, text: &str, findings: &mut Findings) -> Vec<Document> {
    parse_with(Builder::new(MAX_VALUES), source, text, findings)
}

/// As [`parse`], of a text that has been read without an error; but `<<` is a key like any other.
pub fn parse_unmerged(source: SourceId, text: &str) -> Vec<Document> {
    // The budget allowed it.
    let mut builder = Builder::new(usize::MAX);
    builder.keeps_merges = true;
    parse_with(builder, source, text, &mut Findings::default())
}

fn parse_with<'t>(
    mut builder: Builder<'t>,
    source: SourceId,
    text: &'t str,
    findings: &mut Findings,
) -> Vec<Document> {
    let mut options = granit_parser::options! {
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    options.set_emit_comments(false);
    let (keeps_merges, budget) = (builder.keeps_merges, builder.budget());
    let places = Places::of(source);
    let (documents, hangs) = read(&mut builder, text, &places, options.clone());
    if hangs && let Some((text, places)) = under_indented::straightened(source, text, &options) {
        let mut builder = Builder::new(budget);
        builder.keeps_merges = keeps_merges;
        let (documents, _) = read(&mut builder, &text, &places, options);
        findings.append(&mut builder.findings);
        return documents;
    }
    findings.append(&mut builder.findings);
    documents
}

/// The documents, and whether a line of a quoted text stands too far to the left.
fn read<'t>(
    builder: &mut Builder<'t>,
    text: &'t str,
    places: &Places,
    options: granit_parser::Options,
) -> (Vec<Document>, bool) {
    let mut hangs = false;
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut documents = Vec::new();
    let mut errors = 0;
    while let Some(next) = parser.next_event() {
        let stop = match next {
            Ok((Event::DocumentStart(..), _)) => {
                builder.clear();
                None
            }
            Ok((Event::DocumentEnd, _)) => {
                documents.push(builder.finish());
                None
            }
            Ok((Event::StreamEnd, _)) => break,
            Ok((event, span)) => {
                let event = last_line::as_written(event, &span, text);
                match Step::of(event, &span, places) {
                    Some((step, anchor)) => builder.feed(step, anchor).err(),
                    None => None,
                }
            }
            Err(error) => {
                hangs |= matches!(error.kind(), ErrorKind::InvalidQuotedScalarIndent);
                Some(syntax_error(places.source, text, &error))
            }
        };
        if let Some(finding) = stop {
            let is_too_large = finding.code == budget::CODE;
            builder.findings.push(finding);
            builder.clear();
            errors += 1;
            if is_too_large
                || errors == MAX_SYNTAX_ERRORS
                || !matches!(parser.proceed_next_document(), Ok(true))
            {
                break;
            }
        }
    }
    (documents, hangs)
}

fn syntax_error(source: SourceId, text: &str, error: &ScanError) -> Diagnostic {
    let at = error.marker().byte_offset().unwrap_or(text.len());
    let told = match error.kind() {
        ErrorKind::UnknownAnchor => syntax::unknown_anchor(text, at),
        _ => syntax::tell(text, at, &error.info()),
    };
    let place = |range: std::ops::Range<usize>| Span {
        source,
        start: offset(range.start),
        end: offset(range.end),
    };
    let mut finding = Diagnostic::error("yaml-syntax", "", told.message).at(place(told.range));
    finding.help = told.help;
    if let Some(noticed) = told.noticed {
        finding = finding.related(place(noticed..noticed), "noticed here");
    }
    finding
}

#[cfg(test)]
mod tests;
