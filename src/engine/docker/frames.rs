//! The engine's framing of a container's output: 8 bytes of header (stream, three zeros, length
//! big-endian), then that many bytes. A terminal's output comes bare.

use crate::engine::{OutputChunk, OutputStream};

/// Takes frames apart, however the bytes are cut. Neighbouring frames of one stream come out as
/// one chunk, so that a container's many short lines cost little.
#[derive(Debug)]
pub struct FrameDecoder {
    /// No frames at all.
    bare: bool,
    header: [u8; 8],
    /// Bytes of the header so far.
    filled: usize,
    stream: OutputStream,
    /// Bytes of the payload still to come.
    left: usize,
}

impl FrameDecoder {
    /// `bare` is for a terminal's output.
    pub fn new(bare: bool) -> Self {
        FrameDecoder {
            bare,
            header: [0; 8],
            filled: 0,
            stream: OutputStream::Stdout,
            left: 0,
        }
    }

    /// Whether the bytes so far end between two frames.
    pub fn is_between_frames(&self) -> bool {
        self.filled == 0 && self.left == 0
    }

    pub fn push(&mut self, mut bytes: &[u8], out: &mut Vec<OutputChunk>) {
        if self.bare {
            append(out, OutputStream::Stdout, bytes);
            return;
        }
        while !bytes.is_empty() {
            if self.left > 0 {
                let (payload, rest) = bytes.split_at(self.left.min(bytes.len()));
                append(out, self.stream, payload);
                self.left -= payload.len();
                bytes = rest;
                continue;
            }
            let (part, rest) = bytes.split_at((8 - self.filled).min(bytes.len()));
            self.header[self.filled..self.filled + part.len()].copy_from_slice(part);
            self.filled += part.len();
            bytes = rest;
            if self.filled == 8 {
                self.filled = 0;
                let [kind, _, _, _, length @ ..] = self.header;
                self.left = u32::from_be_bytes(length) as usize;
                // 3 is the engine's own error text.
                self.stream = match kind {
                    2 | 3 => OutputStream::Stderr,
                    _ => OutputStream::Stdout,
                };
            }
        }
    }
}

/// Chunks do not grow beyond this, so that a reader's memory stays bounded.
const CHUNK: usize = 32 << 10;

fn append(out: &mut Vec<OutputChunk>, stream: OutputStream, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    match out.last_mut() {
        Some(last) if last.stream == stream && last.bytes.len() + bytes.len() <= CHUNK => {
            last.bytes.extend_from_slice(bytes);
        }
        _ => out.push(OutputChunk {
            stream,
            bytes: bytes.to_vec(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use OutputStream::{Stderr, Stdout};

    fn frame(kind: u8, text: &str) -> Vec<u8> {
        let mut bytes = vec![kind, 0, 0, 0];
        bytes.extend((text.len() as u32).to_be_bytes());
        bytes.extend(text.as_bytes());
        bytes
    }

    fn texts(chunks: &[OutputChunk]) -> Vec<(OutputStream, String)> {
        let mut all: Vec<(OutputStream, String)> = Vec::new();
        for chunk in chunks {
            let text = String::from_utf8(chunk.bytes.clone()).unwrap();
            match all.last_mut() {
                Some((stream, last)) if *stream == chunk.stream => last.push_str(&text),
                _ => all.push((chunk.stream, text)),
            }
        }
        all
    }

    #[test]
    fn any_cut_gives_the_same() {
        let mut bytes = frame(1, "one\n");
        bytes.extend(frame(1, "two\n"));
        bytes.extend(frame(2, "oh\n"));
        bytes.extend(frame(1, ""));
        bytes.extend(frame(1, "three"));
        let expected = vec![
            (Stdout, "one\ntwo\n".to_string()),
            (Stderr, "oh\n".to_string()),
            (Stdout, "three".to_string()),
        ];
        for step in 1..=bytes.len() {
            let mut decoder = FrameDecoder::new(false);
            let mut out = Vec::new();
            for part in bytes.chunks(step) {
                decoder.push(part, &mut out);
            }
            assert_eq!(texts(&out), expected, "cut every {step}");
            assert!(decoder.is_between_frames());
        }
    }

    #[test]
    fn a_terminal_has_no_frames() {
        let mut decoder = FrameDecoder::new(true);
        let mut out = Vec::new();
        decoder.push(b"\x01\x02prompt$ ", &mut out);
        assert_eq!(texts(&out), [(Stdout, "\u{1}\u{2}prompt$ ".to_string())]);
    }

    #[test]
    fn a_cut_frame_shows() {
        let mut decoder = FrameDecoder::new(false);
        let bytes = frame(1, "lost");
        decoder.push(&bytes[..10], &mut Vec::new());
        assert!(!decoder.is_between_frames());
    }

    #[test]
    fn chunks_are_bounded() {
        let mut decoder = FrameDecoder::new(false);
        let mut out = Vec::new();
        for _ in 0..100 {
            decoder.push(&frame(1, &"x".repeat(1000)), &mut out);
        }
        assert!(out.iter().all(|c| c.bytes.len() <= CHUNK));
        assert_eq!(out.iter().map(|c| c.bytes.len()).sum::<usize>(), 100_000);
    }
}
