//! `devices`: `SOURCE[:TARGET[:PERMISSIONS]]`.

use super::Fields;
use crate::tree::{Node, Span};

/// # Errors
/// More than three parts.
pub fn parse(text: &str, span: Span) -> Result<Node, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, permissions) = match parts[..] {
        [source] => (source, source, "rwm"),
        [source, target] => (source, target, "rwm"),
        [source, target, permissions] => (source, target, permissions),
        _ => {
            return Err(format!(
                "confusing device mapping, please use long syntax: {text}"
            ));
        }
    };
    let mut fields = Fields::new(span);
    fields.set("source", source);
    fields.set("target", if target.is_empty() { source } else { target });
    fields.set("permissions", permissions);
    Ok(fields.node())
}

#[cfg(test)]
mod tests {
    use crate::load::yaml::emit;
    use crate::tree::Span;

    fn parse(text: &str) -> Option<String> {
        let node = super::parse(text, Span::default()).ok()?;
        let lines: Vec<String> = emit(&node).lines().map(str::to_owned).collect();
        Some(lines.join(", "))
    }

    #[test]
    fn devices() {
        let shown = parse("/dev/a");
        assert_eq!(
            shown.as_deref(),
            Some("source: /dev/a, target: /dev/a, permissions: rwm")
        );
        let shown = parse("/dev/a:/dev/b:r");
        assert_eq!(
            shown.as_deref(),
            Some("source: /dev/a, target: /dev/b, permissions: r")
        );
        let shown = parse("/dev/a::r");
        assert_eq!(
            shown.as_deref(),
            Some("source: /dev/a, target: /dev/a, permissions: r")
        );
        assert_eq!(parse("a:b:c:d"), None);
    }
}
