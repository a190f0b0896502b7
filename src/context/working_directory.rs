//! The directory that the program was started in, by the path that the user went.

use crate::value::path::clean;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The absolute path of the working directory. A shell keeps the way it went in `PWD`, through
/// symbolic links; where that names this very directory it counts, since project names, binds and
/// labels follow from the path. Else it is the kernel's, which knows no links. Go's `os.Getwd`
/// does the same, but for `..` behind a link: text and kernel understand that differently, so such
/// a `PWD` does not count.
///
/// # Errors
/// Where there is no working directory any more, or none that can be read.
pub fn find(pwd: Option<&str>) -> io::Result<PathBuf> {
    let named = pwd.filter(|path| path.starts_with('/')).map(clean);
    match named {
        Some(path) if is_same(Path::new(&path), Path::new(".")) => Ok(PathBuf::from(path)),
        _ => std::env::current_dir(),
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (one.metadata(), other.metadata()) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    }
}
