use super::*;

fn parse(text: &str) -> Ignore {
    Ignore::parse(text.as_bytes()).unwrap()
}

#[test]
fn patterns() {
    // Pattern, path, whether it is left out.
    let table = [
        ("*.md", "a.md", true),
        ("*.md", "sub/a.md", false),
        ("**/*.md", "sub/deep/a.md", true),
        ("**/*.md", "a.md", true),
        ("node_modules", "node_modules/x/y.js", true),
        ("node_modules", "sub/node_modules/x", false),
        ("**/node_modules", "sub/node_modules/x", true),
        ("a/../b", "b", true),
        ("./b/", "b/c", true),
        ("/abs", "abs", true),
        ("*/temp*", "somedir/temporary.txt", true),
        ("*/temp*", "somedir/subdir/temporary.txt", false),
        ("*/*/temp*", "somedir/subdir/temporary.txt", true),
        ("temp?", "tempa", true),
        ("temp?", "temp", false),
        ("[a-c]x", "bx", true),
        ("[^a-c]x", "bx", false),
        ("[^a-c]x", "dx", true),
        ("a\\*b", "a*b", true),
        ("a\\*b", "axb", false),
        ("dir/**", "dir/x/y", true),
        ("dir/**", "dir", false),
        ("**", "anything/at/all", true),
        ("a**b", "ab", true),
        ("a**b", "ax/b", true),
        (".", "x", false),
        ("*", "x/y", true),
        ("foo.", "foo.", true),
        ("a.b", "axb", false),
        ("é*", "éa", true),
        ("a[\\]]", "a]", true),
        ("a[\\-z]", "a-", true),
        ("a[[:digit:]_]", "a7", true),
        ("a[^[:digit:]]", "a7", false),
    ];
    for (pattern, path, expected) in table {
        assert_eq!(
            parse(pattern).excludes(path.as_bytes()),
            expected,
            "{pattern} {path}"
        );
    }
}

#[test]
fn the_last_one_decides() {
    let table = [
        ("*.md\n!README.md", "README.md", false),
        ("*.md\n!README.md", "a.md", true),
        ("!README.md\n*.md", "README.md", true),
        ("dir\n!dir/keep", "dir/keep", false),
        ("dir\n!dir/keep", "dir/other", true),
        ("*\n!src\n!Cargo.toml", "src/a/b.rs", false),
        ("*\n!src", "docs/x", true),
        ("# comment\n\n  x  ", "x", true),
        (" # not a comment", "# not a comment", true),
        ("\u{feff}x", "x", true),
        ("! spaced\n", "spaced", false),
    ];
    for (text, path, expected) in table {
        assert_eq!(
            parse(text).excludes(path.as_bytes()),
            expected,
            "{text:?} {path}"
        );
    }
}

#[test]
fn long_patterns_end() {
    let pattern = "a*".repeat(200);
    assert!(!parse(&format!("{pattern}b")).excludes("a".repeat(4000).as_bytes()));
}

#[test]
fn names_are_bytes() {
    // Pattern, path, whether it is left out.
    let table: [(&[u8], &[u8], bool); 9] = [
        (b"# \xe9t\xe9\nid_rsa", b"id_rsa", true),
        (b"caf\xe9", b"caf\xe9", true),
        (b"caf\xe9", b"caf\xe8", false),
        (b"caf\xe9", "caf\u{fffd}".as_bytes(), false),
        (b"caf?", b"caf\xe9", true),
        (b"caf?", "caf\u{e9}".as_bytes(), true),
        (b"caf??", "caf\u{e9}".as_bytes(), false),
        (b"[\xe8-\xe9]", b"\xe9", true),
        (b"a\xff\n!a\xff/b", b"a\xff/b", false),
    ];
    for (content, path, expected) in table {
        let found = Ignore::parse(content).unwrap().excludes(path);
        assert_eq!(found, expected, "{content:?} {path:?}");
    }
}

#[test]
fn what_means_nothing_is_refused() {
    for (text, line, pattern) in [
        ("id_rsa[", 1, "id_rsa["),
        ("a\n# [\n\n  *.md[ \n", 4, "*.md["),
        ("!x[", 1, "!x["),
        ("[]", 1, "[]"),
        ("[]a]", 1, "[]a]"),
        ("[^]", 1, "[^]"),
        ("[-a]", 1, "[-a]"),
        ("[a-]", 1, "[a-]"),
        ("[z-a]", 1, "[z-a]"),
        ("[a\\", 1, "[a\\"),
        ("[[:nope:]]", 1, "[[:nope:]]"),
        ("[[:alpha:", 1, "[[:alpha:"),
        ("[[:", 1, "[[:"),
        ("a\\", 1, "a\\"),
        ("a\n!\nb", 2, "!"),
    ] {
        let bad = Ignore::parse(text.as_bytes()).unwrap_err();
        assert_eq!((bad.line, bad.pattern.as_str()), (line, pattern), "{text}");
    }
}
