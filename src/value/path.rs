//! Paths as text, the same on every system: what stands in files means paths in containers too.

use std::fmt::Write;
use std::path::Path;

/// The shortest path that means the same, by the text alone: Go's `path.Clean`.
pub fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&last) if last != ".." => {
                    parts.pop();
                }
                _ if rooted => {}
                _ => parts.push(".."),
            },
            _ => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

/// A path as text for labels: two paths never have the same one. Bytes that are no UTF-8 are spelled
/// out, as in `a\xff`.
pub fn spelled(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn bytes_are_spelled_out() {
        use std::os::unix::ffi::OsStrExt;
        for (bytes, text) in [
            (&b"/srv/caf\xe9/x"[..], "/srv/caf\\xe9/x"),
            ("/srv/café".as_bytes(), "/srv/café"),
        ] {
            let path = Path::new(std::ffi::OsStr::from_bytes(bytes));
            assert_eq!(spelled(path), text);
        }
    }

    #[test]
    fn paths_become_short() {
        let table = [
            ("/a/", "/a"),
            ("/a//b/./c/..", "/a/b"),
            ("/../a", "/a"),
            ("/", "/"),
            ("a/../..", ".."),
            ("../../a", "../../a"),
            ("", "."),
            ("./a", "a"),
        ];
        for (path, cleaned) in table {
            assert_eq!(clean(path), cleaned, "{path}");
        }
    }
}
