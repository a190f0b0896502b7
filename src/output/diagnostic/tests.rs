use super::*;

fn span(source: SourceId, text: &str, part: &str) -> Span {
    let start = text.find(part).expect(part);
    Span {
        source,
        start: u32::try_from(start).expect("small"),
        end: u32::try_from(start + part.len()).expect("small"),
    }
}

fn example() -> (Vec<Diagnostic>, Sources) {
    let mut sources = Sources::default();
    let base = "services:\n  web:\n    image: é\n    ports:\n      - \"99999:80\"\n    image: x\n";
    let env = "A=1\nB='\n";
    let a = sources.add("compose.yaml", base);
    let b = sources.add("env/web.env", env);
    let findings = vec![
        Diagnostic::error("env-file", "", "unterminated quoted value '").at(span(b, env, "'")),
        Diagnostic::error(
            "duplicate-key",
            "services.web.image",
            "the key `image` is given twice",
        )
        .at(span(a, base, "image: x"))
        .related(span(a, base, "image"), "first given here")
        .help("remove one of the two, or rename it"),
        Diagnostic::warning("port", "services.web.ports[0]", "no \u{1b}[31mport")
            .at(span(a, base, "\"99999:80\""))
            .related(span(b, env, "A=1"), "set here"),
        Diagnostic::warning("version", "", "the attribute `version` is obsolete"),
    ];
    (findings, sources)
}

#[test]
fn findings_look_like_a_compiler_s() {
    let (findings, sources) = example();
    insta::assert_snapshot!(text(&findings, &sources, false));
}

#[test]
fn colours_only_when_asked_for() {
    let (findings, sources) = example();
    assert!(!text(&findings, &sources, false).contains('\u{1b}'));
    assert!(text(&findings, &sources, true).contains('\u{1b}'));
}

#[test]
fn programs_get_the_same_fields() {
    let (findings, sources) = example();
    insta::assert_snapshot!(json_lines(&findings, &sources));
    let log: Value = serde_json::from_str(&sarif(&findings, &sources)).expect("JSON");
    let results = log["runs"][0]["results"].as_array().expect("results");
    assert_eq!(results.len(), 4);
    let last = &results[3];
    assert_eq!(last["ruleId"], "env-file");
    let region = &last["locations"][0]["physicalLocation"]["region"];
    assert_eq!(
        (&region["startLine"], &region["startColumn"]),
        (&json!(2), &json!(3))
    );
}

#[test]
fn spans_of_any_kind_are_shown() {
    let mut sources = Sources::default();
    let text_of_source = format!("a: é\n{}\nlast: [\n1,\n2]", "x".repeat(5_000));
    let id = sources.add("a.yaml", text_of_source.as_str());
    let length = u32::try_from(text_of_source.len()).expect("small");
    for (start, end) in [
        (0, length),
        (4, 4),
        (3, 6),
        (5, 5),
        (900, 910),
        (length, length),
        (length - 5, length),
        (u32::MAX, u32::MAX),
        (7, 3),
    ] {
        let span = Span {
            source: id,
            start,
            end,
        };
        let finding = Diagnostic::error("x", "", "m").at(span).related(span, "r");
        let shown = text(&[finding], &sources, false);
        assert!(shown.contains("a.yaml:"), "{shown}");
    }
    let elsewhere = Span {
        source: SourceId(9),
        start: 0,
        end: 1,
    };
    assert_eq!(
        text(
            &[Diagnostic::error("x", "", "m").at(elsewhere)],
            &sources,
            false
        ),
        "error[x]: m\n"
    );
}

#[test]
fn more_findings_than_anybody_reads_are_counted() {
    let mut sources = Sources::default();
    let lines = "a: 1\n".repeat(70);
    let id = sources.add("compose.yaml", lines);
    let at = |line: u32| Span {
        source: id,
        start: line * 5,
        end: line * 5 + 1,
    };
    // Of kinds that are too few each to become a block.
    let codes: Vec<&'static str> = vec![
        "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r",
        "s", "t",
    ];
    let mut findings: Vec<Diagnostic> = (0..60)
        .map(|line| {
            let code = codes[line as usize % codes.len()];
            Diagnostic::warning(code, "", format!("a warning {line}")).at(at(line))
        })
        .collect();
    findings.push(Diagnostic::error("duplicate-key", "", "the error").at(at(65)));
    let text = text(&findings, &sources, false);
    assert_eq!(text.matches("a warning").count(), 49);
    assert_eq!(text.matches("the error").count(), 1);
    assert!(text.ends_with("\nand 11 more; `--diagnostics json` lists them all\n"));
    assert_eq!(json_lines(&findings, &sources).lines().count(), 61);
}

#[test]
fn help_without_an_excerpt_follows_at_once() {
    let finding = Diagnostic::error("no-file", "", "no file").help("make one");
    let shown = text(&[finding], &Sources::default(), false);
    assert_eq!(shown, "error[no-file]: no file\n = help: make one\n");
}
