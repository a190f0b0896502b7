//! Canaries in every place of a project and of an engine's answers: secrets, and characters that a
//! terminal obeys. None of them comes out.

use crate::hostile_process::REGATTA;
use crate::scripted::Scripted;
use serde_json::json;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Clears a screen, sets a window's title, C1, turns text around, has no width.
const CONTROL: &str = "x\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}31m\u{202e}\u{200b}y";

/// The same as YAML writes it.
const ESCAPED: &str = r"x\e[2J\e]0;t\a\x9b31m\u202e\u200by";

/// A secret in each place that holds one. `v` stands for what is changed.
fn project(v: &str) -> String {
    format!(
        r#"name: shop
services:
  web:
    image: busybox
    entrypoint: sh -c "exec app --token=canary-entry{v} --user me"
    command: [redis-server, --requirepass, canary command{v}]
    environment:
      DB_PASSWORD: canary-password{v}
      MYSQL_PWD: canary-pwd{v}
      SENTRY_DSN: canary-dsn{v}
      DATABASE_URL: postgres://app:canary-url{v}@db/x
      REPOSITORY: https://canary-user{v}@h.example/a.git
      SETTINGS: '{{"level": 1, "password": "canary-json{v}"}}'
      HEADER: 'Authorization: Bearer canary-bearer{v}'
      PEM: "-----BEGIN PRIVATE KEY-----\ncanary-pem{v}\n-----END PRIVATE KEY-----"
      NOTE: it is canary-declared
      ODD: "{ESCAPED}{v}"
    labels:
      api.token: canary-label{v}
      odd: "{ESCAPED}{v}"
      url: redis://:canary-label-url{v}@h
    annotations: {{note.secret: canary-annotation{v}}}
    logging:
      driver: gelf
      options: {{gelf-address: "udp://u:canary-log-url{v}@h:1", splunk-token: canary-log{v}}}
    healthcheck:
      test: [CMD, redis-cli, -a, canary-health{v}, ping]
    post_start:
    - command: [curl, -u, "me:canary-hook{v}", http://h]
    extra_hosts: ["token=canary-host{v}"]
    sysctls: {{kernel.secret: canary-sysctl{v}}}
    secrets: [s, f, c]
  built:
    profiles: [never]
    image: built
    build:
      context: .
      args: {{API_KEY: canary-arg{v}, URL: "ftp://u:canary-arg-url{v}@h"}}
secrets:
  s: {{environment: CANARY}}
  f: {{file: ./secret}}
  c: {{environment: CANARY_LINES}}
"#
    )
}

const NEVER: &str = "canary-";

struct Program<'a> {
    dir: &'a Path,
    engine: &'a Scripted,
}

impl Program<'_> {
    fn run(&self, arguments: &[&str]) -> Output {
        Command::new("timeout")
            .args(["10", REGATTA])
            .args(arguments)
            .current_dir(self.dir)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.dir)
            .env(
                "DOCKER_HOST",
                format!("unix://{}", self.engine.socket.display()),
            )
            .env("CANARY", "canary-declared")
            .env("CANARY_LINES", "canary-first line\ncanary-second line")
            .output()
            .expect("the program")
    }

    /// Runs it, and holds what it writes to the rules; gives that.
    fn says(&self, arguments: &[&str], code: i32) -> String {
        let output = self.run(arguments);
        let text = [output.stdout, output.stderr].map(|t| String::from_utf8(t).expect("UTF-8"));
        let text = text.concat();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{text}");
        for secret in [NEVER, "canary command"] {
            let line = text.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{arguments:?}");
        }
        is_harmless(arguments, &text);
        text
    }
}

#[track_caller]
fn is_harmless(arguments: &[&str], text: &str) {
    let obeyed = |c: char| {
        (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{200b}')
    };
    let line = text.lines().find(|line| line.contains(obeyed));
    assert_eq!(line, None, "{arguments:?}");
}

#[test]
fn no_secret_and_no_control_character_comes_out() {
    let dir = tempfile::tempdir().expect("a folder");
    let engine = Scripted::new(dir.path());
    let write = |name: &str, text: &str| {
        fs::write(dir.path().join(name), text).expect("a file");
    };
    write("compose.yaml", &project(""));
    write("secret", "canary-of-a-file\n");
    write("Dockerfile", "FROM busybox\n");
    let program = Program {
        dir: dir.path(),
        engine: &engine,
    };

    // A first `up`, and what it leaves on the engine.
    program.says(&["plan", "--format", "json"], 2);
    program.says(&["-D", "create", "-y"], 0);
    program.says(&["-D", "plan"], 2);
    let labels = engine.labels_of("shop-web-1");
    let record = regatta::spec::read_record(labels["dev.regatta.spec"].as_str().unwrap());
    let record = record.expect("our record").to_string();
    assert!(record.contains("(secret "), "{record}");
    assert!(
        !record.contains(NEVER) && !record.contains("canary command"),
        "{record}"
    );

    // Every value differs.
    write("compose.yaml", &project("-new"));
    let text = program.says(&["plan"], 2);
    assert!(text.contains("recreate container shop-web-1"), "{text}");
    let json = program.says(&["plan", "--format", "json"], 2);
    let plan: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let changes = &plan["steps"][0]["changes"];
    let changed = |path: &str| {
        let all = changes.as_array().into_iter().flatten();
        let of = |change: &&serde_json::Value| change["path"] == path;
        let change = all
            .into_iter()
            .find(of)
            .unwrap_or_else(|| panic!("{path} in {json}"));
        assert_ne!(change["old"], change["new"], "{path}");
        let old = change["old"].as_str().unwrap_or_default();
        assert!(old.contains("(secret "), "{change}");
    };
    for path in [
        "entrypoint[2]",
        "command[2]",
        "environment.DB_PASSWORD",
        "environment.MYSQL_PWD",
        "environment.SENTRY_DSN",
        "environment.DATABASE_URL",
        "environment.REPOSITORY",
        "environment.SETTINGS",
        "environment.HEADER",
        "environment.PEM",
        "labels.api.token",
        "labels.url",
        "annotations.note.secret",
        "logging.options.gelf-address",
        "logging.options.splunk-token",
        "healthcheck.test[3]",
        "extra_hosts[0]",
        "sysctls.kernel.secret",
    ] {
        changed(path);
    }
    program.says(&["--dry-run", "up", "-d"], 0);
    program.says(&["--dry-run", "create"], 0);
    let shown = program.run(&["plan", "--show-secrets"]);
    let shown = String::from_utf8(shown.stdout).expect("UTF-8");
    assert!(shown.contains("canary-password-new"), "{shown}");
    is_harmless(&["plan", "--show-secrets"], &shown);
    let text = program.says(&["up", "-d", "--show-secrets"], 1);
    assert!(text.contains("--show-secrets needs --dry-run"), "{text}");

    // Where they come from.
    for path in [
        "services",
        "services.web",
        "services.built.build.args",
        "secrets",
    ] {
        program.says(&["explain", path], 0);
        program.says(&["explain", path, "--format", "json"], 0);
    }
    let text = program.says(&["explain", "services.web.environment.DB_PASSWORD"], 0);
    assert!(text.contains("(secret "), "{text}");
    program.says(&["config", "-q"], 0);
    // The excerpt is the line with the password.
    let text = program.says(&["--lint", "plain-secret=error", "config", "-q"], 1);
    assert!(text.contains("DB_PASSWORD: ***"), "{text}");

    // An engine that says again what it was told, and more.
    let message = format!(
        "exec: \"redis-server --requirepass canary-refused\": {CONTROL}: ANY_TOKEN=canary-env \
         http://u:canary-refused-url@h canary-declared canary-of-a-file canary-first line, \
         [\"--password\",\"canary-item\"]"
    );
    engine.refuse_starts(&message);
    for progress in ["plain", "json", "quiet"] {
        program.says(&["--progress", progress, "-D", "up", "-d"], 1);
    }
    program.says(&["-D", "start"], 1);

    // Containers of anybody.
    let labels = json!({
        "com.docker.compose.project": CONTROL,
        "com.docker.compose.project.config_files": format!("https://u:canary-file@h/{CONTROL}"),
        "com.docker.compose.service": CONTROL,
        "com.docker.compose.config-hash": "x",
        "com.docker.compose.oneoff": "False",
    });
    let row = json!({ "Image": CONTROL, "Command": CONTROL, "Status": CONTROL });
    engine.add_row("e", &format!("a{CONTROL}"), labels.clone(), row.clone());
    let mut ours = labels;
    ours["com.docker.compose.project"] = json!("shop");
    engine.add_row("d", &format!("b{CONTROL}"), ours, row);
    for arguments in [
        &["ps"][..],
        &["ps", "--services"],
        &["ps", "--format", "table {{.Name}}\t{{.Image}}\t{{.Status}}"],
        &["ls"],
        &["ls", "-q"],
        &["ls", "--format", "json"],
        &["-D", "ps"],
    ] {
        program.says(arguments, 0);
    }
    // Labels are data there, as Docker Compose gives them.
    let output = program.run(&["ps", "--format", "json"]);
    is_harmless(&["ps"], &String::from_utf8_lossy(&output.stdout));
    program.says(&["plan"], 2);
    program.says(&["--dry-run", "down", "--remove-orphans"], 0);

    // Wrong command lines.
    for wrong in [
        &["up", CONTROL][..],
        &["stop", CONTROL],
        &[CONTROL],
        &["ps", &format!("--{CONTROL}")],
        &["-f", CONTROL, "ps"],
        &["-p", CONTROL, "ps"],
        &["ps", "--filter", CONTROL],
        &["explain", CONTROL],
        &["--lint", CONTROL, "plan"],
        &["-H", CONTROL, "ps"],
        &["kill", "-s", CONTROL],
    ] {
        let output = program.run(wrong);
        assert_ne!(output.status.code(), Some(124), "{wrong:?} hangs");
        let text = [output.stdout, output.stderr].concat();
        is_harmless(wrong, &String::from_utf8_lossy(&text));
    }
}
