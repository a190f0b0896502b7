//! Project files from elsewhere, fetched from servers on this machine's loopback.

use crate::git::{Server, git, serve};
use crate::program::{cached, fails, regatta, texts, works};
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// `git daemon` over a folder with one repository, `app`.
fn git_server(dir: &Path) -> Server {
    let app = dir.join("srv/app");
    fs::create_dir_all(app.join("deploy")).expect("folders");
    let write = |name: &str, text: &str| fs::write(app.join(name), text).expect("a file");
    write(
        "compose.yaml",
        "services: {web: {image: busybox, volumes: ['./data:/data'], env_file: web.env}}\n",
    );
    write("web.env", "A=1\n");
    write(
        "deploy/base.yaml",
        "services:\n  base: {image: alpine, volumes: ['./x:/x']}\n",
    );
    write(
        "deploy/wrong.yaml",
        "services:\n  web:\n    imagge: busybox\n",
    );
    std::os::unix::fs::symlink("/etc/hostname", app.join("out.yaml")).expect("a link");
    git(&app, "init -q -b main");
    git(&app, "add -A");
    git(&app, "commit -qm first");
    serve(dir)
}

#[test]
fn a_project_from_git() {
    let temp = tempfile::tempdir().expect("a folder");
    let dir = temp.path();
    let server = git_server(dir);
    let url = format!("git://127.0.0.1:{}/app", server.port);
    let app = dir.join("srv/app");
    let first = git(&app, "rev-parse HEAD");
    let root = dir.join("cache/docker-compose").join(&first);

    let out = works(&mut regatta(dir, &["-f", &url, "config"]));
    assert!(
        out.contains(&format!("source: {}/data", root.display())),
        "{out}"
    );
    assert!(out.contains("A: \"1\""), "{out}");
    // Included and extended: the paths are those of the repository.
    fs::write(
        dir.join("both.yaml"),
        format!(
            "include: ['{url}']\nservices:\n  own: {{extends: {{file: '{url}#main:deploy/base.yaml', service: base}}}}\n"
        ),
    )
    .expect("a file");
    let out = works(&mut regatta(dir, &["-f", "both.yaml", "config"]));
    for path in ["data", "x"] {
        let line = format!("source: {}/{path}", root.display());
        assert!(out.contains(&line), "{line}: {out}");
    }

    // A branch is looked up again; a commit is not, nor is a server needed for it.
    git(&app, "commit -q --allow-empty -m second");
    let second = git(&app, "rev-parse HEAD");
    let out = works(&mut regatta(dir, &["-f", &url, "config"]));
    assert!(out.contains(&second), "{out}");
    assert_eq!(cached(dir).len(), 2);
    drop(server);
    let out = works(&mut regatta(
        dir,
        &["-f", &format!("{url}#{first}"), "config"],
    ));
    assert!(out.contains(&first), "{out}");
    let err = fails(&mut regatta(dir, &["-f", &url, "config", "-q"]), &[]);
    assert!(
        err.contains("error[remote-file]: cannot fetch git://"),
        "{err}"
    );
}

#[test]
fn what_cannot_be_had_from_git_is_said_where_it_is_asked_for() {
    let temp = tempfile::tempdir().expect("a folder");
    let dir = temp.path();
    let server = git_server(dir);
    let url = format!("git://127.0.0.1:{}/app", server.port);
    let table = [
        ("#nope", "has no branch or tag `nope`"),
        ("#main:deploy", "no compose.yaml, compose.yml"),
        ("#main:gone.yaml", "there is no gone.yaml"),
        ("#main:out.yaml", "out.yaml leads out of the repository"),
        ("#--upload-pack=touch", "is not a branch, tag or commit"),
        ("?checksum=0123#main", "not at 0123"),
    ];
    for (place, why) in table {
        fs::write(
            dir.join("compose.yaml"),
            format!("include:\n  - '{url}{place}'\n"),
        )
        .expect("a file");
        let err = fails(&mut regatta(dir, &["config", "-q"]), &[]);
        assert!(
            err.contains("error[remote-file]: include: "),
            "{place}: {err}"
        );
        assert!(err.contains("--> compose.yaml:2:5"), "{place}: {err}");
        assert!(err.contains(why), "{place}: {err}");
    }
    // A mistake in a remote file has its place there.
    let wrong = format!("{url}#main:deploy/wrong.yaml");
    let err = fails(&mut regatta(dir, &["-f", &wrong, "config", "-q"]), &[]);
    assert!(err.contains(&format!("--> {wrong}:3:5")), "{err}");
    // Switched off.
    let output = regatta(dir, &["-f", &url, "config", "-q"])
        .env("COMPOSE_EXPERIMENTAL_GIT_REMOTE", "false")
        .output()
        .expect("a run");
    let (_, err) = texts(&output);
    assert!(
        err.contains("disabled by \"COMPOSE_EXPERIMENTAL_GIT_REMOTE\""),
        "{err}"
    );
}

#[test]
fn a_broken_checkout_is_made_again_and_two_at_once_both_work() {
    let temp = tempfile::tempdir().expect("a folder");
    let dir = temp.path();
    let server = git_server(dir);
    let url = format!("git://127.0.0.1:{}/app", server.port);
    let commit = git(&dir.join("srv/app"), "rev-parse HEAD");
    // What a checkout leaves that was killed before its end.
    let root = dir.join("cache/docker-compose").join(&commit);
    fs::create_dir_all(&root).expect("a folder");
    git(&root, "init -q");
    let runs: Vec<Child> = (0..4)
        .map(|_| {
            let mut command = regatta(dir, &["-f", &url, "config", "-q"]);
            command.stderr(Stdio::piped()).spawn().expect("a run")
        })
        .collect();
    for run in runs {
        let output = run.wait_with_output().expect("its end");
        assert!(output.status.success(), "{:?}", texts(&output));
    }
    assert_eq!(cached(dir), [root], "nothing is left behind");
}

#[test]
fn a_fetch_that_does_not_end() {
    let temp = tempfile::tempdir().expect("a folder");
    let dir = temp.path();
    // It takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let url = format!("git://127.0.0.1:{port}/app");
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let mut command = regatta(dir, &["-f", &url, "config"]);
        let child = command.stderr(Stdio::piped()).spawn().expect("a run");
        std::thread::sleep(Duration::from_millis(2500));
        let kill = Command::new("kill")
            .args([format!("-{signal}"), child.id().to_string()])
            .status();
        assert!(kill.expect("kill").success());
        let start = Instant::now();
        let output = child.wait_with_output().expect("its end");
        let (_, err) = texts(&output);
        assert!(start.elapsed() < Duration::from_secs(5));
        assert_eq!(output.status.code(), Some(code), "{err}");
        assert!(err.contains(&format!("Fetching {url} …")), "{err}");
        assert!(
            !dir.join("cache/docker-compose").exists(),
            "nothing is left behind"
        );
    }
    // Nobody waits for ever.
    let settings = regatta::remote::Settings {
        cache: Some(dir.join("cache")),
        limit: Some(Duration::from_millis(100)),
        ..regatta::remote::Settings::default()
    };
    let files = regatta::remote::RemoteFiles::new(settings);
    let failed = regatta::load::Files::fetch(&files, &url).expect_err("no answer");
    assert!(failed.why.contains("took too long"), "{failed:?}");
}
