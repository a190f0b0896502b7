//! `.dockerignore`: which files of a build context stay away from the builder.
//!
//! The grammar is Docker's own, not that of `.gitignore`: patterns are rooted, `*` does not cross
//! a `/`, and the last one that fits decides.

/// The patterns of a `.dockerignore`.
#[derive(Debug, Clone, Default)]
pub struct Ignore {
    patterns: Vec<Pattern>,
}

#[derive(Debug, Clone)]
struct Pattern {
    tokens: Vec<Token>,
    /// It takes files back in (`!`).
    includes: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Char(char),
    /// `?`: one character but `/`.
    One,
    /// `*`: any but `/`.
    Some,
    /// `**` before a `/` or in the middle: any directories, with their `/`.
    Directories,
    /// `**` at the end: everything.
    Rest,
    /// `[a-z]`: ranges, and whether it is negated.
    Class(Vec<(char, char)>, bool),
}

/// What is known of a directory, so that its entries need not ask again.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// Which patterns fit it or a directory above.
    fits: Vec<bool>,
    pub excluded: bool,
}

impl Ignore {
    /// Reads a file's text.
    pub fn parse(text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let patterns = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| Pattern::parse(line.trim()))
            .collect();
        Ignore { patterns }
    }

    /// Whether there is nothing to leave out.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether something inside an excluded directory may be taken back in.
    pub fn takes_back(&self) -> bool {
        self.patterns.iter().any(|p| p.includes)
    }

    /// Judges a path (relative, with `/`) by its directory's verdict.
    pub fn judge(&self, path: &str, parent: &Verdict) -> Verdict {
        let mut verdict = Verdict {
            fits: Vec::with_capacity(self.patterns.len()),
            excluded: false,
        };
        let chars: Vec<char> = path.chars().collect();
        for (index, pattern) in self.patterns.iter().enumerate() {
            let fits = parent.fits.get(index) == Some(&true) || fits(&pattern.tokens, &chars);
            if fits {
                verdict.excluded = !pattern.includes;
            }
            verdict.fits.push(fits);
        }
        verdict
    }

    /// Whether a file is left out, all by itself.
    pub fn excludes(&self, path: &str) -> bool {
        let mut verdict = Verdict::default();
        for (at, _) in path.match_indices('/').chain([(path.len(), "")]) {
            verdict = self.judge(&path[..at], &verdict);
        }
        verdict.excluded
    }
}

impl Pattern {
    fn parse(line: &str) -> Option<Self> {
        let (includes, rest) = match line.strip_prefix('!') {
            Some(rest) => (true, rest.trim()),
            None => (false, line),
        };
        if rest.is_empty() {
            return None;
        }
        let cleaned = clean(rest);
        let rooted = cleaned.strip_prefix('/').unwrap_or(&cleaned);
        Some(Pattern {
            tokens: tokens(if rooted.is_empty() { "/" } else { rooted }),
            includes,
        })
    }
}

/// The path without `.`, `..` (where they can be resolved) and doubled separators.
fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".into(),
        (false, false) => joined,
    }
}

fn tokens(pattern: &str) -> Vec<Token> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut out = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        match chars[i] {
            '*' if chars.get(i + 1) == Some(&'*') => {
                i += 2;
                if i >= chars.len() {
                    out.push(Token::Rest);
                } else {
                    if chars[i] == '/' {
                        i += 1;
                    }
                    out.push(Token::Directories);
                }
                continue;
            }
            '*' => out.push(Token::Some),
            '?' => out.push(Token::One),
            '\\' if i + 1 < chars.len() => {
                i += 1;
                out.push(Token::Char(chars[i]));
            }
            '[' => {
                if let Some((token, end)) = class(&chars, i) {
                    out.push(token);
                    i = end;
                } else {
                    out.push(Token::Char('['));
                }
            }
            c => out.push(Token::Char(c)),
        }
        i += 1;
    }
    out
}

/// A class that begins at `start`, and the index of its `]`.
fn class(chars: &[char], start: usize) -> Option<(Token, usize)> {
    let mut i = start + 1;
    let negated = chars.get(i) == Some(&'^');
    if negated {
        i += 1;
    }
    let mut ranges = Vec::new();
    let first = i;
    loop {
        let mut c = *chars.get(i)?;
        if c == ']' && i > first {
            return Some((Token::Class(ranges, negated), i));
        }
        if c == '\\' {
            i += 1;
            c = *chars.get(i)?;
        }
        let dash = chars.get(i + 1) == Some(&'-');
        let end = chars.get(i + 2).copied().filter(|end| dash && *end != ']');
        match end {
            Some(end) => {
                ranges.push((c, end));
                i += 3;
            }
            None => {
                ranges.push((c, c));
                i += 1;
            }
        }
    }
}

/// Whether the tokens fit the whole text. A table of positions instead of backtracking, so that
/// no pattern takes more than its length times the text's.
fn fits(tokens: &[Token], text: &[char]) -> bool {
    let mut here = vec![false; text.len() + 1];
    here[0] = true;
    for token in tokens {
        let mut next = vec![false; text.len() + 1];
        match token {
            Token::Some => {
                let mut open = false;
                for at in 0..=text.len() {
                    open = here[at] || (open && text[at - 1] != '/');
                    next[at] = open;
                }
            }
            Token::Rest => {
                let first = here.iter().position(|on| *on).unwrap_or(text.len() + 1);
                for on in &mut next[first.min(text.len() + 1)..] {
                    *on = true;
                }
            }
            Token::Directories => {
                let mut open = false;
                for at in 0..=text.len() {
                    next[at] = here[at] || (open && at > 0 && text[at - 1] == '/');
                    open |= here[at];
                }
            }
            single => {
                for at in 0..text.len() {
                    next[at + 1] = here[at] && takes(single, text[at]);
                }
            }
        }
        here = next;
    }
    here[text.len()]
}

fn takes(token: &Token, c: char) -> bool {
    match token {
        Token::Char(own) => *own == c,
        Token::One => c != '/',
        Token::Class(ranges, negated) => {
            ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != *negated
        }
        Token::Some | Token::Directories | Token::Rest => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        // Pattern, path, whether it is left out.
        let table = [
            ("*.md", "a.md", true),
            ("*.md", "sub/a.md", false),
            ("**/*.md", "sub/deep/a.md", true),
            ("**/*.md", "a.md", true),
            ("node_modules", "node_modules/x/y.js", true),
            ("node_modules", "sub/node_modules/x", false),
            ("**/node_modules", "sub/node_modules/x", true),
            ("a/../b", "b", true),
            ("./b/", "b/c", true),
            ("/abs", "abs", true),
            ("*/temp*", "somedir/temporary.txt", true),
            ("*/temp*", "somedir/subdir/temporary.txt", false),
            ("*/*/temp*", "somedir/subdir/temporary.txt", true),
            ("temp?", "tempa", true),
            ("temp?", "temp", false),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[^a-c]x", "dx", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("dir/**", "dir/x/y", true),
            ("dir/**", "dir", false),
            ("**", "anything/at/all", true),
            ("a**b", "ab", true),
            ("a**b", "ax/b", true),
            (".", "x", false),
            ("*", "x/y", true),
            ("foo.", "foo.", true),
            ("a.b", "axb", false),
            ("é*", "éa", true),
            ("[z", "[z", true),
        ];
        for (pattern, path, expected) in table {
            assert_eq!(
                Ignore::parse(pattern).excludes(path),
                expected,
                "{pattern} {path}"
            );
        }
    }

    #[test]
    fn the_last_one_decides() {
        let table = [
            ("*.md\n!README.md", "README.md", false),
            ("*.md\n!README.md", "a.md", true),
            ("!README.md\n*.md", "README.md", true),
            ("dir\n!dir/keep", "dir/keep", false),
            ("dir\n!dir/keep", "dir/other", true),
            ("*\n!src\n!Cargo.toml", "src/a/b.rs", false),
            ("*\n!src", "docs/x", true),
            ("# comment\n\n  x  ", "x", true),
            (" # not a comment", "# not a comment", true),
            ("\u{feff}x", "x", true),
            ("! spaced\n", "spaced", false),
        ];
        for (text, path, expected) in table {
            assert_eq!(
                Ignore::parse(text).excludes(path),
                expected,
                "{text:?} {path}"
            );
        }
    }

    #[test]
    fn long_patterns_end() {
        let pattern = "a*".repeat(200);
        assert!(!Ignore::parse(&format!("{pattern}b")).excludes(&"a".repeat(4000)));
    }
}
