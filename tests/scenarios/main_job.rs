//! The main job, from the first `up` to `down -v --rmi local`.

use crate::support::{Stack, eventually};
use regatta::value::image::Reference;

const COMPOSE: &str = r#"
services:
  web:
    build: ./web
    command: ["httpd", "-f", "-p", "8080", "-h", "/srv"]
    stop_signal: SIGKILL
    environment:
      COLOUR: blue
      FROM_FILE: ${FROM_FILE:?is in .env}
    secrets: [key]
    ports: ["127.0.0.1::8080"]
    networks: [front, back]
    depends_on:
      db: { condition: service_healthy }
      migrate: { condition: service_completed_successfully }
    restart: unless-stopped
    volumes: ["/scratch"]
  migrate:
    image: postgres:17-alpine
    command: ["psql", "-v", "ON_ERROR_STOP=1", "-c", "CREATE TABLE IF NOT EXISTS boat (name text UNIQUE); INSERT INTO boat VALUES ('Optimist') ON CONFLICT DO NOTHING"]
    environment: { PGHOST: db, PGUSER: postgres, PGPASSWORD: example }
    networks: [back]
    depends_on:
      db: { condition: service_healthy }
  db:
    image: postgres:17-alpine
    environment: { POSTGRES_PASSWORD: example }
    volumes: ["data:/var/lib/postgresql/data"]
    networks: [back]
    healthcheck:
      test: ["CMD-SHELL", "pg_isready -h 127.0.0.1 -U postgres"]
      interval: 2s
      start_period: 20s
      start_interval: 200ms
    restart: always
networks:
  front:
  back:
volumes:
  data:
secrets:
  key:
    file: ./key.txt
"#;

fn stack() -> Stack {
    let stack = Stack::new("main", COMPOSE);
    stack.write(".env", "FROM_FILE=yes\n");
    stack.write("key.txt", "s3cret");
    stack.write(
        "web/Dockerfile",
        "FROM busybox\nARG PAGE=hello\nRUN mkdir -p /srv && echo $PAGE > /srv/index.html\n",
    );
    stack
}

#[test]
fn from_up_to_down() {
    let stack = stack();
    let project = stack.name.clone();
    stack.up("--scale web=3");

    assert_eq!(stack.numbers("web"), [1, 2, 3]);
    assert!(stack.of("web").iter().all(|c| c.state == "running"));
    let db = stack.engine.inspect(&stack.one("db").id);
    assert_eq!(db["State"]["Health"]["Status"], "healthy");
    let migrate = stack.engine.inspect(&stack.one("migrate").id);
    assert_eq!(migrate["State"]["ExitCode"], 0);
    let web = stack.engine.inspect(&stack.of("web")[0].id);
    assert!(
        migrate["State"]["FinishedAt"].as_str() < web["State"]["StartedAt"].as_str(),
        "web started before the migration had ended"
    );
    assert_eq!(
        stack.engine.networks(&project),
        [format!("{project}_back"), format!("{project}_front")]
    );
    assert_eq!(stack.engine.volumes(&project), [format!("{project}_data")]);
    assert_eq!(web["HostConfig"]["RestartPolicy"]["Name"], "unless-stopped");
    // Podman shows full names.
    let image = &stack.of("web")[0].image;
    assert!(
        Reference::is_same(image, &format!("{project}-web")),
        "{image}"
    );

    // It does what it is for.
    assert_eq!(
        stack.shell("web", "echo $COLOUR $FROM_FILE; cat /run/secrets/key"),
        "blue yes\ns3cret"
    );
    let page = stack.shell("db", "psql -U postgres -tAc 'SELECT name FROM boat'");
    assert_eq!(page, "Optimist");
    let port = stack.port("web", "8080/tcp");
    assert_eq!(crate::examples::http(port, "/"), "hello\n");

    // Doing it again changes nothing.
    let before = stack.containers();
    stack.up("--scale web=3");
    let ids =
        |list: &[crate::support::Container]| list.iter().map(|c| c.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&stack.containers()), ids(&before));

    stack.run("down -v --rmi local").success();
    assert_eq!(stack.containers(), []);
    assert!(stack.engine.networks(&project).is_empty());
    assert!(stack.engine.volumes(&project).is_empty());
    assert!(
        !stack.engine.has(&format!("/images/{project}-web/json")),
        "the built image is still there"
    );
    assert!(
        stack.engine.has("/images/postgres:17-alpine/json"),
        "a pulled image is gone"
    );
}

#[test]
fn stop_start_restart_and_exec() {
    let stack = Stack::new(
        "life",
        r#"
services:
  app:
    image: busybox
    command: ["sh", "-c", "trap 'exit 0' TERM; echo up; while :; do sleep 0.1; done"]
  other:
    image: busybox
    command: ["sleep", "1000"]
    stop_signal: SIGKILL
"#,
    );
    stack.up("");
    let app = stack.one("app").id;
    let started = || {
        stack.engine.inspect(&app)["State"]["StartedAt"]
            .as_str()
            .map(str::to_owned)
    };
    let first = started();

    stack.run("stop app").success();
    assert_eq!(stack.one("app").state, "exited");
    assert_eq!(stack.one("other").state, "running");
    assert_eq!(
        stack.engine.inspect(&app)["State"]["ExitCode"],
        0,
        "it was stopped by its signal"
    );

    stack.run("start app").success();
    assert_eq!(
        (stack.one("app").state.as_str(), stack.one("app").id),
        ("running", app.clone())
    );
    let second = started();
    assert!(second > first);

    stack.run("restart app").success();
    assert!(started() > second);
    assert_eq!(stack.one("app").id, app);

    stack.run("kill -s KILL other").success();
    stack.reaches("other", "exited");
    stack.run("rm -f other").success();
    assert!(stack.of("other").is_empty());
    assert_eq!(stack.one("app").state, "running");

    stack.exec("app", "exit 7").code(7);
    let echoed = stack
        .command("exec -T app cat")
        .input("one\ntwo\n")
        .run()
        .success();
    assert_eq!(echoed.stdout, "one\ntwo\n");
    stack.run("exec -T other true").code(1);
}

#[test]
fn create_makes_without_starting() {
    let stack = Stack::new(
        "create",
        "services:\n  app:\n    image: busybox\n    command: [sleep, '1000']\n    stop_signal: SIGKILL\n",
    );
    stack.run("create").success();
    assert_eq!(stack.one("app").state, "created");
    let id = stack.one("app").id;
    stack.run("start").success();
    assert_eq!(
        (stack.one("app").state.as_str(), stack.one("app").id),
        ("running", id)
    );
}

#[test]
fn ps_and_ls_show_what_runs() {
    let stack = Stack::new(
        "shown",
        "services:\n  app:\n    image: busybox\n    command: [sleep, '1000']\n    stop_signal: SIGKILL\n  done:\n    image: busybox\n    command: ['true']\n",
    );
    stack.up("");
    stack.reaches("done", "exited");
    let shown = stack.run("ps").success();
    assert!(shown.lines()[0].starts_with("NAME"), "{shown}");
    assert_eq!(shown.lines().len(), 2, "{shown}");
    assert!(shown.stdout.contains(&format!("{}-app-1", stack.name)));
    assert_eq!(stack.run("ps -a").success().lines().len(), 3);
    assert_eq!(
        stack.run("ps -q").success().stdout.trim(),
        stack.one("app").id
    );
    assert_eq!(stack.run("ps --services").success().stdout.trim(), "app");

    let json: serde_json::Value =
        serde_json::from_str(stack.run("ps --format json app").success().stdout.trim())
            .expect("JSON");
    assert_eq!(
        (&json["Service"], &json["State"], &json["Project"]),
        (
            &"app".into(),
            &"running".into(),
            &stack.name.as_str().into()
        )
    );

    let rows: serde_json::Value =
        serde_json::from_str(&stack.run("ls --format json").success().stdout).expect("JSON");
    let row = rows
        .as_array()
        .and_then(|r| r.iter().find(|r| r["Name"] == stack.name.as_str()))
        .expect("a row for the project");
    assert_eq!(row["Status"], "running(1)");
    assert_eq!(
        row["ConfigFiles"],
        stack.path().join("compose.yaml").display().to_string()
    );
}

/// What was running keeps running when the next `up` cannot work.
#[test]
fn a_failed_up_leaves_what_runs() {
    let stack = Stack::new(
        "failing",
        "services:\n  app:\n    image: busybox\n    command: [sleep, '1000']\n    stop_signal: SIGKILL\n",
    );
    stack.up("");
    let before = stack.one("app");
    stack.edit("image: busybox", "image: regatta.invalid/nowhere:1");
    stack
        .run("up -d")
        .code(1)
        .says(&["regatta.invalid/nowhere"]);
    let after = stack.one("app");
    assert_eq!((after.id, after.state), (before.id, before.state));
}

#[test]
fn build_and_pull() {
    let stack = Stack::new(
        "build",
        "services:\n  app:\n    build: .\n    command: [sleep, '1000']\n    stop_signal: SIGKILL\n  other:\n    image: busybox\n    pull_policy: missing\n",
    );
    stack.write("Dockerfile", "FROM busybox\nCOPY text /text\n");
    stack.write("text", "first");
    stack.run("build").success();
    let image = format!("/images/{}-app/json", stack.name);
    let first = stack.engine.get(&image)["Id"].clone();
    stack.up("");
    assert_eq!(stack.shell("app", "cat /text"), "first");

    // A new image of the same name recreates the service at the next `up`.
    stack.write("text", "second");
    stack.up("--build");
    assert_ne!(stack.engine.get(&image)["Id"], first);
    eventually("the new image runs", || {
        (stack.shell("app", "cat /text") == "second").then_some(())
    });
}
