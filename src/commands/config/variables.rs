//! The variables in a project's files, with what stands in for them.

use crate::error::CliError;
use crate::form::json::{Layout, Writer};
use crate::tree::{Map, Node, Span, Value};
use std::collections::BTreeMap;

/// One `${NAME…}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variable {
    pub default: String,
    alternate: String,
    pub required: bool,
}

/// The variables of a model that was not filled in.
pub fn of(model: &Node) -> BTreeMap<String, Variable> {
    let mut found = BTreeMap::new();
    walk(model, &mut found);
    found
}

/// The variables of a model as a table, JSON or YAML.
pub fn text(model: &Node, format: Option<&str>) -> Result<String, CliError> {
    let found = of(model);
    let format = format.unwrap_or_default();
    // Compose looks at the case of this one only.
    if format == "yaml" {
        return Ok(yaml(&found));
    }
    match format.to_lowercase().as_str() {
        "" | "table" | "pretty" => Ok(table(&found)),
        "json" | "{{json.}}" => Ok(json(&found)),
        _ => Err(CliError::new(format!(
            "format value \"{format}\" could not be parsed: parsing failed"
        ))),
    }
}

fn walk(node: &Node, found: &mut BTreeMap<String, Variable>) {
    match &node.value {
        Value::Str(text) => {
            let mut variables = Vec::new();
            scan(text, &mut variables);
            found.extend(variables);
        }
        Value::Seq(items) => items.iter().for_each(|item| walk(item, found)),
        Value::Map(map) => {
            for (_, value) in map.iter() {
                let mut below = BTreeMap::new();
                walk(value, &mut below);
                // Which of several mentions is shown depends on chance in Compose; here, one that
                // says something.
                for (name, variable) in below {
                    if variable != Variable::default() || !found.contains_key(&name) {
                        found.insert(name, variable);
                    }
                }
            }
        }
        _ => {}
    }
}

/// Finds variables in a text, and in what stands in for them. As Compose does it: what begins as
/// a variable and is none has no name, and of several mentions in one text the last found counts,
/// where what follows a braced one on its line is found before it.
fn scan(text: &str, found: &mut Vec<(String, Variable)>) {
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (variable, after) = rest[at..].split_at(mention(&rest[at..]));
        rest = after;
        match variable.strip_prefix("${") {
            Some(inner) => braced(inner, found),
            None if variable.len() > 1 && variable != "$$" => {
                found.push((variable[1..].to_owned(), Variable::default()));
            }
            None => {}
        }
    }
}

/// The length of what a text that begins with `$` mentions; of a braced variable with an operator
/// that reaches to the last brace on the line.
fn mention(text: &str) -> usize {
    let after = &text[1..];
    if after.starts_with('$') {
        return 2;
    }
    let Some(inner) = after.strip_prefix('{') else {
        return 1 + name(after).len();
    };
    let name = name(inner);
    let rest = &inner[name.len()..];
    let operator = rest.strip_prefix(':').unwrap_or(rest);
    if !name.is_empty() && operator.starts_with(['-', '+', '?']) {
        let line = operator.split('\n').next().unwrap_or_default();
        if let Some(end) = line[1..].rfind('}') {
            return text.len() - operator.len() + 1 + end + 1;
        }
    }
    match !name.is_empty() && rest.starts_with('}') {
        true => 2 + name.len() + 1,
        false => 2,
    }
}

fn braced(inner: &str, found: &mut Vec<(String, Variable)>) {
    let end = closing(inner);
    let own = match end {
        Some(end) => {
            scan(&inner[end + 1..], found);
            &inner[..end]
        }
        None => inner.strip_suffix('}').unwrap_or_default(),
    };
    let name = name(own);
    let operator = &own[name.len()..];
    let operator = operator.strip_prefix(':').unwrap_or(operator);
    let mut variable = Variable::default();
    match operator.split_at_checked(1) {
        Some(("-", word)) => variable.default = word.to_owned(),
        Some(("+", word)) => variable.alternate = word.to_owned(),
        Some(("?", _)) => variable.required = true,
        _ => {}
    }
    found.push((name.to_owned(), variable.clone()));
    scan(&variable.default, found);
    scan(&variable.alternate, found);
}

/// Where the brace that is open is closed. What follows a brace that opens is not looked at.
fn closing(text: &str) -> Option<usize> {
    let mut open = 1;
    // The character after the first brace is skipped as well.
    let mut at = 1;
    while let Some(byte) = text.as_bytes().get(at) {
        match byte {
            b'}' if open == 1 => return Some(at),
            b'}' => open -= 1,
            b'{' => {
                open += 1;
                at += 1;
            }
            _ => {}
        }
        at += 1;
    }
    None
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

/// In the order of Compose's structure, four spaces a level, nothing escaped for HTML, and an
/// empty line behind.
fn json(found: &BTreeMap<String, Variable>) -> String {
    let text = |text: &str| {
        let mut json = Writer::new(Layout::Compact);
        json.string(text);
        let html = [("\\u003c", "<"), ("\\u003e", ">"), ("\\u0026", "&")];
        html.iter().fold(json.out, |out, (escaped, plain)| {
            out.replace(escaped, plain)
        })
    };
    let entries: Vec<String> = found
        .iter()
        .map(|(name, v)| {
            format!(
                "    {name}: {{\n        \"Name\": {name},\n        \"DefaultValue\": {},\n        \"PresenceValue\": {},\n        \"Required\": {}\n    }}",
                text(&v.default),
                text(&v.alternate),
                v.required,
                name = text(name),
            )
        })
        .collect();
    match entries.is_empty() {
        true => "{}\n\n".to_owned(),
        false => format!("{{\n{}\n}}\n\n", entries.join(",\n")),
    }
}

/// Four spaces a level.
fn yaml(found: &BTreeMap<String, Variable>) -> String {
    let at = Span::default();
    let mut all = Map::new();
    for (name, variable) in found {
        let mut map = Map::new();
        map.insert("name", at, Node::new(name.as_str(), at));
        map.insert("defaultvalue", at, Node::new(variable.default.as_str(), at));
        let alternate = Node::new(variable.alternate.as_str(), at);
        map.insert("presencevalue", at, alternate);
        map.insert("required", at, Node::new(variable.required, at));
        all.insert(name.as_str(), at, Node::new(map, at));
    }
    crate::load::yaml::emit(&Node::new(all, at))
        .split_inclusive('\n')
        .map(|line| {
            format!(
                "{:1$}{line}",
                "",
                line.len() - line.trim_start_matches(' ').len()
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_found_with_what_stands_in() {
        let mut found = Vec::new();
        scan("$A-${B:-x${C-y}z}${D?no}$$E ${F:+up} $1", &mut found);
        let found = BTreeMap::from_iter(found);
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
