//! Secrets that a project declares: their contents are found wherever they stand.

use super::{replaced, stand_in};
use std::borrow::Cow;
use std::ops::Range;

/// A shorter content is found in too many words that mean nothing by it.
const SHORTEST: usize = 6;

/// One that is shorter than this is found as a word only, not within another.
const SURE: usize = 12;

/// The contents of secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known(Vec<String>);

impl Known {
    /// Of contents, without the line break at their end; of several lines each counts, too.
    pub fn of(contents: impl IntoIterator<Item = String>) -> Self {
        let mut all: Vec<String> = Vec::new();
        for content in contents {
            let content = content.trim();
            let lines = content.lines().map(str::trim);
            let parts = lines.filter(|_| content.contains('\n')).chain([content]);
            all.extend(parts.filter(|p| p.len() >= SHORTEST).map(str::to_owned));
        }
        all.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        all.dedup();
        Known(all)
    }

    /// No secret is known.
    pub const fn none() -> Self {
        Known(Vec::new())
    }

    /// Both.
    pub fn join(&mut self, other: Known) {
        *self = Known::of(std::mem::take(&mut self.0).into_iter().chain(other.0));
    }

    /// The text with a stand-in for each of them.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        replaced(text, self.find(text), stand_in)
    }

    /// The same with as many stars as there were characters.
    pub fn mask_in_place<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let stars = |secret: &str| "*".repeat(secret.chars().count());
        replaced(text, self.find(text), stars)
    }

    pub(super) fn find(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        for secret in &self.0 {
            let places = text.match_indices(secret.as_str());
            let places = places.map(|(at, _)| at..at + secret.len());
            found.extend(places.filter(|p| secret.len() >= SURE || is_word(text, p)));
        }
        found
    }
}

/// Whether it stands for itself, and is no part of another word.
fn is_word(text: &str, range: &Range<usize>) -> bool {
    let joins = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    !joins(text[..range.start].chars().next_back()) && !joins(text[range.end..].chars().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_found_where_they_stand() {
        let known = Known::of(["hunter2\n", "short", "a-long-enough-one"].map(str::to_owned));
        let s = stand_in;
        let table = [
            ("it is hunter2.", format!("it is {}.", s("hunter2"))),
            ("hunter22", "hunter22".to_owned()),
            (
                "xa-long-enough-oney",
                format!("x{}y", s("a-long-enough-one")),
            ),
            ("short", "short".to_owned()),
        ];
        for (text, expected) in table {
            assert_eq!(known.mask(text), expected, "{text}");
        }
        assert_eq!(known.mask_in_place("é hunter2 é"), "é ******* é");
    }
}
