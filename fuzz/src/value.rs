//! Small grammars: durations, sizes, image references, points in time, name patterns, paths.

use regatta::value::{bytes, duration, glob, image, path, similar};

pub fn run(input: &[u8]) {
    let Some(text) = super::text(input) else {
        return;
    };
    if let Ok(read) = duration::Duration::parse(text) {
        assert_eq!(duration::Duration::parse(&read.to_string()), Ok(read));
    }
    if let Ok(size) = bytes::Bytes::parse(text) {
        assert_eq!(bytes::Bytes::parse(&size.to_string()), Ok(size));
        bytes::human_size(size.0);
    }
    let reference = image::Reference::parse(text);
    assert!(reference.tag.is_some() || reference.digest.is_some());
    assert!(reference.matches(text));
    let cleaned = path::clean(text);
    assert_eq!(path::clean(&cleaned), cleaned);
    let (pattern, name) = text.split_once('\n').unwrap_or((text, text));
    glob::matches(pattern, name);
    assert!(glob::matches("*", name));
    similar::nearest(name, [pattern, "healthcheck"]);
}
