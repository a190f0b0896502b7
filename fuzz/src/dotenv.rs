//! Env files in both grammars: no panic, places inside the text, and a value that was read can be
//! written between double quotes and read again.

use regatta::diagnostic::Findings;
use regatta::load::dotenv::{self, Format, Vars};
use regatta::tree::SourceId;

pub fn run(input: &[u8]) {
    let Some(text) = super::text(input) else {
        return;
    };
    for format in [Format::Dotenv, Format::Raw] {
        let vars = read(text, format, false);
        for (key, var) in &vars {
            let is_plain =
                !key.is_empty() && key.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric());
            if format == Format::Dotenv && is_plain && !key.starts_with("export") {
                let line = format!("{key}=\"{}\"\n", escaped(&var.value));
                let again = read(&line, format, true);
                assert_eq!(again.get(key).map(|v| &v.value), Some(&var.value), "{line}");
            }
        }
    }
}

fn read(text: &str, format: Format, must_be_right: bool) -> Vars {
    let mut vars = Vars::new();
    let mut findings = Findings::default();
    let lookup = |name: &str| (name == "A").then(|| "value".to_owned());
    dotenv::parse(SourceId(0), text, format, &lookup, &mut vars, &mut findings);
    let spans = findings.iter().filter_map(|f| f.span);
    for span in spans.chain(vars.values().map(|var| var.span)) {
        let range = span.start as usize..span.end as usize;
        assert!(text.get(range).is_some(), "{span:?}");
    }
    assert!(findings.iter().all(|f| f.span.is_some()), "{findings:?}");
    assert!(
        !must_be_right || findings.is_empty(),
        "{findings:?}\n{text}"
    );
    vars
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('$', "\\$")
}
