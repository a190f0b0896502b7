//! How git gets the name and password of an address: by its environment, never by its arguments,
//! which every user of the machine can list, nor by a file.

use crate::load::Unfetched;
use crate::value::address::{GitAddress, decoded};
use crate::value::userinfo::masked;

/// Answers git's question with two variables. It answers nothing else, and keeps nothing.
const HELPER: &str = "!f() { test \"$1\" = get && printf 'username=%s\\npassword=%s\\n' \
                      \"$REGATTA_GIT_USERNAME\" \"$REGATTA_GIT_PASSWORD\"; }; f";

/// An address as git is given it.
#[derive(Debug, PartialEq, Eq)]
pub struct Access {
    /// Without name and password.
    pub url: String,
    /// The variables that bring them.
    pub environment: Vec<(String, String)>,
}

impl Access {
    /// `configured` is the number of settings that the user's environment has for git already.
    ///
    /// # Errors
    /// A login that cannot be used.
    pub fn of(address: &GitAddress, configured: usize) -> Result<Self, Unfetched> {
        let remote = &address.remote;
        let plain = Access {
            url: remote.clone(),
            environment: Vec::new(),
        };
        let Some((scheme, rest)) = remote.split_once("://") else {
            return Ok(plain);
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let Some((user, host)) = rest[..end].rsplit_once('@') else {
            return Ok(plain);
        };
        let (name, password) = match user.split_once(':') {
            Some((name, password)) => (decoded(name), Some(decoded(password))),
            None => (decoded(user), None),
        };
        let refuse = |why: &str, help: &str| {
            Err(Unfetched {
                why: format!("{}: {why}", masked(remote)),
                help: Some(help.into()),
            })
        };
        if !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") {
            return match password {
                Some(_) => refuse(
                    &format!("{scheme}:// takes no password in its address"),
                    "leave the password out; ssh asks an agent or a key file",
                ),
                None => Ok(plain),
            };
        }
        let is_broken = |text: &str| text.contains(['\n', '\r', '\0']);
        if is_broken(&name) || password.as_deref().is_some_and(is_broken) {
            return refuse(
                "its name or password holds a line break",
                "see what its codes (%0A) stand for",
            );
        }
        let base = format!("{scheme}://{host}");
        let settings: Vec<(&str, String)> = match &password {
            // First none: what the user's other helpers know is not asked for.
            Some(_) => vec![("helper", String::new()), ("helper", HELPER.to_owned())],
            None => vec![("username", name.clone())],
        };
        let mut environment = Vec::new();
        let mut set = |name: String, value: String| environment.push((name, value));
        let count = configured + settings.len();
        for ((key, value), number) in settings.into_iter().zip(configured..) {
            let key = format!("credential.{base}.{key}");
            set(format!("GIT_CONFIG_KEY_{number}"), key);
            set(format!("GIT_CONFIG_VALUE_{number}"), value);
        }
        set("GIT_CONFIG_COUNT".to_owned(), count.to_string());
        if let Some(password) = password {
            set("REGATTA_GIT_USERNAME".to_owned(), name);
            set("REGATTA_GIT_PASSWORD".to_owned(), password);
        }
        Ok(Access {
            url: format!("{base}{}", &rest[end..]),
            environment,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(remote: &str) -> Result<Access, Unfetched> {
        let address = GitAddress {
            remote: remote.to_owned(),
            ..GitAddress::default()
        };
        Access::of(&address, 2)
    }

    #[test]
    fn a_login_goes_by_the_environment() {
        let found = access("https://me:p%40ss@h.example:81/a.git").unwrap();
        assert_eq!(found.url, "https://h.example:81/a.git");
        let expected = [
            ("GIT_CONFIG_KEY_2", "credential.https://h.example:81.helper"),
            ("GIT_CONFIG_VALUE_2", ""),
            ("GIT_CONFIG_KEY_3", "credential.https://h.example:81.helper"),
            ("GIT_CONFIG_VALUE_3", HELPER),
            ("GIT_CONFIG_COUNT", "4"),
            ("REGATTA_GIT_USERNAME", "me"),
            ("REGATTA_GIT_PASSWORD", "p@ss"),
        ];
        let expected = expected.map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(found.environment, expected);
        // A name alone may be a token.
        let found = access("https://TOKEN@h.example/a.git").unwrap();
        assert_eq!(found.url, "https://h.example/a.git");
        let expected = [
            ("GIT_CONFIG_KEY_2", "credential.https://h.example.username"),
            ("GIT_CONFIG_VALUE_2", "TOKEN"),
            ("GIT_CONFIG_COUNT", "3"),
        ];
        let expected = expected.map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(found.environment, expected);
        for plain in ["https://h/a.git", "ssh://git@h/a", "git@h:a", "git://h/a@b"] {
            let found = access(plain).unwrap();
            assert_eq!((found.url.as_str(), found.environment.len()), (plain, 0));
        }
    }

    #[test]
    fn a_login_that_cannot_be_used() {
        for (remote, why) in [
            ("ssh://git:secret@h/a", "ssh:// takes no password"),
            ("https://a:secret%0Ahost=evil@h/a.git", "holds a line break"),
        ] {
            let error = access(remote).unwrap_err();
            assert!(error.why.contains(why), "{}", error.why);
            assert!(!error.why.contains("secret"), "{}", error.why);
        }
    }
}
