//! Hostile files given to the program itself, which must come back with an error: within CPU
//! seconds and an address space that the system holds it to, and in no more time than a hang would.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

pub const REGATTA: &str = env!("CARGO_BIN_EXE_regatta");

/// CPU seconds of an unoptimised build; an optimised one takes a tenth of it.
const SECONDS: u32 = 10;

/// Address space beside the program's own text, in KiB.
const SPACE: u64 = 100 << 10;

/// What the program says about the project in a folder; it must end with 1.
fn complaint(name: &str, dir: &Path, arguments: &str) -> String {
    let program = fs::metadata(REGATTA).expect("the program").len() / 1024;
    let script = format!(
        "ulimit -t {SECONDS}; ulimit -v {}; ulimit -c 0; exec timeout 60 {REGATTA} {arguments} config -q",
        program + SPACE
    );
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(dir)
        .env("NO_COLOR", "1")
        .output()
        .expect("a shell");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        output.status.code(),
        Some(1),
        "{name}: {:?}\n{text:.2000}",
        output.status
    );
    assert!(text.contains("error"), "{name}: {text:.2000}");
    assert!(
        !text.chars().any(|c| c.is_control() && c != '\n'),
        "{name}: {text:.2000}"
    );
    text
}

fn service(attributes: &str) -> String {
    format!("services:\n  a:\n    image: busybox\n    {attributes}\n")
}

/// A folder with files.
fn folder(files: &[(&str, String)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        fs::write(dir.path().join(name), text).expect("a file");
    }
    dir
}

#[test]
fn bombs_and_depth_end_with_an_error() {
    let doubling = |first: &str| {
        let lines = (1..60).map(|n| format!("A{n}=$A{m}$A{m}\n", m = n - 1));
        format!("A0={first}\n{}", lines.collect::<String>())
    };
    let uses: String = (0..5_000)
        .map(|n| format!("      V{n}: ${{A}}${{A}}\n"))
        .collect();
    let includes = |n: usize| {
        let lines = (0..10).map(|i| format!("  - {{path: f{}.yaml, env_file: e{i}}}\n", n + 1));
        format!("include:\n{}", lines.collect::<String>())
    };
    let mut bomb: Vec<(String, String)> = (0..12)
        .map(|n| (format!("f{n}.yaml"), includes(n)))
        .collect();
    bomb.push(("f12.yaml".into(), service("ports: [x]")));
    bomb.push(("compose.yaml".into(), includes(0)));
    bomb.extend((0..10).map(|n| (format!("e{n}"), "K=1".to_owned())));
    let chain: String = (0..3_000)
        .map(|n| format!("  s{n}: {{extends: s{}}}\n", n + 1))
        .collect();
    let merges: String = (1..30)
        .map(|n| {
            format!(
                "x{n}: &x{n} {{<<: [*x{m}, *x{m}], k{n}: *x{m}}}\n",
                m = n - 1
            )
        })
        .collect();
    let mistakes: String = (0..5_000).map(|n| format!("x{n}y: 1\n    ")).collect();
    let long = format!("\"\\e[31m{}\": 1", "x".repeat(1_000));
    let table: Vec<(&str, Vec<(&str, String)>)> = vec![
        (
            "doubling variables",
            vec![
                ("compose.yaml", service("user: $A59")),
                (".env", doubling("xx")),
            ],
        ),
        (
            "a large value used often",
            vec![
                ("compose.yaml", service(&format!("environment:\n{uses}"))),
                (".env", format!("A={}", "x".repeat(1 << 20))),
            ],
        ),
        (
            "extends without end",
            vec![("compose.yaml", format!("services:\n{chain}"))],
        ),
        (
            "merge keys",
            vec![("compose.yaml", format!("x0: &x0 {{k: v}}\n{merges}"))],
        ),
        (
            "thousands of mistakes",
            vec![("compose.yaml", service(&mistakes))],
        ),
        (
            "a key that speaks to the terminal",
            vec![("compose.yaml", service(&long))],
        ),
        (
            "a long line",
            vec![(
                "compose.yaml",
                service(&format!("ports: [{}]", "x,".repeat(100_000))),
            )],
        ),
        ("deep flows", vec![("compose.yaml", "[{a: ".repeat(20_000))]),
        (
            "deep variables",
            vec![(
                "compose.yaml",
                service(&format!("user: \"{}\"", "${A:-".repeat(20_000))),
            )],
        ),
        (
            "a huge key",
            vec![(
                "compose.yaml",
                service(&format!("? {}\n    : 1", "k".repeat(1 << 20))),
            )],
        ),
    ];
    for (name, files) in table {
        let dir = folder(&files);
        let text = complaint(name, dir.path(), "");
        assert!(
            text.len() < 4 << 20,
            "{name}: {} bytes of complaints",
            text.len()
        );
    }
    let files: Vec<(&str, String)> = bomb.iter().map(|(n, t)| (n.as_str(), t.clone())).collect();
    complaint("include bomb", folder(&files).path(), "");
}

#[test]
fn what_a_program_writes_is_read() {
    let dir = folder(&[("over.yaml", service("user: me"))]);
    for (name, command, wanted) in [
        (
            "a program's output",
            "-f <(printf 'services: {a: {image: x}}') config --services",
            "a\n",
        ),
        (
            "a slow program",
            "-f <(sleep 0.3; printf 'services: {a: {image: x}}') config --services",
            "a\n",
        ),
        (
            "two programs",
            "-f <(printf 'services: {a: {image: x}}') -f <(printf 'services: {b: {image: y}}') config --services",
            "a\nb\n",
        ),
        (
            "standard input",
            "-f - -f over.yaml config --images < <(printf 'services: {a: {image: x}}')",
            "busybox\n",
        ),
        (
            "a program that writes without end",
            "-f <(yes 'x-a: b') config --services",
            "",
        ),
        (
            "a program that writes nothing",
            "-f <(true) config --services",
            "",
        ),
    ] {
        let script =
            format!("ulimit -t {SECONDS}; ulimit -c 0; exec timeout 60 {REGATTA} {command}");
        let output = Command::new("bash")
            .args(["-c", &script])
            .current_dir(dir.path())
            .output()
            .expect("a shell");
        let error = String::from_utf8_lossy(&output.stderr);
        let code = i32::from(wanted.is_empty());
        assert_eq!(output.status.code(), Some(code), "{name}: {error:.2000}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), wanted, "{name}");
    }
}

#[test]
fn files_that_are_none_end_with_an_error() {
    let dir = folder(&[
        ("zero.yaml", service("env_file: /dev/zero")),
        ("pipe.yaml", service("env_file: pipe")),
        (
            "include.yaml",
            format!("include: [/dev/zero]\n{}", service("tty: true")),
        ),
        ("directory.yaml", service("env_file: folder")),
        ("loop.yaml", service("extends: {file: one, service: a}")),
        ("random.yaml", service("label_file: /dev/urandom")),
    ]);
    let path = |name: &str| dir.path().join(name);
    symlink(path("two"), path("one")).expect("a link");
    symlink(path("one"), path("two")).expect("a link");
    fs::create_dir(path("folder")).expect("a folder");
    let made = Command::new("mkfifo").arg(path("pipe")).status();
    assert!(made.expect("mkfifo").success());
    let large = fs::File::create(path("large")).expect("a file");
    large.set_len(1 << 36).expect("a hole");
    for file in [
        "zero.yaml",
        "pipe.yaml",
        "include.yaml",
        "directory.yaml",
        "loop.yaml",
        "random.yaml",
        "pipe",
        "folder",
        "one",
        "large",
        "/dev/zero",
        "/dev/null",
    ] {
        complaint(file, dir.path(), &format!("-f {file}"));
    }
}

/// Before there is anything to put in order, a signal ends the program by itself, whatever it
/// computes or waits for.
#[test]
fn a_signal_ends_the_reading_of_files() {
    use std::os::unix::process::ExitStatusExt;
    let dir = tempfile::tempdir().expect("a directory");
    let made = Command::new("mkfifo").arg(dir.path().join("pipe")).status();
    assert!(made.expect("mkfifo").success());
    let mut reading = Command::new(env!("CARGO_BIN_EXE_regatta"))
        .args(["-f", "pipe", "config"])
        .current_dir(&dir)
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("regatta");
    // Nobody writes into the pipe: it waits for two seconds.
    std::thread::sleep(std::time::Duration::from_millis(200));
    let sent = Command::new("kill")
        // Not SIGINT, which is ignored in what a script runs in the background.
        .args(["-TERM", &reading.id().to_string()])
        .status();
    assert!(sent.expect("kill").success());
    let ended = reading.wait().expect("an end");
    assert_eq!(ended.signal(), Some(15), "{ended}");
}

/// The largest size of a file stops what is written, and the program says so; the system's signal
/// would end it without a word.
#[test]
fn a_limit_to_the_size_of_files_is_told() {
    let dir = folder(&[("compose.yaml", service("tty: true"))]);
    let script = format!("ulimit -f 0; exec {REGATTA} config >out");
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(dir.path())
        .output()
        .expect("a shell");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("File too large"), "{text}");
}

/// Names of directories are bytes. What no request can say is refused with its place, before
/// anything is done; Docker Compose mounts another directory.
#[test]
fn a_directory_whose_name_is_no_text_is_taken() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let dir = tempfile::tempdir().expect("a folder");
    let odd = dir.path().join(OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir(&odd).expect("a folder");
    let text = "name: p\nservices:\n  a:\n    image: busybox\n    env_file: env\n";
    fs::write(odd.join("compose.yaml"), text).expect("a file");
    fs::write(odd.join("env"), "A=1\n").expect("a file");
    let run = |cwd: &Path, arguments: &[&OsStr]| {
        let mut command = Command::new(REGATTA);
        command.current_dir(cwd).env_remove("PWD").args(arguments);
        command.output().expect("the program")
    };
    let file = odd.join("compose.yaml");
    let ways: [(&Path, Vec<&OsStr>); 3] = [
        (&odd, vec![]),
        (dir.path(), vec!["-f".as_ref(), file.as_os_str()]),
        (
            dir.path(),
            vec!["--project-directory".as_ref(), odd.as_os_str()],
        ),
    ];
    for (cwd, mut arguments) in ways {
        arguments.extend(["config".as_ref(), "--services".as_ref()] as [&OsStr; 2]);
        let output = run(cwd, &arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        assert_eq!(output.stdout, b"a\n");
    }
}
