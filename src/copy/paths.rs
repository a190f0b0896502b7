//! Docker's rules for the paths of a copy: what a trailing slash, a trailing `.` and a missing
//! destination mean. Nothing here looks at a disk.

pub use crate::value::path::clean;

/// A side of a copy, as it is written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side<'a> {
    /// `SERVICE:PATH`.
    Service { service: &'a str, path: &'a str },
    /// A path on this machine; `-` is a tar on a standard stream.
    Local(&'a str),
}

impl<'a> Side<'a> {
    /// An absolute path, a path that begins with a dot, and one without a colon are local.
    pub fn parse(text: &'a str) -> Self {
        match text.split_once(':') {
            Some((service, path))
                if !text.starts_with('/') && !service.starts_with('.') && !service.is_empty() =>
            {
                Side::Service { service, path }
            }
            _ => Side::Local(text),
        }
    }
}

/// Why a source does not fit a destination, in Docker's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("cannot copy directory")]
    DirectoryOverFile,
    #[error("no such directory")]
    NoSuchDirectory,
}

/// What is at a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum There {
    Nothing,
    Directory,
    Other,
}

/// The last part of a source's path as its archive has it, and what is at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub base: String,
    pub is_directory: bool,
}

/// Where an archive is unpacked, and how its first names change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landing {
    pub directory: String,
    pub rename: Option<Rename>,
}

/// The beginning of names that is replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    pub from: String,
    pub to: String,
}

impl Rename {
    /// The new name of an entry; `None` for one that does not begin so: it would land beside the
    /// destination.
    pub fn apply(&self, name: &[u8]) -> Option<Vec<u8>> {
        let from = self.from.trim_end_matches('/').as_bytes();
        let to = self.to.trim_end_matches('/').as_bytes();
        if from.is_empty() {
            let inside = &name[name.iter().take_while(|b| **b == b'/').count()..];
            return Some(match to.is_empty() {
                true => inside.to_vec(),
                false => [to, b"/", inside].concat(),
            });
        }
        match name.strip_prefix(from) {
            Some(rest) if rest.is_empty() || rest[0] == b'/' => Some([to, rest].concat()),
            // Podman leaves out the `./` of what is in a directory.
            _ if from == b"." => Some([to, b"/", name].concat()),
            _ => None,
        }
    }
}

/// Where a source lands: in a directory that is there, in place of a file, or beside it under
/// another name.
///
/// # Errors
/// Where a directory would replace a file, or a file become a directory.
pub fn land(source: &Source, path: &str, there: There) -> Result<Landing, Unfit> {
    let (directory, base) = split(path);
    match there {
        There::Directory => {
            return Ok(Landing {
                directory: path.to_owned(),
                rename: None,
            });
        }
        There::Other if source.is_directory => return Err(Unfit::DirectoryOverFile),
        There::Nothing if !source.is_directory && asserts_directory(path) => {
            return Err(Unfit::NoSuchDirectory);
        }
        There::Nothing | There::Other => {}
    }
    let from = source.base.clone();
    Ok(Landing {
        directory,
        rename: Some(Rename { from, to: base }),
    })
}

/// The directory and the last part; `.` at the end counts as a part.
pub fn split(path: &str) -> (String, String) {
    let mut cleaned = clean(path);
    if is_current(path) {
        cleaned.push_str(match cleaned.as_str() {
            "/" => ".",
            _ => "/.",
        });
    }
    match cleaned.rsplit_once('/') {
        None => (".".to_owned(), cleaned),
        Some(("", "")) => ("/".to_owned(), "/".to_owned()),
        Some(("", base)) => ("/".to_owned(), base.to_owned()),
        Some((directory, base)) => (directory.to_owned(), base.to_owned()),
    }
}

/// The last part of a path, without a slash after it.
pub fn base(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    match (path, trimmed) {
        ("", _) => ".",
        (_, "") => "/",
        _ => trimmed.rsplit('/').next().unwrap_or(trimmed),
    }
}

/// Whether a path says that it is a directory: by a slash or a `.` at its end.
pub fn asserts_directory(path: &str) -> bool {
    path.ends_with('/') || is_current(path)
}

fn is_current(path: &str) -> bool {
    base(path) == "."
}

/// A path without what [`clean`] takes away, but with what its end says about it.
pub fn keep_end(cleaned: String, original: &str) -> String {
    let mut path = cleaned;
    if !is_current(&path) && is_current(original) {
        if !path.ends_with('/') {
            path.push('/');
        }
        path.push('.');
    }
    if !path.ends_with('/') && original.ends_with('/') {
        path.push('/');
    }
    path
}

/// Where a link leads to, seen from the place that it is at.
pub fn follow(link: &str, target: &str) -> String {
    match target.starts_with('/') {
        true => target.to_owned(),
        false => clean(&format!("{}/{target}", split(link).0)),
    }
}

/// A resolved path with the end of the path that was asked for, and the name that was asked for
/// where that is another one.
pub fn resolved(asked: &str, resolved: &str) -> (String, Option<String>) {
    let path = keep_end(resolved.to_owned(), asked);
    let rename = (base(asked) != base(&path)).then(|| base(asked).to_owned());
    (path, rename)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides() {
        let service = |service, path| Side::Service { service, path };
        for (text, side) in [
            ("web:/a", service("web", "/a")),
            ("web:", service("web", "")),
            ("web:a:b", service("web", "a:b")),
            ("a", Side::Local("a")),
            ("-", Side::Local("-")),
            ("/a:b", Side::Local("/a:b")),
            ("./a:b", Side::Local("./a:b")),
            ("../a:b", Side::Local("../a:b")),
            (":/a", Side::Local(":/a")),
        ] {
            assert_eq!(Side::parse(text), side, "{text}");
        }
    }

    #[test]
    fn paths() {
        for (path, expected) in [
            ("", "."),
            ("a/./b//c/..", "a/b"),
            ("../../a", "../../a"),
            ("/../a/", "/a"),
            ("a/..", "."),
            ("/", "/"),
        ] {
            assert_eq!(clean(path), expected, "{path}");
        }
        for (path, directory, last) in [
            ("/a/b", "/a", "b"),
            ("/a/b/", "/a", "b"),
            ("/a/b/.", "/a/b", "."),
            ("/a", "/", "a"),
            ("/", "/", "/"),
            ("/.", "/", "."),
            ("a", ".", "a"),
        ] {
            assert_eq!(split(path), (directory.into(), last.into()), "{path}");
        }
        for (cleaned, original, expected) in [
            ("/w/a", "a/", "/w/a/"),
            ("/w/a", "a/.", "/w/a/."),
            ("/w/a", "a", "/w/a"),
            ("/", "/", "/"),
            ("/w", ".", "/w/."),
        ] {
            assert_eq!(keep_end(cleaned.into(), original), expected, "{original}");
        }
        assert_eq!(follow("/a/link", "b/c"), "/a/b/c");
        assert_eq!(follow("/a/link", "/b"), "/b");
        assert_eq!(
            resolved("/a/link/", "/b/real"),
            ("/b/real/".into(), Some("link".into()))
        );
        assert_eq!(resolved("/a/link/.", "/b"), ("/b/.".into(), None));
    }

    /// The table of `docker cp`.
    #[test]
    fn where_it_lands() {
        use There::{Directory, Nothing, Other};
        let renamed = |directory: &str, from: &str, to: &str| {
            Ok((directory.to_owned(), Some((from.to_owned(), to.to_owned()))))
        };
        let inside = |directory: &str| Ok((directory.to_owned(), None));
        for (base, is_directory, path, there, expected) in [
            // A file.
            ("f", false, "/d/new", Nothing, renamed("/d", "f", "new")),
            ("f", false, "/d/new/", Nothing, Err(Unfit::NoSuchDirectory)),
            ("f", false, "/d/old", Other, renamed("/d", "f", "old")),
            ("f", false, "/d", Directory, inside("/d")),
            // A directory.
            ("s", true, "/d/new", Nothing, renamed("/d", "s", "new")),
            ("s", true, "/d/new/", Nothing, renamed("/d", "s", "new")),
            (".", true, "/d/new", Nothing, renamed("/d", ".", "new")),
            ("s", true, "/d/old", Other, Err(Unfit::DirectoryOverFile)),
            ("s", true, "/d", Directory, inside("/d")),
            (".", true, "/d", Directory, inside("/d")),
        ] {
            let source = Source {
                base: base.to_owned(),
                is_directory,
            };
            let landing = land(&source, path, there);
            let landing = landing.map(|l| (l.directory, l.rename.map(|r| (r.from, r.to))));
            assert_eq!(landing, expected, "{base} to {path} ({there:?})");
        }
    }

    #[test]
    fn names_change_at_their_beginning_only() {
        for (from, to, name, expected) in [
            ("s", "new", "s", "new"),
            ("s", "new", "s/a/s", "new/a/s"),
            (".", "new", "./a", "new/a"),
            (".", "new", "a", "new/a"),
            (".", "new", ".a", "new/.a"),
            ("/", "new", "/a", "new/a"),
            ("/", "new", "a", "new/a"),
        ] {
            let rename = Rename {
                from: from.into(),
                to: to.into(),
            };
            assert_eq!(
                rename.apply(name.as_bytes()).as_deref(),
                Some(expected.as_bytes()),
                "{name}: {from} to {to}"
            );
        }
        let rename = Rename {
            from: "s".into(),
            to: "new".into(),
        };
        assert_eq!(rename.apply(b"story"), None);
    }
}
