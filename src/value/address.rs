//! Addresses of project files that are fetched first: git repositories and artifacts of
//! registries. The grammar is BuildKit's for git, as Docker Compose uses it.

use super::path::clean;

/// Where a file comes from, if it is no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    Git(GitAddress),
    /// What follows `oci://`: an image reference.
    Oci(String),
}

/// A repository and a place in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GitAddress {
    /// What the `git` program is given.
    pub remote: String,
    /// Branch, tag or commit; empty for the default branch.
    pub reference: String,
    /// File or directory in it; empty for its top.
    pub subdir: String,
    /// The commit that it must be, in full or its first digits; empty for any.
    pub checksum: String,
}

const OCI: &str = "oci://";

impl Address {
    /// `None` where the text is a path of this machine.
    ///
    /// # Errors
    /// An address with parts that mean nothing, or that cannot be honoured.
    pub fn parse(text: &str) -> Option<Result<Self, String>> {
        if let Some(reference) = text.strip_prefix(OCI) {
            return Some(Ok(Address::Oci(reference.to_owned())));
        }
        let (body, fragment) = text.split_once('#').unwrap_or((text, ""));
        let (remote, query) = body.split_once('?').unwrap_or((body, ""));
        let remote = match remote {
            _ if remote.starts_with("./") || remote.starts_with("../") => return None,
            _ if remote.starts_with("github.com/") => format!("https://{remote}"),
            _ if is_url(remote) || is_scp(remote) => remote.to_owned(),
            _ => return None,
        };
        let mut git = GitAddress {
            remote,
            ..GitAddress::default()
        };
        Some(git.place(fragment, query).map(|()| Address::Git(git)))
    }

    /// Whether a text is an address rather than a path.
    pub fn is_one(text: &str) -> bool {
        Address::parse(text).is_some()
    }
}

/// Git counts a URL as one of its own; a web address only if it ends in `.git`.
fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" => rest.contains('/') && rest.ends_with(".git"),
        "ssh" | "git" => !rest.is_empty(),
        _ => false,
    }
}

/// `user@host:path`.
fn is_scp(text: &str) -> bool {
    let Some((user, rest)) = text.split_once('@') else {
        return false;
    };
    let Some((host, _)) = rest.split_once(':') else {
        return false;
    };
    let is = |text: &str, extra: &[u8]| {
        let mut bytes = text.bytes();
        !text.is_empty() && bytes.all(|b| b.is_ascii_alphanumeric() || extra.contains(&b))
    };
    is(user, b"-_") && is(host, b"-.")
}

impl GitAddress {
    /// Takes in `#reference:subdir` and `?ref=…&subdir=…`.
    fn place(&mut self, fragment: &str, query: &str) -> Result<(), String> {
        let fragment = decoded(fragment);
        let (reference, subdir) = fragment.split_once(':').unwrap_or((&fragment, ""));
        self.reference = reference.to_owned();
        if !subdir.is_empty() {
            let inside = clean(&format!("/{subdir}"));
            self.subdir = inside.trim_start_matches('/').to_owned();
        }
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            self.option(key, decoded(value))?;
        }
        // Git would take the first for an option of its own, and the others for patterns or for ways
        // from a commit to another.
        let is_none = |c: char| c.is_control() || " *?[\\^~:".contains(c);
        if self.reference.starts_with('-') || self.reference.contains(is_none) {
            return Err(format!(
                "`{}` is not a branch, tag or commit",
                self.reference
            ));
        }
        Ok(())
    }

    fn option(&mut self, key: &str, value: String) -> Result<(), String> {
        let is_off = matches!(
            value.as_str(),
            "0" | "f" | "F" | "false" | "FALSE" | "False"
        );
        match key {
            _ if value.is_empty()
                && !matches!(key, "submodules" | "keep-git-dir" | "fetch-by-commit") =>
            {
                Err(format!("`{key}` has no value"))
            }
            "ref" => set(&mut self.reference, value, "ref"),
            "tag" => set(&mut self.reference, within("refs/tags/", value), "tag"),
            "branch" => set(&mut self.reference, within("refs/heads/", value), "branch"),
            "subdir" => {
                let outside =
                    value.starts_with('/') || value.split(['/', '\\']).any(|part| part == "..");
                if outside {
                    return Err(format!("subdir `{value}` leads out of the repository"));
                }
                set(&mut self.subdir, clean(&value), "subdir")
            }
            "checksum" | "commit" => {
                self.checksum = value.to_ascii_lowercase();
                Ok(())
            }
            "submodules" if !is_off => Err("submodules are not fetched".into()),
            // How a build would check it out; what is read stays the same.
            "submodules" | "keep-git-dir" | "mtime" | "fetch-by-commit" => Ok(()),
            _ => Err(format!("`{key}` is unknown")),
        }
    }
}

fn set(slot: &mut String, value: String, what: &str) -> Result<(), String> {
    if !slot.is_empty() && *slot != value {
        return Err(format!("{what} `{value}` contradicts `{slot}`"));
    }
    *slot = value;
    Ok(())
}

fn within(prefix: &str, name: String) -> String {
    match name.starts_with(prefix) {
        true => name,
        false => format!("{prefix}{name}"),
    }
}

/// `%2F` to `/`; what is no such code stays.
pub fn decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = text
            .get(at + 1..at + 3)
            .filter(|_| bytes[at] == b'%')
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_fetched_and_what_is_a_path() {
        let table = [
            ("compose.yaml", None),
            ("./git@host:x", None),
            ("../a.git", None),
            ("/srv/a.git", None),
            ("file:///srv/a.git", None),
            ("https://host.example/app/compose.yaml", None),
            ("https://host.example/app.git/", None),
            ("example.com/app.git", None),
            (r"C:\app\compose.yaml", None),
            (
                "https://host.example/a.git",
                Some(("https://host.example/a.git", "", "")),
            ),
            (
                "http://u:p@host.example:81/a.git#main",
                Some(("http://u:p@host.example:81/a.git", "main", "")),
            ),
            (
                "https://host.example/a.git#:deploy/../prod",
                Some(("https://host.example/a.git", "", "prod")),
            ),
            (
                "https://host.example/a.git#v1:../../x",
                Some(("https://host.example/a.git", "v1", "x")),
            ),
            (
                "https://host.example/a.git#feature%2Fb",
                Some(("https://host.example/a.git", "feature/b", "")),
            ),
            (
                "ssh://git@host.example/a",
                Some(("ssh://git@host.example/a", "", "")),
            ),
            (
                "git://127.0.0.1:9418/a#x/y:z",
                Some(("git://127.0.0.1:9418/a", "x/y", "z")),
            ),
            (
                "git@host.example:me/a.git#main:sub",
                Some(("git@host.example:me/a.git", "main", "sub")),
            ),
            (
                "github.com/me/a#v2",
                Some(("https://github.com/me/a", "v2", "")),
            ),
            (
                "https://host.example/a.git?branch=dev&subdir=x",
                Some(("https://host.example/a.git", "refs/heads/dev", "x")),
            ),
            (
                "git@host.example:a?tag=v1",
                Some(("git@host.example:a", "refs/tags/v1", "")),
            ),
        ];
        for (text, expected) in table {
            let found = Address::parse(text).map(|a| match a {
                Ok(Address::Git(git)) => (git.remote, git.reference, git.subdir),
                other => panic!("{text}: {other:?}"),
            });
            let expected =
                expected.map(|(a, b, c): (&str, &str, &str)| (a.into(), b.into(), c.into()));
            assert_eq!(found, expected, "{text}");
        }
        let oci = Some(Ok(Address::Oci("reg.example/app:1".into())));
        assert_eq!(Address::parse("oci://reg.example/app:1"), oci);
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for (text, why) in [
            (
                "https://h.example/a.git#--upload-pack=x",
                "`--upload-pack=x` is not a branch, tag or commit",
            ),
            (
                "https://h.example/a.git#ma*",
                "`ma*` is not a branch, tag or commit",
            ),
            (
                "https://h.example/a.git#[a-z]ain",
                "`[a-z]ain` is not a branch, tag or commit",
            ),
            (
                "https://h.example/a.git#main~1",
                "`main~1` is not a branch, tag or commit",
            ),
            ("https://h.example/a.git?ref=a#b", "ref `a` contradicts `b`"),
            (
                "https://h.example/a.git?tag=a&branch=a",
                "branch `refs/heads/a` contradicts `refs/tags/a`",
            ),
            (
                "https://h.example/a.git?subdir=../x",
                "subdir `../x` leads out of the repository",
            ),
            (
                "https://h.example/a.git?subdir=/x",
                "subdir `/x` leads out of the repository",
            ),
            (
                "https://h.example/a.git?submodules",
                "submodules are not fetched",
            ),
            ("https://h.example/a.git?colour=red", "`colour` is unknown"),
            ("https://h.example/a.git?ref=", "`ref` has no value"),
        ] {
            assert_eq!(Address::parse(text), Some(Err(why.to_owned())), "{text}");
        }
    }
}
