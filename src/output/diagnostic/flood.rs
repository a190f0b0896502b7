//! Many findings of one kind, for people: the same is said once with all its places, and a flood
//! becomes one block with a line for each. Programs get every finding.

use crate::diagnostic::Diagnostic;
use crate::load::Sources;
use crate::tree::Span;

/// More than so many of one kind become a block.
const FLOOD: usize = 4;

/// So many lines a block has; more are counted.
const MAX_LINES: usize = 20;

/// So many further places are named; more are counted.
const MAX_PLACES: usize = 4;

/// Kinds that are told in this way even where they are errors (`--strict`): the message says all.
const PLAIN: [&str; 6] = [
    "missing-bind-file",
    "missing-build-context",
    "missing-env-file",
    "missing-file-source",
    "unset-variable",
    "unused-resource",
];

/// What is shown as one.
pub enum Shown {
    /// A finding with its excerpt.
    One(Box<Diagnostic>),
    Block(Block),
}

/// Many findings of one kind.
pub struct Block {
    /// Code, severity and what all of them mean; without a place.
    pub head: Box<Diagnostic>,
    pub lines: Vec<String>,
}

/// Findings that say the same about several places.
struct Entry<'a> {
    first: &'a Diagnostic,
    others: Vec<Span>,
}

fn may_be_listed(finding: &Diagnostic) -> bool {
    finding.span.is_some() && (!finding.is_error() || PLAIN.contains(&finding.code))
}

/// The findings, in their order; a block stands where the first of its findings does.
pub fn gathered(findings: &[&Diagnostic], sources: &Sources) -> Vec<Shown> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for finding in findings {
        let same = |e: &&mut Entry<'_>| {
            let f = e.first;
            (f.code, f.severity, &f.message) == (finding.code, finding.severity, &finding.message)
        };
        let known = match may_be_listed(finding) {
            true => entries.iter_mut().find(same),
            false => None,
        };
        match (known, finding.span) {
            (Some(entry), Some(span)) if may_be_listed(entry.first) => entry.others.push(span),
            _ => entries.push(Entry {
                first: finding,
                others: Vec::new(),
            }),
        }
    }
    let mut shown = Vec::new();
    let mut told: Vec<(&str, bool)> = Vec::new();
    for entry in &entries {
        let kind = (entry.first.code, entry.first.is_error());
        let alike =
            |e: &&Entry<'_>| (e.first.code, e.first.is_error()) == kind && may_be_listed(e.first);
        let flood: Vec<&Entry<'_>> = match may_be_listed(entry.first) {
            true => entries.iter().filter(alike).collect(),
            false => Vec::new(),
        };
        if flood.len() <= FLOOD {
            shown.push(Shown::One(Box::new(with_places(entry, sources))));
        } else if !told.contains(&kind) {
            told.push(kind);
            shown.push(Shown::Block(block(&flood, sources)));
        }
    }
    shown
}

/// The finding with a note on where else the same is.
fn with_places(entry: &Entry<'_>, sources: &Sources) -> Diagnostic {
    let mut finding = entry.first.clone();
    let places = entry.others.iter().take(MAX_PLACES);
    let places = places.filter_map(|span| Some(sources.position(*span)?.to_string()));
    let places: Vec<String> = places.collect();
    if !places.is_empty() {
        let more = match entry.others.len() - places.len() {
            0 => String::new(),
            more => format!(" and {more} more places"),
        };
        finding
            .notes
            .push(format!("also at {}{more}", places.join(", ")));
    }
    finding
}

fn block(entries: &[&Entry<'_>], sources: &Sources) -> Block {
    let first = entries[0].first;
    let mut head = Diagnostic::warning(first.code, "", title(first.code, entries.len()));
    head.severity = first.severity;
    let mut helps = entries.iter().map(|e| &e.first.help);
    head.help = match first.code {
        "unset-variable" => Some(
            "set them in .env or in the shell, give them defaults as in ${NAME:-default}, or write $$ for a plain $"
                .to_owned(),
        ),
        _ => first.help.clone().filter(|_| helps.all(|help| *help == first.help)),
    };
    let rows: Vec<(String, String)> = entries
        .iter()
        .take(MAX_LINES)
        .map(|entry| (place(entry, sources), words(entry)))
        .collect();
    let width = rows
        .iter()
        .map(|(at, _)| at.chars().count())
        .max()
        .unwrap_or(0);
    let mut lines: Vec<String> = rows
        .into_iter()
        .map(|(at, words)| format!("{at:width$}  {words}"))
        .collect();
    let more = entries.len().saturating_sub(MAX_LINES);
    if more > 0 {
        lines.push(format!(
            "and {more} more; `--diagnostics json` lists them all"
        ));
    }
    Block {
        head: Box::new(head),
        lines,
    }
}

fn place(entry: &Entry<'_>, sources: &Sources) -> String {
    let position = entry.first.span.and_then(|span| sources.position(span));
    position.map(|p| p.to_string()).unwrap_or_default()
}

/// What a line says: of a variable its name, of everything else the whole.
fn words(entry: &Entry<'_>) -> String {
    let Diagnostic {
        code,
        message,
        path,
        ..
    } = entry.first;
    let name = message.split('"').nth(1);
    // The title says the rest.
    let message = match code.strip_prefix("missing-") {
        Some(_) => {
            let path = message.trim_start_matches("nothing can be built: ");
            path.split(" does not exist").next().unwrap_or(path)
        }
        None => message.as_str(),
    };
    let words = match (name, path.as_str()) {
        (Some(name), _) if *code == "unset-variable" => name.to_owned(),
        (_, "") => message.to_owned(),
        (_, path) => format!("{path}: {message}"),
    };
    match entry.others.len() {
        0 => words,
        1 => format!("{words} (and 1 more place)"),
        more => format!("{words} (and {more} more places)"),
    }
}

/// What many of a kind mean.
fn title(code: &str, count: usize) -> String {
    let what = match code {
        "unset-variable" => "variables are not set, and become blank strings",
        "missing-file-source" => "files of secrets and configs do not exist",
        "missing-bind-file" => {
            "files to mount do not exist: the engine makes directories of their names"
        }
        "missing-build-context" => "build contexts and Dockerfiles do not exist",
        "missing-env-file" => "env files do not exist",
        "unused-resource" => "networks, volumes, secrets and configs are used by no service",
        _ => "findings of this kind",
    };
    format!("{count} {what}")
}

#[cfg(test)]
mod tests {
    use crate::diagnostic::Diagnostic;
    use crate::load::Sources;
    use crate::output::diagnostic::{json_lines, text};
    use crate::tree::Span;

    /// A source of many lines of six bytes.
    fn sources() -> (Sources, impl Fn(u32) -> Span) {
        let mut sources = Sources::default();
        let source = sources.add("compose.yaml", "a: $X\n".repeat(200));
        let at = move |line: u32| Span {
            source,
            start: (line - 1) * 6 + 3,
            end: (line - 1) * 6 + 5,
        };
        (sources, at)
    }

    fn unset(name: &str, at: Span) -> Diagnostic {
        let message = format!("The \"{name}\" variable is not set. Defaulting to a blank string.");
        Diagnostic::warning("unset-variable", "services.a.image", message)
            .at(at)
            .help(format!("set {name}"))
    }

    #[test]
    fn what_is_said_of_several_places_is_said_once() {
        let (sources, at) = sources();
        let findings: Vec<Diagnostic> = (1..=8).map(|line| unset("X", at(line))).collect();
        let shown = text(&findings, &sources, false);
        assert_eq!(shown.matches("is not set").count(), 1, "{shown}");
        let note = "= note: also at compose.yaml:2:4, compose.yaml:3:4, compose.yaml:4:4, compose.yaml:5:4 and 3 more places\n";
        assert!(shown.contains(note), "{shown}");
        assert_eq!(json_lines(&findings, &sources).lines().count(), 8);
    }

    #[test]
    fn a_flood_is_one_block_with_a_line_for_each() {
        let (sources, at) = sources();
        let few: Vec<Diagnostic> = (1..=4).map(|n| unset(&format!("V{n}"), at(n))).collect();
        assert_eq!(text(&few, &sources, false).matches("is not set").count(), 4);
        let mut many: Vec<Diagnostic> = (1..=136).map(|n| unset(&format!("V{n}"), at(n))).collect();
        many.push(unset("V2", at(150)));
        many.push(unset("V3", at(151)));
        many.push(unset("V3", at(152)));
        let file = |n: u32| {
            let message = format!("/c/{n}.pem does not exist");
            Diagnostic::warning("missing-file-source", format!("secrets.s{n}.file"), message)
                .at(at(160 + n))
                .help("make the file")
        };
        many.extend((1..=5).map(file));
        let shown = text(&many, &sources, false);
        let expected = "\
warning[unset-variable]: 136 variables are not set, and become blank strings
  compose.yaml:1:4   V1
  compose.yaml:2:4   V2 (and 1 more place)
  compose.yaml:3:4   V3 (and 2 more places)
";
        assert!(shown.starts_with(expected), "{shown}");
        let rest = "\
  compose.yaml:20:4  V20
  and 116 more; `--diagnostics json` lists them all
 = help: set them in .env or in the shell, give them defaults as in ${NAME:-default}, or write $$ for a plain $

warning[missing-file-source]: 5 files of secrets and configs do not exist
  compose.yaml:161:4  secrets.s1.file: /c/1.pem
  compose.yaml:162:4  secrets.s2.file: /c/2.pem
  compose.yaml:163:4  secrets.s3.file: /c/3.pem
  compose.yaml:164:4  secrets.s4.file: /c/4.pem
  compose.yaml:165:4  secrets.s5.file: /c/5.pem
 = help: make the file
";
        assert!(shown.ends_with(rest), "{shown}");
        assert_eq!(json_lines(&many, &sources).lines().count(), many.len());
    }

    #[test]
    fn errors_keep_their_excerpts() {
        let (sources, at) = sources();
        let error = |n: u32| Diagnostic::error("bad-port", "", "no port").at(at(n));
        let findings: Vec<Diagnostic> = (1..=9).map(error).collect();
        let shown = text(&findings, &sources, false);
        assert_eq!(shown.matches("error[bad-port]").count(), 9, "{shown}");
        // Those that `--strict` makes of warnings are told as the warnings are.
        let strict = (1..=9).map(|n| {
            let mut finding = unset(&format!("V{n}"), at(n));
            finding.severity = crate::diagnostic::Severity::Error;
            finding
        });
        let shown = text(&strict.collect::<Vec<_>>(), &sources, false);
        assert!(
            shown.starts_with("error[unset-variable]: 9 variables"),
            "{shown}"
        );
        assert_eq!(shown.matches("error[").count(), 1, "{shown}");
    }
}
