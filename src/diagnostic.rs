//! Findings about what the user wrote: what is wrong, where it stands, what to do.

pub mod findings;
pub mod shared;

pub use findings::Findings;

use crate::tree::Span;
use std::ops::Range;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Warning,
    Error,
}

/// One finding of a load, with its place in the sources.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    pub severity: Severity,
    /// Stable short name, e.g. `undefined-network`; goldens and switches name findings by it.
    pub code: &'static str,
    /// What is wrong, in a sentence without a full stop.
    pub message: String,
    /// Path in the project, e.g. `services.web.ports[0]`; empty where a whole file is meant.
    pub path: String,
    /// The place to underline; `None` where no file is at fault.
    pub span: Option<Span>,
    /// Other places that belong to it, each with a word on why.
    pub related: Vec<(Span, String)>,
    /// What else there is to know, each a sentence without a full stop.
    pub notes: Vec<String>,
    /// What to do about it.
    pub help: Option<String>,
    /// The text that stands at the place, and the bytes of it that are meant, until loading has
    /// found them in the source.
    pub part: Option<(String, Range<usize>)>,
}

impl Diagnostic {
    pub fn error(code: &'static str, path: impl Into<String>, message: impl Into<String>) -> Self {
        Diagnostic {
            severity: Severity::Error,
            code,
            message: message.into(),
            path: path.into(),
            span: None,
            related: Vec::new(),
            notes: Vec::new(),
            help: None,
            part: None,
        }
    }

    pub fn warning(
        code: &'static str,
        path: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Diagnostic {
            severity: Severity::Warning,
            ..Diagnostic::error(code, path, message)
        }
    }

    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    #[must_use]
    pub fn related(mut self, span: Span, why: impl Into<String>) -> Self {
        self.related.push((span, why.into()));
        self
    }

    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Means only a part of the text at the place.
    #[must_use]
    pub fn part(mut self, text: impl Into<String>, range: Range<usize>) -> Self {
        self.part = Some((text.into(), range));
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
