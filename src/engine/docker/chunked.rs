//! The transfer coding of a streamed HTTP/1.1 body.

use std::io;

/// How a body's end is known.
#[derive(Debug)]
pub enum BodyDecoder {
    /// `Transfer-Encoding: chunked`.
    Chunked(Chunked),
    /// `Content-Length`: so many bytes are left.
    Length(u64),
    /// Up to the end of the connection.
    UntilClose,
}

impl BodyDecoder {
    /// Hands every piece of the body to `sink`.
    ///
    /// # Errors
    /// Bytes that are no such coding.
    pub fn push(&mut self, bytes: &[u8], mut sink: impl FnMut(&[u8])) -> io::Result<()> {
        match self {
            BodyDecoder::Chunked(chunked) => chunked.push(bytes, sink),
            BodyDecoder::Length(left) => {
                let part = usize::try_from(*left)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                *left -= part as u64;
                sink(&bytes[..part]);
                Ok(())
            }
            BodyDecoder::UntilClose => {
                sink(bytes);
                Ok(())
            }
        }
    }

    /// Whether the body is complete by its own account.
    pub fn is_done(&self) -> bool {
        match self {
            BodyDecoder::Chunked(chunked) => chunked.state == State::Done,
            BodyDecoder::Length(left) => *left == 0,
            BodyDecoder::UntilClose => false,
        }
    }

    /// Whether the connection may end here.
    pub fn may_end(&self) -> bool {
        matches!(self, BodyDecoder::UntilClose) || self.is_done()
    }
}

/// State of a chunked body.
#[derive(Debug)]
pub struct Chunked {
    state: State,
    /// Size of the chunk whose line is being read, or what is left of the one being read.
    size: u64,
    /// Digits of the size so far.
    digits: u32,
}

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum State {
    Size,
    /// Between the size and the end of its line.
    Extension,
    Data,
    /// The line end after a chunk.
    DataEnd,
    /// In the trailer, at the beginning of a line.
    TrailerStart,
    /// In the trailer, inside a line.
    Trailer,
    Done,
}

impl Default for Chunked {
    fn default() -> Self {
        Chunked {
            state: State::Size,
            size: 0,
            digits: 0,
        }
    }
}

impl Chunked {
    fn push(&mut self, mut bytes: &[u8], mut sink: impl FnMut(&[u8])) -> io::Result<()> {
        while let Some(&byte) = bytes.first() {
            match self.state {
                State::Data => {
                    let part = usize::try_from(self.size)
                        .unwrap_or(usize::MAX)
                        .min(bytes.len());
                    let (data, rest) = bytes.split_at(part);
                    sink(data);
                    bytes = rest;
                    self.size -= part as u64;
                    if self.size == 0 {
                        self.state = State::DataEnd;
                    }
                    continue;
                }
                State::Size => match (byte as char).to_digit(16) {
                    Some(digit) if self.digits < 15 => {
                        self.size = self.size * 16 + u64::from(digit);
                        self.digits += 1;
                    }
                    None if self.digits > 0 && matches!(byte, b';' | b' ' | b'\t' | b'\r') => {
                        self.state = State::Extension;
                    }
                    None if self.digits > 0 && byte == b'\n' => self.end_of_size(),
                    _ => return Err(malformed()),
                },
                State::Extension if byte == b'\n' => self.end_of_size(),
                State::Extension => {}
                State::DataEnd => match byte {
                    b'\r' => {}
                    b'\n' => self.state = State::Size,
                    _ => return Err(malformed()),
                },
                State::TrailerStart => match byte {
                    b'\r' => {}
                    b'\n' => self.state = State::Done,
                    _ => self.state = State::Trailer,
                },
                State::Trailer if byte == b'\n' => self.state = State::TrailerStart,
                State::Trailer => {}
                State::Done => return Ok(()),
            }
            bytes = &bytes[1..];
        }
        Ok(())
    }

    fn end_of_size(&mut self) {
        self.digits = 0;
        self.state = if self.size == 0 {
            State::TrailerStart
        } else {
            State::Data
        };
    }
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "malformed chunk of an answer")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &[u8], step: usize) -> io::Result<(Vec<u8>, bool)> {
        let mut decoder = BodyDecoder::Chunked(Chunked::default());
        let mut body = Vec::new();
        for part in text.chunks(step) {
            decoder.push(part, |b| body.extend_from_slice(b))?;
        }
        Ok((body, decoder.is_done()))
    }

    #[test]
    fn any_cut_gives_the_same() {
        let text =
            b"4\r\nWiki\r\n6;x=y\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\nTrail: er\r\n\r\n";
        for step in 1..=text.len() {
            let (body, done) = decode(text, step).unwrap();
            assert_eq!(body, b"Wikipedia in \r\n\r\nchunks.", "cut every {step}");
            assert!(done);
        }
    }

    #[test]
    fn an_early_end_shows() {
        let (_, done) = decode(b"4\r\nWi", 100).unwrap();
        assert!(!done);
        let (_, done) = decode(b"4\r\nWiki\r\n", 100).unwrap();
        assert!(!done);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            &b"xyz\r\n"[..],
            b"\r\n",
            b"4\r\nWikiX",
            b"ffffffffffffffffff\r\n",
        ] {
            assert!(decode(text, 100).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_known_length() {
        let mut decoder = BodyDecoder::Length(3);
        let mut body = Vec::new();
        decoder
            .push(b"abcdef", |b| body.extend_from_slice(b))
            .unwrap();
        assert_eq!(body, b"abc");
        assert!(decoder.is_done() && decoder.may_end());
        assert!(BodyDecoder::UntilClose.may_end());
    }
}
