//! Why `ssh` brought no connection: its own last words, and what to do about them.

use super::channel::Process;
use crate::engine::docker::transport::Refusal;
use crate::engine::endpoint::SshTarget;
use std::io;
use std::time::Duration;

/// A process whose stream has ended is waited for no longer.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// What a session that did not come about is told by.
pub(super) async fn of(mut process: Process, error: &io::Error, target: &SshTarget) -> io::Error {
    let ended = tokio::time::timeout(LAST_WORDS, process.end()).await;
    let code = ended
        .ok()
        .and_then(Result::ok)
        .and_then(|status| status.code());
    // What it wrote last may still be on its way to us.
    tokio::time::sleep(Duration::from_millis(20)).await;
    explain(&process.words(), code, &error.to_string(), target)
}

fn explain(words: &str, code: Option<i32>, error: &str, target: &SshTarget) -> io::Error {
    let has = |text: &str| words.contains(text);
    let port = target.port.map(|port| format!("-p {port} "));
    let place = match &target.user {
        Some(user) => format!("{user}@{}", target.host),
        None => target.host.clone(),
    };
    let by_hand = format!("ssh {}{place}", port.unwrap_or_default());
    let advice = if has("IDENTIFICATION HAS CHANGED") {
        format!(
            "the machine has another key than before: if that is right, `ssh-keygen -R {}`, then `{by_hand}` once",
            target.host
        )
    } else if has("Host key verification failed") {
        format!("its key is not known yet: `{by_hand}` once shows it and asks")
    } else if code == Some(255) && has("Permission denied") {
        format!(
            "log in without a password: add a key (`ssh-add`, `ssh-copy-id`); `{by_hand}` must not ask"
        )
    } else if has("Could not resolve hostname")
        || has("Connection refused")
        || has("timed out")
        || has("No route to host")
    {
        format!("does `{by_hand}` work?")
    } else if code == Some(127) || has("command not found") || has("not recognized") {
        "Docker's client is needed on that machine, too (`docker system dial-stdio`), in the PATH of sessions without a terminal".to_owned()
    } else if has("permission denied") {
        "the user there may not open the engine's socket: join its group (`usermod -aG docker USER`)".to_owned()
    } else if has("Cannot connect to the Docker daemon") || has("no such file or directory") {
        "start the engine on that machine, or name its socket: ssh://HOST/PATH".to_owned()
    } else {
        format!("does `{by_hand} docker version` work?")
    };
    Refusal::error(last(words, code, error), advice)
}

/// The line that tells most: the last one that is no decoration.
fn last(words: &str, code: Option<i32>, error: &str) -> String {
    let mut lines = words.lines().map(str::trim);
    let is_telling = |line: &&str| line.chars().any(char::is_alphanumeric);
    // With a key that has changed, the telling line stands between rows of @.
    let changed = lines
        .clone()
        .find(|l| l.contains("IDENTIFICATION HAS CHANGED"));
    let line = changed.or_else(|| lines.rfind(is_telling));
    match (line, code) {
        (Some(line), _) => {
            let line = line.strip_prefix("ssh: ").unwrap_or(line);
            let line = line.trim_matches(['@', ' ']).trim_end_matches('.');
            format!("ssh: {line}")
        }
        (None, Some(code)) => format!("ssh ended with {code}"),
        (None, None) => format!("ssh: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ssh_says_is_told_with_what_to_do() {
        let target = SshTarget {
            user: Some("me".into()),
            host: "h".into(),
            port: Some(2222),
            socket: None,
        };
        for (words, code, expected) in [
            (
                "Host key verification failed.\r\n",
                255,
                "ssh: Host key verification failed; its key is not known yet: `ssh -p 2222 me@h` once",
            ),
            (
                "@@@@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@@@@@\nHost key verification failed.",
                255,
                "ssh: WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!; the machine has another key",
            ),
            (
                "me@h: Permission denied (publickey).",
                255,
                "ssh: me@h: Permission denied (publickey); log in without a password",
            ),
            (
                "ssh: connect to host h port 2222: Connection refused",
                255,
                "ssh: connect to host h port 2222: Connection refused; does `ssh -p 2222 me@h` work?",
            ),
            (
                "bash: line 1: docker: command not found",
                127,
                "command not found; Docker's client is needed on that machine",
            ),
            (
                "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
                1,
                "the user there may not open the engine's socket",
            ),
            (
                "",
                1,
                "ssh ended with 1; does `ssh -p 2222 me@h docker version` work?",
            ),
        ] {
            let error = explain(words, Some(code), "closed", &target).to_string();
            assert!(error.contains(expected), "{error}");
        }
        let error = explain("", None, "closed", &target).to_string();
        assert!(error.starts_with("ssh: closed; "), "{error}");
    }
}
