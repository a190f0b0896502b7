//! Shell patterns over names.

/// Whether `name` matches the pattern: `*`, `?`, `[a-z]`, `[^a]`, `\x`, as Go's `path.Match`
/// does without separators. A malformed pattern matches nothing.
pub fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    here(&pattern, &name)
}

fn here(pattern: &[char], name: &[char]) -> bool {
    match pattern.first() {
        None => name.is_empty(),
        Some('*') => (0..=name.len()).any(|skip| here(&pattern[1..], &name[skip..])),
        Some('?') => !name.is_empty() && here(&pattern[1..], &name[1..]),
        Some('[') => {
            let Some(&c) = name.first() else { return false };
            class(&pattern[1..], c).is_some_and(|(hit, rest)| hit && here(rest, &name[1..]))
        }
        Some('\\') => {
            pattern.len() > 1
                && name.first() == Some(&pattern[1])
                && here(&pattern[2..], &name[1..])
        }
        Some(p) => name.first() == Some(p) && here(&pattern[1..], &name[1..]),
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
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
