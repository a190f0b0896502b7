//! How we were called: by our own name, as `docker-compose`, or by `docker` as its plugin.

use crate::options::Program;
use std::ffi::OsString;

/// The arguments, brought into the one form the parser knows.
#[derive(Debug, PartialEq, Eq)]
pub struct Invocation {
    pub program: Program,
    /// The program's name, then its arguments without the plugin's `compose`.
    pub args: Vec<OsString>,
    /// What is asked for by a word that no user types.
    pub inquiry: Option<Inquiry>,
}

impl Invocation {
    /// The name of the program's file, as it was called.
    pub fn name(&self) -> String {
        let path = self.args.first().map(std::path::Path::new);
        let name = path.and_then(std::path::Path::file_stem);
        name.map_or("regatta".into(), |name| name.to_string_lossy().into_owned())
    }
}

/// What `docker` and shells ask a program for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inquiry {
    /// What plugin this is.
    Metadata,
    /// What may be said after a command of `docker`.
    Hooks,
    /// How the words go on; with descriptions or without.
    Completion { has_descriptions: bool },
}

/// The words by which it is asked.
const INQUIRIES: [(&str, Inquiry); 4] = [
    ("docker-cli-plugin-metadata", Inquiry::Metadata),
    ("docker-cli-plugin-hooks", Inquiry::Hooks),
    (
        "__complete",
        Inquiry::Completion {
            has_descriptions: true,
        },
    ),
    (
        "__completeNoDesc",
        Inquiry::Completion {
            has_descriptions: false,
        },
    ),
];

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
    // Its own words are those behind it: what is typed there may be anything.
    if let Some(inquiry) = inquiry(&args, 1) {
        args.remove(1);
        let is_plugin = args.len() > 2 && args[1] == "compose";
        if is_plugin {
            args.remove(1);
            program = Program::DockerCompose;
        }
        return Invocation {
            program,
            args,
            inquiry: Some(inquiry),
        };
    }
    // `docker help compose up` asks for `docker compose up --help`.
    if args.len() > 2 && args[1] == "help" && args[2] == "compose" {
        args.remove(1);
        args.push("--help".into());
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
    // `docker` has its hooks run as a command of the plugin.
    let inquiry = inquiry(&args, at).filter(|found| *found == Inquiry::Hooks);
    Invocation {
        program,
        args,
        inquiry,
    }
}

/// What is asked by the word there. Only as the first word is it no command's argument.
fn inquiry(args: &[OsString], at: usize) -> Option<Inquiry> {
    let word = args.get(at)?;
    let (_, inquiry) = INQUIRIES.iter().find(|(name, _)| word == name)?;
    let is_alone = args.len() == at + 1;
    (*inquiry != Inquiry::Metadata || is_alone).then_some(*inquiry)
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
            ("docker-compose help compose", DockerCompose, "--help"),
            ("docker-compose help compose up", DockerCompose, "up --help"),
            ("regatta help up", Regatta, "help up"),
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
    fn docker_and_shells_ask_by_words_of_their_own() {
        let asked = |line: &str| {
            let read = read(line.split(' ').map(OsString::from).collect());
            let rest: Vec<_> = read.args[1..].iter().map(|a| a.to_str().unwrap()).collect();
            (read.inquiry, read.program, rest.join(" "))
        };
        let complete = |has_descriptions| Some(Inquiry::Completion { has_descriptions });
        use Program::*;
        for (line, inquiry, program, left) in [
            (
                "docker-compose docker-cli-plugin-metadata",
                Some(Inquiry::Metadata),
                DockerCompose,
                "",
            ),
            (
                "docker-compose up docker-cli-plugin-metadata",
                None,
                DockerCompose,
                "up docker-cli-plugin-metadata",
            ),
            (
                "docker-compose compose docker-cli-plugin-hooks {}",
                Some(Inquiry::Hooks),
                DockerCompose,
                "docker-cli-plugin-hooks {}",
            ),
            (
                "docker-compose docker-cli-plugin-hooks {}",
                Some(Inquiry::Hooks),
                DockerCompose,
                "{}",
            ),
            (
                "regatta exec a docker-cli-plugin-hooks",
                None,
                Regatta,
                "exec a docker-cli-plugin-hooks",
            ),
            ("regatta __complete up we", complete(true), Regatta, "up we"),
            (
                "regatta __completeNoDesc -f a.yaml ",
                complete(false),
                Regatta,
                "-f a.yaml ",
            ),
            (
                "x/docker-compose __complete compose up ",
                complete(true),
                DockerCompose,
                "up ",
            ),
            (
                "docker-compose __complete up ",
                complete(true),
                DockerCompose,
                "up ",
            ),
            (
                "regatta __complete compose",
                complete(true),
                Regatta,
                "compose",
            ),
            ("regatta __complete", complete(true), Regatta, ""),
            ("regatta up __complete", None, Regatta, "up __complete"),
        ] {
            assert_eq!(asked(line), (inquiry, program, left.to_owned()), "{line}");
        }
    }
}
