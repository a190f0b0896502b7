use super::*;
use crate::diagnostic::Findings;
use crate::load::yaml::parse;
use crate::tree::{SourceId, Span};

fn tree(text: &str) -> Node {
    let mut findings = Findings::default();
    let mut documents = parse(SourceId(0), text, &mut findings);
    assert!(findings.is_empty(), "{findings:?}\n{text}");
    documents.remove(0).root
}

#[test]
fn text_is_quoted_where_go_yaml_quotes_it() {
    let table = [
        ("", "\"\""),
        ("a b", "a b"),
        ("yes", "'yes'"),
        ("n", "'n'"),
        ("null", "\"null\""),
        ("~", "\"~\""),
        ("true", "\"true\""),
        ("<<", "'<<'"),
        ("12", "\"12\""),
        ("0644", "\"0644\""),
        ("1_000", "\"1_000\""),
        ("1.5", "\"1.5\""),
        (".5", "\".5\""),
        (".inf", "\".inf\""),
        ("-0", "\"-0\""),
        ("22:22", "'22:22'"),
        ("8080:80", "8080:80"),
        ("1:2:3.4", "'1:2:3.4'"),
        ("22:99", "22:99"),
        ("2024-01-02", "\"2024-01-02\""),
        ("12345678901234567890123", "\"12345678901234567890123\""),
        ("1.2.3", "1.2.3"),
        ("+x", "+x"),
        (": x", "': x'"),
        ("a: b", "'a: b'"),
        ("a:b", "a:b"),
        ("a:", "'a:'"),
        ("a #b", "'a #b'"),
        ("a#b", "a#b"),
        ("#a", "'#a'"),
        ("- a", "'- a'"),
        ("-a", "-a"),
        ("-", "'-'"),
        ("?x", "?x"),
        ("---", "'---'"),
        ("*", "'*'"),
        ("{}", "'{}'"),
        ("a{}", "a{}"),
        ("it's", "it's"),
        ("'x", "'''x'"),
        ("\"x\"", "'\"x\"'"),
        (" x", "' x'"),
        ("x ", "'x '"),
        ("a\tb", "\"a\\tb\""),
        ("a\u{1}\u{1b}", "\"a\\x01\\e\""),
        ("é\u{a0}ü", "é\u{a0}ü"),
        ("\u{1f600}", "\"\\U0001F600\""),
        ("a\rb", "\"a\\rb\""),
        ("@x", "'@x'"),
        ("%x", "'%x'"),
        ("x%", "x%"),
        ("=", "="),
    ];
    for (text, expected) in table {
        let node = Node::new(text, Span::default());
        assert_eq!(emit(&node).trim_end_matches('\n'), expected, "{text:?}");
    }
}

#[test]
fn collections_and_blocks_are_laid_out_as_go_yaml_does() {
    let golden = include_str!("golden.yaml");
    assert_eq!(emit(&tree(golden)), golden);
    let blocks = [
        ("a\nb", "k: |-\n  a\n  b\n"),
        ("a\nb\n", "k: |\n  a\n  b\n"),
        ("a\n\n", "k: |+\n  a\n\n"),
        (" a\nb", "k: |2-\n   a\n  b\n"),
        ("a\n\n b", "k: |-\n  a\n\n   b\n"),
        ("\na", "k: |-\n\n  a\n"),
        ("a\tb\nc", "k: |-\n  a\tb\n  c\n"),
        ("\n", "k: \"\\n\"\n"),
        ("a \nb", "k: \"a \\nb\"\n"),
        ("a\nb ", "k: \"a\\nb \"\n"),
        ("a\r\nb", "k: \"a\\r\\nb\"\n"),
    ];
    let long = "x".repeat(81);
    let folded = format!("k: {long}\n  y  z {long}\n  end\n");
    let quoted = format!("k: '# {long}\n  y''  {long}\n  end'\n");
    let escaped = format!("k: \"\\t {long}\n  \\ y  {long}\n  end\"\n");
    let blocks = blocks
        .map(|(text, yaml)| (text.to_owned(), yaml.to_owned()))
        .into_iter()
        .chain([
            (format!("{long} y  z {long} end"), folded),
            (format!("# {long} y'  {long} end"), quoted),
            (format!("\t {long}  y  {long} end"), escaped),
        ]);
    for (text, expected) in blocks {
        let mut map = Map::new();
        map.insert(
            "k",
            Span::default(),
            Node::new(text.as_str(), Span::default()),
        );
        let node = Node::new(map, Span::default());
        assert_eq!(emit(&node), expected, "{text:?}");
        assert_eq!(tree(&expected), node, "{text:?}");
    }
}
