//! What finding an engine looks at besides what it is told.

use std::path::Path;

/// The file system, as far as it is needed here.
pub trait Surroundings {
    /// The content of a file; `None` where there is none to be read.
    fn read(&self, path: &Path) -> Option<Vec<u8>>;
    /// Whether something is there.
    fn exists(&self, path: &Path) -> bool;
}
