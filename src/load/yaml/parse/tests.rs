use super::*;
use crate::diagnostic::Findings;
use crate::load::yaml::TagKind;
use crate::tree::{Node, Value};
use std::fmt::Write;

/// A tree as one line, so that tables can be read.
fn show(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".into(),
        Value::Bool(b) => b.to_string(),
        Value::Int(i) => i.to_string(),
        Value::Float(f) => format!("{f:?}"),
        Value::Str(s) => format!("{s:?}"),
        Value::Verbatim(text) => text.to_string(),
        Value::Seq(items) => {
            let items: Vec<String> = items.iter().map(show).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(map) => {
            let entries: Vec<String> = map
                .iter()
                .map(|(k, v)| format!("{k}: {}", show(v)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

fn at(text: &str, span: Span) -> String {
    let before = &text[..span.start as usize];
    let line = before.matches('\n').count() + 1;
    let column = span.start as usize - before.rfind('\n').map_or(0, |i| i + 1) + 1;
    format!("{line}:{column}")
}

/// Every document and every finding on a line of its own.
fn read(text: &str) -> String {
    let mut findings = Findings::default();
    let documents = parse(SourceId(0), text, &mut findings);
    let mut out = String::new();
    for document in &documents {
        let _ = write!(out, "{}", show(&document.root));
        for tag in &document.tags {
            let _ = write!(out, " {:?} {}", tag.kind, tag.path.join("."));
        }
        out.push('\n');
    }
    for finding in findings.iter() {
        let place = finding.span.map_or("-".into(), |s| at(text, s));
        let _ = write!(out, "{} {place} {}", finding.code, finding.path);
        for (span, _) in &finding.related {
            let _ = write!(out, " ({})", at(text, *span));
        }
        out.push('\n');
    }
    out.trim_end().to_owned()
}

#[test]
fn documents_become_trees() {
    let table = [
        ("", ""),
        ("# nothing\n", ""),
        (
            "a: 1\nb: [x, 'y', \"z\\n\"]\n",
            r#"{a: 1, b: ["x", "y", "z\n"]}"#,
        ),
        ("a:\nb: ~\nc: ''\n", r#"{a: null, b: null, c: ""}"#),
        ("a: 1\n---\nb: 2\n", "{a: 1}\n{b: 2}"),
        ("a: 1\n---\n", "{a: 1}\nnull"),
        (
            "a: |\n  x\n  y\nb: >-\n  x\n  y\n",
            r#"{a: "x\ny\n", b: "x y"}"#,
        ),
        (
            "a: '12'\nb: \"yes\"\nc: !!str 12\nd: ! 12\n",
            r#"{a: "12", b: "yes", c: "12", d: "12"}"#,
        ),
        (
            "a: !!binary aGVsbG8=\nb: !foo 12\nc: !!float 3\n",
            r#"{a: "hello", b: "12", c: 3.0}"#,
        ),
        ("yes: 1\n\"1\": 2\n", "{yes: 1, 1: 2}"),
    ];
    for (input, expected) in table {
        assert_eq!(read(input), expected, "{input}");
    }
}

#[test]
fn aliases_and_merge_keys_copy_what_they_name() {
    let table = [
        ("a: &x [1]\nb: *x\n", "{a: [1], b: [1]}"),
        ("a: &x 1\nb: &x 2\nc: *x\n", "{a: 1, b: 2, c: 2}"),
        ("&k a: 1\nb: *k\n", r#"{a: 1, b: "a"}"#),
        (
            "a: &o {x: &i 1}\nb: [*o, *i]\n",
            "{a: {x: 1}, b: [{x: 1}, 1]}",
        ),
        (
            "a: &a {x: 1}\nb: &b {y: *a}\nc: *b\n",
            "{a: {x: 1}, b: {y: {x: 1}}, c: {y: {x: 1}}}",
        ),
        (
            "a: &a {x: 1, y: 1}\nb: {<<: *a, y: 2}\n",
            "{a: {x: 1, y: 1}, b: {y: 2, x: 1}}",
        ),
        ("b: {y: null, <<: {x: 1, y: 1}}\n", "{b: {y: null, x: 1}}"),
        (
            "a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc: {<<: [*a, *b, {w: 3}]}\n",
            "{a: {x: 1, y: 1}, b: {x: 2, z: 2}, c: {x: 1, y: 1, z: 2, w: 3}}",
        ),
        (
            "l: &l [{x: 1}, {x: 2, y: 2}]\nc: {<<: *l}\n",
            "{l: [{x: 1}, {x: 2, y: 2}], c: {x: 1, y: 2}}",
        ),
        (
            "a: &a {<<: {x: 1}}\nb: {<<: *a}\n",
            "{a: {x: 1}, b: {x: 1}}",
        ),
        ("a: {'<<': {x: 1}}\n", "{a: {<<: {x: 1}}}"),
        // As yq writes it, and what else the tag can stand at.
        (
            "a: &a {x: 1}\nb:\n  !!merge <<: *a\n",
            "{a: {x: 1}, b: {x: 1}}",
        ),
        (
            "a: &a {x: 1}\nb:\n  !!merge <<: [*a, {y: 2}]\n  x: 3\n",
            "{a: {x: 1}, b: {x: 3, y: 2}}",
        ),
        (
            "b: {!<tag:yaml.org,2002:merge> '<<': {x: 1}}\n",
            "{b: {x: 1}}",
        ),
        (
            "%TAG !y! tag:yaml.org,2002:\n---\nb: {!y!merge &k k: {x: 1}}\n",
            "{b: {x: 1}}",
        ),
        (
            "b: {!!merge <<: {!!merge <<: !!map {x: 1}}}\n",
            "{b: {x: 1}}",
        ),
        ("b: {!!str <<: {x: 1}}\n", "{b: {<<: {x: 1}}}"),
        ("b: {!!merge <<: 1}\n", "{b: {}}\nyaml-merge-key 1:17 b"),
        (
            "b: {<<: {x: 1}, !!merge <<: {y: 1}}\n",
            "{b: {x: 1}}\nduplicate-key 1:25 b.<< (1:5)",
        ),
    ];
    for (input, expected) in table {
        assert_eq!(read(input), expected, "{input}");
    }
}

#[test]
fn composes_tags_stand_beside_the_tree() {
    let table = [
        ("a: !reset null\nb: 1\n", "{b: 1} Reset a"),
        ("a: !reset\nb: 1\n", "{b: 1} Reset a"),
        (
            "a: {b: !reset {x: [1, 2]}, c: 1}\n",
            "{a: {c: 1}} Reset a.b\nmisused-tag 1:15 a.b",
        ),
        ("a: !override [1]\n", "{a: [1]} Override a"),
        ("a: !override 1\n", "{a: \"1\"} Override a"),
        (
            "a: [x, !reset y, z, !override w]\n",
            "{a: [\"x\", \"z\", \"w\"]} Reset a.1 Override a.3\nmisused-tag 1:8 a[1]\nmisused-tag 1:21 a[3]",
        ),
        (
            "a: &a {b: !reset null}\nc: *a\nd: {<<: *a}\ne: {<<: [*a]}\n",
            "{a: {}, c: {}, d: {}, e: {}} Reset a.b Reset c.b Reset d.b Reset e.b",
        ),
        (
            "a: &a !reset 1\nb: *a\n",
            "{} Reset a Reset b\nmisused-tag 1:7 a\nmisused-tag 1:7 b",
        ),
    ];
    for (input, expected) in table {
        assert_eq!(read(input), expected, "{input}");
    }
}

#[test]
fn mistakes_are_found_where_they_stand() {
    let table = [
        (
            "a: 1\nb: 2\na: 3\n",
            "{a: 1, b: 2}\nduplicate-key 3:1 a (1:1)",
        ),
        (
            "s:\n  w: 1\n  w: {x: 1}\n",
            "{s: {w: 1}}\nduplicate-key 3:3 s.w (2:3)",
        ),
        (
            "a: {<<: {x: 1}, <<: {y: 1}}\n",
            "{a: {x: 1}}\nduplicate-key 1:17 a.<< (1:5)",
        ),
        ("a: {<<: 1}\n", "{a: {}}\nyaml-merge-key 1:9 a"),
        (
            "a: {<<: [1, {x: 1}]}\n",
            "{a: {x: 1}}\nyaml-merge-key 1:10 a",
        ),
        (
            "a: {1: x, true: y, ~: z}\n",
            "{a: {}}\nnon-string-key 1:5 a\nnon-string-key 1:11 a\nnon-string-key 1:20 a",
        ),
        ("a: {{ x }}\n", "{a: {}}\nnon-string-key 1:5 a"),
        ("a: &a [*a]\n", "yaml-alias 1:8 a[0]"),
        ("a: *nope\n", "yaml-syntax 1:4"),
        ("a: !!int x\n", "{a: \"x\"}\nyaml-tag 1:10 a"),
        ("a: 'x\n---\nb: 1\n", "{b: 1}\nyaml-syntax 1:4  (2:1)"),
        ("a: [1\nb: 2\n", "yaml-syntax 1:4  (2:2)"),
        ("a:\n\t- b\n", "yaml-syntax 2:1"),
        ("a: b: c\n", "yaml-syntax 1:5"),
    ];
    for (input, expected) in table {
        assert_eq!(read(input), expected, "{input}");
    }
}

#[test]
fn spans_cover_what_was_written() {
    let text =
        "a: &x 'é'\nb:\n  c: [1, 2]\n  d:\n    - e\n  f: |\n    g\n  h: !override 7\ni: *x\n";
    let mut findings = Findings::default();
    let root = parse(SourceId(0), text, &mut findings).remove(0).root;
    let slice = |path: &[&str]| {
        let span = root.at(path).map(|n| n.span).unwrap_or_default();
        &text[span.start as usize..span.end as usize]
    };
    assert_eq!(slice(&["a"]), "'é'");
    assert_eq!(slice(&["b", "c"]), "[1, 2]");
    assert_eq!(slice(&["b", "d"]), "- e");
    assert_eq!(slice(&["b", "h"]), "7");
    assert_eq!(slice(&["i"]), "'é'");
    assert_eq!(slice(&["b", "f"]), "g\n  ");
    assert!(slice(&["b"]).starts_with("c: [1") && slice(&["b"]).ends_with("override 7"));
    let key = root
        .get("b")
        .and_then(|b| b.as_map())
        .and_then(|m| m.key_span("d"));
    assert_eq!(
        key.map(|s| &text[s.start as usize..s.end as usize]),
        Some("d")
    );
}

#[test]
fn hostile_texts_meet_a_limit() {
    let bomb = {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for i in 1..12 {
            let _ = writeln!(
                text,
                "a{i}: &a{i} [{}]",
                vec![format!("*a{}", i - 1); 10].join(", ")
            );
        }
        text
    };
    let merge_bomb = {
        let mut text = String::from("a0: &a0 {k: v}\n");
        for i in 1..40 {
            let _ = writeln!(text, "a{i}: &a{i} {{x{i}: *a{0}, y{i}: *a{0}}}", i - 1);
        }
        text
    };
    let tower = {
        let mut text = format!("a0: &a0 {}{}\n", "[".repeat(200), "]".repeat(200));
        for i in 1..200 {
            let _ = writeln!(
                text,
                "a{i}: &a{i} {}*a{}{}",
                "[".repeat(200),
                i - 1,
                "]".repeat(200)
            );
        }
        text
    };
    let blocks: String = (0..1_000).fold(String::new(), |mut text, i| {
        let _ = writeln!(text, "{}a:", " ".repeat(i));
        text
    });
    let table = [
        (bomb, "yaml-alias-bomb"),
        (merge_bomb, "yaml-alias-bomb"),
        (tower, "yaml-too-deep"),
        (blocks, "yaml-syntax"),
        ("- ".repeat(20_000), "yaml-syntax"),
        ("[".repeat(20_000), "yaml-syntax"),
        ("{a: ".repeat(20_000), "yaml-syntax"),
        ("? ".repeat(20_000), "yaml-syntax"),
    ];
    for (text, code) in table {
        let mut findings = Findings::default();
        parse(SourceId(0), &text, &mut findings);
        let codes: Vec<&str> = findings.iter().map(|f| f.code).collect();
        assert!(codes.contains(&code), "{codes:?} for {}…", &text[..20]);
    }
}

#[test]
fn honest_size_meets_no_limit() {
    let mut text = String::from("x: &x {a: 1, b: 2}\n");
    for i in 0..60_000 {
        let _ = writeln!(text, "k{i}: *x");
    }
    let mut findings = Findings::default();
    let documents = parse(SourceId(0), &text, &mut findings);
    assert_eq!(
        documents[0].root.as_map().map(crate::tree::Map::len),
        Some(60_001)
    );
    assert!(findings.is_empty());
    let reset = parse(SourceId(0), "a: !reset 1", &mut findings);
    assert_eq!(reset[0].tags[0].kind, TagKind::Reset);
}

#[test]
fn a_text_that_was_read_can_be_read_again() {
    // Large files have room for more values than small ones.
    let list = vec!["1"; 70_000].join(",");
    let text: String = (0..9).map(|i| format!("k{i}: [{list}]\n")).collect();
    let documents = parse_unmerged(SourceId(0), &text);
    assert_eq!(documents.len(), 1);
    assert!(parse(SourceId(0), &text, &mut Findings::default()).is_empty());
}

#[test]
fn a_last_line_without_a_break_gets_none() {
    // What Docker Compose 5.5 makes of a block at the end of a file.
    for (text, value) in [
        ("k: |\n  a", "a"),
        ("k: |\n  a\n", "a\n"),
        ("k: |\n  a\n\n", "a\n"),
        ("k: |\n  a\n  b", "a\nb"),
        ("k: |\n  a\n    b", "a\n  b"),
        ("k: |\n  a\n   ", "a\n "),
        ("k: |\n  a\n  ", "a\n"),
        ("k: |\n  a\n ", "a\n"),
        ("k: |\n  a ", "a "),
        ("k: |\n\n  a", "\na"),
        ("k: |\n  a\n# c", "a\n"),
        ("k: |\n  a\n # c", "a\n"),
        ("k: |\n  a\n  # c", "a\n# c"),
        ("k: |\n  a\n...", "a\n"),
        ("k: |\r\n  a\r\n  b", "a\nb"),
        ("k: |\r\n  a\r\n", "a\n"),
        ("k: |\n  a\r", "a\n"),
        ("k: |\n  ä", "ä"),
        ("k: |1\n  a", " a"),
        ("k: |\n", ""),
        ("k: |\n   ", ""),
        ("k: |+\n  a", "a"),
        ("k: |+\n  a\n", "a\n"),
        ("k: |+\n  a\n\n", "a\n\n"),
        ("k: |+\n  a\n\n ", "a\n\n"),
        ("k: |+\n  a\n\n   ", "a\n\n "),
        ("k: |+\n   ", ""),
        ("k: |+\n\n   ", "\n"),
        ("k: |1+\n  a", " a"),
        ("k: |-\n  a", "a"),
        ("k: >\n  a\n  b", "a b"),
        ("k: >\n  a\n  b\n", "a b\n"),
        ("k: >+\n  a\n\n  b", "a\nb"),
        ("k: >+\n  a\n\n", "a\n\n"),
        ("k: >1\n  a", " a"),
        ("k: >-\n  a", "a"),
        ("x: &a |\n  z\nk: *a", "z\n"),
    ] {
        let documents = parse(SourceId(0), text, &mut Findings::default());
        let found = documents[0].root.get("k").and_then(Node::as_str);
        assert_eq!(found, Some(value), "{text:?}");
    }
    let items = parse(SourceId(0), "- |\n  a\n- |\n  b", &mut Findings::default());
    assert_eq!(show(&items[0].root), r#"["a\n", "b"]"#);
    let root = parse(SourceId(0), "--- |\n a\n--- |\nb", &mut Findings::default());
    assert_eq!(
        root.iter().map(|d| show(&d.root)).collect::<Vec<_>>(),
        [r#""a\n""#, r#""b""#]
    );
}
