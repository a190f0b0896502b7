//! Files that want to bring the loader down: each gives an error, at once, and nothing else.

use regatta::diagnostic::findings::MOST;
use regatta::load::{FileKind, Files, LoadOptions, Loaded, Together, load};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Files in memory.
#[derive(Default)]
struct Memory(BTreeMap<PathBuf, Vec<u8>>);

impl Files for Memory {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.0
            .get(path)
            .cloned()
            .ok_or(io::ErrorKind::NotFound.into())
    }

    fn kind(&self, path: &Path) -> Option<FileKind> {
        if self.0.contains_key(path) {
            return Some(FileKind::File);
        }
        let below = self.0.keys().any(|file| file.starts_with(path));
        below.then_some(FileKind::Directory)
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(path.to_owned())
    }

    fn stdin(&self) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

/// Loads `/p/compose.yaml` and what else is given.
fn run(compose: &[u8], others: &[(&str, &str)]) -> Loaded {
    let mut files = Memory::default();
    files.0.insert("/p/compose.yaml".into(), compose.to_vec());
    for (path, text) in others {
        files
            .0
            .insert(Path::new("/p").join(path), text.as_bytes().to_vec());
    }
    let options = LoadOptions {
        cwd: "/p".into(),
        together: Together::Selected,
        ..LoadOptions::default()
    };
    load(&files, &options)
}

/// Far more than any of these takes (an unoptimised build on a busy machine included), far less
/// than what a file can cost that nothing bounds.
const AT_ONCE: Duration = Duration::from_secs(20);

fn service(attributes: &str) -> String {
    format!("services:\n  a:\n    image: busybox\n    {attributes}\n")
}

fn bomb(line: impl Fn(usize) -> String, levels: usize) -> String {
    let mut text = String::from("x-0: &a0 {k: v}\n");
    for level in 1..levels {
        let _ = writeln!(text, "x-{level}: &a{level} {}", line(level - 1));
    }
    text + &service("tty: true")
}

#[test]
fn hostile_files_are_refused_at_once() {
    let alias_bomb = bomb(
        |n| format!("[{}]", vec![format!("*a{n}"); 10].join(", ")),
        12,
    );
    let map_bomb = bomb(|n| format!("{{l: *a{n}, r: *a{n}}}"), 40);
    let merge_bomb = bomb(|n| format!("{{<<: *a{n}, x{n}: *a{n}}}"), 40);
    let tower = bomb(
        |n| format!("{}*a{n}{}", "[".repeat(200), "]".repeat(200)),
        200,
    );
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(20_000), close.repeat(20_000));
    let variables = format!(
        "command: \"{}x{}\"",
        "${A:-".repeat(20_000),
        "}".repeat(20_000)
    );
    let open_variables = format!("command: \"{}\"", "${A:-".repeat(20_000));
    let blocks: String = (0..1_500)
        .map(|i| format!("{}a:\n", " ".repeat(i)))
        .collect();
    let table: Vec<(&str, Vec<u8>, &str)> = vec![
        ("alias bomb", alias_bomb.into(), "yaml-alias-bomb"),
        ("alias bomb of mappings", map_bomb.into(), "yaml-alias-bomb"),
        ("merge bomb", merge_bomb.into(), "yaml-alias-bomb"),
        ("tower of aliases", tower.into(), "yaml-too-deep"),
        ("alias to itself", "a: &a [*a]\n".into(), "yaml-alias"),
        ("deep flow sequences", deep("[", "]").into(), "yaml-syntax"),
        (
            "deep flow mappings",
            deep("{a: ", "}").into(),
            "yaml-syntax",
        ),
        ("deep block sequences", deep("- ", "").into(), "yaml-syntax"),
        ("deep block mappings", blocks.into(), "yaml-syntax"),
        ("deep explicit keys", deep("? ", "").into(), "yaml-syntax"),
        (
            "deep variables",
            service(&variables).into(),
            "interpolation",
        ),
        (
            "open variables",
            service(&open_variables).into(),
            "interpolation",
        ),
        ("NUL", service("user: \"\0\"").into(), "not-text"),
        (
            "bad UTF-8",
            b"services: {a: {image: \xff}}".to_vec(),
            "not-text",
        ),
        ("UTF-16", b"\xff\xfes\0".to_vec(), "not-text"),
        (
            "binary",
            (0..=255u8).cycle().take(100_000).collect(),
            "not-text",
        ),
        ("brackets", "[{".repeat(5_000).into(), "yaml-syntax"),
        ("quotes", "\"'".repeat(5_000).into(), "yaml-syntax"),
    ];
    for (name, text, code) in table {
        let begin = Instant::now();
        let loaded = run(&text, &[]);
        let codes: Vec<&str> = loaded.findings.iter().map(|f| f.code).collect();
        assert!(codes.contains(&code), "{name}: {codes:?}");
        assert!(loaded.project.is_none(), "{name}");
        assert!(begin.elapsed() < AT_ONCE, "{name}: {:?}", begin.elapsed());
    }
}

#[test]
fn hostile_values_are_refused_at_once() {
    let many_ports: String = (0..40)
        .map(|i| format!("      - 10.0.0.{i}:1-65535:1-65535\n"))
        .collect();
    let links = (0..5_000).map(|i| format!("  s{i}: {{extends: s{}}}\n", i + 1));
    let extends_without_end = format!("services:\n{}", links.collect::<String>());
    let table = [
        ("extends itself", service("extends: a")),
        (
            "extends in a circle",
            service("extends: b\n  b: {extends: {service: a}}"),
        ),
        (
            "extends itself by file",
            service("extends: {service: a, file: compose.yaml}"),
        ),
        (
            "includes itself",
            format!("include: [compose.yaml]\n{}", service("tty: true")),
        ),
        ("depends on itself", service("depends_on: [a]")),
        ("extends without end", extends_without_end),
        ("huge port", service("ports: [\"99999999999999999999:80\"]")),
        ("backward range", service("ports: [\"90-80:90-80\"]")),
        (
            "many ranges",
            service(&format!("ports:\n{many_ports}      - x")),
        ),
        (
            "huge size",
            service("mem_limit: 99999999999999999999999999g"),
        ),
        (
            "huge duration",
            service("stop_grace_period: 99999999999999999999999999h"),
        ),
        ("huge number", service("scale: 99999999999999999999999999")),
        ("negative scale", service("scale: -9223372036854775808")),
        ("long name", service(&format!("{}: 1", "x".repeat(900)))),
        ("no mapping", "1".repeat(100_000)),
        ("many documents", "---\n".repeat(20_000)),
        (
            "many mistakes",
            service(
                &(0..2_000)
                    .map(|i| format!("x{i}x: 1\n    "))
                    .collect::<String>(),
            ),
        ),
    ];
    for (name, text) in table {
        let begin = Instant::now();
        let loaded = run(text.as_bytes(), &[]);
        let errors = loaded.findings.iter().filter(|f| f.is_error()).count();
        assert!(
            errors > 0 && loaded.project.is_none(),
            "{name}: {:?}",
            loaded.findings
        );
        assert!(begin.elapsed() < AT_ONCE, "{name}: {:?}", begin.elapsed());
    }
}

#[test]
fn hostile_env_files_are_refused_at_once() {
    let project = service("env_file: [app.env]");
    let deep = format!("A={}", "${A:-".repeat(20_000));
    for text in [
        "A='",
        "A B=1",
        "$=1",
        &deep,
        &"A='\\".repeat(20_000),
        &format!("A=\"{}", "\\\"".repeat(50_000)),
    ] {
        let begin = Instant::now();
        let loaded = run(project.as_bytes(), &[("app.env", text)]);
        assert!(loaded.findings.iter().any(|f| f.is_error()), "{:.20}", text);
        let loaded = run(service("tty: true").as_bytes(), &[(".env", text)]);
        assert!(loaded.findings.iter().any(|f| f.is_error()), "{:.20}", text);
        assert!(
            begin.elapsed() < AT_ONCE,
            "{:.20}: {:?}",
            text,
            begin.elapsed()
        );
    }
}

#[test]
fn thousands_of_mistakes_are_found_at_once() {
    let names = |c: char| -> String { (0..60_000).map(|i| format!("{c}{i}: {{}}, ")).collect() };
    let base = service(&format!("networks: {{{}}}", names('u')))
        + &format!("networks: {{{}}}\n", names('o'));
    let begin = Instant::now();
    let loaded = run(base.as_bytes(), &[]);
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
    assert_eq!(loaded.findings.len(), 2 * MOST + 1);
}

#[test]
fn of_endless_mistakes_of_one_kind_not_all_are_kept() {
    let twice = service(&"privileged: true\n    ".repeat(20_500));
    let loaded = run(twice.as_bytes(), &[]);
    assert_eq!(loaded.findings.len(), 2 * MOST + 1);
}

/// Long lists and many tags, merged: each takes one pass.
#[test]
fn long_lists_merge_at_once() {
    let list = |item: &dyn Fn(usize) -> String| -> String {
        let items: Vec<String> = (0..60_000).map(item).collect();
        items.join(", ")
    };
    let ipam = |n: u8| {
        let pools = list(&|i| format!("{{subnet: {n}.{}.{}.0/24}}", i / 256, i % 256));
        format!("networks: {{n: {{ipam: {{config: [{pools}]}}}}}}\n")
    };
    let file = |attribute: String| service(&attribute);
    let over = |attribute: String| format!("services: {{a: {{{attribute}}}}}\n");
    for (what, base, over) in [
        (
            "hosts",
            file(format!(
                "extra_hosts: [{}]",
                list(&|i| format!("h{i}=1.1.1.1"))
            )),
            over(format!(
                "extra_hosts: [{}]",
                list(&|i| format!("g{i}=1.1.1.1"))
            )),
        ),
        (
            "resets",
            file(format!("labels: {{{}}}", list(&|i| format!("l{i}: 1")))),
            over(format!(
                "labels: {{{}}}",
                list(&|i| format!("l{i}: !reset 1"))
            )),
        ),
        (
            "numbers",
            file(format!("group_add: [{}]", list(&|i| i.to_string()))),
            over(format!(
                "group_add: [{}]",
                list(&|i| (60_000 + i).to_string())
            )),
        ),
        ("pools", file(String::new()) + &ipam(10), ipam(11)),
    ] {
        let begin = Instant::now();
        let loaded = run(base.as_bytes(), &[("compose.override.yaml", &over)]);
        assert!(begin.elapsed() < AT_ONCE, "{what}: {:?}", begin.elapsed());
        let is_refused = what == "pools";
        let errors = loaded.findings.iter().filter(|f| f.is_error()).count();
        assert_eq!(
            errors > 0,
            is_refused,
            "{what}: {:?}",
            loaded.findings.first()
        );
    }
}

#[test]
fn projects_that_grow_out_of_measure_are_refused_at_once() {
    let many = |n: usize, item: &dyn Fn(usize) -> String| -> String {
        let items: Vec<String> = (0..n).map(item).collect();
        items.join(", ")
    };
    let variables: String = (0..9_000).fold(String::new(), |mut text, i| {
        let _ = writeln!(text, "A{i}=x");
        text
    });
    let long = service(&format!(
        "cap_add: [{}]",
        many(100_001, &|i| format!("c{i}"))
    ));
    let mounts = service(&format!(
        "volumes: [{}]",
        many(99_999, &|i| format!("/a:/{i}"))
    )) + &format!("x-a: [{}]\n", many(50_000, &|_| "~".to_owned()));
    let heirs = format!(
        "services: {{b: {{image: i, labels: {{{}}}}}, {}}}\n",
        many(1_000, &|i| format!("l{i}: v")),
        many(1_000, &|i| format!("s{i}: {{extends: b}}")),
    );
    let readers = format!(
        "services: {{{}}}\n",
        many(100, &|i| format!("s{i}: {{image: i, env_file: app.env}}")),
    );
    let services = format!(
        "services: {{{}}}\n",
        many(70_000, &|i| format!("s{i}: {{image: i}}"))
    );
    let words = service(&format!("command: {}", "a ".repeat(700_000)));
    for (what, project) in [
        ("a long list", &long),
        ("short forms", &mounts),
        ("heirs", &heirs),
        ("readers of env files", &readers),
        ("services", &services),
        ("words", &words),
    ] {
        let begin = Instant::now();
        let loaded = run(project.as_bytes(), &[("app.env", &variables)]);
        let errors: Vec<_> = loaded.findings.iter().filter(|f| f.is_error()).collect();
        assert_eq!(errors.len(), 1, "{what}: {errors:?}");
        assert_eq!(errors[0].code, "too-large", "{what}");
        assert!(errors[0].span.is_some(), "{what}");
        assert!(begin.elapsed() < AT_ONCE, "{what}: {:?}", begin.elapsed());
    }
}
