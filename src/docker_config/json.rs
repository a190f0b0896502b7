//! A JSON object read entry by entry, so that what stands before a fault counts.

use serde_json::value::RawValue;

/// An entry of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'t> {
    pub key: String,
    /// The byte that the value begins at.
    pub value_at: usize,
    /// The value's text; `None` where the file ends in it, or it is broken.
    pub raw: Option<&'t str>,
}

/// What stands at a place.
#[derive(Debug, PartialEq, Eq)]
pub enum Object<'t> {
    /// Something else, here.
    None(usize),
    Some {
        entries: Vec<Entry<'t>>,
        /// Where it is broken, and how.
        fault: Option<(usize, String)>,
    },
}

/// Reads the object that begins at a byte.
pub fn object(text: &str, at: usize) -> Object<'_> {
    let mut reader = Reader { text, at };
    reader.space();
    if reader.peek() != Some(b'{') {
        return Object::None(reader.at);
    }
    reader.at += 1;
    let mut entries = Vec::new();
    let fault = reader.entries(&mut entries).err();
    Object::Some { entries, fault }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn entries(&mut self, entries: &mut Vec<Entry<'t>>) -> Result<(), (usize, String)> {
        self.space();
        if self.peek() == Some(b'}') {
            return Ok(());
        }
        loop {
            self.space();
            let key: String = self.next()?;
            self.space();
            self.expect(b":", "a colon")?;
            self.space();
            let value_at = self.at;
            let value: Result<&RawValue, _> = self.next();
            entries.push(Entry {
                key,
                value_at,
                raw: value.as_ref().ok().map(|raw| raw.get()),
            });
            value?;
            self.space();
            if self.expect(b",}", "a comma or a brace")? == b'}' {
                return Ok(());
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, signs: &[u8], what: &str) -> Result<u8, (usize, String)> {
        match self.peek() {
            Some(sign) if signs.contains(&sign) => {
                self.at += 1;
                Ok(sign)
            }
            Some(_) => Err((self.at, format!("{what} is missing"))),
            None => Err((self.at, "the file ends in the middle".to_owned())),
        }
    }

    /// The value that begins here.
    fn next<T: serde::Deserialize<'t>>(&mut self) -> Result<T, (usize, String)> {
        let rest = &self.text[self.at..];
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<T>();
        match values.next() {
            Some(Ok(value)) => {
                self.at += values.byte_offset();
                Ok(value)
            }
            Some(Err(error)) if !error.is_eof() => {
                let above: usize = rest
                    .split_inclusive('\n')
                    .take(error.line().saturating_sub(1))
                    .map(str::len)
                    .sum();
                let at = self.at + above + error.column().saturating_sub(1);
                Err((at.min(self.text.len()), "this is not JSON".to_owned()))
            }
            _ => Err((self.text.len(), "the file ends in the middle".to_owned())),
        }
    }
}
