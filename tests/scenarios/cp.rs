//! Files between this machine and containers.

use crate::support::Stack;
use std::fs;
use std::os::unix::fs::symlink;

const COMPOSE: &str = r#"
services:
  web:
    image: busybox
    command: ["sleep", "1000"]
    stop_signal: SIGKILL
    scale: 2
  shut:
    image: busybox
    command: ["sleep", "1000"]
    stop_signal: SIGKILL
    read_only: true
    volumes: ["/data"]
"#;

fn stack() -> Stack {
    let stack = Stack::new("cp", COMPOSE);
    stack.write("src/a", "one");
    stack.write("src/sub/b", "two");
    stack.write("file", "file");
    symlink("a", stack.path().join("src/link")).expect("a link");
    stack.up("");
    stack
}

/// All that is in a directory of this machine, with what links lead to.
fn tree(stack: &Stack, directory: &str) -> Vec<String> {
    fn walk(at: &std::path::Path, inside: &str, all: &mut Vec<String>) {
        let mut entries: Vec<_> = fs::read_dir(at).expect("a directory").flatten().collect();
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = format!("{inside}{}", entry.file_name().display());
            let kind = entry.file_type().expect("a kind");
            match kind.is_symlink() {
                true => {
                    let target = fs::read_link(entry.path()).expect("a link");
                    all.push(format!("{name} -> {}", target.display()));
                }
                false => all.push(name.clone()),
            }
            if kind.is_dir() {
                walk(&entry.path(), &format!("{name}/"), all);
            }
        }
    }
    let mut all = Vec::new();
    walk(&stack.path().join(directory), "", &mut all);
    all
}

#[test]
fn there_and_back() {
    let stack = stack();
    let copied = stack.run("cp src web:/new").success();
    for number in [1, 2] {
        let line = format!(
            " {0}-web-{number} Copied src to {0}-web-{number}:/new\n",
            stack.name
        );
        assert!(copied.stderr.contains(&line), "{}", copied.stderr);
    }
    // A directory that is there gets it inside, `.` only what is in it; one replica alone.
    stack.run("cp src web:/new").success();
    stack.run("cp --index 2 src/. web:/tmp").success();
    stack.run("cp file web:/new/a").success();
    let list = "cd / && find new | sort && cat new/a new/sub/b && ls /tmp";
    let found = stack.shell("web", list);
    assert_eq!(
        found.split_whitespace().collect::<Vec<_>>(),
        [
            "new",
            "new/a",
            "new/link",
            "new/src",
            "new/src/a",
            "new/src/link",
            "new/src/sub",
            "new/src/sub/b",
            "new/sub",
            "new/sub/b",
            "filetwo"
        ]
    );
    let second = stack.run("exec -T --index 2 web ls /tmp").success().stdout;
    assert_eq!(second, "a\nlink\nsub\n");

    let all = [
        "a",
        "link -> a",
        "src",
        "src/a",
        "src/link -> a",
        "src/sub",
        "src/sub/b",
        "sub",
        "sub/b",
    ];
    stack.run("cp web:/new back").success();
    assert_eq!(tree(&stack, "back"), all);
    stack.run("cp web:/new/. again").success();
    assert_eq!(tree(&stack, "again"), all);
    assert_eq!(
        fs::read_to_string(stack.path().join("again/a")).expect("a file"),
        "file"
    );
    stack.run("cp -L web:/new/link real").success();
    assert!(stack.path().join("real").is_file());
}

#[test]
fn what_does_not_fit_is_refused() {
    let stack = stack();
    for (words, message) in [
        ("cp src web:/etc/passwd", "cannot copy directory"),
        ("cp file web:/none/", "no such directory"),
        ("cp file web:/none/x", "Could not find the file /none"),
        ("cp nothing web:/x", "nothing: no such file or directory"),
        ("cp web:/nothing x", "Could not find the file /nothing"),
        ("cp web:/etc file", "cannot copy directory"),
        ("cp web:/etc none/x", "invalid output path: directory"),
        (
            "cp --index 3 file web:/x",
            "service \"web\" is not running container #3",
        ),
        (
            "cp file other:/x",
            "no container found for service \"other\"",
        ),
        (
            "cp web:/a web:/b",
            "copying between services is not supported",
        ),
        ("cp a b", "unknown copy direction"),
        ("cp file shut:/x", "container rootfs is marked read-only"),
    ] {
        let refused = stack.run(words).code(1);
        assert!(
            refused.stderr.contains(message),
            "{words}: {}",
            refused.stderr
        );
    }
    stack.run("cp file shut:/data/x").success();
    assert_eq!(stack.shell("shut", "cat /data/x"), "file");
    let planned = stack.run("--dry-run cp file web:/dry").success();
    assert!(
        planned.stderr.contains("it would be copied"),
        "{}",
        planned.stderr
    );
    stack.exec("web", "test -e /dry").code(1);
}

#[test]
fn a_tar_on_standard_streams() {
    let stack = stack();
    stack.run("cp src web:/new").success();
    let line = "\"$0\" -p \"$1\" cp web:/new - | \"$0\" -p \"$1\" cp - web:/tmp && \"$0\" -p \"$1\" cp web:/new - | head -c 10 | wc -c";
    let both = crate::support::run::Program::new("sh", stack.path())
        .env("DOCKER_HOST", &stack.engine.host())
        .args(["-c", line, &crate::support::run::under_test(), &stack.name])
        .run()
        .success();
    assert_eq!(both.stdout.trim(), "10");
    for index in [1, 2] {
        let words = format!("exec -T --index {index} web cat /tmp/new/sub/b");
        assert_eq!(stack.run(&words).success().stdout, "two");
    }
}

#[test]
fn a_container_cannot_write_elsewhere() {
    let stack = stack();
    let outside = stack.path().join("outside");
    fs::create_dir(&outside).expect("a directory");
    // The container's link leads to where this machine has a file.
    let target = outside.display();
    stack.shell(
        "web",
        &format!("mkdir /evil && ln -s {target} /evil/way && echo x > /evil/z"),
    );
    stack.run("cp web:/evil dest").success();
    stack.shell(
        "web",
        "rm /evil/way && mkdir /evil/way && echo y > /evil/way/in",
    );
    let refused = stack.run("cp web:/evil/. dest").code(1);
    let message = "cannot overwrite non-directory";
    assert!(refused.stderr.contains(message), "{}", refused.stderr);
    assert_eq!(fs::read_dir(&outside).expect("a directory").count(), 0);
}
