//! Go's `fmt`: `%s`, `%-20s`, `%05.2f`, and what it writes where verb and value do not fit.

use super::{Data, Value};
use crate::value::quote::go_quote;

/// Go gives up on larger ones, too.
const WIDEST: usize = 1_000_000;
/// Ours is less: nobody prints a column of this width.
const WIDTH_LIMIT: usize = 10_000;

/// Values side by side, with a space between two that are no texts, or with `lines` between all.
pub fn sprint(values: &[Value], data: &Data<'_>, lines: bool) -> String {
    let mut text = String::new();
    for (number, value) in values.iter().enumerate() {
        let is_text = |value: &Value| matches!(value, Value::Text(_));
        let apart = lines || number > 0 && !is_text(value) && !is_text(&values[number - 1]);
        if number > 0 && apart {
            text.push(' ');
        }
        text.push_str(&plain(value, data));
    }
    text
}

/// A value as `%v` writes it.
fn plain(value: &Value, data: &Data<'_>) -> String {
    match value {
        Value::Nothing => "<nil>".into(),
        other => data.shown(other),
    }
}

/// What stands between `%` and the verb.
#[derive(Default)]
struct Flags {
    left: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

pub fn printf(format: &str, arguments: &[Value], data: &Data<'_>) -> String {
    let mut text = String::new();
    let mut values = arguments.iter();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (flags, length) = flags(rest);
        rest = &rest[length..];
        let Some(verb) = rest.chars().next() else {
            text.push_str("%!(NOVERB)");
            break;
        };
        rest = &rest[verb.len_utf8()..];
        if verb == '%' {
            text.push('%');
            continue;
        }
        match values.next() {
            Some(value) => {
                text.push_str(&padded(&written(value, verb, &flags, data), &flags, value))
            }
            None => text.push_str(&format!("%!{verb}(MISSING)")),
        }
    }
    text.push_str(rest);
    let extra: Vec<String> = values
        .map(|value| match value {
            Value::Nothing => "<nil>".into(),
            other => format!("{}={}", other.kind(), plain(other, data)),
        })
        .collect();
    if !extra.is_empty() {
        text.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    text
}

fn flags(rest: &str) -> (Flags, usize) {
    let mut flags = Flags::default();
    let mut at = 0;
    for c in rest.chars() {
        match c {
            '-' => flags.left = true,
            '+' => flags.plus = true,
            '#' => flags.sharp = true,
            ' ' => flags.space = true,
            '0' => flags.zero = true,
            _ => break,
        }
        at += 1;
    }
    let number = |at: &mut usize| {
        let digits = rest[*at..]
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len() - *at);
        let number = rest[*at..*at + digits].parse().ok();
        *at += digits;
        number
            .filter(|n| *n <= WIDEST)
            .map(|n: usize| n.min(WIDTH_LIMIT))
    };
    flags.width = number(&mut at);
    if rest[at..].starts_with('.') {
        at += 1;
        flags.precision = Some(number(&mut at).unwrap_or(0));
    }
    (flags, at)
}

/// A value by a verb, before it is padded.
fn written(value: &Value, verb: char, flags: &Flags, data: &Data<'_>) -> String {
    let signed = |number: i64, digits: String| match (number < 0, flags.plus, flags.space) {
        (true, ..) => format!("-{digits}"),
        (_, true, _) => format!("+{digits}"),
        (_, _, true) => format!(" {digits}"),
        _ => digits,
    };
    let cut = |text: &str| match flags.precision {
        Some(most) => text.chars().take(most).collect(),
        None => text.to_owned(),
    };
    match (verb, value) {
        ('T', Value::Nothing) => "<nil>".into(),
        ('T', value) => value.kind().into(),
        ('v', Value::Text(text)) if flags.sharp => go_quote(text),
        ('v' | 's', Value::Text(text)) => cut(text),
        ('q', Value::Text(text)) => go_quote(&cut(text)),
        ('x', Value::Text(text)) => text.bytes().map(|b| format!("{b:02x}")).collect(),
        ('X', Value::Text(text)) => text.bytes().map(|b| format!("{b:02X}")).collect(),
        ('v' | 'd', Value::Int(n)) => signed(*n, n.unsigned_abs().to_string()),
        ('x', Value::Int(n)) => {
            let prefix = if flags.sharp { "0x" } else { "" };
            signed(*n, format!("{prefix}{:x}", n.unsigned_abs()))
        }
        ('X', Value::Int(n)) => {
            let prefix = if flags.sharp { "0X" } else { "" };
            signed(*n, format!("{prefix}{:X}", n.unsigned_abs()))
        }
        ('o', Value::Int(n)) => signed(*n, format!("{:o}", n.unsigned_abs())),
        ('b', Value::Int(n)) => signed(*n, format!("{:b}", n.unsigned_abs())),
        ('c', Value::Int(n)) => character(*n).to_string(),
        ('q', Value::Int(n)) => format!("'{}'", character(*n)),
        ('U', Value::Int(n)) => format!("U+{n:04X}"),
        ('v' | 'g', Value::Float(n)) => n.to_string(),
        ('f' | 'F', Value::Float(n)) => format!("{n:.0$}", flags.precision.unwrap_or(6)),
        ('e', Value::Float(n)) => {
            let text = format!("{n:.0$e}", flags.precision.unwrap_or(6));
            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let sign = if exponent.starts_with('-') { '-' } else { '+' };
            format!("{mantissa}e{sign}{:0>2}", exponent.trim_start_matches('-'))
        }
        ('t' | 'v', Value::Bool(b)) => b.to_string(),
        ('v', value) => plain(value, data),
        ('s' | 'd' | 'q' | 'x' | 'X', Value::List(items)) => {
            let items: Vec<String> = items
                .iter()
                .map(|item| written(item, verb, flags, data))
                .collect();
            format!("[{}]", items.join(" "))
        }
        ('s' | 'd' | 'q' | 'x' | 'X', Value::Record(_, fields)) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(_, field)| written(field, verb, flags, data))
                .collect();
            format!("{{{}}}", fields.join(" "))
        }
        (verb, Value::Nothing) => format!("%!{verb}(<nil>)"),
        (verb, other) => format!("%!{verb}({}={})", other.kind(), plain(other, data)),
    }
}

fn character(number: i64) -> char {
    let code = u32::try_from(number).ok();
    code.and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn padded(text: &str, flags: &Flags, value: &Value) -> String {
    let missing = flags
        .width
        .unwrap_or(0)
        .saturating_sub(text.chars().count());
    let is_number = matches!(value, Value::Int(_) | Value::Float(_));
    match () {
        () if flags.left => format!("{text}{}", " ".repeat(missing)),
        () if flags.zero && is_number => {
            let signs = usize::from(text.starts_with(['-', '+', ' ']));
            let (sign, digits) = text.split_at(signs);
            format!("{sign}{}{digits}", "0".repeat(missing))
        }
        () if flags.zero => format!("{}{text}", "0".repeat(missing)),
        () => format!("{}{text}", " ".repeat(missing)),
    }
}
