//! Command lines: what is not words says where, and words written in quotes are read back.

use regatta::value::words;

pub fn run(input: &[u8]) {
    let Some(text) = super::text(input) else {
        return;
    };
    match words::split(text) {
        Err(open) => assert!(text.is_char_boundary(open.at) && open.at < text.len()),
        Ok(words) => {
            let quoted = |word: &String| {
                let escaped = word.replace('\\', "\\\\").replace('"', "\\\"");
                format!("\"{escaped}\"")
            };
            let line = words.iter().map(quoted).collect::<Vec<_>>().join(" ");
            assert_eq!(words::split(&line), Ok(words), "{line}");
        }
    }
}
