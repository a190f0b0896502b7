//! The fast path and the parser read the same, to the byte of every place.

use super::super::{build::Builder, parse};
use super::read;
use crate::diagnostic::Findings;
use crate::tree::SourceId;
use std::fs;
use std::path::{Path, PathBuf};

/// Whether the fast path took a text; what it made of it must be what the parser makes of it.
fn agree(text: &str) -> bool {
    let mut builder = Builder::new(crate::load::budget::MAX_VALUES);
    if read(SourceId(0), text, &mut builder).is_none() {
        return false;
    }
    let mut findings = Findings::default();
    let documents = parse::thoroughly(SourceId(0), text, &mut findings);
    let ours = format!("{:?}", builder.findings);
    assert_eq!(ours, format!("{findings:?}"), "findings about\n{text}");
    let ours = format!("{:?}", [builder.finish()]);
    assert_eq!(ours, format!("{documents:?}"), "trees of\n{text}");
    true
}

#[test]
fn what_the_lane_takes_and_what_it_leaves() {
    for text in [
        "a: 1",
        "a:\n  b: c\nd:\n- e",
        "a:\n- b: c\n  d: e\n- f\n-  g:\n     h: i\n",
        "a: &x\n  b: c\nd:\n  <<: *x\n  e: &y f # g\nh: *y\ni: &z [1]\nj: *z\n",
        "a: 'it''s'\n\"b\": \"c \\\" \\n \\\\\"\n'': \"\"\n",
        "a: {b: c, \"d\": [1, -2, x y, 'z'], e: {}}\nf: []\n",
        "# c\n\na:\n   # d\n  b: c#d :e\n # f\n",
        "a: http://b:80/c?d=e&f\ng: -x\nh: ${I:-j}\nk: <<\n",
        "straße: größe # ü\n",
        "a: 1\na: 2\n1: 2\nnull: x\n",
    ] {
        assert!(agree(text), "{text}");
    }
    for text in [
        "",
        "# c",
        "a",
        "- a",
        "a: b: c",
        "a: b\n  c",
        "a: |\n  b",
        "a: !t b",
        "--- \na: b",
        "a: b\n...\n",
        "a:\tb",
        "a: b\r\n",
        "? a\n: b",
        "a: [b,\n c]",
        "a: {b}",
        "a: [b: c]",
        "a: \"b\n c\"",
        "a: 'b",
        "a : b",
        "a: *b",
        "a: &b",
        "a:\n - b\n- c",
        "a:\n  b: c\n d: e",
        "a: - b",
        "a: [b, ]",
        "a: %b",
        "a: @b",
        "a: {b: c,d:e}",
        "\u{feff}a: b",
        "a: \u{85}",
        "a: \"\\q\"",
        "a: b\n\n\n   c",
        "a: ]",
        "a: b #c\n  d: e",
    ] {
        assert!(!agree(text), "{text}");
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => files(&path, found),
            false => found.push(path),
        }
    }
}

#[test]
fn files_and_what_becomes_of_them_by_accident() {
    let mut found = Vec::new();
    for folder in ["tests", "examples", "fuzz/seeds"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        if folder.is_dir() {
            files(&folder, &mut found);
        }
    }
    if let Some(more) = std::env::var_os("LANE_FILES") {
        files(Path::new(&more), &mut found);
    }
    let rounds: usize = std::env::var("LANE_ROUNDS").map_or(3, |n| n.parse().expect("a number"));
    found.sort();
    let mut chance = 0x2545_f491_4f6c_dd1d_u64;
    let mut pick = move |below: usize| {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        usize::try_from(chance % below.max(1) as u64).expect("small")
    };
    let (mut taken, mut accidents) = (0, 0);
    const PIECES: [&str; 36] = [
        " ", "  ", "\n", ":", ": ", "-", "- ", "#", " #", "'", "\"", "[", "]", "{", "}", ",", "&",
        "*", "!", "|", ">", "?", "%", "@", "\t", "\\", "é", "<<: ", "&a ", "*a", "~", "\n\n", "x",
        ".", "---", "0",
    ];
    for path in found {
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        if text.len() > 20_000 {
            continue;
        }
        taken += usize::from(agree(&text));
        for _ in 0..rounds {
            let mut text = text.clone();
            for _ in 0..=pick(2) {
                let start = text.floor_char_boundary(pick(text.len() + 1));
                let end = text.floor_char_boundary((start + pick(3) * pick(8)).min(text.len()));
                text.replace_range(start..end.max(start), PIECES[pick(PIECES.len())]);
            }
            accidents += usize::from(agree(&text));
        }
    }
    println!("the fast path took {taken} files and {accidents} accidents");
    assert!(taken > 20 && accidents > 20, "{taken} {accidents}");
}
