//! Names that an engine takes for a container.

use std::ops::Range;

/// The first part of a name that no engine takes, and what is wrong with it in words; `None` for
/// a name that is right.
pub fn fault(name: &str) -> Option<(Range<usize>, String)> {
    let is_sign = |c: char| "_.-".contains(c);
    let wrong = name
        .char_indices()
        .find(|(_, c)| !c.is_ascii_alphanumeric() && !is_sign(*c));
    if let Some((at, wrong)) = wrong {
        let wrong_in_words = match wrong {
            ' ' => "a space".to_owned(),
            wrong => format!("`{wrong}`"),
        };
        return Some((
            at..at + wrong.len_utf8(),
            format!("it holds {wrong_in_words}"),
        ));
    }
    match name.chars().next() {
        None => Some((0..0, "it is empty".to_owned())),
        Some(first) if is_sign(first) => Some((0..1, format!("it begins with `{first}`"))),
        Some(_) if name.len() == 1 => Some((0..1, "it has only one character".to_owned())),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_at_fault_is_found() {
        for (name, fault_is) in [
            ("web-1", None),
            ("a_", None),
            ("my web", Some((2..3, "it holds a space"))),
            ("-a/b", Some((2..3, "it holds `/`"))),
            ("wéb", Some((1..3, "it holds `é`"))),
            ("_web", Some((0..1, "it begins with `_`"))),
            ("a", Some((0..1, "it has only one character"))),
            ("", Some((0..0, "it is empty"))),
        ] {
            let fault_is = fault_is.map(|(range, what)| (range, what.to_owned()));
            assert_eq!(fault(name), fault_is, "{name}");
        }
    }
}
