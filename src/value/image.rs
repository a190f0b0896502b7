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

    /// The full form of what a user wrote: registry and path written out, `latest` where nothing is
    /// said; a tag beside a digest is dropped, as it says nothing.
    ///
    /// # Errors
    /// What no registry can have, in the words of Docker's own grammar.
    pub fn canonical(text: &str) -> Result<Self, &'static str> {
        let mut found = Reference::parse(text);
        if is_hex(text, 64) {
            return Err("an image id names no image of a registry");
        }
        let (host, path) = found.name.split_once('/').unwrap_or(("", &found.name));
        if path.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err("invalid reference format: repository name must be lowercase");
        }
        let is_valid = is_host(host)
            && found.name.len() <= 255
            && path.split('/').all(is_component)
            && found.tag.as_deref().is_none_or(is_tag)
            && found.digest.as_deref().is_none_or(is_digest);
        if !is_valid {
            return Err("invalid reference format");
        }
        if found.digest.is_some() {
            found.tag = None;
        }
        Ok(found)
    }

    /// The name under which the engine keeps and lists it: the public registry and its `library/`
    /// are left out, and a tag beside a digest.
    pub fn familiar(&self) -> String {
        let public = self.name.strip_prefix("docker.io/");
        let mut name = match public {
            Some(path) => path.strip_prefix("library/").unwrap_or(path).to_owned(),
            None => self.name.clone(),
        };
        match (&self.tag, &self.digest) {
            (_, Some(digest)) => name.extend(["@", digest]),
            (Some(tag), None) => name.extend([":", tag]),
            (None, None) => {}
        }
        name
    }

    /// Whether two texts name one image.
    pub fn is_same(a: &str, b: &str) -> bool {
        a == b || Reference::parse(a).familiar() == Reference::parse(b).familiar()
    }

    /// The registry's host.
    pub fn registry(&self) -> &str {
        self.name.split('/').next().unwrap_or(PUBLIC)
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
}

/// A name or an address, with or without a port.
fn is_host(host: &str) -> bool {
    let is_port = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if let Some(rest) = host.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else {
            return false;
        };
        let is_address = |b: u8| b.is_ascii_hexdigit() || b == b':';
        return address.bytes().all(is_address)
            && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
    }
    let (name, port) = match host.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    };
    let is_label = |label: &str| {
        let ends = [label.bytes().next(), label.bytes().last()];
        ends.iter()
            .all(|b| b.is_some_and(|b| b.is_ascii_alphanumeric()))
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    name.split('.').all(is_label) && port.is_none_or(is_port)
}

/// A part of a path: words of small letters and digits, joined by `.`, `_`, `__` or hyphens.
fn is_component(part: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = part.as_bytes();
    let joins =
        |run: &[u8]| matches!(run, [] | b"." | b"_" | b"__") || run.iter().all(|b| *b == b'-');
    bytes.first().is_some_and(|b| is_word(*b))
        && bytes.last().is_some_and(|b| is_word(*b))
        && bytes.split(|b| is_word(*b)).all(joins)
}

fn is_tag(tag: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= 128
        && tag.bytes().next().is_some_and(is_word)
        && tag.bytes().all(|b| is_word(b) || b == b'.' || b == b'-')
}

/// `sha256:` and its 64 digits, or the like.
pub fn is_digest(digest: &str) -> bool {
    let Some((algorithm, hex)) = digest.split_once(':') else {
        return false;
    };
    match algorithm {
        "sha256" => is_hex(hex, 64),
        "sha384" => is_hex(hex, 96),
        "sha512" => is_hex(hex, 128),
        _ => false,
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
    // The public registry has an older name, too.
    let path = match path.strip_prefix("index.docker.io/") {
        Some(short) => format!("{PUBLIC}/{short}"),
        None => path,
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
            ("docker.io/nginx", "nginx"),
            ("index.docker.io/nginx:1", "docker.io/library/nginx:1"),
            ("index.docker.io/me/app", "me/app:latest"),
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
    fn the_engine_lists_familiar_names() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        let pinned = format!("nginx@{digest}");
        for (text, expected) in [
            ("nginx", "nginx:latest"),
            ("docker.io/library/nginx:1", "nginx:1"),
            ("docker.io/nginx", "nginx:latest"),
            ("index.docker.io/library/nginx:1", "nginx:1"),
            ("docker.io/me/app", "me/app:latest"),
            ("library/nginx:1", "nginx:1"),
            (
                "localhost:5000/library/app",
                "localhost:5000/library/app:latest",
            ),
            ("localhost/app:1", "localhost/app:1"),
            ("reg.example/a/b:2", "reg.example/a/b:2"),
            (&pinned, &pinned),
            (&format!("docker.io/library/nginx:1@{digest}"), &pinned),
        ] {
            assert_eq!(Reference::parse(text).familiar(), expected, "{text}");
            assert!(Reference::is_same(text, expected), "{text}");
        }
        for (a, b) in [
            ("nginx:1", "nginx:2"),
            ("nginx", "localhost/nginx"),
            ("nginx:1", &pinned),
        ] {
            assert!(!Reference::is_same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn canonical_forms() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        let pinned = format!("docker.io/library/nginx@{digest}");
        for (text, expected) in [
            ("nginx", "docker.io/library/nginx:latest"),
            ("me/app:1.0-rc_1", "docker.io/me/app:1.0-rc_1"),
            (
                "localhost:5000/a__b/c--d",
                "localhost:5000/a__b/c--d:latest",
            ),
            (format!("nginx:1@{digest}").as_str(), pinned.as_str()),
        ] {
            let found = Reference::canonical(text).map(|r| r.to_string());
            assert_eq!(found.as_deref(), Ok(expected), "{text}");
        }
        for text in [
            "",
            "Nginx",
            "a//b",
            "a:",
            "a:-x",
            "a_-b",
            "-a",
            "a@sha256:01",
            "a b",
            "${IMAGE}",
            "a?b",
            "../a",
            &"0a".repeat(32),
        ] {
            assert!(Reference::canonical(text).is_err(), "{text}");
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
