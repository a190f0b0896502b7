//! A tar of a container's files, unpacked on this machine. What is in it was made by others: no
//! entry leaves the directory, whatever its name says and whatever links stand before it.
//!
//! Every step of a name is opened by itself, below the directory before it, and none is followed
//! where it is a link. A link itself is made as it is: following it is decided later.

use super::pack::{ATTRIBUTE, CAPABILITY};
use super::paths::Rename;
use crate::pipe::Exactly;
use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, Timespec, Timestamps};
use rustix::io::Errno;
use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use tar::EntryType;

/// Unpacks below a directory that is there. What it replaces, it replaces by its own kind only.
///
/// # Errors
/// Where an entry would leave the directory, is of no known kind, replaces a directory by something
/// else or the reverse, or cannot be written; and where the tar is broken.
pub fn unpack(from: &mut dyn Read, directory: &Path, rename: Option<&Rename>) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = fs::open(directory, flags, Mode::empty())
        .map_err(|e| named(e.into(), directory.as_os_str().as_bytes()))?;
    let mut unpacker = Unpacker {
        root,
        directory,
        parent: None,
        made: Vec::new(),
    };
    let mut archive = tar::Archive::new(from);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = match rename {
            Some(rename) => renamed(rename, &entry.path_bytes())?,
            None => entry.path_bytes().into_owned(),
        };
        let link = match (entry.link_name_bytes(), rename) {
            (Some(link), Some(rename)) if entry.header().entry_type() == EntryType::Link => {
                Some(renamed(rename, &link)?)
            }
            (link, _) => link.map(Cow::into_owned),
        };
        let done = unpacker.entry(&mut entry, &name, link.as_deref());
        done.map_err(|e| named(e, &name))?;
    }
    unpacker.finish()
}

fn renamed(rename: &Rename, name: &[u8]) -> io::Result<Vec<u8>> {
    let stray = || {
        let text = format!("is not below {}, which was asked for", rename.from);
        named(io::Error::new(io::ErrorKind::InvalidData, text), name)
    };
    rename.apply(name).ok_or_else(stray)
}

fn named(error: io::Error, name: &[u8]) -> io::Error {
    let name = String::from_utf8_lossy(name);
    io::Error::new(error.kind(), format!("{name}: {error}"))
}

struct Unpacker<'a> {
    root: OwnedFd,
    directory: &'a Path,
    /// The directory that the last entry was in: its steps, and itself.
    parent: Option<(Vec<OsString>, OwnedFd)>,
    /// Directories, whose permissions and times come last: nothing could be put into a read-only
    /// one, and what is put into it changes its time.
    made: Vec<(Vec<OsString>, Attributes)>,
}

struct Attributes {
    mode: Mode,
    times: Timestamps,
}

type Entry<'a, 'r> = tar::Entry<'a, &'r mut dyn Read>;

impl Unpacker<'_> {
    fn entry(
        &mut self,
        entry: &mut Entry<'_, '_>,
        name: &[u8],
        link: Option<&[u8]>,
    ) -> io::Result<()> {
        let kind = entry.header().entry_type();
        if kind == EntryType::XGlobalHeader {
            return Ok(());
        }
        let Some((last, parents)) = steps(name)?
            .split_last()
            .map(|(l, p)| (l.clone(), p.to_vec()))
        else {
            // The directory itself.
            return Ok(());
        };
        let attributes = attributes(entry.header())?;
        if kind.is_dir() {
            return self.make_directory(&parents, &last, attributes);
        }
        let target = match kind {
            EntryType::Link => Some(steps(link.unwrap_or_default())?),
            _ => None,
        };
        let source = match target.as_deref().map(<[OsString]>::split_last) {
            Some(Some((name, parents))) => Some((self.open(parents)?, name.clone())),
            Some(None) => return Err(io::Error::other("it is a link to nothing")),
            None => None,
        };
        let parent = self.parent(&parents)?;
        clear(parent, &last)?;
        match kind {
            EntryType::Symlink => {
                let target = OsStr::from_bytes(link.unwrap_or_default());
                fs::symlinkat(target, parent, &last)?;
                let nofollow = AtFlags::SYMLINK_NOFOLLOW;
                Ok(fs::utimensat(parent, &last, &attributes.times, nofollow)?)
            }
            EntryType::Link => {
                let (at, name) = source.ok_or(io::ErrorKind::InvalidData)?;
                Ok(fs::linkat(at, &name, parent, &last, AtFlags::empty())?)
            }
            EntryType::Char | EntryType::Block | EntryType::Fifo => {
                let header = entry.header();
                let device = match kind {
                    EntryType::Fifo => 0,
                    _ => fs::makedev(
                        header.device_major()?.unwrap_or_default(),
                        header.device_minor()?.unwrap_or_default(),
                    ),
                };
                let kind = match kind {
                    EntryType::Char => FileType::CharacterDevice,
                    EntryType::Block => FileType::BlockDevice,
                    _ => FileType::Fifo,
                };
                fs::mknodat(parent, &last, kind, attributes.mode, device)?;
                let nofollow = AtFlags::SYMLINK_NOFOLLOW;
                Ok(fs::utimensat(parent, &last, &attributes.times, nofollow)?)
            }
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                let written = write(entry, parent, &last, &attributes);
                if written.is_err() {
                    // Half a file is worse than none.
                    let _ = fs::unlinkat(parent, &last, AtFlags::empty());
                }
                written
            }
            other => Err(io::Error::other(format!(
                "it is of no known kind ({other:?})"
            ))),
        }
    }

    fn make_directory(
        &mut self,
        parents: &[OsString],
        last: &OsStr,
        attributes: Attributes,
    ) -> io::Result<()> {
        let parent = self.parent(parents)?;
        let access = Mode::RWXU;
        match fs::mkdirat(parent, last, access) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let made = step(parent, last).map_err(|e| match e {
            Errno::NOTDIR | Errno::LOOP => {
                io::Error::other("cannot overwrite non-directory with directory")
            }
            e => e.into(),
        })?;
        drop(made);
        self.made
            .push(([parents, &[last.to_owned()]].concat(), attributes));
        Ok(())
    }

    /// The directory that these steps lead to; those that are missing are made.
    fn parent(&mut self, steps: &[OsString]) -> io::Result<BorrowedFd<'_>> {
        let is_same = self.parent.as_ref().is_some_and(|(at, _)| at == steps);
        if !is_same {
            let directory = self.open(steps)?;
            self.parent = Some((steps.to_vec(), directory));
        }
        Ok(match &self.parent {
            Some((_, directory)) => directory.as_fd(),
            None => self.root.as_fd(),
        })
    }

    fn open(&self, steps: &[OsString]) -> io::Result<OwnedFd> {
        let mut directory = self.root.try_clone()?;
        for name in steps {
            directory = match step(directory.as_fd(), name) {
                Err(Errno::NOENT) => {
                    fs::mkdirat(&directory, name, Mode::from_raw_mode(0o755))?;
                    step(directory.as_fd(), name)?
                }
                Err(Errno::NOTDIR | Errno::LOOP) => {
                    return Err(io::Error::other(format!(
                        "it leads through {}, which is a link or a file, and may be outside of {}",
                        name.display(),
                        self.directory.display()
                    )));
                }
                other => other?,
            };
        }
        Ok(directory)
    }

    /// Gives directories their permissions and times, the innermost first.
    fn finish(&mut self) -> io::Result<()> {
        while let Some((steps, attributes)) = self.made.pop() {
            let directory = self.open(&steps)?;
            fs::fchmod(&directory, attributes.mode)?;
            fs::futimens(&directory, &attributes.times)?;
        }
        Ok(())
    }
}

/// Goes one directory down, through no link.
fn step(directory: BorrowedFd<'_>, name: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    fs::openat(directory, name, flags, Mode::empty())
}

/// The steps of a name below the directory: one that leads out is refused.
fn steps(name: &[u8]) -> io::Result<Vec<OsString>> {
    let mut steps = Vec::new();
    for part in name.split(|b| *b == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                if steps.pop().is_none() {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "the name leads out of the destination; nothing is written there",
                    ));
                }
            }
            part => steps.push(OsString::from_vec(part.to_vec())),
        }
    }
    Ok(steps)
}

fn attributes(header: &tar::Header) -> io::Result<Attributes> {
    let time = Timespec {
        tv_sec: i64::try_from(header.mtime()?).unwrap_or_default(),
        tv_nsec: 0,
    };
    Ok(Attributes {
        mode: Mode::from_raw_mode(header.mode()? & 0o7777),
        times: Timestamps {
            last_access: time,
            last_modification: time,
        },
    })
}

/// Makes room for an entry that is no directory.
fn clear(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
    match fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(Errno::ISDIR | Errno::PERM) if step(parent, name).is_ok() => Err(io::Error::other(
            "cannot overwrite directory with non-directory",
        )),
        Err(error) => Err(error.into()),
    }
}

fn write(
    entry: &mut Entry<'_, '_>,
    parent: BorrowedFd<'_>,
    name: &OsStr,
    attributes: &Attributes,
) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(fs::openat(parent, name, flags, Mode::RUSR | Mode::WUSR)?);
    let mut content = Exactly {
        left: entry.size(),
        source: &mut *entry,
    };
    let mut buffer = vec![0; 64 << 10];
    loop {
        match content.read(&mut buffer)? {
            0 => break,
            n => file.write_all(&buffer[..n])?,
        }
    }
    let key = format!("{ATTRIBUTE}{CAPABILITY}");
    if let Some(extensions) = entry.pax_extensions()? {
        for extension in extensions {
            let extension = extension?;
            if extension.key_bytes() == key.as_bytes() {
                // Only root may set it, and not every file system keeps it.
                let value = extension.value_bytes();
                let _ = fs::fsetxattr(&file, CAPABILITY, value, fs::XattrFlags::empty());
            }
        }
    }
    fs::fchmod(&file, attributes.mode)?;
    Ok(fs::futimens(&file, &attributes.times)?)
}

#[cfg(test)]
mod tests;
