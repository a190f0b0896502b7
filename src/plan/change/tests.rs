use super::*;
use serde_json::json;

fn words(old: Value, new: Value) -> String {
    Change::of("x", Some(old), Some(new)).in_words()
}

#[test]
fn short_values_are_shown_whole() {
    assert_eq!(words(json!("info"), json!("debug")), "x: info → debug");
    assert_eq!(words(json!(""), json!(1)), "x: \"\" → 1");
    assert_eq!(
        words(json!("a\u{1b}[2Jb"), json!("b")),
        "x: a\\u{1b}[2Jb → b"
    );
    let added = Change::of("x", None, Some(json!({"target": 81})));
    assert_eq!(added.in_words(), "x: added {\"target\":81}");
}

#[test]
fn long_texts_are_shown_around_their_difference() {
    let long = |user: &str, end: &str| {
        json!(format!(
            "postgres://{user}@database.internal.example.org:5432/the_application_database?sslmode={end}"
        ))
    };
    let table = [
        (
            long("app", "require"),
            long("app", "disable"),
            "x: …ase?sslmode=require → …ase?sslmode=disable",
        ),
        (
            long("app", "require"),
            long("root", "require"),
            "x: postgres://app@database.in… → postgres://root@database.in…",
        ),
        // What is only longer now.
        (
            long("app", "require"),
            json!(format!("{}&x=1", long("app", "require").as_str().unwrap())),
            "x: …mode=require → …mode=require&x=1",
        ),
        // Nothing in common.
        (
            json!("a".repeat(100)),
            json!("b".repeat(100)),
            "x: aaaaaaaaaaaaaaaaaaaaaaa…aaaaaaaaaaaa → bbbbbbbbbbbbbbbbbbbbbbb…bbbbbbbbbbbb",
        ),
        (
            json!(format!("{}é{}", "ä".repeat(40), "ü".repeat(40))),
            json!(format!("{}è{}", "ä".repeat(40), "ü".repeat(40))),
            "x: …ääääääääääääéüüüüüüüüüüüü… → …ääääääääääääèüüüüüüüüüüüü…",
        ),
    ];
    for (old, new, expected) in table {
        assert_eq!(words(old, new), expected);
    }
}

#[test]
fn texts_of_several_lines_are_compared_by_line() {
    let old = json!("set -e\nmigrate\nserve --port 80\n");
    let new = json!("set -e\nmigrate --all\nserve --port 80\n");
    assert_eq!(words(old.clone(), new), "x line 2: migrate → migrate --all");
    let new = json!("set -e\nserve --port 81\nwait\nend\n");
    assert_eq!(
        words(old.clone(), new.clone()),
        "x: line 2: migrate → serve --port 81, line 3: serve --port 80 → wait, + end"
    );
    assert_eq!(
        Change::of("x", Some(old), Some(new)).lines(),
        [
            "x:",
            "  line 2: migrate → serve --port 81",
            "  line 3: serve --port 80 → wait",
            "  + end"
        ]
    );
}

#[test]
fn lists_are_compared_by_item_and_mappings_by_key() {
    let bind = |n: usize| {
        format!("/srv/a-very-long-directory/that-all-of-them-share/data-{n}:/usr/share/app/data:rw")
    };
    let table = [
        (
            json!([bind(1), bind(2)]),
            json!([bind(1), bind(3)]),
            "x[1]: …-share/data-2:/usr/share/… → …-share/data-3:/usr/share/…",
        ),
        (json!(["a", "b"]), json!(["c", "a", "b"]), "x: + c"),
        (json!(["a", "b"]), json!(["b", "a"]), "x: order changed"),
        (
            json!({"a": 1, "b": {"c": [1, 2]}, "d": 1}),
            json!({"b": {"c": [1, 3]}, "d": 1, "e": null}),
            "x: - a: 1, b.c[1]: 2 → 3, + e: unset",
        ),
    ];
    for (old, new, expected) in table {
        assert_eq!(words(old, new), expected);
    }
}

#[test]
fn many_differences_are_counted() {
    let old = json!((0..20).map(|i| i.to_string()).collect::<Vec<_>>());
    assert_eq!(
        words(old.clone(), json!([])),
        "x: - 0, - 1, - 2 and 17 more"
    );
    let lines = Change::of("x", Some(old), Some(json!([]))).lines();
    assert_eq!(lines.len(), 14);
    assert_eq!(lines[13], "  and 8 more");
    let long: Vec<String> = (0..9)
        .map(|i| format!("an-item-of-some-length-{i}"))
        .collect();
    let added = Change::of("x", None, Some(json!(long)));
    assert_eq!(
        added.in_words(),
        "x: added [an-item-of-some-length-0, an-item-of-some-length-1, an-item-of-some-length-2 and 6 more]"
    );
    let mount =
        json!({"type": "bind", "source": format!("/srv/{}", "a".repeat(80)), "target": "/u"});
    assert_eq!(
        Change::of("x", None, Some(mount)).in_words(),
        "x: added {source: /srv/aaaaaaaaaaaaaa…aaaaaaaaaa, target: /u, type: bind}"
    );
}
