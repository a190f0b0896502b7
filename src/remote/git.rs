//! Files from git repositories, by the `git` program: its configuration, keys and credential
//! helpers are the user's own.

use super::Settings;
use super::cache::Partial;
use crate::load::discover::NAMES;
use crate::load::{Fetched, Unfetched};
use crate::value::address::GitAddress;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;

/// Variables that a hook or a wrapper of git leaves behind; they would lead git elsewhere.
const FOREIGN: [&str; 6] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
];

/// Brings a commit here, unless it is here. A branch or tag is looked up each time.
pub async fn fetch(settings: &Settings, address: &GitAddress) -> Result<Fetched, Unfetched> {
    let cache = settings.cache()?;
    let commit = match is_commit(&address.reference) {
        true => address.reference.clone(),
        false => resolve(settings, address).await?,
    };
    if !commit.starts_with(&address.checksum) {
        return Err(Unfetched {
            why: format!(
                "{} is at commit {commit}, not at {}",
                described(address),
                address.checksum
            ),
            help: Some("it has changed since the checksum was written down".into()),
        });
    }
    let root = cache.join(&commit);
    if !is_complete(&root) {
        check_out(settings, address, &commit, cache, &root).await?;
    }
    let reference = match (address.reference.as_str(), is_commit(&address.reference)) {
        ("", _) => "",
        (reference, true) => &reference[..12],
        (reference, false) => reference,
    };
    Ok(Fetched {
        file: file(address, &root)?,
        label: format!("{}#{reference}:", shown(&address.remote)),
        root,
    })
}

fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// A checkout ends with HEAD at a commit; one that was broken off is still on its first branch.
fn is_complete(root: &Path) -> bool {
    fs::read_to_string(root.join(".git/HEAD")).is_ok_and(|head| is_commit(head.trim()))
}

/// The address without the password in it.
pub fn shown(remote: &str) -> String {
    let Some((scheme, rest)) = remote.split_once("://") else {
        return remote.to_owned();
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    match host.rsplit_once('@') {
        Some((user, host)) if user.contains(':') => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}:***@{host}/{path}")
        }
        _ => remote.to_owned(),
    }
}

fn described(address: &GitAddress) -> String {
    let remote = shown(&address.remote);
    match address.reference.as_str() {
        "" => remote,
        reference => format!("{remote}#{reference}"),
    }
}

/// The commit that a branch or tag (or the default branch) is at.
async fn resolve(settings: &Settings, address: &GitAddress) -> Result<String, Unfetched> {
    let reference = match address.reference.as_str() {
        "" => "HEAD",
        reference => reference,
    };
    let arguments = ["ls-remote", "--exit-code", "--", &address.remote, reference];
    let answer = git(settings, None, &arguments).await?;
    if answer.code == Some(2) {
        return Err(Unfetched {
            why: format!(
                "{} has no branch or tag `{reference}`",
                shown(&address.remote)
            ),
            help: Some("a commit is named by its 40 digits".into()),
        });
    }
    answer.check(address)?;
    let commit = answer.out.get(..40).unwrap_or_default();
    match is_commit(commit) {
        true => Ok(commit.to_owned()),
        false => Err(Unfetched {
            why: format!(
                "{}: git names no commit: {:?}",
                described(address),
                answer.out
            ),
            help: None,
        }),
    }
}

async fn check_out(
    settings: &Settings,
    address: &GitAddress,
    commit: &str,
    cache: &Path,
    root: &Path,
) -> Result<(), Unfetched> {
    let partial = Partial::new(cache)?;
    let dir = Some(partial.path.as_path());
    let steps: [&[&str]; 4] = [
        &["init", "--quiet"],
        &["remote", "add", "--", "origin", &address.remote],
        &["fetch", "--quiet", "--depth=1", "origin", commit],
        &["checkout", "--quiet", "--detach", commit],
    ];
    for step in steps {
        git(settings, dir, step).await?.check(address)?;
    }
    partial.put(root, is_complete)
}

/// What a run of git gave.
struct Answer {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Answer {
    /// Git's own words, where it failed.
    fn check(&self, address: &GitAddress) -> Result<(), Unfetched> {
        if self.code == Some(0) {
            return Ok(());
        }
        let mut lines = self.err.lines().map(str::trim).filter(|l| !l.is_empty());
        let words = lines.clone().find_map(|l| l.strip_prefix("fatal: "));
        let words = words.or_else(|| lines.next()).unwrap_or("git failed");
        let words = words.replace(&address.remote, &shown(&address.remote));
        let help = match words.contains("could not read Username")
            || words.contains("terminal prompts disabled")
        {
            true => "git may not ask here: log in with a credential helper, or let it ask with GIT_TERMINAL_PROMPT=1".into(),
            false => format!(
                "see what `git ls-remote {}` says",
                shown(&address.remote)
            ),
        };
        Err(Unfetched {
            why: format!("cannot fetch {}: {words}", described(address)),
            help: Some(help),
        })
    }
}

async fn git(
    settings: &Settings,
    dir: Option<&Path>,
    arguments: &[&str],
) -> Result<Answer, Unfetched> {
    let mut command = Command::new("git");
    command
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    for name in FOREIGN {
        command.env_remove(name);
    }
    if let Some(dir) = dir {
        command.current_dir(dir);
    }
    // As Compose has it: no questions, unless the user wants to be asked.
    if !settings.git_may_ask {
        command.env("GIT_TERMINAL_PROMPT", "0");
    }
    if !settings.has_own_ssh {
        command.env(
            "GIT_SSH_COMMAND",
            "ssh -o ControlMaster=no -o BatchMode=yes",
        );
    }
    let output = command.output().await.map_err(|error| Unfetched {
        why: format!("the program `git` cannot be run: {error}"),
        help: Some("files from git repositories need it: install git".into()),
    })?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let answer = Answer {
        code: output.status.code(),
        out: text(&output.stdout),
        err: text(&output.stderr),
    };
    tracing::debug!(?arguments, code = ?answer.code, err = answer.err.trim(), "git");
    Ok(answer)
}

/// The project file that the address names: itself, or one of the usual names in a directory.
/// Links that lead out of the repository are not followed.
fn file(address: &GitAddress, root: &Path) -> Result<PathBuf, Unfetched> {
    let named = match address.subdir.as_str() {
        "" => root.to_owned(),
        subdir => root.join(subdir),
    };
    let fail = |why: String, help: &str| {
        Err(Unfetched {
            why: format!("{}: {why}", described(address)),
            help: Some(help.into()),
        })
    };
    let found = match named.is_dir() {
        true => NAMES
            .iter()
            .map(|name| named.join(name))
            .find(|path| path.is_file()),
        false => Some(named.clone()).filter(|path| path.exists()),
    };
    let Some(found) = found else {
        return match named.is_dir() {
            true => fail(
                format!("no {} in {:?}", NAMES.join(", "), address.subdir),
                "name the file: …#branch:path/to/file.yaml",
            ),
            false => fail(
                format!("there is no {}", address.subdir),
                "see what the branch holds",
            ),
        };
    };
    let inside = match (found.canonicalize(), root.canonicalize()) {
        (Ok(file), Ok(root)) => file.starts_with(root),
        _ => false,
    };
    match inside {
        true => Ok(found),
        false => fail(
            format!("{} leads out of the repository", address.subdir),
            "a project file must lie in the repository itself",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        for (remote, text) in [
            (
                "https://u:secret@h.example/a.git",
                "https://u:***@h.example/a.git",
            ),
            ("https://u@h.example/a.git", "https://u@h.example/a.git"),
            ("git@h.example:a.git", "git@h.example:a.git"),
        ] {
            assert_eq!(shown(remote), text);
        }
    }
}
