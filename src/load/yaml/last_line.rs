//! The last line of a text that does not end in a line break, where it belongs to a block scalar.
//!
//! The parser ends that line as if a break stood behind it. Docker Compose's reader does not: the
//! value of `KEY: |` and a file that ends in `text` is `text`, whatever the chomping says.

use granit_parser::{Event, ScalarStyle, Span};
use std::borrow::Cow;

/// The event of a block scalar without the break that the parser added; others as they are.
pub(super) fn as_written<'t>(event: Event<'t>, span: &Span, text: &str) -> Event<'t> {
    match event {
        Event::Scalar(value, style @ (ScalarStyle::Literal | ScalarStyle::Folded), anchor, tag)
            if is_break_added(&value, span, text) =>
        {
            let mut value = value.into_owned();
            value.pop();
            Event::Scalar(Cow::Owned(value), style, anchor, tag)
        }
        event => event,
    }
}

fn is_break_added(value: &str, span: &Span, text: &str) -> bool {
    let is_unterminated =
        !text.ends_with(['\n', '\r']) && span.end.byte_offset() == Some(text.len());
    if !is_unterminated || !value.ends_with('\n') {
        return false;
    }
    match value.bytes().all(|b| b == b'\n') {
        // Nothing but spaces: the place begins at the `|` or `>`, one line above.
        true => span.end.line() == span.start.line() + 1,
        // The place begins at the first character, whose column is the indentation. A last line
        // of fewer spaces is none of the value's.
        false => span.end.col() > span.start.col(),
    }
}
