//! Files from git repositories, by the `git` program: its configuration, keys and credential
//! helpers are the user's own.

use super::Settings;
use super::cache::Partial;
use super::login::Access;
use crate::load::discover::NAMES;
use crate::load::{Fetched, Unfetched};
use crate::value::address::GitAddress;
use crate::value::userinfo::{masked, removed};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

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
    let access = Access::of(address, settings.git_config_count)?;
    let commit = match is_commit(&address.reference) {
        true => address.reference.clone(),
        false => resolve(settings, address, &access).await?,
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
    match is_complete(&root) {
        true => scrub(&root),
        false => check_out(settings, address, &access, &commit, cache, &root).await?,
    }
    let reference = match (address.reference.as_str(), is_commit(&address.reference)) {
        ("", _) => "",
        (reference, true) => &reference[..12],
        (reference, false) => reference,
    };
    Ok(Fetched {
        file: file(address, &root)?,
        label: format!("{}#{reference}:", masked(&address.remote)),
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

fn described(address: &GitAddress) -> String {
    let remote = masked(&address.remote).into_owned();
    match address.reference.as_str() {
        "" => remote,
        reference => format!("{remote}#{reference}"),
    }
}

/// The commit that a branch or tag (or the default branch) is at.
async fn resolve(
    settings: &Settings,
    address: &GitAddress,
    access: &Access,
) -> Result<String, Unfetched> {
    let names = names(&address.reference);
    let mut arguments = vec!["ls-remote", "--exit-code", "--", &access.url];
    arguments.extend(names.iter().map(String::as_str));
    let answer = git(settings, None, Some(access), &arguments).await?;
    // Git compares endings: `main` would find `other/main`, too. Only the exact name counts.
    let named = |name: &String| {
        let mut lines = answer.out.lines();
        lines.find_map(|line| line.split_once('\t').filter(|(_, found)| found == name))
    };
    let found = names.iter().find_map(named);
    if answer.code == Some(2) || (answer.code == Some(0) && found.is_none()) {
        let reference = match address.reference.as_str() {
            "" => "HEAD",
            reference => reference,
        };
        return Err(Unfetched {
            why: format!(
                "{} has no branch or tag `{reference}`",
                masked(&address.remote)
            ),
            help: Some("a commit is named by its 40 digits".into()),
        });
    }
    answer.check(address)?;
    match found {
        Some((commit, _)) if is_commit(commit) => Ok(commit.to_owned()),
        _ => Err(Unfetched {
            why: format!(
                "{}: git names no commit: {:?}",
                described(address),
                answer.out
            ),
            help: None,
        }),
    }
}

/// The full names that a reference may mean, the first that is there counts: a branch, the commit of
/// a tag, a tag that is a commit itself.
fn names(reference: &str) -> Vec<String> {
    match reference {
        "" | "HEAD" => vec!["HEAD".to_owned()],
        full if full.starts_with("refs/") => vec![format!("{full}^{{}}"), full.to_owned()],
        short => vec![
            format!("refs/heads/{short}"),
            format!("refs/tags/{short}^{{}}"),
            format!("refs/tags/{short}"),
        ],
    }
}

async fn check_out(
    settings: &Settings,
    address: &GitAddress,
    access: &Access,
    commit: &str,
    cache: &Path,
    root: &Path,
) -> Result<(), Unfetched> {
    let partial = Partial::new(cache)?;
    let dir = Some(partial.path.as_path());
    // Without a remote in its configuration, which everybody who can read the cache could read.
    let steps: [(&[&str], Option<&Access>); 3] = [
        (&["init", "--quiet"], None),
        (
            &["fetch", "--quiet", "--depth=1", "--", &access.url, commit],
            Some(access),
        ),
        (&["checkout", "--quiet", "--detach", commit], None),
    ];
    for (step, access) in steps {
        git(settings, dir, access, step).await?.check(address)?;
    }
    partial.put(root, is_complete)
}

/// Takes names and passwords out of the configuration of a checkout that Docker Compose or an older
/// version made.
fn scrub(root: &Path) {
    let path = root.join(".git/config");
    let Ok(text) = fs::read_to_string(&path) else {
        return;
    };
    if masked(&text) != text
        && let Err(error) = fs::write(&path, removed(&text))
    {
        tracing::debug!(path = %path.display(), %error, "a login stays in the cache");
    }
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
        let words = masked(words);
        let help = match words.contains("could not read Username")
            || words.contains("terminal prompts disabled")
        {
            true => "git may not ask here: log in with a credential helper, or let it ask with GIT_TERMINAL_PROMPT=1".into(),
            false => format!(
                "see what `git ls-remote {}` says",
                masked(&address.remote)
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
    access: Option<&Access>,
    arguments: &[&str],
) -> Result<Answer, Unfetched> {
    let missing = |why: &dyn std::fmt::Display| Unfetched {
        why: format!("the program `git` cannot be run: {why}"),
        help: Some("files from git repositories need it: install git".into()),
    };
    let program = settings.programs.find("git");
    let program = program.ok_or_else(|| missing(&"no absolute folder of PATH has it"))?;
    let mut command = settings.programs.command(&program);
    command.args(arguments).stdin(Stdio::null());
    for name in FOREIGN {
        command.env_remove(name);
    }
    command.envs(
        access
            .iter()
            .flat_map(|access| &access.environment)
            .cloned(),
    );
    // Not in the folder that the user is in: its `.git/config` could name programs.
    command.current_dir(dir.unwrap_or(Path::new("/")));
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
    let output = command.output().await.map_err(|error| missing(&error))?;
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
    fn what_a_reference_may_mean() {
        let of = |reference| names(reference).join(" ");
        assert_eq!(of(""), "HEAD");
        assert_eq!(of("HEAD"), "HEAD");
        assert_eq!(
            of("main"),
            "refs/heads/main refs/tags/main^{} refs/tags/main"
        );
        assert_eq!(of("refs/tags/v1"), "refs/tags/v1^{} refs/tags/v1");
    }

    #[test]
    fn a_login_leaves_the_cache() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join(".git")).unwrap();
        let path = dir.path().join(".git/config");
        fs::write(&path, "[remote \"origin\"]\n\turl = https://u:p@h/a.git\n").unwrap();
        scrub(dir.path());
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, "[remote \"origin\"]\n\turl = https://h/a.git\n");
    }
}
