//! How large a project may become, however little it takes to write it down.
//!
//! Every value takes memory, and aliases, `extends`, short forms and env files make many values of
//! few bytes. So all that makes values takes them from one budget.

use crate::diagnostic::{Diagnostic, Findings};
use crate::tree::{Map, Node, Span, Value};

/// How many values the files of a project may hold together with those that are added to them,
/// however small the files are.
pub const MAX_VALUES: usize = 600_000;

/// Larger files may hold more: one value for so many bytes of them, up to a limit.
const BYTES_PER_VALUE: usize = 8;
const MOST_VALUES: usize = 1_200_000;

/// How many entries one list or mapping may have.
pub const MAX_ENTRIES: usize = 100_000;

/// The code of the finding about a larger project.
pub const CODE: &str = "too-large";

/// What the files of a project may still hold.
#[derive(Debug, Default)]
pub struct Budget {
    taken: usize,
    /// Bytes of the files that were read.
    bytes: usize,
    is_spent: bool,
}

impl Budget {
    /// How many values there may be in all.
    fn limit(&self) -> usize {
        (self.bytes / BYTES_PER_VALUE).clamp(MAX_VALUES, MOST_VALUES)
    }

    /// How many there still may be.
    pub fn left(&self) -> usize {
        self.limit().saturating_sub(self.taken)
    }

    /// A file of so many bytes is read.
    pub fn opens(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    /// Whether there was not enough of it.
    pub fn is_spent(&self) -> bool {
        self.is_spent
    }

    /// There was not, as somebody else has told.
    pub fn spend(&mut self) {
        self.is_spent = true;
    }

    /// Takes so many values; false where there are not so many left, which is told once.
    pub fn take(
        &mut self,
        values: usize,
        findings: &mut Findings,
        place: impl FnOnce() -> (String, Span),
    ) -> bool {
        if self.is_spent {
            return false;
        }
        match values <= self.left() {
            true => self.taken += values,
            false => {
                self.is_spent = true;
                let (path, at) = place();
                findings.push(finding(path).at(at));
            }
        }
        !self.is_spent
    }
}

/// What is said where a project is too large.
pub fn finding(path: impl Into<String>) -> Diagnostic {
    let message = "the project has more values than fit, with those that aliases, `extends`, short forms and env files add";
    let limits = format!(
        "there may be {MAX_VALUES}, and in large files one for {BYTES_PER_VALUE} bytes up to {MOST_VALUES}"
    );
    Diagnostic::error(CODE, path, message)
        .note(limits)
        .help("split it into several projects")
}

/// What is said where one list or mapping is too long.
pub fn too_long(path: impl Into<String>) -> Diagnostic {
    let message = format!("a list or mapping of more than {MAX_ENTRIES} entries");
    Diagnostic::error(CODE, path, message).help("split it into several")
}

/// How many values a tree holds.
pub fn values(node: &Node) -> usize {
    1 + match &node.value {
        Value::Map(map) => in_map(map),
        Value::Seq(items) => items.iter().map(values).sum(),
        _ => 0,
    }
}

fn in_map(map: &Map) -> usize {
    map.iter().map(|(_, node)| values(node)).sum()
}
