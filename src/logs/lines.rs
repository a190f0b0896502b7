//! From chunks of bytes to lines, with or without the engine's times before them.

use crate::engine::OutputStream;
use memchr::memchr;
use std::io;

/// Whether the engine was asked to put its time before every message, and what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamps {
    None,
    /// Taken off, but remembered.
    Strip,
    /// Shown at the beginning of a line.
    Keep,
}

/// The engine cuts longer lines into messages of this size, each with its own time.
const MESSAGE: usize = 16 << 10;
/// A line that grows beyond this is broken, so that memory stays bounded.
const LONGEST_LINE: usize = 512 << 10;
/// No time is longer.
const LONGEST_STAMP: usize = 40;

/// Takes the lines out of one container's output.
#[derive(Debug)]
pub struct Splitter {
    stamps: Stamps,
    streams: [Line; 2],
}

/// The line that is being read from one of the two streams.
#[derive(Debug, Default)]
struct Line {
    text: Vec<u8>,
    /// The time at the message's beginning, as far as it was read.
    stamp: Vec<u8>,
    /// The time of the last message begun.
    last: Vec<u8>,
    /// Bytes of the message so far; `None` while its time is being read.
    message: Option<usize>,
    /// The time of the line is already in the text.
    has_stamp: bool,
    /// Messages of the last time so far, where times are whole seconds.
    same: usize,
    /// So many messages of the last time have been seen before.
    again: usize,
    /// The message being read is one of them.
    drops: bool,
}

impl Splitter {
    pub fn new(stamps: Stamps) -> Self {
        Splitter {
            stamps,
            streams: [Line::default(), Line::default()],
        }
    }

    /// Takes bytes in and gives every line they complete, without its line feed.
    pub fn push(
        &mut self,
        stream: OutputStream,
        bytes: &[u8],
        emit: &mut impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let line = &mut self.streams[usize::from(stream == OutputStream::Stderr)];
        match self.stamps {
            Stamps::None => line.push(bytes, emit),
            stamps => line.push_stamped(bytes, stamps == Stamps::Keep, emit),
        }
    }

    /// Gives what has come without a line feed, and begins anew.
    pub fn finish(
        &mut self,
        emit: &mut impl FnMut(OutputStream, &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let both = [OutputStream::Stdout, OutputStream::Stderr];
        for (stream, line) in both.into_iter().zip(&mut self.streams) {
            let rest = std::mem::take(&mut line.stamp);
            line.text.extend_from_slice(&rest);
            line.message = None;
            line.has_stamp = false;
            line.drops = false;
            if !line.text.is_empty() {
                emit(stream, &line.text)?;
                line.text = Vec::new();
            }
        }
        Ok(())
    }

    /// The output is read again, from the time that this gives; `None` where the time of the newest
    /// message says exactly what has been seen. Podman's times are whole seconds: what has been seen
    /// of the last one is dropped when it comes again.
    pub fn read_again(&mut self) -> Option<i64> {
        let newest = self.newest()?;
        let last = |line: &Line| (line.time() == Some(newest)).then(|| is_coarse(&line.last));
        if !self.streams.iter().filter_map(last).any(|coarse| coarse) {
            return None;
        }
        for line in &mut self.streams {
            let is_last = line.time() == Some(newest);
            line.again = if is_last { line.same } else { 0 };
        }
        Some(newest)
    }

    /// The time of the newest message seen, in nanoseconds since the epoch.
    pub fn newest(&self) -> Option<i64> {
        self.streams.iter().filter_map(Line::time).max()
    }
}

impl Line {
    /// The time of the last message begun.
    fn time(&self) -> Option<i64> {
        let text = std::str::from_utf8(&self.last).ok()?;
        let time: jiff::Timestamp = text.parse().ok()?;
        i64::try_from(time.as_nanosecond()).ok()
    }

    fn push(
        &mut self,
        mut bytes: &[u8],
        emit: &mut impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        while let Some(end) = memchr(b'\n', bytes) {
            self.complete(&bytes[..end], emit)?;
            bytes = &bytes[end + 1..];
        }
        self.keep(bytes, emit)
    }

    /// The line ends with these bytes.
    fn complete(
        &mut self,
        bytes: &[u8],
        emit: &mut impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        self.has_stamp = false;
        if self.text.is_empty() {
            return emit(bytes);
        }
        self.text.extend_from_slice(bytes);
        let result = emit(&self.text);
        self.text.clear();
        result
    }

    /// The line goes on after these bytes.
    fn keep(
        &mut self,
        bytes: &[u8],
        emit: &mut impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        self.text.extend_from_slice(bytes);
        if self.text.len() > LONGEST_LINE {
            emit(&self.text)?;
            self.text.clear();
        }
        Ok(())
    }

    fn push_stamped(
        &mut self,
        mut bytes: &[u8],
        keeps: bool,
        emit: &mut impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        while !bytes.is_empty() {
            let Some(read) = self.message else {
                bytes = self.read_stamp(bytes, keeps);
                continue;
            };
            let room = MESSAGE - read;
            let part = &bytes[..bytes.len().min(room)];
            match memchr(b'\n', &bytes[..bytes.len().min(room + 1)]) {
                Some(end) => {
                    if !std::mem::take(&mut self.drops) {
                        self.complete(&bytes[..end], emit)?;
                    }
                    bytes = &bytes[end + 1..];
                    self.message = None;
                }
                None => {
                    if !self.drops {
                        self.keep(part, emit)?;
                    }
                    bytes = &bytes[part.len()..];
                    // After a full message the next one begins, with its own time.
                    self.message = (part.len() < room).then_some(read + part.len());
                }
            }
        }
        Ok(())
    }

    /// Reads the time that a message begins with, and gives the bytes after it.
    fn read_stamp<'a>(&mut self, bytes: &'a [u8], keeps: bool) -> &'a [u8] {
        let searched = &bytes[..bytes.len().min(LONGEST_STAMP)];
        let end = memchr(b' ', searched);
        let taken = end.unwrap_or(searched.len());
        self.stamp.extend_from_slice(&searched[..taken]);
        if end.is_none() && self.stamp.len() < LONGEST_STAMP {
            return &bytes[taken..];
        }
        self.message = Some(0);
        if end.is_none() || !is_stamp(&self.stamp) {
            // No time after all: it belongs to the line.
            self.message = Some(self.stamp.len());
            self.text.append(&mut self.stamp);
            return &bytes[taken..];
        }
        let is_same = self.last == self.stamp;
        std::mem::swap(&mut self.last, &mut self.stamp);
        self.stamp.clear();
        self.drops = is_same && self.again > 0;
        if self.drops {
            self.again -= 1;
            return &bytes[taken + 1..];
        }
        self.again = 0;
        self.same = if is_same { self.same + 1 } else { 1 };
        if keeps && !self.has_stamp {
            self.text.extend_from_slice(&self.last);
            self.text.push(b' ');
        }
        self.has_stamp = true;
        &bytes[taken + 1..]
    }
}

/// Whether a time is no more exact than a second.
fn is_coarse(stamp: &[u8]) -> bool {
    !stamp.contains(&b'.')
}

/// `2026-11-21T10:15:29.939104044Z`, roughly.
fn is_stamp(bytes: &[u8]) -> bool {
    bytes.len() >= 20
        && bytes[..4].iter().all(u8::is_ascii_digit)
        && (bytes[4], bytes[7], bytes[10], bytes[13]) == (b'-', b'-', b'T', b':')
}

#[cfg(test)]
mod tests {
    use super::*;
    use OutputStream::{Stderr, Stdout};

    const A: &str = "2026-11-21T10:00:00.000000001Z";
    const B: &str = "2026-11-21T10:00:00.000000002Z";

    /// The lines, with the input cut into pieces of every size.
    fn lines(stamps: Stamps, input: &[(OutputStream, &str)]) -> Vec<String> {
        let mut first = None;
        for size in [1, 2, 3, 7, 31, 32, 100, 16_384, 1 << 20] {
            let mut splitter = Splitter::new(stamps);
            let mut found = Vec::new();
            let mut emit = |line: &[u8]| {
                found.push(String::from_utf8(line.to_vec()).unwrap());
                Ok(())
            };
            for (stream, text) in input {
                for piece in text.as_bytes().chunks(size) {
                    splitter.push(*stream, piece, &mut emit).unwrap();
                }
            }
            splitter.finish(&mut |_, line| emit(line)).unwrap();
            let first = first.get_or_insert_with(|| found.clone());
            assert_eq!(*first, found, "in pieces of {size}");
        }
        first.unwrap()
    }

    #[test]
    fn of_whole_seconds_nothing_is_shown_twice_or_lost() {
        let mut splitter = Splitter::new(Stamps::Strip);
        let mut found = Vec::new();
        let mut read = |splitter: &mut Splitter, lines: &[&str]| {
            for line in lines {
                let text = format!("2026-11-21T10:00:{line}\n");
                let mut emit = |line: &[u8]| {
                    found.push(String::from_utf8(line.to_vec()).unwrap());
                    Ok(())
                };
                splitter.push(Stdout, text.as_bytes(), &mut emit).unwrap();
            }
            splitter.finish(&mut |_, _| Ok(())).unwrap();
        };
        read(&mut splitter, &["01Z a", "02Z b", "02Z b"]);
        let from = splitter.read_again().expect("whole seconds");
        assert_eq!(from % 60_000_000_000, 2_000_000_000);
        // Twice seen, once new.
        read(&mut splitter, &["02Z b", "02Z b", "02Z b", "03Z c"]);
        assert!(splitter.read_again().is_some());
        read(&mut splitter, &["03Z c"]);
        assert!(splitter.read_again().is_some());
        // What is gone from the log is waited for in vain.
        read(&mut splitter, &["04Z d", "03Z e"]);
        assert_eq!(found, ["a", "b", "b", "b", "c", "d", "e"]);

        let mut exact = Splitter::new(Stamps::Strip);
        let text = format!("{A} a\n");
        exact
            .push(Stdout, text.as_bytes(), &mut |_| Ok(()))
            .unwrap();
        assert_eq!(exact.read_again(), None);
    }

    #[test]
    fn the_streams_do_not_mix_within_a_line() {
        let input = [
            (Stdout, "one\ntw"),
            (Stderr, "err\nor"),
            (Stdout, "o\n\nthr"),
        ];
        assert_eq!(
            lines(Stamps::None, &input),
            ["one", "err", "two", "", "thr", "or"]
        );
    }

    #[test]
    fn times_come_off_or_stay() {
        let text = format!("{A} one\n{B} \n{B} two words\n");
        let input = [(Stdout, text.as_str())];
        assert_eq!(lines(Stamps::Strip, &input), ["one", "", "two words"]);
        let kept = [
            format!("{A} one"),
            format!("{B} "),
            format!("{B} two words"),
        ];
        assert_eq!(lines(Stamps::Keep, &input), kept);
    }

    #[test]
    fn a_long_line_comes_in_messages_with_a_time_each() {
        let long = "x".repeat(MESSAGE);
        let text = format!("{A} {long}{B} {long}{B} end\n{B} {long}{B} \n{B} next\n");
        assert_eq!(
            lines(Stamps::Strip, &[(Stdout, &text)]),
            [format!("{long}{long}end"), long.clone(), "next".into()]
        );
        assert_eq!(
            lines(Stamps::Keep, &[(Stdout, &text)])[0],
            format!("{A} {long}{long}end")
        );
        // Without a second time, words are words.
        let text = format!("{A} {long}more and more\n");
        assert_eq!(
            lines(Stamps::Strip, &[(Stdout, &text)]),
            [format!("{long}more and more")]
        );
    }

    #[test]
    fn the_newest_time_is_known() {
        let mut splitter = Splitter::new(Stamps::Strip);
        assert_eq!(splitter.newest(), None);
        let mut emit = |_: &[u8]| Ok(());
        splitter
            .push(Stderr, format!("{B} x\n").as_bytes(), &mut emit)
            .unwrap();
        splitter
            .push(Stdout, format!("{A} y\n").as_bytes(), &mut emit)
            .unwrap();
        assert_eq!(splitter.newest().map(|t| t % 1000), Some(2));
    }

    #[test]
    fn an_endless_line_does_not_eat_the_memory() {
        let mut splitter = Splitter::new(Stamps::None);
        let (mut pieces, mut sum) = (0, 0);
        for _ in 0..64 {
            let mut emit = |line: &[u8]| {
                pieces += 1;
                sum += line.len();
                Ok(())
            };
            splitter.push(Stdout, &[b'x'; 32 << 10], &mut emit).unwrap();
        }
        assert!(pieces >= 3 && sum >= 3 * LONGEST_LINE, "{pieces} {sum}");
    }
}
