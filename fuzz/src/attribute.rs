//! One attribute with any text: the first line names it, the rest is its value, as a text, as the
//! only item of a list, and as YAML.

use super::project::{Files, check};
use regatta::load::yaml;
use regatta::tree::{Node, Span};

pub fn run(input: &[u8]) {
    let Some((attribute, value)) = super::text(input).and_then(|t| t.split_once('\n')) else {
        return;
    };
    let is_word = |c: char| c.is_ascii_lowercase() || c == '_' || c == '.';
    if !attribute.chars().all(is_word) || attribute.is_empty() {
        return;
    }
    let text = Node::new(value, Span::default());
    let list = Node::new(vec![text.clone()], Span::default());
    for value in [text, list] {
        let printed = yaml::emit(&value);
        let value = match printed.contains('\n') && printed.starts_with("- ") {
            true => format!(
                "\n        {}",
                printed.trim_end().replace('\n', "\n        ")
            ),
            false => format!(" {}", printed.trim_end().replace('\n', "\n        ")),
        };
        check(&Files::single(project(attribute, &value)));
    }
    let block = value.replace('\n', "\n        ");
    check(&Files::single(project(
        attribute,
        &format!("\n        {block}"),
    )));
}

/// A service with the attribute; a dot goes one mapping down.
fn project(attribute: &str, value: &str) -> String {
    let (outer, inner) = match attribute.split_once('.') {
        Some((outer, inner)) => (format!("    {outer}:\n"), inner),
        None => (String::new(), attribute),
    };
    format!(
        "name: p\nservices:\n  b: {{image: b}}\n  a:\n    image: a\n{outer}      {inner}:{value}\n"
    )
    .replace("    image: a\n      ", "    image: a\n    ")
}
