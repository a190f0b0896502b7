//! How we were called: by our own name, as `docker-compose`, or by `docker` as its plugin.

use crate::options::Program;
use std::ffi::OsString;

/// The arguments, brought into the one form the parser knows.
#[derive(Debug, PartialEq, Eq)]
pub struct Invocation {
    pub program: Program,
    /// The program's name, then its arguments without the plugin's `compose`.
    pub args: Vec<OsString>,
    /// `docker` asks what plugin this is.
    pub wants_metadata: bool,
}

/// Options of `docker` itself that take a value; they may stand before `compose`.
const DOCKER_OPTIONS: [&str; 10] = [
    "--config",
    "-c",
    "--context",
    "-H",
    "--host",
    "-l",
    "--log-level",
    "--tlscacert",
    "--tlscert",
    "--tlskey",
];
const DOCKER_SWITCHES: [&str; 5] = ["-D", "--debug", "--tls", "--tlsverify", "--verbose"];

/// Reads how the program was called. `docker` calls its plugin with its own whole command line,
/// so its options come first, then `compose`, then ours.
pub fn read(mut args: Vec<OsString>) -> Invocation {
    let own_name = args.first().map(|a| {
        let path = std::path::Path::new(a);
        path.file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    });
    let mut program = match own_name {
        Some(name) if name == "docker-compose" => Program::DockerCompose,
        _ => Program::Regatta,
    };
    if args.is_empty() {
        args.push("regatta".into());
    }
    let mut at = 1;
    while let Some(word) = args.get(at).and_then(|a| a.to_str()) {
        if word == "compose" {
            args.remove(at);
            program = Program::DockerCompose;
            break;
        }
        let has_value = word.starts_with("--") && word.contains('=');
        let name = word.split('=').next().unwrap_or(word);
        if DOCKER_OPTIONS.contains(&name) {
            at += if has_value { 1 } else { 2 };
        } else if DOCKER_SWITCHES.contains(&name) {
            at += 1;
        } else {
            break;
        }
    }
    let wants_metadata = args.len() == 2 && args[1] == "docker-cli-plugin-metadata";
    Invocation {
        program,
        args,
        wants_metadata,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plugins_word_is_taken_out_and_nothing_else() {
        use Program::*;
        for (given, program, left) in [
            ("regatta up -d", Regatta, "up -d"),
            (
                "/usr/bin/regatta -H unix:///x ps",
                Regatta,
                "-H unix:///x ps",
            ),
            ("regatta -f compose up", Regatta, "-f compose up"),
            ("regatta", Regatta, ""),
            (
                "/x/cli-plugins/docker-compose compose up",
                DockerCompose,
                "up",
            ),
            ("docker-compose up", DockerCompose, "up"),
            (
                "docker-compose exec compose sh",
                DockerCompose,
                "exec compose sh",
            ),
            (
                "docker-compose -D --host=unix:///x -c ctx compose -f a.yaml ps",
                DockerCompose,
                "-D --host=unix:///x -c ctx -f a.yaml ps",
            ),
            ("docker-compose compose --help", DockerCompose, "--help"),
        ] {
            let read = read(given.split(' ').map(OsString::from).collect());
            let rest: Vec<_> = read.args[1..].iter().map(|a| a.to_str().unwrap()).collect();
            assert_eq!(
                (read.program, rest.join(" ").as_str()),
                (program, left),
                "{given}"
            );
        }
    }

    #[test]
    fn docker_asks_for_the_metadata_by_one_word() {
        let asks = |line: &str| read(line.split(' ').map(OsString::from).collect()).wants_metadata;
        assert!(asks("docker-compose docker-cli-plugin-metadata"));
        assert!(!asks("docker-compose up docker-cli-plugin-metadata"));
    }
}
