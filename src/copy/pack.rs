//! Files of this machine as a tar, as Docker's client sends them: with their owners, permissions and
//! times in whole seconds, and hard links between them.

use crate::pipe::Exactly;
use std::collections::HashMap;
use std::ffi::{CString, OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io::{self, BufReader, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// The one extended attribute that Docker takes along.
pub const CAPABILITY: &str = "security.capability";
/// What stands before an extended attribute's name in a tar.
pub const ATTRIBUTE: &str = "SCHILY.xattr.";

/// Writes a file, or a directory with all in it, under a name. The same files give the same bytes.
///
/// # Errors
/// What cannot be read, with its path; what cannot be written.
pub fn pack(path: &Path, name: &[u8], out: &mut dyn Write) -> io::Result<()> {
    let mut packer = Packer::new(out);
    packer.tree(path, name)?;
    packer.finish()
}

/// A tar in the making.
pub struct Packer<'a> {
    tar: tar::Builder<&'a mut dyn Write>,
    /// Files of several names that are in it: device and number, and the first name.
    linked: HashMap<(u64, u64), Vec<u8>>,
}

impl<'a> Packer<'a> {
    pub fn new(out: &'a mut dyn Write) -> Self {
        Packer {
            tar: tar::Builder::new(out),
            linked: HashMap::new(),
        }
    }

    /// # Errors
    /// Where the end cannot be written.
    pub fn finish(&mut self) -> io::Result<()> {
        self.tar.finish()
    }

    /// Adds what is at a path under a name, and all that is in it.
    ///
    /// # Errors
    /// As [`pack`].
    pub fn tree(&mut self, path: &Path, name: &[u8]) -> io::Result<()> {
        let metadata = fs::symlink_metadata(path).map_err(|e| at(e, path))?;
        self.entry(path, name, &metadata)?;
        if !metadata.is_dir() {
            return Ok(());
        }
        let mut names = Vec::new();
        for entry in fs::read_dir(path).map_err(|e| at(e, path))? {
            names.push(entry.map_err(|e| at(e, path))?.file_name());
        }
        names.sort();
        for inside in names {
            let name = [name, b"/", inside.as_bytes()].concat();
            self.tree(&path.join(&inside), &name)?;
        }
        Ok(())
    }

    /// Adds what is at a path, without what is in it.
    ///
    /// # Errors
    /// As [`pack`].
    pub fn entry(&mut self, path: &Path, name: &[u8], metadata: &Metadata) -> io::Result<()> {
        self.add(path, name, metadata).map_err(|e| match e.kind() {
            // The reader is gone: no fault of this file.
            io::ErrorKind::BrokenPipe => e,
            _ => at(e, path),
        })
    }

    fn add(&mut self, path: &Path, name: &[u8], metadata: &Metadata) -> io::Result<()> {
        let kind = metadata.file_type();
        if kind.is_dir() {
            let mut header = header(metadata, tar::EntryType::Directory);
            let name = PathBuf::from(OsString::from_vec([name, b"/"].concat()));
            return self.tar.append_data(&mut header, name, io::empty());
        }
        let at = OsStr::from_bytes(name);
        if kind.is_symlink() {
            let target = fs::read_link(path)?;
            let mut header = header(metadata, tar::EntryType::Symlink);
            return self.tar.append_link(&mut header, at, target);
        }
        if metadata.nlink() > 1 {
            let file = (metadata.dev(), metadata.ino());
            if let Some(first) = self.linked.get(&file) {
                let mut header = header(metadata, tar::EntryType::Link);
                let first = OsString::from_vec(first.clone());
                return self.tar.append_link(&mut header, at, first);
            }
            self.linked.insert(file, name.to_vec());
        }
        if kind.is_file() {
            return self.file(path, at);
        }
        let entry = match () {
            () if kind.is_fifo() => tar::EntryType::Fifo,
            () if kind.is_char_device() => tar::EntryType::Char,
            () if kind.is_block_device() => tar::EntryType::Block,
            // No tar holds a socket.
            () => return Ok(()),
        };
        let mut header = header(metadata, entry);
        if entry != tar::EntryType::Fifo {
            let device = metadata.rdev();
            header.set_device_major(rustix::fs::major(device))?;
            header.set_device_minor(rustix::fs::minor(device))?;
        }
        self.tar.append_data(&mut header, at, io::empty())
    }

    fn file(&mut self, path: &Path, name: &OsStr) -> io::Result<()> {
        use rustix::fs::{Mode, OFlags};
        // What was a file a moment ago may be a pipe now, which nobody is to wait for.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("it became something else than a file"));
        }
        if let Some(capability) = capability(&file) {
            let key = format!("{ATTRIBUTE}{CAPABILITY}");
            let attribute = [(key.as_str(), capability.as_slice())];
            self.tar.append_pax_extensions(attribute)?;
        }
        let mut header = header(&metadata, tar::EntryType::Regular);
        header.set_size(metadata.len());
        let mut content = Exactly {
            source: BufReader::with_capacity(64 << 10, file),
            left: metadata.len(),
        };
        self.tar.append_data(&mut header, name, &mut content)
    }
}

/// What a program may do beyond its user's rights.
fn capability(file: &File) -> Option<Vec<u8>> {
    let name = CString::new(CAPABILITY).ok()?;
    let mut value = vec![0; 64];
    let length = rustix::fs::fgetxattr(file, name.as_c_str(), &mut value[..]).ok()?;
    value.truncate(length);
    Some(value)
}

fn header(metadata: &Metadata, kind: tar::EntryType) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(0);
    header.set_uid(metadata.uid().into());
    header.set_gid(metadata.gid().into());
    header.set_mode(metadata.mode() & 0o7777);
    header.set_mtime(u64::try_from(metadata.mtime()).unwrap_or(0));
    header
}

fn at(error: io::Error, path: &Path) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn what_is_packed() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("src");
        fs::create_dir_all(root.join("sub")).unwrap();
        fs::write(root.join("sub/a"), "one").unwrap();
        fs::hard_link(root.join("sub/a"), root.join("sub/b")).unwrap();
        symlink("/nowhere", root.join("link")).unwrap();
        fs::set_permissions(root.join("sub/a"), fs::Permissions::from_mode(0o4751)).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
        let mut bytes = Vec::new();
        pack(&root, b"new", &mut bytes).unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let entries = archive.entries().unwrap().map(|entry| {
            let entry = entry.unwrap();
            let header = entry.header();
            let link = entry.link_name().unwrap();
            format!(
                "{} {:?} {:o} {}",
                entry.path().unwrap().display(),
                header.entry_type(),
                header.mode().unwrap() & 0o7000,
                link.map(|l| l.display().to_string()).unwrap_or_default()
            )
        });
        assert_eq!(
            entries.collect::<Vec<_>>(),
            [
                "new/ Directory 0 ",
                "new/link Symlink 0 /nowhere",
                "new/sub/ Directory 0 ",
                "new/sub/a Regular 4000 ",
                "new/sub/b Link 4000 new/sub/a",
            ]
        );
        let error = pack(&root.join("none"), b"x", &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("src/none"), "{error}");
    }
}
