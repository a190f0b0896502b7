//! The record of what a container was made from, and the differences to what it should be.
//!
//! A hash says *that* something changed, not *what*. So each container carries its service's
//! canonical form in a label of ours ([`labels::SPEC`]), compressed; secrets stand
//! in it as digests ([`crate::value::secret`]). So does what is copied into it: the hash, which is Docker
//! Compose's, knows nothing of the content of secrets and configs.

mod files;
mod inspected;

pub use files::changed_files;
pub use inspected::differences_to;

use crate::engine::request::FileContent;
use crate::labels;
use crate::plan::{Change, Edit, edits};
use crate::tree::{Node, Value};
use crate::value::secret::{Known, Masking, stand_in_of_digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};
use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};
use std::io::Read;

/// Attributes whose change does not recreate a container, and so are not recorded.
const UNRECORDED: [&str; 6] = [
    "build",
    "depends_on",
    "profiles",
    "pull_policy",
    "scale",
    "name",
];

/// The largest record that is read back, in bytes: a label is the engine's, not ours to trust.
const MAX_RECORD: u64 = 4 << 20;

/// How older records of ours begin the digest of a secret.
const OLD_DIGEST: &str = "sha256:";

/// Where in a record the files stand that were copied: no attribute of a service has this name.
const RECORDED_FILES: &str = "copied_files";

/// The value of the label [`labels::SPEC`] for a service's canonical form and the files that are
/// copied into its containers.
pub fn record(spec: &Node, files: &[FileContent], known: &Known) -> String {
    let mut json = masking(known).value(&recorded(spec));
    json[RECORDED_FILES] = files::recorded(files);
    let text = json.to_string();
    let mut packed = Vec::with_capacity(text.len() / 2);
    DeflateEncoder::new(text.as_bytes(), Compression::best())
        .read_to_end(&mut packed)
        .expect("reading from memory");
    STANDARD_NO_PAD.encode(packed)
}

/// Reads a record back; `None` where it is none of ours.
pub fn read_record(label: &str) -> Option<Json> {
    let packed = STANDARD_NO_PAD.decode(label).ok()?;
    let mut text = String::new();
    DeflateDecoder::new(packed.as_slice())
        .take(MAX_RECORD)
        .read_to_string(&mut text)
        .ok()?;
    serde_json::from_str(&text).ok()
}

/// The differences between a record and a service's canonical form, by path. What the record says
/// is masked again, by the rules and the secrets of now: another way of masking is no difference.
pub fn differences(old: &Json, spec: &Node, shown: &Masking) -> Vec<Change> {
    let plain = recorded(spec);
    let masking = masking(&shown.known);
    let mut old = old.clone();
    if let Json::Object(map) = &mut old {
        map.remove(RECORDED_FILES);
    }
    resolve_digests(&mut old, &plain);
    let (old, new) = (masking.value(&old), masking.value(&plain));
    let mut changes = Vec::new();
    let mut path = Path::default();
    let desired = Desired {
        spec,
        plain: shown.is_off.then_some(&plain),
    };
    compare(Some(&old), Some(&new), &mut path, &desired, &mut changes);
    changes
}

fn masking(known: &Known) -> Masking {
    Masking {
        known: known.clone(),
        is_off: false,
    }
}

/// Older records keep longer digests of variables, and of more of them. One that is the digest of
/// what is there now stands for that.
fn resolve_digests(old: &mut Json, plain: &Json) {
    let variables = old.get_mut("environment").and_then(Json::as_object_mut);
    for (name, value) in variables.into_iter().flatten() {
        let Some(hex) = value.as_str().and_then(|v| v.strip_prefix(OLD_DIGEST)) else {
            continue;
        };
        let now = plain["environment"][name.as_str()].as_str();
        match now.filter(|now| value.as_str() == Some(&digest(now.as_bytes()))) {
            Some(now) => *value = now.into(),
            None => {
                if let Some(shown) = stand_in_of_digest(hex) {
                    *value = shown.into();
                }
            }
        }
    }
}

/// The canonical form as JSON, without what does not count.
fn recorded(spec: &Node) -> Json {
    let mut json = to_json(spec);
    if let Json::Object(map) = &mut json {
        for key in UNRECORDED {
            map.remove(key);
        }
        if let Some(Json::Object(deploy)) = map.get_mut("deploy") {
            deploy.remove("replicas");
        }
    }
    json
}

fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let hex: String = hash[..8].iter().map(|b| format!("{b:02x}")).collect();
    format!("{OLD_DIGEST}{hex}…")
}

fn to_json(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(b) => Json::Bool(*b),
        Value::Int(i) => Json::from(*i),
        Value::Float(f) => Json::from(*f),
        Value::Str(s) => Json::from(s.as_str()),
        Value::Verbatim(s) => Json::from(&**s),
        Value::Seq(items) => Json::Array(items.iter().map(to_json).collect()),
        Value::Map(map) => Json::Object(
            map.iter()
                .map(|(k, v)| (k.to_owned(), to_json(v)))
                .collect::<Map<_, _>>(),
        ),
    }
}

#[derive(Default)]
struct Path(Vec<Part>);

enum Part {
    Key(String),
    /// Of the list as it is, or of what it was.
    Index(usize, bool),
}

impl Path {
    fn text(&self) -> String {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Key(key) if text.is_empty() => text.push_str(key),
                Part::Key(key) => {
                    text.push('.');
                    text.push_str(key);
                }
                Part::Index(i, _) => text.push_str(&format!("[{i}]")),
            }
        }
        text
    }

    /// The deepest node on the way that exists.
    fn find<'a>(&self, root: &'a Node) -> &'a Node {
        let mut node = root;
        for part in &self.0 {
            let next = match part {
                Part::Key(key) => node.get(key),
                Part::Index(i, true) => node.as_seq().and_then(|s| s.get(*i)),
                Part::Index(_, false) => None,
            };
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        node
    }

    /// What is there.
    fn value<'a>(&self, root: &'a Json) -> Option<&'a Json> {
        self.0.iter().try_fold(root, |value, part| match part {
            Part::Key(key) => value.get(key),
            Part::Index(i, true) => value.get(i),
            Part::Index(_, false) => None,
        })
    }
}

/// What should be.
struct Desired<'a> {
    spec: &'a Node,
    /// With its secrets, where they are to be shown.
    plain: Option<&'a Json>,
}

fn compare(
    old: Option<&Json>,
    new: Option<&Json>,
    path: &mut Path,
    desired: &Desired<'_>,
    changes: &mut Vec<Change>,
) {
    let old = old.filter(|v| !v.is_null());
    let new = new.filter(|v| !v.is_null());
    match (old, new) {
        (Some(Json::Object(a)), Some(Json::Object(b))) => {
            let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                path.0.push(Part::Key(key.clone()));
                // `networks: {default:}` says something, `command:` does not.
                let presence = path.0.len() > 1 && a.contains_key(key) != b.contains_key(key);
                let (x, y) = (a.get(key), b.get(key));
                if presence && x.or(y).is_some_and(Json::is_null) {
                    push(x, y, path, desired, changes);
                } else {
                    compare(x, y, path, desired, changes);
                }
                path.0.pop();
            }
        }
        (Some(Json::Array(a)), Some(Json::Array(b))) => {
            let edits = edits(a, b);
            if edits.is_empty() && a != b {
                push(old, new, path, desired, changes);
            }
            for edit in edits {
                let (x, y) = match edit {
                    Edit::Removed(at) => (Some(at), None),
                    Edit::Changed(before, at) => (Some(before), Some(at)),
                    Edit::Added(at) => (None, Some(at)),
                };
                let Some(at) = y.or(x) else { continue };
                path.0.push(Part::Index(at, y.is_some()));
                compare(
                    x.and_then(|i| a.get(i)),
                    y.and_then(|i| b.get(i)),
                    path,
                    desired,
                    changes,
                );
                path.0.pop();
            }
        }
        (a, b) if a == b => {}
        (a, b) => push(a, b, path, desired, changes),
    }
}

fn push(
    old: Option<&Json>,
    new: Option<&Json>,
    path: &Path,
    desired: &Desired<'_>,
    changes: &mut Vec<Change>,
) {
    let plain = desired.plain.and_then(|root| path.value(root));
    let new = new.map(|new| plain.unwrap_or(new).clone());
    let span = path.find(desired.spec).span;
    changes.push(Change::of(path.text(), old.cloned(), new).at(Some(span)));
}

/// The label and its value, for a container's labels.
pub fn label(spec: &Node, files: &[FileContent], known: &Known) -> (String, String) {
    (labels::SPEC.to_owned(), record(spec, files, known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Map as TreeMap, Span};
    use crate::value::secret::stand_in;

    fn node(json: Json) -> Node {
        let value = match json {
            Json::Null => Value::Null,
            Json::Bool(b) => Value::Bool(b),
            Json::Number(n) => n
                .as_i64()
                .map_or_else(|| Value::Float(n.as_f64().unwrap()), Value::Int),
            Json::String(s) => Value::from(s),
            Json::Array(a) => Value::Seq(a.into_iter().map(node).collect()),
            Json::Object(o) => {
                let mut map = TreeMap::new();
                for (k, v) in o {
                    map.insert(k, Span::default(), node(v));
                }
                Value::Map(map)
            }
        };
        Node::new(value, Span::default())
    }

    fn text(value: Json) -> String {
        match value {
            Json::String(text) => text,
            other => other.to_string(),
        }
    }

    fn changed(old: Json, new: Json) -> Vec<(String, Option<String>, Option<String>)> {
        let record =
            read_record(&record(&node(old), &[], &Known::default())).expect("our own record");
        since(&record, new)
    }

    fn since(record: &Json, new: Json) -> Vec<(String, Option<String>, Option<String>)> {
        differences(record, &node(new), &Masking::default())
            .into_iter()
            .map(|c| (c.path, c.old.map(text), c.new.map(text)))
            .collect()
    }

    #[test]
    fn fields_that_changed_are_named_with_both_values() {
        let got = changed(
            serde_json::json!({"image": "web:1", "command": null, "scale": 3,
                "environment": {"LEVEL": "info", "GONE": "x"}, "ports": [{"target": 80}]}),
            serde_json::json!({"image": "web:2", "scale": 5,
                "environment": {"LEVEL": "debug"}, "ports": [{"target": 80}, {"target": 81}]}),
        );
        let some = |s: &str| Some(s.to_owned());
        assert_eq!(
            got,
            [
                ("environment.GONE".into(), some("x"), None),
                ("environment.LEVEL".into(), some("info"), some("debug")),
                ("image".into(), some("web:1"), some("web:2")),
                ("ports[1]".into(), None, some("{\"target\":81}")),
            ]
        );
    }

    #[test]
    fn secrets_are_compared_by_digest_and_never_shown() {
        let old = serde_json::json!({"environment": {"DB_PASSWORD": "hunter2"}});
        let new = serde_json::json!({"environment": {"DB_PASSWORD": "hunter3"}});
        assert_eq!(
            changed(old.clone(), new),
            [(
                "environment.DB_PASSWORD".into(),
                Some(stand_in("hunter2")),
                Some(stand_in("hunter3"))
            )]
        );
        assert!(changed(old.clone(), old.clone()).is_empty());
        let text = read_record(&record(&node(old.clone()), &[], &Known::default()))
            .unwrap()
            .to_string();
        assert!(!text.contains("hunter2"));
        // Nor where there was no environment before.
        let none = serde_json::json!({"image": "a"});
        for change in [changed(none.clone(), old.clone()), changed(old, none)].concat() {
            let shown = format!("{change:?}");
            assert!(
                !shown.contains("sha256") && !shown.contains("hunter2"),
                "{shown}"
            );
        }
    }

    #[test]
    fn records_of_older_releases_differ_in_nothing_but_what_changed() {
        let spec = serde_json::json!({"image": "web:1", "environment": {
            "DB_PASSWORD": "hunter2", "SIGNING_KEY_FILE": "/run/k", "MYSQL_PWD": "hunter2",
            "URL": "postgres://app:hunter2@db/x", "EMPTY_KEY": "", "LEVEL": "info"},
            "command": ["redis-server", "--requirepass", "hunter2"],
            "labels": {"api.token": "hunter2", "note": "the declared one"},
            "network_mode": "service:declared"});
        // What 0.1 masked, and how.
        let mut old = spec.clone();
        for name in ["DB_PASSWORD", "SIGNING_KEY_FILE", "EMPTY_KEY"] {
            let value = old["environment"][name].as_str().unwrap();
            old["environment"][name] = digest(value.as_bytes()).into();
        }
        assert_eq!(since(&old, spec.clone()), []);
        let mut new = spec.clone();
        new["environment"]["DB_PASSWORD"] = "hunter3".into();
        let changed = (
            "environment.DB_PASSWORD".into(),
            Some(stand_in("hunter2")),
            Some(stand_in("hunter3")),
        );
        assert_eq!(since(&old, new.clone()), [changed]);
        // Those of now hold no secret, and keep what is read out of them.
        let known = Known::of(["declared one".to_owned(), "declared".to_owned()]);
        let record = read_record(&record(&node(spec.clone()), &[], &known)).unwrap();
        let text = record.to_string();
        assert!(
            !text.contains("hunter2") && !text.contains("declared one"),
            "{text}"
        );
        assert_eq!(record["network_mode"], "service:declared");
        assert_eq!(record["environment"]["SIGNING_KEY_FILE"], "/run/k");
        // A secret that is declared since then is no difference either.
        let shown = Masking {
            known,
            is_off: false,
        };
        assert_eq!(differences(&old, &node(spec.clone()), &shown), []);
        // With `--show-secrets` the new value is shown.
        let shown = Masking {
            is_off: true,
            ..shown
        };
        let changes = differences(&old, &node(new), &shown);
        assert_eq!(changes[0].new, Some("hunter3".into()));
    }

    #[test]
    fn foreign_text_is_no_record() {
        assert_eq!(read_record("not base64 at all!"), None);
        assert_eq!(read_record(""), None);
    }
}
