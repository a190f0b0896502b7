//! The build context: a directory, sent as a tar while it is read.

use super::ignore::{Ignore, Verdict};
use crate::pipe::{self, Exactly};
use futures::stream::BoxStream;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// What to send.
#[derive(Debug, Clone, Default)]
pub struct Context {
    pub directory: PathBuf,
    pub ignore: Ignore,
    /// Paths in the context that are sent even if they are ignored, since the builder reads them.
    /// Names of files are bytes from one end to the other.
    pub needed: Vec<Vec<u8>>,
    /// Files that are not in the directory: path in the context and content.
    pub extra: Vec<(String, Vec<u8>)>,
}

/// The context as a tar. It is read by another thread, as fast as the engine takes it.
pub fn stream(context: Context) -> BoxStream<'static, io::Result<Vec<u8>>> {
    pipe::written("the build's context", move |out| write(&context, out))
}

/// Writes the tar. The same directory gives the same bytes, but for times.
///
/// # Errors
/// What cannot be read, with its path.
pub fn write(context: &Context, out: &mut dyn Write) -> io::Result<()> {
    let mut walk = Walk {
        context,
        tar: tar::Builder::new(out),
        held: Vec::new(),
    };
    walk.directory(&context.directory, b"", &Verdict::default())?;
    for (path, content) in &context.extra {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        walk.tar
            .append_data(&mut header, path, content.as_slice())?;
    }
    walk.tar.finish()
}

struct Walk<'a> {
    context: &'a Context,
    tar: tar::Builder<&'a mut dyn Write>,
    /// Ignored directories on the way down, sent only if something inside is not ignored.
    held: Vec<(Vec<u8>, fs::Metadata)>,
}

impl Walk<'_> {
    fn directory(&mut self, path: &Path, inside: &[u8], parent: &Verdict) -> io::Result<()> {
        let at = |e: io::Error, path: &Path| {
            io::Error::new(e.kind(), format!("{}: {e}", path.display()))
        };
        let mut entries = Vec::new();
        for entry in fs::read_dir(path).map_err(|e| at(e, path))? {
            entries.push(entry.map_err(|e| at(e, path))?.file_name());
        }
        entries.sort();
        for name in entries {
            let path = path.join(&name);
            let inside = match inside {
                b"" => name.as_bytes().to_vec(),
                directory => [directory, b"/", name.as_bytes()].concat(),
            };
            let mut extra = self.context.extra.iter();
            if extra.any(|(extra, _)| extra.as_bytes() == inside) {
                continue;
            }
            let verdict = self.context.ignore.judge(&inside, parent);
            let needed = self.context.needed.contains(&inside);
            let holds_needed = || {
                let below = |needed: &Vec<u8>| {
                    needed
                        .strip_prefix(inside.as_slice())
                        .is_some_and(|rest| rest.starts_with(b"/"))
                };
                self.context.needed.iter().any(below)
            };
            let metadata = fs::symlink_metadata(&path).map_err(|e| at(e, &path))?;
            if metadata.is_dir() {
                if !verdict.excluded {
                    self.entry(&path, &inside, &metadata)
                        .map_err(|e| at(e, &path))?;
                    self.directory(&path, &inside, &verdict)?;
                } else if self.context.ignore.takes_back() || holds_needed() {
                    let depth = self.held.len();
                    self.held.push((inside.clone(), metadata));
                    self.directory(&path, &inside, &verdict)?;
                    self.held.truncate(depth);
                }
            } else if !verdict.excluded || needed {
                self.entry(&path, &inside, &metadata)
                    .map_err(|e| at(e, &path))?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, path: &Path, inside: &[u8], metadata: &fs::Metadata) -> io::Result<()> {
        let folder = |inside: &[u8]| PathBuf::from(OsString::from_vec([inside, b"/"].concat()));
        for (directory, metadata) in std::mem::take(&mut self.held) {
            let mut header = header(&metadata, tar::EntryType::Directory, 0);
            self.tar
                .append_data(&mut header, folder(&directory), io::empty())?;
        }
        let kind = metadata.file_type();
        if kind.is_dir() {
            let mut header = header(metadata, tar::EntryType::Directory, 0);
            self.tar
                .append_data(&mut header, folder(inside), io::empty())
        } else if kind.is_symlink() {
            let target = fs::read_link(path)?;
            let mut header = header(metadata, tar::EntryType::Symlink, 0);
            self.tar
                .append_link(&mut header, OsStr::from_bytes(inside), target)
        } else if kind.is_file() {
            let size = metadata.len();
            let mut header = header(metadata, tar::EntryType::Regular, size);
            let file = fs::File::open(path)?;
            let mut content = Exactly {
                source: file,
                left: size,
            };
            self.tar
                .append_data(&mut header, OsStr::from_bytes(inside), &mut content)
        } else {
            // Sockets and devices are nothing to build from.
            Ok(())
        }
    }
}

/// As Docker's client sends it: owned by root, times and permissions kept.
fn header(metadata: &fs::Metadata, kind: tar::EntryType, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        header.set_mode(metadata.mode() & 0o7777);
        header.set_mtime(u64::try_from(metadata.mtime()).unwrap_or(0));
    }
    #[cfg(not(unix))]
    header.set_mode(0o755);
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::StreamExt;
    use std::io::Read;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        dir
    }

    fn paths(context: &Context) -> Vec<String> {
        let mut bytes = Vec::new();
        write(context, &mut bytes).unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let entries = archive.entries().unwrap();
        entries
            .map(|e| e.unwrap().path().unwrap().display().to_string())
            .collect()
    }

    #[test]
    fn what_is_sent() {
        let dir = tree(&[
            ("Dockerfile", "FROM x"),
            ("a.txt", "a"),
            ("dir/keep", "k"),
            ("dir/sub/x", "x"),
            ("node_modules/big/file", "f"),
        ]);
        let ignore = Ignore::parse(b"Dockerfile\nnode_modules\ndir\n!dir/keep").unwrap();
        let context = Context {
            directory: dir.path().into(),
            ignore,
            needed: vec!["Dockerfile".into()],
            extra: vec![("a.txt".into(), b"instead".to_vec())],
        };
        assert_eq!(paths(&context), ["Dockerfile", "dir/", "dir/keep", "a.txt"]);
    }

    #[test]
    fn names_that_are_no_text() {
        let dir = tree(&[("Dockerfile", "FROM x")]);
        let names: [&[u8]; 3] = [b"a\xfe", b"a\xff", b"d\xff/b"];
        let at = |name: &[u8]| dir.path().join(OsStr::from_bytes(name));
        fs::create_dir(at(b"d\xff")).unwrap();
        for name in names {
            fs::write(at(name), name).unwrap();
        }
        std::os::unix::fs::symlink(OsStr::from_bytes(b"a\xfe"), at(b"l\xff")).unwrap();
        let sent = |patterns: &[u8]| {
            let context = Context {
                directory: dir.path().into(),
                ignore: Ignore::parse(patterns).unwrap(),
                ..Context::default()
            };
            let mut bytes = Vec::new();
            write(&context, &mut bytes).unwrap();
            let mut archive = tar::Archive::new(bytes.as_slice());
            let entries = archive.entries().unwrap().map(|entry| {
                let mut entry = entry.unwrap();
                let path = entry.path_bytes().into_owned();
                let link = entry.link_name_bytes().map(|link| link.into_owned());
                let mut content = Vec::new();
                entry.read_to_end(&mut content).unwrap();
                (path, link.unwrap_or(content))
            });
            entries.collect::<Vec<_>>()
        };
        let of = |path: &[u8], content: &[u8]| (path.to_vec(), content.to_vec());
        let all = [
            of(b"Dockerfile", b"FROM x"),
            of(b"a\xfe", b"a\xfe"),
            of(b"a\xff", b"a\xff"),
            of(b"d\xff/", b""),
            of(b"d\xff/b", b"d\xff/b"),
            of(b"l\xff", b"a\xfe"),
        ];
        assert_eq!(sent(b""), all);
        let [dockerfile, _, a, ..] = all;
        assert_eq!(sent(b"d?\n*\xfe\nl\xff"), [dockerfile, a]);
    }

    #[test]
    #[cfg(unix)]
    fn links_and_modes() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let dir = tree(&[("run.sh", "x")]);
        fs::set_permissions(dir.path().join("run.sh"), fs::Permissions::from_mode(0o751)).unwrap();
        symlink("run.sh", dir.path().join("link")).unwrap();
        let long = "d/".repeat(80) + "file";
        fs::create_dir_all(dir.path().join(&long).parent().unwrap()).unwrap();
        fs::write(dir.path().join(&long), "deep").unwrap();
        let context = Context {
            directory: dir.path().into(),
            ..Context::default()
        };
        let mut bytes = Vec::new();
        write(&context, &mut bytes).unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let mut found = false;
        for entry in archive.entries().unwrap() {
            let entry = entry.unwrap();
            let path = entry.path().unwrap().display().to_string();
            let header = entry.header();
            assert_eq!(header.uid().unwrap(), 0);
            match path.as_str() {
                "link" => assert_eq!(header.link_name().unwrap().unwrap(), Path::new("run.sh")),
                "run.sh" => assert_eq!(header.mode().unwrap(), 0o751),
                path if path == long => found = true,
                _ => {}
            }
        }
        assert!(found);
    }

    #[tokio::test]
    async fn streaming_gives_the_same() {
        let dir = tree(&[("big", &"0123456789".repeat(40_000)), ("small", "s")]);
        let context = Context {
            directory: dir.path().into(),
            ..Context::default()
        };
        let mut whole = Vec::new();
        write(&context, &mut whole).unwrap();
        let mut streamed = Vec::new();
        let mut pieces = stream(context);
        while let Some(piece) = pieces.next().await {
            let piece = piece.unwrap();
            streamed.extend(piece);
        }
        assert_eq!(streamed, whole);
        let mut missing = stream(Context {
            directory: "/nowhere/at/all".into(),
            ..Context::default()
        });
        let error = missing.next().await.unwrap().unwrap_err();
        assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
    }
}
