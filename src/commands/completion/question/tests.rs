use super::*;

fn ask(line: &str) -> Question {
    let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    let last = words.pop().expect("a word");
    let mut root = crate::cli::parser();
    root.build();
    question(&root, &words, &last)
}

/// The names among the candidates.
fn names(line: &str) -> Vec<String> {
    match ask(line).wanted {
        Wanted::Words(words) => words.into_iter().map(|(name, _)| name).collect(),
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn every_place_has_its_words() {
    for (line, wanted, prefix) in [
        ("up ", Wanted::Services(""), ""),
        ("up -d we", Wanted::Services(""), "we"),
        ("up -- ", Wanted::Services(""), ""),
        ("logs a ", Wanted::Services(""), ""),
        ("up --scale ", Wanted::Services("="), ""),
        ("scale ", Wanted::Services("="), ""),
        ("up --attach=w", Wanted::Services(""), "w"),
        ("exec -T ", Wanted::Services(""), ""),
        ("exec -u root ", Wanted::Services(""), ""),
        ("exec db ", Wanted::Files, ""),
        ("exec db sh -", Wanted::Files, "-"),
        ("-f ", Wanted::Endings(&["yaml", "yml"]), ""),
        ("--project-directory ", Wanted::Directories, ""),
        ("--env-file ", Wanted::Files, ""),
        ("--profile p", Wanted::Profiles, "p"),
        ("-p ", Wanted::Projects, ""),
        ("-c ", Wanted::Contexts, ""),
        ("-H ", Wanted::Nothing, ""),
        ("up -t ", Wanted::Nothing, ""),
        ("ls ", Wanted::Nothing, ""),
    ] {
        let found = ask(line);
        assert_eq!((&found.wanted, &*found.prefix), (&wanted, prefix), "{line}");
    }
}

#[test]
fn commands_and_options_are_those_of_the_parser() {
    let commands = names("");
    for name in ["up", "down", "logs", "plan", "completion"] {
        assert!(commands.iter().any(|c| c == name), "{name}: {commands:?}");
    }
    assert!(!commands.iter().any(|c| c == "help"), "{commands:?}");
    assert_eq!(names("up --wait-"), ["--wait-timeout"]);
    let flags = names("up -");
    assert!(flags.contains(&"-d".to_owned()) && flags.contains(&"--detach".to_owned()));
    // An option that holds everywhere is offered behind the command, too, others are not.
    assert!(flags.contains(&"--dry-run".to_owned()), "{flags:?}");
    assert!(!flags.contains(&"--profile".to_owned()), "{flags:?}");
    // What is given once is enough, unless it may be repeated.
    assert!(!names("up -d -").contains(&"--detach".to_owned()));
    assert!(names("-f a.yaml -").contains(&"--file".to_owned()));
    assert_eq!(
        names("--progress="),
        ["auto", "tty", "plain", "json", "quiet"]
    );
    assert_eq!(names("kill -s SIGK")[0], "SIGKILL");
}

#[test]
fn words_of_the_program_itself_are_told_apart() {
    for (line, globals) in [
        ("", 0),
        ("up ", 0),
        ("-f a.yaml up ", 2),
        ("-fa.yaml -p x --profile=y logs -f ", 4),
        ("--dry-run -", 1),
        ("-f up up up ", 2),
        ("--dry-run -p ", 1),
    ] {
        assert_eq!(ask(line).globals, globals, "{line}");
    }
}

#[test]
fn nonsense_is_no_panic() {
    for line in [
        "- ",
        "-- ",
        "--= ",
        "-=",
        "nope nope ",
        "up --nope ",
        "-Zx ",
        "é --é=ü ",
    ] {
        let _ = ask(line);
    }
}
