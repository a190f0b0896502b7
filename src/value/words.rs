//! Command lines to words, as Compose splits them: quotes and backslashes of a shell, no
//! variables and no globs. What a shell would take for the end of the command (`;`, `&`, `|`, `<`,
//! `>`) ends the words: the rest is dropped.

use std::fmt;

/// A command line that cannot be split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unbalanced {
    /// Byte of the text that was never closed, or may not stand there.
    pub at: usize,
}

impl fmt::Display for Unbalanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid command line string: a quote, a bracket or a backslash is left open")
    }
}

impl std::error::Error for Unbalanced {}

/// What is open, with the byte it was opened at.
#[derive(Default)]
struct Open {
    single: Option<usize>,
    double: Option<usize>,
    back: Option<usize>,
    /// `$(`, or a lone `)`, which Compose takes for an opening.
    dollar: Option<usize>,
}

impl Open {
    fn any(&self) -> Option<usize> {
        self.single.or(self.double).or(self.back).or(self.dollar)
    }
}

/// Opens what is closed and closes what is open.
fn toggle(mark: &mut Option<usize>, at: usize) {
    *mark = match mark {
        Some(_) => None,
        None => Some(at),
    };
}

/// Splits a command line.
///
/// # Errors
/// A quote or `$(` without its end, a `(` without `$`, a backslash at the end.
pub fn split(line: &str) -> Result<Vec<String>, Unbalanced> {
    let mut words = Vec::new();
    let mut word = String::new();
    // Whether there is a word, be it an empty one in quotes.
    let mut begun = false;
    let mut escape = None;
    let mut open = Open::default();
    for (at, c) in line.char_indices() {
        if escape.take().is_some() {
            word.push(c);
            begun = true;
            continue;
        }
        let quoted = open.any().is_some();
        match c {
            '\\' if open.single.is_none() => {
                escape = Some(at);
                continue;
            }
            ' ' | '\t' | '\r' | '\n' if !quoted => {
                if std::mem::take(&mut begun) {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            // Blanks inside quotes belong to the word, but do not begin one.
            ' ' | '\t' | '\r' | '\n' => {
                word.push(c);
                continue;
            }
            '"' if open.single.is_none() && open.dollar.is_none() => {
                begun |= open.double.is_some();
                toggle(&mut open.double, at);
                continue;
            }
            '\'' if open.double.is_none() && open.dollar.is_none() => {
                begun |= open.single.is_some();
                toggle(&mut open.single, at);
                continue;
            }
            '`' if open.single.or(open.double).or(open.dollar).is_none() => {
                toggle(&mut open.back, at);
            }
            ')' if open.single.or(open.double).or(open.back).is_none() => {
                toggle(&mut open.dollar, at);
            }
            '(' if open.single.or(open.double).or(open.back).is_none() => {
                if open.dollar.is_some() || !word.ends_with('$') {
                    return Err(Unbalanced { at });
                }
                open.dollar = Some(at);
                word.push(c);
                continue;
            }
            ';' | '&' | '|' | '<' | '>' if !quoted => {
                // The number of a redirection is no word.
                if c == '>' && word.starts_with(|d: char| d.is_ascii_digit()) {
                    begun = false;
                }
                break;
            }
            _ => {}
        }
        word.push(c);
        begun = true;
    }
    if let Some(at) = escape.or(open.any()) {
        return Err(Unbalanced { at });
    }
    if begun {
        words.push(word);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split_as_compose_splits_them() {
        let table: &[(&str, &[&str])] = &[
            ("", &[]),
            ("  ", &[]),
            ("a  b\tc\nd", &["a", "b", "c", "d"]),
            ("a 'b c' \"d e\"", &["a", "b c", "d e"]),
            ("a'b'\"c\"", &["abc"]),
            ("x \"\" ''", &["x", "", ""]),
            ("a\\ b \\n", &["a b", "n"]),
            ("'a\\nb' \"a\\nb\"", &["a\\nb", "anb"]),
            ("x # y", &["x", "#", "y"]),
            ("$HOME *", &["$HOME", "*"]),
            ("a b ; c", &["a", "b"]),
            ("a&&b", &["a"]),
            ("a | b", &["a"]),
            ("a 2>b", &["a"]),
            ("a b1>c", &["a", "b1"]),
            (">y", &[]),
            ("a 'x;y' \\;", &["a", "x;y", ";"]),
            ("x $(a b) c", &["x", "$(a b)", "c"]),
            ("x `a b` c", &["x", "`a b`", "c"]),
            ("é ü", &["é", "ü"]),
        ];
        for (line, words) in table {
            assert_eq!(split(line).expect(line), *words, "{line}");
        }
        for (line, at) in [
            ("a 'b", 2),
            ("a \"", 2),
            ("a\\", 1),
            ("a(b)", 1),
            ("a )", 2),
            ("`", 0),
        ] {
            assert_eq!(split(line), Err(Unbalanced { at }), "{line}");
        }
    }
}
