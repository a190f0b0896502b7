//! The functions that a template may call: Docker's and those of Go's templates.

use super::printf::{printf, sprint};
use super::{Data, Value};
use std::cmp::Ordering;

/// What a function takes in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    Text,
    Int,
    Any,
}

use Takes::{Any, Int, Text};

/// What a function takes, and of what as many more as one likes.
type Signature = (&'static [Takes], Option<Takes>);

fn signature(name: &str) -> Option<Signature> {
    Some(match name {
        "json" | "len" | "not" => (&[Any], None),
        "lower" | "upper" | "title" => (&[Text], None),
        "split" => (&[Text, Text], None),
        "join" => (&[Any, Text], None),
        "pad" => (&[Text, Int, Int], None),
        "truncate" => (&[Text, Int], None),
        "print" | "println" => (&[], Some(Any)),
        "printf" => (&[Text], Some(Any)),
        "index" | "and" | "or" => (&[Any], Some(Any)),
        "slice" => (&[Any], Some(Int)),
        "eq" => (&[Any], Some(Any)),
        "ne" | "lt" | "le" | "gt" | "ge" => (&[Any, Any], None),
        _ => return None,
    })
}

/// Whether a template may call it.
pub fn is_known(name: &str) -> bool {
    signature(name).is_some()
}

/// Whether a function may be called with so many arguments.
pub fn check_count(name: &str, given: usize) -> Result<(), String> {
    let (fixed, more) = signature(name).unwrap_or_default();
    let wanted = fixed.len();
    match more {
        None if given != wanted => Err(format!(
            "wrong number of args for {name}: want {wanted} got {given}"
        )),
        Some(_) if given < wanted => Err(format!(
            "wrong number of args for {name}: want at least {wanted} got {given}"
        )),
        _ => Ok(()),
    }
}

/// Whether a function may be given the value in this place. In a table's head columns stand for
/// their values: where Docker's functions leave these as they are, each is a text.
pub fn check(
    name: &str,
    number: usize,
    value: &Value,
    written: Option<&str>,
    in_head: bool,
) -> Result<(), String> {
    let (fixed, more) = signature(name).unwrap_or_default();
    let takes = match fixed.get(number).copied().or(more) {
        Some(Any) if in_head && number == 0 && matches!(name, "json" | "join") => Text,
        Some(takes) => takes,
        None => Any,
    };
    let wanted = match (takes, value) {
        (Any, _) | (Text, Value::Text(_)) | (Int, Value::Int(_)) => return Ok(()),
        (Text, _) => "string",
        (Int, _) => "int",
    };
    Err(misfit(value, wanted, written))
}

/// What is said of a value of another type; a constant is told as it is `written`.
pub fn misfit(value: &Value, wanted: &str, written: Option<&str>) -> String {
    match (value, written) {
        (_, Some(written)) if wanted == "int" => format!("expected integer; found {written}"),
        (_, Some(written)) => format!("expected {wanted}; found {written}"),
        (Value::Nothing, None) => format!("invalid value; expected {wanted}"),
        (other, None) => format!(
            "wrong type for value; expected {wanted}; got {}",
            other.kind()
        ),
    }
}

/// Calls a function with arguments that fit it.
pub fn call(name: &str, arguments: &[Value], data: &Data<'_>) -> Result<Value, String> {
    let text = |at: usize| match arguments.get(at) {
        Some(Value::Text(text)) => text.as_str(),
        _ => "",
    };
    let int = |at: usize| match arguments.get(at) {
        Some(Value::Int(number)) => *number,
        _ => 0,
    };
    let head = data.is_lenient().then(|| text(0).to_owned());
    if let Some(head) = head
        && matches!(
            name,
            "json" | "split" | "join" | "title" | "lower" | "upper" | "truncate"
        )
    {
        return Ok(head.into());
    }
    Ok(match name {
        "json" => data.json(&arguments[0]).into(),
        "lower" => text(0).to_lowercase().into(),
        "upper" => text(0).to_uppercase().into(),
        "title" => title(text(0)).into(),
        "split" => Value::List(split(text(0), text(1))),
        "join" => join(&arguments[0], text(1), data)?.into(),
        "pad" => pad(text(0), int(1), int(2))?.into(),
        "truncate" => truncate(text(0), int(1))?.into(),
        "print" => sprint(arguments, data, false).into(),
        "println" => (sprint(arguments, data, true) + "\n").into(),
        "printf" => printf(text(0), &arguments[1..], data).into(),
        "len" => length(&arguments[0])?.into(),
        "index" => index(&arguments[0], &arguments[1..])?,
        "slice" => slice(&arguments[0], &arguments[1..])?,
        "not" => (!arguments[0].is_true()).into(),
        "eq" => equals(arguments)?.into(),
        "ne" => (!equals(arguments)?).into(),
        "lt" => order(arguments)?.is_lt().into(),
        "le" => order(arguments)?.is_le().into(),
        "gt" => order(arguments)?.is_gt().into(),
        "ge" => order(arguments)?.is_ge().into(),
        _ => return Err(format!("function {name:?} not defined")),
    })
}

/// Go's `strings.Split`: with nothing between, single characters.
fn split(text: &str, separator: &str) -> Vec<Value> {
    match separator.is_empty() {
        true => text.chars().map(|c| c.to_string().into()).collect(),
        false => text.split(separator).map(Value::from).collect(),
    }
}

fn join(list: &Value, separator: &str, data: &Data<'_>) -> Result<String, String> {
    match list {
        Value::Nothing => Ok(String::new()),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|item| data.shown(item)).collect();
            Ok(items.join(separator))
        }
        other => Err(format!("expected slice, got {}", other.kind())),
    }
}

fn pad(text: &str, before: i64, after: i64) -> Result<String, String> {
    const WIDEST: i64 = 1 << 16;
    let spaces = |count: i64| match count {
        0..=WIDEST => Ok(" ".repeat(count as usize)),
        _ => Err(format!("cannot pad with {count} spaces")),
    };
    let (before, after) = (spaces(before)?, spaces(after)?);
    Ok(match text {
        "" => String::new(),
        text => format!("{before}{text}{after}"),
    })
}

/// The first bytes; of a character that is cut in two, what is left is not readable.
fn truncate(text: &str, length: i64) -> Result<String, String> {
    let length =
        usize::try_from(length).map_err(|_| format!("slice bounds out of range [:{length}]"))?;
    let kept = text.as_bytes().get(..length).unwrap_or(text.as_bytes());
    Ok(String::from_utf8_lossy(kept).into_owned())
}

fn title(text: &str) -> String {
    let mut begins = true;
    text.chars()
        .flat_map(|c| {
            let shown: Vec<char> = match begins {
                true => c.to_uppercase().collect(),
                false => vec![c],
            };
            begins =
                c.is_whitespace() || c.is_ascii_punctuation() && c != '_' || c.is_ascii_control();
            shown
        })
        .collect()
}

fn length(value: &Value) -> Result<usize, String> {
    match value {
        Value::Text(text) => Ok(text.len()),
        Value::List(items) => Ok(items.len()),
        Value::Nothing => Err("len of nil pointer".into()),
        other => Err(format!("len of type {}", other.kind())),
    }
}

fn index(value: &Value, indexes: &[Value]) -> Result<Value, String> {
    let mut value = value.clone();
    for at in indexes {
        let Value::Int(number) = at else {
            return Err(format!("cannot index slice/array with type {}", at.kind()));
        };
        let out = || format!("index out of range: {number}");
        let place = usize::try_from(*number).map_err(|_| out())?;
        value = match &value {
            Value::List(items) => items.get(place).cloned().ok_or_else(out)?,
            Value::Text(text) => {
                let byte = text.as_bytes().get(place).ok_or_else(out)?;
                Value::Int(i64::from(*byte))
            }
            Value::Nothing => return Err("index of untyped nil".into()),
            other => return Err(format!("can't index item of type {}", other.kind())),
        };
    }
    Ok(value)
}

fn slice(value: &Value, bounds: &[Value]) -> Result<Value, String> {
    let length = match value {
        Value::Text(text) => text.len(),
        Value::List(items) => items.len(),
        Value::Nothing => return Err("slice of untyped nil".into()),
        other => return Err(format!("can't slice item of type {}", other.kind())),
    };
    let most = match value {
        Value::Text(_) => 2,
        _ => 3,
    };
    if bounds.len() > most {
        return Err(match most {
            2 => "cannot 3-index slice a string".into(),
            _ => format!("too many slice indexes: {}", bounds.len()),
        });
    }
    let mut ends = [0, length, length];
    for (end, bound) in ends.iter_mut().zip(bounds) {
        if let Value::Int(number) = bound {
            *end = usize::try_from(*number)
                .ok()
                .filter(|number| *number <= length)
                .ok_or_else(|| format!("index out of range: {number}"))?;
        }
    }
    let [from, to, most] = ends;
    if from > to || to > most {
        let (low, high) = if from > to { (from, to) } else { (to, most) };
        return Err(format!("invalid slice index: {low} > {high}"));
    }
    Ok(match value {
        Value::Text(text) => {
            let kept = text.as_bytes().get(from..to).unwrap_or_default();
            String::from_utf8_lossy(kept).into_owned().into()
        }
        Value::List(items) => Value::List(items[from..to].to_vec()),
        _ => Value::Nothing,
    })
}

/// Whether the first is equal to one of the others.
fn equals(arguments: &[Value]) -> Result<bool, String> {
    let Some((first, others)) = arguments.split_first() else {
        return Ok(false);
    };
    if others.is_empty() {
        return Err("missing argument for comparison".into());
    }
    let mut found = false;
    for other in others {
        found |= match (first, other) {
            (Value::Record(..) | Value::List(_) | Value::Root, _)
            | (_, Value::Record(..) | Value::List(_) | Value::Root) => {
                return Err("non-comparable types in comparison".into());
            }
            (Value::Nothing, _) | (_, Value::Nothing) => first == other,
            _ if first.kind() != other.kind() => {
                return Err(incompatible(first, other));
            }
            _ => first == other,
        };
        if found {
            break;
        }
    }
    Ok(found)
}

fn order(arguments: &[Value]) -> Result<Ordering, String> {
    match arguments {
        [Value::Int(a), Value::Int(b)] => Ok(a.cmp(b)),
        [Value::Float(a), Value::Float(b)] => Ok(a.total_cmp(b)),
        [Value::Text(a), Value::Text(b)] => Ok(a.cmp(b)),
        [a, b] if a.kind() == b.kind() => Err("invalid type for comparison".into()),
        [a, b] => Err(incompatible(a, b)),
        _ => Err("missing argument for comparison".into()),
    }
}

fn incompatible(a: &Value, b: &Value) -> String {
    format!(
        "incompatible types for comparison: {} and {}",
        a.kind(),
        b.kind()
    )
}
