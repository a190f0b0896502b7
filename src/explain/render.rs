//! Explanations as people and programs read them.

use super::{Explanation, Fate, From, Origin, Subject, Use, Way, shown};
use crate::form::json::{Layout, Writer};
use crate::tree::Span;
use serde_json::{Value, json as object};

/// As people read it: one value with all that was said about it, or a line for each of many.
pub fn text(
    subject: &Subject<'_>,
    explained: &[Explanation],
    columns: &dyn Fn(&[Vec<String>]) -> String,
) -> String {
    match explained {
        [one] => alone(subject, one, columns),
        [list, values @ ..] if list.of_items && values.iter().all(|v| v.is_below(list)) => {
            let list = alone(subject, list, columns);
            format!("{list}\n{}", lines(subject, values, columns))
        }
        many => lines(subject, many, columns),
    }
}

fn lines(
    subject: &Subject<'_>,
    explained: &[Explanation],
    columns: &dyn Fn(&[Vec<String>]) -> String,
) -> String {
    let mut lines: Vec<Vec<String>> = Vec::new();
    for one in explained {
        match one.of_items {
            true => lines.extend(one.origins.iter().map(|o| lost(subject, one, o))),
            false => lines.push(line(subject, one)),
        }
    }
    columns(&lines)
}

/// An item that a list has not, or no more.
fn lost(subject: &Subject<'_>, list: &Explanation, origin: &Origin) -> Vec<String> {
    let mut from = origin.span.map_or(String::new(), |s| place(subject, s));
    if let Some(last) = ways(subject, origin).last() {
        from = format!("{from}, {last}");
    }
    let path = format!("{}[-]", list.path);
    vec![path, origin.text.clone(), from]
}

fn place(subject: &Subject<'_>, span: Span) -> String {
    let position = subject.sources.position(span);
    position.map(|p| p.to_string()).unwrap_or_default()
}

fn value(explanation: &Explanation) -> String {
    let text = explanation.value.as_ref().map(shown);
    match text {
        None => "(not there)".to_owned(),
        Some(text) if text.contains('\n') => format!("{text:?}"),
        Some(text) => text,
    }
}

fn fate(origin: &Origin) -> &'static str {
    match origin.fate {
        Fate::Wins => "wins",
        Fate::Overridden => "overridden",
        Fate::Removed(_) => "removed",
        Fate::Added => "added",
    }
}

impl Explanation {
    fn is_below(&self, list: &Explanation) -> bool {
        self.path.starts_with(&list.path)
    }
}

/// Of many values: what it is, and where it comes from.
fn line(subject: &Subject<'_>, explained: &Explanation) -> Vec<String> {
    let winner = explained
        .origins
        .iter()
        .find(|o| matches!(o.fate, Fate::Wins | Fate::Added));
    let others = explained.origins.len() - usize::from(winner.is_some());
    let mut from = match winner {
        None => match explained.origins.last() {
            Some(
                last @ Origin {
                    span: Some(span), ..
                },
            ) => {
                let at = [place(subject, *span)].into_iter();
                let by = at.chain(ways(subject, last).pop());
                let by = by.collect::<Vec<_>>().join(", ");
                return vec![explained.path.clone(), value(explained), by];
            }
            _ => String::new(),
        },
        Some(Origin {
            span: Some(span), ..
        }) => place(subject, *span),
        Some(Origin {
            fate: Fate::Added, ..
        }) => "added".to_owned(),
        Some(origin) => ways(subject, origin).join("; "),
    };
    if others > 0 {
        from.push_str(&format!(", over {others} more"));
    }
    vec![explained.path.clone(), value(explained), from]
}

fn alone(
    subject: &Subject<'_>,
    explained: &Explanation,
    columns: &dyn Fn(&[Vec<String>]) -> String,
) -> String {
    let mut text = format!("{}: {}\n\n", explained.path, value(explained));
    let rows: Vec<Vec<String>> = explained
        .origins
        .iter()
        .map(|origin| {
            let place = origin.span.map(|span| place(subject, span));
            let place = place.unwrap_or_else(|| "-".to_owned());
            vec![format!("  {}", fate(origin)), place, origin.text.clone()]
        })
        .collect();
    let table = columns(&rows);
    for (row, origin) in table.lines().zip(&explained.origins) {
        text.push_str(row.trim_end());
        text.push('\n');
        let notes = ways(subject, origin).into_iter();
        let notes = notes.chain(origin.variables.iter().map(|v| variable(subject, v)));
        for note in notes {
            text.push_str(&format!("                {note}\n"));
        }
    }
    text
}

/// The ways in words.
fn ways(subject: &Subject<'_>, origin: &Origin) -> Vec<String> {
    let ways = origin.ways.iter().map(|way| match way {
        Way::Anchor(home) => format!("by an anchor: written at {home}"),
        Way::Extends(service, span) => {
            format!(
                "inherited from `{service}`: extends at {}",
                place(subject, *span)
            )
        }
        Way::Include => "included".to_owned(),
        Way::File(what, span) => format!("{what} at {}", place(subject, *span)),
        Way::Because(why) => why.clone(),
    });
    let removed = match origin.fate {
        Fate::Removed(span) => Some(format!(
            "taken out by {} at {}",
            subject.sources.slice(span).unwrap_or("a tag"),
            place(subject, span)
        )),
        _ => None,
    };
    ways.chain(removed).collect()
}

fn variable(subject: &Subject<'_>, used: &Use) -> String {
    let name = &used.name;
    let value = match used.value.as_deref() {
        Some("") => "empty".to_owned(),
        value => format!("`{}`", value.unwrap_or_default()),
    };
    let mut text = match &used.from {
        From::EnvFile(span) => format!("{name} is {value}, from {}", place(subject, *span)),
        From::Shell => format!("{name} is {value}, from the shell"),
        From::Project => format!("{name} is {value}, the project's name"),
        From::Nowhere(Some(default)) => format!("{name} is not set; so the default `{default}`"),
        From::Nowhere(None) => format!("{name} is not set"),
    };
    if let [first, ..] = used.passed_over[..] {
        let other = place(subject, first);
        text.push_str(&format!(" ({other} sets it too, but does not count)"));
    }
    text
}

/// As programs read it: a list of all values, each with its origins.
pub fn json(subject: &Subject<'_>, explained: &[Explanation]) -> String {
    let all: Vec<Value> = explained.iter().map(|e| one(subject, e)).collect();
    format!("{:#}\n", Value::Array(all))
}

fn one(subject: &Subject<'_>, explained: &Explanation) -> Value {
    let origins: Vec<Value> = explained
        .origins
        .iter()
        .map(|o| origin(subject, o))
        .collect();
    let mut one = object!({"path": explained.path, "origins": origins});
    if explained.of_items {
        one["of"] = object!("items");
    }
    if let Some(node) = &explained.value {
        let mut json = Writer::new(Layout::Compact);
        json.value(node);
        one["value"] = serde_json::from_str(&json.out).unwrap_or_default();
    }
    one
}

/// Adds a place to an object.
fn put(subject: &Subject<'_>, span: Span, target: &mut Value) {
    if let Some(at) = subject.sources.position(span) {
        target["file"] = object!(at.file);
        target["line"] = object!(at.line);
        target["column"] = object!(at.column);
    }
}

fn origin(subject: &Subject<'_>, origin: &Origin) -> Value {
    let mut json = object!({"fate": fate(origin), "text": origin.text});
    if let Some(span) = origin.span {
        put(subject, span, &mut json);
    }
    if let Fate::Removed(by) = origin.fate {
        json["removed_by"] = object!({});
        put(subject, by, &mut json["removed_by"]);
    }
    let ways: Vec<Value> = origin
        .ways
        .iter()
        .map(|way| self::way(subject, way))
        .collect();
    if !ways.is_empty() {
        json["ways"] = object!(ways);
    }
    let variables = origin.variables.iter().map(|v| used(subject, v));
    let variables: Vec<Value> = variables.collect();
    if !variables.is_empty() {
        json["variables"] = object!(variables);
    }
    json
}

fn way(subject: &Subject<'_>, way: &Way) -> Value {
    let (mut json, span) = match way {
        Way::Anchor(home) => (object!({"kind": "anchor", "path": home}), None),
        Way::Extends(service, span) => (
            object!({"kind": "extends", "service": service}),
            Some(*span),
        ),
        Way::Include => (object!({"kind": "include"}), None),
        Way::File(what, span) => (object!({"kind": what}), Some(*span)),
        Way::Because(why) => (object!({"kind": "rule", "why": why}), None),
    };
    if let Some(span) = span {
        put(subject, span, &mut json);
    }
    json
}

fn used(subject: &Subject<'_>, used: &Use) -> Value {
    let mut json = object!({"name": used.name, "value": used.value});
    match &used.from {
        From::EnvFile(span) => {
            json["from"] = object!("env_file");
            put(subject, *span, &mut json);
        }
        From::Shell => json["from"] = object!("shell"),
        From::Project => json["from"] = object!("project"),
        From::Nowhere(default) => {
            json["from"] = object!(default.as_ref().map_or("nowhere", |_| "default"));
            json["default"] = object!(default);
        }
    }
    json
}
