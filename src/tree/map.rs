//! Mappings. Most of a project's have a few keys and are searched from end to end; only large
//! ones pay for an index.

use super::{Entries, Entry, Node, Span, Text};
use foldhash::fast::RandomState;

/// The most entries that are kept without an index.
const FEW: usize = 32;

/// A mapping in the order of the file. A key remembers where it was written.
#[derive(Debug, Clone, Default)]
pub struct Map {
    entries: Held,
}

#[derive(Debug, Clone)]
enum Held {
    Few(Entries),
    Many(Box<IndexMap>),
}

/// Keys of project files are short, and their hashes are reckoned often.
type IndexMap = indexmap::IndexMap<Text, Entry, RandomState>;

impl Default for Held {
    fn default() -> Self {
        Held::Few(Entries::new())
    }
}

/// Whether two keys are the same. Keys of one mapping often begin alike, but rarely end alike.
fn is(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.as_bytes().last() == b.as_bytes().last() && a == b
}

/// One of two iterators over the same items.
enum Either<F, M> {
    Few(F),
    Many(M),
}

impl<T, F: Iterator<Item = T>, M: Iterator<Item = T>> Iterator for Either<F, M> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        match self {
            Either::Few(few) => few.next(),
            Either::Many(many) => many.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Either::Few(few) => few.size_hint(),
            Either::Many(many) => many.size_hint(),
        }
    }
}

/// Two mappings are equal when they say the same, in whatever order.
impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .iter()
                .all(|(k, v)| other.get(k).is_some_and(|o| o == v))
    }
}

impl Map {
    pub fn new() -> Self {
        Map::default()
    }

    pub fn len(&self) -> usize {
        match &self.entries {
            Held::Few(few) => few.len(),
            Held::Many(many) => many.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn contains_key(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|e| &e.node)
    }

    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.entry_mut(key).map(|e| &mut e.node)
    }

    /// The value together with the place of its key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.entries {
            Held::Few(few) => few.iter().find(|(k, _)| is(k, key)).map(|(_, e)| e),
            Held::Many(many) => many.get(key),
        }
    }

    fn entry_mut(&mut self, key: &str) -> Option<&mut Entry> {
        match &mut self.entries {
            Held::Few(few) => few.iter_mut().find(|(k, _)| is(k, key)).map(|(_, e)| e),
            Held::Many(many) => many.get_mut(key),
        }
    }

    /// Where the key stands in the file.
    pub fn key_span(&self, key: &str) -> Option<Span> {
        self.entry(key).map(|e| e.key)
    }

    /// Puts a value in; a key that is there keeps its position in the order, but takes the new
    /// place. Returns what stood there.
    pub fn insert(&mut self, key: impl Into<Text>, key_span: Span, node: Node) -> Option<Node> {
        let key = key.into();
        let entry = Entry {
            key: key_span,
            node,
        };
        if let Held::Many(many) = &mut self.entries {
            return many.insert(key, entry).map(|e| e.node);
        }
        if let Some(old) = self.entry_mut(&key) {
            return Some(std::mem::replace(old, entry).node);
        }
        self.push(key, entry);
        None
    }

    /// A mapping of entries whose keys all differ.
    pub fn of_distinct(entries: Entries) -> Self {
        let entries = match entries.len() <= FEW {
            true => Held::Few(entries),
            false => Held::Many(Box::new(entries.into_iter().collect())),
        };
        Map { entries }
    }

    /// All entries, which leaves nothing.
    pub fn take_entries(&mut self) -> Entries {
        match std::mem::take(&mut self.entries) {
            Held::Few(few) => few,
            Held::Many(many) => many.into_iter().collect(),
        }
    }

    /// Puts a key in that is not there.
    fn push(&mut self, key: Text, entry: Entry) {
        match &mut self.entries {
            Held::Few(few) if few.len() < FEW => few.push((key, entry)),
            Held::Few(few) => {
                let mut many: IndexMap = std::mem::take(few).into_iter().collect();
                many.insert(key, entry);
                self.entries = Held::Many(Box::new(many));
            }
            Held::Many(many) => {
                many.insert(key, entry);
            }
        }
    }

    /// Puts a value in where the key is not there yet.
    ///
    /// # Errors
    /// The key, and the place of the one that is there.
    pub fn insert_new(
        &mut self,
        key: Text,
        key_span: Span,
        node: Node,
    ) -> Result<(), (Text, Span)> {
        match self.key_span(&key) {
            Some(earlier) => Err((key, earlier)),
            None => {
                let key_and_value = Entry {
                    key: key_span,
                    node,
                };
                self.push(key, key_and_value);
                Ok(())
            }
        }
    }

    /// A mapping to be filled in a buffer that has room.
    pub fn filling(buffer: Entries) -> Self {
        debug_assert!(buffer.is_empty());
        Map {
            entries: Held::Few(buffer),
        }
    }

    /// The mapping with no more room than it needs, and the buffer that it was filled in.
    pub fn filled(mut self) -> (Self, Entries) {
        match self.entries {
            Held::Few(mut few) => {
                let mut exact = Entries::with_capacity(few.len());
                exact.append(&mut few);
                let entries = Held::Few(exact);
                (Map { entries }, few)
            }
            Held::Many(_) => {
                self.shrink();
                (self, Entries::new())
            }
        }
    }

    /// Gives back the room that was set aside for entries to come.
    pub fn shrink(&mut self) {
        match &mut self.entries {
            Held::Few(few) => few.shrink_to_fit(),
            Held::Many(many) => many.shrink_to_fit(),
        }
    }

    /// Takes a key out, keeping the order of the others.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        self.remove_entry(key).map(|e| e.node)
    }

    /// As [`Map::remove`], with the place of the key.
    pub fn remove_entry(&mut self, key: &str) -> Option<Entry> {
        match &mut self.entries {
            Held::Few(few) => {
                let at = few.iter().position(|(k, _)| is(k, key))?;
                Some(few.remove(at).1)
            }
            Held::Many(many) => many.shift_remove(key),
        }
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries().map(|(k, _)| k)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.entries().map(|(k, e)| (k, &e.node))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Node)> {
        match &mut self.entries {
            Held::Few(few) => Either::Few(few.iter_mut().map(|(k, e)| (k.as_str(), &mut e.node))),
            Held::Many(many) => {
                Either::Many(many.iter_mut().map(|(k, e)| (k.as_str(), &mut e.node)))
            }
        }
    }

    /// Keys with the places of both key and value.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        match &self.entries {
            Held::Few(few) => Either::Few(few.iter().map(|(k, e)| (k.as_str(), e))),
            Held::Many(many) => Either::Many(many.iter().map(|(k, e)| (k.as_str(), e))),
        }
    }

    pub fn into_entries(self) -> impl Iterator<Item = (Text, Entry)> {
        match self.entries {
            Held::Few(few) => Either::Few(few.into_iter()),
            Held::Many(many) => Either::Many(many.into_iter()),
        }
    }

    pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut Node) -> bool) {
        match &mut self.entries {
            Held::Few(few) => few.retain_mut(|(k, e)| keep(k, &mut e.node)),
            Held::Many(many) => many.retain(|k, e| keep(k, &mut e.node)),
        }
    }

    pub fn sort_keys(&mut self) {
        match &mut self.entries {
            Held::Few(few) => few.sort_by(|(a, _), (b, _)| a.cmp(b)),
            Held::Many(many) => many.sort_keys(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(i: usize) -> Node {
        Node::new(i64::try_from(i).expect("small"), Span::default())
    }

    #[test]
    fn few_and_many_entries_behave_the_same() {
        for size in [0, 1, FEW, FEW + 1, 100] {
            let mut map = Map::new();
            for i in 0..size {
                assert_eq!(map.insert(format!("k{i}"), Span::default(), node(i)), None);
            }
            assert_eq!(map.len(), size);
            for i in 0..size {
                assert_eq!(map.get(&format!("k{i}")), Some(&node(i)));
                let old = map.insert(format!("k{i}"), Span::default(), node(i + 1));
                assert_eq!(old, Some(node(i)));
            }
            for (_, value) in map.iter_mut() {
                value.value = value.value.clone();
            }
            assert!(
                map.keys()
                    .eq((0..size).map(|i| format!("k{i}")).collect::<Vec<_>>())
            );
            map.remove("k0");
            map.retain(|key, _| key != "k1");
            assert_eq!(map.len(), size.saturating_sub(2));
            let last = size.saturating_sub(1);
            if size > 2 {
                assert_eq!(map.get_mut(&format!("k{last}")), Some(&mut node(size)));
                assert_eq!(map.keys().next(), Some("k2"));
            }
            map.sort_keys();
            let keys: Vec<&str> = map.keys().collect();
            assert!(keys.is_sorted());
            assert_eq!(map.clone(), map);
            assert_eq!(map.into_entries().count(), size.saturating_sub(2));
        }
    }

    #[test]
    fn nodes_are_small() {
        assert!(size_of::<Map>() <= 16);
        assert!(size_of::<Node>() <= 40, "{}", size_of::<Node>());
    }
}
