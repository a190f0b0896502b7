//! Tables of rules by path pattern, looked up while walking a tree.
//!
//! A pattern names a path from the top of the model, with `*` for any key or list item:
//! `services.*.build.args`. The walk goes down the table and the tree together, so a subtree
//! without rules costs nothing.

/// The rules at one level of a walk.
#[derive(Debug)]
pub struct Rules<T> {
    here: Option<T>,
    keys: Vec<(&'static str, Rules<T>)>,
    /// The last letters of the keys, by their lowest six bits.
    letters: u64,
    any: Option<Box<Rules<T>>>,
}

impl<T: Copy> Rules<T> {
    /// Builds the walkable form of a table.
    pub fn new(table: &[(&'static str, T)]) -> Self {
        let mut root = Rules::empty();
        for (pattern, rule) in table {
            let mut at = &mut root;
            for part in pattern.split('.') {
                at = at.grow(part);
            }
            at.here = Some(*rule);
        }
        root
    }

    fn empty() -> Self {
        Rules {
            here: None,
            keys: Vec::new(),
            letters: 0,
            any: None,
        }
    }

    fn grow(&mut self, part: &'static str) -> &mut Self {
        if part == "*" {
            return self.any.get_or_insert_with(|| Box::new(Rules::empty()));
        }
        let at = match self.keys.iter().position(|(key, _)| *key == part) {
            Some(at) => at,
            None => {
                self.keys.push((part, Rules::empty()));
                self.letters |= letter(part);
                self.keys.len() - 1
            }
        };
        &mut self.keys[at].1
    }

    /// The rule for the place the walk stands at.
    pub fn here(&self) -> Option<T> {
        self.here
    }

    /// The rules below a key; `None` where nothing below it has a rule.
    pub fn key(&self, key: &str) -> Option<&Self> {
        // Most keys have no rule, and their last letter already says so.
        if self.letters & letter(key) == 0 {
            return self.any.as_deref();
        }
        let last = key.as_bytes().last();
        self.keys
            .iter()
            .find(|(known, _)| known.as_bytes().last() == last && *known == key)
            .map(|(_, rules)| rules)
            .or(self.any.as_deref())
    }

    /// The rules below a list item.
    pub fn item(&self) -> Option<&Self> {
        self.any.as_deref()
    }

    /// Walks down several keys at once, for a walk that starts inside the model.
    pub fn at(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |rules, key| rules.key(key))
    }
}

fn letter(key: &str) -> u64 {
    1 << (key.as_bytes().last().unwrap_or(&0) & 63)
}

#[cfg(test)]
mod tests {
    use super::Rules;

    #[test]
    fn finds_rules_by_pattern() {
        let rules = Rules::new(&[
            ("services.*.labels", 1),
            ("services.*.ports.*", 2),
            ("volumes.*", 3),
        ]);
        let service = rules.at(&["services", "web"]).expect("services have rules");
        assert_eq!(service.here(), None);
        assert_eq!(service.key("labels").and_then(Rules::here), Some(1));
        assert_eq!(
            service
                .key("ports")
                .and_then(Rules::item)
                .and_then(Rules::here),
            Some(2)
        );
        assert!(service.key("image").is_none());
        assert_eq!(
            rules.at(&["volumes", "data"]).and_then(Rules::here),
            Some(3)
        );
    }
}
