//! Image references.

/// An image reference taken apart: `registry/path:tag@digest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Registry and path in full form: the public registry and its `library/` are written out.
    pub name: String,
    /// `latest` where neither tag nor digest is given.
    pub tag: Option<String>,
    pub digest: Option<String>,
}

const PUBLIC: &str = "docker.io";

impl Reference {
    /// Takes apart what a file or the engine says; never fails (the engine judges syntax).
    pub fn parse(text: &str) -> Self {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.to_owned())),
            None => (text, None),
        };
        let after_slash = rest.rfind('/').map_or(0, |i| i + 1);
        let (path, tag) = match rest[after_slash..].find(':') {
            Some(colon) => (
                &rest[..after_slash + colon],
                Some(rest[after_slash + colon + 1..].to_owned()),
            ),
            None => (rest, None),
        };
        let tag = match (&tag, &digest) {
            (None, None) => Some("latest".to_owned()),
            _ => tag,
        };
        Reference {
            name: full_name(path),
            tag,
            digest,
        }
    }

    /// Whether it names content (by digest, or by an image id) rather than a tag.
    pub fn is_digest(&self) -> bool {
        let last = self.name.rsplit('/').next().unwrap_or(&self.name);
        self.digest.is_some()
            || last == "sha256"
            || (last.len() == 64 && last.bytes().all(|b| b.is_ascii_hexdigit()))
    }

    /// Whether a tag of the engine's list is this one.
    pub fn matches(&self, listed: &str) -> bool {
        let other = Reference::parse(listed);
        self.name == other.name && self.tag == other.tag
    }

    /// The registry's host.
    pub fn registry(&self) -> &str {
        self.name.split('/').next().unwrap_or(PUBLIC)
    }
}

fn full_name(path: &str) -> String {
    let has_host = path.split_once('/').is_some_and(|(first, _)| {
        first.contains('.')
            || first.contains(':')
            || first == "localhost"
            || first.bytes().any(|b| b.is_ascii_uppercase())
    });
    let path = if has_host {
        path.to_owned()
    } else {
        format!("{PUBLIC}/{path}")
    };
    match path.strip_prefix("docker.io/") {
        Some(short) if !short.contains('/') => format!("{PUBLIC}/library/{short}"),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn familiar_and_full_names_are_one() {
        for (a, b) in [
            ("nginx", "nginx:latest"),
            ("docker.io/library/nginx", "nginx:latest"),
            ("docker.io/me/app:1", "me/app:1"),
            ("localhost:5000/app", "localhost:5000/app:latest"),
            ("reg.example/a/b:2", "reg.example/a/b:2"),
        ] {
            assert!(Reference::parse(a).matches(b), "{a} {b}");
        }
        for (a, b) in [("nginx:1", "nginx:2"), ("me/nginx", "nginx:latest")] {
            assert!(!Reference::parse(a).matches(b), "{a} {b}");
        }
    }

    #[test]
    fn digests() {
        let r = Reference::parse("nginx@sha256:00ff");
        assert!(r.is_digest());
        assert_eq!(r.digest.as_deref(), Some("sha256:00ff"));
        assert!(Reference::parse("sha256:00ff").is_digest());
        assert!(!Reference::parse("nginx:1").is_digest());
        assert_eq!(Reference::parse("nginx").registry(), "docker.io");
        assert_eq!(
            Reference::parse("localhost:5000/x").registry(),
            "localhost:5000"
        );
    }
}
