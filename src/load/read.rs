//! Reading files, each once: texts go to the list of sources, with the name users know them by.

use super::budget::{self, Budget};
use super::history::History;
use super::source::{self, Sources};
use super::yaml::{self, Document};
use super::{Fetched, Files, Unfetched};
use crate::diagnostic::{Diagnostic, Findings};
use crate::tree::{SourceId, Span};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// Reads through [`Files`] and remembers what it read.
pub struct Reader<'f> {
    pub files: &'f dyn Files,
    pub sources: Sources,
    /// Texts whose documents were read.
    opened: HashSet<SourceId>,
    /// How many values may still be read or made.
    pub budget: Budget,
    /// Where the way of the load is noted, if anybody wants to know it.
    pub history: Option<Box<History>>,
    cwd: PathBuf,
    texts: HashMap<PathBuf, SourceId>,
    /// What was fetched, by address.
    fetched: HashMap<String, Fetched>,
    /// Texts of fetched files.
    foreign: HashSet<SourceId>,
    /// Folders of this machine that a local file has given to fetched ones.
    lent: Vec<PathBuf>,
}

/// Why a file could not be read, in the words of the system.
#[derive(Debug)]
pub struct Unreadable {
    pub why: String,
    pub is_missing: bool,
}

/// The largest text that is read, whatever [`Files`] it comes from.
const MAX_BYTES: usize = super::disk::MAX_FILE as usize;

/// What stands for standard input in the place of a path.
pub const STDIN: &str = "-";

impl<'f> Reader<'f> {
    pub fn new(files: &'f dyn Files, cwd: &Path) -> Self {
        Reader {
            files,
            sources: Sources::default(),
            budget: Budget::default(),
            opened: HashSet::new(),
            history: None,
            cwd: cwd.to_owned(),
            texts: HashMap::new(),
            fetched: HashMap::new(),
            foreign: HashSet::new(),
            lent: Vec::new(),
        }
    }

    /// Brings a remote file here, each once.
    ///
    /// # Errors
    /// Those of [`Files::fetch`].
    pub fn fetch(&mut self, address: &str) -> Result<Fetched, Unfetched> {
        if let Some(known) = self.fetched.get(address) {
            return Ok(known.clone());
        }
        let fetched = self.files.fetch(address)?;
        self.fetched.insert(address.to_owned(), fetched.clone());
        Ok(fetched)
    }

    /// Whether a fetched file has written what stands there.
    pub fn is_foreign(&self, span: Span) -> bool {
        self.foreign.contains(&span.source)
    }

    /// Gives fetched files the files in a folder of this machine.
    pub fn lend(&mut self, folder: &Path) {
        self.lent.push(folder.to_owned());
    }

    /// Whether a file is not to be read: a fetched file names it, and it lies neither in what was
    /// fetched nor in what was lent; or a link in what was fetched leads elsewhere.
    pub fn strays(&self, path: &Path, named: Option<Span>) -> bool {
        if self.fetched.is_empty() || path == Path::new("/dev/null") {
            return false;
        }
        let is_foreign = named.is_some_and(|span| self.is_foreign(span));
        let roots = || self.fetched.values().map(|fetched| &fetched.root);
        if !is_foreign && !roots().any(|root| path.starts_with(root)) {
            return false;
        }
        let real = self.files.canonicalize(path);
        let holds = |folder: &PathBuf| match (&real, self.files.canonicalize(folder)) {
            (Ok(real), Ok(folder)) => real.starts_with(folder),
            _ => path.starts_with(folder),
        };
        let mut lent = self.lent.iter().filter(|_| is_foreign);
        !roots().any(holds) && !lent.any(holds)
    }

    /// The finding about such a file, `what` it is in words.
    pub fn strayed(&self, what: &str, path: &Path, at: impl Into<String>) -> Diagnostic {
        let message = format!(
            "{what} {} leads out of what was fetched",
            self.display(path)
        );
        Diagnostic::error("remote-file", at, message).help(
            "a fetched project may only read its own files: put the file beside the project file, or copy the project to this machine",
        )
    }

    /// The path as users know it: relative to the working directory where it lies below it, by
    /// its address where it was fetched.
    pub fn display(&self, path: &Path) -> String {
        let inside = |from: &Fetched| {
            let rest = path.strip_prefix(&from.root).ok()?;
            Some(format!("{}{}", from.label, rest.display()))
        };
        if let Some(name) = self.fetched.values().find_map(inside) {
            return name;
        }
        path.strip_prefix(&self.cwd)
            .unwrap_or(path)
            .to_string_lossy()
            .into_owned()
    }

    /// The number of a file's text; reads the file if it has not been read before.
    pub fn source(
        &mut self,
        path: &Path,
        findings: &mut Findings,
    ) -> Result<Option<SourceId>, Unreadable> {
        if let Some(id) = self.texts.get(path) {
            return Ok(Some(*id));
        }
        let is_stdin = path == Path::new(STDIN);
        let bytes = match is_stdin {
            true => self.files.stdin(),
            false => self.files.read(path),
        };
        let bytes = bytes.map_err(|error| Unreadable {
            why: reason(&error),
            is_missing: error.kind() == std::io::ErrorKind::NotFound,
        })?;
        if bytes.len() > MAX_BYTES {
            return Err(Unreadable {
                why: format!("has more than {} MiB", MAX_BYTES >> 20),
                is_missing: false,
            });
        }
        let name = match is_stdin {
            true => "<stdin>".to_owned(),
            false => self.display(path),
        };
        match source::decode(bytes) {
            Ok(text) => {
                let id = self.sources.add(name, text);
                self.texts.insert(path.to_owned(), id);
                let mut fetched = self.fetched.values();
                if fetched.any(|fetched| path.starts_with(&fetched.root)) {
                    self.foreign.insert(id);
                }
                Ok(Some(id))
            }
            Err(fault) => {
                let end = fault.before.len();
                let id = self.sources.add(name, fault.before);
                let place = Span {
                    source: id,
                    start: u32::try_from(end).unwrap_or(u32::MAX),
                    end: u32::try_from(end).unwrap_or(u32::MAX),
                };
                findings.push(
                    Diagnostic::error("not-text", "", fault.why)
                        .at(place)
                        .help("the file must be plain text in UTF-8; is this the right file?"),
                );
                Ok(None)
            }
        }
    }

    /// The number of a file's text, if it has been read.
    pub fn known(&self, path: &Path) -> Option<SourceId> {
        self.texts.get(path).copied()
    }

    /// A text that was read.
    pub fn text(&self, id: SourceId) -> &str {
        self.sources.get(id).map_or("", |s| &s.text)
    }

    /// The documents of a YAML file.
    pub fn documents(
        &mut self,
        path: &Path,
        findings: &mut Findings,
    ) -> Result<Vec<Document>, Unreadable> {
        let id = match self.source(path, findings)? {
            Some(id) if !self.budget.is_spent() => id,
            _ => return Ok(Vec::new()),
        };
        let known = findings.len();
        if self.opened.insert(id) {
            self.budget.opens(self.text(id).len());
        }
        let documents = yaml::parse_within(self.budget.left(), id, self.text(id), findings);
        if findings[known..].iter().any(|f| f.code == budget::CODE) {
            self.budget.spend();
        }
        let values = documents.iter().map(|document| document.values).sum();
        self.budget.take(values, findings, Default::default);
        Ok(documents)
    }
}

/// The system's words without Rust's additions.
fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        std::io::ErrorKind::IsADirectory => "is a directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => {
            let text = error.to_string();
            match text.find(" (os error") {
                Some(end) => text[..end].to_lowercase(),
                None => text,
            }
        }
    }
}
