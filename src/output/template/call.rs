//! Filling in: fields, and the functions that Docker's `--format` knows.

use super::{Call, Labels, Operand, Part, Pipeline, Value};
use crate::output::json::go_json;

/// Where a template's fields come from.
pub struct Scope<'a> {
    pub dot: &'a Value,
    pub labels: Labels<'a>,
}

impl Scope<'_> {
    pub fn write(&self, parts: &[Part], out: &mut String) -> Result<(), String> {
        for part in parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Print(pipeline) => out.push_str(&self.pipeline(pipeline)?.to_string()),
                Part::If(condition, yes, no) => {
                    let holds = self.pipeline(condition)?.is_true();
                    self.write(if holds { yes } else { no }, out)?;
                }
                Part::Range(over, each, none) => {
                    let items = match self.pipeline(over)? {
                        Value::List(items) => items,
                        Value::Nothing => Vec::new(),
                        other => return Err(format!("range can't iterate over {other}")),
                    };
                    if items.is_empty() {
                        self.write(none, out)?;
                    }
                    for item in &items {
                        Scope {
                            dot: item,
                            labels: self.labels,
                        }
                        .write(each, out)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn pipeline(&self, pipeline: &Pipeline) -> Result<Value, String> {
        let mut last = None;
        for call in pipeline {
            last = Some(self.call(call, last)?);
        }
        last.ok_or_else(|| "missing value for command".into())
    }

    fn call(&self, call: &Call, piped: Option<Value>) -> Result<Value, String> {
        let arguments = |operands: &[Operand]| -> Result<Vec<Value>, String> {
            let mut list: Vec<Value> = operands
                .iter()
                .map(|o| match o {
                    Operand::Field(path) => self.field(path),
                    Operand::Literal(value) => Ok(value.clone()),
                    Operand::Nested(inner) => self.pipeline(inner),
                })
                .collect::<Result<_, _>>()?;
            list.extend(piped.clone());
            Ok(list)
        };
        match call {
            Call::Literal(value) => Ok(value.clone()),
            Call::Field(path, operands) if *path == ["Label"] => {
                match arguments(operands)?.as_slice() {
                    [Value::Text(key)] => Ok(self.label(key).into()),
                    _ => Err(".Label wants one key in quotes".into()),
                }
            }
            Call::Field(path, operands) => match arguments(operands)?.is_empty() {
                true => self.field(path),
                false => Err(format!("{} has arguments but is no method", path.join("."))),
            },
            Call::Function(name, operands) => {
                let arguments = arguments(operands)?;
                match self.labels {
                    // Functions leave a column's header as it is.
                    Labels::Headers => Ok(arguments.into_iter().next().unwrap_or_default()),
                    Labels::Of(_) => function(name, &arguments),
                }
            }
        }
    }

    fn field(&self, path: &[String]) -> Result<Value, String> {
        let mut value = self.dot;
        for name in path {
            match value.get(name) {
                Some(inner) => value = inner,
                None if matches!(self.labels, Labels::Headers) => return Ok(Value::Nothing),
                None => return Err(format!("can't evaluate field {name}")),
            }
        }
        Ok(value.clone())
    }

    fn label(&self, key: &str) -> String {
        match self.labels {
            Labels::Of(labels) => labels.get(key).cloned().unwrap_or_default(),
            Labels::Headers => key
                .rsplit('.')
                .next()
                .unwrap_or_default()
                .replace(['-', '_'], " "),
        }
    }
}

fn function(name: &str, arguments: &[Value]) -> Result<Value, String> {
    let text = |at: usize| arguments.get(at).map(Value::to_string).unwrap_or_default();
    let number = |at: usize| match arguments.get(at) {
        Some(Value::Int(n)) => (*n).max(0) as usize,
        _ => 0,
    };
    let first = || arguments.first().cloned().unwrap_or_default();
    Ok(match (name, arguments.len()) {
        ("json", 1) => go_json(&arguments[0]).into(),
        ("lower", 1) => text(0).to_lowercase().into(),
        ("upper", 1) => text(0).to_uppercase().into(),
        ("title", 1) => title(&text(0)).into(),
        ("split", 2) => Value::List(text(0).split(text(1).as_str()).map(Value::from).collect()),
        ("join", 2) => match &arguments[0] {
            Value::List(items) => {
                let items: Vec<String> = items.iter().map(Value::to_string).collect();
                items.join(&text(1)).into()
            }
            other => return Err(format!("join wants a list, not {other}")),
        },
        ("pad", 3) => format!("{:2$}{1}{0:3$}", "", text(0), number(1), number(2)).into(),
        ("truncate", 2) => text(0).chars().take(number(1)).collect::<String>().into(),
        ("print", _) => arguments
            .iter()
            .map(Value::to_string)
            .collect::<String>()
            .into(),
        ("println", _) => {
            let words: Vec<String> = arguments.iter().map(Value::to_string).collect();
            (words.join(" ") + "\n").into()
        }
        ("printf", 1..) => printf(&text(0), &arguments[1..]).into(),
        ("len", 1) => match &arguments[0] {
            Value::List(items) => items.len().into(),
            other => other.to_string().len().into(),
        },
        ("index", 2) => match (&arguments[0], &arguments[1]) {
            (Value::List(items), Value::Int(at)) => {
                let found = usize::try_from(*at).ok().and_then(|at| items.get(at));
                found
                    .cloned()
                    .ok_or_else(|| format!("index out of range: {at}"))?
            }
            (other, _) => return Err(format!("can't index {other}")),
        },
        ("not", 1) => (!arguments[0].is_true()).into(),
        ("and", 1..) => {
            let decides = arguments.iter().find(|a| !a.is_true());
            decides.or(arguments.last()).cloned().unwrap_or_default()
        }
        ("or", 1..) => {
            let decides = arguments.iter().find(|a| a.is_true());
            decides.or(arguments.last()).cloned().unwrap_or_default()
        }
        ("eq", 2..) => arguments[1..].contains(&first()).into(),
        ("ne", 2) => (arguments[0] != arguments[1]).into(),
        ("lt" | "le" | "gt" | "ge", 2) => {
            let order = match (&arguments[0], &arguments[1]) {
                (Value::Int(a), Value::Int(b)) => a.cmp(b),
                _ => text(0).cmp(&text(1)),
            };
            match name {
                "lt" => order.is_lt(),
                "le" => order.is_le(),
                "gt" => order.is_gt(),
                _ => order.is_ge(),
            }
            .into()
        }
        (
            "json" | "lower" | "upper" | "title" | "split" | "join" | "pad" | "truncate" | "printf"
            | "len" | "index" | "not" | "and" | "or" | "eq" | "ne" | "lt" | "le" | "gt" | "ge",
            n,
        ) => return Err(format!("wrong number of args for {name}: got {n}")),
        _ => return Err(format!("function \"{name}\" not defined")),
    })
}

/// `%s`, `%d`, `%v` and `%q` are told apart only by their quotes.
fn printf(format: &str, arguments: &[Value]) -> String {
    let mut text = String::new();
    let mut values = arguments.iter();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        match (c, c == '%') {
            (_, true) => match chars.next() {
                Some('%') => text.push('%'),
                Some('q') => {
                    let value = values.next().map(Value::to_string).unwrap_or_default();
                    text.push_str(&go_json(&value));
                }
                Some(_) => text.push_str(&values.next().map(Value::to_string).unwrap_or_default()),
                None => text.push('%'),
            },
            (c, false) => text.push(c),
        }
    }
    text
}

fn title(text: &str) -> String {
    let mut begins = true;
    text.chars()
        .map(|c| {
            let shown = if begins { c.to_ascii_uppercase() } else { c };
            begins = !(c.is_alphanumeric() || c == '_');
            shown
        })
        .collect()
}
