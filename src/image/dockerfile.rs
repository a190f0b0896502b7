//! As much of a Dockerfile as choosing a builder takes: the images it begins with, and whether it
//! copies the whole context. Judging its syntax stays the builder's work.

use std::collections::{BTreeMap, BTreeSet};

/// What a Dockerfile needs and does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dockerfile {
    /// Images that the wanted stage is made from, with the platform where one is named.
    pub images: BTreeSet<(String, Option<String>)>,
    /// It uses what only BuildKit knows.
    pub needs_buildkit: bool,
    /// Some instruction takes everything there is at the top of the context.
    pub copies_context: bool,
}

#[derive(Default)]
struct Stage {
    name: String,
    /// A stage or an image.
    base: String,
    platform: Option<String>,
    /// Stages or images that files come from.
    sources: Vec<String>,
}

/// Reads a Dockerfile. `args` are the values given for build arguments, `target` the stage.
pub fn read(text: &str, args: &BTreeMap<String, String>, target: Option<&str>) -> Dockerfile {
    let mut found = Dockerfile::default();
    let (escape, syntax) = directives(text);
    if let Some(syntax) = syntax {
        found.needs_buildkit = true;
        found.images.insert((syntax, None));
    }
    let mut variables = BTreeMap::new();
    let mut stages: Vec<Stage> = Vec::new();
    for instruction in instructions(text, escape) {
        let (word, rest) = split_word(&instruction.text);
        let (flags, rest) = split_flags(rest);
        found.needs_buildkit |= instruction.heredoc;
        match word.to_ascii_uppercase().as_str() {
            // Before the first FROM, for use in FROM lines.
            "ARG" if stages.is_empty() => {
                for part in rest.split_whitespace() {
                    let (name, default) = part.split_once('=').unwrap_or((part, ""));
                    let default = expand(default.trim_matches(['"', '\'']), &variables);
                    let value = args.get(name).cloned().unwrap_or(default);
                    variables.insert(name.to_string(), value);
                }
            }
            "FROM" => {
                let mut words = rest.split_whitespace();
                let base = expand(words.next().unwrap_or_default(), &variables);
                let name = match (words.next(), words.next()) {
                    (Some(as_), Some(name)) if as_.eq_ignore_ascii_case("as") => name,
                    _ => "",
                };
                let platform = flags
                    .iter()
                    .find_map(|f| f.strip_prefix("--platform="))
                    // The builder's own variables are not known here.
                    .filter(|p| !p.contains('$'))
                    .map(str::to_string);
                stages.push(Stage {
                    name: name.to_ascii_lowercase(),
                    base,
                    platform,
                    sources: Vec::new(),
                });
            }
            "COPY" | "ADD" => copy(&flags, rest, &mut found, stages.last_mut()),
            "RUN" => run(&flags, &mut found, stages.last_mut()),
            _ => {}
        }
    }
    collect(&stages, target, &mut found.images);
    found
}

fn copy(flags: &[&str], rest: &str, found: &mut Dockerfile, stage: Option<&mut Stage>) {
    let from = flags.iter().find_map(|f| f.strip_prefix("--from="));
    found.needs_buildkit |= flags
        .iter()
        .any(|f| !f.starts_with("--from=") && !f.starts_with("--chown="));
    match (from, stage) {
        (Some(from), Some(stage)) => stage.sources.push(from.to_string()),
        (Some(_), None) => {}
        (None, _) => {
            let words: Vec<String> = match serde_json::from_str::<Vec<String>>(rest) {
                Ok(words) => words,
                Err(_) => rest.split_whitespace().map(str::to_string).collect(),
            };
            let sources = &words[..words.len().saturating_sub(1)];
            found.copies_context |= sources.iter().any(|s| is_everything(s));
        }
    }
}

fn run(flags: &[&str], found: &mut Dockerfile, mut stage: Option<&mut Stage>) {
    found.needs_buildkit |= !flags.is_empty();
    for mount in flags.iter().filter_map(|f| f.strip_prefix("--mount=")) {
        let option = |key: &str| {
            mount
                .split(',')
                .find_map(|part| part.strip_prefix(key)?.strip_prefix('='))
        };
        match (option("from"), &mut stage) {
            (Some(from), Some(stage)) => stage.sources.push(from.to_string()),
            (Some(_), None) => {}
            (None, _) => {
                let binds = option("type").is_none_or(|kind| kind == "bind");
                let source = option("source").or(option("src")).unwrap_or(".");
                found.copies_context |= binds && is_everything(source);
            }
        }
    }
}

/// Whether a source takes a file at the top whose name begins with a dot.
fn is_everything(source: &str) -> bool {
    let bare = source.trim_start_matches("./").trim_matches('/');
    bare.is_empty() || bare == "." || bare.starts_with('*') || bare.starts_with(".*")
}

/// The images of the wanted stage and of all it is made from.
fn collect(
    stages: &[Stage],
    target: Option<&str>,
    images: &mut BTreeSet<(String, Option<String>)>,
) {
    let by_name = |name: &str, before: usize| {
        let lower = name.to_ascii_lowercase();
        let named = stages[..before]
            .iter()
            .rposition(|s| s.name == lower && !lower.is_empty());
        named.or_else(|| name.parse().ok().filter(|index| *index < before))
    };
    let wanted = match target.filter(|t| !t.is_empty()) {
        Some(target) => by_name(target, stages.len()),
        None => stages.len().checked_sub(1),
    };
    let mut queue: Vec<usize> = wanted.into_iter().collect();
    let mut seen = BTreeSet::new();
    while let Some(index) = queue.pop() {
        if !seen.insert(index) {
            continue;
        }
        let stage = &stages[index];
        let base = (&stage.base, stage.platform.clone());
        let sources = stage.sources.iter().map(|s| (s, None));
        for (name, platform) in std::iter::once(base).chain(sources) {
            match by_name(name, index) {
                Some(earlier) => queue.push(earlier),
                // What holds a variable still is the builder's to find out.
                None if name.is_empty() || name == "scratch" || name.contains('$') => {}
                None => {
                    images.insert((name.clone(), platform));
                }
            }
        }
    }
}

/// The parser directives at the top: the escape character, and the syntax image.
fn directives(text: &str) -> (char, Option<String>) {
    let (mut escape, mut syntax) = ('\\', None);
    for line in text.lines() {
        let Some(comment) = line.trim().strip_prefix('#') else {
            break;
        };
        let Some((key, value)) = comment.split_once('=') else {
            break;
        };
        match key.trim().to_ascii_lowercase().as_str() {
            "escape" => escape = value.trim().chars().next().unwrap_or('\\'),
            "syntax" => syntax = Some(value.trim().to_string()),
            "check" => {}
            _ => break,
        }
    }
    (escape, syntax)
}

struct Instruction {
    text: String,
    heredoc: bool,
}

/// The instructions, their continued lines joined, comments and heredocs' bodies left out.
fn instructions(text: &str, escape: char) -> Vec<Instruction> {
    let mut all = Vec::new();
    let mut lines = text.lines();
    let mut current = String::new();
    while let Some(line) = lines.next() {
        let trimmed = line.trim();
        if trimmed.starts_with('#') || (trimmed.is_empty() && !current.is_empty()) {
            continue;
        }
        let trimmed_end = line.trim_end();
        if let Some(open) = trimmed_end.strip_suffix(escape) {
            current.push_str(open);
            current.push(' ');
            continue;
        }
        current.push_str(line);
        let text = std::mem::take(&mut current).trim().to_string();
        if text.is_empty() {
            continue;
        }
        let ends = heredocs(&text);
        for (end, strips_tabs) in &ends {
            for line in lines.by_ref() {
                let line = if *strips_tabs {
                    line.trim_start_matches('\t')
                } else {
                    line
                };
                if line == end {
                    break;
                }
            }
        }
        all.push(Instruction {
            text,
            heredoc: !ends.is_empty(),
        });
    }
    if !current.trim().is_empty() {
        all.push(Instruction {
            text: current.trim().to_string(),
            heredoc: false,
        });
    }
    all
}

/// The end words of the heredocs that an instruction opens.
fn heredocs(instruction: &str) -> Vec<(String, bool)> {
    let word = instruction.split_whitespace().next().unwrap_or_default();
    if !["RUN", "COPY", "ADD"]
        .iter()
        .any(|w| word.eq_ignore_ascii_case(w))
    {
        return Vec::new();
    }
    instruction
        .split_whitespace()
        .skip(1)
        .filter_map(|word| {
            let rest = word
                .trim_start_matches(|c: char| c.is_ascii_digit())
                .strip_prefix("<<")?;
            let (rest, strips) = match rest.strip_prefix('-') {
                Some(rest) => (rest, true),
                None => (rest, false),
            };
            let end = rest.trim_matches(['"', '\'']);
            let is_word = !end.is_empty() && end.chars().all(|c| c.is_alphanumeric() || c == '_');
            is_word.then(|| (end.to_string(), strips))
        })
        .collect()
}

fn split_word(text: &str) -> (&str, &str) {
    match text.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest.trim_start()),
        None => (text, ""),
    }
}

fn split_flags(mut rest: &str) -> (Vec<&str>, &str) {
    let mut flags = Vec::new();
    while rest.starts_with("--") {
        let (flag, more) = split_word(rest);
        flags.push(flag);
        rest = more;
    }
    (flags, rest)
}

/// Replaces `$X`, `${X}`, `${X:-default}` and `${X:+other}`; an unknown one stays.
fn expand(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (name, operation, after) = match rest.strip_prefix('{') {
            Some(braced) => {
                let Some(end) = braced.find('}') else {
                    out.push('$');
                    continue;
                };
                let (name, operation) = match braced[..end].split_once(':') {
                    Some((name, operation)) => (name, Some(operation)),
                    None => (&braced[..end], None),
                };
                (name, operation, &braced[end + 1..])
            }
            None => {
                let end = rest
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .unwrap_or(rest.len());
                (&rest[..end], None, &rest[end..])
            }
        };
        let value = variables.get(name).filter(|v| !v.is_empty());
        match (value, operation) {
            (Some(_), Some(op)) if op.starts_with('+') => out.push_str(&op[1..]),
            (Some(value), _) => out.push_str(value),
            (None, Some(op)) if op.starts_with('-') => out.push_str(&op[1..]),
            (None, Some(op)) if op.starts_with('+') => {}
            (None, _) => {
                out.push_str("${");
                out.push_str(name);
                out.push('}');
            }
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(text: &str, args: &[(&str, &str)], target: Option<&str>) -> Vec<String> {
        let args = args
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect();
        let found = read(text, &args, target);
        found
            .images
            .into_iter()
            .map(|(image, platform)| match platform {
                Some(platform) => format!("{image} {platform}"),
                None => image,
            })
            .collect()
    }

    #[test]
    fn images_of_stages() {
        let text = "# syntax=docker/dockerfile:1\n\
            ARG VERSION=1\nARG BASE=\"node:${VERSION}\"\n\
            FROM --platform=$BUILDPLATFORM golang:1.2 AS Build\n\
            RUN --mount=type=bind,from=tools:9,target=/t make \\\n  # comment\n\n  all\n\
            FROM $BASE AS web\nCOPY --from=build /a /a\nCOPY --from=nginx:1 /b /b\n\
            from --platform=linux/arm64 alpine as other\n\
            FROM web\nCOPY --from=0 /x /y\n";
        assert_eq!(
            images(text, &[], None),
            [
                "docker/dockerfile:1",
                "golang:1.2",
                "nginx:1",
                "node:1",
                "tools:9"
            ]
        );
        assert_eq!(
            images(text, &[("VERSION", "7")], Some("WEB")),
            [
                "docker/dockerfile:1",
                "golang:1.2",
                "nginx:1",
                "node:7",
                "tools:9"
            ]
        );
        assert_eq!(
            images(text, &[], Some("other")),
            ["alpine linux/arm64", "docker/dockerfile:1"]
        );
        assert!(images("FROM scratch", &[], None).is_empty());
        assert!(images("FROM ${UNKNOWN}", &[], None).is_empty());
        assert_eq!(images("FROM a:${X:-1}${Y:+2}", &[], None), ["a:1"]);
    }

    #[test]
    fn what_needs_buildkit() {
        let table = [
            ("FROM a\nRUN x", false),
            ("FROM a\nRUN --mount=type=cache,target=/c x", true),
            ("FROM a\nCOPY --chown=1 a b", false),
            ("FROM a\nCOPY --link a b", true),
            ("FROM a\nRUN <<EOF\nFROM not:this\nEOF\nRUN y", true),
            ("FROM a\nRUN cat < x", false),
            ("# syntax = x/y\nFROM a", true),
            ("# a comment\n# syntax=x/y\nFROM a", false),
        ];
        for (text, expected) in table {
            let found = read(text, &BTreeMap::new(), None);
            assert_eq!(found.needs_buildkit, expected, "{text}");
            assert!(!found.images.iter().any(|(i, _)| i == "not:this"), "{text}");
        }
    }

    #[test]
    fn what_copies_everything() {
        let table = [
            ("COPY . /app", true),
            ("COPY ./ /app", true),
            ("ADD [\".\", \"/app\"]", true),
            ("COPY *.txt a/", true),
            ("COPY src /app", false),
            ("COPY --from=x . /app", false),
            ("COPY a.txt b.txt ./", false),
            ("RUN --mount=type=bind,target=/x y", true),
            ("RUN --mount=type=bind,source=src,target=/x y", false),
            ("RUN --mount=type=cache,target=/x y", false),
        ];
        for (line, expected) in table {
            let found = read(&format!("FROM a\n{line}"), &BTreeMap::new(), None);
            assert_eq!(found.copies_context, expected, "{line}");
        }
    }

    #[test]
    fn other_escape() {
        let text = "# escape=`\nFROM a`\n:1\nRUN x";
        assert_eq!(images(text, &[], None), ["a"]);
    }
}
