//! `ssh://`: the user's own `ssh`, one connection for all that goes on, and what it says where it fails.

use super::{COMPOSE, Door};
use crate::support::sshd::Sshd;
use crate::support::stack::Running;
use crate::support::{Stack, eventually};

fn door(sshd: &Sshd, host: &str) -> Door {
    let path = sshd.path();
    let sockets = sshd.directory().to_str().expect("a path");
    Door::new(
        &[
            ("DOCKER_HOST", host),
            ("PATH", &path),
            ("XDG_RUNTIME_DIR", sockets),
        ],
        &[],
    )
}

/// No control socket and no process stays behind.
fn is_clean(sshd: &Sshd) {
    let sockets = sshd.at("regatta");
    eventually("nothing is left of ssh", || {
        let left = std::fs::read_dir(&sockets).map_or(0, Iterator::count);
        (left == 0).then_some(())
    });
}

#[test]
fn everything_works_through_ssh_over_one_connection_a_command() {
    let stack = Stack::new("door-ssh", COMPOSE);
    let sshd = Sshd::start("");
    let door = door(&sshd, "ssh://box");
    door.walk(&stack);
    let commands = 9;
    assert_eq!(sshd.logins(), commands, "{}", sshd.log());
    is_clean(&sshd);
}

#[test]
fn two_sessions_are_enough() {
    let services: String = (0..6)
        .map(|n| {
            format!(
                "  s{n}:\n    image: busybox\n    command: [sh, -c, 'while true; do echo beat {n}; sleep 0.1; done']\n    stop_signal: SIGKILL\n"
            )
        })
        .collect();
    let stack = Stack::new("door-ssh-two", &format!("services:\n{services}"));
    let sshd = Sshd::start("MaxSessions 2");
    let door = door(
        &sshd,
        &format!("ssh://box{}", stack.engine.socket.display()),
    );
    door.run(&stack, &["up", "-d"]).success();
    assert_eq!(sshd.logins(), 1, "{}", sshd.log());
    assert!(sshd.refused_sessions() > 0, "{}", sshd.log());
    // All that is followed at the same time has a stream of its own.
    let mut followed = Running::of(door.command(&stack, &["logs", "-f"]));
    eventually("all six are followed", || {
        let text = followed.stdout();
        (0..6)
            .all(|n| text.contains(&format!("beat {n}")))
            .then_some(())
    });
    assert_eq!(sshd.logins(), 2, "{}", sshd.log());
    drop(followed);
    door.run(&stack, &["down"]).success();
    assert_eq!(sshd.logins(), 3, "{}", sshd.log());
}

#[test]
fn where_nothing_is_forwarded_further_connections_are_made() {
    let stack = Stack::new("door-ssh-none", COMPOSE);
    let sshd = Sshd::start("MaxSessions 1\nAllowStreamLocalForwarding no");
    let door = door(&sshd, "ssh://box");
    door.walk(&stack);
    is_clean(&sshd);
}

#[test]
fn the_users_own_shared_connection_is_used() {
    let stack = Stack::new("door-ssh-own", COMPOSE);
    let sshd = Sshd::start("");
    let control = sshd.at("own").display().to_string();
    sshd.append(
        "ssh_config",
        &format!(" ControlMaster auto\n ControlPersist 20\n ControlPath {control}\n"),
    );
    let door = door(
        &sshd,
        &format!("ssh://box{}", stack.engine.socket.display()),
    );
    for _ in 0..3 {
        door.run(&stack, &["up", "-d", "db"]).success();
    }
    assert_eq!(sshd.logins(), 1, "{}", sshd.log());
    let end = std::process::Command::new(sshd.at("bin/ssh"))
        .args(["-O", "exit", "box"])
        .output();
    assert!(end.expect("ssh").status.success());
}

#[test]
fn a_path_of_this_machine_is_told_of_before_anything_is_done() {
    let stack = Stack::new(
        "door-ssh-bind",
        "services:\n  a:\n    image: busybox\n    command: [sleep, '1000']\n    stop_signal: SIGKILL\n\
         \x20   volumes:\n      - ./site:/site:ro\n      - /srv:/srv:ro\n",
    );
    std::fs::create_dir(stack.path().join("site")).expect("a directory");
    let sshd = Sshd::start("");
    let far = door(&sshd, "ssh://box");
    let output = far
        .run(&stack, &["up", "-d", "--lint", "remote-bind=error"])
        .code(1);
    assert_eq!(stack.containers(), []);
    let output = output.says(&["compose.yaml:7:9", "the engine is on box", "COPY"]);
    assert_eq!(output.stderr.matches("remote-bind").count(), 1, "{output}");
    let output = far.run(&stack, &["up", "-d"]).success();
    assert!(output.stderr.contains("warning[remote-bind]"), "{output}");
    let output = stack.up("--force-recreate");
    assert!(!output.stderr.contains("remote-bind"), "{output}");
}

#[test]
fn what_ssh_refuses_is_told_in_one_line() {
    let stack = Stack::new("door-ssh-wrong", COMPOSE);
    let says = |sshd: &Sshd, host: &str, words: &[&str]| {
        let output = door(sshd, host)
            .run(&stack, &["up", "-d"])
            .code(1)
            .says(words);
        assert_eq!(output.stderr.trim().lines().count(), 1, "{output}");
    };
    let sshd = Sshd::start("");
    says(
        &sshd,
        "ssh://no-such-host.invalid",
        &["cannot connect to ssh://no-such-host.invalid: ssh: Could not resolve hostname"],
    );
    says(
        &sshd,
        "ssh://box/nowhere.sock",
        &["Cannot connect to the Docker daemon"],
    );
    sshd.remove("bin/docker");
    sshd.program("bin/docker", "echo sh: docker: not found >&2; exit 127");
    says(
        &sshd,
        "ssh://box",
        &[
            "docker: not found",
            "Docker's client is needed on that machine",
        ],
    );
    std::fs::write(sshd.at("authorized"), "").expect("a file");
    says(
        &sshd,
        "ssh://box",
        &["Permission denied (publickey", "log in without a password"],
    );
    let other = std::fs::read_to_string(sshd.at("other.pub")).expect("a key");
    let known = std::fs::read_to_string(sshd.at("known")).expect("a file");
    let (place, _) = known.split_once(' ').expect("two words");
    std::fs::write(sshd.at("known"), format!("{place} {other}")).expect("a file");
    says(
        &sshd,
        "ssh://box",
        &["IDENTIFICATION HAS CHANGED", "ssh-keygen -R box"],
    );
    std::fs::write(sshd.at("known"), "").expect("a file");
    says(
        &sshd,
        "ssh://box",
        &["Host key verification failed", "`ssh box` once"],
    );
    sshd.remove("bin/ssh");
    let output = door(&sshd, "ssh://box");
    let nothing = sshd.at("bin").display().to_string();
    output
        .command(&stack, &["ps"])
        .env("PATH", &nothing)
        .run()
        .code(1)
        .says(&["there is no program `ssh` in PATH"]);
    assert_eq!(stack.containers(), []);
}
