//! Whole projects of several files.
//!
//! The input is the text of `compose.yaml`; a line `%% NAME` begins another file. Of the file
//! `%% flags` the words switch stages off, or name profiles.

use super::project::{Files, check};

pub fn run(input: &[u8]) {
    let mut files = Files::default();
    let mut name = "compose.yaml".to_owned();
    let mut rest = input;
    loop {
        let next = find(rest, b"\n%% ");
        let (text, after) = match next {
            Some(at) => (&rest[..at + 1], Some(&rest[at + 4..])),
            None => (rest, None),
        };
        files.add(&name, text.to_vec());
        let Some(after) = after else { break };
        let end = find(after, b"\n").unwrap_or(after.len());
        name = String::from_utf8_lossy(&after[..end]).trim().to_owned();
        rest = after.get(end + 1..).unwrap_or_default();
    }
    check(&files);
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|w| w == what)
}
