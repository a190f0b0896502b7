//! Where the program stands, as it shows in names and paths: the way that the user went counts.

use super::run::{Ran, command, ran, words};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// `real/app` with a project in it, `link` → `real/app`, `deep` → `real/app/sub`.
fn tree() -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    fs::create_dir_all(root.join("real/app/sub")).unwrap();
    symlink("real/app", root.join("link")).unwrap();
    symlink("real/app/sub", root.join("deep")).unwrap();
    let file = "services: {a: {image: busybox, volumes: [./data:/d, ../up:/u], environment: {V: $V, PWD: }}}\n";
    fs::write(root.join("real/app/compose.yaml"), file).unwrap();
    fs::write(root.join("real/app/.env"), "V=app\n").unwrap();
    fs::write(root.join("compose.yaml"), file).unwrap();
    (dir, root)
}

fn config(root: &Path, stand: &str, pwd: Option<&str>, line: &str) -> Ran {
    let mut command = command(&root.join(stand));
    if let Some(pwd) = pwd {
        command.env("PWD", pwd.replace("ROOT", &root.to_string_lossy()));
    }
    let line = format!("{line} config --format json");
    ran(command.args(words(&line)).output().unwrap())
}

#[test]
fn a_directory_behind_a_link_is_the_one_that_the_user_went_to() {
    let (_keep, root) = tree();
    for (stand, pwd, line, expected) in [
        // Where the shell says how it got here.
        (
            "link",
            Some("ROOT/link"),
            "",
            "link app ROOT/link/data ROOT/up",
        ),
        (
            "link",
            Some("ROOT//link/."),
            "",
            "link app ROOT/link/data ROOT/up",
        ),
        (
            "link",
            Some("ROOT/real/app"),
            "",
            "app app ROOT/real/app/data ROOT/real/up",
        ),
        // It says nothing, nothing absolute, another directory, or none at all.
        ("link", None, "", "app app ROOT/real/app/data ROOT/real/up"),
        (
            "link",
            Some(""),
            "",
            "app app ROOT/real/app/data ROOT/real/up",
        ),
        (
            "link",
            Some("link"),
            "",
            "app app ROOT/real/app/data ROOT/real/up",
        ),
        (
            "link",
            Some("."),
            "",
            "app app ROOT/real/app/data ROOT/real/up",
        ),
        (
            "link",
            Some("ROOT"),
            "",
            "app app ROOT/real/app/data ROOT/real/up",
        ),
        (
            "link",
            Some("ROOT/gone"),
            "",
            "app app ROOT/real/app/data ROOT/real/up",
        ),
        // `..` of a link means its target's parent to the kernel: here it is not `ROOT`.
        (
            "real/app",
            Some("ROOT/deep/.."),
            "",
            "app app ROOT/real/app/data ROOT/real/up",
        ),
        // Parents are those of the path.
        (
            "link/sub",
            Some("ROOT/link/sub"),
            "",
            "link app ROOT/link/data ROOT/up",
        ),
        (
            "link/sub",
            Some("ROOT/link/sub"),
            "-f ../compose.yaml",
            "link app ROOT/link/data ROOT/up",
        ),
        (
            "link",
            Some("ROOT/link"),
            "-f compose.yaml",
            "link app ROOT/link/data ROOT/up",
        ),
        (
            "link",
            Some("ROOT/link"),
            "--project-directory .",
            "link app ROOT/link/data ROOT/up",
        ),
        (
            "link",
            Some("ROOT/link"),
            "--project-directory sub -f compose.yaml",
            "sub  ROOT/link/sub/data ROOT/link/up",
        ),
        (
            "link",
            Some("ROOT/link"),
            "-p named",
            "named app ROOT/link/data ROOT/up",
        ),
        (
            "link",
            Some("ROOT/link"),
            "--env-file ./.env -f ../link/compose.yaml",
            "link app ROOT/link/data ROOT/up",
        ),
        // Without links nothing is different.
        (
            "real",
            Some("ROOT/real"),
            "-f app/compose.yaml",
            "app app ROOT/real/app/data ROOT/real/up",
        ),
        (
            ".",
            Some("ROOT"),
            "-f link/compose.yaml",
            "link app ROOT/link/data ROOT/up",
        ),
    ] {
        let ran = config(&root, stand, pwd, line);
        assert_eq!(ran.code, 0, "{stand} {pwd:?} {line}: {}", ran.err);
        let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        let service = &json["services"]["a"];
        let found = format!(
            "{} {} {} {}",
            json["name"].as_str().unwrap(),
            service["environment"]["V"].as_str().unwrap(),
            service["volumes"][0]["source"].as_str().unwrap(),
            service["volumes"][1]["source"].as_str().unwrap(),
        );
        let found = found.replace(&*root.to_string_lossy(), "ROOT");
        assert_eq!(found, expected, "{stand} {pwd:?} {line}");
    }
}

#[test]
fn a_name_that_comes_from_a_link_is_told() {
    let (_keep, root) = tree();
    let told = "warning[named-by-link]: the project is named \"link\" after the symbolic link ROOT/link, which leads to ROOT/real/app\n = help: `name: link` in the file names the project the same, whichever way leads to it\n";
    for (stand, pwd, line, expected) in [
        ("link", "ROOT/link", "", told),
        (".", "ROOT", "-f link/compose.yaml", told),
        ("real", "ROOT/real", "--project-directory ../link", told),
        ("link", "ROOT/link", "-p link", ""),
        ("link", "ROOT/link", "--lint named-by-link=off", ""),
        ("real/app", "ROOT/real/app", "", ""),
    ] {
        let ran = config(&root, stand, Some(pwd), line);
        let err = ran.err.replace(&*root.to_string_lossy(), "ROOT");
        assert_eq!((ran.code, &*err), (0, expected), "{stand} {line}");
    }
}
