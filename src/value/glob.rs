//! Shell patterns over names.

/// Whether `name` matches the pattern: `*`, `?`, `[a-z]`, `[^a]`, `\x`, as Go's `path.Match`
/// does without separators. A malformed pattern matches nothing.
pub fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    here(&pattern, &name)
}

/// Only the last star passed ever needs to take more: an earlier one that took more would leave
/// the later one a part of what it can take anyway. So the work is pattern times name at most.
fn here(mut pattern: &[char], mut name: &[char]) -> bool {
    // What follows the last star, and the name from where it has taken nothing more yet.
    let mut star: Option<(&[char], &[char])> = None;
    loop {
        if pattern.first() == Some(&'*') {
            pattern = &pattern[1..];
            star = Some((pattern, name));
            continue;
        }
        if pattern.is_empty() && name.is_empty() {
            return true;
        }
        if let Some(rest) = one(pattern, name) {
            (pattern, name) = (rest, &name[1..]);
            continue;
        }
        match star {
            Some((after, from)) if !from.is_empty() => {
                star = Some((after, &from[1..]));
                (pattern, name) = (after, &from[1..]);
            }
            _ => return false,
        }
    }
}

/// What is left of the pattern when its first element takes the name's first character.
fn one<'p>(pattern: &'p [char], name: &[char]) -> Option<&'p [char]> {
    let (&element, rest) = pattern.split_first()?;
    let &c = name.first()?;
    match element {
        '?' => Some(rest),
        '[' => class(rest, c).and_then(|(hit, rest)| hit.then_some(rest)),
        '\\' => (*rest.first()? == c).then(|| &rest[1..]),
        _ => (element == c).then_some(rest),
    }
}

/// Reads a class after its `[`; whether it holds `c`, and what follows its `]`.
fn class(mut pattern: &[char], c: char) -> Option<(bool, &[char])> {
    let negated = pattern.first() == Some(&'^');
    if negated {
        pattern = &pattern[1..];
    }
    let mut hit = false;
    let mut first = true;
    loop {
        match pattern.first()? {
            ']' if !first => return Some((hit != negated, &pattern[1..])),
            &low => {
                let high = if pattern.get(1) == Some(&'-') && pattern.get(2)? != &']' {
                    let high = pattern[2];
                    pattern = &pattern[3..];
                    high
                } else {
                    pattern = &pattern[1..];
                    low
                };
                hit |= (low..=high).contains(&c);
            }
        }
        first = false;
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("d*", "db", true),
            ("*", "", true),
            ("w?b", "web", true),
            ("w?b", "wb", false),
            ("[a-d]b", "db", true),
            ("[^a-d]b", "db", false),
            ("we", "web", false),
            ("w[", "w[", false),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abcdeceb", false),
            ("*ab", "aab", true),
            (r"a\*", "a*", true),
            (r"a\*", "ab", false),
            // Takes for ever where every star tries every length.
            ("***********0^@**[^****", "00000000000000000000000^@", false),
            (
                "*a*a*a*a*a*a*a*a*a*a*a*a*b",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                false,
            ),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
