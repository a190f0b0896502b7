//! From chunks of bytes to lines, with or without the engine's times before them.
//!
//! A line of any length stays one line. What is longer than [`LONGEST_LINE`] is passed on in
//! [pieces](Piece) as it comes, so that memory stays bounded. What the container writes to its other
//! stream meanwhile waits for the line's end; where that becomes too much, the line is broken.

mod line;

use crate::engine::OutputStream;
use line::Line;
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

/// A line that grows beyond this is passed on in pieces, so that memory stays bounded.
const LONGEST_LINE: usize = 512 << 10;

/// A line without its line feed, or a piece of one that is too long to be kept whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    pub text: &'a [u8],
    /// It goes on a line whose beginning was passed on before.
    pub goes_on: bool,
    /// The line ends here.
    pub is_end: bool,
}

impl<'a> Piece<'a> {
    /// A whole line.
    pub fn line(text: &'a [u8]) -> Self {
        Piece {
            text,
            goes_on: false,
            is_end: true,
        }
    }
}

const STREAMS: [OutputStream; 2] = [OutputStream::Stdout, OutputStream::Stderr];

/// Takes the lines out of one container's output.
#[derive(Debug)]
pub struct Splitter {
    stamps: Stamps,
    streams: [Line; 2],
    /// Lines that wait until the other stream's long line has ended.
    held: Vec<u8>,
}

impl Splitter {
    pub fn new(stamps: Stamps) -> Self {
        Splitter {
            stamps,
            streams: [Line::default(), Line::default()],
            held: Vec::new(),
        }
    }

    /// Takes bytes in and gives every line they complete, and pieces of one that is too long.
    pub fn push(
        &mut self,
        stream: OutputStream,
        bytes: &[u8],
        emit: &mut impl FnMut(OutputStream, Piece<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let (at, other) = match stream {
            OutputStream::Stdout => (0, 1),
            OutputStream::Stderr => (1, 0),
        };
        if self.streams[other].is_open {
            let (line, held) = (&mut self.streams[at], &mut self.held);
            line.take(self.stamps, bytes, &mut |piece| {
                hold(held, piece);
                Ok(())
            })?;
            return match self.held.len() > LONGEST_LINE {
                true => self.end_line(other, emit),
                false => Ok(()),
            };
        }
        let held = &mut self.held;
        self.streams[at].take(self.stamps, bytes, &mut |piece| {
            emit(stream, piece)?;
            match piece.goes_on && piece.is_end {
                true => release(held, STREAMS[other], emit),
                false => Ok(()),
            }
        })
    }

    /// Whether the beginning of a line was passed on, and not yet its end.
    pub fn is_in_line(&self) -> bool {
        self.streams.iter().any(|line| line.is_open)
    }

    /// Ends the line whose beginning was passed on: what follows of it is a line of its own.
    pub fn break_line(
        &mut self,
        emit: &mut impl FnMut(OutputStream, Piece<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        match self.streams.iter().position(|line| line.is_open) {
            Some(at) => self.end_line(at, emit),
            None => Ok(()),
        }
    }

    fn end_line(
        &mut self,
        at: usize,
        emit: &mut impl FnMut(OutputStream, Piece<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let line = &mut self.streams[at];
        line.has_stamp = false;
        line.complete(&[], &mut |piece| emit(STREAMS[at], piece))?;
        release(&mut self.held, STREAMS[1 - at], emit)
    }

    /// Gives what has come without a line feed, and begins anew.
    pub fn finish(
        &mut self,
        emit: &mut impl FnMut(OutputStream, Piece<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        for line in &mut self.streams {
            line.text.append(&mut line.stamp);
            line.message = None;
            line.has_stamp = false;
            line.drops = false;
        }
        self.break_line(emit)?;
        for (stream, line) in STREAMS.into_iter().zip(&mut self.streams) {
            if !line.text.is_empty() {
                emit(stream, Piece::line(&line.text))?;
                line.text = Vec::new();
            }
        }
        Ok(())
    }

    /// The output is read again, from the time that this gives; `None` where the time of the newest
    /// message says exactly what has been seen. Podman's times are whole seconds: what has been seen
    /// of the last one is dropped when it comes again.
    pub fn read_again(&mut self) -> Option<i64> {
        let newest = self.newest_second()?;
        for line in &mut self.streams {
            let is_last = line.time() == Some(newest);
            line.again = if is_last { line.same } else { 0 };
        }
        Some(newest)
    }

    /// Only the end of a log was read: gives from where to read all that has the last one's time, so
    /// that [`read_again`](Self::read_again) knows of it. `None` where the time says it exactly.
    pub fn count_again(&mut self) -> Option<i64> {
        let newest = self.newest_second()?;
        for line in &mut self.streams {
            line.same = 0;
        }
        Some(newest)
    }

    /// The time of the newest message, if it is no more exact than a second.
    fn newest_second(&self) -> Option<i64> {
        let newest = self.newest()?;
        let last = |line: &Line| line.time() == Some(newest) && line.is_coarse();
        self.streams.iter().any(last).then_some(newest)
    }

    /// The time of the newest message seen, in nanoseconds since the epoch.
    pub fn newest(&self) -> Option<i64> {
        self.streams.iter().filter_map(Line::time).max()
    }
}

/// Keeps a piece until the line of the other stream has ended.
fn hold(held: &mut Vec<u8>, piece: Piece<'_>) {
    held.extend_from_slice(piece.text);
    if piece.is_end {
        held.push(b'\n');
    }
}

/// Gives what was held.
fn release(
    held: &mut Vec<u8>,
    stream: OutputStream,
    emit: &mut impl FnMut(OutputStream, Piece<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let held = std::mem::take(held);
    let mut rest = held.as_slice();
    while let Some(end) = memchr(b'\n', rest) {
        emit(stream, Piece::line(&rest[..end]))?;
        rest = &rest[end + 1..];
    }
    if rest.is_empty() {
        return Ok(());
    }
    let begin = Piece {
        is_end: false,
        ..Piece::line(rest)
    };
    emit(stream, begin)
}

#[cfg(test)]
mod tests {
    use super::line::MESSAGE;
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
            let mut emit = |_: OutputStream, piece: Piece<'_>| {
                assert!(piece.is_end && !piece.goes_on);
                found.push(String::from_utf8(piece.text.to_vec()).unwrap());
                Ok(())
            };
            for (stream, text) in input {
                for piece in text.as_bytes().chunks(size) {
                    splitter.push(*stream, piece, &mut emit).unwrap();
                }
            }
            splitter.finish(&mut emit).unwrap();
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
                let mut emit = |_: OutputStream, piece: Piece<'_>| {
                    found.push(String::from_utf8(piece.text.to_vec()).unwrap());
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
            .push(Stdout, text.as_bytes(), &mut |_, _| Ok(()))
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
        let mut emit = |_: OutputStream, _: Piece<'_>| Ok(());
        splitter
            .push(Stderr, format!("{B} x\n").as_bytes(), &mut emit)
            .unwrap();
        splitter
            .push(Stdout, format!("{A} y\n").as_bytes(), &mut emit)
            .unwrap();
        assert_eq!(splitter.newest().map(|t| t % 1000), Some(2));
    }

    #[test]
    fn podman_s_last_second_is_known_after_its_last_line_was_read() {
        let read = |splitter: &mut Splitter, lines: &[(OutputStream, &str)]| {
            let mut found = Vec::new();
            for (stream, line) in lines {
                let text = format!("2026-11-21T10:00:{line}\n");
                let mut emit = |_: OutputStream, piece: Piece<'_>| {
                    found.push(String::from_utf8(piece.text.to_vec()).unwrap());
                    Ok(())
                };
                splitter.push(*stream, text.as_bytes(), &mut emit).unwrap();
            }
            splitter.finish(&mut |_, _| Ok(())).unwrap();
            found
        };
        let old = [(Stdout, "02Z a"), (Stderr, "02Z b"), (Stdout, "02Z c")];
        let mut splitter = Splitter::new(Stamps::Strip);
        read(&mut splitter, &old[2..]);
        assert_eq!(
            splitter.count_again().map(|t| t % 60_000_000_000),
            Some(2_000_000_000)
        );
        read(&mut splitter, &old);
        splitter.read_again().expect("whole seconds");
        assert!(read(&mut splitter, &old).is_empty(), "all are old");
        assert_eq!(read(&mut splitter, &[(Stderr, "02Z d")]), ["d"]);
        let mut exact = Splitter::new(Stamps::Strip);
        let text = format!("{A} a\n");
        let mut emit = |_: OutputStream, _: Piece<'_>| Ok(());
        exact.push(Stdout, text.as_bytes(), &mut emit).unwrap();
        assert_eq!(exact.count_again(), None);
    }

    /// What comes out, as one text per stream, and the most that was kept.
    fn passed_on(stamps: Stamps, input: &[(OutputStream, Vec<u8>)]) -> ([Vec<u8>; 2], usize) {
        let mut splitter = Splitter::new(stamps);
        let mut texts: [Vec<u8>; 2] = Default::default();
        let mut in_line = None;
        let mut kept = 0;
        let mut emit = |stream: OutputStream, piece: Piece<'_>| {
            assert_eq!(
                in_line,
                piece.goes_on.then_some(stream),
                "no other line comes between"
            );
            in_line = (!piece.is_end).then_some(stream);
            let text = &mut texts[usize::from(stream == Stderr)];
            text.extend_from_slice(piece.text);
            if piece.is_end {
                text.push(b'\n');
            }
            Ok(())
        };
        for (stream, bytes) in input {
            for part in bytes.chunks(32 << 10) {
                splitter.push(*stream, part, &mut emit).unwrap();
                let [out, err] = &splitter.streams;
                kept = kept.max(out.text.len() + err.text.len() + splitter.held.len());
            }
        }
        splitter.finish(&mut emit).unwrap();
        assert_eq!(in_line, None, "the last line has an end");
        (texts, kept)
    }

    #[test]
    fn a_line_of_any_length_stays_one_line() {
        let long = vec![b'x'; 20 * LONGEST_LINE + 7];
        let line = |text: &[u8]| [text, b"\n"].concat();
        let stamped = |text: &[u8]| {
            let message = |part: &[u8]| [A.as_bytes(), b" ", part].concat();
            line(
                &text
                    .chunks(MESSAGE)
                    .map(message)
                    .collect::<Vec<_>>()
                    .concat(),
            )
        };
        let input = [(Stdout, line(&long)), (Stdout, b"next\n".to_vec())];
        let ([out, err], kept) = passed_on(Stamps::None, &input);
        assert!(out == [line(&long), b"next\n".to_vec()].concat() && err.is_empty());
        assert!(kept < 2 * LONGEST_LINE, "{kept}");
        let ([out, _], kept) = passed_on(Stamps::Strip, &[(Stdout, stamped(&long))]);
        assert!(out == line(&long) && kept < 2 * LONGEST_LINE);
        let ([out, _], _) = passed_on(Stamps::Keep, &[(Stdout, stamped(&long))]);
        assert!(
            out == [A.as_bytes(), b" ", &line(&long)].concat(),
            "its time stands once"
        );
        // Without an end, and as long as a piece.
        for length in [LONGEST_LINE, LONGEST_LINE + 1, 2 * LONGEST_LINE] {
            let ([out, _], _) = passed_on(Stamps::None, &[(Stdout, long[..length].to_vec())]);
            assert!(out == line(&long[..length]), "{length}");
        }
    }

    #[test]
    fn the_other_stream_waits_for_the_end_of_a_long_line() {
        let long = vec![b'x'; 3 * LONGEST_LINE];
        let input = [
            (Stdout, long.clone()),
            (Stderr, b"one\ntwo\nthr".to_vec()),
            (Stdout, b"end\nnext\n".to_vec()),
            (Stderr, b"ee\n".to_vec()),
        ];
        let ([out, err], _) = passed_on(Stamps::None, &input);
        assert!(out == [&long[..], b"end\nnext\n"].concat());
        assert_eq!(err, b"one\ntwo\nthree\n");
        // Where too much comes, the line is broken: nothing is lost, and not all is kept.
        for much in [
            vec![b'y'; 4 * LONGEST_LINE],
            b"yyyyyyy\n".repeat(LONGEST_LINE),
        ] {
            let input = [
                (Stdout, long.clone()),
                (Stderr, much.clone()),
                (Stderr, b"\n".to_vec()),
                (Stdout, b"end\n".to_vec()),
            ];
            let ([out, err], kept) = passed_on(Stamps::None, &input);
            assert!(out == [&long[..], b"\nend\n"].concat());
            assert!(err == [&much[..], b"\n"].concat());
            assert!(kept < 3 * LONGEST_LINE, "{kept}");
        }
    }
}
