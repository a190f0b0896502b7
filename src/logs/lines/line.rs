//! One stream of a container: its messages, their times, and the line that is being read.

use super::{LONGEST_LINE, Piece, Stamps};
use memchr::memchr;
use std::io;

/// The engine cuts longer lines into messages of this size, each with its own time.
pub(super) const MESSAGE: usize = 16 << 10;
/// No time is longer.
const LONGEST_STAMP: usize = 40;

/// The line that is being read from one of the two streams.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) text: Vec<u8>,
    /// Pieces of the line were passed on.
    pub(super) is_open: bool,
    /// The time at the message's beginning, as far as it was read.
    pub(super) stamp: Vec<u8>,
    /// The time of the last message begun.
    last: Vec<u8>,
    /// Bytes of the message so far; `None` while its time is being read.
    pub(super) message: Option<usize>,
    /// The time of the line is already in the text.
    pub(super) has_stamp: bool,
    /// Messages of the last time so far, where times are whole seconds.
    pub(super) same: usize,
    /// So many messages of the last time have been seen before.
    pub(super) again: usize,
    /// The message being read is one of them.
    pub(super) drops: bool,
}

impl Line {
    /// The time of the last message begun.
    pub(super) fn time(&self) -> Option<i64> {
        let text = std::str::from_utf8(&self.last).ok()?;
        let time: jiff::Timestamp = text.parse().ok()?;
        i64::try_from(time.as_nanosecond()).ok()
    }

    pub(super) fn take(
        &mut self,
        stamps: Stamps,
        bytes: &[u8],
        emit: &mut impl FnMut(Piece<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        match stamps {
            Stamps::None => self.push(bytes, emit),
            stamps => self.push_stamped(bytes, stamps == Stamps::Keep, emit),
        }
    }

    /// Whether the last time is no more exact than a second.
    pub(super) fn is_coarse(&self) -> bool {
        !self.last.contains(&b'.')
    }

    fn push(
        &mut self,
        mut bytes: &[u8],
        emit: &mut impl FnMut(Piece<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        while let Some(end) = memchr(b'\n', bytes) {
            self.complete(&bytes[..end], emit)?;
            bytes = &bytes[end + 1..];
        }
        self.keep(bytes, emit)
    }

    /// The line ends with these bytes.
    pub(super) fn complete(
        &mut self,
        bytes: &[u8],
        emit: &mut impl FnMut(Piece<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        self.has_stamp = false;
        let goes_on = std::mem::take(&mut self.is_open);
        let piece = |text| Piece {
            goes_on,
            ..Piece::line(text)
        };
        if self.text.is_empty() {
            return emit(piece(bytes));
        }
        self.text.extend_from_slice(bytes);
        let result = emit(piece(&self.text));
        match goes_on {
            // There may never be another line that long.
            true => self.text = Vec::new(),
            false => self.text.clear(),
        }
        result
    }

    /// The line goes on after these bytes.
    fn keep(
        &mut self,
        bytes: &[u8],
        emit: &mut impl FnMut(Piece<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        self.text.extend_from_slice(bytes);
        if self.text.is_empty() || (self.text.len() <= LONGEST_LINE && !self.is_open) {
            return Ok(());
        }
        let goes_on = std::mem::replace(&mut self.is_open, true);
        let result = emit(Piece {
            text: &self.text,
            goes_on,
            is_end: false,
        });
        self.text.clear();
        result
    }

    fn push_stamped(
        &mut self,
        mut bytes: &[u8],
        keeps: bool,
        emit: &mut impl FnMut(Piece<'_>) -> io::Result<()>,
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

/// `2026-11-21T10:15:29.939104044Z`, roughly.
fn is_stamp(bytes: &[u8]) -> bool {
    bytes.len() >= 20
        && bytes[..4].iter().all(u8::is_ascii_digit)
        && (bytes[4], bytes[7], bytes[10], bytes[13]) == (b'-', b'-', b'T', b':')
}
