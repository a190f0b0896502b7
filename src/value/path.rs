//! Paths as text, the same on every system: what stands in files means paths in containers too.

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

#[cfg(test)]
mod tests {
    use super::clean;

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
