//! Patterns of `.dockerignore` as bytes, and the reading of Dockerfiles.

use regatta::image::dockerfile;
use regatta::image::ignore::Ignore;
use std::collections::BTreeMap;

pub fn run(input: &[u8]) {
    match Ignore::parse(input) {
        Ok(patterns) => {
            for path in [
                b"a".as_slice(),
                b"a/b",
                b"src/main.rs",
                b".git/HEAD",
                b"a/a/a/a/a/b",
                b"\xc3\xa9/[x]",
                b"\xff/\xe9",
            ] {
                let excluded = patterns.excludes(path);
                assert!(!excluded || !patterns.is_empty());
            }
            if let Some(line) = input.split(|byte| *byte == b'\n').next() {
                patterns.excludes(line);
            }
            // Comments change nothing, whatever their bytes are.
            let commented = [input, b"\n# \xff[\n"].concat();
            let again = Ignore::parse(&commented).expect("the patterns are the same");
            assert_eq!(again.excludes(b"a"), patterns.excludes(b"a"));
        }
        Err(bad) => {
            let lines = input.split(|byte| *byte == b'\n').count();
            assert!((1..=lines).contains(&bad.line), "{bad:?}");
            // What stands behind a bad line does not mend it.
            let longer = [input, b"\na"].concat();
            assert_eq!(Ignore::parse(&longer).err(), Some(bad));
        }
    }
    let text = String::from_utf8_lossy(input);
    let args = BTreeMap::from([("A".to_owned(), "b".to_owned())]);
    dockerfile::read(&text, &args, None);
    dockerfile::read(&text, &args, Some("a"));
}
