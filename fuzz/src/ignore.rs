//! Patterns of `.dockerignore`, and the reading of Dockerfiles.

use regatta::image::dockerfile;
use regatta::image::ignore::Ignore;
use std::collections::BTreeMap;

pub fn run(input: &[u8]) {
    let Some(text) = super::text(input) else {
        return;
    };
    let patterns = Ignore::parse(text);
    for path in [
        "a",
        "a/b",
        "src/main.rs",
        ".git/HEAD",
        "a/a/a/a/a/b",
        "é/[x]",
    ] {
        let excluded = patterns.excludes(path);
        assert!(!excluded || !patterns.is_empty());
    }
    if let Some(line) = text.lines().next() {
        patterns.excludes(line);
    }
    let args = BTreeMap::from([("A".to_owned(), "b".to_owned())]);
    dockerfile::read(text, &args, None);
    dockerfile::read(text, &args, Some("a"));
}
