//! What a project from elsewhere may do on this machine, and what others learn of its login.

use crate::canned::{self, Canned};
use crate::git::{self, git, repository, serve, serve_by_http};
use crate::program::{cached, fails, regatta, texts, works};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// `me:s3cret` as a login.
const LOGIN: &str = "Basic bWU6czNjcmV0";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a file").permissions().mode() & 0o777
}

/// Every file below a folder whose content holds a word.
fn holding(dir: &Path, word: &str) -> Vec<String> {
    let output = Command::new("grep")
        .args(["-rlaF", word])
        .arg(dir)
        .output()
        .expect("grep");
    texts(&output).0.lines().map(str::to_owned).collect()
}

#[test]
fn a_branch_is_the_one_of_that_very_name() {
    let temp = tempfile::tempdir().expect("a folder");
    let dir = temp.path();
    let app = repository(
        dir,
        "app",
        &[("compose.yaml", "services: {a: {image: main}}\n")],
    );
    let commit = |image: &str| {
        let text = format!("services: {{a: {{image: {image}}}}}\n");
        fs::write(app.join("compose.yaml"), text).expect("a file");
        git(&app, "commit -qam next");
    };
    // What `ls-remote main` would list first, by its ending.
    git(&app, "checkout -qb aaa/main");
    commit("other");
    git(&app, "checkout -qb both");
    commit("branch");
    git(&app, "tag annotated-first main");
    git(&app, "tag -am words annotated");
    git(&app, "tag both main");
    git(&app, "checkout -qb aaa/only");
    let server = serve(dir);
    let url = format!("git://127.0.0.1:{}/app", server.port);
    for (reference, image) in [
        ("main", "main"),
        ("aaa/main", "other"),
        ("both", "branch"),
        ("refs/tags/both", "main"),
        ("refs/heads/main", "main"),
        ("annotated", "branch"),
        ("annotated-first", "main"),
    ] {
        let url = format!("{url}#{reference}");
        let out = works(&mut regatta(dir, &["-f", &url, "config", "--images"]));
        assert_eq!(out.trim(), image, "{reference}");
    }
    for (reference, why) in [
        ("only", "has no branch or tag `only`"),
        ("heads/main", "has no branch or tag `heads/main`"),
        ("ma*", "`ma*` is not a branch, tag or commit"),
        (
            "annotated^{}",
            "`annotated^{}` is not a branch, tag or commit",
        ),
    ] {
        let url = format!("{url}#{reference}");
        fails(&mut regatta(dir, &["-f", &url, "config", "-q"]), &[why]);
    }
}

#[test]
fn a_login_is_told_to_git_and_to_nobody_else() {
    let temp = tempfile::tempdir().expect("a folder");
    let dir = temp.path();
    let project = "services:\n  a: {image: busybox}\n";
    let wrong = "services:\n  a: {imagge: busybox}\n";
    repository(
        dir,
        "app.git",
        &[("compose.yaml", project), ("wrong.yaml", wrong)],
    );
    let port = serve_by_http(dir, LOGIN);
    let url = format!("http://me:s3cret@127.0.0.1:{port}/app.git");
    // A git that writes down what any user of the machine can list.
    let bin = dir.join("bin");
    fs::create_dir(&bin).expect("a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let real = texts(&Command::new("which").arg("git").output().expect("git")).0;
    let text = format!(
        "#!/bin/sh\necho \"$*\" >> {}/argv\nexec {} \"$@\"\n",
        dir.display(),
        real.trim()
    );
    fs::write(bin.join("git"), text).expect("a program");
    fs::set_permissions(bin.join("git"), fs::Permissions::from_mode(0o755)).expect("a mode");
    let run = |arguments: &[&str]| {
        let mut command = regatta(dir, arguments);
        command.env("PATH", format!("{}:{path}", bin.display()));
        command
    };
    // A cache of an older version was open to all.
    let cache = dir.join("cache/docker-compose");
    fs::create_dir_all(&cache).expect("a folder");
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o755)).expect("a mode");
    let output = run(&["--debug", "-f", &url, "config"])
        .output()
        .expect("a run");
    let (out, err) = texts(&output);
    assert!(
        output.status.success() && out.contains("image: busybox"),
        "{out}{err}"
    );
    assert!(
        err.contains("ls-remote") && !err.contains("s3cret"),
        "{err}"
    );
    assert_eq!(mode(&cache), 0o700);
    assert_eq!(cached(dir).len(), 1);
    for word in ["s3cret", "bWU6czNjcmV0"] {
        assert_eq!(holding(&cache, word), [""; 0]);
        assert_eq!(holding(&dir.join("argv"), word), [""; 0]);
    }
    let argv = fs::read_to_string(dir.join("argv")).expect("calls");
    assert!(
        argv.contains(&format!("-- http://127.0.0.1:{port}/app.git")),
        "{argv}"
    );
    // Messages, with the line that holds the login and without.
    let refused = format!("http://me:nope@127.0.0.1:{port}/app.git");
    let token = format!("http://TOKEN@127.0.0.1:{port}/app.git");
    for (url, place) in [
        (&url, "#nope"),
        (&url, "#main:gone.yaml"),
        (&url, "#main:wrong.yaml"),
        (&url, "?colour=red"),
        (&refused, ""),
        (&token, ""),
    ] {
        let address = format!("{url}{place}");
        fs::write(
            dir.join("compose.yaml"),
            format!("include:\n  - '{address}'\n"),
        )
        .expect("a file");
        for arguments in [
            ["--debug", "-f", &address, "config", "-q"].as_slice(),
            &["config", "-q"],
            &["--diagnostics", "json", "config", "-q"],
            &["--diagnostics", "sarif", "config", "-q"],
        ] {
            let (out, err) = texts(&run(arguments).output().expect("a run"));
            let all = out + &err;
            for word in ["s3cret", "nope@", "TOKEN"] {
                assert!(!all.contains(word), "{arguments:?}: {all}");
            }
            assert!(all.contains("127.0.0.1"), "{arguments:?}: {all}");
        }
    }
    // The excerpt is underlined where it was.
    let (_, err) = texts(&run(&["config", "-q"]).output().expect("a run"));
    let lines: Vec<&str> = err.lines().collect();
    let at = lines
        .iter()
        .position(|line| line.contains("'http://*****@127"))
        .expect("an excerpt");
    let count = |line: &str, c: char| line.chars().filter(|found| *found == c).count();
    assert_eq!(count(lines[at + 1], '^'), token.len() + 2, "{err}");
}

#[test]
fn a_fetched_project_reads_its_own_files_alone() {
    let temp = tempfile::tempdir().expect("a folder");
    let dir = temp.path();
    let secret = dir.join("secret.env");
    fs::write(&secret, "PASSWORD=hunter2\n").expect("a file");
    fs::write(
        dir.join("outside.yaml"),
        "services: {base: {image: hunter2}}\n",
    )
    .expect("a file");
    let outside = dir.display().to_string();
    let service = |body: &str| format!("services:\n  a:\n    image: busybox\n    {body}\n");
    let out = "../".repeat(20);
    let files = [
        (
            "good.yaml",
            service(
                "env_file: [sub/own.env]\n    label_file: sub/own.env\n    extends: {file: sub/base.yaml, service: base}",
            ),
        ),
        ("sub/own.env", "A=1\n".into()),
        (
            "sub/base.yaml",
            "services: {base: {environment: {B: '2'}}}\n".into(),
        ),
        (
            "env.yaml",
            service(&format!("env_file: [{out}{outside}/secret.env]")),
        ),
        (
            "absolute.yaml",
            service(&format!("env_file: {outside}/secret.env")),
        ),
        ("variable.yaml", service("env_file: $HOME/secret.env")),
        (
            "optional.yaml",
            service(&format!(
                "env_file: [{{path: {outside}/secret.env, required: false}}]"
            )),
        ),
        (
            "label.yaml",
            service(&format!("label_file: {outside}/secret.env")),
        ),
        ("link.yaml", service("env_file: linked.env")),
        (
            "extends.yaml",
            service(&format!(
                "extends: {{file: {outside}/outside.yaml, service: base}}"
            )),
        ),
        (
            "include.yaml",
            format!("include:\n  - {outside}/outside.yaml\n"),
        ),
        (
            "include-env.yaml",
            format!("include:\n  - {{path: sub/base.yaml, env_file: {outside}/secret.env}}\n"),
        ),
        (
            "include-dir.yaml",
            format!("include:\n  - {{path: sub/base.yaml, project_directory: {outside}}}\n"),
        ),
        ("default-env.yaml", "include: [dot/base.yaml]\n".into()),
        (
            "dot/base.yaml",
            "services: {a: {image: \"$PASSWORD\"}}\n".into(),
        ),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(n, t)| (*n, t.as_str())).collect();
    let app = repository(dir, "app", &files);
    symlink(&secret, app.join("linked.env")).expect("a link");
    symlink(&secret, app.join("dot/.env")).expect("a link");
    git(&app, "add -A");
    git(&app, "commit -qm links");
    let server = serve(dir);
    let url = format!("git://127.0.0.1:{}/app#main:", server.port);
    let good = works(&mut regatta(
        dir,
        &["-f", &format!("{url}good.yaml"), "config"],
    ));
    assert!(
        good.contains("A: \"1\"") && good.contains("B: \"2\""),
        "{good}"
    );
    let own = format!("services: {{a: {{env_file: {outside}/secret.env}}}}\n");
    fs::write(dir.join("own.yaml"), own).expect("a file");
    let good = format!("{url}good.yaml");
    let both = ["-f", &good, "-f", "own.yaml", "config", "-q"];
    assert_eq!(
        works(&mut regatta(dir, &both)),
        "",
        "a file of this machine names what it likes"
    );
    for (file, place, what) in [
        ("env.yaml", "4:16", "env file"),
        ("absolute.yaml", "4:15", "env file"),
        ("variable.yaml", "4:15", "env file"),
        ("optional.yaml", "4:23", "env file"),
        ("label.yaml", "4:17", "label file"),
        ("link.yaml", "4:15", "env file"),
        ("extends.yaml", "4:21", "extended file"),
        ("include.yaml", "2:5", "included file"),
        ("include-env.yaml", "2:37", "env file"),
        ("include-dir.yaml", "2:12", "project directory"),
        ("default-env.yaml", "1:11", "env file"),
    ] {
        let file = format!("{url}{file}");
        for by in ["-f", "include", "extends"] {
            let local = match by {
                "-f" => None,
                "include" => Some(format!("include: ['{file}']\n")),
                _ if what != "env file" && what != "label file" => continue,
                _ if place.starts_with(['1', '2']) => continue,
                _ => Some(format!(
                    "services: {{own: {{extends: {{file: '{file}', service: a}}}}}}\n"
                )),
            };
            let given = match local {
                None => file.clone(),
                Some(text) => {
                    fs::write(dir.join("local.yaml"), text).expect("a file");
                    "local.yaml".to_owned()
                }
            };
            let err = fails(
                &mut regatta(dir, &["-f", &given, "config"]),
                &["leads out of what was fetched", what],
            );
            assert!(err.contains(&format!("--> {file}:{place}")), "{by}: {err}");
            assert!(!err.contains("hunter2"), "{by}: {err}");
        }
    }
    // A local file may give a fetched one the files of a folder.
    fs::create_dir_all(dir.join("mine/sub")).expect("a folder");
    fs::write(dir.join("mine/linked.env"), "A=mine\n").expect("a file");
    fs::write(
        dir.join("local.yaml"),
        format!("include: [{{path: '{url}link.yaml', project_directory: mine}}]\n"),
    )
    .expect("a file");
    let given = works(&mut regatta(dir, &["-f", "local.yaml", "config"]));
    assert!(given.contains("A: mine"), "{given}");
}

#[test]
fn nothing_is_run_out_of_the_folder_that_the_user_is_in() {
    let temp = tempfile::tempdir().expect("a folder");
    let dir = temp.path();
    repository(
        dir,
        "app",
        &[("compose.yaml", "services: {a: {image: busybox}}\n")],
    );
    let server = serve(dir);
    let url = format!("git://127.0.0.1:{}/app", server.port);
    let trap = format!("#!/bin/sh\ntouch {}/ran\n", dir.display());
    for name in ["git", "ssh", "docker-credential-x", "docker-buildx"] {
        fs::write(dir.join(name), &trap).expect("a program");
        fs::set_permissions(dir.join(name), fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    // What git would read there names programs, too.
    git(dir, "init -q");
    git(dir, &format!("config core.gitProxy {}/git", dir.display()));
    git(
        dir,
        &format!("config core.sshCommand {}/ssh", dir.display()),
    );
    let path = std::env::var("PATH").unwrap_or_default();
    for path in [format!(".:{path}"), format!(":{path}"), format!("{path}:")] {
        let out = works(regatta(dir, &["-f", &url, "config"]).env("PATH", &path));
        assert!(out.contains("busybox"), "{out}");
        let ssh = format!("ssh://git@127.0.0.1:{}/app", git::free_port());
        fails(
            regatta(dir, &["-f", &ssh, "config"]).env("PATH", &path),
            &["cannot fetch ssh://git@127.0.0.1"],
        );
        assert!(!dir.join("ran").exists(), "{path}");
    }
    for path in [".", ""] {
        fails(
            regatta(dir, &["-f", &url, "config"]).env("PATH", path),
            &["no absolute folder of PATH has it"],
        );
        assert!(!dir.join("ran").exists(), "{path}");
    }
}

/// Runs with answers on standard input; gives everything it wrote, and its code.
fn answered(dir: &Path, arguments: &[&str], answers: &str) -> (String, Option<i32>) {
    let mut child = regatta(dir, arguments)
        .env(
            "DOCKER_HOST",
            format!("unix://{}/engine.sock", dir.display()),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a run");
    let mut stdin = child.stdin.take().expect("a pipe");
    let _ = stdin.write_all(answers.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("its end");
    let (out, err) = texts(&output);
    (out + &err, output.status.code())
}

#[test]
fn a_project_that_is_named_second_is_asked_about_too() {
    let temp = tempfile::tempdir().expect("a folder");
    let dir = temp.path();
    repository(
        dir,
        "app",
        &[(
            "compose.yaml",
            "services: {a: {image: \"busybox:${TAG:-1}\"}}\n",
        )],
    );
    let server = serve(dir);
    let url = format!("git://127.0.0.1:{}/app", server.port);
    fs::write(dir.join("own.yaml"), "services: {b: {image: busybox}}\n").expect("a file");
    for files in [
        ["-f", &url, "-f", "own.yaml"],
        ["-f", "own.yaml", "-f", &url],
    ] {
        let arguments = [files.as_slice(), &["-p", "second", "up", "-d"]].concat();
        let (said, code) = answered(dir, &arguments, "n\n");
        assert!(
            said.contains("Do you want to proceed with these variables?"),
            "{said}"
        );
        assert!(said.contains("operation cancelled by user"), "{said}");
        assert_eq!(code, Some(1));
    }
}

/// The volumes of an engine that has nothing else.
static VOLUMES: Mutex<Vec<Value>> = Mutex::new(Vec::new());

/// An empty engine: it has the volumes that locks are made of.
fn empty_engine(path: &str, body: &[u8], _: &mut UnixStream) -> Option<Vec<u8>> {
    let mut volumes = VOLUMES.lock().unwrap_or_else(PoisonError::into_inner);
    Some(match path {
        "/volumes/create" => {
            let mut volume: Value = serde_json::from_slice(body).expect("JSON");
            volume["Driver"] = "local".into();
            volume["Mountpoint"] = "/v".into();
            volume["Scope"] = "local".into();
            volume["Options"] = Value::Null;
            volumes.push(volume.clone());
            canned::json(201, &volume.to_string())
        }
        "/volumes" => canned::json(200, &json!({"Volumes": *volumes}).to_string()),
        path if path.starts_with("/volumes/") => {
            volumes.retain(|volume| {
                Some(volume["Name"].as_str().unwrap_or("")) != path.rsplit('/').next()
            });
            canned::json(204, "")
        }
        _ => canned::json(200, "[]"),
    })
}

#[test]
fn a_program_that_came_along_is_not_run_unasked() {
    let temp = tempfile::tempdir().expect("a folder");
    let dir = temp.path();
    let _engine = Canned::new(dir, empty_engine);
    let said = dir.join("ran").display().to_string();
    let program = format!(
        "#!/bin/sh\n[ \"$2\" = metadata ] && {{ touch {said}-metadata; echo '{{\"description\":\"d\",\"up\":{{\"parameters\":[]}},\"down\":{{\"parameters\":[]}},\"stop\":{{\"parameters\":[]}}}}'; exit; }}\ntouch {said}\n"
    );
    // The program's commit is known before the project's, so that this can name it.
    let app = repository(
        dir,
        "app",
        &[
            ("run", &program),
            (
                "compose.yaml",
                "services: {b: {image: busybox, profiles: [p]}}\n",
            ),
        ],
    );
    fs::set_permissions(app.join("run"), fs::Permissions::from_mode(0o755)).expect("a mode");
    git(&app, "commit -qam mode");
    let first = git(&app, "rev-parse HEAD");
    let server = serve(dir);
    let url = format!("git://127.0.0.1:{}/app", server.port);
    let kind = "${HOME}/cache/docker-compose/FIRST/run".replace("FIRST", &first);
    let text =
        format!("include: ['{url}#{first}']\nservices: {{a: {{provider: {{type: '{kind}'}}}}}}\n");
    fs::write(app.join("compose.yaml"), &text).expect("a file");
    git(&app, "commit -qam project");
    // The same by a file of this machine, and by a link to the program.
    fs::write(dir.join("own.yaml"), &text).expect("a file");
    let link = format!(
        "services: {{a: {{provider: {{type: '{}/link'}}}}}}\n",
        dir.display()
    );
    symlink(
        dir.join("cache/docker-compose").join(&first).join("run"),
        dir.join("link"),
    )
    .expect("a link");
    fs::write(dir.join("link.yaml"), link).expect("a file");
    let question = "Do you want to run them? [y/N]: ";
    let ran = || {
        let names = [said.clone(), format!("{said}-metadata")];
        names
            .iter()
            .filter(|name| fs::remove_file(name).is_ok())
            .count()
    };
    for file in [url.as_str(), "own.yaml", "link.yaml"] {
        // The questions of `up` about the project itself come first.
        let others = if file == url { "y\ny\n" } else { "" };
        for (command, before) in [
            ("up -d", others),
            ("up", others),
            ("create", ""),
            ("stop", ""),
            ("down", ""),
            ("start", ""),
            ("restart", ""),
        ] {
            let arguments = [
                &["-p", "came", "-f", file],
                command.split(' ').collect::<Vec<_>>().as_slice(),
            ]
            .concat();
            for answer in ["", "n\n"] {
                let (out, code) = answered(dir, &arguments, &format!("{before}{answer}"));
                assert_eq!(ran(), 0, "{arguments:?}: {out}");
                if out.contains(question) {
                    assert!(out.contains("operation cancelled by user"), "{out}");
                    assert!(out.contains("(service a)"), "{out}");
                    assert_eq!(code, Some(1), "{out}");
                } else {
                    // Nothing of it is run by this command.
                    assert!(
                        matches!(command, "start" | "restart"),
                        "{arguments:?}: {out}"
                    );
                }
            }
            let (out, _) = answered(dir, &arguments, &format!("{before}y\n"));
            assert_eq!(out.contains(question), ran() > 0, "{arguments:?}: {out}");
            let asks = !matches!(command, "start" | "restart");
            assert!(out.contains(question) || !asks, "{arguments:?}: {out}");
        }
        let arguments = ["-p", "came", "-f", file, "up", "-d", "-y"];
        let (out, code) = answered(dir, &arguments, "");
        assert_eq!((ran(), code), (2, Some(0)), "{out}");
        assert!(!out.contains(question), "{out}");
        let arguments = ["-p", "came", "-f", file, "--dry-run", "up", "-d"];
        let (out, _) = answered(dir, &arguments, "");
        assert_eq!(ran(), 0, "{out}");
    }
}

#[test]
fn a_broken_config_file_is_told_and_stops_nothing() {
    let temp = tempfile::tempdir().expect("a folder");
    let dir = temp.path();
    let _engine = Canned::new(dir, empty_engine);
    fs::create_dir(dir.join(".docker")).expect("a folder");
    let path = dir.join(".docker/config.json");
    for (text, told) in [
        ("", ""),
        (
            "{\"credHelpers\": null, \"proxies\": {\"default\": null}}",
            "",
        ),
        (
            "{\"auths\": {\"a\": {\"auth\": \"aHVudGVy",
            ":1:35: the file ends in the middle",
        ),
        ("{\n \"auths\": []}", ":2:11: auths must be an object"),
    ] {
        fs::write(&path, text).expect("a file");
        let (out, code) = answered(dir, &["-p", "broken", "ps"], "");
        assert_eq!(code, Some(0), "{text}: {out}");
        let place = format!("{}{told}", path.display());
        assert_eq!(
            out.matches("config.json").count(),
            usize::from(!told.is_empty()),
            "{out}"
        );
        assert!(told.is_empty() || out.contains(&place), "{text}: {out}");
    }
}
