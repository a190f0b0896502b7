//! `exec`, `run` and `attach` with our streams: on a terminal, driven as a person drives it, and without.

use crate::support::cut::Cut;
use crate::support::{Stack, eventually};

const COMPOSE: &str = r#"
services:
  web:
    image: busybox
    init: true
    command: ["sleep", "100000"]
    stop_signal: SIGKILL
"#;

/// A shell that says when it is ready; its own echo is split, so that it is not taken for an answer.
fn sized(words: &str) -> Vec<(u16, u16, String)> {
    [(24, 80), (5, 20), (60, 240)]
        .map(|(rows, columns)| (rows, columns, words.to_owned()))
        .into()
}

#[test]
fn a_command_has_a_terminal_of_our_size_from_the_first_frame_on() {
    let stack = Stack::new("tty-size", COMPOSE);
    stack.up("");
    for words in ["exec web stty size", "run --rm web stty size"] {
        for (rows, columns, words) in sized(words) {
            let mut terminal = stack.command(&words).on_terminal(rows, columns);
            assert_eq!(terminal.ends(), Some(0), "{}", terminal.screen());
            terminal.shows(&format!("{rows} {columns}"));
        }
    }
}

#[test]
fn a_window_that_changes_its_size_is_told() {
    let stack = Stack::new("tty-resize", COMPOSE);
    stack.up("");
    for words in ["exec web sh", "run --rm web sh"] {
        let mut terminal = stack.command(words).on_terminal(24, 80);
        terminal.gets_raw();
        for (rows, columns) in [(33, 101), (7, 33)] {
            terminal.resizes(rows, columns);
            eventually("the shell knows the size", || {
                terminal.types("stty size\r");
                let size = format!("\n{rows} {columns}\r\n");
                std::thread::sleep(std::time::Duration::from_millis(100));
                terminal.screen().contains(&size).then_some(())
            });
        }
        terminal.types("exit 4\r");
        assert_eq!(terminal.ends(), Some(4), "{words}");
    }
}

#[test]
fn keys_go_to_the_command_ctrl_c_too() {
    let stack = Stack::new("tty-keys", COMPOSE);
    stack.up("");
    let line = "trap 'echo caught; exit 9' INT; echo re''ady; while :; do sleep 0.1; done";
    for words in ["exec web sh -c", "run --rm web sh -c"] {
        let program = stack.command(words).args([line]);
        let mut terminal = program.on_terminal(24, 80);
        terminal.shows("ready");
        assert!(terminal.is_raw());
        terminal.types("\x03");
        assert_eq!(terminal.ends(), Some(9), "{words}: {}", terminal.screen());
        terminal.shows("caught");
    }
}

#[test]
fn a_megabyte_is_pasted() {
    let stack = Stack::new("tty-paste", COMPOSE);
    stack.up("");
    let line = "stty raw -echo; echo re''ady; head -c 1000000 | md5sum";
    let mut terminal = stack
        .command("exec web sh -c")
        .args([line])
        .on_terminal(24, 80);
    terminal.shows("ready");
    let text: Vec<u8> = (0..1_000_000u32).map(|n| b'a' + (n % 26) as u8).collect();
    for piece in text.chunks(4096) {
        terminal.types(piece);
    }
    assert_eq!(terminal.ends(), Some(0));
    stack.write("pasted", &String::from_utf8(text).unwrap());
    let sum = std::process::Command::new("md5sum")
        .arg(stack.path().join("pasted"))
        .output()
        .expect("md5sum");
    let sum = String::from_utf8_lossy(&sum.stdout);
    terminal.shows(sum.split(' ').next().expect("a sum"));
}

#[test]
fn keys_detach_and_the_command_goes_on() {
    let stack = Stack::new("tty-detach", COMPOSE);
    stack.up("");
    stack.write(".docker/config.json", r#"{"detachKeys": "ctrl-a,d"}"#);
    let plain = stack.path().join("none");
    let plain = plain.to_str().expect("a path");
    for (name, words, keys, has_config) in [
        ("a", "exec web", "\x10\x11", false),
        ("b", "exec web", "\x01d", true),
        ("c", "exec --detach-keys=x,y web", "xy", true),
    ] {
        let mut program = stack.command(words);
        if !has_config {
            program = program.env("DOCKER_CONFIG", plain);
        }
        let line = format!("echo re''ady; cat; touch /tmp/{name}");
        let mut terminal = program.args(["sh", "-c", &line]).on_terminal(24, 80);
        terminal.shows("ready");
        terminal.types(keys);
        assert_eq!(terminal.ends(), Some(1), "{}", terminal.screen());
        terminal.shows("read escape sequence");
        let state = stack.shell("web", &format!("ls /tmp/{name} 2>&1; ps | grep -c '[c]at'"));
        assert!(state.contains("No such file"), "{state}");
    }
    let mut terminal = stack
        .command("run --name")
        .args([
            &format!("{}-left", stack.name),
            "web",
            "sh",
            "-c",
            "echo re''ady; cat",
        ])
        .env("DOCKER_CONFIG", plain)
        .on_terminal(24, 80);
    terminal.shows("ready");
    terminal.types("\x10\x11");
    assert_eq!(terminal.ends(), Some(0));
    let left = format!("{}-left", stack.name);
    assert_eq!(stack.engine.inspect(&left)["State"]["Running"], true);
}

#[test]
fn it_stops_and_goes_on_as_a_shell_asks() {
    let stack = Stack::new("tty-stop", COMPOSE);
    stack.up("");
    let mut terminal = stack.command("exec web sh").on_terminal(24, 80);
    terminal.gets_raw();
    terminal.signal("TSTP");
    eventually("it is stopped", || (terminal.state() == "T").then_some(()));
    assert!(terminal.is_as_before());
    terminal.resizes(12, 40);
    terminal.signal("CONT");
    terminal.gets_raw();
    eventually("the shell knows the size", || {
        terminal.types("stty size\r");
        std::thread::sleep(std::time::Duration::from_millis(100));
        terminal.screen().contains("\n12 40\r\n").then_some(())
    });
    terminal.types("exit\r");
    assert_eq!(terminal.ends(), Some(0));
    // Without our keyboard, too.
    let line = "while :; do echo tick; sleep 0.1; done";
    let program = stack.command("exec --interactive=false web sh -c");
    let mut terminal = program.args([line]).on_terminal(24, 80);
    terminal.shows("tick");
    assert!(!terminal.is_raw());
    terminal.types("\x1a");
    eventually("it is stopped", || (terminal.state() == "T").then_some(()));
    terminal.signal("CONT");
    let before = terminal.screen().len();
    eventually("it goes on", || {
        (terminal.screen().len() > before).then_some(())
    });
    terminal.types("\x03");
    assert_eq!(terminal.ends(), Some(130));
}

#[test]
fn the_terminal_is_given_back_however_it_ends() {
    let stack = Stack::new("tty-end", COMPOSE);
    stack.up("");
    for (signal, code) in [("TERM", 143), ("HUP", 129), ("QUIT", 131), ("USR1", 138)] {
        let mut terminal = stack.command("exec web cat").on_terminal(24, 80);
        terminal.gets_raw();
        terminal.signal(signal);
        assert_eq!(terminal.ends(), Some(code), "{signal}");
    }
    // The engine goes away.
    for words in ["exec web sh", "run --rm web sh"] {
        let cut = Cut::before(&stack.engine);
        let program = stack.command(words).env("DOCKER_HOST", &cut.engine.host());
        let mut terminal = program
            .args(["-c", "echo re''ady; cat"])
            .on_terminal(24, 80);
        terminal.shows("ready");
        cut.cut();
        assert_eq!(terminal.ends(), Some(1), "{words}: {}", terminal.screen());
    }
    // It cannot begin.
    let mut terminal = stack.command("exec web /nope").on_terminal(24, 80);
    assert_eq!(terminal.ends(), Some(127));
    let mut terminal = stack.command("run --rm web /nope").on_terminal(24, 80);
    assert_eq!(terminal.ends(), Some(127));
}

#[test]
fn without_a_terminal_bytes_go_both_ways_as_they_are() {
    let stack = Stack::new("tty-bytes", COMPOSE);
    stack.up("");
    // All bytes there are, and more than pipes hold.
    let all: Vec<u8> = (0..3_000_000u32)
        .map(|n| (n.wrapping_mul(n) >> 3) as u8)
        .collect();
    let path = stack.path().join("bytes");
    std::fs::write(&path, &all).expect("a file");
    for words in ["exec -T web cat", "run --rm -T web cat"] {
        let line = format!(
            "{} -p {} {words} < {} > {}.back",
            crate::support::run::under_test(),
            stack.name,
            path.display(),
            path.display()
        );
        let status = std::process::Command::new("sh")
            .args(["-c", &line])
            .current_dir(stack.path())
            .env("DOCKER_HOST", stack.engine.host())
            .status()
            .expect("a shell");
        assert!(status.success(), "{words}");
        let back = std::fs::read(path.with_extension("back")).expect("a file");
        assert!(
            back == all,
            "{words}: {} of {} bytes",
            back.len(),
            all.len()
        );
    }
    let out = stack
        .command("exec -T web cat")
        .input("x\n")
        .run()
        .success();
    assert_eq!(out.stdout, "x\n");
    let both = stack.exec("web", "echo out; echo err >&2; exit 3").code(3);
    assert_eq!(
        (both.stdout.as_str(), both.stderr.as_str()),
        ("out\n", "err\n")
    );
}

#[test]
fn a_terminal_needs_one_at_both_ends() {
    let stack = Stack::new("tty-none", COMPOSE);
    stack.up("");
    for words in ["run --rm -t web true", "exec --no-tty=false web true"] {
        let refused = stack.command(words).input("x").run().code(1);
        refused.says(&["stdin is not a terminal"]);
    }
    assert_eq!(stack.containers().len(), 1, "nothing is left");
    for (words, shown) in [
        ("--dry-run exec web touch /made", "  > run touch /made\n"),
        ("--dry-run attach web", "  > attach\n"),
    ] {
        let out = stack.run(words).success();
        assert_eq!(out.stdout, format!("{}-web-1:\n{shown}", stack.name));
    }
    assert_eq!(stack.shell("web", "ls /made 2>/dev/null | wc -l"), "0");
}

const READERS: &str = r#"
services:
  shell:
    image: busybox
    init: true
    tty: true
    stdin_open: true
    command: ["sh"]
    stop_signal: SIGKILL
  plain:
    image: busybox
    init: true
    stdin_open: true
    command: ["sh", "-c", "trap 'exit 7' TERM; trap 'exit 8' INT; while read x; do echo got $$x; [ $$x = end ] && exit 5; done"]
    stop_signal: SIGKILL
  ticks:
    image: busybox
    init: true
    command: ["sh", "-c", "trap 'exit 7' TERM; while :; do echo tick; sleep 0.1; done"]
    stop_signal: SIGKILL
"#;

#[test]
fn a_container_is_attached_to() {
    let stack = Stack::new("attach", READERS);
    stack.up("");
    let mut terminal = stack.command("attach shell").on_terminal(20, 70);
    terminal.gets_raw();
    terminal.types("stty size\r");
    terminal.shows("20 70");
    terminal.types("\x10\x11");
    assert_eq!(terminal.ends(), Some(1));
    terminal.shows("read escape sequence");
    let mut terminal = stack
        .command("attach --detach-keys=a,b shell")
        .on_terminal(20, 70);
    terminal.gets_raw();
    terminal.types("ab");
    assert_eq!(terminal.ends(), Some(1));
    // Its end is ours.
    let mut terminal = stack.command("attach shell").on_terminal(20, 70);
    terminal.gets_raw();
    terminal.types("exit 6\r");
    assert_eq!(terminal.ends(), Some(6));

    // Without a terminal of its own it gets whole lines.
    let mut terminal = stack.command("attach plain").on_terminal(20, 70);
    for line in ["one", "end"] {
        terminal.types(format!("{line}\n"));
        terminal.shows(&format!("got {line}"));
        assert!(!terminal.is_raw());
    }
    assert_eq!(terminal.ends(), Some(5));
    stack.reaches("plain", "exited");
    let none = stack.run("attach plain").code(1);
    none.says(&["service \"plain\" is not running"]);
    let none = stack.run("attach --index 2 ticks").code(1);
    none.says(&["service \"ticks\" is not running container #2"]);
    stack
        .run("attach")
        .code(1)
        .says(&["requires at least 1 arg"]);
    let none = stack
        .command("attach --detach-keys=aaa ticks")
        .input("x")
        .run();
    none.code(1).says(&["invalid detach keys (aaa)"]);
}

#[test]
fn an_attached_container_gets_signals_unless_that_is_not_wanted() {
    let stack = Stack::new("attach-signals", READERS);
    stack.up("ticks");
    for (words, signal, code, state) in [
        (
            "attach --no-stdin --sig-proxy=false ticks",
            "INT",
            130,
            "running",
        ),
        ("attach --no-stdin ticks", "TERM", 7, "exited"),
    ] {
        let mut attached = stack.start(words);
        eventually("it is attached", || {
            attached.stdout().contains("tick").then_some(())
        });
        attached.signal(signal);
        let status = eventually("it ends", || attached.ended());
        assert_eq!(status.code(), Some(code), "{words}");
        stack.reaches("ticks", state);
    }
}

#[test]
fn a_foreground_up_listens_to_keys() {
    let stack = Stack::new(
        "menu",
        r#"
services:
  web:
    image: busybox
    init: true
    stop_signal: SIGKILL
    command: ["sh", "-c", "n=0; while :; do n=$$((n+1)); echo line $$n; sleep 0.2; done"]
"#,
    );
    let mut terminal = stack.command("up").on_terminal(24, 80);
    terminal.shows("line 2");
    terminal.shows("Detach");
    terminal.types("x\rd");
    assert_eq!(terminal.ends(), Some(0));
    assert_eq!(stack.one("web").state, "running");
    // Suspended as any other program.
    let mut terminal = stack.command("up").on_terminal(24, 80);
    terminal.shows("Detach");
    terminal.types("\x1a");
    eventually("it is stopped", || (terminal.state() == "T").then_some(()));
    assert!(terminal.is_as_before());
    terminal.signal("CONT");
    terminal.gets_raw();
    terminal.types("\x03");
    assert_eq!(terminal.ends(), Some(130));
    assert_eq!(stack.one("web").state, "exited");
    for program in [
        stack.command("up --menu=false"),
        stack.command("up").env("COMPOSE_MENU", "false"),
    ] {
        let mut terminal = program.on_terminal(24, 80);
        terminal.shows("line 2");
        assert!(!terminal.is_raw());
        terminal.types("\x03");
        assert_eq!(terminal.ends(), Some(130));
        assert!(!terminal.screen().contains("Detach"));
    }
}
