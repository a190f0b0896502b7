//! An engine's answers as bytes: the first line says which, the others are the answer.

use regatta::engine::EngineError;
use regatta::engine::docker::answers;
use std::fmt::Debug;

const TARGET: &str = "/answer";

pub fn run(input: &[u8]) {
    let at = input.iter().position(|b| *b == b'\n');
    let (kind, body) = input.split_at(at.unwrap_or(input.len()));
    let body = body.strip_prefix(b"\n").unwrap_or(body);
    match kind {
        b"containers" => list(body, answers::containers),
        b"networks" => list(body, answers::networks),
        b"images" => list(body, answers::images),
        b"volumes" => list(body, answers::volumes),
        b"events" => messages(body, answers::events),
        b"pull" => messages(body, answers::pull),
        b"build" => messages(body, answers::build),
        // BuildKit's own messages, with a line between each two.
        b"trace" => {
            answers::trace(body.split(|b| *b == b'\n'));
        }
        _ => {}
    }
}

/// A list is read, or it is said which answer cannot be. One that is cut is not taken for a shorter
/// one, and `null` and unknown fields change nothing.
fn list<T: Debug>(body: &[u8], read: impl Fn(&str, &[u8]) -> Result<Vec<T>, EngineError>) {
    let rows = match read(TARGET, body) {
        Ok(rows) => rows,
        Err(EngineError::Protocol { message }) => {
            assert!(message.contains(TARGET), "{message}");
            return;
        }
        Err(error) => panic!("another kind of error: {error:?}"),
    };
    let whole = body.trim_ascii();
    assert!(
        whole == b"null" || read(TARGET, &whole[..whole.len() - 1]).is_err(),
        "cut"
    );
    if let Some(begin) = whole.strip_suffix(b"]").filter(|b| b.trim_ascii() != b"[") {
        let more = [begin, b",null,{\"Another\":[{}]}]"].concat();
        let found = read(TARGET, &more).expect("a row of a newer engine is no reason to fail");
        assert_eq!(found.len(), rows.len() + 1);
        assert_eq!(shown(&found[..rows.len()]), shown(&rows));
    }
}

/// However messages are cut on their way, they say the same.
fn messages<T: Debug>(body: &[u8], read: impl Fn(&[&[u8]]) -> Result<Vec<T>, EngineError>) {
    let whole = shown(&read(&[body]));
    for size in [1, 7, 64] {
        let pieces: Vec<&[u8]> = body.chunks(size).collect();
        assert_eq!(shown(&read(&pieces)), whole, "in pieces of {size}");
    }
    if let Ok(found) = read(&[body]) {
        // A blank line is none, and what was read stays read when more comes.
        let more = read(&[body, b"\n \r\n", b"{}\n"]).expect("an empty message");
        assert_eq!(shown(&more[..found.len()]), shown(&found));
    }
}

fn shown<T: Debug + ?Sized>(value: &T) -> String {
    format!("{value:?}")
}
