//! Values that are read as something else than what was written.

use super::{Report, Rule, Subject};
use crate::tree::{Node, Span};
use std::collections::HashMap;

pub const RULES: &[Rule] = &[
    Rule::checking("rewritten-number", numbers),
    Rule::checking("eaten-dollar", dollars),
    Rule::always("decimal-mode", modes),
    Rule::checking("plain-secret", secrets).on_request(),
];

/// The text of a value in its file, where it is a plain scalar without variables.
fn plain<'a>(subject: &Subject<'a>, span: Span) -> Option<&'a str> {
    let text = subject.sources.slice(span)?;
    let starts_plain = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    let is_word = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "+-._:".contains(c));
    (starts_plain && is_word).then_some(text)
}

fn numbers(subject: &Subject<'_>, report: &mut Report<'_>) {
    for service in &subject.services {
        for path in [
            &["environment"][..],
            &["labels"],
            &["build", "args"],
            &["annotations"],
        ] {
            for item in service.map(path) {
                let Some(value) = item.spec.as_str() else {
                    continue;
                };
                let is_number = value.parse::<f64>().is_ok();
                match plain(subject, item.spec.span) {
                    Some(written) if is_number && written != value => report.warn(
                        format!("services.{}.{}.{}", service.key, path.join("."), item.key),
                        item.spec.span,
                        format!("`{written}` is a number to YAML, and becomes `{value}`"),
                        &format!("put it in quotes to keep it: \"{written}\""),
                    ),
                    _ => {}
                }
            }
        }
    }
}

fn modes(subject: &Subject<'_>, report: &mut Report<'_>) {
    for service in &subject.services {
        for list in ["secrets", "configs"] {
            for (index, reference) in service.list(&[list]).iter().enumerate() {
                let Some(mode) = reference.get("mode") else {
                    continue;
                };
                let Some(written) = plain(subject, mode.span) else {
                    continue;
                };
                let looks_octal =
                    written.len() == 3 && written.bytes().all(|b| (b'0'..b'8').contains(&b));
                if looks_octal && mode.as_str() != Some(&format!("0{written}")) {
                    report.warn(
                        format!("services.{}.{list}[{index}].mode", service.key),
                        mode.span,
                        format!(
                            "{written} is a decimal number: the file's mode becomes {}",
                            mode.as_str().unwrap_or_default()
                        ),
                        &format!("write 0{written}"),
                    );
                }
            }
        }
    }
}

/// How hashed passwords begin.
const HASHES: [&str; 9] = [
    "$2a$", "$2b$", "$2y$", "$1$", "$5$", "$6$", "$y$", "$apr1$", "$argon2",
];

/// A variable that is not set, in a text that was not meant to hold one.
fn dollars(subject: &Subject<'_>, report: &mut Report<'_>) {
    // Of each line whether it holds a hash, and whether it has been told of.
    let mut lines = HashMap::new();
    let unset = subject
        .loading
        .iter()
        .filter(|f| f.code == "unset-variable");
    for (finding, span) in unset.filter_map(|f| Some((f, f.span?))) {
        let Some(source) = subject.sources.get(span.source) else {
            continue;
        };
        let line = source.line_of(span.start as usize);
        let (is_hash, is_told) = lines.entry((span.source, line)).or_insert_with(|| {
            let plain = source.text[source.lines(line..=line)].replace("$$", "");
            (HASHES.iter().any(|start| plain.contains(start)), false)
        });
        if *is_told {
            continue;
        }
        let name = finding.path.to_uppercase();
        let name = name.rsplit('.').next().unwrap_or_default();
        let braced = subject
            .sources
            .slice(span)
            .is_some_and(|s| s.starts_with("${"));
        // `PASSWORD: $DB_PASSWORD` is a variable; `PASSWORD: pa$word` is none.
        let inside = source.text[..span.start as usize]
            .ends_with(|c: char| c.is_ascii_alphanumeric() || "!#%&*@^".contains(c));
        let is_password = inside && !braced && SECRET.iter().any(|word| name.contains(word));
        if *is_hash || is_password {
            *is_told = true;
            let what = if *is_hash { "hash" } else { "password" };
            report.warn(
                finding.path.clone(),
                span,
                format!(
                    "this looks like a {what}, but a part of it is taken for a variable and lost"
                ),
                "write $$ for each $ that is to stay, or keep the value in a file",
            );
        }
    }
}

/// Parts of names of variables that hold secrets.
const SECRET: [&str; 5] = ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "PRIVATE_KEY"];

fn secrets(subject: &Subject<'_>, report: &mut Report<'_>) {
    for service in &subject.services {
        for item in service.map(&["environment"]) {
            let value = item.spec.as_str().unwrap_or_default();
            let name = item.key.to_uppercase();
            let is_secret =
                SECRET.iter().any(|word| name.contains(word)) && !name.ends_with("_FILE");
            let written = subject.sources.slice(item.spec.span).unwrap_or_default();
            if is_secret && !value.is_empty() && !written.contains('$') && is_text(item.spec) {
                report.warn(
                    format!("services.{}.environment.{}", service.key, item.key),
                    item.spec.span,
                    "the file contains a secret, and everybody who can inspect the container sees it",
                    "take it from `secrets`, or at least from an env file that is not committed",
                );
            }
        }
    }
}

fn is_text(node: &Node) -> bool {
    node.as_str()
        .is_some_and(|text| !matches!(text, "true" | "false" | "yes" | "no"))
}
