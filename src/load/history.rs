//! What a load keeps of its way, for `explain` alone: the documents before they are merged,
//! which service extends which, and what env files said.
//!
//! Filled in only where [`super::LoadOptions::record`] asks for it, so other commands pay nothing.

use super::variables::Environment;
use super::yaml::Tag;
use crate::tree::{Node, Span};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The way of one load.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The documents of the project's files, in order.
    pub documents: Vec<Layer>,
    /// The documents of files that services are extended from.
    pub extended: Vec<Layer>,
    /// Every `extends` that was followed.
    pub links: Vec<Link>,
    /// What the env and label files of services set, in order.
    pub file_values: Vec<FileValue>,
    /// The environment of each scope.
    pub environments: HashMap<usize, Environment>,
    /// Documents whose includes are being read, innermost last.
    open: Vec<Layer>,
}

/// A document with its variables filled in, before anything is merged into it.
#[derive(Debug, Clone, Default)]
pub struct Layer {
    pub file: PathBuf,
    /// The number of the scope that it was read in.
    pub scope: usize,
    pub root: Node,
    pub tags: Vec<Tag>,
    /// The documents it includes, in order.
    pub includes: Vec<Layer>,
}

/// A service that extends another.
#[derive(Debug, Clone)]
pub struct Link {
    pub scope: usize,
    /// The file and the service that extend.
    pub file: PathBuf,
    pub service: String,
    /// The other file, if it is another.
    pub from: Option<PathBuf>,
    pub target: String,
    pub span: Span,
}

/// A variable in an env file, or a label in a label file, of one service.
#[derive(Debug, Clone)]
pub struct FileValue {
    pub service: String,
    /// `environment` or `labels`.
    pub attribute: &'static str,
    pub name: String,
    pub value: String,
    pub span: Span,
    /// Where the file is named.
    pub named: Span,
    /// The number of the scope that its variables were looked up in.
    pub scope: usize,
}

impl History {
    /// Notes a document whose includes are read next.
    pub fn open(&mut self, file: &Path, scope: usize, root: &Node, tags: &[Tag]) {
        self.open.push(layer(file, scope, root, tags));
    }

    /// The includes of the document opened last have been read.
    pub fn close(&mut self) {
        if let Some(done) = self.open.pop() {
            match self.open.last_mut() {
                Some(parent) => parent.includes.push(done),
                None => self.documents.push(done),
            }
        }
    }

    /// Notes a document of a file that services are extended from.
    pub fn extended(&mut self, file: &Path, scope: usize, root: &Node, tags: &[Tag]) {
        self.extended.push(layer(file, scope, root, tags));
    }
}

fn layer(file: &Path, scope: usize, root: &Node, tags: &[Tag]) -> Layer {
    Layer {
        file: file.to_owned(),
        scope,
        root: root.clone(),
        tags: tags.to_vec(),
        includes: Vec::new(),
    }
}
