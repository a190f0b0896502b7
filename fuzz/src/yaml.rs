//! YAML: no panic, places inside the text, and what we print of a tree reads as that tree.

use regatta::diagnostic::Findings;
use regatta::load::yaml;
use regatta::tree::{Node, SourceId, Span, Value};

/// A larger tree (out of aliases) is not printed: the checks would take most of the time.
const MAX_NODES: usize = 5_000;

pub fn run(input: &[u8]) {
    let Some(text) = super::text(input) else {
        return;
    };
    let mut findings = Findings::default();
    let documents = yaml::parse(SourceId(0), text, &mut findings);
    for finding in findings.iter() {
        let places = finding.related.iter().map(|(span, _)| *span);
        for span in finding.span.into_iter().chain(places) {
            assert!(is_in(span, text), "{finding:?}");
        }
        assert!(finding.span.is_some(), "{finding:?}");
    }
    for document in &documents {
        let mut left = MAX_NODES;
        check_spans(&document.root, text);
        if is_small(&document.root, &mut left) {
            round_trip(&document.root);
        }
    }
}

fn is_in(span: Span, text: &str) -> bool {
    text.get(span.start as usize..span.end as usize).is_some()
}

fn children(node: &Node) -> Vec<&Node> {
    match &node.value {
        Value::Seq(items) => items.iter().collect(),
        Value::Map(map) => map.iter().map(|(_, node)| node).collect(),
        _ => Vec::new(),
    }
}

fn check_spans(node: &Node, text: &str) {
    assert!(is_in(node.span, text), "{:?}", node.span);
    children(node)
        .into_iter()
        .for_each(|n| check_spans(n, text));
}

fn is_small(node: &Node, left: &mut usize) -> bool {
    *left = left.saturating_sub(1);
    *left > 0 && children(node).into_iter().all(|n| is_small(n, left))
}

fn round_trip(root: &Node) {
    let printed = yaml::emit(root);
    let mut findings = Findings::default();
    let again = yaml::parse(SourceId(0), &printed, &mut findings);
    assert!(findings.is_empty(), "{findings:?}\n{printed}");
    assert_eq!(again.len(), 1, "{printed}");
    assert!(again[0].tags.is_empty(), "{printed}");
    assert!(is_same(root, &again[0].root), "{root:?}\n{printed}");
    assert_eq!(yaml::emit(&again[0].root), printed);
}

/// Equality, but for floats without a fraction, which are printed as whole numbers.
fn is_same(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Value::Float(a), Value::Int(b)) => *a == *b as f64,
        (Value::Float(a), Value::Float(b)) => a == b || (a.is_nan() && b.is_nan()),
        (Value::Seq(a), Value::Seq(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b.iter())
                    .all(|((k, a), (l, b))| k == l && is_same(a, b))
        }
        (a, b) => a == b,
    }
}
