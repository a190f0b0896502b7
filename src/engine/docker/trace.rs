//! BuildKit's own progress messages, made into the lines that Docker's programs print.
//!
//! They are Protocol Buffers (`moby.buildkit.v1.StatusResponse`). Only a handful of fields matter
//! here, so they are read by hand.

use std::collections::BTreeMap;

/// What has been seen of a running build.
#[derive(Debug, Default)]
pub struct Trace {
    vertices: BTreeMap<String, Vertex>,
    /// The step whose lines were printed last.
    current: usize,
}

#[derive(Debug, Default)]
struct Vertex {
    /// Its number in the output, from 1.
    number: usize,
    name: String,
    started: Option<f64>,
    ended: bool,
    /// Output without its line's end yet.
    rest: String,
}

/// A line of a build's output is held no longer than this, in bytes, while its end has not come.
const MAX_LINE: usize = 1 << 20;

/// A field of a message: its number and content.
enum Field<'a> {
    Number(u64, u64),
    Bytes(u64, &'a [u8]),
}

impl Trace {
    /// Reads a message and gives the lines it adds.
    pub fn read(&mut self, message: &[u8]) -> String {
        let mut out = String::new();
        for field in fields(message) {
            match field {
                Field::Bytes(1, bytes) => self.vertex(bytes, &mut out),
                Field::Bytes(3, bytes) => self.log(bytes, &mut out),
                _ => {}
            }
        }
        out
    }

    /// Begins a block of lines of a step.
    fn turn_to(&mut self, number: usize, name: &str, out: &mut String) {
        if self.current != number {
            if self.current != 0 {
                out.push('\n');
            }
            out.push_str(&format!("#{number} {name}\n"));
            self.current = number;
        }
    }

    fn vertex(&mut self, bytes: &[u8], out: &mut String) {
        let (mut digest, mut name, mut error) = (String::new(), String::new(), String::new());
        let (mut cached, mut started, mut completed) = (false, None, None);
        for field in fields(bytes) {
            match field {
                Field::Bytes(1, b) => digest = text(b),
                Field::Bytes(3, b) => name = text(b),
                Field::Number(4, n) => cached = n != 0,
                Field::Bytes(5, b) => started = Some(seconds(b)),
                Field::Bytes(6, b) => completed = Some(seconds(b)),
                Field::Bytes(7, b) => error = text(b),
                _ => {}
            }
        }
        let next = self.vertices.values().map(|v| v.number).max().unwrap_or(0) + 1;
        let vertex = self.vertices.entry(digest).or_default();
        if !name.is_empty() {
            vertex.name = name;
        }
        let begins = started.is_some() && vertex.started.is_none();
        if begins {
            vertex.started = started;
        }
        if vertex.number == 0 && (begins || cached) {
            vertex.number = next;
        }
        let ends = completed.is_some() && !vertex.ended && vertex.number != 0;
        vertex.ended |= ends;
        let (number, name) = (vertex.number, vertex.name.clone());
        let since = vertex.started;
        let rest = if ends {
            std::mem::take(&mut vertex.rest)
        } else {
            String::new()
        };
        if begins {
            self.turn_to(number, &name, out);
        }
        if ends {
            self.turn_to(number, &name, out);
            if !rest.is_empty() {
                out.push_str(&format!("#{number} {rest}\n"));
            }
            if !error.is_empty() {
                out.push_str(&format!("#{number} ERROR: {error}\n"));
            } else if cached {
                out.push_str(&format!("#{number} CACHED\n"));
            } else {
                let took = completed.unwrap_or(0.0) - since.or(completed).unwrap_or(0.0);
                out.push_str(&format!("#{number} DONE {took:.1}s\n"));
            }
        }
    }

    fn log(&mut self, bytes: &[u8], out: &mut String) {
        let (mut digest, mut at, mut message) = (String::new(), 0.0, String::new());
        for field in fields(bytes) {
            match field {
                Field::Bytes(1, b) => digest = text(b),
                Field::Bytes(2, b) => at = seconds(b),
                Field::Bytes(4, b) => message = text(b),
                _ => {}
            }
        }
        let Some(vertex) = self.vertices.get_mut(&digest) else {
            return;
        };
        let (number, name) = (vertex.number, vertex.name.clone());
        let elapsed = at - vertex.started.unwrap_or(at);
        let whole = std::mem::take(&mut vertex.rest) + &message;
        let (lines, rest) = match whole.rfind('\n') {
            Some(end) => (whole[..end].to_string(), whole[end + 1..].to_string()),
            // What goes on without a line's end is shown in pieces.
            None if whole.len() > MAX_LINE => (whole, String::new()),
            None => (String::new(), whole),
        };
        vertex.rest = rest;
        if lines.is_empty() && !message.contains('\n') {
            return;
        }
        self.turn_to(number, &name, out);
        for line in lines.lines() {
            out.push_str(&format!("#{number} {elapsed:.3} {line}\n"));
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A `google.protobuf.Timestamp` in seconds.
fn seconds(bytes: &[u8]) -> f64 {
    let mut total = 0.0;
    for field in fields(bytes) {
        match field {
            Field::Number(1, n) => total += n as f64,
            Field::Number(2, n) => total += n as f64 / 1e9,
            _ => {}
        }
    }
    total
}

/// The fields of a message, up to the first that makes no sense.
fn fields(mut bytes: &[u8]) -> impl Iterator<Item = Field<'_>> {
    std::iter::from_fn(move || {
        loop {
            let key = varint(&mut bytes)?;
            let (number, kind) = (key >> 3, key & 7);
            match kind {
                0 => return Some(Field::Number(number, varint(&mut bytes)?)),
                2 => {
                    let length = usize::try_from(varint(&mut bytes)?).ok()?;
                    let (content, rest) = bytes.split_at_checked(length)?;
                    bytes = rest;
                    return Some(Field::Bytes(number, content));
                }
                // Fixed widths: nothing of interest.
                1 => bytes = bytes.get(8..)?,
                5 => bytes = bytes.get(4..)?,
                _ => return None,
            }
        }
    })
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![number << 3 | 2, content.len() as u8];
        bytes.extend(content);
        bytes
    }

    fn time(seconds: u8) -> Vec<u8> {
        vec![8, seconds]
    }

    fn vertex(digest: &str, parts: &[(u8, &[u8])]) -> Vec<u8> {
        let mut inner = field(1, digest.as_bytes());
        for (number, content) in parts {
            inner.extend(field(*number, content));
        }
        field(1, &inner)
    }

    fn log(digest: &str, at: u8, message: &str) -> Vec<u8> {
        let mut inner = field(1, digest.as_bytes());
        inner.extend(field(2, &time(at)));
        inner.extend(field(4, message.as_bytes()));
        field(3, &inner)
    }

    #[test]
    fn a_build() {
        let mut trace = Trace::default();
        let mut text = String::new();
        text += &trace.read(&vertex("a", &[(3, b"FROM x")]));
        text += &trace.read(&vertex("a", &[(3, b"FROM x"), (5, &time(1))]));
        text += &trace.read(&vertex("b", &[(3, b"RUN y"), (5, &time(2))]));
        text += &trace.read(&log("b", 3, "hel"));
        text += &trace.read(&log("b", 3, "lo\nworld\nlast"));
        text += &trace.read(&vertex("a", &[(5, &time(1)), (6, &time(4))]));
        text += &trace.read(&vertex("b", &[(6, &time(5)), (7, b"exit code: 1")]));
        assert_eq!(
            text,
            "#1 FROM x\n\n#2 RUN y\n#2 1.000 hello\n#2 1.000 world\n\n#1 FROM x\n#1 DONE 3.0s\n\n#2 RUN y\n#2 last\n#2 ERROR: exit code: 1\n"
        );
    }

    #[test]
    fn cached_steps() {
        let mut trace = Trace::default();
        let mut inner = field(1, b"c");
        inner.extend(field(3, b"COPY"));
        inner.extend([4 << 3, 1]);
        inner.extend(field(5, &time(1)));
        inner.extend(field(6, &time(1)));
        assert_eq!(trace.read(&field(1, &inner)), "#1 COPY\n#1 CACHED\n");
    }

    #[test]
    fn nonsense_is_no_panic() {
        let mut trace = Trace::default();
        for length in 0..40u8 {
            let bytes: Vec<u8> = (0..length).map(|n| n.wrapping_mul(73) ^ 0x5a).collect();
            trace.read(&bytes);
        }
        assert_eq!(trace.read(&[0xff; 30]), "");
    }
}
