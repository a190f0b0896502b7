//! The keys that leave a process in a container alone (`ctrl-p,ctrl-q`), and how they are found in
//! what is typed.

/// The engine's own default.
pub const DEFAULT: &str = "ctrl-p,ctrl-q";

/// Keys pressed one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetachKeys {
    /// As they are written, for the engine.
    text: String,
    codes: Vec<u8>,
}

/// A text that names no keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid detach keys ({keys}): Unknown character: '{part}'")]
pub struct InvalidKeys {
    pub keys: String,
    pub part: String,
}

impl Default for DetachKeys {
    fn default() -> Self {
        DetachKeys {
            text: DEFAULT.to_owned(),
            codes: vec![0x10, 0x11],
        }
    }
}

impl DetachKeys {
    /// Reads keys between commas: a character, or `ctrl-` and a letter or one of `@[\]^_`.
    ///
    /// # Errors
    /// Where a part is no key.
    pub fn parse(text: &str) -> Result<Self, InvalidKeys> {
        let code = |part: &str| match part.as_bytes() {
            &[byte] => Some(byte),
            [b'c', b't', b'r', b'l', b'-', key] => match key {
                b'a'..=b'z' => Some(key - b'a' + 1),
                b'@' => Some(0),
                b'['..=b'_' => Some(key - b'[' + 27),
                _ => None,
            },
            _ => None,
        };
        let codes = text.split(',').map(|part| {
            code(part).ok_or_else(|| InvalidKeys {
                keys: text.to_owned(),
                part: part.to_owned(),
            })
        });
        Ok(DetachKeys {
            text: text.to_owned(),
            codes: codes.collect::<Result<_, _>>()?,
        })
    }

    /// As they are written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Looks for the keys in what is typed, however that is cut.
#[derive(Debug)]
pub struct Detector {
    codes: Vec<u8>,
    /// So many of them have come.
    matched: usize,
}

impl Detector {
    pub fn new(keys: &DetachKeys) -> Self {
        Detector {
            codes: keys.codes.clone(),
            matched: 0,
        }
    }

    /// Gives what to pass on. What may turn out to be the keys is held back; `true` says that they
    /// have come, and nothing after them counts.
    pub fn push(&mut self, bytes: &[u8]) -> (Vec<u8>, bool) {
        let mut pass = Vec::with_capacity(bytes.len());
        for &byte in bytes {
            while self.matched > 0 && byte != self.codes[self.matched] {
                self.fall_back(&mut pass);
            }
            if byte != self.codes[self.matched] {
                pass.push(byte);
                continue;
            }
            self.matched += 1;
            if self.matched == self.codes.len() {
                self.matched = 0;
                return (pass, true);
            }
        }
        (pass, false)
    }

    /// What was held back, where no more is typed.
    pub fn end(&mut self) -> Vec<u8> {
        let held = self.codes[..self.matched].to_vec();
        self.matched = 0;
        held
    }

    /// The first of the held keys is none of them after all.
    fn fall_back(&mut self, pass: &mut Vec<u8>) {
        let before = self.matched;
        let held = &self.codes[..before];
        // The longest beginning of the keys that the held ones end with.
        let shorter = (1..before).find(|at| self.codes.starts_with(&held[*at..]));
        self.matched = shorter.map_or(0, |at| before - at);
        pass.extend_from_slice(&held[..before - self.matched]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_docker_reads_them() {
        for (text, codes) in [
            ("ctrl-p,ctrl-q", Some(&[16, 17][..])),
            ("a", Some(b"a")),
            ("a,b,ctrl-a", Some(&[b'a', b'b', 1])),
            (
                "ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_",
                Some(&[0, 27, 28, 29, 30, 31]),
            ),
            ("aaa", None),
            ("ctrl-A", None),
            ("ctrl-", None),
            ("a,,b", None),
            ("", None),
            ("é", None),
        ] {
            let parsed = DetachKeys::parse(text).ok();
            assert_eq!(parsed.as_ref().map(|k| &k.codes[..]), codes, "{text}");
        }
        assert_eq!(DetachKeys::parse(DEFAULT), Ok(DetachKeys::default()));
        assert_eq!(
            DetachKeys::parse("aaa").unwrap_err().to_string(),
            "invalid detach keys (aaa): Unknown character: 'aaa'"
        );
    }

    #[test]
    fn what_is_typed_arrives_but_for_the_keys() {
        let table = [
            ("ctrl-p,ctrl-q", "ls\n", "ls\n", false),
            ("ctrl-p,ctrl-q", "l\u{10}s", "l\u{10}s", false),
            ("ctrl-p,ctrl-q", "l\u{10}\u{11}s", "l", true),
            ("ctrl-p,ctrl-q", "\u{10}\u{10}\u{11}", "\u{10}", true),
            ("ctrl-p,ctrl-q", "x\u{10}", "x\u{10}", false),
            ("a,a,b", "aaab", "a", true),
            ("a,b,a,c", "ababac", "ab", true),
            ("a,b,a,c", "abab", "abab", false),
            ("q", "q", "", true),
        ];
        for (keys, typed, passed, detached) in table {
            let keys = DetachKeys::parse(keys).unwrap();
            for step in 1..=typed.len() {
                let mut detector = Detector::new(&keys);
                let mut got = Vec::new();
                let mut is_over = false;
                for part in typed.as_bytes().chunks(step) {
                    let (pass, over) = detector.push(part);
                    got.extend(pass);
                    is_over |= over;
                    if over {
                        break;
                    }
                }
                got.extend(detector.end());
                assert_eq!(got, passed.as_bytes(), "{typed:?} cut every {step}");
                assert_eq!(is_over, detached, "{typed:?} cut every {step}");
            }
        }
    }
}
