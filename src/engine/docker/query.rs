//! Targets with query parameters.

/// Puts a target together, escaping the values.
pub struct Query(String);

impl Query {
    pub fn new(path: &str) -> Self {
        Query(path.to_string())
    }

    #[must_use]
    pub fn add(mut self, key: &str, value: &str) -> Self {
        self.0.push(if self.0.contains('?') { '&' } else { '?' });
        self.0.push_str(key);
        self.0.push('=');
        escape(value, &mut self.0);
        self
    }

    #[must_use]
    pub fn add_some(self, key: &str, value: Option<&str>) -> Self {
        match value.filter(|v| !v.is_empty()) {
            Some(value) => self.add(key, value),
            None => self,
        }
    }

    pub fn finish(self) -> String {
        self.0
    }
}

/// Percent-encodes all but the characters that mean themselves everywhere (RFC 3986, 2.3).
pub fn escape(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(byte as char);
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped() {
        let target = Query::new("/a")
            .add("name", "x y/é&")
            .add_some("none", None)
            .add("n", "1")
            .finish();
        assert_eq!(target, "/a?name=x%20y%2F%C3%A9%26&n=1");
    }
}
