use super::*;
use crate::diagnostic::Findings;

fn read(text: &str, format: Format) -> String {
    let lookup = |name: &str| match name {
        "HOME" => Some("/h".to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    };
    let mut vars = Vars::new();
    let mut findings = Findings::default();
    parse(SourceId(0), text, format, &lookup, &mut vars, &mut findings);
    let slice = |span: Span| &text[span.start as usize..span.end as usize];
    let vars = vars.iter().map(|(k, v)| format!("{k}={:?}", v.value));
    let findings = findings
        .iter()
        .map(|f| format!("{} at {:?}", f.code, slice(f.span.unwrap_or_default())));
    vars.chain(findings).collect::<Vec<_>>().join(" ")
}

#[test]
fn env_files_are_read_as_compose_reads_them() {
    let table = [
        ("", ""),
        ("\n # c\n\nA=1\n", r#"A="1""#),
        ("A=1\r\nB=2\r\n", r#"A="1" B="2""#),
        (
            "export A=1\nexport  B = 2\nexported=3",
            r#"A="1" B="2" exported="3""#,
        ),
        ("A: b\nC : d", r#"A="b" C="d""#),
        (
            "A = b c # d\nB=a#b\nC= # x\nD=\nE= x  ",
            r##"A="b c" B="a#b" C="# x" D="" E="x""##,
        ),
        ("A.b-c[0]=1\n1x=2\nü=3", r#"1x="2" A.b-c[0]="1" ü="3""#),
        ("HOME\nNOPE\nEMPTY", r#"EMPTY="" HOME="/h""#),
        ("export HOME", r#"HOME="/h""#),
        (
            "A='$HOME \\n \\'x'\nB='a\nb'",
            r#"A="$HOME \\n 'x" B="a\nb""#,
        ),
        ("A=\"$HOME \\$HOME $$HOME\"", r#"A="/h $HOME $HOME""#),
        (
            "A=\"a\\nb\\tc\\\\d\\\"e\\qf\\0101\\012\"",
            r#"A="a\nb\tc\\d\"e\\qfA\\12""#,
        ),
        ("A=\"x\" # c\nB=\"x\"HOME\n", r#"A="x" B="x" HOME="/h""#),
        (
            "A=1\nB=$A-${A}-${C:-d}\nA=2\nHOME=x\nD=$HOME",
            r#"A="2" B="1-1-d" D="/h" HOME="x""#,
        ),
        ("A=\\$HOME", r#"A="\\/h""#),
        ("A=$$x", r#"A="$x""#),
        ("A='\nB=1", r#"env-file at "'""#),
        ("A=\"x\\\"", r#"env-file at "\"x\\\"""#),
        ("A B=1\nC=2", r#"C="2" env-file at "A B""#),
        ("A$B=1\nC=2", r#"C="2" env-file at "$""#),
        (
            "A=$U\nB=${U:?x}",
            r#"A="" B="" unset-variable at "$U" required-variable at "${U:?x}""#,
        ),
    ];
    for (text, expected) in table {
        assert_eq!(read(text, Format::Dotenv), expected, "{text}");
    }
}

#[test]
fn raw_files_are_taken_literally() {
    let table = [
        (
            "A=1\r\n  B='x' # y \n#C=1\n\nD=a=b",
            r##"A="1" B="'x' # y " D="a=b""##,
        ),
        ("HOME\nNOPE\n$A=$B", r#"$A="$B" HOME="/h""#),
        (
            "A B=1\n=x\nC =2",
            r#"env-file at "A B" env-file at "=x" env-file at "C ""#,
        ),
    ];
    for (text, expected) in table {
        assert_eq!(read(text, Format::Raw), expected, "{text}");
    }
}

#[test]
fn assignments_have_places() {
    let text = "X=1\nexport A = \"b\nc\" \nD=e # f\n";
    let mut vars = Vars::new();
    parse(
        SourceId(0),
        text,
        Format::Dotenv,
        &|_| None,
        &mut vars,
        &mut Findings::default(),
    );
    let slice = |key: &str| &text[vars[key].span.start as usize..vars[key].span.end as usize];
    assert_eq!(slice("A"), "A = \"b\nc\"");
    assert_eq!(slice("X"), "X=1");
}
