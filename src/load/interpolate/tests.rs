use super::*;
use crate::diagnostic::Findings;
use crate::load::yaml;

fn run(text: &str) -> (Node, Vec<String>) {
    let mut sources = Sources::default();
    let id = sources.add("compose.yaml", text);
    let mut findings = Findings::default();
    let mut root = yaml::parse(id, text, &mut findings).remove(0).root;
    let lookup = |name: &str| (name == "N").then(|| "5".to_owned());
    interpolate(&mut root, &sources, &lookup, &mut findings);
    let shown = findings
        .iter()
        .map(|f| {
            let span = f.span.unwrap_or_default();
            let at = sources
                .position(span)
                .map(|p| format!("{}:{}", p.line, p.column));
            let slice = sources.slice(span).unwrap_or_default();
            format!("{} {} {} {slice}", f.code, f.path, at.unwrap_or_default())
        })
        .collect();
    (root, shown)
}

#[test]
fn values_are_filled_in_and_keys_are_not() {
    let (root, findings) = run(
        "services:\n  $N:\n    image: a:$N\n    command: [\"${N}\", 7]\n    scale: ${N}\n    tty: \"true\"\n    cpus: '0.5'\n",
    );
    let service = root.at(&["services", "$N"]).expect("key as written");
    assert_eq!(service.get("image").and_then(Node::as_str), Some("a:5"));
    assert_eq!(service.get("scale").and_then(Node::as_int), Some(5));
    assert_eq!(service.get("tty").and_then(Node::as_bool), Some(true));
    assert_eq!(
        service.get("cpus").map(|n| &n.value),
        Some(&Value::Float(0.5))
    );
    assert_eq!(findings, Vec::<String>::new());
}

#[test]
fn findings_point_at_the_variable() {
    let table = [
        (
            "a: x$U-${U}\n",
            vec!["unset-variable a 1:5 $U", "unset-variable a 1:8 ${U}"],
        ),
        (
            "a: ['${U:?x}']\n",
            vec!["required-variable a[0] 1:6 ${U:?x}"],
        ),
        (
            "a:\n  b: |\n    é\n    ${U}\n",
            vec!["unset-variable a.b 4:5 ${U}"],
        ),
        ("a: \"\\x24U\"\n", vec!["unset-variable a 1:4 \"\\x24U\""]),
        ("a: ${U\n", vec!["interpolation a 1:4 ${"]),
        (
            "services: {a: {scale: $N$N.}}\n",
            vec!["cast services.a.scale 1:23 $N$N."],
        ),
        (
            "services: {a: {tty: 'yes'}}\n",
            vec!["boolean-word services.a.tty 1:21 'yes'"],
        ),
    ];
    for (text, expected) in table {
        assert_eq!(run(text).1, expected, "{text}");
    }
}

#[test]
fn compose_words_its_warning_this_way() {
    let finding = finding(&ProblemKind::Unset("X".into()), String::new());
    assert_eq!(
        finding.message,
        "The \"X\" variable is not set. Defaulting to a blank string."
    );
}

#[test]
fn variables_are_listed_with_their_words() {
    let text = "a: $A ${B:-x ${C}} $$D\nb: [\"${E:?no} ${F+y}\", '${G-}']\n";
    let root = yaml::parse(Default::default(), text, &mut Findings::default())
        .remove(0)
        .root;
    let shown: Vec<String> = variables(&root)
        .iter()
        .map(|(name, v)| format!("{name} {} {:?} {:?}", v.required, v.default, v.alternate))
        .collect();
    assert_eq!(
        shown,
        [
            "A false \"\" \"\"",
            "B false \"x ${C}\" \"\"",
            "C false \"\" \"\"",
            "E true \"\" \"\"",
            "F false \"\" \"y\"",
            "G false \"\" \"\"",
        ]
    );
}
