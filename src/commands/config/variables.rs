//! The variables in a project's files, with what stands in for them.

use crate::error::CliError;
use crate::form::json::{Layout, Writer};
use crate::tree::{Map, Node, Span, Value};
use std::collections::BTreeMap;

/// One `${NAME…}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Variable {
    default: String,
    alternate: String,
    required: bool,
}

/// The variables of a model as a table, JSON or YAML.
pub fn text(model: &Node, format: Option<&str>) -> Result<String, CliError> {
    let mut found = BTreeMap::new();
    walk(model, &mut found);
    match format {
        None | Some("" | "table" | "pretty") => Ok(table(&found)),
        Some("json") => Ok(json(&found)),
        Some("yaml") => Ok(crate::load::yaml::emit(&tree(&found))),
        Some(word) => Err(CliError::new(format!(
            "format value \"{word}\" could not be parsed: parsing failed"
        ))),
    }
}

fn walk(node: &Node, found: &mut BTreeMap<String, Variable>) {
    match &node.value {
        Value::Str(text) => scan(text, found),
        Value::Seq(items) => items.iter().for_each(|item| walk(item, found)),
        Value::Map(map) => map.iter().for_each(|(_, value)| walk(value, found)),
        _ => {}
    }
}

/// Finds variables in a text, and in what stands in for them.
fn scan(text: &str, found: &mut BTreeMap<String, Variable>) {
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            rest = after;
        } else if let Some(inner) = rest.strip_prefix('{') {
            let end = closing(inner);
            braced(&inner[..end], found);
            rest = inner.get(end + 1..).unwrap_or_default();
        } else {
            let name = name(rest);
            if !name.is_empty() {
                found.entry(name.to_owned()).or_default();
            }
            rest = &rest[name.len()..];
        }
    }
}

fn braced(inner: &str, found: &mut BTreeMap<String, Variable>) {
    let name = name(inner);
    if name.is_empty() {
        return;
    }
    let operator = &inner[name.len()..];
    let operator = operator.strip_prefix(':').unwrap_or(operator);
    let mut variable = Variable::default();
    match operator.split_at_checked(1) {
        Some(("-", word)) => variable.default = word.to_owned(),
        Some(("+", word)) => variable.alternate = word.to_owned(),
        Some(("?", _)) => variable.required = true,
        _ => {}
    }
    scan(&variable.default, found);
    scan(&variable.alternate, found);
    found.insert(name.to_owned(), variable);
}

/// Where the brace that is open is closed.
fn closing(text: &str) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return at,
            '}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

fn name(text: &str) -> &str {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return "";
    }
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    &text[..end.unwrap_or(text.len())]
}

fn table(found: &BTreeMap<String, Variable>) -> String {
    let mut rows = vec![[
        "NAME".to_owned(),
        "REQUIRED".to_owned(),
        "DEFAULT VALUE".to_owned(),
        "ALTERNATE VALUE".to_owned(),
    ]];
    rows.extend(found.iter().map(|(name, v)| {
        [
            name.clone(),
            v.required.to_string(),
            v.default.clone(),
            v.alternate.clone(),
        ]
    }));
    let width = |column: usize| {
        let longest = rows.iter().map(|row| row[column].chars().count()).max();
        (longest.unwrap_or(0) + 3).max(20)
    };
    let widths = [width(0), width(1), width(2)];
    rows.iter().fold(String::new(), |mut text, row| {
        for (cell, width) in row.iter().zip(widths) {
            text.push_str(&format!("{cell:width$}"));
        }
        text.push_str(&row[3]);
        text.push('\n');
        text
    })
}

fn json(found: &BTreeMap<String, Variable>) -> String {
    let mut json = Writer::new(Layout::Indented);
    json.value(&tree(found));
    // Compose indents this one by four.
    let lines = json.out.lines().map(|line| {
        let text = line.trim_start_matches(' ');
        format!("{}{text}\n", " ".repeat((line.len() - text.len()) * 2))
    });
    lines.collect()
}

fn tree(found: &BTreeMap<String, Variable>) -> Node {
    let at = Span::default();
    let mut all = Map::new();
    for (name, variable) in found {
        let mut map = Map::new();
        map.insert("Name", at, Node::new(name.as_str(), at));
        map.insert("DefaultValue", at, Node::new(variable.default.as_str(), at));
        map.insert(
            "PresenceValue",
            at,
            Node::new(variable.alternate.as_str(), at),
        );
        map.insert("Required", at, Node::new(variable.required, at));
        all.insert(name.as_str(), at, Node::new(map, at));
    }
    Node::new(all, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_found_with_what_stands_in() {
        let mut found = BTreeMap::new();
        scan("$A-${B:-x${C-y}z}${D?no}$$E ${F:+up} $1", &mut found);
        let shown: Vec<_> = found
            .iter()
            .map(|(n, v)| {
                (
                    n.as_str(),
                    v.default.as_str(),
                    v.alternate.as_str(),
                    v.required,
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("A", "", "", false),
                ("B", "x${C-y}z", "", false),
                ("C", "y", "", false),
                ("D", "", "", true),
                ("F", "", "up", false),
            ]
        );
    }
}
