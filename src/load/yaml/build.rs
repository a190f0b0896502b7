//! Events to trees with places.
//!
//! Nothing here recurses: open collections are frames of an explicit stack, and an alias replays
//! the events of the node it names out of a log. So a file's nesting meets a limit, not the end
//! of the stack, and an alias bomb is counted while it grows.

mod anchors;
mod merge_keys;
mod tags;

use super::event::{Kind, Shape, Step, TagMeaning, TagText};
use super::scalar::{self, Hint};
use super::{Document, Tag};
use crate::diagnostic::{Diagnostic, Findings};
use crate::load::budget;
use crate::tree::{Entries, Items, Map, Node, Span, Text, Value};
use anchors::Anchors;
use base64::Engine as _;
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

/// How many collections may stand inside each other.
pub(super) const MAX_DEPTH: usize = 256;

/// How many values aliases may add to any document. A larger one may grow by
/// [`ALIAS_GROWTH`] times its own size.
const ALIAS_BUDGET: usize = 300_000;
const ALIAS_GROWTH: usize = 4;

/// An open collection.
struct Frame {
    shape: Shape,
    span: Span,
    /// `!reset` on it: it is read for its errors and then dropped.
    reset: bool,
    items: Items,
    entries: Map,
    /// The key whose value comes next.
    key: Option<Key>,
    /// How many items of a sequence have begun, dropped ones included.
    index: usize,
    /// Values of `<<`, to be merged in when the mapping is complete.
    merges: Vec<Node>,
    merge_key: Option<Span>,
    /// Keys that were dropped by `!reset`.
    resets: HashMap<Text, Span>,
}

impl Frame {
    /// Where a key was dropped by `!reset`.
    fn reset_before(&self, key: &str) -> Option<Span> {
        self.resets.get(key).copied()
    }
}

struct Key {
    text: Text,
    span: Span,
    use_as: KeyUse,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyUse {
    Plain,
    Merge,
    /// The key was refused; so its value goes nowhere.
    Drop,
}

pub(super) struct Builder<'t> {
    pub(super) findings: Findings,
    frames: Vec<Frame>,
    root: Option<Node>,
    tags: Vec<Tag>,
    anchors: Anchors<'t>,
    nodes: usize,
    replayed: usize,
    /// Values of this document, and of those before it.
    values: usize,
    before: usize,
    /// How many there may be.
    budget: usize,
    /// There were more.
    pub(super) refusal: Option<Diagnostic>,
    /// Buffers of collections that are complete, for those to come.
    buffers: Vec<(Items, Entries)>,
    /// `<<` stays a key like others, so that what it lost against can be seen.
    pub(super) keeps_merges: bool,
}

impl<'t> Builder<'t> {
    pub(super) fn new(budget: usize) -> Self {
        Builder {
            findings: Findings::default(),
            frames: Vec::new(),
            root: None,
            tags: Vec::new(),
            anchors: Anchors::default(),
            nodes: 0,
            replayed: 0,
            values: 0,
            before: 0,
            budget,
            refusal: None,
            buffers: Vec::new(),
            keeps_merges: false,
        }
    }

    pub(super) fn budget(&self) -> usize {
        self.budget
    }

    pub(super) fn clear(&mut self) {
        self.frames.clear();
        self.root = None;
        self.tags.clear();
        self.anchors.clear();
        self.nodes = 0;
        self.replayed = 0;
        self.before += std::mem::take(&mut self.values);
    }

    pub(super) fn finish(&mut self) -> Document {
        let document = Document {
            root: self.root.take().unwrap_or_default(),
            tags: std::mem::take(&mut self.tags),
            values: self.values,
        };
        self.clear();
        document
    }

    /// Takes in one step of the text, with the number of the anchor it defines.
    ///
    /// # Errors
    /// What makes the rest of the document unreadable.
    pub(super) fn feed(&mut self, step: Step<'t>, anchor: Option<usize>) -> Result<(), Diagnostic> {
        if let Some(number) = anchor {
            self.anchors.begin(number, self.frames.len());
        }
        self.anchors.record(&step);
        match step {
            Step::Alias(id, span) => self.replay(id, span)?,
            step => {
                self.nodes += 1;
                self.take(step)?;
            }
        }
        self.anchors.complete(self.frames.len());
        Ok(())
    }

    /// The steps of the node that an alias names.
    fn anchored(&self, number: usize, alias: Span) -> Result<Range<usize>, Diagnostic> {
        self.anchors.steps(number).map_err(|message| {
            Diagnostic::error("yaml-alias", self.path(), message)
                .at(alias)
                .help("an alias may only name a node that is complete before it")
        })
    }

    /// Puts a copy of an anchored node here by going through its steps again.
    fn replay(&mut self, id: usize, alias: Span) -> Result<(), Diagnostic> {
        let mut pending = vec![self.anchored(id, alias)?];
        while let Some(range) = pending.last_mut() {
            let Some(at) = range.next() else {
                pending.pop();
                continue;
            };
            match self.anchors.step(at) {
                Step::Alias(id, span) => {
                    let inner = self.anchored(id, span)?;
                    pending.push(inner);
                }
                step => {
                    let is_value = !matches!(step, Step::Close(_)) && !self.expects_key();
                    self.replayed += usize::from(is_value);
                    if self.replayed > ALIAS_BUDGET.max(self.nodes * ALIAS_GROWTH) {
                        return Err(Diagnostic::error(
                            "yaml-alias-bomb",
                            self.path(),
                            format!(
                                "aliases make this document grow by more than {ALIAS_BUDGET} nodes"
                            ),
                        )
                        .at(alias)
                        .help("write the repeated part once and refer to it less often"));
                    }
                    self.take(step)?;
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, step: Step<'t>) -> Result<(), Diagnostic> {
        match step {
            Step::Scalar(text, kind, tag, span) => {
                self.count(span)?;
                self.scalar(text, kind, tag, span);
                Ok(())
            }
            Step::Open(shape, tag, span) => {
                self.count(span)?;
                self.open(shape, tag, span)
            }
            Step::Close(span) => {
                self.close(span);
                Ok(())
            }
            Step::Alias(..) => Ok(()),
        }
    }

    /// Counts the node that comes next, unless it is a key.
    fn count(&mut self, span: Span) -> Result<(), Diagnostic> {
        if self.expects_key() {
            return Ok(());
        }
        self.values += 1;
        let entries = self
            .frames
            .last()
            .map_or(0, |f| f.items.len() + f.entries.len());
        if entries >= budget::MAX_ENTRIES {
            return Err(budget::too_long(self.path()).at(span));
        }
        match self.before + self.values > self.budget {
            true => Err(budget::finding(self.path()).at(span)),
            false => Ok(()),
        }
    }

    /// Whether the node that comes next is a key of a mapping.
    fn expects_key(&self) -> bool {
        self.frames
            .last()
            .is_some_and(|f| f.shape == Shape::Map && f.key.is_none())
    }

    fn open(&mut self, shape: Shape, tag: Option<TagText>, span: Span) -> Result<(), Diagnostic> {
        if self.frames.len() >= MAX_DEPTH {
            return Err(Diagnostic::error(
                "yaml-too-deep",
                self.path(),
                format!("more than {MAX_DEPTH} mappings and sequences stand inside each other"),
            )
            .at(span));
        }
        let reset = self.note_tag(tag.as_ref());
        let (items, entries) = self.buffers.pop().unwrap_or_default();
        self.frames.push(Frame {
            shape,
            span,
            reset,
            items,
            entries: Map::filling(entries),
            key: None,
            index: 0,
            merges: Vec::new(),
            merge_key: None,
            resets: HashMap::new(),
        });
        Ok(())
    }

    fn close(&mut self, end: Span) {
        let Some(mut frame) = self.frames.pop() else {
            return;
        };
        for value in std::mem::take(&mut frame.merges) {
            if self.keeps_merges {
                frame.entries.insert("<<", value.span, value);
                continue;
            }
            self.merge(&mut frame, value);
        }
        // Trees live for the whole load, and most collections have fewer entries than a first
        // allocation has room for: so they are filled in buffers and moved when they are complete.
        let mut items = Items::with_capacity(frame.items.len());
        items.append(&mut frame.items);
        let (entries, buffer) = frame.entries.filled();
        self.buffers.push((frame.items, buffer));
        let value = match frame.shape {
            Shape::Seq => Value::Seq(items),
            Shape::Map => Value::Map(entries),
        };
        let mut span = frame.span;
        // In block style the end is only noticed at the token that follows, so it is taken
        // from the last thing inside; in flow style the closing bracket has a width.
        span.end = if end.start < end.end {
            span.end.max(end.end)
        } else {
            last_end(&value).map_or(span.end, |last| span.end.max(last))
        };
        let node = Node { value, span };
        if frame.reset {
            let is_empty = match &node.value {
                Value::Seq(items) => items.is_empty(),
                Value::Map(map) => map.is_empty(),
                _ => true,
            };
            if !is_empty {
                self.useless_value(node.span);
            }
            self.skip();
        } else {
            self.place(node);
        }
    }

    fn scalar(&mut self, text: Cow<'t, str>, kind: Kind, tag: Option<TagText>, span: Span) {
        if self.expects_key() {
            self.key(text, kind, tag, span);
            return;
        }
        if self.note_tag(tag.as_ref()) {
            if !matches!(&*text, "" | "null" | "~" | "Null" | "NULL") {
                self.useless_value(tag.as_ref().map_or(span, |t| t.span));
            }
            self.skip();
            return;
        }
        let value = self.value(text, kind, tag.as_ref(), span);
        self.place(Node { value, span });
    }

    fn value(
        &mut self,
        text: Cow<'t, str>,
        kind: Kind,
        tag: Option<&TagText>,
        span: Span,
    ) -> Value {
        let hint = match tag.map(|t| &t.meaning) {
            None if kind == Kind::Plain => Hint::None,
            None | Some(TagMeaning::NonSpecific) => return Value::Str(text.into()),
            Some(TagMeaning::Compose(_) | TagMeaning::Custom | TagMeaning::Misspelt(_)) => {
                Hint::Custom
            }
            Some(TagMeaning::Core(name)) => Hint::Core(name),
            Some(TagMeaning::Binary) => {
                let compact: String = text.split_whitespace().collect();
                let decoded = base64::engine::general_purpose::STANDARD
                    .decode(compact)
                    .ok()
                    .and_then(|bytes| String::from_utf8(bytes).ok());
                return match decoded {
                    Some(decoded) => Value::from(decoded),
                    None => {
                        let message = "this !!binary value is not the base64 form of a UTF-8 text";
                        let finding = Diagnostic::error("yaml-tag", self.path(), message);
                        self.findings.push(finding.at(span));
                        Value::Null
                    }
                };
            }
        };
        scalar::typed(&text, hint).unwrap_or_else(|message| {
            let finding = Diagnostic::error("yaml-tag", self.path(), message).at(span);
            self.findings.push(finding);
            Value::Str(text.into())
        })
    }

    fn key(&mut self, text: Cow<'t, str>, kind: Kind, tag: Option<TagText>, span: Span) {
        let is_merge = match tag.as_ref().map(|tag| &tag.meaning) {
            None => kind == Kind::Plain && text == "<<",
            // yq writes `!!merge <<`; the tag means the same on any key.
            Some(TagMeaning::Core(name)) => name == "merge",
            Some(_) => false,
        };
        let is_text = kind != Kind::Plain || scalar::is_text(&text);
        let (text, mut use_as) = if is_merge || (tag.is_none() && is_text) {
            (text.into(), KeyUse::Plain)
        } else {
            match self.value(text.clone(), kind, tag.as_ref(), span) {
                Value::Str(key) => (key, KeyUse::Plain),
                _ => {
                    let message = format!("the key `{text}` is not text");
                    self.findings.push(
                        Diagnostic::error("non-string-key", self.path(), message)
                            .at(span)
                            .help(format!("write it in quotes: \"{text}\"")),
                    );
                    (text.into(), KeyUse::Drop)
                }
            }
        };
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        if is_merge {
            use_as = KeyUse::Merge;
            if let Some(first) = frame.merge_key.replace(span) {
                self.duplicated(&text, span, first);
                use_as = KeyUse::Drop;
            }
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.key = Some(Key { text, span, use_as });
        }
    }

    /// Leaves out the node whose turn it is.
    fn skip(&mut self) {
        match self.frames.last_mut() {
            Some(frame) if frame.shape == Shape::Seq => frame.index += 1,
            Some(frame) => {
                let key = frame.key.take().filter(|key| key.use_as == KeyUse::Plain);
                let Some(key) = key else { return };
                let first = frame.entries.key_span(&key.text);
                match first.or_else(|| frame.reset_before(&key.text)) {
                    Some(first) => {
                        self.duplicated(&key.text, key.span, first);
                    }
                    None => {
                        frame.resets.entry(key.text).or_insert(key.span);
                    }
                }
            }
            None => {}
        }
    }

    fn place(&mut self, node: Node) {
        let path_of_key = self.expects_key().then(|| self.path());
        let Some(frame) = self.frames.last_mut() else {
            self.root = Some(node);
            return;
        };
        if frame.shape == Shape::Seq {
            frame.index += 1;
            frame.items.push(node);
            return;
        }
        match frame.key.take() {
            None => {
                let finding = Diagnostic::error(
                    "non-string-key",
                    path_of_key.unwrap_or_default(),
                    "a key must be text, not a mapping or a sequence",
                );
                self.findings.push(
                    finding
                        .at(node.span)
                        .help("a template's `{{ … }}` must be in quotes"),
                );
                frame.key = Some(Key {
                    text: Text::new(),
                    span: node.span,
                    use_as: KeyUse::Drop,
                });
            }
            Some(key) => match key.use_as {
                KeyUse::Drop => {}
                KeyUse::Merge => frame.merges.push(node),
                KeyUse::Plain => {
                    let Key { text, span, .. } = key;
                    if let Some(first) = frame.reset_before(&text) {
                        self.duplicated(&text, span, first);
                        return;
                    }
                    if let Err((text, first)) = frame.entries.insert_new(text, span, node) {
                        self.duplicated(&text, span, first);
                    }
                }
            },
        }
    }

    /// The keys that lead to the node whose turn it is. `<<` and the items under it lead to
    /// the mapping they are merged into.
    fn keys(&self) -> Vec<String> {
        let mut keys = Vec::with_capacity(self.frames.len());
        let mut merging = false;
        for frame in &self.frames {
            match (frame.shape, &frame.key) {
                (Shape::Seq, _) if merging => {}
                (Shape::Seq, _) => keys.push(frame.index.to_string()),
                (Shape::Map, Some(key)) if key.use_as == KeyUse::Merge => {
                    merging = true;
                    continue;
                }
                (Shape::Map, Some(key)) => keys.push(key.text.to_string()),
                (Shape::Map, None) => {}
            }
            merging = false;
        }
        keys
    }

    /// [`Self::keys`] as findings write it: `services.web.ports[0]`.
    fn path(&self) -> String {
        let mut path = String::new();
        for frame in &self.frames {
            match (frame.shape, &frame.key) {
                (Shape::Seq, _) => {
                    path.push_str(&format!("[{}]", frame.index));
                }
                (Shape::Map, Some(key)) => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(&key.text);
                }
                (Shape::Map, None) => {}
            }
        }
        path
    }

    fn duplicated(&mut self, key: &str, span: Span, first: Span) {
        let path = match self.path() {
            parent if parent.is_empty() => key.to_owned(),
            parent => format!("{parent}.{key}"),
        };
        let message = format!("the key `{key}` is given twice");
        let finding = Diagnostic::error("duplicate-key", path, message)
            .at(span)
            .related(first, "first given here")
            .help("remove one of the two, or rename it");
        self.findings.push(finding);
    }
}

fn last_end(value: &Value) -> Option<u32> {
    match value {
        Value::Seq(items) => items.last().map(|node| node.span.end),
        Value::Map(map) => map
            .entries()
            .last()
            .map(|(_, entry)| entry.node.span.end.max(entry.key.end)),
        _ => None,
    }
}
