//! The quick scanner of YAML against the event parser: of the same text the same trees, places, tags
//! and findings.

use regatta::diagnostic::Findings;
use regatta::load::yaml;
use regatta::tree::{Node, SourceId, Value};

pub fn run(input: &[u8]) {
    let Some(text) = super::text(input) else {
        return;
    };
    let (mut found, mut thorough) = (Findings::default(), Findings::default());
    let quick = yaml::parse(SourceId(0), text, &mut found);
    let documents = yaml::parse_thoroughly(SourceId(0), text, &mut thorough);
    assert_eq!(format!("{found:?}"), format!("{thorough:?}"), "{text}");
    assert_eq!(quick.len(), documents.len(), "{text}");
    for (quick, thorough) in quick.iter().zip(&documents) {
        assert_eq!(quick.tags, thorough.tags, "{text}");
        compare(&quick.root, &thorough.root, text);
    }
}

fn compare(quick: &Node, thorough: &Node, text: &str) {
    assert_eq!(quick.span, thorough.span, "{text}");
    match (&quick.value, &thorough.value) {
        (Value::Map(a), Value::Map(b)) => {
            assert_eq!(a.len(), b.len(), "{text}");
            for ((key, a), (other, b)) in a.entries().zip(b.entries()) {
                assert_eq!((key, a.key), (other, b.key), "{text}");
                compare(&a.node, &b.node, text);
            }
        }
        (Value::Seq(a), Value::Seq(b)) => {
            assert_eq!(a.len(), b.len(), "{text}");
            a.iter().zip(b).for_each(|(a, b)| compare(a, b, text));
        }
        (Value::Float(a), Value::Float(b)) => assert_eq!(a.to_bits(), b.to_bits(), "{text}"),
        (a, b) => assert_eq!(a, b, "{text}"),
    }
}
