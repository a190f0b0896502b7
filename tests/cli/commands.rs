//! Commands that look at what runs, against canned answers.

use crate::canned::{Canned, frame, json};
use crate::run::{Ran, command, ran, words};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Stdio;

const CONTAINERS: &str = r#"[
 {"Id":"aaaaaaaaaaaabbbb","Names":["/shop-web-1"],"Image":"nginx","ImageID":"sha256:1","Command":"nginx -g 'daemon off;'",
  "Created":1000000000,"State":"running","Status":"Up 3 minutes (healthy)",
  "Ports":[{"IP":"0.0.0.0","PrivatePort":80,"PublicPort":8080,"Type":"tcp"}],
  "Labels":{"com.docker.compose.project":"shop","com.docker.compose.service":"web","com.docker.compose.container-number":"1",
            "com.docker.compose.oneoff":"False","com.docker.compose.config-hash":"x","com.docker.compose.project.config_files":"/d/compose.yaml"},
  "NetworkSettings":{"Networks":{"shop_default":{"NetworkID":"n"}}},"Mounts":[]},
 {"Id":"ccccccccccccdddd","Names":["/shop-job-1"],"Image":"busybox","ImageID":"sha256:2","Command":"false",
  "Created":1000000000,"State":"exited","Status":"Exited (3) 2 hours ago","Ports":[],
  "Labels":{"com.docker.compose.project":"shop","com.docker.compose.service":"job","com.docker.compose.container-number":"1",
            "com.docker.compose.oneoff":"False","com.docker.compose.config-hash":"x","com.docker.compose.project.config_files":"/d/compose.yaml"},
  "NetworkSettings":{"Networks":{}},"Mounts":[]}
]"#;

fn answers(path: &str, body: &[u8], stream: &mut UnixStream) -> Option<Vec<u8>> {
    let log = |frames: &[Vec<u8>]| {
        let mut answer =
            b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\nConnection: close\r\n\r\n"
                .to_vec();
        answer.extend(frames.concat());
        answer
    };
    match path {
        "/containers/json" => Some(json(200, CONTAINERS)),
        "/containers/aaaaaaaaaaaabbbb/logs" => {
            let frames = [frame(1, "one\ntw"), frame(2, "err\n"), frame(1, "o\nend")];
            stream.write_all(&log(&frames)).unwrap();
            stream.shutdown(Shutdown::Both).unwrap();
            None
        }
        "/containers/ccccccccccccdddd/logs" => Some(json(
            501,
            r#"{"message":"configured logging driver does not support reading"}"#,
        )),
        "/containers/ccccccccccccdddd/exec" => {
            Some(json(409, r#"{"message":"container is not running"}"#))
        }
        "/containers/aaaaaaaaaaaabbbb/exec" => {
            let body: serde_json::Value = serde_json::from_slice(body).unwrap();
            assert_eq!(body["Cmd"], serde_json::json!(["cat", "-u"]));
            assert_eq!(body["Env"], serde_json::json!(["A=1"]));
            assert_eq!((&body["User"], &body["Tty"]), (&"me".into(), &false.into()));
            Some(json(201, r#"{"Id":"eeee"}"#))
        }
        "/exec/eeee/start" => {
            let head = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
            stream.write_all(head.as_bytes()).unwrap();
            let mut input = String::new();
            stream.read_to_string(&mut input).unwrap();
            stream
                .write_all(&frame(1, &format!("got {input}")))
                .unwrap();
            stream.write_all(&frame(2, "and out\n")).unwrap();
            stream.shutdown(Shutdown::Both).unwrap();
            None
        }
        "/exec/eeee/json" => Some(json(200, r#"{"ID":"eeee","Running":false,"ExitCode":42}"#)),
        _ => Some(json(404, r#"{"message":"page not found"}"#)),
    }
}

fn shop(dir: &Path) -> Canned {
    Canned::new(dir, answers)
}

fn run(engine: &Canned, dir: &Path, line: &str) -> Ran {
    let mut command = command(dir);
    ran(command
        .env("DOCKER_HOST", &engine.host)
        .args(words(line))
        .output()
        .unwrap())
}

#[test]
fn ps_and_ls_make_one_request_each() {
    let dir = tempfile::tempdir().unwrap();
    let engine = shop(dir.path());
    for (line, out) in [
        (
            "-p shop ps -a --format 'table {{.Name}}\\t{{.Service}}\\t{{.Status}}\\t{{.Ports}}'",
            "NAME         SERVICE   STATUS                   PORTS\n\
             shop-job-1   job       Exited (3) 2 hours ago   \n\
             shop-web-1   web       Up 3 minutes (healthy)   0.0.0.0:8080->80/tcp\n",
        ),
        (
            "-p Shop ps -a --format '{{.Name}} {{.ExitCode}} {{.Health}}'",
            "shop-job-1 3 \nshop-web-1 0 healthy\n",
        ),
        ("-p shop ps -q", "ccccccccccccdddd\naaaaaaaaaaaabbbb\n"),
        ("-p shop ps -a --status exited --services", "job\n"),
        (
            "-p shop ps -a web --format '{{json .Publishers}}'",
            "[{\"URL\":\"0.0.0.0\",\"TargetPort\":80,\"PublishedPort\":8080,\"Protocol\":\"tcp\"}]\n",
        ),
        (
            "ls -a",
            "NAME                STATUS                  CONFIG FILES\n\
             shop                exited(1), running(1)   /d/compose.yaml\n",
        ),
        (
            "ls --format json --filter name=^sh",
            "[{\"Name\":\"shop\",\"Status\":\"exited(1), running(1)\",\"ConfigFiles\":\"/d/compose.yaml\"}]\n",
        ),
        ("ls -q --filter name=blog", ""),
    ] {
        let before = engine.requests().len();
        let ran = run(&engine, dir.path(), line);
        assert_eq!(
            (ran.code, ran.out.as_str(), ran.err.as_str()),
            (0, out, ""),
            "{line}"
        );
        assert_eq!(
            engine.requests()[before..],
            ["GET /containers/json"],
            "{line}"
        );
    }
}

#[test]
fn logs_of_all_that_can_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let engine = shop(dir.path());
    let ran = run(&engine, dir.path(), "-p shop logs");
    assert_eq!(ran.code, 0);
    assert_eq!(
        ran.out,
        "web-1  | one\nweb-1  | err\nweb-1  | two\nweb-1  | end\n"
    );
    let (time, warning) = ran.err.split_once(' ').unwrap();
    assert!(time.starts_with("time=\"20"), "{time}");
    assert_eq!(
        warning,
        "level=warning msg=\"Can't retrieve logs for \\\"shop-job-1\\\": configured logging driver does not support reading\"\n"
    );
    assert_eq!(engine.requests().len(), 3);
    let ran = run(
        &engine,
        dir.path(),
        "-p shop --ansi always logs --no-log-prefix web",
    );
    assert_eq!(ran.out, "one\nerr\ntwo\nend\n");
    let ran = run(&engine, dir.path(), "-p shop --ansi always logs web");
    assert!(
        ran.out.starts_with("\u{1b}[36mweb-1  | \u{1b}[0mone\n"),
        "{:?}",
        ran.out
    );
    assert_eq!(run(&engine, dir.path(), "-p shop logs nobody").out, "");
}

#[test]
fn exec_passes_everything_through() {
    let dir = tempfile::tempdir().unwrap();
    let engine = shop(dir.path());
    let mut command = command(dir.path());
    let mut child = command
        .env("DOCKER_HOST", &engine.host)
        .args(words("-p shop exec -T -e A=1 -e UNSET -u me web cat -u"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"this\n").unwrap();
    let ran = ran(child.wait_with_output().unwrap());
    assert_eq!(
        (ran.code, ran.out.as_str(), ran.err.as_str()),
        (42, "got this\n", "and out\n")
    );
    assert_eq!(
        engine.requests(),
        [
            "GET /containers/json",
            "POST /containers/aaaaaaaaaaaabbbb/exec",
            "POST /exec/eeee/start",
            "GET /exec/eeee/json"
        ]
    );
}

#[test]
fn a_reader_that_has_had_enough_is_no_error() {
    let dir = tempfile::tempdir().unwrap();
    let engine = shop(dir.path());
    for line in [
        "-p shop ps -a",
        "ls -a",
        "-p shop logs web",
        "version",
        "--help",
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = command(dir.path());
        command
            .env("DOCKER_HOST", &engine.host)
            .args(words(line))
            .stdout(writer);
        let ran = ran(command.stderr(Stdio::piped()).output().unwrap());
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{line}");
    }
}

#[test]
fn without_an_engine_one_line_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let nowhere = format!("unix://{}/nothing.sock", dir.path().display());
    for line in [
        "-p shop ps",
        "ls",
        "-p shop logs -f",
        "-p shop exec -T web ls",
    ] {
        let mut command = command(dir.path());
        let ran = ran(command
            .env("DOCKER_HOST", &nowhere)
            .args(words(line))
            .output()
            .unwrap());
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{line}");
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
        assert!(
            ran.err.contains("nothing.sock") && ran.err.contains("DOCKER_HOST"),
            "{}",
            ran.err
        );
    }
    let mut command = command(dir.path());
    let args = words("--progress json -p shop ps");
    let ran = ran(command
        .env("DOCKER_HOST", &nowhere)
        .args(args)
        .output()
        .unwrap());
    let error: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!(error["error"], true);
}

#[test]
fn debug_tells_requests_to_standard_error() {
    let dir = tempfile::tempdir().unwrap();
    let engine = shop(dir.path());
    let ran = run(&engine, dir.path(), "--debug -p shop ps -q");
    assert_eq!(ran.out.lines().count(), 2);
    assert!(
        ran.err.contains("method=GET") && ran.err.contains("/containers/json"),
        "{}",
        ran.err
    );
}

#[test]
fn one_container_name_in_exclusive_profiles_keeps_only_from_bringing_both_up() {
    let dir = tempfile::tempdir().unwrap();
    let engine = shop(dir.path());
    let generator =
        |profile: &str| format!("{{image: busybox, container_name: gen, profiles: [{profile}]}}");
    let file = format!(
        "name: shop\nservices:\n  cpu: {}\n  gpu: {}\n  all: {{image: busybox, depends_on: [cpu, gpu]}}\n  web: {{image: nginx}}\n",
        generator("cpu"),
        generator("gpu")
    );
    std::fs::write(dir.path().join("compose.yaml"), file).unwrap();
    let is_refused = |line: &str| {
        let ran = run(&engine, dir.path(), &format!("--profile * {line}"));
        let told = "error[duplicate-name]: services.gpu.container_name: container name \"gen\" is already in use by service cpu";
        let count = ran.err.matches(told).count();
        assert!(
            count < 2 && (count == 0 || ran.code == 1),
            "{line}: {}",
            ran.err
        );
        count == 1
    };
    for line in [
        "up -d",
        "up",
        "up -d cpu gpu",
        "up -d [cg]pu",
        "up -d all",
        "up -d --no-start",
        "create",
        "create all",
        "plan",
        "plan cpu gpu",
        "scale cpu=1 gpu=1",
        "scale all=1",
        "config",
        "config -q",
        "config -q all",
    ] {
        assert!(is_refused(line), "{line}");
    }
    for line in [
        "ps",
        "ps -a",
        "logs",
        "stop",
        "start",
        "restart",
        "kill",
        "rm -f",
        "down",
        "pull",
        "build",
        "exec web true",
        "config --services",
        "config --images",
        "config -q cpu",
        "config -q web",
        "explain services.cpu.image",
        "up -d web",
        "up -d cpu",
        "up -d --no-deps all",
        "up -d --no-deps gpu",
        "create cpu",
        "plan gpu web",
        "plan --no-deps all",
        "scale gpu=1",
        "scale --no-deps all=1",
    ] {
        assert!(!is_refused(line), "{line}");
    }
    for line in ["ps", "ps -a", "logs web", "config --services"] {
        let ran = run(&engine, dir.path(), &format!("--profile * {line}"));
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{line}");
    }
}

#[test]
fn values_that_an_option_does_not_have_are_refused_with_those_that_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let engine = shop(dir.path());
    std::fs::write(
        dir.path().join("compose.yaml"),
        "{name: shop, services: {web: {image: nginx}}}\n",
    )
    .unwrap();
    let states = "hint: a container is one of created, running, paused, restarting, removing, exited, dead\n";
    let lines = "hint: write a number of lines, or all\n";
    for (line, err) in [
        ("ps --status foo", format!("invalid status \"foo\"\n{states}")),
        ("-p shop ps --status ''", format!("invalid status \"\"\n{states}")),
        ("ps --status running --status Exited", format!("invalid status \"Exited\"\n{states}")),
        ("ps --filter status=up", format!("invalid status \"up\"\n{states}")),
        ("logs --tail abc", format!("invalid value for \"tail\": \"abc\"\n{lines}")),
        ("logs -n 1.5", format!("invalid value for \"tail\": \"1.5\"\n{lines}")),
        ("--ansi foo ps", "unsupported --ansi value \"foo\"\nhint: it is one of never, always, auto\n".into()),
        (
            "--log-level foo ps",
            "unsupported --log-level value \"foo\"\nhint: it is one of trace, debug, info, warn, warning, error, fatal, panic\n".into(),
        ),
        ("version --format foo", "unsupported format \"foo\"\nhint: it is pretty or json\n".into()),
        ("build --progress foo", "unsupported --progress value \"foo\"\n".into()),
    ] {
        let before = engine.requests().len();
        let ran = run(&engine, dir.path(), line);
        assert_eq!((ran.code, ran.out.as_str(), ran.err), (1, "", err), "{line}");
        assert_eq!(engine.requests().len(), before, "{line}: nothing is asked");
    }
    for line in [
        "ps --status running --status exited",
        "ps --filter status=dead",
        "-p shop logs web --tail -1",
        "--ansi '' ps",
        "--ansi never ps",
        "-l INFO ps",
        "version --format pretty",
        "version -f json",
    ] {
        let ran = run(&engine, dir.path(), line);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{line}");
    }
}

#[test]
fn what_is_wrong_before_anything_is_drawn_is_written_before_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let engine = shop(dir.path());
    std::fs::write(dir.path().join("bad.env"), "A=\"open\n").unwrap();
    let project = "{name: shop, services: {web: {image: nginx}}}\n";
    std::fs::write(dir.path().join("compose.yaml"), project).unwrap();
    // Often enough to see a message that is sometimes lost.
    for _ in 0..12 {
        for (line, word) in [
            ("--env-file gone.env config", "couldn't find env file"),
            ("--env-file bad.env config", "bad.env:1"),
            ("--env-file gone.env ps", "couldn't find env file"),
        ] {
            let ran = run(&engine, dir.path(), line);
            assert_eq!(ran.code, 1, "{line}");
            assert!(ran.err.contains(word), "{line}: {:?}", ran.err);
        }
    }
}
