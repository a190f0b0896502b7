//! Files that say by their names that they are not for production.

use crate::load::Files;
use std::path::{Component, Path, PathBuf};

/// Words in the name of a file or a directory: `compose.dev.yaml`, `e2e-tests/`.
const WORDS: [&str; 22] = [
    "ci",
    "debug",
    "demo",
    "demos",
    "dev",
    "devcontainer",
    "devel",
    "develop",
    "development",
    "e2e",
    "example",
    "examples",
    "github",
    "gitlab",
    "integration",
    "playground",
    "sample",
    "samples",
    "sandbox",
    "test",
    "testing",
    "tests",
];

/// Words in the name of a file only. What overrides lies beside a file for production, and is
/// read by itself where somebody develops.
const OF_FILES: [&str; 2] = ["local", "override"];

/// Whether a file is for development, tests or examples by its own name, or by a directory that
/// it lies in. What lies above the repository says nothing: many keep everything in `~/dev`.
pub fn is_for_development(files: &dyn Files, name: &str) -> bool {
    let path = Path::new(name);
    let whole = files.canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let says = |part: &str, words: &[&str]| {
        let part = part.to_lowercase();
        part.split(['.', '-', '_'])
            .any(|word| words.contains(&word))
    };
    let file = whole
        .file_name()
        .and_then(|f| f.to_str())
        .unwrap_or_default();
    let directories = within_repository(files, whole.parent().unwrap_or(&whole));
    says(file, &OF_FILES)
        || says(file, &WORDS)
        || directories.iter().any(|directory| says(directory, &WORDS))
}

/// The names of the directories from the repository down, without its own; where there is none,
/// the last one alone.
fn within_repository(files: &dyn Files, directory: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut at: PathBuf = directory.to_owned();
    loop {
        if files.kind(&at.join(".git")).is_some() {
            return names;
        }
        match at.components().next_back() {
            Some(Component::Normal(name)) => names.push(name.to_string_lossy().into_owned()),
            _ => {
                names.truncate(1);
                return names;
            }
        }
        at.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::FileKind;
    use std::io;

    /// A disk with one repository.
    struct Repository(&'static str);

    impl Files for Repository {
        fn read(&self, _: &Path) -> io::Result<Vec<u8>> {
            Err(io::ErrorKind::NotFound.into())
        }

        fn kind(&self, path: &Path) -> Option<FileKind> {
            (path == Path::new(self.0).join(".git")).then_some(FileKind::Directory)
        }

        fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
            Ok(path.to_owned())
        }

        fn stdin(&self) -> io::Result<Vec<u8>> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn a_file_says_that_it_is_for_development() {
        for (repository, file, expected) in [
            ("/dev/shop", "/dev/shop/compose.yaml", false),
            ("/dev/shop", "/dev/shop/compose.dev.yaml", true),
            ("/dev/shop", "/dev/shop/docker-compose.override.yml", true),
            ("/dev/shop", "/dev/shop/docker-compose-CI.yml", true),
            ("/dev/shop", "/dev/shop/compose.prod.yaml", false),
            ("/dev/shop", "/dev/shop/devices.yaml", false),
            ("/dev/shop", "/dev/shop/test/db/compose.yaml", true),
            ("/dev/shop", "/dev/shop/e2e-tests/compose.yaml", true),
            ("/dev/shop", "/dev/shop/.devcontainer/compose.yaml", true),
            ("/dev/shop", "/dev/shop/local/compose.yaml", false),
            ("/nowhere", "/srv/examples/compose.yaml", true),
            ("/nowhere", "/srv/test/shop/compose.yaml", false),
            ("/nowhere", "-", false),
        ] {
            let found = is_for_development(&Repository(repository), file);
            assert_eq!(found, expected, "{file}");
        }
    }
}
