//! The grammar of `$NAME` and `${NAME…}`: Compose's, which is not quite the shell's.
//!
//! An operator's word reaches to the last `}` of its line, unless counting braces finds the
//! matching one before. That is what Docker Compose does, with all that follows from it: a word
//! cannot hold a line break, and the brace right after another is not counted.

use std::ops::Range;

/// How deep `${A:-${B:-…}}` may nest.
const MAX_DEPTH: usize = 256;

/// The longest text that filling in variables may give, in bytes; no value is meant to be so long,
/// but variables of variables grow fast.
const MAX_TEXT: usize = 4 << 20;

/// The most problems of one text that are told; an error is told in any case.
const MAX_PROBLEMS: usize = 100;

/// Where the value of a variable comes from; `None` for one that is not set.
pub type Lookup<'l> = dyn Fn(&str) -> Option<String> + 'l;

/// What became of a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Substituted {
    pub text: String,
    pub problems: Vec<Problem>,
}

/// Something to tell the user, with the bytes of the text that it concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub kind: ProblemKind,
    pub range: Range<usize>,
}

impl Substituted {
    fn note(&mut self, kind: ProblemKind, range: Range<usize>) {
        let is_warning = |kind: &ProblemKind| matches!(kind, ProblemKind::Unset(_));
        let news = !is_warning(&kind) && self.problems.iter().all(|p| is_warning(&p.kind));
        if self.problems.len() < MAX_PROBLEMS || news {
            self.problems.push(Problem { kind, range });
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProblemKind {
    /// A variable without a default is not set, and became empty.
    Unset(String),
    /// `${X?reason}`, and it is not set.
    Required {
        name: String,
        reason: String,
    },
    /// `${` without a name, an unknown operator, or no closing brace.
    Malformed,
    TooDeep,
    /// The outcome is longer than any value is meant to be; it is cut.
    TooLong,
}

/// What stands between the name and the word of `${NAME-word}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Operator {
    /// `-`, `+` or `?`.
    pub symbol: u8,
    /// With a colon in front: an empty value counts as unset.
    pub colon: bool,
}

/// One place of a text where something is to be put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Site {
    /// `$$`.
    Dollar,
    Plain {
        name: Range<usize>,
    },
    Operated {
        name: Range<usize>,
        operator: Operator,
        word: Range<usize>,
        /// What the braces took in beyond the matching one; it is text again.
        rest: Range<usize>,
    },
    Malformed,
}

/// The last closing brace of the line that was looked at last, so that a line of many sites is
/// not searched to its end for each of them.
#[derive(Default)]
pub(super) struct Line {
    from: usize,
    /// One past the last byte, and where the search was told to end.
    end: usize,
    limit: usize,
    last_brace: Option<usize>,
}

impl Line {
    /// The last `}` of the line that `at` is in, not before `at`.
    fn last_brace(&mut self, bytes: &[u8], at: usize, limit: usize) -> Option<usize> {
        if self.limit != limit || !(self.from..=self.end).contains(&at) {
            let rest = &bytes[at..limit];
            let length = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
            *self = Line {
                from: at,
                end: at + length,
                limit,
                last_brace: rest[..length]
                    .iter()
                    .rposition(|b| *b == b'}')
                    .map(|i| at + i),
            };
        }
        self.last_brace.filter(|brace| *brace >= at)
    }
}

/// Finds the first site in `range`: what it is, and the bytes it takes.
pub(super) fn next_site(
    text: &str,
    range: Range<usize>,
    line: &mut Line,
) -> Option<(Site, Range<usize>)> {
    let bytes = text.as_bytes();
    let mut from = range.start;
    loop {
        let at = from + bytes[from..range.end].iter().position(|b| *b == b'$')?;
        match bytes[at + 1..range.end].first() {
            Some(b'$') => return Some((Site::Dollar, at..at + 2)),
            Some(b'{') => return Some(braced(bytes, at, range.end, line)),
            Some(b) if is_name_start(*b) => {
                let name = at + 1..name_end(bytes, at + 1, range.end);
                let end = name.end;
                return Some((Site::Plain { name }, at..end));
            }
            _ => from = at + 1,
        }
    }
}

/// Whether a text has nothing that [`substitute`] would change.
pub(super) fn is_literal(text: &str) -> bool {
    !text.as_bytes().contains(&b'$')
}

fn is_name_start(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphabetic()
}

fn name_end(bytes: &[u8], start: usize, end: usize) -> usize {
    bytes[start..end]
        .iter()
        .position(|b| *b != b'_' && !b.is_ascii_alphanumeric())
        .map_or(end, |n| start + n)
}

/// The site of the `${` at `at`.
fn braced(bytes: &[u8], at: usize, end: usize, line: &mut Line) -> (Site, Range<usize>) {
    let malformed = (Site::Malformed, at..at + 2);
    let start = at + 2;
    if !bytes[start..end].first().is_some_and(|b| is_name_start(*b)) {
        return malformed;
    }
    let name = start..name_end(bytes, start, end);
    let after = &bytes[name.end..end];
    let (operator, width) = match after {
        [b'}', ..] => {
            let whole = at..name.end + 1;
            return (Site::Plain { name }, whole);
        }
        [b':', symbol @ (b'-' | b'+' | b'?'), ..] => (
            Operator {
                symbol: *symbol,
                colon: true,
            },
            2,
        ),
        [symbol @ (b'-' | b'+' | b'?'), ..] => (
            Operator {
                symbol: *symbol,
                colon: false,
            },
            1,
        ),
        _ => return malformed,
    };
    let word_start = name.end + width;
    let Some(last_brace) = line.last_brace(bytes, word_start, end) else {
        return malformed;
    };
    let reach = last_brace + 1;
    let close = matching_brace(&bytes[at..reach]).map_or(reach - 1, |i| at + i);
    (
        Site::Operated {
            name,
            operator,
            word: word_start..close,
            rest: close + 1..reach,
        },
        at..reach,
    )
}

/// The brace that closes the first one. The byte after an opening brace is never looked at.
fn matching_brace(bytes: &[u8]) -> Option<usize> {
    let mut open = 0usize;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'{' => {
                open += 1;
                at += 1;
            }
            b'}' => {
                open = open.checked_sub(1)?;
                if open == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// A text cut at its sites: what stands there as it is, and what something is put in for, in order.
pub fn parts(text: &str) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut line = Line::default();
    let mut from = 0;
    while let Some((site, place)) = next_site(text, from..text.len(), &mut line) {
        if from < place.start {
            parts.push(from..place.start);
        }
        from = match site {
            Site::Operated { rest, .. } => rest.start,
            _ => place.end,
        };
        parts.push(place.start..from);
    }
    if from < text.len() {
        parts.push(from..text.len());
    }
    parts
}

/// What is still to be done, last first.
enum Task {
    Text {
        range: Range<usize>,
        depth: usize,
    },
    /// The word of a `?` stands in the output from here on: it is the reason.
    Reason {
        name: String,
        from: usize,
        site: Range<usize>,
    },
}

/// Puts the values of variables into a text.
pub fn substitute(text: &str, lookup: &Lookup<'_>) -> Substituted {
    let mut done = Substituted {
        text: String::with_capacity(text.len()),
        problems: Vec::new(),
    };
    let mut tasks = vec![Task::Text {
        range: 0..text.len(),
        depth: 0,
    }];
    let mut line = Line::default();
    while let Some(task) = tasks.pop() {
        if done.text.len() > MAX_TEXT {
            done.text.clear();
            done.note(ProblemKind::TooLong, 0..text.len());
            return done;
        }
        let (range, depth) = match task {
            Task::Text { range, depth } => (range, depth),
            Task::Reason { name, from, site } => {
                let reason = done.text.split_off(from);
                done.note(ProblemKind::Required { name, reason }, site);
                continue;
            }
        };
        let Some((site, place)) = next_site(text, range.clone(), &mut line) else {
            done.text.push_str(&text[range]);
            continue;
        };
        done.text.push_str(&text[range.start..place.start]);
        tasks.push(Task::Text {
            range: place.end..range.end,
            depth,
        });
        match site {
            Site::Dollar => done.text.push('$'),
            Site::Malformed => done.note(ProblemKind::Malformed, place),
            Site::Plain { name } => match lookup(&text[name.clone()]) {
                Some(value) => done.text.push_str(&value),
                None => done.note(ProblemKind::Unset(text[name].to_owned()), place),
            },
            Site::Operated {
                name,
                operator,
                word,
                rest,
            } => {
                let name = &text[name];
                let value = lookup(name);
                let counts = value
                    .as_deref()
                    .is_some_and(|v| !operator.colon || !v.is_empty());
                let site = place.start..rest.start;
                tasks.push(Task::Text { range: rest, depth });
                let uses_word = (operator.symbol == b'+') == counts;
                if !uses_word {
                    done.text.push_str(value.as_deref().unwrap_or_default());
                    continue;
                }
                if depth == MAX_DEPTH {
                    done.note(ProblemKind::TooDeep, site);
                    continue;
                }
                if operator.symbol == b'?' {
                    tasks.push(Task::Reason {
                        name: name.to_owned(),
                        from: done.text.len(),
                        site,
                    });
                }
                tasks.push(Task::Text {
                    range: word,
                    depth: depth + 1,
                });
            }
        }
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> String {
        let lookup = |name: &str| match name {
            "A" | "_a1" => Some("v".to_owned()),
            "E" => Some(String::new()),
            _ => None,
        };
        let done = substitute(text, &lookup);
        let mut out = done.text;
        for Problem { kind, range } in done.problems {
            let place = &text[range];
            out += &match kind {
                ProblemKind::Unset(name) => format!(" | unset {name} {place}"),
                ProblemKind::Required { name, reason } => {
                    format!(" | needs {name} ({reason}) {place}")
                }
                ProblemKind::Malformed => format!(" | malformed {place}"),
                ProblemKind::TooDeep => " | too deep".to_owned(),
                ProblemKind::TooLong => " | too long".to_owned(),
            };
        }
        out
    }

    #[test]
    fn the_grammar_is_composes() {
        let table = [
            ("", ""),
            ("no sites", "no sites"),
            ("$A ${A} $_a1.x", "v v v.x"),
            ("$$A $${A} $$$A", "$A ${A} $v"),
            ("$1 $ $. a$", "$1 $ $. a$"),
            ("[$U] ${U}", "[]  | unset U $U | unset U ${U}"),
            ("${U:-d} ${U-d} ${E:-d} ${E-d} ${A:-d}", "d d d  v"),
            ("${U:+r} ${U+r} ${E:+r} ${E+r} ${A:+r}", "   r r"),
            ("${A:?m} ${A?m} ${E?m}", "v v "),
            ("x${U:?no $A}y", "xy | needs U (no v) ${U:?no $A}"),
            ("${E:?}", " | needs E () ${E:?}"),
            ("${U:-a:-b?c}", "a:-b?c"),
            ("${U:-${V:-x}} ${U:-$A}", "x v"),
            ("${U:-${V}} t ${A}", " t v | unset V ${V}"),
            ("${A:-${U?x}}", "v"),
            ("${A:+${U:?gone}}", " | needs U (gone) ${U:?gone}"),
            ("${U:-{\"a\": {\"b\": 1}}}", "{\"a\": {\"b\": 1}}"),
            ("${U:-{}} ${A}", "{}} A | malformed ${"),
            ("${U:-x} }", "x }"),
            ("${U:-}", ""),
            ("${U:-a\nb}", "U:-a\nb} | malformed ${"),
            ("${#A}", "#A} | malformed ${"),
            ("${A/x/y} ${!A}", "A/x/y} !A} | malformed ${ | malformed ${"),
            (
                "${A:} ${A B} ${1X} ${a.b}",
                "A:} A B} 1X} a.b} | malformed ${ | malformed ${ | malformed ${ | malformed ${",
            ),
            ("${A ${}", "A } | malformed ${ | malformed ${"),
            ("${", " | malformed ${"),
            ("é${U:-ü}$A", "éüv"),
        ];
        for (input, expected) in table {
            assert_eq!(show(input), expected, "{input}");
        }
    }

    #[test]
    fn depth_meets_a_limit_and_length_does_not() {
        let deep = format!("{}x{}", "${U:-".repeat(20_000), "}".repeat(20_000));
        assert_eq!(show(&deep), " | too deep");
        let deep = "${U:-".repeat(20_000);
        assert!(show(&deep).contains("malformed"));
        let deep = format!("{}x{}", "${U:?".repeat(20_000), "}".repeat(20_000));
        assert!(show(&deep).contains("too deep"));
        let long = "${U:-x} ".repeat(5_000);
        assert_eq!(show(&long), "x ".repeat(5_000));
    }
}
