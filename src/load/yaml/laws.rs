//! The law of this module: what is printed reads as what it was.

use super::{emit, parse};
use crate::diagnostic::Findings;
use crate::tree::{Map, Node, SourceId, Span, Value};
use proptest::prelude::*;

/// Text that YAML likes to take for something else.
const TRICKY: &[&str] = &[
    "",
    " ",
    "~",
    "null",
    "true",
    "No",
    "y",
    "<<",
    "-",
    "- a",
    "?",
    "? a",
    ":",
    "a: b",
    "a:",
    "#",
    "a #b",
    "'",
    "\"",
    "it's",
    "[]",
    "{}",
    "*a",
    "&a",
    "!a",
    "|",
    ">",
    "%a",
    "@a",
    "`",
    "---",
    "--- a",
    "...",
    "0",
    "-0",
    "0644",
    "0o7",
    "0x1f",
    "1_0",
    "1e3",
    ".5",
    "+.inf",
    "22:22",
    "2024-01-02",
    "2001-12-14 21:59:43.10",
    "\n",
    "a\n",
    "a\nb",
    " a\nb",
    "a\n\nb\n\n",
    "a \nb",
    "\ta",
    "a\tb\nc",
    "\u{85}",
    "a\u{2028}b",
    "\u{feff}",
    "\u{7f}",
    "\u{1f600}",
    "\\",
    "a\\nb",
    "=",
    "1.2.3.4",
    "$A",
    "${A:-b c}",
    ",",
    "a,b",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(TRICKY).prop_map(str::to_owned),
        "[ -~]{0,12}",
        "[a-z \\n\\t:#'\"-]{0,16}",
        any::<String>(),
        // Long enough to be folded.
        "([a-z'\"\\\\:#]{1,30} {1,2}){3,8}[a-z]{1,9}",
    ]
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        // A float without a fraction is printed as a whole number, so it comes back as one.
        any::<f64>()
            .prop_filter("a fraction", |f| f.is_finite() && f.fract() != 0.0)
            .prop_map(Value::Float),
        Just(Value::Float(f64::INFINITY)),
        text().prop_map(Value::from),
    ]
}

fn node() -> impl Strategy<Value = Node> {
    let plain = |value: Value| Node::new(value, Span::default());
    leaf()
        .prop_map(plain)
        .prop_recursive(4, 40, 5, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5)
                    .prop_map(move |items| plain(Value::from(items))),
                proptest::collection::vec((text(), inner), 0..5).prop_map(move |entries| {
                    let mut map = Map::new();
                    for (key, value) in entries {
                        map.insert(key, Span::default(), value);
                    }
                    plain(Value::Map(map))
                }),
            ]
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_reads_as_it_was(node in node()) {
        let printed = emit(&node);
        let mut findings = Findings::default();
        let documents = parse(SourceId(0), &printed, &mut findings);
        prop_assert!(findings.is_empty(), "{findings:?}\n{printed}");
        prop_assert_eq!(documents.len(), 1, "{}", &printed);
        prop_assert_eq!(&documents[0].root, &node, "{}", printed);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in any::<String>()) {
        parse(SourceId(0), &text, &mut Findings::default());
    }

    #[test]
    fn spans_lie_inside_the_text(text in "[a-z0-9 \\n:\\[\\]{},&*!'\"|>#é-]{0,60}") {
        let mut findings = Findings::default();
        let documents = parse(SourceId(0), &text, &mut findings);
        let mut nodes: Vec<&Node> = documents.iter().map(|d| &d.root).collect();
        while let Some(node) = nodes.pop() {
            let range = node.span.start as usize..node.span.end as usize;
            prop_assert!(text.get(range).is_some(), "{:?} in {text:?}", node.span);
            match &node.value {
                Value::Seq(items) => nodes.extend(items),
                Value::Map(map) => nodes.extend(map.iter().map(|(_, node)| node)),
                _ => {}
            }
        }
        for finding in findings.into_list() {
            let span = finding.span.unwrap_or_default();
            prop_assert!(text.get(span.start as usize..span.end as usize).is_some());
        }
    }
}
