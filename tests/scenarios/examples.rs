//! Every example of `examples/compose` is loaded, planned and run, and answers.

use crate::support::{Stack, eventually};
use std::collections::BTreeSet;
use std::io::{Read, Write};

/// A free port for an example's variable.
fn port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

fn ask(port: u16, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).ok()?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

/// The body of a page, once it answers with 200.
pub fn http(port: u16, path: &str) -> String {
    eventually(&format!("127.0.0.1:{port}{path} answers"), || {
        ask(port, "GET", path, "")
            .filter(|(status, _)| *status == 200)
            .map(|(_, body)| body)
    })
}

#[test]
fn no_example_is_forgotten() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/compose");
    let there: BTreeSet<String> = std::fs::read_dir(directory)
        .expect("the examples")
        .map(|e| {
            e.expect("an example")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let here: BTreeSet<String> = ["replicas", "shop", "queue", "develop"]
        .map(str::to_owned)
        .into();
    assert_eq!(there, here, "each example has a test in this file");
}

#[test]
fn replicas_all_answer() {
    let stack = Stack::example("replicas");
    let port = port();
    let run = |words: &str| {
        stack
            .command(words)
            .env("REPLICAS_PORT", &port.to_string())
            .run()
    };
    run("config -q").success();
    stack.plans(2);
    run("up -d").success();
    assert_eq!(stack.numbers("web"), [1, 2, 3]);
    let hello = || {
        http(port, "/")
            .lines()
            .find(|l| l.contains("Hello from"))
            .map(str::to_owned)
    };
    let mut seen = BTreeSet::new();
    eventually("all three replicas have answered", || {
        seen.extend(hello());
        (seen.len() == 3).then_some(())
    });
    run("up -d --scale web=1").success();
    let left = stack.one("web").id[..12].to_owned();
    eventually("only the one that is left answers", || {
        (0..5)
            .all(|_| hello().is_some_and(|line| line.contains(&left)))
            .then_some(())
    });
}

#[test]
fn shop_sells() {
    let stack = Stack::example("shop");
    let port = port();
    let run = |words: &str| {
        stack
            .command(words)
            .env("SHOP_PORT", &port.to_string())
            .run()
    };
    run("config -q").success();
    stack.plans(2);
    run("up -d --scale app=2").success();
    assert!(http(port, "/items").contains(r#""name": "coffee""#));
    let (status, _) =
        ask(port, "POST", "/items", r#"{"name": "tea", "cents": 450}"#).expect("an answer");
    assert_eq!(status, 201);
    let names = "psql -U shop -d shop -tAc 'SELECT name FROM item ORDER BY id'";
    assert_eq!(stack.shell("db", names), "coffee\ncake\ntea");

    // The data stays, and a second migration finds nothing to do.
    run("down").success();
    run("up -d").success();
    assert!(http(port, "/items").contains(r#""name": "tea""#));
    run("logs migrate")
        .success()
        .says(&["002_first_items: already there"]);
    stack.exec("proxy", "nslookup db 127.0.0.11").code(1);
}

#[test]
fn queue_is_worked_off() {
    let stack = Stack::example("queue");
    stack.run("config -q").success();
    stack.plans(2);
    stack.up("--scale worker=3");
    assert_eq!(stack.numbers("worker"), [1, 2, 3]);
    assert!(
        stack.of("load").is_empty(),
        "a service of a profile that nobody asked for"
    );
    stack.up("--scale worker=3 --no-recreate");
    stack.run("--profile load up -d --scale worker=3").success();
    eventually("a hundred results", || {
        (stack.shell("redis", "redis-cli HLEN results") == "100").then_some(())
    });
    let sum = stack.shell("redis", "redis-cli HGET results job-1");
    assert_eq!(
        sum,
        stack.shell("redis", "printf %s job-1 | sha256sum | cut -d' ' -f1")
    );
    assert_eq!(
        stack.shell("redis", "redis-cli HLEN done"),
        "3",
        "not every worker had a job"
    );
    stack.run("stop worker").success();
    assert!(
        stack
            .of("worker")
            .iter()
            .all(|c| c.status.starts_with("Exited (0)")),
        "{:?}",
        stack.of("worker")
    );
}

#[test]
fn develop_shows_changes_at_once() {
    let stack = Stack::example("develop");
    let port = port();
    let run = |words: &str| {
        stack
            .command(words)
            .env("DEVELOP_PORT", &port.to_string())
            .run()
    };
    run("config -q").success();
    stack.plans(2);
    run("up -d").success();
    assert_eq!(http(port, "/"), "development: visit 1\n");
    run("--profile test up -d test").success();
    eventually("the tests have passed", || {
        let test = stack.engine.inspect(&stack.one("test").id);
        (test["State"]["Status"] == "exited").then(|| assert_eq!(test["State"]["ExitCode"], 0))
    });

    let source = std::fs::read_to_string(stack.path().join("web/web.py")).expect("the source");
    stack.write("web/web.py", &source.replace(": visit", ": changed, visit"));
    eventually("the change is seen", || {
        http(port, "/").contains("changed").then_some(())
    });

    // As deployed: without the override the code is in the image, and nothing is published.
    run("-f compose.yaml up -d --build").success();
    let web = stack.engine.inspect(&stack.one("web").id);
    let published = web["HostConfig"]["PortBindings"].as_object();
    assert!(
        published.is_none_or(|ports| ports.values().all(serde_json::Value::is_null)),
        "{published:?}"
    );
    assert!(stack.shell("web", "cat /app/web.py").contains("changed"));
}
