//! A port under TLS: what flags, variables and contexts say, and whose certificate is wrong.

use super::{COMPOSE, Door};
use crate::support::relay::Relay;
use crate::support::{Output, Stack};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Authorities and certificates by `openssl`: `server`, `old` (expired), `elsewhere` (of another host),
/// `cert` (a client's), `expired` (a client's), and `other-ca` with `stranger` (a client's).
fn certificates(folder: &Path) {
    const SCRIPT: &str = r#"
        set -e
        key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1" 2>/dev/null; }
        authority() {
            key "$2"
            openssl req -x509 -new -key "$2" -out "$1" -days 2 -subj "/CN=$1" 2>/dev/null
        }
        # sign NAME DAYS EXTENSION AUTHORITY
        sign() {
            key "$1-key.pem"
            openssl req -new -key "$1-key.pem" -subj "/CN=$1" -out "$1.csr" 2>/dev/null
            printf '%s\n' "$3" > ext
            openssl x509 -req -in "$1.csr" -CA "$4.pem" -CAkey "$4-key.pem" -CAcreateserial \
                -days "$2" -extfile ext -out "$1.pem" 2>/dev/null
        }
        authority ca.pem ca-key.pem
        authority other-ca.pem other-ca-key.pem
        here=subjectAltName=IP:127.0.0.1,DNS:localhost
        sign server 2 "$here" ca
        # `x509 -req` knows no beginning in the past.
        past() {
            key "$1-key.pem"
            openssl req -new -key "$1-key.pem" -subj "/CN=$1" -out "$1.csr" 2>/dev/null
            printf '%s\n' "$2" > ext
            printf '[ca]\ndefault_ca=d\n[d]\ndatabase=index\nserial=number\nnew_certs_dir=.\npolicy=p\n[p]\ncommonName=supplied\n' > ca.conf
            : > index
            openssl rand -hex 8 > number
            openssl ca -batch -config ca.conf -cert ca.pem -keyfile ca-key.pem -md sha256 -notext \
                -startdate 20200101000000Z -enddate 20210101000000Z -extfile ext -in "$1.csr" -out "$1.pem" 2>/dev/null
        }
        past old "$here"
        sign elsewhere 2 subjectAltName=DNS:engine.example ca
        sign cert 2 extendedKeyUsage=clientAuth ca
        past expired extendedKeyUsage=clientAuth
        sign stranger 2 extendedKeyUsage=clientAuth other-ca
        mv cert-key.pem key.pem
        openssl pkcs8 -topk8 -in key.pem -passout pass:x -out locked-key.pem
    "#;
    let output = Command::new("sh")
        .args(["-c", SCRIPT])
        .current_dir(folder)
        .output()
        .expect("sh");
    assert!(output.status.success(), "openssl: {output:?}");
}

#[test]
fn everything_works_under_tls() {
    let stack = Stack::new("door-tls", COMPOSE);
    let folder = tempfile::tempdir().expect("a directory");
    certificates(folder.path());
    let relay = Relay::secure(&stack.engine, folder.path(), "server");
    let place = folder.path().to_str().expect("a path");
    let variables = [
        ("DOCKER_HOST", relay.host()),
        ("DOCKER_TLS_VERIFY", "1".to_owned()),
        ("DOCKER_CERT_PATH", place.to_owned()),
    ];
    let variables = variables.each_ref().map(|(k, v)| (*k, v.as_str()));
    Door::new(&variables, &[]).walk(&stack);
}

#[test]
fn flags_and_contexts_say_the_same() {
    let stack = Stack::new("door-tls-ways", COMPOSE);
    let folder = tempfile::tempdir().expect("a directory");
    certificates(folder.path());
    let relay = Relay::secure(&stack.engine, folder.path(), "server");
    let host = relay.host();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (ca, cert, key) = (file("ca.pem"), file("cert.pem"), file("key.pem"));
    let flags = [
        "-H",
        &host,
        "--tlsverify",
        "--tlscacert",
        &ca,
        "--tlscert",
        &cert,
        "--tlskey",
        &key,
    ];
    Door::new(&[], &flags).run(&stack, &["ps"]).success();
    // Without a check of the engine its authority need not be known.
    let unchecked = ["-H", &host, "--tls", "--tlscert", &cert, "--tlskey", &key];
    Door::new(&[], &unchecked).run(&stack, &["ps"]).success();
    // The files of `docker context create`, under the SHA-256 of "test".
    let id = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    stack.write(
        &format!(".docker/contexts/meta/{id}/meta.json"),
        &format!(r#"{{"Name":"test","Endpoints":{{"docker":{{"Host":"{host}","SkipTLSVerify":false}}}}}}"#),
    );
    for name in ["ca.pem", "cert.pem", "key.pem"] {
        let text = std::fs::read_to_string(folder.path().join(name)).expect("a file");
        stack.write(&format!(".docker/contexts/tls/{id}/docker/{name}"), &text);
    }
    for door in [
        Door::new(&[], &["--context", "test"]),
        Door::new(&[("DOCKER_CONTEXT", "test")], &[]),
    ] {
        door.run(&stack, &["ps"]).success();
    }
    stack.write(".docker/config.json", r#"{"currentContext":"test"}"#);
    Door::new(&[], &[])
        .run(&stack, &["up", "-d", "db"])
        .success();
    assert_eq!(stack.one("db").state, "running");
    // A variable goes before the current context.
    Door::new(&[("DOCKER_HOST", "unix:///nowhere/engine.sock")], &[])
        .run(&stack, &["ps"])
        .code(1)
        .says(&["/nowhere/engine.sock"]);
}

#[test]
fn a_wrong_certificate_is_told_as_such() {
    let stack = Stack::new("door-tls-wrong", COMPOSE);
    let folder = tempfile::tempdir().expect("a directory");
    certificates(folder.path());
    let file = |name: &str| folder.path().join(name).display().to_string();
    let with = |relay: &Relay, ca: &str, own: Option<(&str, &str)>| -> Output {
        let host = relay.host();
        let mut flags = vec![
            "-H".to_owned(),
            host,
            "--tlsverify".into(),
            "--tlscacert".into(),
            file(ca),
        ];
        if let Some((cert, key)) = own {
            flags.extend(["--tlscert".into(), file(cert), "--tlskey".into(), file(key)]);
        }
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        Door::new(&[], &flags).run(&stack, &["up", "-d"])
    };
    let ours = Some(("cert.pem", "key.pem"));
    let server = Relay::secure(&stack.engine, folder.path(), "server");
    let old = Relay::secure(&stack.engine, folder.path(), "old");
    let elsewhere = Relay::secure(&stack.engine, folder.path(), "elsewhere");
    let plain = Relay::plain(&stack.engine, Duration::ZERO);
    for (output, words) in [
        (
            with(&old, "ca.pem", ours),
            "the engine's certificate has expired (2021-01-01T00:00:00Z)",
        ),
        (
            with(&elsewhere, "ca.pem", ours),
            "is not for 127.0.0.1, but for ",
        ),
        (with(&server, "other-ca.pem", ours), "is not signed by "),
        (
            with(&server, "ca.pem", None),
            "the engine asks for a certificate of ours",
        ),
        (
            with(&server, "ca.pem", Some(("expired.pem", "expired-key.pem"))),
            "expired.pem has expired (2021-01-01T00:00:00Z)",
        ),
        (
            with(
                &server,
                "ca.pem",
                Some(("stranger.pem", "stranger-key.pem")),
            ),
            "does not know the authority that has signed it",
        ),
        (
            with(&server, "ca.pem", Some(("cert.pem", "expired-key.pem"))),
            "are of no use",
        ),
        (
            with(&server, "ca.pem", Some(("cert.pem", "locked-key.pem"))),
            "is encrypted with a passphrase",
        ),
        (with(&server, "ext", ours), "ext holds no certificate"),
        (with(&plain, "ca.pem", ours), "does not speak TLS"),
    ] {
        let output = output
            .code(1)
            .says(&["cannot connect to tcp://127.0.0.1:", words]);
        assert_eq!(output.stderr.trim().lines().count(), 1, "{output}");
    }
    let output = Door::new(&[], &["-H", "tcp://127.0.0.1:1", "--tlsverify"])
        .run(&stack, &["ps"])
        .code(1)
        .says(&[
            "TLS to the engine: there is no ",
            "ca.pem",
            "DOCKER_CERT_PATH",
        ]);
    assert_eq!(output.stderr.trim().lines().count(), 1, "{output}");
    assert_eq!(stack.containers(), []);
}
