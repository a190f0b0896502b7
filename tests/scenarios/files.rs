//! Secrets and configs as containers see them: owner, mode, and what changed.

use crate::support::Stack;

const COMPOSE: &str = r#"
services:
  app:
    image: busybox
    command: ["sleep", "1000"]
    stop_signal: SIGKILL
    configs: [{ source: app.conf, target: /etc/app/app.conf, uid: "5" }]
    secrets:
      - { source: owned, uid: "7", gid: "8", mode: 0440 }
      - { source: bound, mode: 0604 }
      - token
    volumes: ["data:/etc/app:z"]
configs:
  app.conf: { content: "level = info" }
secrets:
  owned: { file: ./owned.txt }
  bound: { file: ./bound.txt }
  token: { environment: TOKEN }
volumes:
  data:
"#;

const SEEN: &str =
    "cd /run/secrets; stat -c '%n %a %u:%g' owned bound token /etc/app/app.conf; cat owned token";

#[test]
fn files_have_their_owner_and_mode_and_changed_ones_recreate() {
    let stack = Stack::new("files", COMPOSE);
    let set_mode = |file: &str, mode: u32| {
        use std::os::unix::fs::PermissionsExt;
        let path = stack.path().join(file);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
    };
    stack.write("owned.txt", "one ");
    stack.write("bound.txt", "-");
    set_mode("owned.txt", 0o600);
    set_mode("bound.txt", 0o604);
    stack.write(".env", "TOKEN=hunter2\n");
    stack.up("");
    let seen = stack.shell("app", SEEN);
    let lines: Vec<&str> = seen.lines().collect();
    assert_eq!(lines[0], "owned 440 7:8");
    assert!(lines[1].starts_with("bound 604 "), "{seen}");
    assert_eq!(lines[2..4], ["token 444 0:0", "/etc/app/app.conf 444 5:0"]);
    assert_eq!(lines[4], "one hunter2");
    stack.plans(0);

    // What is bound may change, what was copied has changed.
    stack.write("bound.txt", "+");
    set_mode("bound.txt", 0o604);
    stack.plans(0);
    let first = stack.ids("app");
    stack.write("owned.txt", "two ");
    set_mode("owned.txt", 0o600);
    stack.write(".env", "TOKEN=hunter3\n");
    let plan = stack.run("plan").code(2);
    assert!(
        plan.stdout.contains("secret owned: content changed"),
        "{plan:?}"
    );
    assert!(
        plan.stdout.contains("secret token: content changed"),
        "{plan:?}"
    );
    assert!(!format!("{plan:?}").contains("hunter"), "{plan:?}");
    stack.up("");
    assert_ne!(stack.ids("app"), first);
    assert!(stack.shell("app", SEEN).ends_with("two hunter3"));
    stack.plans(0);

    // Only the record knows the content, and it does not tell it.
    let raw = stack.engine.inspect(&stack.one("app").id);
    assert!(!raw["Config"]["Labels"].to_string().contains("hunter"));
    assert!(
        raw["HostConfig"]["Binds"]
            .to_string()
            .contains(":/etc/app:rw,z")
    );
}

#[test]
fn what_cannot_be_copied_is_refused_with_its_line() {
    let stack = Stack::new("refused-files", COMPOSE);
    stack.write("owned.txt", "one ");
    stack.write("bound.txt", "-");
    stack.write(".env", "TOKEN=hunter2\n");
    stack.edit(
        "stop_signal: SIGKILL",
        "stop_signal: SIGKILL\n    tmpfs: [/run]",
    );
    for words in ["plan", "up -d"] {
        let failed = stack.run(words).code(1);
        for said in [
            "services.app.secrets[0]",
            "compose.yaml:",
            "the tmpfs at /run",
        ] {
            assert!(failed.stderr.contains(said), "{said}: {failed:?}");
        }
    }
    assert!(stack.containers().is_empty());
}
