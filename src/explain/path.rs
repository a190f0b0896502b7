//! Paths as users write them: `services.web.environment.LOG_LEVEL`, `services.web.ports[0]`,
//! `services.web.labels[com.example.team]`. A key with dots in it needs no quoting where only one
//! reading of the path leads anywhere.

use crate::tree::{Node, Value};
use crate::value::similar;

/// One step down a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Key(String),
    Index(usize),
}

/// A path that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// How far it leads; empty for the whole project.
    pub there: String,
    /// The part that is not there.
    pub part: String,
    /// What was probably meant, as a whole path.
    pub meant: Option<String>,
    /// What is there: keys, or how many items.
    pub have: Vec<String>,
}

/// The steps of a path in a tree.
///
/// # Errors
/// Where the tree has nothing there.
pub fn resolve(tree: &Node, query: &str) -> Result<Vec<Step>, Unknown> {
    let mut walk = Walk::default();
    let query = query.trim().trim_matches('.');
    if walk.down(tree, query) {
        return Ok(walk.trail);
    }
    Err(walk.unknown(tree))
}

#[derive(Default)]
struct Walk {
    trail: Vec<Step>,
    /// The longest trail so far, and what was left of the path there.
    deepest: (Vec<Step>, String),
}

impl Walk {
    fn down(&mut self, node: &Node, rest: &str) -> bool {
        if rest.is_empty() {
            return true;
        }
        if self.deepest.1.is_empty() || self.trail.len() > self.deepest.0.len() {
            self.deepest = (self.trail.clone(), rest.to_owned());
        }
        let mut found: Vec<(Step, &Node, &str)> = Vec::new();
        match &node.value {
            Value::Map(map) => {
                for (key, value) in map.iter() {
                    if let Some(after) = after_key(rest, key) {
                        found.push((Step::Key(key.to_owned()), value, after));
                    }
                }
                // The longest key is the likeliest.
                found.sort_by_key(|(_, _, after)| after.len());
            }
            Value::Seq(items) => {
                if let Some((index, after)) = after_index(rest)
                    && let Some(item) = items.get(index)
                {
                    found.push((Step::Index(index), item, after));
                }
            }
            _ => {}
        }
        for (step, node, after) in found {
            self.trail.push(step);
            if self.down(node, after) {
                return true;
            }
            self.trail.pop();
        }
        false
    }

    fn unknown(self, tree: &Node) -> Unknown {
        let (steps, rest) = self.deepest;
        let rest = rest.trim_start_matches('.').to_owned();
        let there = text(&steps);
        let node = trail(tree, &steps).last().copied().unwrap_or(tree);
        let part = match rest.find(['.', '[']) {
            Some(end) if end > 0 => rest[..end].to_owned(),
            _ => rest.clone(),
        };
        let join = |key: &str| match there.as_str() {
            "" => key.to_owned(),
            there => format!("{there}.{key}"),
        };
        let mut meant = None;
        let have = match &node.value {
            Value::Map(map) => {
                meant = similar::nearest(&part, map.keys()).map(join);
                map.keys().map(str::to_owned).collect()
            }
            Value::Seq(items) => (0..items.len()).map(|at| format!("[{at}]")).collect(),
            _ => Vec::new(),
        };
        if meant.is_none() && steps.is_empty() {
            // A service's name alone, or with what follows it.
            let services = tree.get("services").and_then(Node::as_map);
            meant = services
                .filter(|services| services.contains_key(&part))
                .map(|_| format!("services.{rest}"));
        }
        Unknown {
            there,
            part,
            meant,
            have,
        }
    }
}

/// What is left of a path behind a key: `.key`, `key` or `[key]`.
fn after_key<'q>(rest: &'q str, key: &str) -> Option<&'q str> {
    if let Some(inner) = rest.strip_prefix('[') {
        let inner = inner.trim_start_matches(['"', '\'']);
        let after = inner.strip_prefix(key)?.trim_start_matches(['"', '\'']);
        return after.strip_prefix(']');
    }
    let rest = rest.strip_prefix('.').unwrap_or(rest);
    let after = rest.strip_prefix(key)?;
    let ends = after.is_empty() || after.starts_with(['.', '[']);
    (ends && !key.is_empty()).then_some(after)
}

/// What is left of a path behind `[0]` or `.0`.
fn after_index(rest: &str) -> Option<(usize, &str)> {
    if let Some(inner) = rest.strip_prefix('[') {
        let (digits, after) = inner.split_once(']')?;
        return Some((digits.parse().ok()?, after));
    }
    let rest = rest.strip_prefix('.')?;
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    Some((rest[..end].parse().ok()?, &rest[end..]))
}

/// The nodes below the root that some steps lead to, as far as they lead.
pub fn trail<'n>(tree: &'n Node, steps: &[Step]) -> Vec<&'n Node> {
    let mut at = tree;
    let mut trail = Vec::with_capacity(steps.len());
    for step in steps {
        let next = match step {
            Step::Key(key) => at.get(key),
            Step::Index(index) => at.as_seq().and_then(|items| items.get(*index)),
        };
        let Some(next) = next else { break };
        trail.push(next);
        at = next;
    }
    trail
}

/// Steps as users write them.
pub fn text(steps: &[Step]) -> String {
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Index(index) => path.push_str(&format!("[{index}]")),
            Step::Key(key) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
            }
        }
    }
    path
}
