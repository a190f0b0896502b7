//! The files that are copied into a container, as its record keeps them: what they hold as digests.

use super::RECORDED_FILES;
use super::digest;
use crate::engine::request::{FileContent, Origin};
use crate::plan::Change;
use serde_json::{Value as Json, json};

/// By target; what the project does not give counts for nothing.
pub(super) fn recorded(files: &[FileContent]) -> Json {
    let given = files.iter().filter_map(|file| {
        let origin = file.origin.as_ref()?;
        let value = json!({
            "of": in_words(origin),
            "content": digest_of(file, origin),
            "mode": format!("{:04o}", file.mode),
            "owner": format!("{}:{}", file.uid, file.gid),
        });
        Some((file.path.clone(), value))
    });
    Json::Object(given.collect())
}

/// What of the files to copy is not what a container was made from. A record without any (of
/// another program, or an older one of ours) tells nothing.
pub fn changed_files(record: &Json, files: &[FileContent]) -> Vec<Change> {
    let Some(old) = record.get(RECORDED_FILES).and_then(Json::as_object) else {
        return Vec::new();
    };
    let new = recorded(files);
    let mut changes = Vec::new();
    for file in files {
        let Some(origin) = &file.origin else {
            continue;
        };
        let is = &new[&file.path];
        let change = |old: Option<&Json>, new: Option<&Json>, what: &str| Change {
            path: format!("{}{what}", in_words(origin)),
            old: old.cloned(),
            new: new.cloned(),
            what: None,
            span: Some(origin.span),
        };
        let told = |what: &'static str| Change {
            what: Some(what),
            ..change(None, None, "")
        };
        let Some(was) = old.get(&file.path) else {
            changes.push(told("is copied into the container now"));
            continue;
        };
        if was["content"] != is["content"] {
            changes.push(told("content changed"));
        }
        for what in ["mode", "owner"] {
            if was[what] != is[what] {
                changes.push(change(was.get(what), is.get(what), &format!(" {what}")));
            }
        }
    }
    for (target, was) in old {
        if files.iter().all(|file| file.path != *target) {
            let of = was["of"].as_str().unwrap_or(target);
            changes.push(Change {
                what: Some("is not copied into the container any more"),
                ..Change::of(of, None, None)
            });
        }
    }
    changes
}

fn in_words(origin: &Origin) -> String {
    format!("{} {}", origin.kind, origin.key)
}

/// Of the content with its name: two secrets that hold the same cannot be told by it.
fn digest_of(file: &FileContent, origin: &Origin) -> String {
    let name = format!("{}\0{}\0", in_words(origin), file.path);
    digest(&[name.as_bytes(), &file.bytes].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Span;

    fn file(content: &str, mode: u32) -> FileContent {
        FileContent {
            path: "/run/secrets/token".into(),
            mode,
            uid: 0,
            gid: 7,
            bytes: content.into(),
            origin: Some(Origin {
                kind: "secret",
                key: "token".into(),
                span: Span::default(),
            }),
        }
    }

    fn changed(old: &[FileContent], new: &[FileContent]) -> Vec<String> {
        let record = json!({ RECORDED_FILES: recorded(old) });
        let changes = changed_files(&record, new);
        changes.iter().map(Change::in_words).collect()
    }

    #[test]
    fn what_changed_of_a_file_is_named_and_its_content_never_shown() {
        let old = [file("hunter2", 0o400)];
        assert!(changed(&old, &old).is_empty());
        assert_eq!(
            changed(&old, &[file("hunter3", 0o440)]),
            [
                "secret token: content changed",
                "secret token mode: 0400 → 0440"
            ]
        );
        assert_eq!(
            changed(&old, &[]),
            ["secret token: is not copied into the container any more"]
        );
        assert_eq!(
            changed(&[], &old),
            ["secret token: is copied into the container now"]
        );
        assert!(!recorded(&old).to_string().contains("hunter2"));
    }

    #[test]
    fn a_record_without_files_tells_nothing() {
        assert!(changed_files(&json!({"image": "a"}), &[file("a", 0o400)]).is_empty());
    }
}
