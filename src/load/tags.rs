//! `!reset` and `!override`: what a file takes out of the model before it is merged over it.
//!
//! In: the tags of one document and the model so far. Out: the model without the values at the
//! tags' paths. Items of lists cannot be taken out one by one.

use super::yaml::Tag;
use crate::tree::Node;
use std::collections::{BTreeMap, HashSet};

/// Takes out of a model what the tags name.
pub fn apply(tags: &[Tag], model: &mut Node) {
    below(tags, &[], model);
}

/// The same for a part of the model that stands at a path of it.
pub fn below(tags: &[Tag], path: &[&str], part: &mut Node) {
    // Taken out of each mapping at once: one by one costs a look at what remains each time.
    let mut named: BTreeMap<&[String], HashSet<&str>> = BTreeMap::new();
    for tag in tags {
        if let Some((last, parents)) = strip(&tag.path, path).and_then(<[_]>::split_last) {
            named.entry(parents).or_default().insert(last);
        }
    }
    for (parents, keys) in named {
        let parent = parents
            .iter()
            .try_fold(&mut *part, |node, key| node.get_mut(key));
        if let Some(map) = parent.and_then(Node::as_map_mut) {
            map.retain(|key, _| !keys.contains(key));
        }
    }
}

fn strip<'t>(path: &'t [String], prefix: &[&str]) -> Option<&'t [String]> {
    let (start, rest) = path.split_at_checked(prefix.len())?;
    start.iter().eq(prefix.iter()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Findings;
    use crate::load::yaml;
    use crate::tree::SourceId;

    #[test]
    fn tagged_paths_leave_the_model() {
        let mut findings = Findings::default();
        let mut parsed = |text: &str| yaml::parse(SourceId(0), text, &mut findings).remove(0);
        let over = parsed(
            "services: {a: {ports: !override [1], environment: {X: !reset null}}, b: !reset {}}",
        );
        let mut model =
            parsed("services: {a: {ports: [2, 3], environment: {X: 1, Y: 2}}, b: {image: i}}").root;
        apply(&over.tags, &mut model);
        assert_eq!(model, parsed("services: {a: {environment: {Y: 2}}}").root);

        let mut service = parsed("{ports: [2], image: i}").root;
        below(&over.tags, &["services", "a"], &mut service);
        assert_eq!(service, parsed("{image: i}").root);
    }
}
