//! What commands that list things print, and how few requests they make.

use crate::support::proxy::Recorder;
use crate::support::run::{Program, under_test};
use crate::support::{Stack, eventually};
use serde_json::Value;

const COMPOSE: &str = r#"
services:
  web:
    image: busybox
    command: ["sleep", "1000"]
    stop_signal: SIGKILL
    ports: ["127.0.0.1::80"]
    expose: ["81"]
    labels: { x.my-key: "v<1>" }
    volumes: ["data:/data"]
  db:
    image: busybox
    command: ["sleep", "1000"]
    stop_signal: SIGKILL
    scale: 2
    volumes: ["files:/files"]
  job:
    image: busybox
    command: ["sh", "-c", "sleep 1; exit 3"]
volumes: { data: {}, files: {} }
"#;

fn stack() -> Stack {
    let stack = Stack::new("listings", COMPOSE);
    stack.up("");
    eventually("the job has ended", || {
        let job = stack.of("job");
        job.iter().all(|c| c.state == "exited").then_some(())
    });
    stack
}

/// Lines in which the project's name is `P`.
#[track_caller]
fn lines(stack: &Stack, words: &str, more: &[&str]) -> Vec<String> {
    let output = stack.command(words).args(more).run().success();
    let text = output.stdout.replace(&stack.name, "P");
    text.lines().map(str::to_owned).collect()
}

#[test]
fn every_list_in_every_form() {
    let stack = stack();
    let id = |name: &str| {
        let found = stack.engine.inspect(&format!("{}-{name}", stack.name));
        found["Id"].as_str().expect("an id").to_owned()
    };

    // Containers.
    let template = "table {{.Service}}\\t{{.State}}\\t{{.ExitCode}}\\t{{.Label \"x.my-key\"}}";
    assert_eq!(
        lines(&stack, "ps -a --format", &[template]),
        [
            "SERVICE   STATE     <no value>   my key",
            "db        running   0            ",
            "db        running   0            ",
            "job       exited    3            ",
            "web       running   0            v<1>",
        ]
    );
    let ports = "{{range .Publishers}}{{.TargetPort}}/{{.Protocol}} {{end}}";
    assert_eq!(
        lines(&stack, "ps web --format", &[ports]),
        ["80/tcp 81/tcp "]
    );
    assert_eq!(lines(&stack, "ps -q --status exited", &[]), [id("job-1")]);
    let wrong = stack.command("ps --format").args(["{{.Nope}}"]).run();
    wrong.code(1).says(&[
        "template parsing error: template: :1:2: executing \"\" at <.Nope>: can't evaluate field Nope",
    ]);

    // Images: one of each container, the ids once.
    let images = lines(&stack, "images", &[]);
    assert_eq!(images.len(), 5, "{images:?}");
    assert!(images[1].starts_with("P-db-1"), "{images:?}");
    let image = stack.engine.inspect(&format!("{}-web-1", stack.name));
    let image = image["Image"].as_str().expect("an image");
    assert_eq!(
        lines(&stack, "images -q", &[]),
        [image.trim_start_matches("sha256:")]
    );
    let json: Value =
        serde_json::from_str(&lines(&stack, "images --format json web", &[])[0]).expect("an array");
    assert_eq!(json[0]["ContainerName"], "P-web-1");
    assert_eq!(json[0]["Repository"], "busybox");
    assert_eq!(json[0]["ID"], image);

    // Volumes, all of them and a service's.
    assert_eq!(
        lines(&stack, "volumes", &[]),
        [
            "DRIVER    VOLUME NAME",
            "local     P_data",
            "local     P_files"
        ]
    );
    assert_eq!(lines(&stack, "volumes -q web", &[]), ["P_data"]);
    let json: Value =
        serde_json::from_str(&lines(&stack, "volumes --format json db", &[])[0]).expect("JSON");
    assert_eq!(
        (&json["Name"], &json["Scope"]),
        (&"P_files".into(), &"local".into())
    );

    // Ports.
    let web = stack.engine.inspect(&format!("{}-web-1", stack.name));
    let published = web["NetworkSettings"]["Ports"]["80/tcp"][0]["HostPort"].as_str();
    let address = format!("127.0.0.1:{}", published.expect("a port"));
    assert_eq!(lines(&stack, "port web 80", &[]), [address]);
    stack
        .run("port --protocol udp web 80")
        .code(1)
        .says(&["no port 80/udp for container"]);
    stack
        .run("port job 80")
        .code(1)
        .says(&["service \"job\" is not running"]);

    // Processes and usage.
    let processes = lines(&stack, "top db", &[]);
    assert_eq!(processes.len(), 3, "{processes:?}");
    assert!(processes[0].starts_with("SERVICE  #") && processes[0].ends_with("CMD"));
    assert!(processes[2].starts_with("db       2") && processes[2].ends_with("sleep 1000"));
    assert_eq!(lines(&stack, "top job", &[]), [""; 0]);
    let mut usage = lines(
        &stack,
        "stats --no-stream -a --format",
        &["{{.Name}} {{.PIDs}}"],
    );
    usage.sort();
    assert_eq!(usage, ["P-db-1 1", "P-db-2 1", "P-job-1 0", "P-web-1 1"]);

    // What the user keeps in Docker's configuration counts where no format is given.
    let config = r#"{"psFormat": "{{.Service}}!", "statsFormat": "{{.Name}}?"}"#;
    stack.write(".docker/config.json", config);
    assert_eq!(lines(&stack, "ps web", &[]), ["web!"]);
    assert_eq!(lines(&stack, "stats --no-stream web", &[]), ["P-web-1?"]);
    assert_eq!(lines(&stack, "ps web --format table", &[]).len(), 2);

    // Projects.
    let filter = format!("name=^{}$", stack.name);
    assert_eq!(
        lines(&stack, "ls -a --format json --filter", &[&filter]).len(),
        1
    );
    assert_eq!(lines(&stack, "ls -q --filter", &[&filter]), ["P"]);
}

#[test]
fn what_happened_is_told() {
    let stack = stack();
    let output = stack
        .run("events --since 10m --until 0s --json web")
        .code(1);
    assert_eq!(output.stderr, "EOF\n");
    let events: Vec<Value> = output
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let told: Vec<(&str, &str)> = events
        .iter()
        .map(|e| {
            (
                e["service"].as_str().unwrap(),
                e["action"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, [("web", "create"), ("web", "start")]);
    let attributes = events[0]["attributes"].as_object().expect("an object");
    let keys: Vec<&str> = attributes.keys().map(String::as_str).collect();
    assert_eq!(keys, ["image", "name", "x.my-key"]);

    // As it happens, until the reader has had enough.
    let mut following = stack.start("events db");
    eventually("an event is told", || {
        stack.run("kill -s HUP db").success();
        let line = following.stdout();
        line.contains(" container kill ").then_some(())
    });
    drop(following);
}

#[test]
fn paused_and_unpaused() {
    let stack = stack();
    let states =
        |service: &str| -> Vec<String> { stack.of(service).into_iter().map(|c| c.state).collect() };
    let shown = stack.run("--dry-run pause").success();
    assert!(shown.stdout.contains("pause"), "{}", shown.stdout);
    assert_eq!(states("db"), ["running", "running"]);
    let paused = stack.run("pause db").success();
    assert!(
        paused
            .stderr
            .contains(&format!(" Container {}-db-2 Paused \n", stack.name))
    );
    assert_eq!(states("db"), ["paused", "paused"]);
    assert_eq!(states("web"), ["running"]);
    stack.run("pause db").code(1).says(&["is already paused"]);
    stack.run("unpause").code(1).says(&["is not paused"]);
    assert_eq!(states("db"), ["running", "running"]);
    stack
        .run("-f compose.yaml pause nope")
        .code(1)
        .says(&["no such service: nope"]);
    // A project that is nowhere has nothing to pause.
    Program::new(&under_test(), stack.path())
        .env("DOCKER_HOST", &stack.engine.host())
        .args(["-p", "rt-listings-nowhere", "pause"])
        .run()
        .success();
}

#[test]
fn waited_for_and_taken_down() {
    let stack = stack();
    stack
        .run("wait job")
        .code(1)
        .says(&["no containers for project"]);
    stack
        .run("wait")
        .code(1)
        .says(&["requires at least 1 argument"]);
    let mut waiting = stack.start("wait --down-project web db");
    // It waits for all of them, not for the first.
    stack.run("kill web").success();
    let told = eventually("an end is told", || {
        let told = waiting.stdout();
        told.contains("exited with status code 137").then_some(told)
    });
    assert!(told.starts_with("container \""), "{told}");
    assert_eq!(stack.of("db")[0].state, "running");
    stack.run("kill db").success();
    let ended = eventually("it ends", || waiting.ended());
    assert_eq!(ended.code(), Some(137));
    assert!(stack.containers().is_empty());
    assert!(stack.engine.networks(&stack.name).is_empty());
    assert_eq!(stack.engine.volumes(&stack.name).len(), 2);
}

#[test]
fn copies_of_a_container() {
    let stack = stack();
    stack.shell("web", "echo one > /made");
    let name = format!("{}-image:v1", stack.name);
    let committed = stack
        .command("commit -m why -a me")
        .args(["-c", "ENV A=\"b c\"", "web", &name])
        .run()
        .success();
    let image = stack.engine.get(&format!("/images/{name}/json"));
    let id = image["Id"].as_str().expect("an id");
    let line = format!(" {}-web-1 Committed as {id} \n", stack.name);
    assert!(committed.stderr.contains(&line), "{}", committed.stderr);
    let env = image["Config"]["Env"].as_array().expect("variables");
    assert!(env.contains(&"A=b c".into()), "{env:?}");
    assert_eq!(
        (&image["Comment"], &image["Author"]),
        (&"why".into(), &"me".into())
    );
    stack
        .run("commit -c BOGUS web x")
        .code(1)
        .says(&["BOGUS is not a valid change command"]);
    let removed = stack
        .engine
        .request("DELETE", &format!("/images/{name}"), b"");
    assert_eq!(removed.expect("an answer").0, 200);

    stack.run("export -o out.tar web").success();
    let tar = stack.path().join("out.tar");
    let names: Vec<String> = tar::Archive::new(std::fs::File::open(&tar).expect("a file"))
        .entries()
        .expect("a tar")
        .flatten()
        .map(|entry| entry.path().expect("a path").display().to_string())
        .collect();
    assert!(names.contains(&"made".to_owned()));
    stack
        .run("export -o nowhere/out.tar web")
        .code(1)
        .says(&["directory", "does not exist"]);
    stack.run("--dry-run export -o dry.tar web").success();
    assert!(!stack.path().join("dry.tar").exists());
}

#[test]
fn lists_ask_little() {
    let stack = stack();
    let through = Recorder::before(&stack.engine);
    let host = through.engine.host();
    for (words, most) in [
        ("ps", 1),
        ("ps -a --format json", 1),
        ("ls", 1),
        ("port web 80", 1),
        ("volumes", 1),
        ("volumes web", 2),
        ("images -q", 1),
        // One for the list, one for each image; all services have the same.
        ("images", 2),
        // One for the list, one for each running container.
        ("top", 4),
        ("stats --no-stream", 4),
    ] {
        through.take();
        Program::new(&under_test(), stack.path())
            .env("DOCKER_HOST", &host)
            .args(["-p", &stack.name])
            .args(words.split_whitespace())
            .run()
            .success();
        let asked = through.take();
        assert!(asked.len() <= most, "{words}: {asked:?}");
    }
}
