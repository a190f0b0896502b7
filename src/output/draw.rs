//! What each way to draw progress does: `tty`, `plain`, `json` and `quiet`.

use super::words::Line;
use std::time::Duration;

/// Draws into a buffer. `now` counts from the beginning of the command.
pub(super) trait Draw: Send {
    /// What the command is called.
    fn command(&mut self, _name: &str) {}
    fn line(&mut self, out: &mut Vec<u8>, line: &Line, now: Duration);
    /// `time` is in milliseconds since 1970.
    fn warning(&mut self, out: &mut Vec<u8>, message: &str, now: Duration, time: i64);
    /// Makes room for text that others write next.
    fn interlude(&mut self, _out: &mut Vec<u8>) {}
    /// Shows everything as it stands, for text to follow below.
    fn conclude(&mut self, _out: &mut Vec<u8>, _now: Duration) {}
    /// Something is stopping and has so much time to do so.
    fn countdown(&mut self, _left: Duration, _now: Duration) {}
    /// Whether [`Draw::tick`] has something to do.
    fn wants_tick(&self) -> bool {
        false
    }
    fn tick(&mut self, _out: &mut Vec<u8>, _now: Duration) {}
    fn finish(&mut self, _out: &mut Vec<u8>, _now: Duration) {}
}
