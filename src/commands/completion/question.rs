//! Completing a command line: what may come next, as far as the parser's own tables tell.
//!
//! Shells ask with `__complete WORD… LAST`, as Docker's client asks its plugins, and get an answer in
//! the form of the library that its client is made with: one candidate a line, with a tab before its
//! description, then a colon and a number ([`Directive`]). So one engine serves `regatta completion`,
//! `docker-compose` and `docker compose`, and every command is known here as soon as it is parsed.

use clap::{Arg, ArgAction, Command};

/// What a shell does beside offering the candidates; the numbers add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directive {
    /// Offer files where there is no candidate.
    Files = 0,
    /// Nothing further.
    NoFiles = 4,
    /// The candidates are endings of files to offer.
    Endings = 8,
    /// Offer directories.
    Directories = 16,
}

/// What may stand in a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// These, each with a description or none.
    Words(Vec<(String, String)>),
    /// Services of the project, each with this behind its name.
    Services(&'static str),
    /// Profiles of the project.
    Profiles,
    /// Projects that the engine knows.
    Projects,
    /// Contexts of Docker's client.
    Contexts,
    /// Files with one of these endings.
    Endings(&'static [&'static str]),
    Directories,
    Files,
    /// Something that nobody can know.
    Nothing,
}

/// What a command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Question {
    pub wanted: Wanted,
    /// What the candidates have to begin with.
    pub prefix: String,
    /// How many of the words belong to the program itself, before its command.
    pub globals: usize,
}

/// Reads the words before the last one, and tells what the last one may be.
pub fn question(root: &Command, words: &[String], last: &str) -> Question {
    let mut place = Place {
        path: vec![root],
        given: Vec::new(),
        positionals: 0,
        is_literal: false,
        globals: 0,
    };
    let mut pending = None;
    for (index, word) in words.iter().enumerate() {
        pending = match pending {
            // The value of the option before it.
            Some(_) => None,
            None => place.read(word),
        };
        // An option whose value is being typed is not given yet.
        if place.path.len() == 1 && pending.is_none() {
            place.globals = index + 1;
        }
    }
    let globals = place.globals;
    let answer = |wanted, prefix: &str| Question {
        wanted,
        prefix: prefix.to_owned(),
        globals,
    };
    if let Some(arg) = pending {
        return answer(value(arg), last);
    }
    if !place.is_literal && last.starts_with('-') {
        if let Some((name, begun)) = last.split_once('=')
            && let Some(arg) = name.strip_prefix("--").and_then(|name| place.long(name))
        {
            return answer(value(arg), begun);
        }
        return answer(Wanted::Words(place.flags(last)), last);
    }
    answer(place.next(), last)
}

/// Where in a command line one is.
struct Place<'a> {
    /// The program and its commands, the innermost last.
    path: Vec<&'a Command>,
    /// Options that were given.
    given: Vec<&'a Arg>,
    /// How many words that are no options the innermost command has.
    positionals: usize,
    /// No word is an option any more.
    is_literal: bool,
    globals: usize,
}

impl<'a> Place<'a> {
    fn command(&self) -> &'a Command {
        self.path[self.path.len() - 1]
    }

    /// The options that may be given here: those of the command, and those that hold for all below.
    fn options(&self) -> impl Iterator<Item = &'a Arg> {
        let (own, above) = self.path.split_last().unzip();
        let inherited = above.into_iter().flatten();
        let inherited = inherited
            .flat_map(|command: &&Command| command.get_arguments())
            .filter(|arg| arg.is_global_set());
        let own = own.into_iter().flat_map(|command| command.get_arguments());
        inherited.chain(own).filter(|arg| !arg.is_positional())
    }

    fn long(&self, name: &str) -> Option<&'a Arg> {
        self.options().find(|arg| {
            let names = arg.get_long_and_visible_aliases().unwrap_or_default();
            names.contains(&name) || arg.get_all_aliases().unwrap_or_default().contains(&name)
        })
    }

    fn short(&self, letter: char) -> Option<&'a Arg> {
        self.options().find(|arg| arg.get_short() == Some(letter))
    }

    /// Takes a word in; gives the option whose value the next word is.
    fn read(&mut self, word: &str) -> Option<&'a Arg> {
        if self.is_literal || !word.starts_with('-') || word == "-" {
            self.word(word);
            return None;
        }
        if word == "--" {
            self.is_literal = true;
            return None;
        }
        if let Some(name) = word.strip_prefix("--") {
            let (name, has_value) = match name.split_once('=') {
                Some((name, _)) => (name, true),
                None => (name, false),
            };
            let arg = self.long(name)?;
            self.given.push(arg);
            return (!has_value && takes_next(arg)).then_some(arg);
        }
        // Letters in one word; the first that takes a value takes the rest.
        let mut letters = word[1..].chars();
        while let Some(letter) = letters.next() {
            let arg = self.short(letter)?;
            self.given.push(arg);
            if takes_next(arg) {
                return letters.as_str().is_empty().then_some(arg);
            }
        }
        None
    }

    fn word(&mut self, word: &str) {
        if self.positionals == 0
            && let Some(command) = self.command().find_subcommand(word)
        {
            self.path.push(command);
            return;
        }
        self.positionals += 1;
        let is_rest = |arg: &Arg| arg.is_trailing_var_arg_set();
        if self.command().get_positionals().any(is_rest) {
            self.is_literal = true;
        }
    }

    /// Options that begin like this, without those that can be given only once and are.
    fn flags(&self, begun: &str) -> Vec<(String, String)> {
        let is_open = |arg: &&Arg| {
            let repeats = matches!(arg.get_action(), ArgAction::Append | ArgAction::Count);
            let id = arg.get_id();
            !arg.is_hide_set() && (repeats || !self.given.iter().any(|given| given.get_id() == id))
        };
        let mut all = Vec::new();
        for arg in self.options().filter(is_open) {
            let about = first_line(arg.get_help());
            let long = arg.get_long().map(|name| format!("--{name}"));
            let short = arg.get_short().map(|letter| format!("-{letter}"));
            for name in long.into_iter().chain(short) {
                if name.starts_with(begun) && !all.iter().any(|(known, _)| *known == name) {
                    all.push((name, about.clone()));
                }
            }
        }
        all
    }

    /// What a word that is no option may be.
    fn next(&self) -> Wanted {
        let command = self.command();
        if self.positionals == 0 && command.has_subcommands() {
            // `help` is the parser's own; its pages are those of `--help`.
            let is_offered = |c: &&Command| !c.is_hide_set() && c.get_name() != "help";
            let visible = command.get_subcommands().filter(is_offered);
            let words = visible.map(|c| (c.get_name().to_owned(), first_line(c.get_about())));
            return Wanted::Words(words.collect());
        }
        let positionals: Vec<&Arg> = command.get_positionals().collect();
        let here = positionals.get(self.positionals).or_else(|| {
            let takes_many = |arg: &&&Arg| matches!(arg.get_action(), ArgAction::Append);
            positionals.last().filter(takes_many)
        });
        match here {
            // One list of a service and a command, whose words are whatever they are.
            Some(arg) if arg.is_trailing_var_arg_set() && self.positionals > 0 => Wanted::Files,
            Some(arg) => value(arg),
            None => Wanted::Nothing,
        }
    }
}

/// Whether the next word is an option's value.
fn takes_next(arg: &Arg) -> bool {
    arg.get_action().takes_values() && !arg.is_require_equals_set()
}

fn first_line(text: Option<&clap::builder::StyledStr>) -> String {
    let text = text.map(ToString::to_string).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

/// The names by which Docker's client knows signals.
const SIGNALS: [&str; 8] = [
    "SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGSTOP",
];

/// What an option or an argument may be.
fn value(arg: &Arg) -> Wanted {
    let words = |all: &[&str]| {
        let all = all.iter().map(|word| ((*word).to_owned(), String::new()));
        Wanted::Words(all.collect())
    };
    let possible = arg.get_possible_values();
    if !possible.is_empty() {
        let names: Vec<&str> = possible.iter().map(|value| value.get_name()).collect();
        return words(&names);
    }
    let name = arg.get_value_names().and_then(|names| names.first());
    match (arg.get_id().as_str(), name.map_or("", |name| name.as_str())) {
        ("files", _) => Wanted::Endings(&["yaml", "yml"]),
        ("profiles", _) => Wanted::Profiles,
        ("project_name", _) => Wanted::Projects,
        ("context", "NAME") => Wanted::Contexts,
        ("progress", _) => words(&["auto", "tty", "plain", "json", "quiet"]),
        ("ansi", _) => words(&["never", "always", "auto"]),
        ("diagnostics", _) => words(&["text", "json", "sarif"]),
        ("pull", "WHEN") => words(&["always", "missing", "never", "build"]),
        ("signal", _) => words(&SIGNALS),
        ("shell", _) => words(&["bash", "zsh", "fish", "powershell"]),
        (_, "SERVICE=NUM" | "SERVICE=REPLICAS") => Wanted::Services("="),
        (_, name) if name.to_uppercase().contains("SERVICE") => Wanted::Services(""),
        (_, "FILE" | "PATH") => Wanted::Files,
        (_, "DIR") => Wanted::Directories,
        _ => Wanted::Nothing,
    }
}

#[cfg(test)]
mod tests;
