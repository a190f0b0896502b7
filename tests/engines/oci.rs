//! Project files from registries: Debian's `docker-registry` on this machine, and servers that do
//! what no registry should.

use crate::program::{cached, fails, regatta, texts, works};
use crate::registry::{Registry, digest};
use crate::required;
use crate::servers::{Canned, answer, proxy};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const PROJECT: &str = "application/vnd.docker.compose.project";
const COMPOSE_FILE: &str = "application/vnd.docker.compose.file+yaml";
const ENV_FILE: &str = "application/vnd.docker.compose.envfile";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

const MAIN: &str = "services:
  web: {image: busybox, env_file: 0e.env, volumes: ['./data:/data']}
  ext:
    extends: {file: 0f.yaml, service: base}
";
const OVER: &str = "services:\n  web: {labels: {over: 'yes'}}\n";
const BASE: &str = "services:\n  base: {image: alpine}\n";

fn layer(kind: &str, content: &str, notes: Value) -> Value {
    json!({
        "mediaType": kind,
        "digest": digest(content.as_bytes()),
        "size": content.len(),
        "annotations": notes,
    })
}

fn manifest(layers: Vec<Value>) -> Value {
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": PROJECT,
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest(b"{}"), "size": 2},
        "layers": layers,
    })
}

/// Publishes a project of four files; gives its digest.
fn publish(registry: &Registry, name: &str, main: &str) -> String {
    let file = "com.docker.compose.file";
    let layers = vec![
        layer(COMPOSE_FILE, main, json!({file: "compose.yaml"})),
        layer(COMPOSE_FILE, OVER, json!({file: "over.yaml"})),
        layer(
            COMPOSE_FILE,
            BASE,
            json!({file: "0f.yaml", "com.docker.compose.extends": "true"}),
        ),
        layer(
            ENV_FILE,
            "A=1\n",
            json!({"com.docker.compose.envfile": "0e.env"}),
        ),
    ];
    for content in [main, OVER, BASE, "A=1\n", "{}"] {
        registry.put_blob(name, content.as_bytes());
    }
    registry.put_manifest(name, "1", &manifest(layers))
}

#[test]
fn a_project_from_a_registry() {
    let temp = tempfile::tempdir().expect("a folder");
    let dir = temp.path();
    let registry = Registry::start();
    let host = registry.host();
    let first = publish(&registry, "me/app", MAIN);
    let url = format!("oci://{host}/me/app:1");
    let root = |digest: &str| {
        let hex = digest.trim_start_matches("sha256:");
        dir.join("cache/docker-compose").join(hex)
    };
    let out = works(&mut regatta(dir, &["-f", &url, "config"]));
    let bind = format!("source: {}/data", root(&first).display());
    for words in ["over: 'yes'", "A: \"1\"", "image: alpine", &bind] {
        assert!(out.contains(words), "{words}: {out}");
    }
    assert_eq!(cached(dir), [root(&first)]);

    // Included and extended.
    fs::write(
        dir.join("both.yaml"),
        format!(
            "include: ['{url}']\nservices:\n  own: {{extends: {{file: '{url}', service: web}}}}\n"
        ),
    )
    .expect("a file");
    let out = works(&mut regatta(dir, &["-f", "both.yaml", "config"]));
    assert_eq!(out.matches(&bind).count(), 2, "{out}");

    // A tag is looked up again. What is in the cache but not whole is made anew.
    let second = publish(&registry, "me/app", &MAIN.replace("busybox", "debian"));
    let out = works(&mut regatta(dir, &["-f", &url, "config"]));
    assert!(out.contains("image: debian"), "{out}");
    let data = root(&second).join("data");
    fs::create_dir(&data).expect("a folder");
    fs::write(root(&second).join("compose.yaml"), "services: {}").expect("a file");
    let out = works(&mut regatta(dir, &["-f", &url, "config"]));
    assert!(out.contains("image: debian"), "{out}");
    assert!(data.exists(), "what containers keep there stays");
    // An index leads to the project.
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{"mediaType": MANIFEST, "artifactType": PROJECT, "digest": first, "size": 1}],
    });
    registry.put_manifest("me/app", "bundle", &index);
    let bundle = format!("oci://{host}/me/app:bundle");
    let out = works(&mut regatta(dir, &["-f", &bundle, "config"]));
    assert!(out.contains("image: busybox"), "{out}");
    assert_eq!(cached(dir).len(), 3);

    // A mistake in a remote file has its place there.
    publish(
        &registry,
        "wrong",
        &MAIN.replace("image: busybox", "imagge: busybox"),
    );
    let wrong = format!("oci://{host}/wrong:1");
    let place = format!("--> {wrong}/compose.yaml:2:9");
    fails(
        &mut regatta(dir, &["-f", &wrong, "config", "-q"]),
        &[&place, "imagge"],
    );

    // A digest needs no registry the second time; a tag does.
    drop(registry);
    let pinned = format!("oci://{host}/me/app@{first}");
    let out = works(&mut regatta(dir, &["-f", &pinned, "config"]));
    assert!(out.contains("image: busybox"), "{out}");
    fails(
        &mut regatta(dir, &["-f", &url, "config", "-q"]),
        &["error[remote-file]", &url, "cannot be reached", "refused"],
    );
}

#[test]
fn what_cannot_be_had_is_said_where_it_is_asked_for() {
    let temp = tempfile::tempdir().expect("a folder");
    let dir = temp.path();
    let registry = Registry::start();
    let host = registry.host();
    registry.put_blob("image", b"{}");
    let image = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": digest(b"{}"), "size": 2},
        "layers": [],
    });
    registry.put_manifest("image", "1", &image);
    for (name, why) in [
        ("gone:1", "has no such artifact"),
        (
            "image:1",
            "it is not a Compose project, but has application/vnd.docker.container.image.v1+json",
        ),
        ("UPPER:1", "repository name must be lowercase"),
    ] {
        let url = format!("oci://{host}/{name}");
        fs::write(dir.join("compose.yaml"), format!("include:\n  - '{url}'\n")).expect("a file");
        let place = "--> compose.yaml:2:5";
        fails(
            &mut regatta(dir, &["config", "-q"]),
            &["error[remote-file]: include", place, &url, why],
        );
    }
    let url = format!("oci://{host}/image:1");
    let mut off = regatta(dir, &["-f", &url, "config", "-q"]);
    fails(
        off.env("COMPOSE_EXPERIMENTAL_OCI_REMOTE", "0"),
        &["OCI remote resource is disabled by \"COMPOSE_EXPERIMENTAL_OCI_REMOTE\""],
    );
    let mut unclear = regatta(dir, &["-f", &url, "config", "-q"]);
    fails(
        unclear.env("COMPOSE_EXPERIMENTAL_OCI_REMOTE", "maybe"),
        &["expects boolean value"],
    );
    assert!(cached(dir).is_empty());
}

#[test]
fn a_registry_that_wants_a_password() {
    let temp = tempfile::tempdir().expect("a folder");
    let dir = temp.path();
    // The password is `secret`.
    let line = "me:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a";
    let registry = Registry::guarded(line, "bWU6c2VjcmV0");
    publish(&registry, "app", MAIN);
    let host = registry.host();
    let url = format!("oci://{host}/app:1");
    let run = || regatta(dir, &["-f", &url, "config"]);
    let login = format!("docker login {host}");
    fails(
        &mut run(),
        &["does not let us in", "a name and a password", &login],
    );
    let config = |auth: &str| {
        fs::create_dir_all(dir.join(".docker")).expect("a folder");
        let text = json!({"auths": {host.as_str(): {"auth": auth}}}).to_string();
        fs::write(dir.join(".docker/config.json"), text).expect("a file");
    };
    config("bWU6d3Jvbmc=");
    fails(&mut run(), &["does not let us in", "401"]);
    config("bWU6c2VjcmV0");
    assert!(works(&mut run()).contains("image: busybox"));
}

fn one_file(content: &str) -> String {
    let notes = json!({"com.docker.compose.file": "compose.yaml"});
    manifest(vec![layer(COMPOSE_FILE, content, notes)]).to_string()
}

const SMALL: &str = "services: {web: {image: busybox}}\n";

#[test]
fn tokens_and_redirects() {
    let temp = tempfile::tempdir().expect("a folder");
    let dir = temp.path();
    // Where the blobs are: it must not see what is meant for the registry.
    let store = Canned::new(|_, head| {
        assert!(!head.to_lowercase().contains("authorization"), "{head}");
        answer("200 OK", "", SMALL)
    });
    let elsewhere = store.port;
    let server = Canned::new(move |port, head| {
        let challenge = format!(
            "WWW-Authenticate: Bearer realm=\"http://127.0.0.1:{port}/token?a=b\",service=\"r s\",scope=\"repository:app:pull\"\r\n"
        );
        let is = |start: &str| head.starts_with(start);
        let blob = format!("Location: http://127.0.0.1:{elsewhere}/blob\r\n");
        match head.contains("authorization: Bearer t0ken\r\n") {
            _ if is("GET /token?a=b&service=r%20s&scope=repository%3Aapp%3Apull ") => {
                answer("200 OK", "", "{\"access_token\": \"t0ken\"}")
            }
            false => answer("401 Unauthorized", &challenge, "{}"),
            true if is("GET /v2/app/manifests/1 ") => answer("200 OK", "", &one_file(SMALL)),
            true if is("GET /v2/app/blobs/sha256:") => answer("307 Temporary Redirect", &blob, ""),
            true => answer("404 Not Found", "", ""),
        }
    });
    let out = works(&mut regatta(dir, &["-f", &server.url(), "config"]));
    assert!(out.contains("image: busybox"), "{out}");
}

/// What `docker login` leaves for registries that give out tokens for good is exchanged for one.
#[test]
fn an_identity_token() {
    let temp = tempfile::tempdir().expect("a folder");
    let dir = temp.path();
    let server = Canned::new(move |port, head| {
        let challenge = format!(
            "WWW-Authenticate: Bearer realm=\"http://127.0.0.1:{port}/token\",service=\"s\"\r\n"
        );
        let is = |start: &str| head.starts_with(start);
        match head.contains("authorization: Bearer t0ken\r\n") {
            _ if is("POST /token ") => {
                let form = "service=s&scope=repository%3Aapp%3Apull&grant_type=refresh_token&client_id=regatta&refresh_token=for-good";
                match head.ends_with(form) {
                    true => answer("200 OK", "", "{\"access_token\": \"t0ken\"}"),
                    false => answer("403 Forbidden", "", "{}"),
                }
            }
            false => answer("401 Unauthorized", &challenge, "{}"),
            true if is("GET /v2/app/manifests/1 ") => answer("200 OK", "", &one_file(SMALL)),
            true => answer("200 OK", "", SMALL),
        }
    });
    fs::create_dir_all(dir.join(".docker")).expect("a folder");
    let host = format!("127.0.0.1:{}", server.port);
    let login = |token: &str| {
        let text = json!({"auths": {host.as_str(): {"identitytoken": token}}}).to_string();
        fs::write(dir.join(".docker/config.json"), text).expect("a file");
    };
    login("wrong");
    let mut run = regatta(dir, &["-f", &server.url(), "config"]);
    fails(&mut run, &["gives no token: 403"]);
    login("for-good");
    let out = works(&mut regatta(dir, &["-f", &server.url(), "config"]));
    assert!(out.contains("image: busybox"), "{out}");
}

#[test]
fn servers_that_do_what_they_should_not() {
    let temp = tempfile::tempdir().expect("a folder");
    let dir = temp.path();
    let with_blob = |blob: fn() -> Option<Vec<u8>>| {
        Canned::new(move |_, head| match head.contains("/manifests/") {
            true => answer("200 OK", "", &one_file(SMALL)),
            false => blob(),
        })
    };
    let large = || {
        let content = "a".repeat(17 << 20);
        Canned::new(move |_, _| answer("200 OK", "", &content))
    };
    let of = |status: &'static str, headers: &'static str, body: &'static str| {
        Canned::new(move |_, _| answer(status, headers, body))
    };
    for (server, why) in [
        (
            with_blob(|| answer("200 OK", "", "services: {evil: {}}            ")),
            "sends something else",
        ),
        (
            with_blob(|| answer("200 OK", "", &"x".repeat(9999))),
            "sends more than",
        ),
        (
            with_blob(|| answer("404 Not Found", "", "")),
            "lacks sha256:",
        ),
        (
            with_blob(|| Some(b"HTTP/1.1 200 OK\r\nContent-Length: 34\r\n\r\nserv".to_vec())),
            "cannot be reached",
        ),
        (
            with_blob(|| Some(b"nonsense\r\n\r\n".to_vec())),
            "cannot be reached",
        ),
        (large(), "sends more than"),
        (of("200 OK", "", "<html>"), "its manifest cannot be read"),
        (
            of("307 Temporary Redirect", "Location: /v2/x\r\n", ""),
            "leads in circles",
        ),
        (
            of("307 Temporary Redirect", "Location: ftp://x\r\n", ""),
            "which is no address",
        ),
        (
            of(
                "403 Forbidden",
                "",
                "{\"errors\": [{\"message\": \"de\\u001b[31mnied\"}]}",
            ),
            "does not let us in: 403: de[31mnied",
        ),
        (of("500 Oops", "", ""), "answers 500"),
        (of("401 Unauthorized", "", ""), "does not say how to log in"),
    ] {
        let url = server.url();
        fails(
            &mut regatta(dir, &["-f", &url, "config"]),
            &["error[remote-file]", &url, why],
        );
        assert!(cached(dir).is_empty(), "{why}: {:?}", cached(dir));
    }
}

#[test]
fn broken_off_in_the_middle() {
    let temp = tempfile::tempdir().expect("a folder");
    let dir = temp.path();
    let silent = Canned::new(|_, head| match head.contains("/manifests/") {
        true => answer("200 OK", "", &one_file(SMALL)),
        false => None,
    });
    let url = silent.url();
    for (signal, code) in [("INT", Some(130)), ("TERM", Some(143)), ("KILL", None)] {
        let mut run = regatta(dir, &["-f", &url, "config"]);
        let mut child = run
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a run");
        std::thread::sleep(Duration::from_millis(300));
        assert!(child.try_wait().expect("a child").is_none(), "it waits");
        let kill = Command::new("kill")
            .args([format!("-{signal}"), child.id().to_string()])
            .status();
        assert!(kill.expect("kill").success());
        let start = Instant::now();
        let status = child.wait().expect("its end");
        assert!(start.elapsed() < Duration::from_secs(5));
        assert_eq!(status.code(), code, "{signal}");
        assert!(cached(dir).is_empty(), "{signal}: {:?}", cached(dir));
    }
}

/// An address of this machine that is not the loopback's, which TLS is spoken to.
fn own_address() -> Option<String> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback()).then(|| address.to_string())
}

#[test]
fn under_tls() {
    let temp = tempfile::tempdir().expect("a folder");
    let dir = temp.path();
    let Some(address) = own_address() else {
        return required::not_run("network", "nobody to speak TLS to but this machine itself");
    };
    let settings = format!(
        "[req]\ndistinguished_name = name\n[name]\n[own]\nbasicConstraints = CA:FALSE\nsubjectAltName = IP:{address}\n"
    );
    fs::write(dir.join("settings"), settings).expect("a file");
    let words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -keyout key.pem -out cert.pem -config settings -extensions own";
    let made = Command::new("openssl")
        .args(words.split(' '))
        .current_dir(dir)
        .stderr(Stdio::null())
        .status();
    assert!(made.expect("openssl").success());
    let registry = Registry::start();
    publish(&registry, "app", MAIN);
    let secure = registry.under_tls(&dir.join("cert.pem"), &dir.join("key.pem"));
    let url = format!("oci://{address}:{}/app:1", secure.port);
    fails(
        &mut regatta(dir, &["-f", &url, "config"]),
        &["cannot be reached", "certificate"],
    );
    let mut run = regatta(dir, &["-f", &url, "config"]);
    let out = works(run.env("SSL_CERT_FILE", dir.join("cert.pem")));
    assert!(out.contains("image: busybox"), "{out}");
    // Through a proxy, which the environment names.
    let (port, passed) = proxy();
    let through = |who: &str| {
        let mut run = regatta(dir, &["-f", &url, "config"]);
        run.env("SSL_CERT_FILE", dir.join("cert.pem"));
        run.env("HTTPS_PROXY", format!("http://{who}127.0.0.1:{port}"));
        run
    };
    fails(&mut through(""), &["the proxy answers", "407"]);
    assert!(works(&mut through("me:pw@")).contains("image: busybox"));
    assert!(
        passed.load(Ordering::SeqCst) > 0,
        "it went through the proxy"
    );
    // A plain registry there has to be named as one.
    let plain = Registry::start_on("0.0.0.0");
    publish(&plain, "app", MAIN);
    let host = format!("{address}:{}", plain.port);
    let url = format!("oci://{host}/app:1");
    let mut run = regatta(dir, &["-f", &url, "config"]);
    fails(
        run.env("SSL_CERT_FILE", dir.join("cert.pem")),
        &["cannot be reached"],
    );
    let out = works(&mut regatta(
        dir,
        &["--insecure-registry", &host, "-f", &url, "config"],
    ));
    assert!(out.contains("image: busybox"), "{out}");
}

/// One answer for everything, for as long as it is asked.
fn asked(dir: &Path, url: &str, words: &[&str], answers: &str) -> (String, Option<i32>) {
    let mut command = regatta(dir, &["-p", "asked", "-f", url]);
    let mut child = command
        .args(words)
        // Nobody is there: what is asked comes first.
        .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
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
    let reached = err.contains("/nowhere/docker.sock");
    let cancelled = err.contains("operation cancelled by user");
    assert!(reached != cancelled, "{out}{err}");
    (out, cancelled.then_some(1))
}

#[test]
fn what_is_asked_before_a_project_from_elsewhere_runs() {
    let temp = tempfile::tempdir().expect("a folder");
    let dir = temp.path();
    let registry = Registry::start();
    let with_variable = MAIN.replace("busybox", "'busybox:${TAG:-1}'");
    let digest = publish(&registry, "app", &with_variable);
    let url = format!("oci://{}/app:1", registry.host());
    let including = format!("include: ['{url}']\nservices:\n  own: {{image: busybox}}\n");
    publish(&registry, "all", &including);
    let all = format!("oci://{}/all:1", registry.host());
    let table = "
Found the following variables in configuration:
VARIABLE   VALUE   SOURCE         REQUIRED   DEFAULT
TAG        1       compose file   no         1

Do you want to proceed with these variables? [Y/n]: ";
    let root = dir.join("cache/docker-compose").join(&digest[7..]);
    let stored = format!(
        "Your compose stack {url:?} is stored in {:?}\n",
        root.display().to_string()
    );
    let cancelled = Some(1);
    for (answers, ended) in [
        ("y\n", None),
        ("n\n", cancelled),
        ("\n", cancelled),
        ("", cancelled),
    ] {
        let (out, end) = asked(dir, &url, &["up", "-d"], answers);
        assert_eq!(out, format!("{stored}{table}"));
        assert_eq!(end, ended, "{answers:?}");
    }
    let (out, end) = asked(dir, &url, &["up", "-d", "-y"], "");
    assert_eq!((out, end), (stored, None));
    // Nothing is asked of a command that does not run the project's containers anew.
    let (out, end) = asked(dir, &url, &["create"], "");
    assert_eq!((out.as_str(), end), ("", None));
    // What it includes from elsewhere is asked about first.
    let (out, end) = asked(dir, &all, &["up", "-d"], "n\n");
    for words in [
        "includes files from remote sources:\n",
        &format!("  - {url}\n"),
        "Do you want to continue? [y/N]: ",
    ] {
        assert!(out.contains(words), "{words}: {out}");
    }
    assert!(!out.contains("is stored in"), "{out}");
    assert_eq!(end, cancelled);
    let (out, end) = asked(dir, &all, &["up", "-d"], "y\ny\n");
    assert!(out.contains("TAG        1 "), "{out}");
    assert_eq!(end, None);
}
