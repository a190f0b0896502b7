//! Images and project files to registries, with a login and under TLS.

use crate::registry::Registry;
use crate::required;
use crate::support::Stack;
use serde_json::json;
use std::process::{Command, Stdio};

/// The password is `secret`.
const LINE: &str = "me:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a";
const BASIC: &str = "bWU6c2VjcmV0";

fn log_in(stack: &Stack, registry: &Registry) {
    let config = json!({"auths": {registry.host(): {"auth": BASIC}}});
    stack.write(".docker/config.json", &config.to_string());
}

fn remove(stack: &Stack, image: &str) {
    let removed = stack
        .engine
        .request("DELETE", &format!("/images/{image}"), b"");
    removed.expect("the engine answers");
}

#[test]
fn what_is_built_goes_to_its_registry() {
    let registry = Registry::guarded(LINE, BASIC);
    let host = registry.host();
    let compose = format!(
        r#"
services:
  web:
    image: {host}/web:1
    build: {{context: ., dockerfile_inline: "FROM busybox\nRUN echo $RANDOM > /x", tags: ["{host}/web:2"]}}
  db: {{image: busybox}}
  lost:
    image: 127.0.0.1:1/lost
    build: {{context: ., dockerfile_inline: "FROM busybox"}}
"#
    );
    let stack = Stack::new("push", &compose);
    stack.run("build web lost").success();
    let refused = stack.run("push web").code(1);
    for words in [
        "no basic auth credentials",
        &format!("hint: {host} refuses the login: `docker login {host}`"),
    ] {
        assert!(refused.stderr.contains(words), "{words}: {refused}");
    }
    log_in(&stack, &registry);
    let pushed = stack.run("push web db").success();
    let lines = [
        format!(" {host}/web:1 Pushed \n"),
        format!(" {host}/web:2 Pushed \n"),
        " db Skipped \n".to_owned(),
    ];
    for line in &lines {
        assert!(pushed.stderr.contains(line), "{line}: {pushed}");
    }
    let failed = stack.run("push").code(1);
    assert!(failed.stderr.contains("127.0.0.1:1"), "{failed}");
    let ignored = stack.run("push -q --ignore-push-failures").success();
    assert!(ignored.stderr.contains(&lines[0]), "{ignored}");
    let planned = stack.run("--dry-run push web").success();
    assert!(planned.stderr.contains("it would be pushed"), "{planned}");
    for image in ["/web:1", "/web:2"] {
        remove(&stack, &format!("{host}{image}"));
    }
    remove(&stack, "127.0.0.1:1/lost");
    stack.run("pull web").success();
    remove(&stack, &format!("{host}/web:1"));
}

#[test]
fn a_project_is_published_and_read_again() {
    let registry = Registry::guarded(LINE, BASIC);
    let host = registry.host();
    let compose = format!(
        r#"
services:
  web:
    extends: {{file: base.yaml, service: base}}
    image: {host}/web:1
    build: {{context: ., dockerfile_inline: "FROM busybox"}}
    env_file: [web.env]
    environment: {{API_KEY: abcdefgh, LEVEL: "${{LEVEL:-info}}"}}
"#
    );
    let stack = Stack::new("publish", &compose);
    stack.write(
        "base.yaml",
        "services: {base: {image: busybox, user: nobody}}",
    );
    stack.write("web.env", "FROM_FILE=1");
    stack.run("build").success();
    let name = format!("{host}/stack:1");
    let refused = stack.run(&format!("publish -y {name}")).code(1);
    assert!(
        refused.stderr.contains(&format!("docker login {host}")),
        "{refused}"
    );
    log_in(&stack, &registry);
    // Nobody agrees.
    let asked = stack.run(&format!("publish {name}")).code(130);
    for words in [
        "env_file declared",
        "literal value for \"API_KEY\"",
        "Are you ok to publish",
    ] {
        assert!(asked.stdout.contains(words), "{words}: {asked}");
    }
    let read = |words: &str| stack.run(&format!("-f oci://{name} config {words}"));
    read("").code(1);
    let yes = stack
        .command(&format!("publish {name}"))
        .input("y\n")
        .run()
        .success();
    assert!(
        yes.stderr.contains(&format!(" {name} published \n")),
        "{yes}"
    );
    // Its variables' file stays at home.
    read("").code(1);
    stack
        .run(&format!("publish --with-env -y {name}"))
        .success();
    let config = read("").success().stdout;
    for words in [
        "user: nobody",
        "FROM_FILE: \"1\"",
        "LEVEL: info",
        &format!("image: {host}/web:1\n"),
    ] {
        assert!(config.contains(words), "{words}: {config}");
    }
    assert!(!read("--no-interpolate").stdout.contains("web.env"));
    stack
        .run(&format!(
            "publish --with-env -y --app --oci-version 1.0 {name}"
        ))
        .success();
    let config = read("").success().stdout;
    assert!(
        config.contains(&format!("image: {host}/web:1@sha256:")),
        "{config}"
    );
    stack.write("compose.yaml", "include: [base.yaml]");
    let refused = stack.run(&format!("publish -y {name}")).code(1);
    assert!(
        refused
            .stderr
            .starts_with("cannot publish compose file with local includes\n"),
        "{refused}"
    );
    stack.write("compose.yaml", "services: {web: {build: .}}");
    let refused = stack.run(&format!("publish -y {name}")).code(1);
    assert!(
        refused
            .stderr
            .contains("only contains a build section for service(s):\n- \"web\""),
        "{refused}"
    );
    remove(&stack, &format!("{host}/web:1"));
}

#[test]
fn a_project_is_published_under_tls() {
    let Some(address) = own_address() else {
        return required::not_run("network", "nobody to speak TLS to but this machine itself");
    };
    let stack = Stack::new("tls", "services: {web: {image: busybox}}");
    let settings = format!(
        "[req]\ndistinguished_name = name\n[name]\n[own]\nbasicConstraints = CA:FALSE\nsubjectAltName = IP:{address}\n"
    );
    stack.write("settings", &settings);
    let words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -keyout key.pem -out cert.pem -config settings -extensions own";
    let made = Command::new("openssl")
        .args(words.split(' '))
        .current_dir(stack.path())
        .stderr(Stdio::null())
        .status();
    assert!(made.expect("openssl").success());
    let (certificate, key) = (stack.path().join("cert.pem"), stack.path().join("key.pem"));
    let secure = Registry::start().under_tls(&certificate, &key);
    let name = format!("{address}:{}/stack:1", secure.port);
    let refused = stack.run(&format!("publish -y {name}")).code(1);
    assert!(refused.stderr.contains("certificate"), "{refused}");
    let trusting = |words: &str| {
        stack
            .command(words)
            .env("SSL_CERT_FILE", &certificate.display().to_string())
            .run()
            .success()
    };
    trusting(&format!("publish -y {name}"));
    let config = trusting(&format!("-f oci://{name} config")).stdout;
    assert!(config.contains("image: busybox"), "{config}");
}

/// An address of this machine that is not its loopback.
fn own_address() -> Option<String> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback()).then(|| address.to_string())
}
