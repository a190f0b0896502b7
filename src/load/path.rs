//! Where a walk over a tree stands, kept on the stack: it costs nothing until a finding prints it.

use std::fmt;

/// A path like `services.web.ports[0]`.
#[derive(Clone, Copy)]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    part: Part<'a>,
}

#[derive(Clone, Copy)]
enum Part<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    /// The whole document.
    pub const ROOT: Path<'static> = Path {
        parent: None,
        part: Part::Root,
    };

    pub fn key(&'a self, key: &'a str) -> Path<'a> {
        Path {
            parent: Some(self),
            part: Part::Key(key),
        }
    }

    pub fn index(&'a self, index: usize) -> Path<'a> {
        Path {
            parent: Some(self),
            part: Part::Index(index),
        }
    }

    /// The last part, where it is a key.
    pub fn last_key(&self) -> Option<&'a str> {
        match self.part {
            Part::Key(key) => Some(key),
            _ => None,
        }
    }

    /// How many parts it has.
    pub fn depth(&self) -> usize {
        match self.parent {
            None => 0,
            Some(parent) => parent.depth() + 1,
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
            if let (Part::Key(_), false) = (self.part, matches!(parent.part, Part::Root)) {
                f.write_str(".")?;
            }
        }
        match self.part {
            Part::Root => Ok(()),
            Part::Key(key) => f.write_str(key),
            Part::Index(index) => write!(f, "[{index}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Path;

    #[test]
    fn prints_as_users_write_it() {
        let services = Path::ROOT.key("services");
        let web = services.key("web");
        let ports = web.key("ports");
        assert_eq!(Path::ROOT.to_string(), "");
        assert_eq!(web.to_string(), "services.web");
        assert_eq!(
            ports.index(0).key("target").to_string(),
            "services.web.ports[0].target"
        );
        assert_eq!(ports.depth(), 3);
    }
}
