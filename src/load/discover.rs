//! Which files make up the project: `-f`, else `COMPOSE_FILE`, else the nearest directory upwards
//! that holds one of the usual names, with an override file beside it.

use super::paths::clean;
use super::read::STDIN;
use super::{Files, LoadOptions};
use crate::diagnostic::{Diagnostic, Findings};
use crate::value::address::Address;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// Names of the main file, in order of preference.
pub const NAMES: [&str; 4] = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
];

/// Names of the override file, in order of preference.
const OVERRIDES: [&str; 4] = [
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
];

/// An absolute path without `.` and `..`.
pub fn absolute(cwd: &Path, path: impl AsRef<Path>) -> PathBuf {
    let path = cwd.join(path);
    if path.to_str().is_some() {
        return PathBuf::from(clean(&path));
    }
    // Names of directories are bytes, and not always text.
    let mut cleaned = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                cleaned.pop();
            }
            part => cleaned.push(part),
        }
    }
    cleaned
}

/// Whether a file among those given is still to be fetched.
pub fn is_address(file: &Path) -> bool {
    file.is_relative() && file.to_str().is_some_and(Address::is_one)
}

/// The project directory: `--project-directory`, else that of the first file, else the working
/// directory, which also stands for a file that is still to be fetched.
pub fn project_directory(options: &LoadOptions, files: &[PathBuf]) -> PathBuf {
    if let Some(dir) = options
        .project_directory
        .as_deref()
        .filter(|d| !d.as_os_str().is_empty())
    {
        return absolute(&options.cwd, dir);
    }
    files
        .iter()
        .find(|file| *file != Path::new(STDIN))
        .filter(|file| !is_address(file))
        .and_then(|file| file.parent())
        .map_or_else(|| options.cwd.clone(), Path::to_owned)
}

/// A word where the project gets its name from a symbolic link: another way to the same directory
/// gives another name, and so another project.
pub fn named_by_link(files: &dyn Files, directory: &Path, name: &str) -> Option<Diagnostic> {
    let real = files.canonicalize(directory).ok()?;
    if real.file_name() == directory.file_name() {
        return None;
    }
    let message = format!(
        "the project is named \"{name}\" after the symbolic link {}, which leads to {}",
        directory.display(),
        real.display()
    );
    let finding = Diagnostic::warning("named-by-link", "", message);
    Some(finding.help(format!(
        "`name: {name}` in the file names the project the same, whichever way leads to it"
    )))
}

/// The files of `-f`, absolute; `-` and addresses stay. What came from standard input once does not
/// come again.
pub fn given(options: &LoadOptions) -> Vec<PathBuf> {
    let mut is_read = false;
    options
        .files
        .iter()
        .filter(|file| *file != Path::new(STDIN) || !std::mem::replace(&mut is_read, true))
        .map(|file| match file.to_str().is_some_and(Address::is_one) {
            true => file.clone(),
            false => path_or_stdin(&options.cwd, file),
        })
        .collect()
}

fn path_or_stdin(cwd: &Path, file: &Path) -> PathBuf {
    match file == Path::new(STDIN) {
        true => PathBuf::from(STDIN),
        false => absolute(cwd, file),
    }
}

/// The files where none were given by `-f`. Empty where there are none.
pub fn find(
    files: &dyn Files,
    options: &LoadOptions,
    environment: &BTreeMap<String, String>,
    findings: &mut Findings,
) -> Vec<PathBuf> {
    if let Some(list) = environment.get("COMPOSE_FILE") {
        return from_variable(files, options, environment, list, findings);
    }
    let start = project_directory(options, &[]);
    for dir in start.ancestors() {
        let Some(main) = first(files, dir, &NAMES, "config", findings) else {
            continue;
        };
        let over = first(files, dir, &OVERRIDES, "override", findings);
        return std::iter::once(main).chain(over).collect();
    }
    Vec::new()
}

fn from_variable(
    files: &dyn Files,
    options: &LoadOptions,
    environment: &BTreeMap<String, String>,
    list: &str,
    findings: &mut Findings,
) -> Vec<PathBuf> {
    let separator = environment
        .get("COMPOSE_PATH_SEPARATOR")
        .filter(|s| !s.is_empty())
        .map_or(if cfg!(windows) { ";" } else { ":" }, String::as_str);
    let mut found = Vec::new();
    for file in list.split(separator) {
        let path = path_or_stdin(&options.cwd, Path::new(file));
        if path != Path::new(STDIN) && files.kind(&path).is_none() {
            findings.push(
                Diagnostic::error(
                    "missing-file",
                    "",
                    format!("stat {}: no such file or directory", path.display()),
                )
                .help("COMPOSE_FILE names it"),
            );
        }
        found.push(path);
    }
    found
}

/// The first of the names that is there; with a word where there are several.
fn first(
    files: &dyn Files,
    dir: &Path,
    names: &[&str],
    what: &str,
    findings: &mut Findings,
) -> Option<PathBuf> {
    let found: Vec<PathBuf> = names
        .iter()
        .map(|name| dir.join(name))
        .filter(|path| files.kind(path).is_some())
        .collect();
    if found.len() > 1 {
        let list: Vec<String> = found.iter().map(|p| p.display().to_string()).collect();
        findings.push(Diagnostic::warning(
            "several-files",
            "",
            format!(
                "Found multiple {what} files with supported names: {}",
                list.join(", ")
            ),
        ));
        findings.push(Diagnostic::warning(
            "several-files",
            "",
            format!("Using {}", list[0]),
        ));
    }
    found.into_iter().next()
}
