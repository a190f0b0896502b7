//! Compose's own tags, `!reset` and `!override`: noted for the merge, and told of where they do nothing.

use super::Builder;
use crate::diagnostic::Diagnostic;
use crate::load::yaml::event::{Shape, TagMeaning, TagText};
use crate::load::yaml::{Tag, TagKind};
use crate::tree::Span;

impl Builder<'_> {
    fn misused(&mut self, span: Span, what: &str, help: String) {
        let path = self.path();
        let finding = Diagnostic::warning("misused-tag", path, what);
        self.findings.push(finding.at(span).help(help));
    }

    /// A `!reset` with a value, which goes away too.
    pub(super) fn useless_value(&mut self, span: Span) {
        if self.frames.last().is_some_and(|f| f.shape == Shape::Seq) {
            // Told already.
            return;
        }
        let help = "write `!override` to put this value in the place of the earlier one".to_owned();
        self.misused(span, "`!reset` drops this value too", help);
    }

    /// Records one of Compose's own tags; true where the node is to be left out.
    pub(super) fn note_tag(&mut self, tag: Option<&TagText>) -> bool {
        let Some(TagText { meaning, span }) = tag else {
            return false;
        };
        if let TagMeaning::Misspelt(meant) = meaning {
            self.misused(
                *span,
                "this tag means nothing",
                format!("did you mean `!{meant}`?"),
            );
        }
        let TagMeaning::Compose(kind) = meaning else {
            return false;
        };
        if self.frames.last().is_some_and(|f| f.shape == Shape::Seq) {
            let help =
                "put it on the list: `!reset []`, or `!override` and the items that are to stay";
            self.misused(
                *span,
                "on an item of a list this takes nothing out",
                help.to_owned(),
            );
        }
        let path = self.keys();
        self.tags.push(Tag {
            path,
            kind: *kind,
            span: *span,
        });
        *kind == TagKind::Reset
    }
}
