//! Command lines, right and wrong.

use crate::run::{command, ran, run};

#[test]
fn wrong_lines_are_told_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    for (line, err) in [
        ("--nonsense", "unknown flag: --nonsense\n"),
        ("ps --nonsense", "unknown flag: --nonsense\n"),
        ("ps -z", "unknown shorthand flag: 'z' in -z\n"),
        (
            "ps --formt json",
            "unknown flag: --formt\nDid you mean --format?\n",
        ),
        ("--file", "flag needs an argument: --file\n"),
        ("ps --format", "flag needs an argument: --format\n"),
        (
            "ls surplus",
            "unknown command \"surplus\" for \"regatta ls\"\n",
        ),
        (
            "--parallel x ps",
            "invalid argument \"x\" for \"--parallel\" flag: not a number that fits\n",
        ),
        (
            "--progress fancy ps",
            "unsupported --progress value \"fancy\"\n",
        ),
        (
            "--ansi never --progress tty ps",
            "can't use --progress tty while ANSI support is disabled\n",
        ),
        (
            "--ansi always --progress plain ps",
            "can't use --progress plain while ANSI support is forced\n",
        ),
        (
            "-H unix:///x -c ctx ps",
            "conflicting options: cannot specify both --host and --context\n",
        ),
        (
            "--workdir a --project-directory b ps",
            "cannot specify DEPRECATED \"--workdir\" and \"--project-directory\". Please use only \"--project-directory\" instead\n",
        ),
        (
            "-p p logs --index 2",
            "--index requires one service to be selected\n",
        ),
        (
            "-p p exec web",
            "requires at least 2 arg(s), only received 1\nhint: write: exec [OPTIONS] SERVICE COMMAND [ARG...]\n",
        ),
        ("-p p exec --nonsense web ls", "unknown flag: --nonsense\n"),
        (
            "up -d --build --no-build",
            "--build and --no-build are incompatible\n",
        ),
    ] {
        let ran = run(dir.path(), line);
        assert_eq!(
            (ran.code, ran.out.as_str(), ran.err.as_str()),
            (1, "", err),
            "{line}"
        );
    }
}

#[test]
fn help_is_an_answer_and_an_unknown_command_is_not() {
    let dir = tempfile::tempdir().unwrap();
    for line in ["", "--help", "-h", "ps --help", "help"] {
        let ran = run(dir.path(), line);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{line}");
        assert!(ran.out.contains("Usage: regatta"), "{line}: {}", ran.out);
    }
    let ran = run(dir.path(), "upp -d");
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (1, "unknown command: \"upp\"\nDid you mean up?\n")
    );
    assert!(ran.out.contains("Commands:"));
    let ran = run(dir.path(), "compose upp");
    assert_eq!(
        ran.err,
        "unknown docker command: \"compose upp\"\nDid you mean up?\n"
    );
}

#[test]
fn docker_calls_its_plugin() {
    let dir = tempfile::tempdir().unwrap();
    let plugin = dir.path().join("docker-compose");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_regatta"), &plugin).unwrap();
    let call = |args: &[&str]| {
        let output = std::process::Command::new(&plugin)
            .env_clear()
            .args(args)
            .output();
        ran(output.unwrap())
    };
    let metadata = call(&["docker-cli-plugin-metadata"]);
    let metadata: serde_json::Value = serde_json::from_str(&metadata.out).unwrap();
    assert_eq!(metadata["SchemaVersion"], "0.1.0");
    for args in [
        &["compose", "version", "--short"][..],
        &[
            "--debug",
            "-H",
            "unix:///x",
            "compose",
            "version",
            "--short",
        ],
        &[
            "--config=/c",
            "-l",
            "info",
            "compose",
            "-f",
            "compose",
            "version",
            "--short",
        ],
        &["version", "--short"],
    ] {
        assert_eq!(call(args).out, "5.5.0\n", "{args:?}");
    }
    let version = call(&["compose", "version", "-f", "json"]);
    let version: serde_json::Value = serde_json::from_str(&version.out).unwrap();
    assert_eq!(version["version"], "v5.5.0");
    assert!(
        call(&["compose", "version"])
            .out
            .starts_with("Docker Compose version v5.5.0")
    );
}

#[test]
fn variables_stand_in_for_options() {
    let dir = tempfile::tempdir().unwrap();
    let with = |name: &str, value: &str| {
        ran(command(dir.path())
            .env(name, value)
            .args(["-p", "p", "ps"])
            .output()
            .unwrap())
    };
    for (name, value, err) in [
        (
            "COMPOSE_PROGRESS",
            "fancy",
            "unsupported --progress value \"fancy\"\n",
        ),
        (
            "COMPOSE_PARALLEL_LIMIT",
            "many",
            "COMPOSE_PARALLEL_LIMIT must be an integer (found: \"many\")\n",
        ),
        (
            "DOCKER_HOST",
            "ftp://x",
            "DOCKER_HOST: ftp://x: expected unix:///PATH, tcp://HOST:PORT or ssh://HOST\n",
        ),
    ] {
        let ran = with(name, value);
        assert_eq!((ran.code, ran.err.as_str()), (1, err), "{name}");
    }
    // An env file speaks for Compose too, but not where the environment does.
    std::fs::write(dir.path().join(".env"), "COMPOSE_PARALLEL_LIMIT=some\n").unwrap();
    assert!(run(dir.path(), "-p p ps").err.contains("(found: \"some\")"));
    assert!(
        with("COMPOSE_PARALLEL_LIMIT", "many")
            .err
            .contains("(found: \"many\")")
    );
}

/// Nobody draws yet, so that the end of the program itself has to wait for what was sent.
#[test]
fn a_missing_env_file_is_told_of_each_time() {
    let dir = tempfile::tempdir().unwrap();
    for line in ["--env-file nope -p p ps", "--env-file nope config"].repeat(10) {
        let missing = run(dir.path(), line);
        assert_eq!(missing.code, 1, "{line}");
        let said = missing.err.contains("couldn't find env file: ");
        assert!(said, "{line}: {:?}", missing.err);
    }
}

#[test]
fn explain_answers_and_says_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let file = "services: {web: {image: \"nginx:${TAG:-1}\"}}\n";
    std::fs::write(dir.path().join("compose.yaml"), file).unwrap();
    let ran = run(dir.path(), "explain services.web.image");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(
        ran.out,
        "services.web.image: nginx:1\n\n  wins   compose.yaml:1:25   \"nginx:${TAG:-1}\"\n\
         \x20               TAG is not set; so the default `1`\n"
    );
    let ran = run(dir.path(), "explain services.web.imgae");
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert_eq!(
        ran.err,
        "there is no `imgae` in services.web\nhint: did you mean `services.web.image`?\n\
         hint: there are image, networks\n"
    );
    let ran = run(dir.path(), "explain web.image --format json");
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    let ran = run(dir.path(), "explain services.web.image --format json");
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json[0]["value"], "nginx:1");
    assert_eq!(json[0]["origins"][0]["variables"][0]["from"], "default");
}

#[test]
fn a_name_is_enough_where_the_files_are_gone_or_the_given_name_is_empty() {
    let dir = tempfile::tempdir().unwrap();
    let with = |file: Option<&str>, args: &[&str]| {
        let mut command = command(dir.path());
        command
            .env("COMPOSE_PROJECT_NAME", "p")
            .env("DOCKER_HOST", "unix:///nowhere/engine.sock");
        if let Some(file) = file {
            command.env("COMPOSE_FILE", file);
        }
        ran(command.args(args).output().unwrap())
    };
    for (file, args) in [
        (Some("gone.yaml"), &["ps", "-q"][..]),
        (Some("gone.yaml"), &["stop"]),
        (None, &["-p", "", "ps"]),
        (None, &["-p", "", "exec", "-T", "web", "true"]),
    ] {
        let ran = with(file, args);
        assert!(
            ran.err.contains("/nowhere/engine.sock"),
            "{args:?}: {}",
            ran.err
        );
        assert!(!ran.err.contains("gone.yaml"), "{args:?}: {}", ran.err);
    }
    let refused = with(Some("gone.yaml"), &["config"]);
    assert_eq!(
        refused.err.matches("gone.yaml").count(),
        1,
        "{}",
        refused.err
    );
    assert_eq!(refused.code, 1);
}

#[test]
fn up_of_nothing_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for (compose, hint) in [
        ("services: {}", "the project declares no services"),
        (
            "services: {a: {image: x, profiles: [p, q]}}",
            "its services belong to profiles that are not active (p, q): --profile NAME",
        ),
    ] {
        std::fs::write(dir.path().join("compose.yaml"), compose).unwrap();
        for line in ["up -d", "up"] {
            let ran = run(dir.path(), line);
            let expected = format!("no service selected\nhint: {hint}\n");
            assert_eq!((ran.code, ran.err), (1, expected), "{line}");
        }
    }
}
