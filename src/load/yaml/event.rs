//! The parser's events, cut down to what building a tree needs: owned spans, tags by their meaning.

use super::TagKind;
use super::under_indented::Places;
use crate::tree::Span;
use crate::value::similar;
use granit_parser::{Event, ScalarStyle};
use std::borrow::Cow;

/// Sources are capped far below 4 GiB before they are read.
pub(super) fn offset(byte: usize) -> u32 {
    u32::try_from(byte).unwrap_or(u32::MAX)
}

/// One event.
#[derive(Clone)]
pub(super) enum Step<'t> {
    Scalar(Cow<'t, str>, Kind, Option<TagText>, Span),
    Open(Shape, Option<TagText>, Span),
    Close(Span),
    Alias(usize, Span),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    Quoted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Seq,
    Map,
}

#[derive(Debug, Clone)]
pub(super) struct TagText {
    pub meaning: TagMeaning,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TagMeaning {
    Compose(TagKind),
    Core(String),
    Binary,
    /// `!`: the value is text, whatever it looks like.
    NonSpecific,
    Custom,
    /// Near to one of Compose's own.
    Misspelt(&'static str),
}

impl<'t> Step<'t> {
    /// An event as a step, with the number of the anchor that stands at it; `None` for events
    /// that say nothing about the tree.
    pub(super) fn of(
        event: Event<'t>,
        at: &granit_parser::Span,
        places: &Places,
    ) -> Option<(Self, Option<usize>)> {
        let span = places.span(at);
        let (step, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let kind = match style {
                    ScalarStyle::Plain => Kind::Plain,
                    _ => Kind::Quoted,
                };
                let tag = TagText::of(tag, at, places);
                (Step::Scalar(text, kind, tag, span), anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                let tag = TagText::of(tag, at, places);
                (Step::Open(Shape::Seq, tag, span), anchor)
            }
            Event::MappingStart(_, anchor, tag) => {
                let tag = TagText::of(tag, at, places);
                (Step::Open(Shape::Map, tag, span), anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => (Step::Close(span), 0),
            Event::Alias(id) => (Step::Alias(id, span), 0),
            _ => return None,
        };
        Some((step, (anchor != 0).then_some(anchor)))
    }
}

/// Compose's tag that a word was meant to be.
fn meant(word: &str) -> Option<&'static str> {
    similar::nearest(word, ["reset", "override"])
}

impl TagText {
    fn of(
        tag: Option<Cow<'_, granit_parser::Tag>>,
        at: &granit_parser::Span,
        places: &Places,
    ) -> Option<Self> {
        let tag = tag?;
        let meaning = match tag.parts() {
            ("!", "reset") => TagMeaning::Compose(TagKind::Reset),
            ("!", "override") => TagMeaning::Compose(TagKind::Override),
            ("!", "") | ("", "!") => TagMeaning::NonSpecific,
            ("!", word) if meant(word).is_some() => {
                TagMeaning::Misspelt(meant(word).unwrap_or_default())
            }
            _ => match tag.suffix_in_namespace("tag:yaml.org,2002:").as_deref() {
                Some("binary") => TagMeaning::Binary,
                Some(name) => TagMeaning::Core(name.to_owned()),
                None => TagMeaning::Custom,
            },
        };
        let span = match at.tag_span() {
            Some(span) => places.span(&span),
            None => places.span(at),
        };
        Some(TagText { meaning, span })
    }
}
