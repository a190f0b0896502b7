//! Explanations without the secrets in them: what is masked is the value, every text that was said
//! about it, and the variables that went into it.

use super::path::Step;
use super::{Explanation, Origin, Subject};
use crate::load::history::Layer;
use crate::tree::{Node, Value};
use crate::value::secret::{Masking, is_reference, is_secret_name, stand_in};
use std::collections::BTreeMap;

/// Masks them all.
pub fn mask(subject: &Subject<'_>, explained: &mut [Explanation], masking: &Masking) {
    if masking.is_off {
        return;
    }
    let mut items = BTreeMap::new();
    find_items(&super::tree(subject.project), masking, &mut items);
    let mut layers: Vec<&Layer> = subject.history.documents.iter().collect();
    layers.extend(&subject.history.extended);
    while let Some(layer) = layers.pop() {
        find_items(&layer.root, masking, &mut items);
        layers.extend(&layer.includes);
    }
    let masking = &Told { masking, items };
    for one in explained {
        let is_secret = one.is_secret;
        if let Some(value) = &mut one.value {
            match is_secret {
                true => hide(value),
                false => mask_node(value, masking),
            }
        }
        for origin in &mut one.origins {
            mask_origin(origin, is_secret, masking);
        }
    }
}

/// Adds the items that are secrets because of those before them: what follows `--requirepass`.
fn find_items(node: &Node, masking: &Masking, items: &mut BTreeMap<String, String>) {
    match &node.value {
        Value::Map(map) => map.iter().for_each(|(_, n)| find_items(n, masking, items)),
        Value::Seq(list) => {
            let texts = || list.iter().map(|item| item.as_str().unwrap_or_default());
            for (text, masked) in texts().zip(masking.items(texts())) {
                if text != masked {
                    items.insert(text.to_owned(), masked);
                }
            }
            list.iter()
                .for_each(|item| find_items(item, masking, items));
        }
        _ => {}
    }
}

/// How texts are masked that are explained one by one.
struct Told<'m> {
    masking: &'m Masking,
    /// Items of lists, with what is shown of them.
    items: BTreeMap<String, String>,
}

impl Told<'_> {
    fn text(&self, text: &str) -> String {
        let found = self
            .items
            .get(text)
            .or_else(|| self.items.get(unquoted(text)));
        found.cloned().unwrap_or_else(|| self.masking.item(text))
    }
}

/// A text without the quotes around it.
fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let inner = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}

/// Whether what stands at a place is a secret, by its name or its place.
pub(super) fn is_secret(steps: &[Step]) -> bool {
    let key = |step: &Step| match step {
        Step::Key(key) => Some(key.clone()),
        Step::Index(_) => None,
    };
    let keys: Vec<String> = steps.iter().filter_map(key).collect();
    match &keys[..] {
        [section, _, attribute] if section == "secrets" => attribute == "content",
        // The name of a service, and the secrets that it uses.
        [section, _] if section != "name" && !section.starts_with("x-") => false,
        [.., last] if last == "secrets" || keys.len() < 2 => false,
        [.., last] => is_secret_name(last),
        [] => false,
    }
}

fn mask_origin(origin: &mut Origin, is_secret: bool, masking: &Told<'_>) {
    origin.text = match is_secret {
        true => written(&origin.text, masking),
        false => masking.text(&origin.text),
    };
    for used in &mut origin.variables {
        let is_secret = is_secret || is_secret_name(&used.name);
        let show = |text: &str| match is_secret {
            true => stand_in(text),
            false => masking.text(text),
        };
        used.value = used.value.as_deref().map(show);
        if let super::From::Nowhere(Some(default)) = &mut used.from {
            *default = show(default);
        }
    }
}

/// A secret as a file writes it: `NAME=secret`, `"secret"`, `${NAME:-secret}`.
fn written(text: &str, masking: &Told<'_>) -> String {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) if is_secret_name(name) => (format!("{name}="), value),
        _ => (String::new(), text),
    };
    let inner = unquoted(value);
    if is_reference(inner) {
        return masking.text(text);
    }
    // Of a variable with a default only that may be the secret.
    let default = inner.strip_suffix('}').and_then(|t| t.split_once(":-"));
    if let Some((variable, default)) = default.filter(|(v, _)| is_reference(&format!("{v}}}"))) {
        return format!("{name}{variable}:-{}}}", stand_in(default));
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    // A name alone takes the value from elsewhere.
    match is_secret_name(inner) && name.is_empty() && inner.chars().all(is_name) {
        true => text.to_owned(),
        false => format!("{name}{}", stand_in(inner)),
    }
}

fn hide(node: &mut Node) {
    match &mut node.value {
        Value::Null => {}
        Value::Map(map) => map.iter_mut().for_each(|(_, node)| hide(node)),
        Value::Seq(items) => items.iter_mut().for_each(hide),
        _ => {
            let text = crate::value::number::text(node).to_string();
            node.value = stand_in(&text).into();
        }
    }
}

fn mask_node(node: &mut Node, masking: &Told<'_>) {
    match &mut node.value {
        Value::Str(text) => {
            let masked = masking.text(text);
            if masked != **text {
                node.value = masked.into();
            }
        }
        Value::Map(map) => {
            for (key, node) in map.iter_mut() {
                match is_secret_name(key) && !matches!(node.value, Value::Map(_) | Value::Seq(_)) {
                    true => hide(node),
                    false => mask_node(node, masking),
                }
            }
        }
        Value::Seq(items) => {
            let texts = items.iter().map(|item| item.as_str().unwrap_or_default());
            let masked = masking.masking.items(texts);
            for (item, masked) in items.iter_mut().zip(masked) {
                match &item.value {
                    Value::Str(text) if **text != *masked => item.value = masked.into(),
                    Value::Str(_) => {}
                    _ => mask_node(item, masking),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_masked_as_it_is_written() {
        let told = Told {
            masking: &Masking::default(),
            items: BTreeMap::new(),
        };
        let s = stand_in("hunter2");
        let table = [
            ("hunter2", s.clone()),
            ("\"hunter2\"", s.clone()),
            ("DB_PASSWORD=hunter2", format!("DB_PASSWORD={s}")),
            ("DB_PASSWORD", "DB_PASSWORD".to_owned()),
            ("${TOKEN}", "${TOKEN}".to_owned()),
            ("${TOKEN:?set it}", "${TOKEN:?set it}".to_owned()),
            ("${TOKEN:-hunter2}", format!("${{TOKEN:-{s}}}")),
        ];
        for (text, expected) in table {
            assert_eq!(written(text, &told), expected, "{text}");
        }
    }
}
